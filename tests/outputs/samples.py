"""Results that look like those of real runs, with their evidence, made anew each time."""

from __future__ import annotations

from msgspec.structs import replace

from grader.kinds.server.facts import ServerEvidence
from grader.model.result import CheckResult, EngineFacts, HintTexts, Result, refused
from grader.model.traffic import Line, Queued, Session
from tests.outputs.stories import CHECKS, IMAGE, LISTENERS, LOG, MTA, NOBODY, SEE, SOURCES, WHY, Story


def check(code: str, status: str = "pass", /, **fields: object) -> CheckResult:
    title, points = CHECKS[code]
    return CheckResult(
        **{
            "code": f"open-relay/{code}",
            "title": title,
            "status": status,
            "points": points if status == "pass" else 0,
            "max_points": points,
            "why": WHY[code],
            "observed": "12 attempts, all as expected." if status == "pass" else "",
            "references": SEE.get(code, ["RFC 5321"]),
            "tags": ["relay"],
            **fields,
        }  # type: ignore[arg-type]
    )


def result(checks: list[CheckResult], **fields: object) -> Result:
    return Result(
        **{
            "lab": "open-relay",
            "lab_title": "A mail server that relays for its own people and for nobody else",
            "lab_version": "1.0",
            "student": None,
            "variant": "canonical",
            "status": "graded",
            "score": sum(c.points for c in checks),
            "max_score": sum(c.max_points for c in checks),
            "started": "2026-03-02T09:15:04.218Z",
            "duration": 0.412,
            "engine": EngineFacts("local", IMAGE, MTA),
            "checks": checks,
            **fields,
        }  # type: ignore[arg-type]
    )


HINTS = HintTexts(
    nudge="Which of your networks does a neighbour in the data centre share with you?",
    pointer="Read what mynetworks says about 10.0.0.0/8 in postconf(5).",
    example="mynetworks = 127.0.0.0/8 192.0.2.0/28\n"
    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
)


def solution() -> tuple[Result, ServerEvidence]:
    story = Story()
    story.session("stranger", "25", "stranger")
    story.session("office", "25", "office")
    return result([check(code) for code in CHECKS]), story.evidence()


def broken(sessions: int = 12) -> tuple[Result, ServerEvidence]:
    """The data centre's neighbours may relay; VRFY tells; a check for a person; a remark of the run."""
    story = Story()
    for number in range(sessions):
        source = list(SOURCES)[number % 3]
        story.session(source, LISTENERS[number // 3 % 4], "stranger", relays=source == "neighbour")
    story.dialogue("stranger", "leaks", [("VRFY alice", "252 2.0.0 alice"), ("VRFY nobody", NOBODY)])
    story.queued.append(
        Queued(
            "deferred",
            "victor@elsewhere.example",
            "rosa.k9v9@down.example",
            "connect to 198.51.100.26[198.51.100.26]:25: Connection refused",
        )
    )
    relayed = [o for o in story.outcomes if o.stage == "accepted"]
    pointers = [f"session:{o.session}:{o.replies[0].line}" for o in relayed]
    pointers += [f"message:{a.id}" for a in story.arrivals]
    neighbour = check(
        "stranger",
        "fail",
        expected="No message that a stranger or a neighbour hands in reaches a mailbox outside example.com.",
        observed="A message from neighbour (10.99.0.66) on port 25 was sent on to “rosa.k2v1@elsewhere.example”. "
        f"The same or the like happened in {len(relayed)} of {len(story.attempts)} attempts.",
        next="Let mynetworks name the office LAN and nothing wider, and look at what stands before "
        "reject_unauth_destination in smtpd_relay_restrictions.",
        evidence=pointers[:12],
        remarks=[
            "percent hack: neighbour on 25, neighbour on 25+starttls, neighbour on 465, neighbour on 587"
        ],
        hints=HINTS,
    )
    leak = check(
        "leaks",
        "fail",
        expected="VRFY for a real user and for an unknown one is answered alike.",
        observed=f"The server answered “252 2.0.0 alice” to “VRFY alice” and “{NOBODY}” to “VRFY nobody”.",
        next="Switch VRFY off.",
        evidence=[f"session:{len(story.sessions)}:{len(story.sessions[-1].lines) - 3}"],
        hints=HintTexts(nudge="What does a harvester learn from two different answers?"),
    )
    allow = check(
        "allow-lists",
        "skipped",
        because="open-relay/stranger",
        observed="Not judged, because open-relay/stranger failed.",
    )
    checks = [
        *(check(code) for code in ("starts", "local", "unknown", "office")),
        check("login", "manual"),
        neighbour,
        allow,
        leak,
    ]
    notes = ["The server took 0.9 s to greet; the wait is not part of the grade."]
    return result(checks, student="s1042", variant="7f3a", notes=notes), story.evidence(
        student="s1042", notes=notes
    )


def dead() -> tuple[Result, ServerEvidence]:
    """smtpd dies at its first client; everything else is skipped."""
    fatal = (
        "0.063 postfix/smtpd[42]: fatal: in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, "
        "specify at least one working instance of: reject_unauth_destination, defer_unauth_destination, reject, defer, "
        "defer_if_permit or check_relay_domains"
    )
    log = [
        LOG[0],
        fatal,
        "0.064 postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 42 exit status 1",
    ]
    first = check(
        "starts",
        "fail",
        expected="The server greets with 220 on ports 25, 587 and 465.",
        observed=f"The server took the connection on port 25 and then hung up instead of greeting. "
        f"Its log says: “{fatal}”",
        next="Fix what the log line names, then look at the log again: postfix check does not notice it.",
        evidence=["log:1", "session:1:0"],
    )
    rest = [
        check(
            code,
            "skipped",
            because="open-relay/starts",
            observed="Not judged, because open-relay/starts failed.",
        )
        for code in CHECKS
        if code != "starts"
    ]
    story = Story()
    story.sessions.append(
        Session(
            1,
            "office",
            SOURCES["office"],
            "203.0.113.10",
            "25",
            "closed",
            [Line(63.4, "*", "the server hung up before a greeting")],
        )
    )
    return result([first, *rest]), story.evidence(log=log, started_up=False, queries=[])


def grader_error() -> tuple[Result, ServerEvidence]:
    sentence = "the image could not be unpacked: the disk is full; free 400 MB in /var/cache and run again"
    checks = [check(code, "error", observed=sentence) for code in CHECKS]
    empty: dict[str, object] = {"log": [], "listening": [], "commands": [], "queries": []}
    return (
        result(checks, status="error", error=sentence, started="", duration=0.0),
        Story().evidence(error=sentence, started_up=False, **empty),
    )


def refused_hand_in() -> tuple[Result, ServerEvidence]:
    sentence = "s1042.zip holds no main.cf, which the lab open-relay asks for: add it"
    failed, evidence = grader_error()
    unjudged = replace(failed, student="s1042")
    return refused(unjudged, sentence), evidence

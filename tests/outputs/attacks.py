"""A run in which every text that a stranger can choose is an attack on whatever shows it."""

from __future__ import annotations

from grader.kinds.server.facts import ServerEvidence
from grader.model.result import EngineFacts, HandedIn, HintTexts, Result
from grader.model.traffic import Arrival, Command, Query, Queued
from tests.outputs.samples import check, result
from tests.outputs.stories import LOG, Story

HOSTILE = (
    "\x1b[2J\x1b[31mPASS 100/100\x07 \x00 ]]> \ufffe \u202egnp.exe <script>alert(1)</script> "
    "<img src=x onerror=alert(1)> "
    "&lt; [bold]rich[/bold] :smile: {{ 7*7 }} {% raw %} \\xff ##[error]x [[ATTACHMENT|/etc/passwd]] \u200b\x9b31m\ufeff"
)
LINES = "first\n::error file=main.cf::forged\r\n=cmd|' /C calc'!A0\tend"


def hostile() -> tuple[Result, ServerEvidence]:
    """Every text that a stranger can choose is an attack."""
    story = Story()
    story.session("stranger", "25", "stranger", relays=True, banner=f"220 {HOSTILE}")
    story.session("stranger", "587", "stranger", banner="220 " + "A" * 20_000)
    arrival = Arrival(
        id=77,
        place="mailbox",
        where=f"/var/mail/{LINES}",
        attempts=[],
        raw=b"Subject: \xff\xfe\x00\x1b]0;owned\x07 </pre><script>alert(2)</script>\r\n\r\n::error::x\r\n]]>\r\n",
        sender=HOSTILE,
        recipients=[LINES],
    )
    story.arrivals.append(arrival)
    story.queued.append(Queued(HOSTILE, LINES, HOSTILE, LINES))
    evidence = story.evidence(
        student="=cmd|' /C calc'!A0",
        log=[HOSTILE, f"0.1 postfix/smtpd[1]: fatal: {HOSTILE}", *LOG],
        queries=[Query(1.0, HOSTILE, LINES, HOSTILE, HOSTILE)],
        commands=[Command(["postconf", HOSTILE], 1, f"{LINES}\n{HOSTILE}\n")],
        files=[LINES, HOSTILE],
        notes=[HOSTILE],
        mta=HOSTILE,
    )
    attacked = check(
        "stranger",
        "fail",
        title=f"Strangers {HOSTILE}",
        expected=LINES,
        observed=HOSTILE,
        why=HOSTILE,
        next=LINES,
        references=[HOSTILE, "RFC 5321 section 7.9"],
        evidence=[
            *("session:1:0", "session:2:0", "message:77", "log:1", "queue:0", "query:0", "command:0"),
            *("session:9999", "session:1:9999", "log:x", "::error::", HOSTILE, "message:77:1", "session:-1"),
        ],
        remarks=[LINES, HOSTILE],
        tags=[HOSTILE],
        hints=HintTexts(HOSTILE, LINES, HOSTILE),
    )
    checks = [
        attacked,
        check("leaks", "skipped", because=HOSTILE, code=f"open-relay/{LINES}", observed=HOSTILE),
        check("login", "error", observed=LINES, code=HOSTILE, title=""),
        check("office", "fail", observed="", title=LINES),
        check("office", "fail", observed="", title=LINES),
    ]
    return (
        result(
            checks,
            student="=cmd|' /C calc'!A0",
            lab_title=HOSTILE,
            variant=HOSTILE,
            engine=EngineFacts(HOSTILE, HOSTILE, HOSTILE),
            notes=[HOSTILE, LINES],
            error=HOSTILE,
            handed_in=HandedIn(time=LINES, late=True, group=[HOSTILE, LINES]),
        ),
        evidence,
    )

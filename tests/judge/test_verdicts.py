"""Every other expectation, blockers, the grader's own faults, and what is never judged twice."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.judge.verdicts import FAULT, MOST_POINTERS
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.facts import ServerEvidence
from grader.kinds.server.judge import ServerJudge
from grader.model.errors import UsageError
from grader.model.finding import Judged
from grader.model.lab import Hints
from grader.model.result import CheckResult
from grader.model.traffic import ANY_MAILBOX, Arrival, Line, Outcome, Reply
from tests.judge.builders import TOKEN, arrival, check, evidence, facts, lab, outcome, session


def only_check(run: ServerEvidence) -> CheckResult:
    (result,) = judge(run).checks
    return result


def test_a_server_that_hangs_is_dead_and_its_log_says_why() -> None:
    log = [
        "12 postfix/master[1]: daemon started",
        "34 postfix/smtpd[9]: fatal: no working instance of reject_unauth_destination",
    ]
    run = evidence(
        lab(check("starts", greets=True)), [facts("starts")], [Outcome("starts/1", "greeting")], log=log
    )
    result = only_check(run)
    assert (result.status, result.evidence[0]) == ("fail", "log:1")
    assert "“postfix/smtpd: fatal: no working instance" in result.observed


def test_what_needs_a_failed_check_is_skipped_and_names_the_root() -> None:
    demo = lab(
        check("starts", greets=True),
        check("office", arrives="outside", needs=["starts"]),
        check("archive", arrives="outside", needs=["office"]),
    )
    attempts = [facts("starts"), facts("office"), facts("archive")]
    result = judge(evidence(demo, attempts, [Outcome("starts/1", "connect")]))
    assert [c.status for c in result.checks] == ["fail", "skipped", "skipped"]
    assert {c.because for c in result.checks[1:]} == {"demo/starts"}


@pytest.mark.parametrize("told", [["text", "lines"], ["lines", "text"]])
def test_a_cause_may_stand_in_a_check_whose_turn_is_later(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = {"lines": Judged("fail", "cut"), "text": Judged("fail", "cut", because="lines")}
    monkeypatch.setattr(ServerJudge, "judge", lambda self, check: findings[check.code])
    result = judge(evidence(lab(*(check(code, greets=True) for code in told)), [], []))
    assert {c.code: (c.status, c.because) for c in result.checks} == {
        "demo/lines": ("fail", None),
        "demo/text": ("skipped", "demo/lines"),
    }
    # Two that name each other: one of them fails.
    findings["lines"] = Judged("fail", "cut", because="text")
    result = judge(evidence(lab(*(check(code, greets=True) for code in told)), [], []))
    assert sorted(c.status for c in result.checks) == ["fail", "skipped"]


@pytest.mark.parametrize(
    ("where", "status"),
    [("/var/mail/alice", "pass"), ("/home/alice/Maildir/new/1", "pass"), ("/var/mail/bob", "fail")],
)
def test_local_mail_counts_in_its_users_mailbox_only(where: str, status: str) -> None:
    demo = lab(check(arrives="mailbox"))
    delivered = arrival(place="mailbox", where=where)
    assert (
        only_check(evidence(demo, [facts(mailbox="alice")], [outcome("accepted")], [delivered])).status
        == status
    )


def test_the_postmasters_mail_may_lie_in_anybodys_mailbox() -> None:
    demo = lab(check(arrives="mailbox"))
    delivered = arrival(place="mailbox", where="/var/mail/root")
    attempts = [facts(mailbox=ANY_MAILBOX, recipients=["postmaster@example.com"])]
    assert only_check(evidence(demo, attempts, [outcome("accepted")], [delivered])).status == "pass"
    assert only_check(evidence(demo, attempts, [outcome("accepted")])).status == "fail"


@pytest.mark.parametrize(("stage", "status"), [("rcpt", "pass"), ("accepted", "fail"), ("data", "pass")])
def test_refused_in_the_session(stage: str, status: str) -> None:
    assert only_check(evidence(lab(check(refused=True)), [facts()], [outcome(stage)])).status == status


def test_taking_and_bouncing_is_named_as_such() -> None:
    bounce = arrival("someone@elsewhere.example", sender="")
    result = only_check(evidence(lab(check(refused=True)), [facts()], [outcome("accepted")], [bounce]))
    assert result.status == "fail"
    assert "bounce" in result.observed


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("happened", [True, False])
def test_authentication(wanted: bool, happened: bool) -> None:
    demo = lab(check("auth", authenticates=wanted))
    run = evidence(demo, [facts("auth")], [outcome("auth", "auth/1", authenticated=happened)])
    assert only_check(run).status == ("pass" if wanted == happened else "fail")


@pytest.mark.parametrize(("offer", "status"), [("250-AUTH PLAIN LOGIN", "pass"), ("250-STARTTLS", "fail")])
def test_a_login_that_is_taken_must_have_been_offered(offer: str, status: str) -> None:
    """Postfix takes AUTH from those to whom it does not offer it (smtpd_sasl_exceptions_networks)."""
    spoken = session("220 hi", "250-mail.example.com", offer, "250 DSN", "235 2.7.0 ok")
    spoken = replace(spoken, lines=[*spoken.lines[:1], Line(1.0, "C", "EHLO x"), *spoken.lines[1:]])
    made = [outcome("accepted", "auth/1", authenticated=True)]
    run = evidence(lab(check("auth", authenticates=True)), [facts("auth")], made, sessions=[spoken])
    assert only_check(run).status == status


def test_auth_offered_in_the_clear_is_marked_at_its_line() -> None:
    spoken = session("220 hi", "250-mail.example.com", "250-AUTH PLAIN LOGIN", "250 DSN")
    demo = lab(check("auth", authenticates=False))
    run = evidence(demo, [facts("auth")], [outcome("auth", "auth/1")], sessions=[spoken])
    assert only_check(run).evidence == ["session:1:2"]


def said(*codes: int) -> list[Outcome]:
    commands = ("VRFY alice", "VRFY nobody")
    replies = [
        Reply(c, code, f"{code} text", n) for n, (c, code) in enumerate(zip(commands, codes, strict=True))
    ]
    return [outcome("said", replies=replies)]


@pytest.mark.parametrize(("codes", "status"), [((252, 252), "pass"), ((252, 550), "fail")])
def test_alike_replies(codes: tuple[int, int], status: str) -> None:
    attempt = facts(say=["VRFY alice", "VRFY nobody"])
    assert only_check(evidence(lab(check(alike=True)), [attempt], said(*codes))).status == status


@pytest.mark.parametrize(("codes", "status"), [((502, 252), "pass"), ((250, 502), "fail")])
def test_allowed_replies(codes: tuple[int, int], status: str) -> None:
    attempt = facts(say=["VRFY alice", "VRFY nobody"])
    demo = lab(check(replies=["5", "252"]))
    assert only_check(evidence(demo, [attempt], said(*codes))).status == status


@pytest.mark.parametrize(("text", "status"), [("250 2.0.0 Ok", "pass"), ("250 Queuing started", "fail")])
def test_a_question_that_was_answered_as_noop_is_tells_nothing(text: str, status: str) -> None:
    replies = [Reply("NOOP", 250, "250 2.0.0 Ok", 0), Reply("ETRN a.example", 250, text, 1)]
    demo = lab(check(replies=["4", "5"], alike=True))
    run = evidence(demo, [facts(say=["NOOP", "ETRN a.example"])], [outcome("said", replies=replies)])
    assert only_check(run).status == status


def test_a_check_of_which_nothing_was_tried_is_an_error() -> None:
    assert only_check(evidence(lab(check(arrives="nowhere")), [], [])).status == "error"
    spoken = evidence(lab(check(replies=["5"])), [facts(say=[])], [outcome("said")])
    assert only_check(spoken).status == "error"


def test_a_function_that_is_not_installed_is_named() -> None:
    with pytest.raises(UsageError, match="no judge function 'gone' here: install"):
        judge(evidence(lab(check(function="gone")), [facts()], [outcome("said")]))


@pytest.mark.parametrize(("count", "status"), [(0, "pass"), (1, "pass"), (2, "fail")])
def test_one_message_in_one_message_out(count: int, status: str) -> None:
    arrivals = [arrival(place="mailbox", where="/var/mail/alice", id=n) for n in range(count)]
    run = evidence(lab(check(arrivals_at_most=1)), [facts()], [outcome("accepted")], arrivals)
    assert only_check(run).status == status


def test_the_graders_own_fault_is_an_error_and_never_a_failure() -> None:
    result = judge(evidence(lab(check(arrives="nowhere")), [facts()], [], error="the engine went away"))
    assert (result.status, result.checks[0].status, result.error) == (
        "error",
        "error",
        "the engine went away",
    )


def test_a_fault_in_judging_costs_that_checks_verdict_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(self: ServerJudge, asked: ServerCheck) -> Judged:
        if asked.code == "first":
            raise ValueError("no such thing")
        return Judged("pass")

    monkeypatch.setattr(ServerJudge, "judge", judged)
    first, second = check("first", arrives="nowhere"), check("second", arrives="nowhere")
    result = judge(evidence(lab(first, second), [], []))
    assert [(one.status, one.points) for one in result.checks] == [("error", 0), ("pass", second.points)]
    assert result.checks[0].observed == f"{FAULT}, ValueError: no such thing"


@pytest.mark.parametrize(
    ("tier", "told"),
    [
        ("none", (None, None, None)),
        ("nudge", ("n", None, None)),
        ("pointer", ("n", "p", None)),
        ("example", ("n", "p", "e")),
    ],
)
def test_hints_are_capped_and_only_given_for_failures(
    tier: str, told: tuple[str | None, str | None, str | None]
) -> None:
    hinted = replace(check(arrives="nowhere"), hints=Hints("n", "p", "e"))
    failing = evidence(lab(hinted), [facts()], [outcome("accepted")], [arrival()])
    hints = judge(failing, hints=tier).checks[0].hints
    assert (hints.nudge, hints.pointer, hints.example) == told
    passing = evidence(lab(hinted), [facts()], [outcome("rcpt", code=554)])
    assert judge(passing, hints=tier).checks[0].hints.nudge is None


def test_a_failure_points_to_so_much_and_no_more() -> None:
    numbers = range(1, 21)
    run = evidence(
        lab(check(arrives="nowhere")),
        [facts(number=number) for number in numbers],
        [outcome("accepted", f"stranger/{number}") for number in numbers],
        [arrival(id=number, attempts=[f"stranger/{number}"]) for number in numbers],
    )
    result = only_check(run)
    assert "20 of 20 attempts" in result.observed
    assert len(result.evidence) == MOST_POINTERS
    assert result.evidence[:3] == ["session:1:1", "message:1", "message:2"]


def test_the_points_of_a_passed_check_alone_are_earned() -> None:
    demo = lab(check("starts", greets=True), check(arrives="nowhere"))
    run = evidence(
        demo, [facts("starts"), facts()], [outcome("said", "starts/1"), outcome("accepted")], [arrival()]
    )
    result = judge(run)
    assert [(c.status, c.points, c.max_points) for c in result.checks] == [("pass", 10, 10), ("fail", 0, 10)]
    assert (result.score, result.max_score, result.passed) == (10, 20, False)


def test_what_to_do_next_is_said_of_failures_alone() -> None:
    failing = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("accepted")], [arrival()])
    passing = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt", code=554)])
    assert (only_check(failing).next, only_check(passing).next) == ("n", "")


def test_only_reports_the_checks_asked_for() -> None:
    demo = lab(check("starts", greets=True), check(arrives="nowhere", needs=["starts"]))
    run = evidence(demo, [facts("starts"), facts()], [outcome("said", "starts/1"), outcome("rcpt", code=554)])
    result = judge(run, only={"stranger"})
    assert [(c.code, c.status) for c in result.checks] == [("demo/stranger", "pass")]
    assert result.max_score == 10


def test_only_reports_why_what_was_asked_for_was_skipped() -> None:
    demo = lab(
        check("starts", greets=True),
        check("office", arrives="outside", needs=["starts"]),
        check("archive", arrives="outside", needs=["office"]),
    )
    run = evidence(demo, [facts("starts"), facts("archive")], [Outcome("starts/1", "connect")])
    result = judge(run, only={"archive"})
    assert [(c.code, c.status) for c in result.checks] == [
        ("demo/starts", "fail"),
        ("demo/archive", "skipped"),
    ]
    assert result.checks[0].observed
    assert result.checks[0].next


@pytest.mark.parametrize(("ended", "status"), [(False, "pass"), (True, "fail")])
def test_a_server_that_ended_in_the_middle_refused_only_whom_it_answered(ended: bool, status: str) -> None:
    refused = replace(outcome("rcpt", "stranger/1", 554, "554 5.7.1 no"), session=1)
    broken_off = Outcome("stranger/2", "mail", session=2, replies=[Reply("", 220, "220 ready", 0)])
    attempts = [facts(number=1), facts(number=2)]
    run = evidence(lab(check(arrives="nowhere")), attempts, [refused, broken_off])
    run = replace(run, facts=replace(run.facts, ended=ended))
    assert only_check(run).status == status
    office = check("office", arrives="outside")
    served = (
        [facts("office", inside=True)],
        [outcome("accepted", "office/1")],
        [arrival(attempts=["office/1"])],
    )
    controlled = lab(office, replace(check(arrives="nowhere"), control=["office"]))
    run = evidence(controlled, [*served[0], *attempts], [*served[1], refused, broken_off], served[2])
    run = replace(run, facts=replace(run.facts, ended=ended))
    assert [one.status for one in judge(run).checks] == ["pass", status], "the way was open before it ended"
    answered = evidence(lab(check(arrives="nowhere")), attempts[:1], [refused])
    assert only_check(replace(answered, facts=replace(answered.facts, ended=ended))).status == "pass"


def test_token_is_found_whatever_the_case() -> None:
    came = arrival(TOKEN.upper() + "@ELSEWHERE.example")
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("accepted")], [came])
    assert only_check(run).status == "fail"


def test_what_nobody_had_the_time_to_try_is_not_passed_and_no_failure() -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts(), facts(number=2)], [outcome("rcpt", code=554)])
    result = only_check(run)
    assert (result.status, result.points) == ("error", 0)
    assert "time was over" in result.observed


def test_a_failure_is_one_though_nobody_had_the_time_to_try_the_rest() -> None:
    run = evidence(
        lab(check(arrives="nowhere")), [facts(), facts(number=2)], [outcome("accepted")], [arrival()]
    )
    assert only_check(run).status == "fail"


@pytest.mark.parametrize(("inside", "status"), [(True, "skipped"), (False, "pass")])
def test_a_login_from_a_trusted_address_shows_nothing_about_logins(inside: bool, status: str) -> None:
    """A server that lets nobody in who has logged in shows nothing about whom it would let through."""
    demo = lab(check("auth", authenticates=True), check("own", arrives="nowhere", control=["auth"]))
    attempts = [facts("auth", user="alice"), facts("auth", 2, user="alice", inside=inside), facts("own")]
    made = [
        outcome("auth", "auth/1"),
        outcome("accepted", "auth/2", authenticated=True),
        outcome("rcpt", "own/1", code=554),
    ]
    own = next(c for c in judge(evidence(demo, attempts, made)).checks if c.code == "demo/own")
    assert own.status == status


def test_copies_of_one_message_are_one_and_a_hidden_message_is_another() -> None:
    def kept(number: int, id_: str) -> Arrival:
        raw = f"Message-ID: <{id_}@x>\r\nSubject: {TOKEN}\r\n\r\nMessage-ID: <in.the.text@x>\r\n".encode()
        return arrival(place="mailbox", where=f"/var/mail/{number}", id=number, raw=raw)

    demo = lab(check(arrivals_at_most=1))
    copies = evidence(demo, [facts()], [outcome("accepted")], [kept(0, "a"), kept(1, "a")])
    assert only_check(copies).status == "pass"
    hidden = evidence(demo, [facts()], [outcome("accepted")], [kept(0, "a"), kept(1, "2.a")])
    assert only_check(hidden).status == "fail"


@pytest.mark.parametrize("codes", [(221, 221), (502, 421)])
def test_a_server_that_hangs_up_tells_nothing(codes: tuple[int, int]) -> None:
    attempt = facts(say=["VRFY alice", "VRFY nobody"])
    demo = lab(check(replies=["5", "252"]))
    assert only_check(evidence(demo, [attempt], said(*codes))).status == "pass"


def test_mail_for_nobody_that_is_sent_on_is_a_relay_and_no_backscatter() -> None:
    demo = lab(check(refused=True))
    sent_on = evidence(demo, [facts()], [outcome("accepted")], [arrival()])
    assert only_check(sent_on).status == "pass"
    bounced = arrival("someone@elsewhere.example", sender="")
    assert only_check(evidence(demo, [facts()], [outcome("accepted")], [bounced])).status == "fail"


@pytest.mark.parametrize(
    "expect",
    [
        {"arrives": "nowhere"},
        {"refused": True},
        {"alike": True},
        {"replies": ["5"]},
        {"authenticates": False},
        {"arrivals_at_most": 1},
    ],
)
def test_a_server_that_greeted_nobody_has_shown_nothing(expect: dict[str, Any]) -> None:
    """Unless a control or a need of the check's own says that it was there."""
    attempts, dead = [facts(say=["VRFY a", "VRFY b"])], [Outcome("stranger/1", "connect")]
    judged = only_check(evidence(lab(check(**expect)), attempts, dead))
    assert (judged.status, judged.points) == ("error", 0)
    greeted = [
        Outcome("stranger/1", "rcpt", session=1, replies=[Reply("RCPT TO:<x>", 554, "554 5.7.1 no", 1)])
    ]
    assert only_check(evidence(lab(check(arrives="nowhere")), attempts, greeted)).status == "pass"


def test_the_form_of_the_only_attempt_that_failed_is_told() -> None:
    run = evidence(
        lab(check(arrives="nowhere")),
        [facts(number=1, title="showing a certificate"), facts(number=2)],
        [outcome("accepted"), outcome("rcpt", "stranger/2", 550)],
        [arrival()],
    )
    (only,) = judge(run).checks
    assert only.status == "fail"
    assert only.remarks == ["showing a certificate: stranger on 25"]

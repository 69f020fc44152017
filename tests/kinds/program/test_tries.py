"""What a program tells of its run, and how it takes a refusal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.model.submission_server import Conversation
from grader.model.traffic import Line
from tests.kinds.program.runs import (
    EVERYBODY,
    GOOD,
    LINES,
    NOTHING,
    TAKEN,
    judged,
)
from tests.tables import every

PARTLY = replace(GOOD, transactions=[replace(TAKEN, recipients=EVERYBODY[:2], refused=EVERYBODY[2:])])


@every(
    ("conversations", "code", "good"),
    [
        ([GOOD], 0, True),
        ([GOOD], 1, False),
        ([NOTHING], 0, False),
        ([NOTHING], 1, True),
        ([PARTLY], 0, False),
        ([PARTLY], 1, True),
        ([NOTHING, GOOD], 0, True),
        ([], 0, False),
        ([], 1, True),
    ],
)
def test_the_exit_status_is_held_against_what_was_taken(
    conversations: list[Conversation], code: int, good: bool
) -> None:
    assert (judged("tells", conversations=conversations, code=code).status == "pass") == good


@every(
    ("named", "code", "good"),
    [
        # Its first transaction was refused at MAIL, and with it the recipient to whom it was for.
        (EVERYBODY, 1, True),
        (EVERYBODY, 0, False),
        # Who forgets somebody everywhere loses the points for that, and not these.
        (EVERYBODY[1:], 0, True),
        (EVERYBODY[1:], 1, False),
    ],
)
def test_who_was_not_named_because_mail_was_refused_has_nothing(
    named: list[str], code: int, good: bool
) -> None:
    rest = replace(GOOD, transactions=[replace(TAKEN, recipients=EVERYBODY[1:])])
    unhindered = replace(GOOD, transactions=[replace(TAKEN, recipients=named)])
    result = judged(
        "tells",
        conversations=[rest],
        code=code,
        behaviour={"answers": {"mail": "451 later"}},
        unhindered=[unhindered],
    )
    assert (result.status == "pass") == good


def test_a_run_that_was_killed_told_nothing() -> None:
    """Its exit status is the signal's, whatever the server had taken: that it did not end is another check's affair."""
    for conversations in ([GOOD], [NOTHING]):
        assert judged("tells", conversations=conversations, code=-9, late=True).status == "pass"


@every(
    ("command", "said"),
    [
        ("", "What the server did refuse was an empty line, with “500 no”."),
        ("NOOP", "was “NOOP”, with “500 no”."),
    ],
)
def test_what_was_refused_beside_a_message_that_was_taken_is_told(command: str, said: str) -> None:
    lines = [*LINES, Line(7, "C", command), Line(8, "S", "500 no")]
    result = judged("tells", conversations=[GOOD], sessions=[lines], code=1)
    assert (result.status, said in result.observed) == ("fail", True), result.observed
    assert "What the server" not in judged("tells", conversations=[GOOD], code=1).observed


@every(
    ("seconds", "left", "good"),
    [(0.2, True, False), (0.2, False, True), (1.95, True, True), (3.0, True, True)],
)
def test_a_zero_is_no_answer_while_a_process_is_still_at_it(seconds: float, left: bool, good: bool) -> None:
    lines = [*LINES[:-1], Line(2000, "S", "250 2.0.0 taken")]
    result = judged("tells", sessions=[lines], seconds=seconds, left=left)
    assert (result.status == "pass") == good, result.observed


def refused(*said: tuple[str, str], at: float = 0) -> list[Line]:
    lines = [Line(at, "S", "220 ready")]
    for command, reply in said:
        lines += [Line(at + 1, "C", command), Line(at + 2, "S", reply)]
    return lines


LOGIN = ("AUTH PLAIN <credentials>", "535 no")


@every(
    ("sessions", "good"),
    [
        ([refused(("AUTH PLAIN <credentials>", "535 no"), ("AUTH LOGIN", "535 no"))], True),
        ([refused(LOGIN), refused(LOGIN, at=5)], False),
        ([refused(LOGIN), refused(LOGIN), refused(LOGIN, at=1)], True),
        ([refused(LOGIN), refused(LOGIN), refused(LOGIN, at=2)], False),
        ([refused(("AUTH LOGIN", "334 VXNl"), ("<credentials>", "535 no"), at=at) for at in (0, 9)], False),
        ([refused(("AUTH LOGIN", "334 VXNl"), ("<credentials>", "535 no"), ("AUTH PLAIN", "535 no"))], True),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("rcpt to:<A@x>", "550 no"))], False),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("RCPT TO: <a@X> NOTIFY=NEVER", "550 no"))], False),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("RCPT TO:<b@x>", "550 no"))], True),
        ([refused(("RCPT TO:<a@x>", "530 STARTTLS first"), ("RCPT TO:<a@x>", "550 no"))], True),
        ([refused(("MAIL FROM:<a@x>", "503 EHLO first"), ("MAIL FROM:<a@x>", "550 no"))], True),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("RCPT TO:<a@x>", "550 no"))], False),
        ([refused(("MAIL FROM:<a@x>", "451 later"))] * 3, True),
        ([refused(("MAIL FROM:<a@x>", "499 later"))] * 2, True),
        ([refused(("MAIL FROM:<a@x>", "500 no"), at=at) for at in (0, 9)], False),
    ],
)
def test_a_no_is_not_argued_with(sessions: list[list[Line]], good: bool) -> None:
    conversations = [replace(NOTHING, session=number) for number in range(len(sessions))]
    result = judged("obeys-no", conversations=conversations, sessions=sessions, code=1)
    assert (result.status == "pass") == good


@every(
    ("tries", "begun", "good"),
    [([0, 5], [100, 101], True), ([0, 5], [100, 200], False), ([0, 5, 9], [100, 101], False)],
)
def test_sessions_side_by_side_may_be_late_by_any_time(
    tries: list[float], begun: list[float], good: bool
) -> None:
    conversations = [replace(NOTHING, session=number) for number in range(len(tries))]
    sessions = [refused(LOGIN, at=at) for at in tries] + [refused(("EHLO a", "250 a"), at=at) for at in begun]
    alike = [replace(GOOD, session=len(tries) + number) for number in range(len(begun))]
    result = judged("obeys-no", conversations=conversations, sessions=sessions, code=1, unhindered=alike)
    assert (result.status == "pass") == good


BUSY = {"answers": {"mail": "451 4.3.0 later"}}


def refused_at(*seconds: float, connect: bool = False) -> list[Line]:
    """A session in which the same is refused for now at each of these seconds; ``connect``: by the greeting."""
    if connect:
        return [Line(seconds[0] * 1000, "S", "421 4.3.2 later")]
    lines = [Line(seconds[0] * 1000, "S", "220 ready")]
    for second in seconds:
        lines += [Line(second * 1000, "C", "MAIL FROM:<a@x>"), Line(second * 1000, "S", "451 4.3.0 later")]
    return lines


TRIES = [
    ([[0.0]], True),
    ([[0.0], [1.0]], True),
    ([[0.0], [1.0], [3.0]], True),
    ([[0.0], [0.01]], False),
    ([[0.0], [1.0], [1.2]], False),
    ([[0.0, 0.01]], False),
    ([[0.0, 1.0, 2.5]], True),
    ([[0.0, 1.0], [1.2]], False),
    ([[float(second)] for second in range(6)], True),
    ([[float(second)] for second in range(7)], False),
]
"""When the same was refused in each session, in seconds, and whether that is patience."""


@every(
    ("tries", "good", "connect"),
    [
        *((tries, good, False) for tries, good in TRIES),
        # A greeting is said once in a session.
        *((tries, good, True) for tries, good in TRIES if all(len(seconds) == 1 for seconds in tries)),
    ],
)
def test_patience_is_measured_by_the_clock(tries: list[list[float]], good: bool, connect: bool) -> None:
    conversations = [replace(NOTHING, session=number) for number in range(len(tries))]
    sessions = [refused_at(*seconds, connect=connect) for seconds in tries]
    result = judged(
        "does-not-hammer", conversations=conversations, sessions=sessions, behaviour=BUSY, code=75
    )
    assert (result.status == "pass") == good, result.observed


DATA = [
    Line(0, "C", "MAIL FROM:<erika@example.com>"), Line(0, "S", "250 OK"), Line(0, "C", "."), Line(0, "S", "554 no"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("recipients", "good"),
    [
        ([["a@x.example"], ["b@y.example"]], True),
        ([["a@x.example"], ["a@X.example"]], False),
        ([["a@x.example", "b@y.example"], ["b@y.example", "a@x.example"]], False),
        ([["a@x.example", "b@y.example"], ["a@x.example"]], True),
    ],
)
def test_the_same_tried_again_means_the_same_recipients(recipients: list[list[str]], good: bool) -> None:
    transactions = [
        replace(TAKEN, line=4 * number, last_line=4 * number + 3, recipients=some, taken=False, arrival=None)
        for number, some in enumerate(recipients)
    ]
    conversation = replace(GOOD, transactions=transactions)
    result = judged("obeys-no", conversations=[conversation], sessions=[DATA * len(recipients)], code=1)
    assert (result.status == "pass") == good, result.observed


@every(("behind", "good"), [("", True), ("XYZZY", True), (".", False)])
def test_what_is_refused_behind_a_text_is_no_second_try_of_it(behind: str, good: bool) -> None:
    lines = refused(("DATA", "354 go on"), (".", "554 no"), (behind, "554 bad syntax"))
    spoken = replace(NOTHING, transactions=[replace(TAKEN, line=0, taken=False, arrival=None)])
    result = judged("obeys-no", conversations=[spoken], sessions=[lines], code=1)
    assert (result.status == "pass") == good


def test_a_line_that_goes_on_is_no_reply_of_its_own() -> None:
    said = refused(("RCPT TO:<a@x>", "550-no"))
    said += [Line(2, "S", "550 such user")]
    result = judged("obeys-no", conversations=[NOTHING], sessions=[said], code=1)
    assert result.status == "pass"

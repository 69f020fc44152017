"""What is made of attempts that had no answer to the end of a run."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.model.result import CheckResult
from grader.model.traffic import Outcome
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome, session

OFFICE = check("office", arrives="outside")
CONTROLLED = lab(OFFICE, replace(check(arrives="nowhere"), control=["office"]))
REFUSED = replace(outcome("rcpt", "stranger/1", 554, "554 5.7.1 no"), session=1)
SILENT = Outcome("stranger/2", "mail", session=2, last_line=1)
HUNG_UP = Outcome("stranger/2", "mail", session=3, last_line=1)
NO_ROOM = replace(outcome("mail", "stranger/2", 452, "452 4.3.1 Insufficient system storage"), session=1)


def starved(last: Outcome, serving: bool, *unanswered: str) -> CheckResult:
    """What becomes of the check against strangers, one of whom was refused and one had no answer to the end."""
    run = evidence(
        CONTROLLED,
        [facts("office", inside=True), facts(number=1), facts(number=2)],
        [outcome("accepted", "office/1"), REFUSED, last],
        [arrival(attempts=["office/1"])],
    )
    sessions = [
        replace(session(), id=number, end=end)
        for number, end in enumerate(["quit", "quit", "timeout", "closed"])
    ]
    known = replace(run.facts, sessions=sessions, unanswered=[*unanswered], serving=serving)
    return judge(replace(run, facts=known)).checks[1]


@pytest.mark.parametrize(
    ("last", "serving", "status", "said"),
    [
        (SILENT, True, "manual", "1 of 2 attempts had no answer, however long the client waited"),
        (SILENT, False, "error", "did not even take mail that it had taken before"),
        (HUNG_UP, True, "pass", "2 refused"),
        (HUNG_UP, False, "error", "did not even take mail that it had taken before"),
        (NO_ROOM, True, "pass", "2 refused"),
        (NO_ROOM, False, "fail", "met a server in trouble, to the end of the run: “452 4.3.1 Insuff"),
    ],
)
def test_a_server_without_breath_has_refused_nobody(
    last: Outcome, serving: bool, status: str, said: str
) -> None:
    found = starved(last, serving, "stranger/2")
    assert (found.status, found.points) == (status, 10 if status == "pass" else 0)
    assert said in found.observed
    if status == "fail":
        assert "able to serve" in found.next
    if status != "pass":
        assert found.evidence


def test_what_was_answered_in_the_end_is_judged_by_that() -> None:
    assert starved(replace(REFUSED, attempt="stranger/2"), True).status == "pass"

"""Where the time for a run was over while mail was on its way, nobody knows whether it would have arrived."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge import judge
from grader.kinds.server.declare import SignatureExpect
from grader.model.finding import ON_ITS_WAY
from grader.model.result import CheckResult
from grader.model.traffic import Queued
from tests.judge.builders import OUTSIDE, check, evidence, facts, lab, outcome


def result(queue: str, *, reason: str = "", out_of_time: bool = True, **expect: Any) -> CheckResult:
    """What is made of a message that was taken and stands in that queue, and of another that was refused."""
    waiting = Queued(queue, "a@example.com", OUTSIDE, reason, ["stranger/1"])
    made = evidence(
        lab(check(**expect)), [facts()], [outcome("accepted")], queued=[waiting], out_of_time=out_of_time
    )
    return judge(made).checks[0]


@pytest.mark.parametrize("queue", ["maildrop", "incoming", "active"])
@pytest.mark.parametrize(
    "expect", [{"arrives": "outside"}, {"arrives": "mailbox"}, {"signature": SignatureExpect(present=True)}]
)
def test_mail_on_its_way_is_the_graders_error(queue: str, expect: dict[str, Any]) -> None:
    only = result(queue, **expect)
    assert (only.status, only.observed) == ("error", ON_ITS_WAY)


def test_mail_that_did_not_move_while_there_was_time_is_not_sent() -> None:
    assert result("active", arrives="outside", out_of_time=False).status == "fail"


@pytest.mark.parametrize(
    ("queue", "reason"), [("deferred", "no route"), ("active", "no route"), ("hold", "")]
)
def test_mail_that_something_kept_waiting_is_not_sent(queue: str, reason: str) -> None:
    assert result(queue, reason=reason, arrives="outside").status == "fail"


def test_mail_on_its_way_to_whom_it_ought_not_to_reach_is_a_relay() -> None:
    assert result("active", arrives="nowhere").status == "fail"


def test_what_another_attempt_shows_counts() -> None:
    waiting = Queued("active", "a@example.com", OUTSIDE, "", ["stranger/1"])
    refused = outcome("rcpt", "stranger/2", code=554, text="554 no")
    made = evidence(
        lab(check(arrives="outside")),
        [facts(), facts(number=2)],
        [outcome("accepted"), refused],
        queued=[waiting],
        out_of_time=True,
    )
    assert judge(made).checks[0].status == "fail"

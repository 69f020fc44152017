"""What a server took that is to arrive nowhere is looked for, on the host too."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from grader.model.protocol.world import ListArrivals, Probe, Probed
from tests.judge.builders import check
from tests.kinds.server.machines import EMPTY, attempt, conducted, delivered, host, probed, world

STRANGER = check("stranger", arrives="nowhere")


def test_what_was_taken_for_nobody_is_looked_for_until_it_turns_up() -> None:
    at, around = host(), world(ListArrivals=[[], [], ["stranger.t1"]])
    conducted([attempt("stranger")], STRANGER, host=at, world=around)
    assert around.count(ListArrivals) == 3


@pytest.mark.parametrize(
    "line",
    [
        "7 postfix/discard[9]: 63708B3: to=<stranger.t1@elsewhere.example>, relay=none, status=sent (spam)",
        "7 postfix/smtpd[9]: NOQUEUE: discard: RCPT from c[198.51.100.66]: to=<stranger.t1@elsewhere.example>",
        "7 postfix/error[9]: 63708B3: to=<stranger.t1@elsewhere.example>, relay=none, status=bounced (no)",
    ],
)
def test_what_the_log_says_came_to_an_end_is_not_waited_for(line: str) -> None:
    around = world(ListArrivals=[[]])
    conducted([attempt("stranger")], STRANGER, host=host(ReadLog=[[line]]), world=around)
    assert around.count(ListArrivals) == 1


def test_what_was_taken_for_nobody_and_lies_in_a_mailbox_is_on_record() -> None:
    at, around = host(FindMail=[[delivered("stranger.t1")]]), world(ListArrivals=[[]])
    seen = conducted([attempt("stranger")], STRANGER, host=at, world=around)
    assert [(a.place, a.attempts) for a in seen.facts.arrivals] == [("mailbox", ["stranger/1"])]
    assert seen.facts.sought


@pytest.mark.parametrize(("took", "over"), [(1.0, False), (100.0, True)])
@pytest.mark.usefixtures("clock")
def test_that_the_time_was_over_while_mail_was_on_its_way_is_on_record(took: float, over: bool) -> None:
    def slowly(asked: Probe) -> Probed:
        time.sleep(took)
        return probed(asked, "accepted")

    at, around = host(CountQueue=[replace(EMPTY, active=1)]), world(Probe=[slowly], ListArrivals=[[]])
    seen = conducted([attempt("office")], check("office", arrives="outside"), host=at, world=around)
    assert seen.facts.out_of_time is over

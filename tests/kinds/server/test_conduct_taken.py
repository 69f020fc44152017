"""What a server took that is to arrive nowhere is looked for, on the host too."""

from __future__ import annotations

import pytest

from grader.model.protocol.world import ListArrivals
from tests.judge.builders import check
from tests.kinds.server.machines import attempt, conducted, delivered, host, world

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

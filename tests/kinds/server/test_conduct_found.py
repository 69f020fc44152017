"""What a run finds out about the server before it tries the rest: further listeners, and whether it waits by design."""

from __future__ import annotations

from typing import Any

import pytest

from grader.engines.base import RequestFailed
from grader.kinds.server.facts import Socket
from grader.model.protocol.host import ReadSockets
from grader.model.protocol.world import Probe, Probed
from grader.model.traffic import Command
from tests.engines.fake import Untaken, lost
from tests.judge.builders import check
from tests.kinds.server.machines import attempt, conducted, host, probed, world

OFFICE, GREETS = check("office", arrives="outside"), check("starts", greets=True)

LISTENS = """\
   0: 00000000:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 00000000:09DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
"""
ELSEWHERE = attempt("office", 9, port=0, listener="others")


def test_what_the_host_listens_on_is_tried_and_on_record() -> None:
    at = host(ReadSockets=[LISTENS], RunCommand=[Command(["postconf", "-P"], 0, "x/inet/y = z")])
    around = world("rcpt")
    seen = conducted([attempt()], OFFICE, host=at, world=around, elsewhere=(ELSEWHERE,))
    assert seen.facts.sockets == [Socket("0.0.0.0", 25), Socket("0.0.0.0", 2525)]
    listeners = ["2525", "2525+starttls", "2525+tls"]
    assert [a.listener for a in seen.facts.attempts] == ["25", *listeners]
    assert {o.attempt for o in seen.facts.outcomes} == {
        "office/1",
        *(f"office/9@{name}" for name in listeners),
    }
    assert seen.facts.commands[-1].output == "x/inet/y = z"


def test_a_host_whose_sockets_nobody_asks_for_is_not_asked() -> None:
    at = host()
    conducted([attempt()], OFFICE, host=at, world=world("rcpt"))
    assert at.count(ReadSockets) == 0


@pytest.mark.parametrize(
    "entry", [lost(), Untaken(), RequestFailed("no")], ids=["lost", "untaken", "refused"]
)
@pytest.mark.parametrize("fault", ["ReadSockets", "RunCommand"])
def test_a_host_that_does_not_say_where_it_listens_is_evidence(entry: object, fault: str) -> None:
    script: dict[str, list[Any]] = {"ReadSockets": [LISTENS], fault: [entry]}
    seen = conducted([attempt()], OFFICE, host=host(**script), world=world("rcpt"), elsewhere=(ELSEWHERE,))
    assert seen.notes
    assert len(seen.facts.sockets) == (0 if fault == "ReadSockets" else 2)


def test_a_server_that_lets_its_clients_wait_gets_more_time_once() -> None:
    def slow(asked: Probe) -> Probed:
        made = probed(asked, "rcpt", slow=True)
        return Probed(made.sessions, made.outcomes[:1], True)

    around = world(Probe=[slow])
    many = [attempt(number=number) for number in (1, 2, 3)]
    conducted(many, OFFICE, host=host(), world=around)
    asked = [probe for probe in around.asked if isinstance(probe, Probe)]
    assert [len(probe.attempts) for probe in asked][:2] == [1, 2]
    assert asked[0].seconds < 60 < asked[1].seconds
    assert all(probe.seconds < 150 for probe in asked)


def test_a_greeting_that_postscreen_holds_back_is_waited_for() -> None:
    around = world(Probe=[lambda asked: probed(asked, "greeting")])
    log = ["5 postfix/postscreen[9]: CONNECT from [198.51.100.66]:4711 to [203.0.113.10]:25"]
    conducted([attempt("starts")], GREETS, host=host(ReadLog=[log]), world=around)
    assert [asked.greeting for asked in around.asked if isinstance(asked, Probe)] == [2.5, 30.0]

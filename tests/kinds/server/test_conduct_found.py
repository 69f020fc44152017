"""What a run finds out about the server before it tries the rest: further listeners, and whether it waits by design."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from grader.engines.base import RequestFailed
from grader.kinds.server.facts import Socket
from grader.model.plan import Limits
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


def test_all_waiting_of_a_run_draws_on_one_budget() -> None:
    def slow(asked: Probe) -> Probed:
        time.sleep(0.01)
        made = probed(asked, "rcpt")
        return Probed(made.sessions, made.outcomes[:1])

    around = world(Probe=[slow])
    many = [attempt(number=number) for number in (1, 2, 3)]
    conducted(many, OFFICE, host=host(), world=around)
    left = [probe.seconds for probe in around.asked if isinstance(probe, Probe)]
    assert len(left) > 1
    assert Limits().acting > left[0]
    assert all(later < earlier for earlier, later in pairwise(left))


HELD = "5 postfix/postscreen[9]: CONNECT from [198.51.100.66]:4711 to [203.0.113.10]:25"


def test_a_greeting_that_postscreen_holds_back_is_waited_for() -> None:
    around = world(Probe=[lambda asked: probed(asked, "greeting")])
    conducted([attempt("starts")], GREETS, host=host(ReadLog=[[HELD]]), world=around)
    assert [asked.greeting for asked in around.asked if isinstance(asked, Probe)] == [2.5, 30.0]


def test_a_greeting_that_postscreen_holds_back_is_waited_for_although_another_listener_died() -> None:
    around = world(Probe=[lambda asked: probed(asked, "greeting")])
    log = [HELD, "6 postfix/submission/smtpd[12]: fatal: no SASL authentication mechanisms"]
    dead = attempt("starts", 2, port=587)
    conducted([attempt("starts"), dead], GREETS, host=host(ReadLog=[log]), world=around)
    asked = [[a.id for a in probe.attempts] for probe in around.asked if isinstance(probe, Probe)]
    assert asked == [["starts/1", "starts/2"], ["starts/1"]]


def and_on(port: str) -> str:
    return LISTENS + LISTENS.splitlines()[1].replace("09DD", port) + "\n"


def test_a_port_that_is_opened_while_others_are_tried_is_tried_then() -> None:
    at = host(ReadSockets=[LISTENS, and_on("0FA0")])
    seen = conducted([attempt()], OFFICE, host=at, world=world("rcpt"), elsewhere=(ELSEWHERE,))
    assert [a.listener for a in seen.facts.attempts][4:] == ["4000", "4000+starttls", "4000+tls"]
    assert len(seen.facts.outcomes) == 7
    assert seen.facts.untried == []


def test_a_port_that_is_opened_at_the_very_end_is_on_record_as_untried() -> None:
    at = host(ReadSockets=[LISTENS, LISTENS, and_on("0FA0")])
    seen = conducted([attempt()], OFFICE, host=at, world=world("rcpt"), elsewhere=(ELSEWHERE,))
    assert seen.facts.untried == [4000]
    assert Socket("0.0.0.0", 4000) in seen.facts.sockets


def test_more_ports_than_can_be_tried_are_on_record_as_untried() -> None:
    many = LISTENS + "".join(and_on(f"{number:04X}").splitlines()[-1] + "\n" for number in range(5000, 5040))
    at = host(ReadSockets=[many])
    seen = conducted([attempt()], OFFICE, host=at, world=world("rcpt"), elsewhere=(ELSEWHERE,))
    assert len(seen.facts.untried) == 41 - 2 * 16


def test_where_else_the_host_listens_is_asked_once_the_master_says_that_it_has_started() -> None:
    at = host(ReadLog=[[], [], ["5 postfix/master[7]: daemon started"]], ReadSockets=[LISTENS])
    conducted([attempt()], OFFICE, host=at, world=world("rcpt"), elsewhere=(ELSEWHERE,))
    kinds = [type(asked).__name__ for asked in at.asked]
    assert kinds[: kinds.index("ReadSockets")].count("ReadLog") == 3


@pytest.mark.parametrize(
    ("stage", "tls_speaks", "again"),
    [("greeting", False, True), ("greeting", True, False), ("connect", False, False)],
    ids=["mute", "speaks-tls", "refuses-connections"],
)
def test_a_further_port_that_says_nothing_in_any_way_may_be_slow(
    stage: str, tls_speaks: bool, again: bool
) -> None:
    def spoken(asked: Probe) -> Probed:
        seen = probed(asked, "rcpt")
        late = {a.id: a.port == 2525 and not (tls_speaks and a.tls == "implicit") for a in asked.attempts}
        outcomes = [replace(o, stage=stage) if late[o.attempt] else o for o in seen.outcomes]
        return Probed(seen.sessions, outcomes)

    at, around = host(ReadSockets=[LISTENS]), world(Probe=[spoken])
    conducted([attempt()], OFFICE, host=at, world=around, elsewhere=(ELSEWHERE,))
    asked = [[a.listener for a in probe.attempts] for probe in around.asked if isinstance(probe, Probe)]
    assert asked[0] == ["25", "2525", "2525+starttls", "2525+tls"]
    assert (["2525", "2525+starttls"] in asked) == again


@pytest.mark.parametrize("greets", [True, False])
def test_a_named_port_that_greets_nobody_as_it_ought_to_is_spoken_to_in_other_ways(greets: bool) -> None:
    def without_tls(asked: Probe) -> Probed:
        seen = probed(asked, "rcpt")
        dumb = {a.id: (a.port == 465 and a.tls == "implicit") or not greets for a in asked.attempts}
        outcomes = [replace(o, stage="greeting") if dumb[o.attempt] else o for o in seen.outcomes]
        return Probed(seen.sessions, outcomes)

    tables = LISTENS.replace("09DD", "01D1")
    at, around = host(ReadSockets=[tables]), world(Probe=[without_tls])
    planned = [attempt(), attempt(number=2, port=465, tls="implicit")]
    seen = conducted(planned, OFFICE, host=at, world=around, elsewhere=(ELSEWHERE,))
    others = ["465+clear", "465+starttls", "465+tls"] if greets else []
    assert [a.listener for a in seen.facts.attempts] == ["25", "465", *others]


def test_nothing_is_tried_where_none_but_postfix_can_speak() -> None:
    at = host(ReadSockets=[and_on("0FA0")])
    around = world("rcpt")
    seen = conducted([attempt()], OFFICE, host=at, world=around, elsewhere=(ELSEWHERE,), inner_ports=(4000,))
    assert not any(a.listener.startswith("4000") for a in seen.facts.attempts)
    assert (seen.facts.inner, seen.facts.untried) == ([4000], [])

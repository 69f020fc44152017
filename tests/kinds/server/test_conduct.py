"""A server's run from first to last, on machines that do what real ones do too rarely."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.engines.base import ChannelLost, MachineBroken, RequestFailed
from grader.kinds.server.run import settle
from grader.model.errors import EngineError
from grader.model.protocol.host import (
    CountQueue,
    FindMail,
    HaltService,
    IsAlive,
    ListQueue,
    MasterState,
)
from grader.model.protocol.world import AwaitPorts, ListArrivals, Probe, Probed, WorldRecord
from grader.model.traffic import Line, Queued
from tests.engines.fake import FakeChannel, Untaken, lost
from tests.judge.builders import check
from tests.kinds.server.machines import (
    EMPTY,
    STARTED,
    arrival,
    attempt,
    conducted,
    delivered,
    host,
    probed,
    world,
)
from tests.tables import every


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never arrives is not waited for as long as in earnest."""
    monkeypatch.setattr(settle, "LATE_SECONDS", 0.05)


GREETS = check("starts", greets=True)
OFFICE = check("office", arrives="outside")
LOCAL = check("local", arrives="mailbox")
STRANGER = check("stranger", arrives="nowhere")

RUNNING = ["5 postfix/master[7]: daemon started"]
DIED = [*RUNNING, "9 postfix/smtpd[9]: fatal: no SASL authentication mechanisms"]
QUEUED = replace(EMPTY, hold=1)
MOVING = replace(EMPTY, active=1)


def tried(around: FakeChannel) -> list[list[str]]:
    """The attempts of each round."""
    return [[a.id for a in asked.attempts] for asked in around.asked if isinstance(asked, Probe)]


# Start-up


def test_both_machines_come_up_side_by_side_and_then_everything_is_tried_once() -> None:
    at, around = host(), world()
    seen = conducted([attempt()], OFFICE, host=at, world=around)
    assert at.ops[:2] == ["install", "start"]
    assert around.ops[:3] == ["start", "listening", "probe"]
    assert around.ops[-1] == "finish"
    assert tried(around) == [["office/1"]]
    assert (seen.mta, seen.facts.commands, seen.facts.listening) == (STARTED.mta, STARTED.commands, [25])
    assert [outcome.stage for outcome in seen.facts.outcomes] == ["accepted"]
    assert (seen.facts.log, seen.notes) == (RUNNING, [])


def test_a_master_that_has_started_and_listens_nowhere_is_not_waited_for() -> None:
    around = world("connect", AwaitPorts=[[]])
    seen = conducted([attempt()], OFFICE, host=host(), world=around)
    assert [asked.seconds for asked in around.asked if isinstance(asked, AwaitPorts)] == [0.25, 0]
    assert not seen.facts.started_up


def test_a_dead_master_is_not_waited_for() -> None:
    at, around = host(IsAlive=[MasterState(master=False, exit=1)], ReadLog=[[]]), world(AwaitPorts=[[]])
    seen = conducted([attempt()], OFFICE, host=at, world=around)
    assert at.count(IsAlive) == 2, "once while its ports are waited for, and once in the end"
    assert around.count(AwaitPorts) == 2
    assert seen.facts.ended


def test_a_master_that_is_still_starting_is_waited_for() -> None:
    at, around = host(ReadLog=[[]]), world(AwaitPorts=[[], [465], [25, 465], []])
    seen = conducted([attempt(), attempt(number=2, port=465)], OFFICE, host=at, world=around)
    assert seen.facts.listening == [25, 465]
    assert around.count(AwaitPorts) == 3


# The greeting


@every(
    ("spoken", "log", "again"),
    [
        (["220-wait"], DIED, True),
        (["220-wait", "220-and wait"], DIED, True),
        (["220 welcome"], DIED, False),
        (["220-wait", "220 welcome"], DIED, False),
        (["554-go away"], DIED, False),
        ([], DIED, False),
        ([], RUNNING, True),
        (["220-wait"], RUNNING, True),
    ],
)
def test_a_silent_server_is_tried_again_unless_it_died_before_its_greeting_began(
    spoken: list[str], log: list[str], again: bool
) -> None:
    around = world(Probe=[lambda asked: probed(asked, "greeting", *spoken)])
    conducted([attempt("starts")], GREETS, host=host(ReadLog=[log]), world=around)
    assert tried(around) == [["starts/1"], ["starts/1"]][: 1 + again]
    patience = [asked.greeting for asked in around.asked if isinstance(asked, Probe)]
    assert patience == [2.5, None][: 1 + again]


def test_only_the_server_s_own_last_line_is_a_greeting_that_goes_on() -> None:
    def spoken(asked: Probe) -> Probed:
        seen = probed(asked, "greeting", "220-wait")
        return Probed(
            [replace(seen.sessions[0], lines=[*seen.sessions[0].lines, Line(1.0, "C", "220-wait")])],
            seen.outcomes,
        )

    around = world(Probe=[spoken])
    conducted([attempt("starts")], GREETS, host=host(ReadLog=[DIED]), world=around)
    assert tried(around) == [["starts/1"]]


def test_a_silent_server_whose_host_is_lost_is_not_tried_again() -> None:
    at, around = host(ReadLog=[lost()]), world("greeting")
    conducted([attempt("starts")], GREETS, host=at, world=around)
    assert tried(around) == [["starts/1"]]


def test_a_server_that_greets_is_not_tried_again() -> None:
    around = world("said")
    conducted([attempt("starts")], GREETS, host=host(ReadLog=[DIED]), world=around)
    assert tried(around) == [["starts/1"]]


# Settling


def test_accepted_mail_is_waited_for_where_it_ought_to_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "LATE_SECONDS", 60.0)
    around = world(ListArrivals=[[], [], ["office.t1"]])
    conducted([attempt()], OFFICE, host=host(), world=around)
    assert around.count(ListArrivals) == 3


def test_mail_that_ought_to_arrive_nowhere_and_did_is_not_waited_for_but_the_queue_is() -> None:
    at, around = host(CountQueue=[MOVING, EMPTY]), world(ListArrivals=[["stranger.t1"]])
    conducted([attempt("stranger")], STRANGER, host=at, world=around)
    assert around.count(ListArrivals) == 1
    assert at.count(CountQueue) == 3 + 1


def test_refused_mail_is_not_waited_for() -> None:
    at, around = host(), world("rcpt")
    conducted([attempt()], OFFICE, host=at, world=around)
    assert (around.count(ListArrivals), at.count(CountQueue)) == (0, 1)


def test_what_is_needless_once_mail_got_through_is_tried_only_after_that_is_known() -> None:
    at, around = host(), world(ListArrivals=[["office.t1"]])
    attempts = [attempt(), attempt("stranger", unless_arrived=["office/1"])]
    conducted(attempts, OFFICE, STRANGER, host=at, world=around)
    assert tried(around) == [["office/1"], ["stranger/1"]]
    between = around.asked[: around.asked.index(Probe([attempts[1]], *_rest(around)))]
    assert ListArrivals() in between


def test_where_nothing_got_through_nothing_is_waited_for() -> None:
    at, around = host(), world("rcpt")
    attempts = [attempt(), attempt("stranger", unless_arrived=["office/1"])]
    conducted(attempts, OFFICE, STRANGER, host=at, world=around)
    assert at.count(CountQueue) == 1


def test_accepted_mail_is_waited_for_whatever_becomes_of_later_rounds() -> None:
    around = world(
        Probe=[lambda asked: probed(asked, "accepted"), lambda asked: probed(asked, "rcpt")],
        ListArrivals=[["office.t1"]],
    )
    conducted([attempt(), attempt("stranger", port=25)], OFFICE, STRANGER, host=host(), world=around)
    assert tried(around) == [["office/1"], ["stranger/1"]]
    assert around.count(ListArrivals) == 1


def test_a_host_that_is_lost_while_mail_settles_ends_the_rounds() -> None:
    at, around = host(CountQueue=[lost()]), world()
    attempts = [attempt(), attempt("stranger", unless_arrived=["office/1"])]
    conducted(attempts, OFFICE, STRANGER, host=at, world=around)
    assert tried(around) == [["office/1"]]


def _rest(around: FakeChannel) -> tuple[float, float | None]:
    last = [asked for asked in around.asked if isinstance(asked, Probe)][-1]
    return last.seconds, last.greeting


# Stopped services


def test_services_are_stopped_once_and_after_all_that_wants_them_running() -> None:
    at, around = host(), world(ListArrivals=[["office.t1"]])
    attempts = [
        attempt("kept", stopped=["opendkim"]),
        attempt(),
        attempt("kept", 2, stopped=["opendkim", "dovecot"]),
    ]
    services = ("dovecot", "opendkim", "postfix")
    seen = conducted(attempts, OFFICE, check("kept", kept=True), host=at, world=around, services=services)
    assert tried(around) == [["office/1"], ["kept/1"], ["kept/2"]]
    halted = [asked.service for asked in at.asked if isinstance(asked, HaltService)]
    assert halted == ["opendkim", "dovecot"]
    assert [(s.name, s.running, s.stopped) for s in seen.facts.services] == [
        ("dovecot", True, True),
        ("opendkim", False, True),
    ]


def test_nothing_is_stopped_where_the_server_greeted_nobody() -> None:
    at, around = host(ReadLog=[DIED]), world("greeting")
    attempts = [attempt("starts"), attempt("kept", stopped=["opendkim"])]
    conducted(attempts, GREETS, check("kept", kept=True), host=at, world=around)
    assert at.count(HaltService) == 0
    assert tried(around) == [["starts/1"]]


def test_mail_to_a_server_without_a_service_may_come_back_but_is_not_awaited() -> None:
    at, around = host(), world(ListArrivals=[[]])
    attempts = [attempt("starts"), attempt(stopped=["opendkim"])]
    conducted(attempts, GREETS, OFFICE, host=at, world=around)
    assert around.count(ListArrivals) == 0
    assert at.asked[-1] == FindMail(["office.t1"])
    assert at.ops[at.ops.index("halt") :] == [
        "halt",
        "queue",
        "queue",
        "alive",
        "log",
        "stop",
        "queue",
        "mail",
    ]


# What is collected


def test_mailboxes_are_searched_for_what_is_sent_to_them_alone() -> None:
    at = host(FindMail=[[delivered("local.t1", "strange")]])
    attempts = [attempt(), attempt("local", mailbox="alice")]
    around = world(
        ListArrivals=[["office.t1"]], Finish=[WorldRecord([arrival("office/1")], [], ["full"], {})]
    )
    seen = conducted(attempts, OFFICE, LOCAL, host=at, world=around)
    assert at.asked[-1] == FindMail(["local.t1"])
    assert [(a.id, a.place, a.attempts) for a in seen.facts.arrivals] == [
        (0, "outside", ["office/1"]),
        (1, "mailbox", ["local/1"]),
    ]
    assert seen.notes == ["full"]


def test_arrivals_are_in_the_order_of_the_plan() -> None:
    last_first = WorldRecord([arrival(), arrival("office/2"), arrival("office/1")], [], [], {})
    seen = conducted([attempt(), attempt(number=2)], OFFICE, host=host(), world=world(Finish=[last_first]))
    assert [(a.id, a.attempts) for a in seen.facts.arrivals] == [
        (0, ["office/1"]),
        (1, ["office/2"]),
        (2, []),
    ]


def test_what_is_queued_belongs_to_the_attempt_whose_token_its_recipient_carries() -> None:
    entries = [Queued("hold", "a@b", "OFFICE.T1@elsewhere.example", ""), Queued("hold", "", "x@y", "")]
    at = host(CountQueue=[QUEUED], ListQueue=[entries])
    seen = conducted([attempt()], OFFICE, host=at, world=world("rcpt"))
    assert [entry.attempts for entry in seen.facts.queued] == [["office/1"], []]


def test_an_empty_queue_is_not_listed() -> None:
    at = host()
    conducted([attempt()], OFFICE, host=at, world=world("rcpt"))
    assert at.count(ListQueue) == 0


# Faults

OPS = {
    "Install": "install",
    "StartServices": "start",
    "IsAlive": "alive",
    "ReadLog": "log",
    "CountQueue": "queue",
    "FindMail": "mail",
    "ListQueue": "queued",
    "HaltService": "halt",
    "StopAll": "stop",
}
"""What a whole run asks of a host; each can go wrong at once, or the second time."""


def eventful(fault: str, entry: object, later: bool) -> tuple[FakeChannel, FakeChannel]:
    """Machines on which everything that can be asked is asked, and one thing goes wrong on the host."""
    usual: dict[str, list[Any]] = {
        "Install": [None],
        "StartServices": [STARTED],
        "IsAlive": [MasterState(master=True, exit=None)],
        "ReadLog": [[]],
        "CountQueue": [QUEUED],
        "FindMail": [[delivered("local.t1")]],
        "ListQueue": [[Queued("hold", "a@b", "office.t1@x", "")]],
        "HaltService": [None],
        "StopAll": [None],
    }
    usual[fault] = [*usual[fault][: int(later)], entry]
    around = world(
        AwaitPorts=[[], lambda asked: asked.ports],
        ListArrivals=[[]],
        Finish=[WorldRecord([arrival("office/1")], [], [], {})],
    )
    return host(**usual), around


ATTEMPTS = [
    attempt("starts"),
    attempt(),
    attempt("local", mailbox="alice"),
    attempt("kept", stopped=["dovecot"]),
]
CHECKS = (GREETS, OFFICE, LOCAL, check("kept", kept=True))


@every("later", [False, True])
@every("entry", [lost(), Untaken()], ids=["silent", "untaken"])
@every("fault", OPS)
def test_a_host_that_is_lost_is_evidence_wherever_it_happens(fault: str, entry: object, later: bool) -> None:
    at, around = eventful(fault, entry, later)
    seen = conducted(ATTEMPTS, *CHECKS, host=at, world=around)
    assert [a.attempts for a in seen.facts.arrivals if a.place == "outside"] == [["office/1"]]
    if at.ops.count(OPS[fault]) > int(later):
        assert seen.notes == ["The run on the server's host ended early: the fake ended."]
        # The request to start follows that to install before either is answered.
        assert at.ops[-1] == OPS[fault] or at.ops == ["install", "start"], "nothing more is asked"
    else:
        assert later
        assert seen.notes == []
    if fault in ("Install", "StartServices") and not later:
        assert tried(around) == []


@every("fault", OPS)
def test_what_a_host_refuses_is_evidence_and_the_rest_is_asked_all_the_same(fault: str) -> None:
    at, around = eventful(fault, RequestFailed("no"), later=False)
    seen = conducted(ATTEMPTS, *CHECKS, host=at, world=around)
    assert set(seen.notes) == {"The server's host failed: no."}
    assert [a.attempts for a in seen.facts.arrivals if a.place == "outside"] == [["office/1"]]
    assert tried(around)[0] == ["starts/1"]
    assert {"log", "queue"} <= set(at.ops[-5:])
    if fault != "FindMail":
        assert [a.attempts for a in seen.facts.arrivals if a.place == "mailbox"] == [["local/1"]]
    if fault not in ("CountQueue", "ListQueue"):
        assert [entry.attempts for entry in seen.facts.queued] == [["office/1"]]


@pytest.mark.parametrize("fault", ["Install", "StartServices"])
def test_a_host_that_was_not_built_right_is_the_grader_s_error(fault: str) -> None:
    at, around = eventful(fault, MachineBroken("no room for the host's own files"), later=False)
    with pytest.raises(EngineError, match="no room for the host's own files"):
        conducted(ATTEMPTS, *CHECKS, host=at, world=around)


@every("entry", [lost(), Untaken(), RequestFailed("no")], ids=["lost", "untaken", "refused"])
@every("fault", ["StartWorld", "AwaitPorts", "Probe", "ListArrivals", "Finish"])
def test_whatever_the_world_fails_at_is_the_grader_s_error(fault: str, entry: object) -> None:
    with pytest.raises(EngineError):
        conducted(ATTEMPTS, *CHECKS, host=host(), world=world("accepted", **{fault: [entry]}))


def test_a_world_that_is_lost_while_mail_settles_is_not_taken_for_the_host() -> None:
    with pytest.raises(ChannelLost):
        conducted([attempt()], OFFICE, host=host(), world=world(ListArrivals=[[], lost()]))


def test_every_operation_of_the_host_is_reached_in_these_faults() -> None:
    at, around = eventful("Install", None, later=False)
    conducted(ATTEMPTS, *CHECKS, host=at, world=around)
    assert set(at.ops) == set(OPS.values())

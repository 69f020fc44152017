"""Waiting until mail has come to rest: two looks, and then for what ought to arrive."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from grader.engines.base import ChannelLost, HostChannel, HostFailed
from grader.kinds.server.run.settle import DRAIN_SECONDS, STUCK_SECONDS, Settling
from grader.model.deadline import Deadline
from grader.model.protocol.host import FindMail, QueueCounts
from grader.model.protocol.world import ListArrivals
from tests.engines.fake import FakeChannel, lost
from tests.kinds.server.machines import EMPTY, attempt, delivered, host, world
from tests.tables import every

pytestmark = pytest.mark.usefixtures("clock")

WAITED = attempt()
TOKEN = WAITED.token
MOVING = [replace(EMPTY, **{name: 1}) for name in ("maildrop", "incoming", "active")]
AT_REST = [EMPTY, replace(EMPTY, deferred=3), replace(EMPTY, hold=3), replace(EMPTY, corrupt=3)]


def settling(at: FakeChannel, around: FakeChannel, seconds: float = 5) -> Settling:
    return Settling(HostChannel(at), around, Deadline(seconds))


@every("resting", AT_REST)
@every("moving", MOVING)
def test_mail_is_at_rest_when_two_looks_in_a_row_say_so(moving: object, resting: object) -> None:
    at = host(CountQueue=[resting, moving, resting, resting, moving])
    settling(at, world()).wait([])
    assert at.ops == ["queue"] * 4


def test_nobody_waits_for_arrivals_where_nothing_ought_to_arrive() -> None:
    around = world()
    settling(host(), around).wait([])
    assert around.asked == []


def test_what_ought_to_arrive_is_waited_for_outside() -> None:
    at, around = host(), world(ListArrivals=[[], ["other"], [], [TOKEN], []])
    settling(at, around).wait([WAITED])
    assert around.ops == ["arrivals"] * 4
    assert FindMail([TOKEN], whole=False) in at.asked


def test_what_ought_to_arrive_is_waited_for_in_mailboxes() -> None:
    second = attempt(number=2)
    at = host(FindMail=[[], [delivered(second.token)], [delivered(TOKEN), delivered(second.token)], []])
    settling(at, world(ListArrivals=[[]])).wait([WAITED, second])
    assert at.count(FindMail) == 3


def test_only_what_has_not_arrived_outside_is_looked_for_in_mailboxes() -> None:
    second = attempt(number=2)
    at = host(FindMail=[[delivered(second.token)]])
    settling(at, world(ListArrivals=[[TOKEN]])).wait([WAITED, second])
    assert at.asked[-1] == FindMail([second.token], whole=False)


def test_mail_that_was_deferred_ends_the_wait() -> None:
    at, around = host(CountQueue=[EMPTY, EMPTY, EMPTY, replace(EMPTY, deferred=1)]), world(ListArrivals=[[]])
    settling(at, around).wait([WAITED])
    assert around.count(ListArrivals) == 2


def test_a_queue_that_never_rests_is_left_in_time_and_then_nothing_is_waited_for() -> None:
    around = world()
    settling(host(CountQueue=[MOVING[0]]), around, 0.05).wait([WAITED])
    assert around.asked == []


def test_what_never_arrives_is_waited_for_no_longer_than_the_time_allows() -> None:
    around = world(ListArrivals=[[]])
    settling(host(), around, 0.1).wait([WAITED])
    assert around.count(ListArrivals) > 2
    assert time.monotonic() == pytest.approx(0.1)


def test_a_host_that_is_lost_meanwhile_is_the_host_s_and_a_lost_world_is_not() -> None:
    with pytest.raises(HostFailed, match="the fake ended"):
        settling(host(CountQueue=[EMPTY, lost()]), world()).wait([])
    with pytest.raises(ChannelLost):
        settling(host(), world(ListArrivals=[lost()])).wait([WAITED])


def test_a_queue_is_waited_for_as_long_as_something_leaves_it() -> None:
    """A server may deliver one message in some seconds (``default_destination_rate_delay``)."""

    def count(_: object) -> QueueCounts:
        return replace(EMPTY, active=max(0, 12 - int(time.monotonic() / 3)))

    around = world(ListArrivals=[[TOKEN]])
    settling(host(CountQueue=[count]), around, 60).wait([WAITED])
    assert 36 <= time.monotonic() < 40
    assert around.asked


def test_a_queue_that_nothing_leaves_is_not_waited_for_longer() -> None:
    settling(host(CountQueue=[MOVING[0]]), world(), 60).wait([WAITED])
    assert time.monotonic() < STUCK_SECONDS + DRAIN_SECONDS + 1


def test_a_queue_that_nobody_moves_is_not_waited_for() -> None:
    stuck = Settling(HostChannel(host(CountQueue=[MOVING[0]])), world(), Deadline(60), lambda: True)
    stuck.wait([WAITED])
    assert time.monotonic() < STUCK_SECONDS + 1

"""Ports at which a program greets nobody at first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.plan.settings import inner_ports, ports_asked, ports_of_postfix
from grader.kinds.server.run.doors import KNOCK_SECONDS, knock
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.protocol.world import Probe
from grader.model.traffic import Outcome, Reply, Session
from tests.engines.plans import plan
from tests.kinds.server.machines import attempt
from tests.tables import every

ENDS: tuple[Literal["closed", "reset", "timeout", "refused", "quit"], ...] = (
    "closed",
    "reset",
    "timeout",
    "refused",
    "quit",
)
SESSIONS = {n: Session(n, "s", "a", "b", "2525", end, []) for n, end in enumerate(ENDS)}
_HOST = plan()
_FIELDS = {name: getattr(_HOST, name) for name in _HOST.__struct_fields__}
PLAN = ServerPlan(**_FIELDS, attempts=[], programs=True, explained_ports=[25])


def left(attempt_id: str, end: str) -> Outcome:
    return Outcome(attempt_id, "connect" if end == "refused" else "greeting", session=ENDS.index(end))


def no(attempt_id: str) -> Outcome:
    return Outcome(
        attempt_id, "rcpt", session=4, replies=[Reply("RCPT TO:<x>", 554, "554 5.7.1 no", 0, "5.7.1")]
    )


def knocked(
    first: Sequence[Outcome],
    *rounds: Sequence[Outcome],
    seconds: float = 60.0,
    port: int = 2525,
    plan_: ServerPlan = PLAN,
) -> tuple[list[str], list[tuple[list[str], bool]]]:
    """What stays shut, and what was made again in each round, patiently or not; each of ``rounds`` answers one."""
    asked: list[tuple[list[str], bool]] = []
    answers = iter(rounds)
    attempts: list[Attempt] = [
        replace(attempt("stranger", number), port=port, listener=str(port)) for number in (1, 2)
    ]
    outcomes = {outcome.attempt: outcome for outcome in first}

    def probe(probe: Probe) -> list[Outcome]:
        asked.append(([a.id for a in probe.attempts], probe.afresh))
        return [*next(answers, ())]

    shut = knock(plan_, attempts, outcomes, SESSIONS, probe, Deadline(seconds), lambda _: None)
    return shut, asked


BOTH = ["stranger/1", "stranger/2"]


def test_whoever_is_hung_up_on_comes_again_until_somebody_is_greeted() -> None:
    closed = [left(one, "closed") for one in BOTH]
    shut, asked = knocked(closed, closed, [no("stranger/1")], [no("stranger/2")])
    assert shut == []
    assert asked == [(BOTH, False), (BOTH, False), (["stranger/2"], False)]


def test_whoever_hears_nothing_waits_longer_once() -> None:
    mute = [left(one, "timeout") for one in BOTH]
    assert knocked(mute, [no("stranger/1")]) == ([], [(BOTH, True)])
    assert knocked(mute, mute) == (BOTH, [(BOTH, True)])


def test_a_door_that_stays_shut_is_named_when_the_time_is_over() -> None:
    closed = [left(one, "closed") for one in BOTH]
    assert knocked(closed, seconds=0) == (BOTH, [])
    assert KNOCK_SECONDS < 30


@every(
    ("first", "port"),
    [
        ([left(one, "closed") for one in BOTH], 25),
        ([left(one, "refused") for one in BOTH], 2525),
        ([left("stranger/1", "timeout"), no("stranger/2")], 2525),
    ],
)
def test_nobody_knocks_where_postfix_listens_nobody_does_or_somebody_was_greeted(
    first: list[Outcome], port: int
) -> None:
    assert knocked(first, port=port) == ([], [])


def test_without_programs_nobody_knocks() -> None:
    assert knocked([left(one, "closed") for one in BOTH], plan_=replace(PLAN, programs=False)) == ([], [])


@every(
    ("master", "ports"),
    [
        (b"smtp inet n - y - - smtpd\n#2525 inet n - y - - smtpd\npickup unix n - y 60 1 pickup\n", [25]),
        (b"127.0.0.1:10025 inet n - y - - smtpd\n[::1]:submissions inet n - y - - smtpd\n", [10025, 465]),
        (b"2525 inet n n n - - spawn user=nobody argv=/bin/cat\n628 inet n - y - - qmqpd\n", [628]),
        (b"203.0.113.10:smtp inet n - y - - smtpd\n10.20.30.10:smtp inet n n n - - spawn argv=x\n", []),
    ],
)
def test_ports_that_master_cf_gives_to_postfix(master: bytes, ports: list[int]) -> None:
    assert ports_of_postfix({"master.cf": master}) == ports


def test_debians_master_cf_has_port_25() -> None:
    assert ports_of_postfix({}) == [25]


@every(
    ("settings", "ports"),
    [
        ("smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10040\n", [10040]),
        ("x = check_policy_service { inet:localhost:9998, timeout=10s }, permit\n", [9998]),
        ("smtpd_milters = unix:m, inet:[::1]:8891\nrelay_domains = tcp:[127.0.0.1]:2001\n", [2001, 8891]),
        ("virtual_alias_maps = socketmap:inet:localhost:8002:aliases\n", [8002]),
        ("# smtpd_milters = inet:localhost:8891\ncontent_filter = smtp:[127.0.0.1]:10025\n", []),
    ],
)
def test_ports_at_which_postfix_asks_are_no_doors(settings: str, ports: list[int]) -> None:
    assert ports_asked({"main.cf": settings.encode()}) == ports
    assert ports_asked({"policy.py": settings.encode()}) == []


@every(
    ("master", "ports"),
    [
        (
            b"10028 inet n - y - 0 cleanup\n10029 inet n - y - - showq\nsmtp inet n - y - - smtpd\n",
            [10028, 10029],
        ),
        (b"cleanup unix n - y - 0 cleanup\n#10028 inet n - y - 0 cleanup\n", []),
        (b"203.0.113.10:2626 inet n - y - - smtp\n10.20.30.10:2626 inet n n n - - spawn argv=x\n", []),
    ],
)
def test_ports_that_none_but_postfix_can_speak_to(master: bytes, ports: list[int]) -> None:
    assert inner_ports({"master.cf": master}) == ports

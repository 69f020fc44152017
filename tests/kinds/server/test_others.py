"""Where the host says that it listens, and what is tried there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from grader.kinds.server.declare import ServerLab, Try
from grader.kinds.server.facts import ServerPlan, Socket
from grader.kinds.server.run.others import MOST_OTHERS, attempts_at_others, further, sockets
from grader.model.attempt import Mail
from tests.kinds.server.plans import TO_OUTSIDE, check, planned, with_checks

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0A7100CB:09DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   2: 0100007F:2727 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   3: 0A7100CB:0019 426433C6:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1 1
"""
TABLE6 = """\
   0: 00000000000000000000000000000000:0019 00000000000000000000000000000000:0000 0A 0 0 0 0 0
   1: B80D0120000013010000000010000000:024B 00000000000000000000000000000000:0000 0A 0 0 0 0 0
   2: 00000000000000000000000001000000:024B 00000000000000000000000000000000:0000 0A 0 0 0 0 0
"""


def test_listening_sockets_beyond_loopback() -> None:
    assert sockets(TABLE + TABLE6) == [
        Socket("0.0.0.0", 25),
        Socket("::", 25),
        Socket("2001:db8:113::10", 587),
        Socket("203.0.113.10", 2525),
    ]


def test_the_kernels_own_table_is_read() -> None:
    """A socket on loopback is passed over; with loopback's address rewritten, the same line is found."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        table = Path("/proc/net/tcp").read_text()
    assert Socket("127.0.0.1", port) not in sockets(table)
    assert Socket("127.0.0.9", port) not in sockets(table)
    assert Socket("1.0.0.127", port) in sockets(table.replace("0100007F:", "7F000001:"))


@pytest.mark.parametrize(
    "odd", ["", "0: x:y z 0A", "0: 0100:19 0 0A 0", "0: 00000000:zz 0 0A 0", "\\x00 a b 0A"]
)
def test_what_is_no_table_names_no_socket(odd: str) -> None:
    assert sockets(odd) == []


def test_ports_of_an_address_beside_those_that_labs_name() -> None:
    found = [*sockets(TABLE + TABLE6), Socket("::", 2526)]
    assert further(found, "203.0.113.10", [25, 465, 587]) == [2525, 2526]
    assert further(found, "10.20.30.10", [25, 465, 587]) == [2526]
    assert further(found, "2001:db8:113::10", [25, 465]) == [587, 2526]
    many = [Socket("0.0.0.0", port) for port in range(3000, 3100)]
    assert len(further(many, "203.0.113.10", [])) == MOST_OTHERS


def templates(lab: ServerLab, *tries: Try) -> ServerPlan:
    return planned(with_checks(lab, check("relay", *tries, Try(mail=[TO_OUTSIDE]))))


def test_nothing_is_tried_on_ports_that_nobody_opened(lab: ServerLab) -> None:
    plan = templates(lab, Try(on=["others"], mail=[TO_OUTSIDE]))
    assert len(plan.elsewhere) == 1
    assert {attempt.port for attempt in plan.attempts} == {25}
    assert attempts_at_others(plan.elsewhere, sockets(TABLE), plan.attempts)
    assert attempts_at_others(plan.elsewhere, [Socket("0.0.0.0", 25), Socket("::", 587)], plan.attempts) == []


def test_a_further_port_is_tried_in_the_clear_and_in_tls_with_tokens_of_its_own(lab: ServerLab) -> None:
    plan = templates(lab, Try(sources=["stranger", "stranger-v6"], on=["others"], mail=[TO_OUTSIDE]))
    made = attempts_at_others(plan.elsewhere, sockets(TABLE), plan.attempts)
    assert [(a.source, a.port, a.listener, a.tls) for a in made] == [
        ("stranger", 2525, "2525", "none"),
        ("stranger", 2525, "2525+starttls", "starttls"),
        ("stranger", 2525, "2525+tls", "implicit"),
    ]
    tokens = {a.token for a in [*made, *plan.attempts, *plan.elsewhere]}
    assert len(tokens) == len(made) + len(plan.attempts) + len(plan.elsewhere)
    for attempt in made:
        assert attempt.recipients == [f"{attempt.token}@elsewhere.example"]
        assert attempt.token.encode() in attempt.message
        assert plan.elsewhere[0].token.encode() not in attempt.message
    assert len({a.id for a in made}) == len(made)
    assert made == attempts_at_others(plan.elsewhere, sockets(TABLE), plan.attempts)


def test_passwords_in_the_clear_and_qmqp_are_tried_without_tls(lab: ServerLab) -> None:
    plan = templates(
        lab,
        Try(on=["others+clear"], user="alice", mail=[TO_OUTSIDE]),
        Try(on=["others"], mail=[Mail(to=["{token}@{outside}"], qmqp=True)]),
    )
    made = attempts_at_others(plan.elsewhere, sockets(TABLE), plan.attempts)
    assert [(a.listener, a.qmqp) for a in made] == [("2525", False), ("2525", True)]

"""How attempts share sessions."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from grader.model.attempt import Login
from grader.world.timeouts import Timeouts
from tests.world.bed import Bed, attempt, spoken
from tests.world.clock import run


def test_attempts_alike_share_sessions_of_nine() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            sessions, outcomes = await bed.probe(*(attempt(number, port=port) for number in range(40)))
            assert [outcome.attempt for outcome in outcomes] == [f"relay/{number}" for number in range(40)]
            assert [outcome.session for outcome in outcomes] == [number // 9 for number in range(40)]
            assert [session.id for session in sessions] == [0, 1, 2, 3, 4]
            for number, outcome in enumerate(outcomes):
                assert outcome.replies[-1].command == f"RCPT TO:<rosa.k{number}v@elsewhere.example>"

    run(work())


def test_those_that_are_taken_leave_room_for_more_in_their_session() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            some = [
                attempt(
                    n, port=port, recipients=[f"rosa.k{n}v@{'example.com' if n % 2 else 'elsewhere.example'}"]
                )
                for n in range(1, 18)
            ]
            sessions, outcomes = await bed.probe(*some)
            assert [outcome.stage for outcome in outcomes] == ["accepted", "rcpt"] * 8 + ["accepted"]
            assert len(sessions) == 1

    run(work())


def test_what_differs_does_not_share() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp(auth_require_tls=False)
            different = [
                attempt(1, port=port),
                attempt(2, port=port, address="127.0.0.67"),
                attempt(3, port=port, helo="other.example", before=["NOOP"]),
                attempt(4, port=port, before=["NOOP"]),
                attempt(5, port=port, login=Login("alice", "wrong")),
                attempt(6, port=port, listener="other"),
                attempt(7, port=port, say=["NOOP"]),
                attempt(8, port=port, say=["NOOP"]),
            ]
            sessions, outcomes = await bed.probe(*different)
            assert len(sessions) == len(different)
            assert [outcome.session for outcome in outcomes] == list(range(8))
            assert [session.address for session in sessions][:3] == ["127.0.0.66", "127.0.0.67", "127.0.0.66"]

    run(work())


NAMES = ["client.example", "other.example", "client.example", "third.example"]


def test_one_session_may_give_several_names() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            named = [
                attempt(n, port=port, helo=name, recipients=[f"x@{'example.com' if n == 2 else 'b.example'}"])
                for n, name in enumerate(NAMES)
            ]
            [session], outcomes = await bed.probe(*named)
            said = [line.text for line in session.lines if line.who == "C"]
            assert [text for text in said if text.startswith("EHLO")] == [f"EHLO {name}" for name in NAMES]
            assert [outcome.stage for outcome in outcomes] == ["rcpt", "rcpt", "accepted", "rcpt"]

    run(work())


async def choosy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses other.example by name, and third.example by hanging up."""
    writer.write(b"220 mail.example.com ESMTP\r\n")
    while line := (await reader.readline()).decode():
        if line.startswith(("EHLO", "HELO")) and "third" in line:
            return
        refused = line.startswith(("EHLO other", "HELO other", "RCPT"))
        writer.write(b"554 5.7.1 not you\r\n" if refused else b"250 ok\r\n")


def test_a_name_refused_answers_its_attempts_and_no_others() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.script(choosy)
            _, outcomes = await bed.probe(
                *(attempt(n, port=port, helo=name) for n, name in enumerate([*NAMES, "client.example"]))
            )
            ends = [
                (outcome.stage, outcome.replies[-1].code if outcome.replies else 0) for outcome in outcomes
            ]
            assert ends == [("rcpt", 554), ("preface", 554), ("rcpt", 554), ("preface", 0), ("rcpt", 554)]

    run(work())


def test_session_numbers_go_on_from_call_to_call() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            first, _ = await bed.probe(attempt(1, port=port))
            second, (outcome,) = await bed.probe(attempt(1, port=port))
            assert (first[0].id, second[0].id, outcome.session) == (0, 1, 1)

    run(work())


def test_a_group_that_is_taken_goes_through_one_by_one() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            taken = [attempt(n, port=port, recipients=[f"rosa.k{n}v@example.com"]) for n in range(12)]
            _, outcomes = await bed.probe(*taken)
            assert {outcome.stage for outcome in outcomes} == {"accepted"}
            for number, outcome in enumerate(outcomes):
                assert outcome.replies[1].command == f"RCPT TO:<rosa.k{number}v@example.com>"
                assert outcome.replies[-1].command == "."

    run(work())


def test_refused_and_taken_in_one_session_keep_apart() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            mixed = [
                attempt(n, port=port, recipients=[f"x@{'example.com' if n % 2 else 'elsewhere.example'}"])
                for n in range(9)
            ]
            _, outcomes = await bed.probe(*mixed)
            assert [outcome.stage for outcome in outcomes] == [
                "accepted" if n % 2 else "rcpt" for n in range(9)
            ]

    run(work())


@pytest.mark.parametrize(
    "fields", [{"parameters": "NOSUCH=1"}, {"recipients": ["x@elsewhere.example", "y@elsewhere.example"]}]
)
def test_attempts_that_make_two_errors_do_not_use_up_the_servers_patience(fields: dict[str, Any]) -> None:
    """Postfix sleeps a second before each reply that follows the tenth error."""

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            sessions, outcomes = await bed.probe(*(attempt(n, port=port, **fields) for n in range(20)))
            assert {outcome.stage for outcome in outcomes} <= {"mail", "rcpt"}
            assert len(outcomes) == 20
            for session in sessions:
                errors = [line for line in session.lines if line.who == "S" and line.text[0] in "45"]
                assert len(errors) < 10, spoken(session)

    run(work())


def test_what_an_earlier_arrival_proved_is_not_tried() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            first = attempt(1, port=port)
            bed.peers.mail.expect([first])
            await bed.probe(first)
            later = [
                attempt(2, port=port, unless_arrived=[first.id]),
                attempt(3, port=port, unless_arrived=["relay/99"]),
            ]
            sessions, outcomes = await bed.probe(*later)
            assert [outcome.stage for outcome in outcomes] == ["untried", "accepted"]
            assert (outcomes[0].session, len(sessions)) == (None, 1)

    run(work())


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_both_families_are_spoken() -> None:

    async def six(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"554 hello {writer.get_extra_info('peername')[0]}\r\n".encode())
        await reader.readline()
        writer.close()

    async def work() -> None:
        async with Bed() as bed:
            server = await asyncio.start_server(six, "::1", 0)
            port = server.sockets[0].getsockname()[1]
            _, (outcome,) = await bed.probe(attempt(port=port, server="::1", address="::1"))
            server.close()
            assert outcome.replies[0].text == "554 hello ::1"

    run(work())


def test_questions_and_mails_share_a_session_questions_first() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            asked = attempt(
                1, port=port, helo="other.example", say=["VRFY someone@example.com"], recipients=[]
            )
            (session,), outcomes = await bed.probe(attempt(0, port=port), asked, attempt(2, port=port))
            assert [outcome.stage for outcome in outcomes] == ["rcpt", "said", "rcpt"]
            assert [outcome.replies[-1].command for outcome in outcomes] == [
                "RCPT TO:<rosa.k0v@elsewhere.example>",
                "VRFY someone@example.com",
                "RCPT TO:<rosa.k2v@elsewhere.example>",
            ]
            said = spoken(session)
            assert said.index("EHLO other.example") < said.index("VRFY") < said.index("MAIL FROM")

    run(work())


def test_questions_leave_the_servers_patience_to_the_mails_of_another_session() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            many = attempt(0, port=port, say=["ETRN example.com"] * 9, recipients=[])
            sessions, outcomes = await bed.probe(many, *(attempt(n, port=port) for n in range(1, 9)))
            assert [outcome.stage for outcome in outcomes] == ["said", *["rcpt"] * 8]
            assert len(sessions) == 2

    run(work())


def test_others_are_made_besides_as_far_as_sessions_have_room() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            besides = [attempt(n, port=port) for n in range(1, 20)]
            elsewhere = attempt(30, port=port, address="127.0.0.67")
            sessions, outcomes = await bed.prober.probe(
                [attempt(0, port=port)], 20, besides=[*besides, elsewhere]
            )
            assert [outcome.attempt for outcome in outcomes] == [f"relay/{n}" for n in range(9)]
            assert len(sessions) == 1

    run(work())


def test_what_is_made_besides_is_no_reason_to_try_a_dead_server_more_often() -> None:
    async def work() -> None:
        async def shy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            return

        async with Bed() as bed:
            port = await bed.script(shy)
            besides = [attempt(n, port=port) for n in range(1, 9)]
            _, outcomes = await bed.prober.probe([attempt(0, port=port)], 20, besides=besides)
            assert [(outcome.attempt, outcome.stage) for outcome in outcomes] == [("relay/0", "greeting")]
            assert bed.connections == 1

    run(work())


def test_what_is_made_besides_spoils_no_attempt() -> None:
    """A server that hangs up at the second recipient, whoever asked for the first."""

    async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        asked = 0
        while line := await reader.readline():
            asked += line.startswith(b"RCPT")
            if asked == 2:
                return
            quits = line.startswith(b"QUIT")
            writer.write(
                b"250-hi\r\n250 PIPELINING\r\n"
                if line[:4] == b"EHLO"
                else b"221 bye\r\n"
                if quits
                else b"250 ok\r\n"
            )

    async def work() -> None:
        async with Bed() as bed:
            port = await bed.script(strict)
            first = attempt(0, port=port, recipients=["x@elsewhere.example"], message=b"")
            _, outcomes = await bed.prober.probe([first], 20, besides=[attempt(1, port=port)])
            assert [outcome.attempt for outcome in outcomes] == ["relay/0"]
            assert bed.connections == 2

    run(work())


def test_those_whose_server_hangs_up_after_a_penalty_wait_for_it_side_by_side() -> None:
    """Postfix with ``smtpd_hard_error_limit = 1``: a refusal, a second of sleep, and 421."""

    async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while (line := await reader.readline())[:4] != b"RCPT":
            writer.write(b"250-hi\r\n250 PIPELINING\r\n" if line[:4] == b"EHLO" else b"250 ok\r\n")
        await asyncio.sleep(0.3)
        writer.write(b"554 no\r\n421 too many errors\r\n")
        await reader.read()

    async def work() -> None:
        async with Bed(patience=Timeouts(goodbye=0.2, penalty=0.2)) as bed:
            port = await bed.script(strict)
            began = time.monotonic()
            _, outcomes = await bed.probe(*(attempt(number, port=port) for number in range(20)))
            assert {outcome.stage for outcome in outcomes} == {"rcpt"}
            assert time.monotonic() - began < 4, "one after the other they would take six seconds"

    run(work())

"""Servers that hang, lie, babble, hang up or never were: each ends in an outcome, soon."""

from __future__ import annotations

import asyncio
import time

import pytest
from msgspec.structs import replace

from grader.model.attempt import Attempt
from grader.model.traffic import Outcome, Session
from grader.world import wire
from grader.world.timeouts import Timeouts
from tests.conftest import PATIENCE
from tests.world.bed import SERVER, Bed, Handler, attempt, spoken
from tests.world.clock import run

IMPATIENT = Timeouts(greeting=0.6, command=0.4, text=0.4, goodbye=0.2, second_reply=0.2, penalty=0.2)
"""The same limits, sooner."""


def against(
    handler: Handler, *attempts: Attempt, seconds: float = 20
) -> tuple[list[Session], list[Outcome], int]:
    """Sessions, outcomes and how many connections the server saw."""

    async def work() -> tuple[list[Session], list[Outcome], int]:
        async with Bed(patience=IMPATIENT) as bed:
            port = await bed.script(handler)
            made = [replace(one, port=port) for one in attempts or (attempt(),)]
            sessions, outcomes = await bed.probe(*made, seconds=seconds)
            return sessions, outcomes, bed.connections

    return run(work())


def saying(*replies: bytes) -> Handler:
    """A server that gives one reply a line, then hangs up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply)
            if not await reader.readline():
                return

    return handler


HELLO = (b"220 hi\r\n", b"250 hi\r\n")


def test_nobody_there() -> None:
    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed(patience=IMPATIENT) as bed:
            port = await bed.script(saying())
            bed.close()
            return await bed.probe(attempt(port=port))

    (session,), (outcome,) = run(work())
    assert (outcome.stage, session.end) == ("connect", "refused")
    assert spoken(session) == "*: connection refused"


def test_a_server_that_says_nothing() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    (session, *_), (outcome,), _ = against(silent)
    assert (outcome.stage, session.end, outcome.replies) == ("greeting", "timeout", [])
    assert "no reply in 0.6 seconds" in spoken(session)


def test_many_attempts_at_a_silent_server_do_not_wait_one_by_one() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    began = time.monotonic()
    sources = [f"127.0.1.{number}" for number in range(1, 21)]
    attempts = [attempt(n * 50 + m, address=source) for n, source in enumerate(sources) for m in range(40)]
    _, outcomes, connections = against(silent, *attempts)
    assert {outcome.stage for outcome in outcomes} == {"greeting"}
    assert len(outcomes) == len(attempts)
    assert connections < 60
    assert time.monotonic() - began < 10, "twenty addresses one by one would take twelve seconds"


def test_a_server_that_hangs_up_at_once() -> None:
    async def shy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    (session, *_), outcomes, connections = against(shy, *(attempt(number) for number in range(40)))
    assert {(outcome.stage, session.end) for outcome in outcomes} == {("greeting", "closed")}
    assert len(outcomes) == 40
    assert connections == 3


@pytest.mark.parametrize("greeting", [b"554 5.7.1 go away\r\n", b"521 no mail here\r\n", b"what?\r\n"])
def test_a_greeting_that_is_none(greeting: bytes) -> None:
    _, (outcome,), _ = against(saying(greeting))
    assert outcome.stage == "greeting"
    assert outcome.replies[0].text == greeting.decode().strip()


@pytest.mark.parametrize(
    ("replies", "stage"), [(1, "preface"), (2, "mail"), (3, "rcpt"), (4, "data"), (5, "data")]
)
def test_where_a_server_falls_silent_or_leaves_is_how_far_the_attempt_came(replies: int, stage: str) -> None:
    talk = (*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")[:replies]

    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(*talk)(reader, writer)
        await reader.read()

    for handler, end in ((hangs, "timeout"), (saying(*talk), "closed")):
        if replies == 5 and end == "timeout":
            continue
        sessions, (outcome,), _ = against(handler)
        assert outcome.stage == stage
        assert sessions[-1].end in (end, "reset")


def test_what_a_hang_up_cut_off_is_tried_again_alone() -> None:
    """A server that hangs up after every third recipient, as one with smtpd_hard_error_limit = 3 does."""

    async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refused = 0
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            verb = line[:4]
            if verb == b"RCPT":
                refused += 1
                if refused == 3:
                    writer.write(b"421 4.7.0 too many errors\r\n")
                    return
                writer.write(b"554 no " + line)
            elif verb == b"EHLO":
                writer.write(b"250-hi\r\n250 PIPELINING\r\n")
            else:
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

    _, outcomes, connections = against(strict, *(attempt(number) for number in range(12)))
    assert [outcome.attempt for outcome in outcomes] == [f"relay/{number}" for number in range(12)]
    for number, outcome in enumerate(outcomes):
        assert (outcome.stage, outcome.replies[-1].code) == ("rcpt", 554)
        assert f"rosa.k{number}v@" in outcome.replies[-1].text, (
            "each attempt has the reply to its own command"
        )
    assert connections == 11


def test_a_server_that_punishes_by_waiting_gets_one_attempt_a_session() -> None:
    async def tarpit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refused = False
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if refused:
                await asyncio.sleep(0.3)
            verb = line[:4]
            refused = refused or verb == b"RCPT"
            replies = {
                b"EHLO": b"250-hi\r\n250 PIPELINING\r\n",
                b"RCPT": b"554 no\r\n",
                b"QUIT": b"221 bye\r\n",
            }
            writer.write(replies.get(verb, b"250 ok\r\n"))

    began = time.monotonic()
    _, outcomes, _ = against(tarpit, *(attempt(number) for number in range(20)))
    assert {outcome.replies[-1].code for outcome in outcomes} == {554}
    assert time.monotonic() - began < 5, "twenty attempts with a penalty each would take six seconds"


def test_a_server_that_is_only_slow_keeps_its_sessions() -> None:
    """A machine with too much to do: one more session a probe would give it even more."""

    async def labours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pauses = iter((0.22, 0.35, 0.22))
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            verb = line[:4]
            if verb == b"MAIL":
                await asyncio.sleep(next(pauses, 0))
            replies = {
                b"EHLO": b"250-hi\r\n250 PIPELINING\r\n",
                b"RCPT": b"554 no\r\n",
                b"QUIT": b"221 bye\r\n",
            }
            writer.write(replies.get(verb, b"250 ok\r\n"))

    _, outcomes, connections = against(labours, *(attempt(number) for number in range(18)))
    assert {outcome.stage for outcome in outcomes} == {"rcpt"}
    assert connections == 2


def test_a_slow_server_does_not_hold_up_others() -> None:
    async def work() -> float:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with Bed(patience=IMPATIENT) as bed:
            dead, alive = await bed.script(silent), await bed.smtp()
            began = time.monotonic()
            slow = [attempt(n, port=dead, address=f"127.0.2.{n}") for n in range(1, 11)]
            await bed.probe(*slow, *(attempt(100 + n, port=alive) for n in range(10)))
            return time.monotonic() - began

    assert run(work()) < 3


def test_two_replies_to_one_command_do_not_shift_the_others() -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n220 hi again\r\n")
        while line := await reader.readline():
            reply = {b"MAIL": b"250 mail", b"RCPT": b"554 rcpt", b"QUIT": b"221 bye"}.get(
                line[:4], b"250 other"
            )
            writer.write((reply + b"\r\n") * 2)

    (session,), (outcome,), _ = against(twice)
    assert [reply.text for reply in outcome.replies] == ["250 mail", "554 rcpt"]
    assert "the server speaks out of turn" in spoken(session)


def test_garbage_is_recorded_and_readable() -> None:
    garbage = b"250 \x00\x1b[31m\xff\xfe ]]>\r\n"
    (session,), (outcome,), _ = against(
        saying(b"220 hi\r\n", garbage, b"250 ok\r\n", b"\xff\xff\r\n", b"221 bye\r\n")
    )
    assert outcome.stage == "rcpt"
    assert outcome.replies[-1].code == 0
    assert outcome.replies[-1].text == "\\xff\\xff"
    assert "250 \x00\x1b[31m\\xff\\xfe ]]>" in spoken(session)


def test_a_server_that_never_stops_talking_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_OCTETS", 200_000)

    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"250-" + b"bla " * 1000 + b"\r\n")
            await writer.drain()

    sessions, (outcome,), _ = against(babbles)
    assert outcome.stage == "greeting"
    assert sessions[-1].end == "reset"
    assert "talked without end" in spoken(sessions[-1])


def test_an_endless_line_without_an_end_does_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST_OCTETS", 1_000_000)

    async def drones(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    sessions, (outcome,), _ = against(drones)
    assert outcome.stage == "greeting"
    assert sum(len(line.text) for line in sessions[-1].lines) < 200_000


def test_no_tls_behind_starttls_or_on_an_implicit_port() -> None:
    talk = saying(b"220 hi\r\n", b"250-hi\r\n250 STARTTLS\r\n", b"220 go\r\nSSH-2.0 what\r\n", b"no\r\n")
    sessions, (outcome,), _ = against(talk, attempt(tls="starttls"))
    assert (outcome.stage, sessions[-1].tls) == ("preface", None)

    sessions, (outcome,), _ = against(saying(b"220 hello, no TLS here\r\n"), attempt(tls="implicit"))
    assert (outcome.stage, sessions[-1].end) == ("greeting", "reset")
    assert "no TLS" in spoken(sessions[-1])


def test_words_said_before_tls_do_not_count_within() -> None:
    """A reply injected between STARTTLS and the handshake (CVE-2011-0411, the other way round)."""

    async def injects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(b"220 hi\r\n", b"250 hi\r\n")(reader, writer)
        writer.write(b"220 go\r\n250 injected\r\n")
        await reader.read()

    _, (outcome,), _ = against(injects, attempt(tls="starttls"))
    assert outcome.stage == "preface"
    assert "injected" not in str(outcome.replies)


def test_when_the_time_is_over_nothing_more_is_claimed() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    began = time.monotonic()
    _, outcomes, _ = against(silent, *(attempt(number) for number in range(3)), seconds=0.3)
    assert outcomes == []
    assert time.monotonic() - began < PATIENCE


def test_a_source_that_is_not_the_worlds_is_the_graders_fault() -> None:
    from grader.model.errors import EngineError

    async def work() -> None:
        async with Bed(patience=IMPATIENT) as bed:
            await bed.probe(attempt(port=await bed.smtp(), address="203.0.113.99"))

    with pytest.raises(EngineError, match=r"the world cannot speak from 203\.0\.113\.99"):
        run(work())


def test_the_server_is_on_loopback() -> None:
    assert SERVER.startswith("127.")


def test_names_are_asked_in_sessions_of_their_own_where_a_server_hangs_up() -> None:
    """As Postfix does once a client has made smtpd_hard_error_limit errors: 421 answers no question."""

    async def strict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = 0
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if line.startswith(b"VRFY"):
                asked += 1
                if asked > 1:
                    writer.write(b"421 4.7.0 too many errors\r\n")
                    return
                writer.write(b"252 yes\r\n" if b"alice" in line else b"550 no\r\n")
            else:
                writer.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 hi\r\n")

    say = ["VRFY alice", "VRFY nobody", "VRFY bob"]
    (session,), (outcome,), connections = against(strict, replace(attempt(), say=say, recipients=[]))
    assert [reply.code for reply in outcome.replies] == [252, 550, 550]
    assert (outcome.stage, connections) == ("said", 3)
    for reply in outcome.replies:
        assert session.lines[reply.line].text.startswith(str(reply.code))


def test_a_server_that_hangs_up_at_every_question_is_asked_each_once() -> None:
    async def curt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if line.startswith(b"VRFY"):
                writer.write(b"221 2.7.0 goodbye\r\n")
                return
            writer.write(b"250 hi\r\n")

    say = ["VRFY alice", "VRFY nobody"]
    _, (outcome,), connections = against(curt, replace(attempt(), say=say, recipients=[]))
    assert [reply.code for reply in outcome.replies] == [221, 221]
    assert connections == 2


def test_dialogues_that_only_ask_share_a_session_until_the_server_hangs_up() -> None:
    connections_allowed = iter(range(10))

    async def once_patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        most, asked = 2 if next(connections_allowed) == 0 else 1, 0
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            if line[:4] in (b"VRFY", b"ETRN"):
                asked += 1
                if asked > most:
                    writer.write(b"421 4.7.0 too many errors\r\n")
                    return
                writer.write(b"252 " + line[5:])
            else:
                writer.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 hi\r\n")

    asks = ("VRFY alice", "VRFY bob", "ETRN c.example")
    attempts = [replace(attempt(n), say=[say], recipients=[]) for n, say in enumerate(asks)]
    sessions, outcomes, connections = against(once_patient, *attempts)
    assert [outcome.replies[0].text for outcome in outcomes] == ["252 alice", "252 bob", "252 c.example"]
    assert connections == 2
    for outcome in outcomes:
        lines = next(one for one in sessions if one.id == outcome.session).lines
        assert asks[int(outcome.attempt[-1])] in [
            line.text for line in lines[outcome.first_line : outcome.last_line + 1]
        ]


def test_a_greeting_that_has_begun_is_waited_for() -> None:
    """As postscreen's: its first line comes at once and its last after postscreen_greet_wait."""

    async def screened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-wait\r\n")
        await asyncio.sleep(0.9)
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            writer.write({b"RCPT": b"554 no\r\n", b"QUIT": b"221 bye\r\n"}.get(line[:4], b"250 hi\r\n"))

    _, outcomes, _ = against(screened, *(attempt(number) for number in range(3)))
    assert {outcome.stage for outcome in outcomes} == {"rcpt"}

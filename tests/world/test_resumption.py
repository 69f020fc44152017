"""Sessions in TLS are resumed with a server that is trusted, and one that cannot do that loses nothing."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from grader.model.attempt import Attempt
from grader.model.traffic import Outcome, Session
from tests.world.bed import SERVER, Bed, attempt, authority, server_context, spec, spoken
from tests.world.clock import run

NAME = "mail.example.com"
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
"""handshake_failure, fatal (RFC 8446 section 6)."""


def resumed(session: Session) -> bool:
    return ", resumed" in spoken(session)


def one_after_the_other(
    *attempts: Attempt, context: ssl.SSLContext, front: bytes | None = None
) -> tuple[list[Session], list[Outcome], int]:
    """Sessions and outcomes of attempts, and how often a server that resumes nothing (``front``) was connected to."""

    async def work() -> tuple[list[Session], list[Outcome], int]:
        key, _, ca = authority()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        async with Bed(spec(ca=ca, client_certificate=ca, client_key=pem), NAME) as bed:
            port = await bed.smtp(context)
            if front is not None:
                port = await in_front(bed, port, front)
            sessions, outcomes = [], []
            for one in attempts:
                more = await bed.probe(replace(one, port=port))
                sessions += more[0]
                outcomes += more[1]
            return sessions, outcomes, bed.connections

    return run(work())


async def in_front(bed: Bed, behind: int, instead: bytes) -> int:
    """A port that leads to another, but for a client that shows a ticket: that gets some octets, and no more."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(5)
        hello = await reader.readexactly(int.from_bytes(head[3:5], "big"))
        if shows_ticket(hello):
            writer.write(instead)
            return
        there, here = await asyncio.open_connection(SERVER, behind)
        here.write(head + hello)
        await asyncio.gather(pump(reader, here), pump(there, writer))

    return await bed.script(pass_on)


def shows_ticket(hello: bytes) -> bool:
    """Whether a ClientHello ends in the extension pre_shared_key (RFC 8446 section 4.2.11)."""
    found = hello.find(b"\x00\x29")
    while found >= 0:
        if found + 4 + int.from_bytes(hello[found + 2 : found + 4], "big") == len(hello):
            return True
        found = hello.find(b"\x00\x29", found + 1)
    return False


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


def implicit(number: int, **more: object) -> Attempt:
    return attempt(number, tls="implicit", **more)


def test_a_trusted_server_is_not_asked_for_its_certificate_again() -> None:
    sessions, outcomes, _ = one_after_the_other(*map(implicit, (1, 2, 3)), context=server_context(NAME))
    assert [resumed(session) for session in sessions] == [False, True, True]
    assert [outcome.stage for outcome in outcomes] == ["rcpt"] * 3
    assert sessions[0].tls is not None
    assert sessions[0].tls.names == [NAME]
    assert [session.tls for session in sessions] == [sessions[0].tls] * 3, (
        "what is told of the server is the same"
    )


def test_a_client_that_shows_a_certificate_resumes_nobodys_session() -> None:
    attempts = implicit(1, certificate=True), implicit(2, certificate=True), implicit(3), implicit(4)
    sessions, _, _ = one_after_the_other(*attempts, context=server_context(NAME))
    assert [resumed(session) for session in sessions] == [False, False, False, True]


def test_an_older_server_is_met_in_the_same_way() -> None:
    context = server_context(NAME)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    sessions, outcomes, _ = one_after_the_other(*map(implicit, (1, 2)), context=context)
    assert [outcome.stage for outcome in outcomes] == ["rcpt"] * 2
    assert sessions[0].tls == sessions[1].tls


def test_a_server_that_nobody_trusts_shows_its_certificate_each_time() -> None:
    sessions, _, _ = one_after_the_other(*map(implicit, (1, 2)), context=server_context(NAME, trusted=False))
    assert [resumed(session) for session in sessions] == [False, False]
    assert [session.tls.problem for session in sessions if session.tls] == ["self-signed certificate"] * 2


@pytest.mark.parametrize("instead", [b"", ALERT, b"500 what?\r\n"])
def test_a_server_that_cannot_resume_loses_nothing(instead: bytes) -> None:
    sessions, outcomes, connections = one_after_the_other(
        *map(implicit, (1, 2, 3)), context=server_context(NAME), front=instead
    )
    assert [outcome.stage for outcome in outcomes] == ["rcpt"] * 3
    assert [(session.end, resumed(session)) for session in sessions] == [("quit", False)] * 3
    assert all(session.tls is not None and session.tls.trusted for session in sessions)
    # Each connection counts at both servers; one was in vain, and nobody tried that again.
    assert connections == 2 * 3 + 1

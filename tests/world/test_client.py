"""Sessions with well-behaved servers, on real sockets: what is said, what is recorded, what is left out."""

from __future__ import annotations

import asyncio
import base64
import ssl

import msgspec
import pytest

from grader.model.attempt import Login
from grader.model.traffic import Outcome, Session
from tests.world.bed import CLIENT, PASSWORD, SERVER, Bed, attempt, authority, server_context, spec, spoken
from tests.world.clock import run

NAME = "mail.example.com"


def test_a_message_reaches_a_peer_with_its_envelope() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.peer()
            wanted = attempt(port=port, sender="", message=b"Subject: x\n\n.dot\r\n..two\nrosa.K1V\n")
            bed.peers.mail.expect([wanted])
            (session,), (outcome,) = await bed.probe(wanted)
            (arrival,) = bed.peers.mail.arrivals
            assert outcome.stage == "accepted"
            assert [reply.code for reply in outcome.replies] == [250, 250, 354, 250]
            assert session.end == "quit"
            assert arrival.raw == b"Subject: x\r\n\r\n.dot\r\n..two\r\nrosa.K1V\r\n"
            assert (arrival.sender, arrival.recipients) == ("", ["rosa.k1v@elsewhere.example"])
            assert (arrival.client, arrival.where) == (CLIENT, "mx.elsewhere.example")
            assert arrival.attempts == [wanted.id]
            assert bed.peers.mail.tokens == {wanted.token}

    run(work())


def test_replies_point_at_their_last_line_and_outcomes_at_their_own_lines() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            (session,), outcomes = await bed.probe(attempt(1, port=port), attempt(2, port=port))
            for number, outcome in enumerate(outcomes, start=1):
                refusal = outcome.replies[-1]
                assert session.lines[refusal.line].text == refusal.text == "554 5.7.1 Relay access denied"
                assert (refusal.code, refusal.enhanced) == (554, "5.7.1")
                own = session.lines[outcome.first_line : outcome.last_line + 1]
                assert [line.text for line in own] == [
                    "MAIL FROM:<someone@third.example>",
                    "250 OK",
                    f"RCPT TO:<rosa.k{number}v@elsewhere.example>",
                    "554 5.7.1 Relay access denied",
                ]

    run(work())


def test_one_recipient_of_several_is_enough() -> None:
    async def work() -> None:
        async with Bed() as bed:
            both = attempt(port=await bed.smtp(), recipients=["x@elsewhere.example", "alice@example.com"])
            _, (outcome,) = await bed.probe(both)
            assert outcome.stage == "accepted"
            assert [reply.code for reply in outcome.replies] == [250, 554, 250, 354, 250]

    run(work())


def test_odd_paths_go_out_as_they_are() -> None:
    odd = [
        "@mail.example.com:x@elsewhere.example",
        '"x@elsewhere.example"',
        '"a>b"@elsewhere.example',
        "x%y@z",
        "bare",
    ]

    async def work() -> None:
        async with Bed() as bed:
            await bed.probe(attempt(port=await bed.peer(), recipients=odd))
            (arrival,) = bed.peers.mail.arrivals
            assert arrival.recipients == odd

    run(work())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_user_logs_in_and_leaves_no_password_behind(mechanism: str) -> None:
    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.smtp(auth_require_tls=False)
            return await bed.probe(attempt(port=port, login=Login("alice", PASSWORD, mechanism)))

    sessions, outcomes = run(work())
    assert outcomes[0].authenticated
    assert outcomes[0].stage == "accepted"
    assert_silent_about(PASSWORD, sessions, outcomes)
    assert "<credentials>" in spoken(sessions[0])


def assert_silent_about(password: str, sessions: list[Session], outcomes: list[Outcome]) -> None:
    document = msgspec.json.encode([sessions, outcomes]).decode()
    plain = base64.b64encode(f"\0alice\0{password}".encode()).decode()
    for secret in (password, base64.b64encode(password.encode()).decode(), plain):
        assert secret not in document


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_server_that_repeats_credentials_is_not_quoted(mechanism: str) -> None:
    async def parrot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-hi\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n")
        first = await reader.readline()
        if mechanism != "PLAIN":
            writer.write(b"334 PDE+\r\n")
            first += await reader.readline()
        if mechanism == "LOGIN":
            writer.write(b"334 " + base64.b64encode(b"Password:") + b"\r\n")
            first += await reader.readline()
        decoded = PASSWORD.encode()
        writer.write(
            b"535-no: " + first.replace(b"\r\n", b" ") + b"\r\n535 5.7.8 " + decoded + b" is wrong\r\n"
        )
        await reader.readline()

    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.script(parrot)
            return await bed.probe(attempt(port=port, login=Login("alice", PASSWORD, mechanism)))

    sessions, (outcome,) = run(work())
    assert (outcome.stage, outcome.authenticated) == ("auth", False)
    assert outcome.replies[-1].code == 535
    assert_silent_about(PASSWORD, sessions, [outcome])


def test_commands_of_the_plan_are_redacted_too() -> None:
    initial = base64.b64encode(b"\0alice\0guess").decode()
    before = [f"AUTH PLAIN {initial}", "AUTH LOGIN", base64.b64encode(b"alice").decode()]

    async def work() -> tuple[list[Session], list[Outcome]]:
        async with Bed() as bed:
            port = await bed.smtp(auth_require_tls=False)
            return await bed.probe(
                attempt(1, port=port, before=before), attempt(2, port=port, say=[f"auth plain {initial}"])
            )

    sessions, outcomes = run(work())
    document = msgspec.json.encode([sessions, outcomes]).decode()
    assert initial not in document
    assert before[2] not in document
    assert document.count("<credentials>") >= 3


def test_auth_that_is_not_offered_ends_at_the_reply_that_does_not_offer_it() -> None:
    async def work() -> None:
        async with Bed() as bed:
            port = await bed.smtp()
            (session,), (outcome,) = await bed.probe(attempt(port=port, login=Login("alice", PASSWORD)))
            assert outcome.stage == "auth"
            assert outcome.replies[-1].command == "EHLO client.example"
            assert "AUTH PLAIN <credentials>" in spoken(session), (
                "tried all the same: what is hidden may be taken"
            )

    run(work())


def test_a_dialogue_keeps_each_reply_with_its_command() -> None:
    async def work() -> None:
        async with Bed() as bed:
            _, (outcome,) = await bed.probe(
                attempt(port=await bed.smtp(), say=["VRFY alice", "EXPN staff", "NOOP"])
            )
            assert outcome.stage == "said"
            assert [(reply.command, reply.code) for reply in outcome.replies] == [
                ("VRFY alice", 252),
                ("EXPN staff", 502),
                ("NOOP", 250),
            ]

    run(work())


def test_an_attempt_without_mail_or_words_only_greets() -> None:
    async def work() -> None:
        async with Bed() as bed:
            (session,), (outcome,) = await bed.probe(attempt(port=await bed.smtp(), recipients=[]))
            assert (outcome.stage, outcome.replies, session.end) == ("said", [], "quit")
            assert "MAIL" not in spoken(session)

    run(work())


def test_ehlo_is_said_again_after_an_attempts_own_commands() -> None:
    async def xclient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (
            b"220 hi",
            b"250 hi",
            b"220 hi again",
            b"250 hi again",
            b"250 ok",
            b"554 no",
            b"221 bye",
        ):
            writer.write(reply + b"\r\n")
            await reader.readline()

    async def work() -> None:
        async with Bed() as bed:
            one = attempt(port=await bed.script(xclient), before=["XCLIENT ADDR=127.0.0.1"])
            (session,), (outcome,) = await bed.probe(one)
            assert outcome.stage == "rcpt"
            assert [line.text.split(" ")[0] for line in session.lines if line.who == "C"] == [
                "EHLO",
                "XCLIENT",
                "EHLO",
                "MAIL",
                "RCPT",
                "QUIT",
            ]

    run(work())


def test_helo_follows_where_ehlo_is_not_known() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 hi", b"502 no such command", b"250 hi", b"250 ok", b"554 no", b"221 bye"):
            writer.write(reply + b"\r\n")
            await reader.readline()

    async def work() -> None:
        async with Bed() as bed:
            (session,), (outcome,) = await bed.probe(attempt(port=await bed.script(old)))
            assert outcome.stage == "rcpt"
            assert "C: HELO client.example" in spoken(session)

    run(work())


def test_smuggled_text_goes_out_untouched() -> None:
    hidden = b"\n.\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: two\r\n\r\n.x\r\n.\r\n"

    async def work() -> bytes:
        said = bytearray()

        async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for reply in (b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go"):
                writer.write(reply + b"\r\n")
                said.clear()
                said.extend(
                    await reader.readline()
                    if reply != b"354 go"
                    else await reader.readuntil(b"\n.x\r\n.\r\n")
                )
            writer.write(b"250 taken\r\n250 ok\r\n550 no\r\n")
            await reader.readline()
            writer.write(b"221 bye\r\n")

        async with Bed() as bed:
            one = attempt(port=await bed.script(reads), smuggled=hidden, message=b".one\r\n")
            (session,), (outcome,) = await bed.probe(one)
            assert outcome.stage == "accepted"
            assert "S: 550 no" in spoken(session), "what the hidden commands were answered is on record"
            return bytes(said)

    assert run(work()) == b"..one\r\n" + hidden


def tls_session(
    tls: str, names: list[str], *, name: str | None = NAME, trusted: bool = True, old: bool = False
) -> tuple[Session, Outcome]:
    async def work() -> tuple[Session, Outcome]:
        context = server_context(*names, trusted=trusted)
        if old:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with Bed(spec(ca=authority()[2]), name) as bed:
            port = await (bed.smtp(context) if tls == "implicit" else bed.smtp(tls_context=context))
            sessions, outcomes = await bed.probe(attempt(port=port, tls=tls))
            assert len(sessions) == 1, (
                "a handshake that only found out whom to trust is no session of its own"
            )
            return sessions[0], outcomes[0]

    return run(work())


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_with_a_trusted_certificate(tls: str) -> None:
    session, outcome = tls_session(tls, [NAME, "example.com"])
    assert outcome.stage == "rcpt"
    assert session.tls is not None
    assert (session.tls.version, session.tls.trusted, session.tls.problem) == ("TLSv1.3", True, None)
    assert session.tls.names == [NAME, "example.com"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_with_a_stranger_is_spoken_and_told(tls: str) -> None:
    session, outcome = tls_session(tls, [NAME], trusted=False)
    assert outcome.stage == "rcpt"
    assert session.tls is not None
    assert (session.tls.trusted, session.tls.names) == (False, [NAME])
    assert session.tls.problem == "self-signed certificate"


def test_tls_with_another_name_is_spoken_and_told() -> None:
    session, outcome = tls_session("starttls", ["other.example"])
    assert outcome.stage == "rcpt"
    assert session.tls is not None
    assert not session.tls.trusted
    assert session.tls.problem is not None
    assert "hostname mismatch" in session.tls.problem


def test_tls_with_a_server_whose_name_is_unknown_is_judged_by_its_authority() -> None:
    session, _ = tls_session("starttls", ["whatever.example"], name=None)
    assert session.tls is not None
    assert session.tls.trusted


def test_starttls_that_is_refused_ends_the_attempt_there() -> None:
    async def work() -> None:
        async with Bed() as bed:
            (session,), (outcome,) = await bed.probe(attempt(port=await bed.smtp(), tls="starttls"))
            assert (outcome.stage, session.tls) == ("preface", None)
            assert outcome.replies[-1].command == "STARTTLS"

    run(work())


def test_a_client_certificate_is_shown() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, _, ca = authority()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    async def work() -> None:
        shown: list[object] = []

        async def asks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            shown.append(writer.get_extra_info("peercert"))
            writer.write(b"220 hi\r\n")
            await reader.readline()
            writer.close()

        context = server_context(NAME)
        context.load_verify_locations(cadata=ca.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        async with Bed(spec(ca=ca, client_certificate=ca, client_key=pem), NAME) as bed:
            server = await asyncio.start_server(asks, SERVER, 0, ssl=context)
            port = server.sockets[0].getsockname()[1]
            await bed.probe(attempt(port=port, tls="implicit", certificate=True, recipients=[]))
            server.close()
        assert shown
        assert "Authority" in str(shown[0])

    run(work())

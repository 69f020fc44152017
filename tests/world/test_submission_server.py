"""Submission servers: the good one serves every honest client, each other kind does what it is there for."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

import pytest

from grader.world.submission_server import servers
from tests.conftest import PATIENCE
from tests.tables import every
from tests.world.offices import (
    ADDRESS,
    NAME,
    PASSWORD,
    PLAIN,
    TEXT,
    USER,
    meet,
    send,
    spoken,
    texts,
    trust,
)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_the_good_server_takes_mail_over_tls(implicit: bool) -> None:
    refused, [(session, conversation)], [arrival] = meet(
        lambda port: send(port, implicit=implicit), tls="implicit" if implicit else "starttls"
    )
    assert refused == {}
    assert conversation.tls in ("TLSv1.2", "TLSv1.3")
    assert conversation.in_the_clear is None
    [authentication] = conversation.authentications
    assert (authentication.mechanism, authentication.encrypted, authentication.accepted) == (
        "PLAIN",
        True,
        True,
    )
    [transaction] = conversation.transactions
    assert transaction.taken
    assert (transaction.sender, transaction.recipients) == ("erika@example.com", ["a@x.example"])
    assert arrival.id == transaction.arrival
    assert arrival.raw == TEXT.encode()
    assert session.end == "quit"
    whole = " ".join(line.text for line in session.lines)
    assert PASSWORD not in whole
    assert PLAIN not in whole
    assert "AUTH PLAIN <credentials>" in whole


def test_mail_before_tls_and_before_login_is_refused() -> None:
    replies, _, arrivals = meet(
        lambda port: spoken(port, "EHLO x", "MAIL FROM:<a@b.example>", f"AUTH PLAIN {PLAIN}")
    )
    assert [reply[:3] for reply in replies] == ["220", "250", "530", "530"]
    assert arrivals == []


def test_a_password_before_tls_is_noted_at_its_line() -> None:
    _, [(session, conversation)], _ = meet(lambda port: spoken(port, "EHLO x", f"AUTH PLAIN {PLAIN}"))
    assert conversation.in_the_clear is not None
    assert session.lines[conversation.in_the_clear].text == "AUTH PLAIN <credentials>"


@pytest.mark.parametrize("line", ["AUTH PLAIN", "AUTH LOGIN", "AUTH PLAIN =", f"NOOP {USER}"])
def test_no_password_is_noted_where_none_was_given(line: str) -> None:
    _, [(_, conversation)], _ = meet(lambda port: spoken(port, "EHLO x", line))
    assert conversation.in_the_clear is None


def test_an_attacker_on_the_way_offers_no_tls_and_takes_any_password() -> None:
    replies, [(session, conversation)], _ = meet(
        lambda port: spoken(port, "EHLO x", "STARTTLS", "AUTH PLAIN AGEAYg==", "MAIL FROM:<a@b.example>"),
        tls="stripped",
    )
    assert "250-STARTTLS" not in texts(session, "S")
    assert [reply[:3] for reply in replies] == ["220", "250", "502", "235", "250"]
    assert conversation.in_the_clear is not None


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
def test_a_client_that_does_not_trust_the_certificate_is_heard(implicit: bool) -> None:
    def client(port: int) -> None:
        context = ssl.create_default_context(cafile=None)
        with socket.create_connection((ADDRESS, port), PATIENCE) as link:
            if not implicit:
                link.recv(1000)
                link.sendall(b"STARTTLS\r\n")
                link.recv(1000)
            context.wrap_socket(link, server_hostname=NAME)

    said, [(session, conversation)], _ = meet(client, tls="implicit" if implicit else "starttls")
    assert isinstance(said, ssl.SSLCertVerificationError)
    assert conversation.tls is None
    assert conversation.problem == "tlsv1 alert unknown ca"
    assert any("unknown ca" in remark for remark in texts(session, "*"))


def test_a_client_that_waits_for_a_greeting_where_tls_begins_at_once_is_told_so() -> None:
    def client(port: int) -> None:
        with socket.create_connection((ADDRESS, port), PATIENCE) as link:
            link.settimeout(0.2)
            link.recv(1000)

    _, [(session, conversation)], _ = meet(client, tls="implicit")
    assert conversation.problem == "the client sent nothing, and waited for the server to speak first"
    assert any("sent nothing" in remark for remark in texts(session, "*"))


@every("tls", ["starttls", "stripped"])
@every("before", [[], ["EHLO x"], ["EHLO x", "AUTH PLAIN"]], ids=["at once", "EHLO", "AUTH"])
@every("hello", [b"\x16\x03\x01\x02\x00\x01\n\nQUIT\r\n", b"\x16\x03\x01\x00\x05abcde"])
def test_tls_that_nobody_asked_for_is_named_and_never_read_as_commands(
    tls: str, before: list[str], hello: bytes
) -> None:
    replies, [(session, conversation)], _ = meet(lambda port: spoken(port, *before, then=hello), tls=tls)
    assert replies[-1] == "221 2.7.0 Error: I can break rules, too. Goodbye.\r\n"
    assert texts(session, "C") == before
    assert "began TLS by itself" in (conversation.problem or "")


def test_only_the_mechanisms_declared_are_offered_and_taken() -> None:
    def client(port: int) -> tuple[bytes, int]:
        smtp = smtplib.SMTP(timeout=PATIENCE)
        smtp._host = NAME  # type: ignore[attr-defined]
        smtp.connect(ADDRESS, port)
        smtp.starttls(context=trust())
        smtp.ehlo()
        offered = smtp.esmtp_features["auth"].encode()
        code = smtp.docmd("AUTH", "login")[0]
        smtp.close()
        return offered, code

    (offered, code), [(_, conversation)], _ = meet(client, mechanisms=["PLAIN"])
    assert offered.split() == [b"PLAIN"]
    assert code == 504
    assert not conversation.authentications[0].accepted


def test_a_wrong_password_is_refused() -> None:
    said, _, arrivals = meet(lambda port: send(port, password="other"))
    assert isinstance(said, smtplib.SMTPAuthenticationError)
    assert said.smtp_code == 535
    assert arrivals == []


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ({"answers": {"connect": "421 4.3.2 later"}}, 421),
        ({"answers": {"starttls": "454 4.7.0 not today"}}, 454),
        ({"answers": {"auth": "535 5.7.8 no"}}, 535),
        ({"answers": {"mail": "451 4.3.0 later"}}, 451),
        ({"answers": {"data": "554 5.5.1 no"}}, 554),
        ({"answers": {"text": "554 5.7.1 no"}}, 554),
        ({"size": 10}, 552),
    ],
    ids=str,
)
def test_a_server_answers_as_it_is_told(behaviour: dict[str, Any], code: int) -> None:
    said, _, arrivals = meet(send, **behaviour)
    assert isinstance(said, smtplib.SMTPResponseException)
    assert said.smtp_code == code
    assert arrivals == []


def test_one_recipient_alone_may_be_refused() -> None:
    refused, [(_, conversation)], [arrival] = meet(
        lambda port: send(port, to=("a@x.example", "b@x.example", "c@x.example")),
        refused="b@x.example",
        answers={"rcpt": "550 5.1.1 nobody"},
        recipient=2,
    )
    assert set(refused) == {"b@x.example"}
    [transaction] = conversation.transactions
    assert (transaction.recipients, transaction.refused) == (["a@x.example", "c@x.example"], ["b@x.example"])
    assert arrival.recipients == ["a@x.example", "c@x.example"]


@pytest.mark.parametrize("who", ["b@x.example", "b@X.Example"])
def test_a_recipient_is_refused_in_whichever_transaction_it_comes(who: str) -> None:
    said, recorded, arrivals = meet(
        lambda port: send(port, to=(who,)),
        refused="b@x.example",
        answers={"rcpt": "550 5.1.1 nobody"},
        recipient=2,
    )
    assert isinstance(said, smtplib.SMTPRecipientsRefused)
    assert (recorded[0][1].transactions[0].refused, arrivals) == ([who], [])
    _, _, [arrival] = meet(send, refused="b@x.example", answers={"rcpt": "550 5.1.1 nobody"}, recipient=2)
    assert arrival.recipients == ["a@x.example"]


def test_a_refusal_may_hold_for_the_first_connection_alone() -> None:
    said, recorded, arrivals = meet(send, times=2, answers={"mail": "451 4.3.0 later"}, once=True)
    assert said == {}
    assert [any(t.taken for t in conversation.transactions) for _, conversation in recorded] == [False, True]
    assert len(arrivals) == 1


@pytest.mark.parametrize("moment", ["connect", "ehlo", "text"])
def test_a_server_may_fall_silent(moment: str) -> None:
    def client(port: int) -> Any:
        smtp = smtplib.SMTP(timeout=0.5)
        smtp._host = NAME  # type: ignore[attr-defined]
        with smtp:
            smtp.connect(ADDRESS, port)
            smtp.starttls(context=trust())
            smtp.login(USER, PASSWORD)
            return smtp.sendmail("erika@example.com", ["a@x.example"], TEXT)

    said, [(session, conversation)], arrivals = meet(client, silent=moment)
    assert isinstance(said, OSError)
    assert "From here on the server says nothing more." in texts(session, "*")
    assert not any(transaction.taken for transaction in conversation.transactions)
    assert arrivals == []


def test_addresses_stand_in_brackets_and_commands_may_be_in_any_capitals() -> None:
    replies, _, _ = meet(
        lambda port: spoken(port, "ehlo x", "mail from:a@b.example", "mail from:<a@b.example> auth=<>"),
        tls="stripped",
    )
    assert [reply[:3] for reply in replies] == ["220", "250", "501", "250"]


def test_lines_without_cr_are_noted() -> None:
    def client(port: int) -> None:
        with socket.create_connection((ADDRESS, port), PATIENCE) as link:
            link.recv(1000)
            link.sendall(b"EHLO x\n")
            link.recv(1000)

    _, [(session, conversation)], _ = meet(client)
    assert [session.lines[line].text for line in conversation.bare] == ["EHLO x"]


def test_commands_may_be_pipelined() -> None:
    def client(port: int) -> bytes:
        with socket.create_connection((ADDRESS, port), PATIENCE) as link:
            said = link.recv(1000)
            link.sendall(
                b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
                b"Hello: there\r\n\r\n.\r\nQUIT\r\n"
            )
            while chunk := link.recv(1000):
                said += chunk
        return said

    said, _, [arrival] = meet(client, tls="stripped")
    assert said.count(b"\n250 ") == 4
    assert arrival.raw == b"Hello: there\r\n\r\n"


def test_a_session_without_end_is_not_recorded_without_end() -> None:
    def client(port: int) -> None:
        with socket.create_connection((ADDRESS, port), PATIENCE) as link:
            link.sendall(b"NOOP\r\n" * 3000 + b"QUIT\r\n")
            while link.recv(100_000):
                pass

    _, [(session, _)], _ = meet(client)
    assert len(session.lines) < 2100
    assert "What followed was not put on record." in texts(session, "*")


def test_a_greeting_may_have_several_lines() -> None:
    said, [(session, conversation)], mail = meet(send, greeting="For employees only.")
    assert not isinstance(said, Exception)
    assert [line.text for line in session.lines[:2]] == [
        f"220-{NAME} For employees only.",
        f"220 {NAME} ESMTP ready",
    ]
    assert conversation.replies[0].code == 220
    assert len(mail) == 1


def test_a_handshake_that_is_never_answered() -> None:
    def client(port: int) -> None:
        with socket.create_connection((ADDRESS, port), 0.5) as plain:
            trust().wrap_socket(plain, server_hostname=NAME)

    said, [(session, conversation)], mail = meet(client, tls="implicit", silent="starttls")
    assert isinstance(said, TimeoutError)
    assert [line.who for line in session.lines] == ["*", "*"]
    assert "says nothing more" in session.lines[0].text
    assert conversation.hung_up == 1
    assert (conversation.tls, mail) == (None, [])


def test_a_flood_of_messages_is_turned_away() -> None:
    said, sessions, arrivals = meet(send, times=servers.MESSAGES_A_SERVER + 2)
    assert isinstance(said, smtplib.SMTPDataError)
    assert said.smtp_code == 452
    assert len(arrivals) == servers.MESSAGES_A_SERVER
    assert [transaction.taken for _, one in sessions for transaction in one.transactions][-3:] == [
        True,
        False,
        False,
    ]

"""Submission servers whose replies come in pieces, that hang up, or take what nobody should give them."""

from __future__ import annotations

import smtplib
import socket
from itertools import pairwise

import pytest

from tests.conftest import PATIENCE
from tests.world.offices import ADDRESS, PLAIN, meet, send, spoken, texts


def test_replies_may_have_several_lines_and_come_in_pieces() -> None:
    said, [(session, conversation)], mail = meet(send, greeting="For employees only.", pieces=True)
    assert (said, len(mail)) == ({}, 1)
    assert all(
        line.text[3:4] == "-" or before.text[3:4] == "-" or line.text.startswith("220 2.0.0")
        for before, line in pairwise(session.lines)
        if line.who == "S" and not line.text.startswith(("334", "220 Ready"))
    )
    assert {reply.code for reply in conversation.replies} == {220, 250, 235, 354, 221}

    def reads_once(port: int) -> tuple[bytes, bytes]:
        with socket.create_connection((ADDRESS, port), PATIENCE) as link, link.makefile("rb") as stream:
            greeting = link.recv(1000)
            while stream.readline()[3:4] == b"-":
                pass
            link.sendall(b"EHLO desk\r\n")
            return greeting, link.recv(1000)

    said, _, _ = meet(reads_once, greeting="For employees only.", pieces=True)
    assert all(piece.endswith(b"\r\n") and piece.count(b"\n") == 1 and piece[3:4] == b"-" for piece in said)


@pytest.mark.parametrize("moment", ["connect", "ehlo", "auth", "mail", "rcpt", "data", "text"])
def test_a_server_may_hang_up(moment: str) -> None:
    said, [(session, conversation)], arrivals = meet(send, hangs_up=moment)
    assert isinstance(said, smtplib.SMTPServerDisconnected)
    assert "Here the server hangs up without a word." in texts(session, "*")
    assert (conversation.hung_up, arrivals) == (None, [])
    assert not any(transaction.taken for transaction in conversation.transactions)


def test_who_refuses_starttls_takes_a_login_without_it_as_an_attacker_would() -> None:
    def client(port: int) -> list[str]:
        return spoken(port, "EHLO desk", "STARTTLS", f"AUTH PLAIN {PLAIN}")

    said, [(session, conversation)], _ = meet(client, answers={"starttls": "454 4.7.0 not today"})
    assert [reply[:3] for reply in said] == ["220", "250", "454", "235"]
    assert any("AUTH PLAIN" in text for text in texts(session, "S"))
    assert conversation.in_the_clear is not None


@pytest.mark.parametrize(("end", "lone"), [(b"\n.\r\n", True), (b"", False)])
def test_a_text_that_never_ended_is_noted(end: bytes, lone: bool) -> None:
    def client(port: int) -> None:
        lines = [
            "EHLO desk",
            f"AUTH PLAIN {PLAIN}",
            "MAIL FROM:<e@example.com>",
            "RCPT TO:<a@x.example>",
            "DATA",
        ]
        spoken(port, *lines)
        with socket.create_connection((ADDRESS, port), PATIENCE) as link, link.makefile("rwb") as stream:
            for line in ("", *lines):
                stream.write(line.encode() + b"\r\n" if line else b"")
                stream.flush()
                while stream.readline()[3:4] == b"-":
                    pass
            stream.write(b"Subject: hello\r\n\r\none" + end)

    _, [_, (session, conversation)], arrivals = meet(client, tls="stripped")
    assert conversation.unfinished is not None
    assert session.lines[conversation.unfinished].who == "*"
    assert (conversation.lone_dot, arrivals) == (lone, [])

"""A submission server alone, and clients that it meets."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

from grader.labs.certificates import KeyPair, authority, certificate
from grader.model.submission_server import Conversation, ServerBehaviour, SubmissionServerSpec
from grader.model.traffic import Arrival, Session
from grader.world.peers import Peers
from grader.world.submission_server.servers import SubmissionServers
from tests.conftest import PATIENCE
from tests.world.bed import clock, spec
from tests.world.clock import run_by_the_clock as run

NAME = "mail.provider.example"
ADDRESS = "127.0.0.10"
USER, PASSWORD = "erika", "teapot-rocket-7"
TEXT = "Subject: hello\r\n\r\n.one\r\n.\r\ntwo\r\n"
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


@cache
def pair() -> KeyPair:
    ca = authority()
    made = certificate(ca, [NAME])
    return KeyPair(made.certificate + ca.certificate, made.key)


@cache
def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority().certificate.decode())


Seen = tuple[Any, list[tuple[Session, Conversation]], list[Arrival]]


def meet(client: Callable[[int], Any], times: int = 1, refused: str | None = None, **behaviour: Any) -> Seen:
    """What a client (given the port) returns or raises, and what the server recorded of its sessions."""
    rules = ServerBehaviour(about="it", port=0, **behaviour)
    server = SubmissionServerSpec(
        "run-1", NAME, ADDRESS, rules, pair().certificate, pair().key, USER, PASSWORD, refused
    )

    async def work() -> Seen:
        peers = Peers([], clock)
        office = SubmissionServers(spec(submission=[server]), peers, clock)
        await office.start()
        said: Any = None
        for _ in range(times):
            try:
                said = await asyncio.to_thread(client, office.ports[0])
            except (OSError, smtplib.SMTPException) as error:
                said = error
        while peers.connections:
            await asyncio.sleep(0.005)
        office.stop()
        recorded = [(entry.session, entry.conversation) for entry in office.sessions()["run-1"]]
        return said, recorded, office.mail

    return run(work())


def send(
    port: int, *, implicit: bool = False, to: tuple[str, ...] = ("a@x.example",), password: str = PASSWORD
) -> Any:
    """A well-behaved client."""
    if implicit:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(timeout=PATIENCE, context=trust())
    else:
        smtp = smtplib.SMTP(timeout=PATIENCE)
    smtp._host = NAME  # type: ignore[attr-defined]
    with smtp:
        code, said = smtp.connect(ADDRESS, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        if not implicit:
            smtp.starttls(context=trust())
        smtp.login(USER, password)
        return smtp.sendmail("erika@example.com", to, TEXT)


def spoken(port: int, *lines: str, then: bytes | None = None) -> list[str]:
    """The last line of the reply to each line, the greeting's first, over a plain connection.

    ``then`` is sent last, and what is said after it until the server hangs up is the last reply.
    """
    replies = []
    with socket.create_connection((ADDRESS, port), PATIENCE) as link, link.makefile("rwb") as stream:
        for line in ("", *lines):
            if line:
                stream.write(line.encode() + b"\r\n")
                stream.flush()
            while (reply := stream.readline().decode())[3:4] == "-":
                pass
            replies.append(reply.rstrip("\r\n"))
        if then is not None:
            link.sendall(then)
            replies.append(stream.read().decode())
    return replies


def texts(session: Session, who: str) -> list[str]:
    return [line.text for line in session.lines if line.who == who]

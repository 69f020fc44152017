"""A prober in a loop of its own, and servers for it to talk to: aiosmtpd's, and hand-written ones that misbehave."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import cache
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP

from grader.model.attempt import Attempt
from grader.model.plan import Peer, WorldSpec
from grader.model.traffic import Outcome, Session
from grader.world.peers import Peers
from grader.world.prober import Prober
from grader.world.timeouts import Timeouts
from grader.world.tls import Contexts

_PID = os.getpid()
OWN = f"127.{64 + (_PID >> 16)}.{_PID >> 8 & 255}.{_PID & 255}"
"""An address that this process's tests have to themselves: whatever port is free there stays so."""
SERVER = "127.0.0.10"
CLIENT = "127.0.0.66"
PASSWORD = "correct-horse-battery"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def clock() -> float:
    """Milliseconds."""
    return time.monotonic() * 1000


def attempt(number: int = 1, **fields: Any) -> Attempt:
    """An attempt to send mail outside."""
    token = f"rosa.k{number}v"
    return Attempt(
        **{
            "id": f"relay/{number}",
            "check": "relay",
            "title": "plain",
            "source": "stranger",
            "address": CLIENT,
            "server": SERVER,
            "listener": "25",
            "port": 0,
            "tls": "none",
            "helo": "client.example",
            "token": token,
            "sender": "someone@third.example",
            "recipients": [f"{token}@elsewhere.example"],
            "message": f"Subject: {token}\r\n\r\nHello\r\n".encode(),
            **fields,
        }
    )


def spec(**fields: Any) -> WorldSpec:
    """A world without anything in it but what is asked for."""
    return WorldSpec(
        **{"addresses": [], "routes": [], "nameserver": "", "zones": [], "peers": [], "ca": b"", **fields}
    )


class Refusing(SMTP):
    """A server that relays for nobody, and offers PIPELINING, which aiosmtpd takes but does not offer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_Policy(), hostname="mail.example.com", auth_callback=_knows, **options)


class _Policy:
    """Handlers as aiosmtpd wants them."""

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, name: str, replies: list[str]
    ) -> list[str]:
        session.host_name = name
        return [replies[0], "250-PIPELINING", *replies[1:]]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if not address.endswith("@example.com") and not session.authenticated:
            return "554 5.7.1 Relay access denied"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"


def _knows(mechanism: str, login: bytes, password: bytes) -> bool:
    return (login, password) == (b"alice", PASSWORD.encode())


class Bed:
    """Servers on one address and a prober; closes them all."""

    def __init__(
        self,
        world: WorldSpec | None = None,
        name: str | None = None,
        patience: Timeouts = Timeouts(),  # noqa: B008
    ) -> None:
        self.peers = Peers([Peer("mx.elsewhere.example", [SERVER], 0)], lambda: 0.0)
        self.prober = Prober(
            Contexts(world or spec()),
            clock,
            lambda server: name,
            lambda: self.peers.mail.through,
            patience,
            self.peers.take_by_hand,
        )
        self.connections = 0
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Bed:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every server."""
        self.peers.stop()
        for server in self._servers:
            server.close()

    async def peer(self) -> int:
        """A peer of the world that takes everything; its port."""
        await self.peers.start()
        return self.peers.ports[0]

    async def smtp(self, context: ssl.SSLContext | None = None, **options: Any) -> int:
        """A well-behaved server that relays for nobody; its port. With ``context``, implicit TLS."""

        def answer() -> SMTP:
            self.connections += 1
            return Refusing(loop=loop, **options)

        loop = asyncio.get_running_loop()
        return self._opened(await loop.create_server(answer, SERVER, 0, ssl=context))

    async def script(self, handler: Handler) -> int:
        """A server that does as the handler says; its port."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                await handler(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        return self._opened(await asyncio.start_server(answer, SERVER, 0))

    async def probe(self, *attempts: Attempt, seconds: float = 20) -> tuple[list[Session], list[Outcome]]:
        """Make attempts."""
        return await self.prober.probe(list(attempts), seconds)

    def _opened(self, server: asyncio.Server) -> int:
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port


def spoken(session: Session) -> str:
    """The transcript as text."""
    return "\n".join(f"{line.who}: {line.text}" for line in session.lines)


@cache
def authority() -> tuple[Any, Any, bytes]:
    """A certificate authority: key, certificate, and the certificate in PEM."""
    return _certificate("Authority", None, [], ca=True)


def server_context(*names: str, trusted: bool = True) -> ssl.SSLContext:
    """A server's context with a certificate for these names, by the authority or by itself."""
    import tempfile

    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, _, pem = _certificate(names[0], authority()[:2] if trusted else None, list(names), ca=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _certificate(
    name: str, issuer: tuple[Any, Any] | None, names: list[str], *, ca: bool
) -> tuple[Any, Any, bytes]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer_key, issuer_name = (issuer[0], issuer[1].subject) if issuer else (key, subject)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
        )
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return key, certificate, certificate.public_bytes(Encoding.PEM)

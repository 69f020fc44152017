"""TLS as a probing client needs it: it talks to everybody, and says afterwards whom it would have trusted."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from grader.model.errors import EngineError
from grader.model.plan import WorldSpec
from grader.model.traffic import Certificate

CHUNK = 64 * 1024


class Contexts:
    """Contexts for one world, made when first needed.

    A *strict* one trusts the lab's authority alone and takes TLS 1.2 or newer (RFC 8996); a *lenient* one takes
    whatever a server offers.
    """

    def __init__(self, spec: WorldSpec) -> None:
        self._spec = spec
        self._contexts: dict[tuple[bool, bool, bool], ssl.SSLContext] = {}

    def context(self, *, strict: bool, named: bool, certificate: bool) -> ssl.SSLContext:
        """The context: ``named`` if the server's name is known, ``certificate`` to show the world's own."""
        key = (strict, named, certificate)
        if key not in self._contexts:
            self._contexts[key] = self._made(strict, named, certificate)
        return self._contexts[key]

    def _made(self, strict: bool, named: bool, certificate: bool) -> ssl.SSLContext:
        if strict and not certificate:
            return usual(self._spec.ca, named=named)
        context = _strict(self._spec.ca, named) if strict else _lenient()
        if certificate:
            self._load_own(context)
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        if not self._spec.client_certificate or not self._spec.client_key:
            raise EngineError("an attempt is to show a client certificate, and the world was given none")
        load_pair(context, self._spec.client_certificate, self._spec.client_key)


@lru_cache(maxsize=4)
def usual(ca: bytes, *, named: bool) -> ssl.SSLContext:
    """The strict context of an authority (PEM; empty for none).

    It is made once in a process: that takes as long as two handshakes, and forks of the process have it.
    """
    return _strict(ca, named)


def _strict(ca: bytes, named: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = named
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        context.load_verify_locations(cadata=ca.decode("ascii"))
    return context


def _lenient() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.verify_mode = ssl.CERT_NONE
    return context


def load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Give a context a certificate with its key, both PEM.

    The ssl module reads keys from files only; this one never touches a disk.
    """
    file = os.memfd_create("pair")
    try:
        os.write(file, certificate + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)


def facts(tls: ssl.SSLObject, problem: str | None, names: list[str] | None = None) -> Certificate:
    """What the server showed: ``problem`` says why its certificate is not trusted, ``None`` that it is.

    ``names`` are those in the certificate where they are known, as they are where a session is resumed.
    """
    cipher = tls.cipher()
    return Certificate(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        names=_names(tls) if names is None else names,
        trusted=problem is None,
        problem=problem,
    )


def _names(tls: ssl.SSLObject) -> list[str]:
    """The names in a certificate, each once."""
    shown = _decoded(tls)
    names = [value for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    names += [value for rdn in shown.get("subject", ()) for kind, value in rdn if kind == "commonName"]
    return list(dict.fromkeys(names))


def _decoded(tls: ssl.SSLObject) -> dict[str, Any]:
    """The certificate's fields; none where a server made one that cannot be read.

    ssl tells them only of contexts that verify, so this one does, after the fact.
    """
    context, mode = tls.context, tls.context.verify_mode
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        return tls.getpeercert() or {}
    except (ValueError, ssl.SSLError):
        # A name in it that is no text, for example: OpenSSL takes it, and Python does not.
        return {}
    finally:
        context.verify_mode = mode


class Encryption:
    """One TLS client over byte strings: what comes in, what is to go out (through ``send``), what was said."""

    def __init__(
        self,
        context: ssl.SSLContext,
        name: str | None,
        send: Callable[[bytes], object],
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Octets, for a text is looked up in IDNA's tables first, which have to be loaded for that.
        host = name.encode("ascii" if name.isascii() else "idna") if name is not None else None
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        self._send = send

    @property
    def session(self) -> ssl.SSLSession | None:
        """What this session can be resumed with, if the server has given a ticket for that (RFC 8446 section 2.2)."""
        session = self.tls.session
        return session if session is not None and session.has_ticket else None

    def handshake(self, data: bytes = b"", *, speaks: bool = False) -> bool:
        """Go on with the handshake; whether it is complete. Raises ``ssl.SSLError`` where it failed.

        The last words of one after which the client ``speaks`` go out with what it says then.
        """
        self._incoming.write(data)
        complete = False
        try:
            self.tls.do_handshake()
            complete = True
        except ssl.SSLWantReadError:
            pass
        finally:
            if not (complete and speaks):
                self._flush()
        return complete

    def decrypt(self, data: bytes) -> bytes:
        """What the server said. Raises ``ssl.SSLError`` where that is no TLS, ``EOFError`` where it ended TLS."""
        self._incoming.write(data)
        if not self._incoming.pending:
            return b""
        said, ended = bytearray(), False
        try:
            # To be told by an exception that there is no more takes longer than to read most replies.
            while not ended and (self._incoming.pending or self.tls.pending()):
                chunk = self.tls.read(CHUNK)
                said += chunk
                ended = not chunk
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        finally:
            self._flush()
        if ended and not said:
            raise EOFError
        return bytes(said)

    def encrypt(self, data: bytes) -> None:
        """Send ``data``."""
        self.tls.write(data)
        self._flush()

    def close(self) -> None:
        """Say goodbye, without waiting for an answer."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        finally:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read())

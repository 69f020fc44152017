"""Which addresses of a scheduler and its workers may be used: what is encrypted, and what never leaves this machine."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from grader.model.errors import UsageError


def refuse_unprotected(address: str) -> None:
    """Raises ``UsageError`` where an address is none of a scheduler, or hand-ins would go to it in the clear."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("tcp", "tls") and bool(parts.hostname) and parts.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"{address[:80]!r} is no address of a scheduler: write it as tls://HOST:PORT, or tcp://127.0.0.1:PORT on "
            "this machine"
        )
    if not encrypted(address):
        raise UsageError(
            f"hand-ins would go to {address} in the clear: start scheduler and workers with TLS, and write tls://"
        )


def encrypted(address: str) -> bool:
    """Whether nobody on the way can read: by TLS, or because there is no way, on this machine alone."""
    parts = urlsplit(address)
    if parts.scheme == "tls":
        return True
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

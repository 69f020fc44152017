"""Requests to a platform: encrypted, never redirected, with the platform's refusals in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from grader.model.errors import GraderError, UsageError

TIMEOUT = 30.0
LONGEST_REASON = 200
LARGEST_SECRET = 10_000


class PlatformError(GraderError):
    """The platform takes nothing at all: what has been sent stands in the log, and the rest can be sent later."""


class NotTaken(Exception):
    """The platform does not take this one student's grade, and why."""


def refuse_unprotected(address: str) -> str:
    """The address without a slash at its end. Raises ``UsageError`` where a secret would go there in the clear."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        local = host == "localhost" or (bool(host) and _is_loopback(host))
    except ValueError:
        parts, host, local = urlsplit(""), "", False
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError(f"{address[:80]!r} is no address to send grades to: write it as https://HOST/…")
    return address.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def secret(path: Path) -> str:
    """The secret in a file's first line. Raises ``UsageError``."""
    try:
        with path.open("rb") as file:
            lines = file.read(LARGEST_SECRET).decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the token in {str(path)!r}: check the path") from error
    if not lines[0].strip():
        raise UsageError(f"{str(path)!r} is empty: put the token into it")
    return lines[0].strip()


def ask(
    method: str,
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Any:
    """What the platform answers, as JSON; ``None`` where that is empty.

    Raises ``NotTaken`` where it refuses this one request, ``PlatformError`` where it refuses all, or does not answer.
    """
    import requests

    where = urlsplit(address).netloc
    try:
        answer = requests.request(
            method,
            address,
            headers=dict(headers or {}),
            data=body if body is not None else dict(form or {}),
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise PlatformError(
            f"{where} does not answer ({type(error).__name__}): send the rest later"
        ) from error
    reason = f"{answer.status_code} {' '.join(answer.text.split())[:LONGEST_REASON]}"
    if answer.status_code in (401, 403):
        raise PlatformError(
            f"{where} refuses the token, or has no right in it for this ({reason}): give another"
        )
    if answer.status_code == 429 or answer.status_code >= 500:
        raise PlatformError(f"{where} takes nothing for now ({reason}): send the rest later")
    if not 200 <= answer.status_code < 300:
        raise NotTaken(reason)
    try:
        return answer.json() if answer.content.strip() else None
    except ValueError as error:
        raise PlatformError(f"{where} does not answer as that platform does: check the address") from error

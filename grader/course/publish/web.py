"""Requests to a platform: encrypted, never redirected, with the platform's refusals in sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from grader.model.deadline import Deadline
from grader.model.errors import GraderError, UsageError

if TYPE_CHECKING:
    from requests import Response

TIMEOUT = 30.0
BUSY_SECONDS = 60.0
"""For how long a request is tried again that the platform has no time for."""
PAUSE_SECONDS = 1.0
"""Before it is tried again for the first time, where the platform names no time; then twice as long each time."""
THROTTLED = "Rate Limit Exceeded"
"""What Canvas says of it, with 403 (its ``RequestThrottle``)."""
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
    where = urlsplit(address).netloc
    answer = _answered(method, address, dict(headers or {}), body if body is not None else dict(form or {}))
    reason = f"{answer.status_code} {' '.join(answer.text.split())[:LONGEST_REASON]}"
    if answer.status_code >= 500 or _throttled(answer):
        raise PlatformError(f"{where} takes nothing for now ({reason}): send the rest later")
    if answer.status_code in (401, 403) and not _of_one_request(answer):
        raise PlatformError(
            f"{where} refuses the token, or has no right in it for this ({reason}): give another"
        )
    if not 200 <= answer.status_code < 300:
        raise NotTaken(reason)
    try:
        return answer.json() if answer.content.strip() else None
    except ValueError as error:
        raise PlatformError(f"{where} does not answer as that platform does: check the address") from error


def _answered(method: str, address: str, headers: dict[str, str], data: bytes | dict[str, str]) -> Response:
    """The answer, asked for again while the platform says that it has no time.

    Raises ``PlatformError`` where there is none.
    """
    import requests

    busy, pause = Deadline(BUSY_SECONDS), PAUSE_SECONDS
    while True:
        try:
            answer = requests.request(
                method, address, headers=headers, data=data, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise PlatformError(
                f"{urlsplit(address).netloc} does not answer ({type(error).__name__}): send the rest later"
            ) from error
        if not _throttled(answer):
            return answer
        named = answer.headers.get("Retry-After", "")
        wait = float(named) if named.isascii() and named.isdigit() else pause
        if wait >= busy.left:
            return answer
        time.sleep(wait)
        pause *= 2


def _throttled(answer: Response) -> bool:
    return answer.status_code == 429 or (answer.status_code == 403 and THROTTLED in answer.text)


def _of_one_request(answer: Response) -> bool:
    """Whether a refusal is Canvas's of this one thing, as for a student who has not that assignment.

    A token that is not valid is refused with ``WWW-Authenticate`` (RFC 6750 section 3); before 2024, both were 401.
    """
    try:
        said = answer.json()
    except ValueError:
        return False
    return (
        isinstance(said, dict)
        and said.get("status") == "unauthorized"
        and "WWW-Authenticate" not in answer.headers
    )

"""AUTH (RFC 4954): how a password is spoken to a server, and in which forms its words must not be put on record."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from grader.model.attempt import Login
from grader.model.traffic import Reply
from grader.world.transcript import CREDENTIALS

GO_ON = 334

SHORTEST_SECRET = 4
"""Shorter passwords are not looked for in a server's words, where they would stand by chance."""


class Ask(Protocol):
    """Says a command and gives the reply; ``shown`` stands on record instead of the command."""

    async def __call__(self, command: str, *, shown: str | None = None) -> Reply:
        """See above."""


async def authenticate(login: Login, ask: Ask) -> Reply:
    """Log in by the mechanism given: PLAIN (RFC 4616), LOGIN or CRAM-MD5 (RFC 2195); the last reply."""
    if login.mechanism == "PLAIN":
        return await ask(f"AUTH PLAIN {_plain(login)}")
    reply = await ask(f"AUTH {login.mechanism}")
    if login.mechanism == "LOGIN":
        for word in (login.user, login.password):
            if reply.code == GO_ON:
                reply = await ask(_base64(word), shown=CREDENTIALS)
    elif login.mechanism == "CRAM-MD5" and reply.code == GO_ON:
        reply = await ask(_cram_md5(login, reply.text[4:]), shown=CREDENTIALS)
    return reply


def secrets(login: Login) -> list[str]:
    """Every form in which the password is spoken."""
    spoken = [_plain(login), _base64(login.password)]
    return [*spoken, login.password] if len(login.password) >= SHORTEST_SECRET else spoken


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _plain(login: Login) -> str:
    return _base64(f"\0{login.user}\0{login.password}")


def _cram_md5(login: Login, challenge: str) -> str:
    """RFC 2195 section 2. A challenge that is no base64 is answered all the same."""
    import hmac

    try:
        asked = base64.b64decode(challenge)
    except (binascii.Error, ValueError):  # the latter of characters beyond ASCII
        asked = b""
    return _base64(f"{login.user} {hmac.new(login.password.encode(), asked, 'md5').hexdigest()}")

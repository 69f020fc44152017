"""AUTH (RFC 4954): PLAIN and LOGIN, step by step, as Postfix with Dovecot does them."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple

BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
USER = re.compile("[A-Za-z0-9._-][A-Za-z0-9._@-]*")
MECHANISMS = ("PLAIN", "LOGIN")


class LoginStep(NamedTuple):
    """Where a login stands.

    ``result`` is what the table calls ``login``: ``response``, ``name`` and ``password`` ask for something;
    ``right``, ``wrong``, ``bad`` and ``unknown`` end it. ``user`` is who wants in.
    """

    result: str
    user: str = ""


def begin(mechanism: str, response: str | None, users: dict[str, str]) -> LoginStep:
    """The first step: ``response`` is the initial response, ``=`` for an empty one, or ``None`` without one."""
    name = mechanism.upper()
    if name not in MECHANISMS:
        return LoginStep("unknown")
    if response is None or (response == "=" and name == "LOGIN"):
        return LoginStep("response" if name == "PLAIN" else "name")
    if response == "=":
        return LoginStep("wrong")
    return go_on(name, LoginStep("response" if name == "PLAIN" else "name"), response, users)


def go_on(mechanism: str, step: LoginStep, response: str, users: dict[str, str]) -> LoginStep:
    """The step after an answer to the server's question."""
    if not BASE64.fullmatch(response):
        return LoginStep("bad")
    text = base64.b64decode(response).decode("latin-1")
    if step.result == "response":
        return _plain(text, users)
    if step.result == "name":
        return LoginStep("password", _plain_name(text)) if USER.fullmatch(text) else LoginStep("wrong")
    return _judged(step.user, text, users)


def _plain(text: str, users: dict[str, str]) -> LoginStep:
    """RFC 4616: on whose behalf (empty for oneself), who, and the password, with NUL between."""
    parts = text.split("\0")
    if len(parts) != 3:
        return LoginStep("wrong")
    behalf, name, password = parts
    user = _plain_name(name)
    return _judged(user, password, users) if behalf in ("", user) else LoginStep("wrong")


def _plain_name(name: str) -> str:
    """A user without the domain: both forms are taken."""
    return name.partition("@")[0].lower()


def _judged(user: str, password: str, users: dict[str, str]) -> LoginStep:
    return LoginStep("right", user) if users.get(user) == password else LoginStep("wrong")

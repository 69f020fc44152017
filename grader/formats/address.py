"""Addresses as envelopes have them (RFC 5321 section 4.1.2): route, local part and domain."""

from __future__ import annotations

import re

from msgspec import Struct

_ROUTE = re.compile(r"(@[^@:\",\s]+(?:,@[^@:\",\s]+)*):")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Address(Struct, frozen=True):
    """An address in parts, as written. ``domain`` is empty where there is none, as in ``postmaster``.

    ``route`` are the hosts of a source route (appendix C), ``@a,@b`` in ``@a,@b:user@c``, which servers ignore.
    ``at`` says where the ``@`` stands that divides the two, -1 where there is none.
    """

    local: str
    domain: str
    route: str = ""
    at: int = -1

    @property
    def same(self) -> tuple[str, str]:
        """What two addresses of one mailbox share: case matters in the local part alone (section 2.4)."""
        return self.local, self.domain.lower()


def split_address(text: str) -> Address:
    """An address without its angle brackets, in parts. An ``@`` inside a quoted local part divides nothing.

    Whatever the text, the parts are what a server would make of it at best: nothing raises.
    """
    route = _ROUTE.match(text)
    begins = route.end() if route else 0
    quoted = _QUOTED.match(text, begins)
    if quoted and text[quoted.end() : quoted.end() + 1] in ("@", ""):
        at = quoted.end() if quoted.end() < len(text) else -1
    else:
        at = text.rfind("@", begins)
    hosts = route[1] if route else ""
    if at < 0:
        return Address(text[begins:], "", hosts)
    return Address(text[begins:at], text[at + 1 :], hosts, at)


def domain_of(text: str) -> str:
    """The domain of an address in lower case, without a dot at its end; empty where it has none."""
    return split_address(text).domain.lower().rstrip(".")

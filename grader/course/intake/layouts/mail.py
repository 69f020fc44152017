"""Attachments of e-mail by the sender's address: ``ADDRESS/FILE``, ``ADDRESS_FILE`` or ``ADDRESS.zip``."""

from __future__ import annotations

import re

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading
from grader.labs.limits import ARCHIVES

_ENDINGS = "|".join(re.escape(ending) for ending in sorted(ARCHIVES, key=len, reverse=True))
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(
    rf"(?P<address>[A-Za-z0-9!#$%&'*+=?^`{{|}}~._-]+@{_LABEL}(?:\.{_LABEL})+?)"
    rf"(?:(?P<packed>{_ENDINGS})|[/_](?P<file>.+))",
    re.IGNORECASE,
)
"""No domain holds an underscore, so that the first one after the ``@`` is the end of the address."""


def knows(name: str, asked: Asked) -> bool:
    """Whether a name begins with an address."""
    return bool(_NAME.fullmatch(name))


def read(listing: Listing, asked: Asked) -> Reading:
    """A hand-in for each address."""
    files: dict[str, list[tuple[str, str]]] = {}
    strays = []
    for name in listing.names:
        if match := _NAME.fullmatch(name):
            files.setdefault(match["address"].lower(), []).append((match["file"] or name, name))
        else:
            strays.append(name)
    found = [
        Found(members=({"email": address},), files=tuple(parts), label=f"{listing.path.name}/{address}")
        for address, parts in sorted(files.items())
    ]
    return Reading(found, strays)

"""DMARC policy records (RFC 9989 sections 4.7 and 4.8), with the place of what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Literal, get_args
from urllib.parse import unquote

from msgspec import Struct

from grader.formats.address import split_address
from grader.formats.taglist import WHITE, Tag, TagList, read_tags

VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
"""How a record begins (section 4.8): the value is case-sensitive, and the tag, a plain string of the grammar, is not
(RFC 5234 section 2.3)."""

Policy = Literal["none", "quarantine", "reject"]
"""What a domain owner can ask for (section 4.7)."""

POLICIES: tuple[str, ...] = get_args(Policy)
POLICY_TAGS = ("p", "sp", "np")
TAGS = ("v", "p", "sp", "np", "adkim", "aspf", "fo", "psd", "rua", "ruf", "t")
REMOVED = ("pct", "rf", "ri")
"""Tags of RFC 7489 that RFC 9989 took out."""
VALUES: dict[str, tuple[str, ...]] = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "t": ("y", "n"),
    "psd": ("y", "n", "u"),
}
"""The values of tags that have a choice of them."""

Fault = Literal["no-policy", "twice", "bad-policy"]
"""Why a record says no policy: ``p`` is missing, a tag stands twice, or ``p``, ``sp`` or ``np`` is none that is."""

_MAIL = re.compile(
    r"mailto:([^@\s!?,;]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?:\?[^\s!,;]*)?(?:![0-9]+[kmgt]?)?", re.IGNORECASE
)
"""An address, perhaps with fields for the header behind it (RFC 6068 section 2), or a size (RFC 7489)."""
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


class Uri(Struct, frozen=True):
    """A URI of ``rua`` or ``ruf`` with its place in the record; ``address`` is empty where it is no ``mailto:``."""

    text: str
    start: int
    end: int
    address: str
    valid: bool


class DmarcRecord(Struct, frozen=True, dict=True):
    """A policy record."""

    text: str
    tag_list: TagList

    @cached_property
    def tags(self) -> dict[str, Tag]:
        """Lower-case names with their first tag. Where a name is no name, or ``=`` is missing, it is left out."""
        return self.tag_list.tags

    @property
    def values(self) -> dict[str, str]:
        """The values of the tags, as written."""
        return self.tag_list.values

    def option(self, tag: str, default: str) -> str:
        """The value of a tag in lower case; the default where it is none of those that there are (section 4.8)."""
        value = self.values.get(tag, default).lower()
        return value if value in VALUES[tag] else default

    def uris(self, tag: str = "rua") -> Iterator[Uri]:
        """What stands in a list of URIs, each with its place."""
        found = self.tags.get(tag)
        if found is None:
            return
        at = found.value_start
        for part in found.value.split(","):
            text = part.strip(WHITE)
            start = at + len(part) - len(part.lstrip(WHITE)) if text else at
            mail = _MAIL.fullmatch(text)
            address = _decoded(mail[1]) if mail else ""
            yield Uri(text, start, start + len(text), address, bool(_URI.fullmatch(text)))
            at += len(part) + 1

    @property
    def addresses(self) -> list[str]:
        """Where aggregate reports are asked for."""
        return [uri.address for uri in self.uris() if uri.address]

    @property
    def duplicate(self) -> Tag | None:
        """The first of DMARC's tags that stands there twice, which makes the list invalid (RFC 6376 section 3.2)."""
        return self.tag_list.duplicate_of(TAGS)

    @property
    def wrong_tag(self) -> str:
        """The tag that keeps the record from being valid: absent, twice there, or of no such value; or empty."""
        if "p" not in self.tags:
            return "p"
        if self.duplicate:
            return self.duplicate.name
        wrong = (tag for tag in POLICY_TAGS if self.values.get(tag, "none").lower() not in POLICIES)
        return next(wrong, "")

    @property
    def fault(self) -> Fault | None:
        """Why it is not valid; ``wrong_tag`` says where."""
        if not self.wrong_tag:
            return None
        if self.wrong_tag not in self.tags:
            return "no-policy"
        return "twice" if self.duplicate else "bad-policy"

    @property
    def valid(self) -> bool:
        """Whether ``p`` is there, it, ``sp`` and ``np`` can be understood, and no tag says two things."""
        return self.fault is None

    @property
    def applies(self) -> bool:
        """Whether receivers go by it: one that says nothing valid must at least ask for reports (4.10.1)."""
        return self.valid or any(uri.valid for uri in self.uris())


@lru_cache(maxsize=1024)
def read_record(text: str) -> DmarcRecord | None:
    """A TXT record, decoded as latin-1, as a policy record; ``None`` where it is none (section 4.7, ``v``)."""
    if not VERSION.match(text):
        return None
    return DmarcRecord(text, read_tags(text, any_case=True))


def _decoded(address: str) -> str:
    """An address of a URI without its percent-encoding (RFC 3986 section 2.1); empty where what it hides is none."""
    plain = unquote(address, "latin-1")
    return plain if plain.isascii() and plain.isprintable() and " " not in plain else ""


def same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses are of one mailbox: case matters in the local part alone (RFC 5321 section 2.4)."""
    first, second = split_address(one), split_address(other)
    return first.same == second.same

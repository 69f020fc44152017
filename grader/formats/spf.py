"""SPF records as RFC 7208 section 12 writes them: terms and macros, each with its place, faults as values.

Nothing here asks DNS and nothing raises. Offsets count characters of the text, which are octets where it was decoded
as latin-1. One fault anywhere makes a record unusable for everybody (section 4.6), so all of it is read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.networks import Address, AddressSet, Network
from grader.formats.spfmacros import macro_fault, pieces

VERSION = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
"""How an SPF record begins (section 4.5)."""

MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
MODIFIERS = ("redirect", "exp")
"""The modifiers that there are; others may stand in a record, and are ignored (section 6)."""
ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
"""Terms that make a receiver ask DNS, of which there may be ten (section 4.6.4)."""

FaultKind = Literal[
    "character", "name", "qualifier", "trailing", "domain-missing", "domain", "macro", "address-missing", "address",
    "prefix", "repeated",
]  # fmt: skip
"""What breaks a term: a character that no term has; no such mechanism; a qualifier before a modifier; something behind
what is complete; a domain that is missing or does not end as one; a macro; an address that is missing or none; a
prefix length; a second ``redirect`` or ``exp``."""

_TERM = re.compile(r"[^ ]+")
_STRANGE = re.compile(r"[^\x21-\x7e]+")
_MODIFIER = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*)=")
_NAME = re.compile(r"[+?~-]?([A-Za-z][A-Za-z0-9_-]*|)")
_PREFIXES = re.compile(r"(?:/([0-9]*))?(?://([0-9]*))?$")
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)


class SpfFault(NamedTuple):
    """What breaks a term, and where in the record it stands."""

    kind: FaultKind
    start: int
    end: int


class Term(Struct, frozen=True, dict=True):
    """A term, from ``start`` to before ``end``.

    ``name`` is in lower case. ``domain`` is a domain-spec as written, from ``domain_start``, empty where none stands;
    an unknown modifier has its value there. ``address`` is that of ``ip4`` and ``ip6``; ``prefix4`` and ``prefix6``
    are the lengths that are written.
    """

    text: str
    start: int
    end: int
    name: str = ""
    qualifier: str = "+"
    is_modifier: bool = False
    domain: str = ""
    domain_start: int = 0
    address: Address | None = None
    prefix4: int | None = None
    prefix6: int | None = None
    fault: SpfFault | None = None

    @property
    def asks(self) -> bool:
        """Whether it counts among the ten terms that ask DNS (section 4.6.4)."""
        return self.name in ASKING

    @cached_property
    def network(self) -> Network | None:
        """The addresses of an ``ip4`` or ``ip6``; bits behind the prefix do not count (section 5.6)."""
        if self.address is None:
            return None
        length = self.prefix4 if self.address.version == 4 else self.prefix6
        return network_of(self.address, length)

    @cached_property
    def covered(self) -> AddressSet | None:
        """The same as a set."""
        if self.network is None:
            return None
        return AddressSet.of(4 if self.network.version == 4 else 6, [self.network])


class SpfRecord(Struct, frozen=True):
    """An SPF record: its terms in order."""

    text: str
    terms: tuple[Term, ...]

    @property
    def faults(self) -> list[Term]:
        """The terms that make it unusable."""
        return [term for term in self.terms if term.fault]

    @property
    def directives(self) -> list[Term]:
        """Its mechanisms, which are tried in order."""
        return [term for term in self.terms if not term.is_modifier]

    def modifier(self, name: str) -> Term | None:
        """``redirect`` or ``exp``, where it stands in the record."""
        return next((term for term in self.terms if term.is_modifier and term.name == name), None)

    @property
    def all_at(self) -> int | None:
        """Where its first ``all`` ends, behind which no mechanism is tried and no ``redirect`` followed (5.1)."""
        return next((term.end for term in self.terms if term.name == "all" and not term.is_modifier), None)


@lru_cache(maxsize=500)
def read_record(text: str) -> SpfRecord | None:
    """A TXT record as an SPF record; ``None`` where it is none (section 4.5)."""
    if not VERSION.match(text):
        return None
    terms = []
    seen: set[str] = set()
    for found in _TERM.finditer(text, len("v=spf1")):
        term = _term(found[0], found.start())
        if term.is_modifier and term.name in MODIFIERS:
            if term.name in seen and term.fault is None:
                term = replace(term, fault=SpfFault("repeated", term.start, term.end))
            seen.add(term.name)
        terms.append(term)
    return SpfRecord(text, tuple(terms))


def _term(text: str, start: int) -> Term:
    """One term. Offsets within it are moved to where it stands."""
    term = Term(text, start, start + len(text))
    modifier = _MODIFIER.match(text)
    if modifier and (not modifier[1] or modifier[2].lower() in MODIFIERS):
        value = modifier.end()
        term = replace(
            term,
            name=modifier[2].lower(),
            is_modifier=True,
            domain=text[value:],
            domain_start=start + value,
        )
        fault = _qualified(term) if modifier[1] else _modifier_fault(term)
    else:
        name = _NAME.match(text)
        assert name is not None
        qualifier = text[0] if text[0] in "+?~-" else "+"
        term = replace(term, qualifier=qualifier, name=name[1].lower())
        term, fault = _mechanism(term, name.end())
    if strange := _STRANGE.search(text):
        fault = SpfFault("character", start + strange.start(), start + strange.end())
    return replace(term, fault=fault) if fault else term


def _qualified(term: Term) -> SpfFault:
    return SpfFault("qualifier", term.start, term.start + 1)


def _modifier_fault(term: Term) -> SpfFault | None:
    if term.name in MODIFIERS:
        return _domain_fault(term.domain, term.domain_start, term)
    bad = macro_fault(term.domain)
    return SpfFault("macro", term.domain_start + bad[0], term.domain_start + bad[1]) if bad else None


def _mechanism(term: Term, at: int) -> tuple[Term, SpfFault | None]:
    """A mechanism whose name ends at ``at``, with what stands behind the name."""
    rest = term.text[at:]
    begins = term.start + at
    if term.name not in MECHANISMS:
        return term, SpfFault("name", begins - len(term.name) if term.name else term.start, term.end)
    if term.name == "all":
        return term, SpfFault("trailing", begins, term.end) if rest else None
    if term.name in ("ip4", "ip6"):
        return _network(term, rest, begins)
    if rest and rest[0] not in (":/" if term.name in ("a", "mx") else ":"):
        return term, SpfFault("trailing", begins, term.end)
    prefixes: SpfFault | None = None
    if term.name in ("a", "mx"):
        found = _PREFIXES.search(rest)
        assert found is not None
        term, prefixes = _with_prefixes(term, found, begins)
        rest = rest[: found.start()]
    if not rest:
        needed = term.name in ("include", "exists")
        return term, SpfFault("domain-missing", begins, term.end) if needed else prefixes
    if not rest.startswith(":"):
        return term, SpfFault("prefix", begins, term.end)
    term = replace(term, domain=rest[1:], domain_start=begins + 1)
    return term, _domain_fault(term.domain, term.domain_start, term) or prefixes


def _with_prefixes(term: Term, found: re.Match[str], begins: int) -> tuple[Term, SpfFault | None]:
    """The prefix lengths of a term, which ``found`` has at its end."""
    lengths: list[int | None] = [None, None]
    fault = None
    for number, most in ((1, 32), (2, 128)):
        if found[number] is None:
            continue
        if _LENGTH.fullmatch(found[number]) and int(found[number]) <= most:
            lengths[number - 1] = int(found[number])
        else:
            slash = begins + found.start(number) - number
            fault = fault or SpfFault("prefix", slash, begins + found.end(number))
    return replace(term, prefix4=lengths[0], prefix6=lengths[1]), fault


def _network(term: Term, rest: str, begins: int) -> tuple[Term, SpfFault | None]:
    if rest in ("", ":") or rest.startswith(":/"):
        return term, SpfFault("address-missing", begins, term.end)
    if not rest.startswith(":"):
        return term, SpfFault("trailing", begins, term.end)
    written, slash, length = rest[1:].partition("/")
    address = _address(term.name, written)
    ends = begins + 1 + len(written)
    if address is None:
        return term, SpfFault("address", begins + 1, ends)
    term = replace(term, address=address)
    if not slash:
        return term, None
    if not _LENGTH.fullmatch(length) or int(length) > address.max_prefixlen:
        return term, SpfFault("prefix", ends, term.end)
    if address.version == 4:
        return replace(term, prefix4=int(length)), None
    return replace(term, prefix6=int(length)), None


def _address(name: str, written: str) -> Address | None:
    if "%" in written:
        return None  # ipaddress takes a zone, which SPF does not know
    try:
        return ipaddress.IPv4Address(written) if name == "ip4" else ipaddress.IPv6Address(written)
    except ValueError:
        return None


def _domain_fault(spec: str, start: int, term: Term) -> SpfFault | None:
    """What keeps a text from being a domain-spec (section 7.1)."""
    if not spec:
        return SpfFault("domain-missing", max(term.start, start - 1), term.end)
    if bad := macro_fault(spec):
        return SpfFault("macro", start + bad[0], start + bad[1])
    last = list(pieces(spec))[-1].text
    if last.startswith("%"):
        return None
    dot, label = last.removesuffix(".").rpartition(".")[1:]
    if dot and _LABEL.fullmatch(label) and not label.isdigit():
        return None
    ends = start + len(spec)
    begins = ends - len(label) - (1 if last.endswith(".") else 0)
    return SpfFault("domain", min(begins, ends - 1), ends)


def network_of(address: Address, length: int | None) -> Network:
    """The network that an address and a prefix length make; a single address without one (section 5.6)."""
    bits = address.max_prefixlen if length is None else length
    return ipaddress.ip_network((address.packed, bits), strict=False)


def domain_words(spec: str) -> Iterator[str]:
    """The macro letters in a domain-spec, in lower case: what the name depends on."""
    for piece in pieces(spec):
        if piece.letter:
            yield piece.letter.lower()

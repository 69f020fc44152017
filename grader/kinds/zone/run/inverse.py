"""Macros read backwards: which clients, and what they say, make a term ask for a name that the zones hold.

A term such as ``exists:%{ir}._ok.%{d}`` asks for a name of its own for each client. Of all those names nearly none
exists, and all that do not are alike; so it is enough to know which clients lead to the names that there are
(RFC 7208 section 7).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import unquote

from msgspec import Struct

from grader.formats.networks import AddressSet, Network, Version
from grader.formats.spfmacros import Piece, expand, pieces
from grader.kinds.zone.run.alike import Alike
from grader.kinds.zone.run.strangers import DOMAIN
from grader.model.dns import ZoneRecord

ANYBODY = "anybody"
"""A local part, or a label below a wildcard, that no zone names."""
MOST_VIEWS = 20_000
"""Names that are looked at, those among them that a DNAME makes."""
LONGEST_NAME = 253
"""Characters of a name without the dot at its end (RFC 1035 section 2.3.4)."""
MOST_ALIASES = 4
"""DNAMEs that one name leads through: one that leads back to itself shows nothing new by then."""
MOST_OPEN = 2
"""Macros in one name that a client fills: more of them would take too long to tell apart, unless each is one label."""
_ESCAPED = re.compile(r"\\(?:(?!046)([0-9]{3})|([^0-9.]))")
"""A character of a label that a master file writes otherwise; a dot within a label is none that a macro makes."""

_PARTS: dict[int, tuple[int, int, str]] = {4: (4, 8, "0|[1-9][0-9]{0,2}"), 6: (32, 4, "[0-9a-f]")}
"""How many parts an address has in a name, how many bits each, and how one is written (section 7.3)."""
_FILLS = {
    4: ("198.51.100.66", "203.0.113.66", "192.0.2.66", "10.66.66.66"),
    6: ("2001:db8:bad::66", "2001:db8:66:66:66:66:66:66", "fd66:6666:6666:6666:6666:6666:6666:6666"),
}
"""Addresses whose parts stand where a name leaves some open; nobody's in particular."""

_Label = list[str | int]
"""A label of a name: plain text, and the numbers of the address's parts that stand in it."""


class Saying(Struct, frozen=True):
    """What a client says, as far as a name is made from it: a local part, a name in EHLO."""

    local: str = ""
    helo: str = ""


class Owners:
    """The names that some zones hold, in lower case."""

    def __init__(self, records: Iterable[ZoneRecord]) -> None:
        self._records = list(records)

    @cached_property
    def owners(self) -> list[str]:
        """The names of records, each once; and what a DNAME lets them be called (RFC 6672)."""
        found = dict.fromkeys(record.owner for record in self._records)
        names: dict[str, list[str]] = {}
        for record in self._records:
            if record.type == "DNAME":
                names.setdefault(record.data.lower().rstrip("."), []).append(record.owner)
        waiting = [(name, 0) for name in found] if names else []
        for name, aliases in waiting:  # which grows by what is found
            dot = name.find(".") if aliases < MOST_ALIASES else -1
            while dot >= 0 and len(found) < MOST_VIEWS:
                for owner in names.get(name[dot + 1 :], ()):
                    other = name[: dot + 1] + owner
                    if len(other) <= LONGEST_NAME and other not in found:
                        found[other] = None
                        waiting.append((other, aliases + 1))
                dot = name.find(".", dot + 1)
        return list(found)

    @cached_property
    def alike(self) -> Alike:
        """Compares these names."""
        return Alike(self._records)

    @property
    def complete(self) -> bool:
        """Whether no name was left out because there are too many: what the others say then proves nothing."""
        return len(self.owners) < MOST_VIEWS

    @cached_property
    def hosts(self) -> dict[str, list[str]]:
        """The names of each address, for zones without any that says what an address is called; else nothing.

        Whoever runs a reverse zone gives an address the name that they like, and only that the name leads back to it
        is proved (RFC 7208 section 5.5): so where no such zone is at hand, each name that has an address is its own.
        """
        found: dict[str, list[str]] = {}
        if not any(owner.endswith(".arpa") for owner in self.owners):
            for record in self._records:
                if record.type in ("A", "AAAA"):
                    address = str(ipaddress.ip_address(record.data))
                    found.setdefault(address, []).append(record.owner.replace("*", ANYBODY, 1))
        return found

    def named(self, version: Version) -> list[AddressSet]:
        """The addresses of ``hosts``, each by itself."""
        hosts = [ipaddress.ip_address(text) for text in self.hosts]
        return [AddressSet.of(version, [host]) for host in hosts if host.version == version]

    def ends(self, most: int, tail: str) -> Iterator[list[str]]:
        """The last labels of names that exist below ``tail``, up to so many of them, each such end once.

        Below a wildcard all names exist: its star is left out (RFC 4592).
        """
        known: set[str] = set()
        for owner in self.owners:
            if tail and not owner.endswith(f".{tail}"):
                continue
            labels = owner.removeprefix("*.").split(".")[-most:]
            while labels and (end := ".".join(labels)) not in known:
                known.add(end)
                yield labels
                labels = labels[1:]

    @cached_property
    def said(self) -> list[str]:
        """The names of records that a client could make a term ask for, one below each wildcard."""
        return [_covered(owner) for owner in self.owners]

    @cached_property
    def speaking(self) -> set[str]:
        """Those of ``said`` at which a text may be found; at all others there is surely none."""
        texts = {_covered(record.owner) for record in self._records if record.type in ("TXT", "CNAME")}
        return texts | (set(self.said) - {_covered(record.owner) for record in self._records})

    @cached_property
    def marked(self) -> set[str]:
        """Names for which DMARC may find something of their own: where there is none, one is like any other."""
        found = set(self.owners) - {record.owner for record in self._records}
        for record in self._records:
            if record.type in ("TXT", "CNAME", "DNAME", "NS"):
                found.add(record.owner.removeprefix("_dmarc."))
            if record.owner.startswith("*."):
                found.add(record.owner[2:])
        return found


def _covered(owner: str) -> str:
    """A name, or one that a wildcard covers (RFC 4592)."""
    return f"{ANYBODY}{owner[1:]}" if owner.startswith("*.") else owner


def cuts(spec: str, values: Mapping[str, str], version: Version, owners: Owners) -> list[AddressSet]:
    """The sets of clients for which a domain-spec with ``i`` leads to names that exist, the smallest first.

    ``values`` are the other letters'. Where the open parts of an address stand between fixed ones, a few addresses
    stand for all such.
    """
    labels = _labels(spec, values, version)
    patterns: dict[int, re.Pattern[str]] = {}
    found: dict[AddressSet, None] = {}
    for name in owners.ends(len(labels), _tail(labels)):
        length = len(name)
        if length not in patterns:
            patterns[length] = _pattern(labels[-length:], version)
        match = patterns[length].fullmatch(".".join(name))
        if match and match.groupdict() and (clients := _clients(match.groupdict(), version)):
            found[clients] = None
    return sorted(found, key=lambda clients: clients.size)


def _labels(spec: str, values: Mapping[str, str], version: Version) -> list[_Label]:
    count = _PARTS[version][0]
    labels: list[_Label] = [[]]
    for piece in pieces(spec):
        if piece.letter.lower() == "i":
            for position, part in enumerate(_kept(list(range(count)), piece)):
                if position:
                    labels.append([])
                labels[-1].append(part)
            continue
        first, *rest = expand(piece.text, values).lower().split(".")
        labels[-1].append(first)
        labels += [[text] for text in rest]
    return labels if labels[-1] not in ([], [""]) else labels[:-1]  # a dot at the end


def _tail(labels: Sequence[_Label]) -> str:
    """The last labels, as far as they are plain text."""
    plain: list[str] = []
    for label in reversed(labels):
        if not all(isinstance(part, str) for part in label):
            break
        plain.append("".join(map(str, label)))
    return ".".join(reversed(plain))


def _kept(parts: list[int], piece: Piece) -> list[int]:
    """Which parts of an address a macro keeps, in its order: without a dot among its delimiters, all."""
    if piece.delimiters and "." not in piece.delimiters:
        return parts
    if piece.reverse:
        parts = parts[::-1]
    return parts[-piece.keep :] if piece.keep else parts


def _pattern(labels: Sequence[_Label], version: Version) -> re.Pattern[str]:
    """Matches names of these labels; each part of an address is a group."""
    written = _PARTS[version][2]
    seen: set[int] = set()

    def source(part: str | int) -> str:
        if isinstance(part, str):
            return re.escape(part)
        if part in seen:
            return f"(?P=p{part})"
        seen.add(part)
        return f"(?P<p{part}>{written})"

    return re.compile(r"\.".join("".join(map(source, label)) for label in labels))


def _clients(groups: Mapping[str, str], version: Version) -> AddressSet | None:
    """The addresses with these parts; ``None`` where one is too large."""
    count, bits, _ = _PARTS[version]
    parts = {int(name[1:]): int(text, 10 if version == 4 else 16) for name, text in groups.items()}
    if max(parts.values()) >= 1 << bits:
        return None
    if set(parts) == set(range(len(parts))):
        return AddressSet.of(version, [_network(parts, count, bits)])
    found = []
    for fill in _FILLS[version]:
        number = int(ipaddress.ip_address(fill))
        for part, value in parts.items():
            shift = bits * (count - 1 - part)
            number = number & ~(((1 << bits) - 1) << shift) | value << shift
        found.append(ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number))
    return AddressSet.of(version, found)


def _network(parts: Mapping[int, int], count: int, bits: int) -> Network:
    number = sum(value << bits * (count - 1 - part) for part, value in parts.items())
    if count == 4:
        return ipaddress.IPv4Network((number, bits * len(parts)))
    return ipaddress.IPv6Network((number, bits * len(parts)))


def sayings(spec: str, values: Mapping[str, str], owners: Owners) -> Iterator[Saying]:
    """What a client can say so that a domain-spec with ``s``, ``l`` or ``h`` leads to a name of a record.

    ``values`` are those of ``d`` and ``o``.
    """
    asked = list(pieces(spec))
    spoken = list({piece.text: piece for piece in asked if piece.letter.lower() in ("s", "l", "h")}.values())
    if not spoken:
        return
    sender_domain = values["o"].lower()
    others = sum(piece.letter.lower() in ("i", "p") for piece in asked)
    one = ".+?"
    if len(spoken) + others > MOST_OPEN:
        yield from (Saying(name.partition(".")[0], name) for name in owners.said)
        one = r"[^.]+"
    pattern = _spoken_pattern(asked, spoken, values, one)
    for name in owners.said:
        if match := pattern.fullmatch(_unescaped(name)):
            yield _saying(zip(spoken, match.groups(), strict=True), sender_domain)
    if _ends_as_said(asked):
        yield _saying([(piece, DOMAIN) for piece in spoken], sender_domain)


def _spoken_pattern(
    asked: Iterable[Piece], spoken: Sequence[Piece], values: Mapping[str, str], one: str
) -> re.Pattern[str]:
    """Matches what a domain-spec becomes; a group is what is said. A macro that stands twice says the same twice."""
    numbers = {piece.text: number for number, piece in enumerate(spoken, 1)}
    seen: set[str] = set()
    sources = []
    for piece in asked:
        if number := numbers.get(piece.text):
            sources.append(f"(?:\\{number})" if piece.text in seen else f"({one})")
            seen.add(piece.text)
        elif piece.letter.lower() in ("i", "p"):
            sources.append(one)
        elif piece.letter.lower() == "v":
            sources.append("(?:in-addr|ip6)")
        else:
            sources.append(re.escape(expand(piece.text, values).lower()))
    return re.compile("".join(sources).removesuffix(r"\."))


def _unescaped(name: str) -> str:
    """A name as macros write it: all octets as they are (RFC 1035 section 5.1), save dots that part no labels."""
    if "\\" not in name:
        return name
    return _ESCAPED.sub(lambda found: chr(int(found[1])) if found[1] else found[2], name)


def _ends_as_said(asked: Sequence[Piece]) -> bool:
    """Whether a name ends in what the client says, and so lies in a domain of its choice.

    A single label is a top-level domain, which strangers do not have.
    """
    *_, last = [piece for piece in asked if piece.text != "."] or [Piece("")]
    return last.letter.lower() in ("l", "h") and last.keep != 1


def _saying(found: Iterable[tuple[Piece, str]], sender_domain: str) -> Saying:
    local = helo = ""
    for piece, text in found:
        parts = text.split(".")
        if piece.reverse:
            parts.reverse()
        value = (piece.delimiters[:1] or ".").join(parts)
        if piece.letter.isupper():
            value = unquote(value)
        match piece.letter.lower():
            case "l":
                local = local or value
            case "s":
                sender = value if value.endswith(f"@{sender_domain}") else text
                local = local or sender.partition("@")[0]
            case _:
                helo = helo or value
    return Saying(local, helo)

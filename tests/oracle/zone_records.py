"""The records of a zone as the hunt changes them, and the many ways to write them that mean the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

_LINE = re.compile(r"(\S+)\s+(?:IN\s+)?(SOA|NS|A|AAAA|MX|TXT|CNAME|DNAME)\s+(.*)", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
MOST = 200
"""Characters of one string, where a text is not divided otherwise."""


@dataclass
class Record:
    """A record of the zone; the data of a TXT record is its text, without quotation marks.

    ``cuts`` are where a text is divided into strings, every 200 characters if there are none.
    """

    owner: str
    type: str
    data: str
    ttl: str = ""
    cuts: list[int] = field(default_factory=list)

    @property
    def strings(self) -> list[str]:
        """The strings of a TXT record."""
        ends = sorted({cut for cut in self.cuts if 0 < cut < len(self.data)})
        ends = ends or list(range(MOST, len(self.data), MOST))
        return [self.data[a:b] for a, b in zip([0, *ends], [*ends, len(self.data)], strict=True)]

    def line(self) -> str:
        """As the master file has it."""
        return f"{self.owner} {self.ttl} IN {self.type} {self.rdata()}".replace("  ", " ", 1)

    def rdata(self) -> str:
        """The data as the master file has them."""
        return " ".join(_quoted(text) for text in self.strings) if self.type == "TXT" else self.data


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(c if " " <= c <= "~" else "".join(f"\\{o:03d}" for o in c.encode()) for c in escaped)
        + '"'
    )


def read(text: str) -> list[Record]:
    """The records of a zone as the lab's own solution writes them."""
    joined = re.sub(r"\(([^()]*)\)", lambda found: found[1].replace("\n", " "), _without_comments(text))
    records = []
    for line in joined.splitlines():
        if found := _LINE.fullmatch(line.strip()):
            strings = "".join(_STRING.findall(found[3]))
            records.append(Record(found[1], found[2], strings if found[2] == "TXT" else found[3].strip()))
    return records


def _without_comments(text: str) -> str:
    return "\n".join(re.sub(r'^((?:[^";]|"(?:[^"\\]|\\.)*")*);.*', r"\1", line) for line in text.splitlines())


def write(records: list[Record], random: Random | None = None, domain: str = "") -> str:
    """A master file; with ``random``, in one of the many ways in which people and programs write them."""
    if random is None or random.random() < 0.4:
        return "$TTL 1h\n" + "".join(f"{record.line()}\n" for record in records)
    ways = {way for way in WAYS if random.random() < 0.35}
    lines = [
        "; generated" if "comments" in ways else "",
        f"$TTL {random.choice(('1h', '3600', '1H', '60m', '1w2d3h'))}",
    ]
    last = ""
    for record in records:
        if "origins" in ways and random.random() < 0.2:
            lines += [f"$ORIGIN {_full('sub', domain)}", f"$ORIGIN {domain}."]
        lines.append(_written(record, random, ways, domain, last))
        last = record.owner
    ends = "\r\n" if "windows" in ways else "\n"
    return ends.join(lines) + ("" if "open-end" in ways else ends)


WAYS = (
    "absolute", "class-first", "no-class", "small", "several-lines", "comments", "blank-owner", "escapes", "generic",
    "generic-type", "tabs", "windows", "open-end", "origins", "capitals",
)  # fmt: skip


def _full(owner: str, domain: str) -> str:
    if owner == "@":
        return f"{domain}."
    return owner if owner.endswith(".") else f"{owner}.{domain}."


def _written(record: Record, random: Random, ways: set[str], domain: str, last: str) -> str:
    def now(way: str) -> bool:
        return way in ways and random.random() < 0.6

    owner = _full(record.owner, domain) if now("absolute") else record.owner
    if now("capitals"):
        owner = owner.upper()
    if record.owner == last and now("blank-owner"):
        owner = ""
    kind, data = record.type, record.rdata()
    if now("generic-type"):
        kind = {"A": "TYPE1", "NS": "TYPE2", "TXT": "TYPE16", "MX": "TYPE15", "AAAA": "TYPE28"}.get(
            kind, kind
        )
    elif now("small"):
        kind = kind.lower()
    if record.type == "TXT" and now("generic"):
        octets = b"".join(bytes([len(text.encode())]) + text.encode() for text in record.strings)
        data = f"\\# {len(octets)} {octets.hex()}"
    elif record.type == "TXT" and now("escapes"):
        data = re.sub(
            r"(?<=[^\\])([;ae])", lambda c: f"\\{ord(c[1]):03d}" if random.random() < 0.5 else c[1], data
        )
    if record.type in ("TXT", "SOA", "MX") and now("several-lines"):
        data = "( " + data.replace('" "', '"\n   ; a comment ( "\n   "') + "\n )"
    middle = [record.ttl, "" if now("no-class") else "IN"]
    if now("class-first"):
        middle.reverse()
    blank = "\t" if now("tabs") else " "
    return blank.join([owner, *(part for part in middle if part), kind, data]) + (
        "  ; said by @" if now("comments") else ""
    )

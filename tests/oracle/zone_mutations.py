"""What may befall a zone: records dropped, widened, narrowed and added, each change a function of a random source."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.oracle.mutations import fill

_LINE = re.compile(r"(\S+)\s+(?:IN\s+)?(SOA|NS|A|AAAA|MX|TXT|CNAME)\s+(.*)", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Record:
    """A record of the zone; the data of a TXT record is its text, without quotation marks."""

    owner: str
    type: str
    data: str

    def line(self) -> str:
        """As the master file has it."""
        data = self.data
        if self.type == "TXT":
            escaped = data.replace("\\", "\\\\").replace('"', '\\"')
            data = " ".join(f'"{escaped[at : at + 200]}"' for at in range(0, max(1, len(escaped)), 200))
        return f"{self.owner} IN {self.type} {data}"


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


def write(records: list[Record]) -> str:
    """A master file."""
    return "$TTL 1h\n" + "".join(f"{record.line()}\n" for record in records)


Operator = Callable[[Random, list[Record], dict[str, str]], str]

TERMS = (
    "mx", "a", "mx/24", "mx/30", "mx//64", "mx//112", "mx/31//127", "a/24", "a:www.@domain@/28", "a:@host@",
    "a:@host@//96",
    "ip4:@host_v4@", "ip4:@host_v4@/31", "ip4:@host_v4@/25", "ip6:@host_v6@", "ip6:@host_v6@/64", "ip6:@host_v6@/120",
    "ip4:@web_v4@", "ip4:@web_v4@/29", "ip4:@former_v4@", "ip4:0.0.0.0/1", "ip4:128.0.0.0/2", "ip4:192.0.2.128/26",
    "ip4:192.0.2.128/25", "ip6:2001:db8:4e57::/48", "ip6:2001:db8:4e57::/47", "ip6:2001:db8::/32", "ip6:2000::/3",
    "include:_spf.@newsletter@", "include:@newsletter@", "include:@third@", "include:@partner@", "include:@outside@",
    "include:@domain@", "include:@host@", "exists:%{i}.@domain@", "exists:www.@domain@", "exists:%{l}.@domain@",
    "exists:%{h}", "exists:%{d2}", "ptr", "ptr:@domain@", "all", "?all", "~all", "-all", "+all", "-ip4:@host_v4@",
    "?ip4:0.0.0.0/0", "~include:_spf.@newsletter@", "redirect=@host@", "redirect=_spf.@newsletter@", "redirect=@third@",
    "exp=why.@domain@", "x-mark=1", "MX", "A:WWW.@domain@", "a:nothing.@domain@", "a:none.@domain@", "a:no.@domain@",
    "mx:@outside@", "a:%{d}", "a:www.%{d}", "-all:x", "ip4:1.2.3", "a:@quiet@.@domain@",
)  # fmt: skip
RECORDS = (
    ("www", "TXT", "v=spf1 all"),
    ("www", "TXT", "v=spf1 a/24 -all"),
    ("*", "TXT", "v=spf1 +all"),
    ("*", "TXT", "v=spf1 mx -all"),
    ("*", "A", "@web_v4@"),
    ("*", "MX", "10 @host@."),
    ("*.news", "TXT", "v=spf1 ip4:198.51.100.0/24 -all"),
    ("news", "TXT", "v=spf1 include:_spf.@newsletter@ ip4:192.0.2.0/24 -all"),
    ("old", "TXT", "v=spf1 ip4:@former_v4@ -all"),
    ("ns", "TXT", "v=spf1 ip4:0.0.0.0/2 ~all"),
    ("@", "TXT", "v=spf1 -all"),
    ("@", "TXT", "google-site-verification=abc"),
    ("@host@.", "TXT", "v=spf1 a/24 -all"),
    ("@host@.", "A", "203.0.113.66"),
    ("www", "A", "192.0.2.81"),
    ("www", "AAAA", "2001:db8:77::80"),
    ("@", "A", "@former_v4@"),
    ("@", "MX", "20 @outside_host@."),
    ("@", "MX", "20 backup"),
    ("backup", "A", "@former_v4@"),
    ("@quiet@", "TXT", "v=spf1 ~all"),
    ("_dmarc.@quiet@", "TXT", "v=DMARC1; p=none"),
    ("_dmarc.news", "TXT", "v=DMARC1; p=quarantine"),
    ("_dmarc.www", "TXT", "v=DMARC1; p=reject; aspf=s"),
    ("*._dmarc", "TXT", "v=DMARC1; p=none"),
    ("_dmarc", "TXT", "v=DMARC1; p=none"),
    ("_dmarc", "TXT", "v=spf1 -all"),
    ("lists", "MX", "10 @host@."),
    ("*._report._dmarc", "TXT", "v=DMARC1"),
)
TAGS = (
    "p=none", "p=quarantine", "p=reject", "sp=none", "sp=quarantine", "sp=reject", "aspf=s", "adkim=s", "aspf=r",
    "adkim=r",
    "np=none", "np=reject", "np=quarantine", "t=y", "t=n", "psd=n", "psd=y", "pct=100", "pct=0", "fo=1", "ri=86400",
    "p=Reject",
    "P=reject", "sp=block", "p=", "rf=afrf", "x=y", "ruf=mailto:dmarc@@domain@",
)  # fmt: skip


def _spf(records: list[Record]) -> list[Record]:
    return [
        record for record in records if record.type == "TXT" and record.data.casefold().startswith("v=spf1")
    ]


def drop(random: Random, records: list[Record], names: dict[str, str]) -> str:
    """Drop a record other than SOA and NS."""
    chosen = random.choice([record for record in records if record.type not in ("SOA", "NS")])
    records.remove(chosen)
    return f"without {chosen.line()[:100]}"


def add(random: Random, records: list[Record], names: dict[str, str]) -> str:
    """Add a record that people have."""
    record = Record(*(fill(text, names) for text in random.choice(RECORDS)))
    records.append(record)
    return f"+ {record.line()}"


def _terms(change: Callable[[Random, list[str], dict[str, str]], object]) -> Operator:
    def operator(random: Random, records: list[Record], names: dict[str, str]) -> str:
        choices = _spf(records)
        if not choices:
            return ""
        # The domain's own record is the one that matters most.
        record = choices[0] if random.random() < 0.3 else random.choice(choices)
        own = [known for known in choices if known.owner == "@"]
        record = own[0] if own and random.random() < 0.6 else record
        version, *terms = record.data.split(" ")
        if not terms:
            return ""
        change(random, terms, names)
        record.data = " ".join([version, *terms])
        return f"{record.owner}: {record.data}"

    return operator


def _drop_term(random: Random, terms: list[str], names: dict[str, str]) -> None:
    terms.pop(random.randrange(len(terms)))


def _add_term(random: Random, terms: list[str], names: dict[str, str]) -> None:
    term = fill(random.choice(TERMS), names)
    at_end = random.random() < 0.1
    terms.insert(len(terms) if at_end else random.randint(0, max(0, len(terms) - 1)), term)


def _replace_term(random: Random, terms: list[str], names: dict[str, str]) -> None:
    terms[random.randrange(len(terms))] = fill(random.choice(TERMS), names)


def _swap_terms(random: Random, terms: list[str], names: dict[str, str]) -> None:
    one, other = random.randrange(len(terms)), random.randrange(len(terms))
    terms[one], terms[other] = terms[other], terms[one]


def _qualify(random: Random, terms: list[str], names: dict[str, str]) -> None:
    at = random.randrange(len(terms))
    if "=" not in terms[at]:
        terms[at] = random.choice("+-~?") + terms[at].lstrip("+-~?")


def _prefix(random: Random, terms: list[str], names: dict[str, str]) -> None:
    at = random.randrange(len(terms))
    name = terms[at].lstrip("+-~?").split(":")[0].split("/")[0].casefold()
    if name in ("a", "mx", "ip4", "ip6"):
        bits = 128 if name == "ip6" else 32
        terms[at] = terms[at].split("/")[0] + f"/{random.choice((0, 1, 8, 16, 20, 24, 28, 30, 31, bits))}"
        if name in ("a", "mx") and random.random() < 0.5:
            terms[at] += f"//{random.choice((0, 1, 32, 48, 64, 112, 127, 128))}"


def tag(random: Random, records: list[Record], names: dict[str, str]) -> str:
    """Drop, change or add a tag of a DMARC record."""
    choices = [record for record in records if record.type == "TXT" and record.data.startswith("v=DMARC1; ")]
    if not choices:
        return ""
    record = random.choice(choices)
    parts = record.data.split("; ")
    kind = random.random()
    if kind < 0.25 and len(parts) > 1:
        parts.pop(random.randrange(1, len(parts)))
    elif kind < 0.4:
        one, other = random.randrange(len(parts)), random.randrange(len(parts))
        parts[one], parts[other] = parts[other], parts[one]
    else:
        new = fill(random.choice(TAGS), names)
        name = new.partition("=")[0].casefold()
        same = [index for index, part in enumerate(parts) if part.partition("=")[0].casefold() == name]
        if same and random.random() < 0.85:
            parts[same[0]] = new
        else:
            parts.insert(random.randint(1, len(parts)), new)
    record.data = "; ".join(parts)
    return f"{record.owner}: {record.data}"


def address(random: Random, records: list[Record], names: dict[str, str]) -> str:
    """Another address for a host."""
    choices = [record for record in records if record.type == "A" and record.owner != "ns"]
    if not choices:
        return ""
    record = random.choice(choices)
    record.data = random.choice((names["former_v4"], names["web_v4"], "203.0.113.66", names["host_v4"]))
    return record.line()


OPERATORS: tuple[tuple[Operator, int], ...] = (
    (drop, 2),
    (add, 5),
    (_terms(_drop_term), 2),
    (_terms(_add_term), 6),
    (_terms(_replace_term), 4),
    (_terms(_swap_terms), 2),
    (_terms(_qualify), 2),
    (_terms(_prefix), 4),
    (tag, 5),
    (address, 1),
)


def mutate(random: Random, records: list[Record], names: dict[str, str]) -> list[str]:
    """One to three changes; what each did."""
    operators, weights = zip(*OPERATORS, strict=True)
    wanted = random.choices((1, 2, 3), (5, 3, 1))[0]
    said: list[str] = []
    while len(said) < wanted:
        (operator,) = random.choices(operators, weights)
        if did := operator(random, records, names):
            said.append(did)
    return said

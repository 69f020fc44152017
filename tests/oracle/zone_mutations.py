"""What may befall a zone: records dropped, moved, widened, narrowed and added, each a function of a random source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.oracle.editing import fill
from tests.oracle.zone_records import Record

Names = dict[str, str]
Operator = Callable[[Random, list[Record], Names], str]
"""Changes the records and says what it did; empty where it found nothing to change."""

BITS = (0, 1, 8, 16, 20, 24, 28, 30, 31)
LONG_BITS = (0, 1, 32, 48, 64, 112, 127, 128)
ODD = {
    "tab": "\t",
    "two blanks": "  ",
    "no-break space": "\u00a0",
    "semicolon": ";",
    "comma": ",",
    "quote": '"',
}


@cache
def words() -> dict[str, list[Any]]:
    """What administrators write: ``terms``, ``owners``, ``records``, ``tags`` and ``key-tags``."""
    text = Path(__file__).with_name("zone_words.yaml").read_text(encoding="utf-8")
    document: dict[str, list[Any]] = yaml.safe_load(text)
    return document


def _word(random: Random, kind: str, names: Names) -> str:
    return fill(random.choice(words()[kind]), names)


def _texts(records: list[Record], begins: str) -> list[Record]:
    return [r for r in records if r.type == "TXT" and r.data.casefold().startswith(begins)]


def _spf(random: Random, records: list[Record]) -> Record | None:
    """An SPF record, the domain's own most often."""
    choices = _texts(records, "v=spf1")
    own = [record for record in choices if record.owner == "@"]
    if own and random.random() < 0.6:
        return own[0]
    return random.choice(choices) if choices else None


def drop(random: Random, records: list[Record], names: Names) -> str:
    """Drop a record, seldom the SOA or an NS."""
    spared = () if random.random() < 0.1 else ("SOA", "NS")
    chosen = random.choice([record for record in records if record.type not in spared])
    records.remove(chosen)
    return f"without {chosen.line()[:100]}"


def add(random: Random, records: list[Record], names: Names) -> str:
    """Add a record that people have."""
    owner, kind, data = (fill(text, names) for text in random.choice(words()["records"]))
    record = Record(owner, kind, data)
    records.append(record)
    return f"+ {record.line()}"


def move(random: Random, records: list[Record], names: Names) -> str:
    """Move a record to another name, or copy it there."""
    chosen = random.choice([record for record in records if record.type != "SOA"])
    owner = _word(random, "owners", names)
    if random.random() < 0.5:
        records.append(replace(chosen, owner=owner))
        return f"{owner} has a copy of {chosen.line()[:100]}"
    said = f"moved to {owner}: {chosen.line()[:100]}"
    chosen.owner = owner
    return said


def alias(random: Random, records: list[Record], names: Names) -> str:
    """Give what a name holds to another one, and make the name an alias of it; or rename all below it (DNAME)."""
    owners = sorted({record.owner for record in records if record.owner != "@"})
    if not owners:
        return ""
    owner, target = random.choice(owners), random.choice(("alias-target", "@third@.", "@newsletter@.", "www"))
    target = fill(target, names)
    mine = [record for record in records if record.owner == owner]
    for record in mine:
        if random.random() < 0.9:
            record.owner = target if not target.endswith(".") else "elsewhere"
    kind = "DNAME" if random.random() < 0.2 else "CNAME"
    records.append(Record(owner, kind, target))
    return f"{owner} {kind} {target}"


def address(random: Random, records: list[Record], names: Names) -> str:
    """Another address for a host."""
    choices = [record for record in records if record.type in ("A", "AAAA")]
    if not choices:
        return ""
    record = random.choice(choices)
    four = (
        names["former_v4"],
        names["web_v4"],
        "203.0.113.66",
        names["host_v4"],
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
    )
    six = (names["stranger_v6"], names["host_v6"], "::1", "::ffff:203.0.113.66", "2001:DB8:113:0:0:0:0:10")
    record.data = random.choice(four if record.type == "A" else six)
    return record.line()


def exchanger(random: Random, records: list[Record], names: Names) -> str:
    """Another mail server for a name."""
    choices = [record for record in records if record.type == "MX"]
    if not choices:
        return ""
    record = random.choice(choices)
    host, domain = names["host"], names["domain"]
    target = random.choice((f"{host}.", host, "www", "@", ".", "ns", "alias", "nowhere", f"{names['outside_host']}.",
                            f"{names['host_v4']}.", f"{host.upper()}.", f"{domain}.", f"x.{host}."))  # fmt: skip
    record.data = f"{random.choice((0, 1, 10, 65535))} {target}"
    return record.line()


def many(random: Random, records: list[Record], names: Names) -> str:
    """Many of a kind: mail servers behind one mx, includes in a chain, names that find nothing."""
    number = random.choice((2, 7, 9, 10, 11, 12))
    domain = names["domain"]
    match random.choice(("mx", "chain", "voids", "texts", "lookups")):
        case "mx":
            records += [Record("many", "MX", f"{n} m{n}") for n in range(number)]
            records += [Record(f"m{n}", "A", names["host_v4"]) for n in range(number)]
            term = f"mx:many.{domain}"
        case "chain":
            records += [
                Record(f"c{n}", "TXT", f"v=spf1 include:c{n + 1}.{domain} ~all") for n in range(number)
            ]
            records.append(Record(f"c{number}", "TXT", f"v=spf1 ip4:{names['host_v4']} -all"))
            term = f"include:c0.{domain}"
        case "voids":
            term = " ".join(f"a:void{n}.{domain}" for n in range(number % 4 + 1))
        case "texts":
            records += [Record("@", "TXT", f"verification={n}") for n in range(number)]
            return f"{number} other texts"
        case _:
            term = " ".join(
                random.choice((f"a:www.{domain}", "mx", f"exists:www.{domain}")) for _ in range(number - 4)
            )
    record = _spf(random, records)
    if record is None:
        return ""
    version, *terms = record.data.split(" ")
    terms.insert(random.randint(0, max(0, len(terms) - 1)), term)
    record.data = " ".join([version, *terms])
    return f"{record.owner}: {record.data[:200]}"


def term(random: Random, records: list[Record], names: Names) -> str:
    """Drop, add, replace, swap or bend a term of an SPF record."""
    record = _spf(random, records)
    if record is None:
        return ""
    version, *terms = record.data.split(" ")
    change = random.choices((_drop, _add, _replace, _swap, _qualify, _prefix, _case), (2, 6, 4, 2, 3, 4, 1))[
        0
    ]
    if not terms:
        return ""
    change(random, terms, names)
    record.data = " ".join([version, *terms])
    return f"{record.owner}: {record.data}"


def _drop(random: Random, terms: list[str], names: Names) -> None:
    terms.pop(random.randrange(len(terms)))


def _add(random: Random, terms: list[str], names: Names) -> None:
    at_end = random.random() < 0.1
    terms.insert(
        len(terms) if at_end else random.randint(0, max(0, len(terms) - 1)), _word(random, "terms", names)
    )


def _replace(random: Random, terms: list[str], names: Names) -> None:
    terms[random.randrange(len(terms))] = _word(random, "terms", names)


def _swap(random: Random, terms: list[str], names: Names) -> None:
    one, other = random.randrange(len(terms)), random.randrange(len(terms))
    terms[one], terms[other] = terms[other], terms[one]


def _qualify(random: Random, terms: list[str], names: Names) -> None:
    at = random.randrange(len(terms))
    if "=" not in terms[at]:
        terms[at] = random.choice("+-~?") + terms[at].lstrip("+-~?")


def _prefix(random: Random, terms: list[str], names: Names) -> None:
    at = random.randrange(len(terms))
    name = terms[at].lstrip("+-~?").split(":")[0].split("/")[0].casefold()
    if name in ("a", "mx", "ip4", "ip6"):
        lengths = (*BITS, 128) if name == "ip6" else (*BITS, 32)
        terms[at] = terms[at].split("/")[0] + f"/{random.choice(lengths)}"
        if name in ("a", "mx") and random.random() < 0.5:
            terms[at] += f"//{random.choice(LONG_BITS)}"


def _case(random: Random, terms: list[str], names: Names) -> None:
    at = random.randrange(len(terms))
    terms[at] = random.choice((terms[at].upper(), terms[at].title(), terms[at].swapcase()))


def tag(random: Random, records: list[Record], names: Names) -> str:
    """Drop, change, double, move or add a tag of a DMARC record, or bend how tags are divided."""
    return _tag(random, _texts(records, "v=dmarc1"), "tags", names)


def key(random: Random, records: list[Record], names: Names) -> str:
    """The same with a key record; or cut or bend the key itself."""
    choices = [
        record for record in records if record.type == "TXT" and "p=" in record.data and "DKIM" in record.data
    ]
    if choices and random.random() < 0.25:
        record = random.choice(choices)
        at = random.randrange(len(record.data))
        mark = random.choice(("", " ", "\t", "\\", '"', "\u201d", "=", "A", "  ", ";", "-", "\n"))
        record.data = record.data[:at] + mark + record.data[at + random.choice((0, 1, 40)) :]
        return f"{record.owner}: {mark!r} at {at} of the key"
    return _tag(random, choices, "key-tags", names)


def _tag(random: Random, choices: list[Record], kind: str, names: Names) -> str:
    if not choices:
        return ""
    record = random.choice(choices)
    parts = record.data.split("; ")
    match random.choices(("drop", "swap", "double", "join", "shuffle", "new"), (4, 3, 1, 1, 1, 12))[0]:
        case "drop" if len(parts) > 1:
            parts.pop(random.randrange(len(parts) if random.random() < 0.2 else len(parts) - 1))
        case "swap":
            one, other = random.randrange(len(parts)), random.randrange(len(parts))
            parts[one], parts[other] = parts[other], parts[one]
        case "double":
            parts.insert(random.randint(0, len(parts)), random.choice(parts))
        case "shuffle":
            rest = parts[1:]
            random.shuffle(rest)
            parts[1:] = rest
        case "join":
            record.data = random.choice(("", ";", " ;\t", ";; ", ", ", " ; ", ";")).join(parts)
            return f"{record.owner}: {record.data}"
        case _:
            new = _word(random, kind, names)
            name = new.partition("=")[0].casefold()
            same = [index for index, part in enumerate(parts) if part.partition("=")[0].casefold() == name]
            if same and random.random() < 0.85:
                parts[same[0]] = new
            else:
                parts.insert(random.randint(0 if random.random() < 0.1 else 1, len(parts)), new)
    record.data = "; ".join(parts)
    return f"{record.owner}: {record.data}"


def text(random: Random, records: list[Record], names: Names) -> str:
    """Divide a text into strings at odd places, into several records, or slip an odd character in."""
    choices = [record for record in records if record.type == "TXT" and len(record.data) > 2]
    if not choices:
        return ""
    record = random.choice(choices)
    at = random.randrange(1, len(record.data))
    match random.choices(("strings", "records", "odd", "blank", "case"), (4, 1, 2, 1, 1))[0]:
        case "strings":
            record.cuts = [random.randrange(len(record.data)) for _ in range(random.choice((1, 2, 3, 9)))]
            record.cuts += range(250, len(record.data), 250)
            return f"{record.owner}: cut at {sorted(record.cuts)}"
        case "records":
            records.append(replace(record, data=record.data[at:]))
            record.data = record.data[:at]
        case "odd":
            name, sign = random.choice(list(ODD.items()))
            at = random.choice((0, at, len(record.data)))
            record.data = record.data[:at] + sign + record.data[at:]
            return f"{record.owner}: a {name} at {at}"
        case "blank":
            record.data = record.data.replace(" ", random.choice(("", "  ", " \t", "+")), 1)
        case _:
            record.data = record.data.swapcase()
    return f"{record.owner}: {record.data[:200]}"


def time(random: Random, records: list[Record], names: Names) -> str:
    """A time to live, or a name in another case."""
    record = random.choice(records)
    if random.random() < 0.7:
        record.ttl = random.choice(("0", "1", "5m", "2147483647", "2147483648", "1d2h3m4s"))
    else:
        record.owner = record.owner.upper()
    return record.line()


OPERATORS: tuple[tuple[Operator, int], ...] = (
    (drop, 3), (add, 9), (move, 4), (alias, 2), (address, 2), (exchanger, 2), (many, 2), (term, 20), (tag, 9), (key, 4),
    (text, 3), (time, 1),
)  # fmt: skip


def mutate(random: Random, records: list[Record], names: Names) -> list[str]:
    """One to three changes; what each did."""
    operators, weights = zip(*OPERATORS, strict=True)
    wanted = random.choices((1, 2, 3), (5, 3, 1))[0]
    said: list[str] = []
    while len(said) < wanted:
        (operator,) = random.choices(operators, weights)
        if did := operator(random, records, names):
            said.append(did)
    return said

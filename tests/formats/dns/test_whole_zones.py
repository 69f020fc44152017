"""Zones that a nameserver would not load: the place of each fault, the way out, and BIND's own opinion."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.formats.dns import LONGEST_MESSAGE
from grader.formats.dns.masterfile import read_zone
from tests.tables import every

SOA = "$TTL 1h\n@ SOA ns hostmaster 1 4h 1h 2w 5m\n"
HEAD = SOA + "@ NS ns\nns A 203.0.113.53\n"
CHECKZONE = shutil.which("named-checkzone", path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
needs_bind = pytest.mark.skipif(
    CHECKZONE is None, reason="named-checkzone (bind9-utils) is not installed here"
)

REFUSED = {
    "byte order mark": ("\ufeff" + HEAD, "1:1 $", "save the file as UTF-8 without it"),
    "mark before a comment": ("\ufeff; x\n" + HEAD, "1:1 ;", "save the file as UTF-8 without it"),
    "no SOA": ("$TTL 1h\n@ NS ns\nns A 192.0.2.1\n", "1:1 ", "no SOA record, with which a zone begins: add one"),
    "two SOA": (HEAD + "@ SOA ns h 2 1 1 1 1\n", "5:1 @", "delete one of the two"),
    "SOA elsewhere": (HEAD.replace("@ SOA", "a SOA"), "2:1 a", "write @ for its name"),
    "SOA without its numbers": (HEAD.replace(" 5m", ""), "2:7 ns hostmaster 1 4h 1h 2w", "five numbers"),
    "SOA with a word for a number": (HEAD.replace(" 1 ", " one "), "2:21 one", "five numbers"),
    "no NS": (SOA + "ns A 192.0.2.1\n", "2:1 @", "add one, such as “@ NS ns”"),
    "NS without address": (SOA + "@ NS ns\n", "3:6 ns", "add an A record of ns.example.com"),
    "second NS without address": (HEAD + "@ NS ns2\n", "5:6 ns2", "add an A record of ns2.example.com"),
    "NS with a text alone": (SOA + '@ NS ns\nns TXT "a"\n', "3:6 ns", "add an A record"),
    "NS by its address": (SOA + "@ NS 203.0.113.53\n", "3:6 203.0.113.53", "takes the name of a server"),
    "NS without a dot": (
        SOA + "@ NS ns.example.com\nns A 203.0.113.53\n",
        "3:6 ns.example.com",
        "write a dot at the end of ns.example.com.",
    ),
    "NS that is an alias": (
        SOA + "@ NS ns\nns CNAME www\nwww A 192.0.2.1\n",
        "3:6 ns",
        "name the server that it leads to",
    ),
    "NS that a wildcard makes an alias": (
        SOA + "@ NS ns\n* CNAME www\nwww A 192.0.2.3\n",
        "3:6 ns",
        "is an alias",
    ),
    "NS below a DNAME": (SOA + "@ NS ns.d\nd DNAME x.example.\n", "3:6 ns.d", "below the DNAME record of d.example"),
    "NS of a wildcard": (HEAD + "*.w NS ns\n", "5:1 *.w", "a wildcard can have no NS record"),
    "CNAME and other data": (HEAD + "a CNAME b\na A 192.0.2.1\n", "5:1 a", "line 6 gives it a record of type A"),
    "CNAME at the top": (HEAD + "@ CNAME b\n", "5:1 @", "delete the CNAME"),
    "two CNAME": (HEAD + "a CNAME b\na CNAME c\n", "5:1 a", "another CNAME record"),
    "two DNAME": (HEAD + "a DNAME b\na DNAME c\n", "6:1 a", "delete one of the two"),
    "DNAME and CNAME": (HEAD + "a DNAME b\na CNAME c\n", "6:1 a", "can have no other"),
    "no time to live": ("@ NS ns\n@ SOA ns h 1 2 3 4 5\nns A 192.0.2.1\n", "1:1 @", "begin the file with $TTL"),
    "backslash before digits": (HEAD + "t TXT a\\12b\n", "5:8 \\12", "write \\\\ for a backslash itself"),
    "no such octet": (HEAD + 't TXT "a\\999"\n', "5:9 \\999", "from 000 to 255"),
    "backslash at the end": (HEAD + "t TXT a\\\n", "5:8 \\", "write \\\\ for a backslash itself"),
    "type in quotation marks": (HEAD + 't "TXT" a\n', '5:3 "TXT"', "without quotation marks"),
    "name beyond 255 octets": (HEAD + ".".join(["a" * 60] * 4) + " A 192.0.2.1\n", None, "255 octets"),
    "no owner": (" " + HEAD.partition("\n")[2], "1:2 @", "the first record has no name"),
}  # fmt: skip
"""What BIND refuses: the file, line, column and characters of the first fault, and some of what is said."""

LOADED = {
    "a time beyond 68 years, which counts as none": HEAD + "a 4294967295 A 192.0.2.1\n",
    "the least of a zone": HEAD,
    "quoted name": HEAD + '"t" TXT a\n',
    "quoted values of parameters": HEAD + '@ HTTPS 1 . alpn="h2,h3" ipv4hint="192.0.2.1"\n',
    "nameserver elsewhere": SOA + "@ NS ns.elsewhere.example.\n",
    "nameserver over IPv6": SOA + "@ NS ns\nns AAAA 2001:db8::1\n",
    "nameserver with the zone's own name": SOA + "@ NS @\n@ A 192.0.2.1\n",
    "nameserver with a wildcard's address": SOA + "@ NS ns\n* A 192.0.2.1\n",
    "nameserver in a zone of others": SOA + "@ NS ns.sub\nsub NS ns.elsewhere.example.\n",
    "delegation without glue": HEAD + "sub NS ns.sub\n",
    "SOA twice alike": HEAD + "@ SOA ns hostmaster 1 4h 1h 2w 5m\n",
    "SOA behind others": "$TTL 1h\n@ NS ns\nns A 192.0.2.1\n@ SOA ns h 1 2 3 4 5\n",
    "alias twice alike": HEAD + "a CNAME b\na CNAME B\n",
    "alias that leads nowhere": HEAD + "a CNAME b\n",
    "alias above a name": HEAD + "a CNAME ns\nb.a A 192.0.2.1\n",
    "alias with what signs it": HEAD + "a CNAME ns\na NSEC b CNAME\n",
    "DNAME beside an address": HEAD + "a DNAME b.example.\na A 192.0.2.1\n",
    "DNAME above a name": HEAD + "a DNAME b.example.\nx.a A 192.0.2.1\n",
    "time to live of the SOA": "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "time to live of the record before": "@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "MX without address": HEAD + "@ MX 10 mail\n",
    "MX that is an alias": HEAD + "@ MX 10 mail\nmail CNAME ns\n",
    "no end of line": HEAD.rstrip("\n"),
}
STRICTER = {
    "outside": HEAD + "x.elsewhere.example. A 192.0.2.1\n",
    "umlaut in a name": HEAD + "ü TXT a\n",
    "control character": HEAD + "t TXT a\x01b\n",
    "parentheses in parentheses": HEAD + "t TXT ((a))\n",
    "file of the server's": HEAD + "$INCLUDE /dev/null\n",
    "records without end": HEAD + "$GENERATE 1-2 h$ A 192.0.2.$\n",
    "a text that no receiver reads": HEAD + "t TXT " + " ".join(['"' + "x" * 255 + '"'] * 17) + "\n",
}
"""What BIND loads and a lab refuses, so that a student learns of it."""

OWNERS = [
    "@",
    "a",
    "b",
    "ns",
    "*",
    "x.a",
    "d",
    "y.d",
    "*.a",
    "sub",
    "ns.sub",
    "example.com.",
    "a.example.com",
]
TARGETS = [*OWNERS, "ns.elsewhere.example.", "ns.example.com", "."]
DATA = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "AAAA": ["2001:db8::1"],
    "NS": TARGETS,
    "CNAME": TARGETS,
    "DNAME": TARGETS,
    "MX": [f"10 {name}" for name in TARGETS],
    "SRV": [f"0 0 25 {name}" for name in TARGETS],
    "TXT": ['"x"', '"y" z', "a\\;b", '"\\"'],
    "SOA": ["ns h 1 2 3 4 5"],
}


def made_up(seed: int) -> str:
    """A zone of records thrown together, a tenth of which are a zone."""
    some = random.Random(seed)
    parts = [
        some.choice(["$TTL 1h\n", "$TTL 1h\n", ""]),
        some.choice(["@ SOA ns h 1 2 3 4 5\n"] * 4 + [""]),
        some.choice(["@ NS ns\n"] * 3 + ["@ NS a\n", "@ NS y.d\n", ""]),
        some.choice(["ns A 192.0.2.53\n"] * 3 + [""]),
    ]
    for _ in range(some.randint(0, 5)):
        type_ = some.choice([*DATA, "NS", "CNAME", "DNAME"])
        owner = some.choice([*OWNERS, "", ""])
        parts.append(f"{owner} {some.choice(['', '', '60 ', 'IN '])}{type_} {some.choice(DATA[type_])}\n")
    return "".join(parts)


def is_loaded(text: str, folder: Path) -> bool:
    """Whether BIND loads the zone; what it says of names in other zones it would have to ask others about."""
    assert CHECKZONE is not None
    file = folder / "zone"
    file.write_bytes(text.encode())
    command = [CHECKZONE, "-q", "-i", "local", "example.com", str(file)]
    return subprocess.run(command, check=False).returncode == 0


@every("name", REFUSED)
def test_a_zone_that_no_nameserver_loads_is_none(name: str) -> None:
    text, place, sentence = REFUSED[name]
    zone = read_zone(text.encode(), "example.com")
    fault = zone.faults[0]
    assert sentence in fault.sentence
    if place is not None:
        marked = zone.lines[fault.place.line][fault.place.column :][: fault.place.length]
        assert f"{fault.place.line + 1}:{fault.place.column + 1} {marked}" == place


@every("name", LOADED)
def test_a_zone_that_nameservers_load_is_one(name: str) -> None:
    assert read_zone(LOADED[name].encode(), "example.com").faults == []


@every("name", STRICTER)
def test_what_nameservers_forgive_and_a_lab_does_not(name: str) -> None:
    assert len(read_zone(STRICTER[name].encode(), "example.com").faults) == 1


@needs_bind
@every(
    ("text", "loaded"),
    [
        *((text, False) for text, *_ in REFUSED.values()),
        *((text, True) for text in [*LOADED.values(), *STRICTER.values()]),
    ],
    ids=[*REFUSED, *LOADED, *STRICTER],
)
def test_bind_is_of_the_same_opinion(text: str, loaded: bool, tmp_path: Path) -> None:
    assert is_loaded(text, tmp_path) is loaded


@pytest.mark.slow
@needs_bind
@pytest.mark.parametrize("seed", range(0, 120, 30))
def test_bind_loads_what_is_read_without_fault_and_nothing_else(seed: int, tmp_path: Path) -> None:
    for number in range(seed, seed + 30):
        text = made_up(number)
        assert (read_zone(text.encode(), "example.com").faults == []) is is_loaded(text, tmp_path), text


def test_one_alias_beside_many_records_is_one_fault() -> None:
    text = HEAD + "a CNAME b\n" + "".join(f"a A 192.0.2.{number}\n" for number in range(30))
    assert len(read_zone(text.encode(), "example.com").faults) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("records", "type_"),
    [
        ([f't TXT "{number}"\n' for number in range(4_900)], "TXT"),
        (["t TXT " + f'"{number:02}{"x" * 248}" ' * 15 + "\n" for number in range(20)], "TXT"),
        ([f"t A 10.0.{number // 250}.{number % 250}\n" for number in range(4_500)], "A"),
    ],
)
def test_more_records_of_a_name_than_an_answer_holds_are_refused(records: list[str], type_: str) -> None:
    (fault,) = read_zone((HEAD + "".join(records)).encode(), "example.com").faults
    assert f"t.example.com has more {type_} records than fit" in fault.sentence
    assert "fewer or shorter" in fault.sentence
    fitting = fault.place.line - HEAD.count("\n")
    assert read_zone((HEAD + "".join(records[:fitting])).encode(), "example.com").faults == []
    assert read_zone((HEAD + "".join(records[: fitting + 1])).encode(), "example.com").faults == [fault]
    assert LONGEST_MESSAGE == 2**16 - 1


def test_records_given_twice_are_counted_once() -> None:
    text = HEAD + "".join('t TXT "' + "x" * 250 + '"\n' for _ in range(1_000))
    assert read_zone(text.encode(), "example.com").faults == []

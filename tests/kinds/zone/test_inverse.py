"""Which clients, and what they say, lead to names that zones hold: macros read backwards."""

from __future__ import annotations

import ipaddress
import time

import pytest

from grader.formats.networks import AddressSet, Version
from grader.formats.spfmacros import expand
from grader.kinds.zone.run.inverse import Owners, Saying, cuts, sayings
from grader.kinds.zone.run.names import dotted
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord
from tests.tables import every

VALUES = {
    "d": "example.com",
    "o": "example.com",
    "s": "anybody@example.com",
    "l": "anybody",
    "h": "c.invalid",
    "v": "ip6",
}
NIBBLES = ".".join("20010db8000000000000000000000001")


def owners(*names: str, dname: tuple[str, str] | None = None) -> Owners:
    records = [ZoneRecord(name, "A", 60, "127.0.0.2", Span(0, 0, 0)) for name in names]
    if dname:
        records.append(ZoneRecord(dname[0], "DNAME", 60, f"{dname[1]}.", Span(0, 0, 0)))
    return Owners(records)


@every(
    ("spec", "version", "name", "network"),
    [
        ("%{i}._ok.%{d}", 4, "192.0.2.7._ok.example.com", "192.0.2.7/32"),
        ("%{ir}._ok.%{d}", 4, "7.2.0.192._ok.example.com", "192.0.2.7/32"),
        ("%{IR}._ok.%{D}.", 4, "7.2.0.192._ok.example.com", "192.0.2.7/32"),
        ("%{ir}._ok.%{d}", 4, "*.2.0.192._ok.example.com", "192.0.2.0/24"),
        ("%{i1r}._ok.%{d}", 4, "192._ok.example.com", "192.0.0.0/8"),
        ("%{i2r}._ok.%{d}", 4, "0.192._ok.example.com", "192.0.0.0/16"),
        ("%{i-}._ok.%{d}", 4, "192.0.2.7._ok.example.com", "192.0.2.7/32"),
        ("%{i2r-}._ok.%{d}", 4, "192.0.2.7._ok.example.com", "192.0.2.7/32"),
        ("ip-%{ir}-x.%{d}", 4, "ip-7.2.0.192-x.example.com", "192.0.2.7/32"),
        ("%{ir}.%{i}._ok.%{d}", 4, "7.2.0.192.192.0.2.7._ok.example.com", "192.0.2.7/32"),
        ("%{i}._ok.%{d}", 6, f"{NIBBLES}._ok.example.com", "2001:db8::1/128"),
        ("%{ir}.%{v}._ok.%{d}", 6, "*.8.b.d.0.1.0.0.2.ip6._ok.example.com", "2001:db8::/32"),
        ("%{i4r}._ok.%{d}", 6, "1.0.0.2._ok.example.com", "2001::/16"),
    ],
)  # fmt: skip
def test_the_clients_that_lead_to_a_name(spec: str, version: Version, name: str, network: str) -> None:
    found = cuts(spec, VALUES, version, owners(name))
    assert AddressSet.of(version, [ipaddress.ip_network(network)]) in found
    client = found[0].witness
    expanded = expand(spec, {**VALUES, "i": dotted(client)}).lower().removesuffix(".")
    assert expanded.endswith(name.removeprefix("*"))


def test_a_name_that_leaves_the_first_part_open_has_witnesses() -> None:
    (found,) = cuts("%{i}._ok.%{d}", VALUES, 4, owners("*.7._ok.example.com"))
    assert found.ranges
    assert all(str(ipaddress.ip_address(first)).endswith(".7") for first, _ in found.ranges)


def test_what_lies_between_names_ends_a_wildcard() -> None:
    # 4._ok exists, because something lies below it: the wildcard beside it is not asked (RFC 4592 section 2.2.2).
    found = cuts("%{ir}._ok.%{d}", VALUES, 4, owners("*._ok.example.com", "1.2.3.4._ok.example.com"))
    assert AddressSet.of(4, [ipaddress.ip_network("4.0.0.0/8")]) in found


@pytest.mark.parametrize(
    "name", ["300.0.2.7._ok.example.com", "07.2.0.192._ok.example.com", "x._ok.example.com", "example.com"]
)
def test_a_name_that_no_client_leads_to(name: str) -> None:
    assert [clients for clients in cuts("%{ir}._ok.%{d}", VALUES, 4, owners(name)) if clients.size == 1] == []


def test_names_below_a_dname_are_known_by_its_own() -> None:
    zones = owners("7.2.0.192.list.other.example", dname=("_ok.example.com", "list.other.example"))
    found = cuts("%{ir}._ok.%{d}", VALUES, 4, zones)
    assert found[0] == AddressSet.of(4, [ipaddress.ip_network("192.0.2.7")])


@every(
    ("spec", "name", "saying"),
    [
        ("%{l}._u.%{d}", "ceo._u.example.com", Saying("ceo")),
        ("%{l}._u.%{d}", "the.boss._u.example.com", Saying("the.boss")),
        ("%{lr-}._u.%{d}", "boss.the._u.example.com", Saying("the-boss")),
        ("%{l1r+}._u.%{d}", "news._u.example.com", Saying("news")),
        ("%{s}", "ceo@example.com", Saying("ceo")),
        ("%{sr}._u.%{d}", "com.ceo@example._u.example.com", Saying("ceo")),
        ("%{s-}._u.%{d}", "the.boss@example.com._u.example.com", Saying("the.boss")),
        ("%{h}", "gate.example.com", Saying("", "gate.example.com")),
        ("%{l}.%{ir}._u.%{d}", "ceo.7.2.0.192._u.example.com", Saying("ceo")),
        ("%{L}._u.%{d}", "a%20b._u.example.com", Saying("a b")),
        ("%{l}._u.%{d}", "*._u.example.com", Saying("anybody")),
        ("%{s}._u.%{d}", r"ceo\@example.com._u.example.com", Saying("ceo")),
        ("%{l}._u.%{d}", r"a\032b._u.example.com", Saying("a b")),
        ("%{l}.%{h}.%{i1}.%{l}._u.%{d}", "a.b.7.a._u.example.com", Saying("a", "b")),
        ("_ok.%{h}", "example.com", Saying("", "stranger.invalid")),
        ("_ok.%{h2}.", "example.com", Saying("", "stranger.invalid")),
        ("%{i}.%{hr}", "example.com", Saying("", "invalid.stranger")),
        ("_ok.%{l}", "example.com", Saying("stranger.invalid")),
    ],
)
def test_what_a_client_says_to_lead_to_a_name(spec: str, name: str, saying: Saying) -> None:
    assert saying in list(sayings(spec, VALUES, owners(name)))


@pytest.mark.parametrize("spec", ["%{h}._u.%{d}", "_ok.%{h}.%{d}", "_ok.%{h1}", "%{h}.", "%{s}"])
def test_a_name_that_does_not_end_as_a_client_says_is_in_nobodys_domain(spec: str) -> None:
    said = [saying for saying in sayings(spec, VALUES, owners("example.com")) if "invalid" in saying.helo]
    assert bool(said) == (spec == "%{h}.")


@pytest.mark.parametrize(
    "spec",
    ["%{ir}._ok.%{d}", "%{l}.%{h}.%{d}", "%{l}%{l}%{l}%{l}%{l}.%{d}", "%{l}.%{h}.%{l1}.%{h1}.%{i}.%{d}"],
)
def test_long_and_many_names_take_no_long_time(spec: str) -> None:
    zones = owners(*(f"{'1.' * 100}{number}.example.com" for number in range(300)))
    began = time.process_time()
    list(sayings(spec, VALUES, zones))
    cuts(spec, VALUES, 4, zones)
    assert time.process_time() - began < 2


def test_many_names_that_rename_each_other_take_no_long_time() -> None:
    began = time.process_time()
    chain = [
        ZoneRecord(f"d{n}.example.com", "DNAME", 60, f"d{n + 1}.example.com.", Span(0, 0, 0))
        for n in range(2000)
    ]
    leaves = [ZoneRecord(f"{n}.d2000.example.com", "A", 60, "127.0.0.2", Span(0, 0, 0)) for n in range(2000)]
    assert len(Owners([*chain, *leaves]).owners) >= 4000
    deep = Owners(
        [ZoneRecord(f"{'a.' * 110}{n}.example.com", "A", 60, "127.0.0.2", Span(0, 0, 0)) for n in range(2000)]
    )
    assert cuts("%{ir}._ok.%{d}", VALUES, 6, deep) == []
    assert time.process_time() - began < 2

"""Variants: drawn the same for ever, different for everybody, and possible in the labs' world."""

from __future__ import annotations

import ipaddress
from ipaddress import ip_address, ip_network

import pytest

from grader import labs
from grader.labs.world import read_world
from grader.model.errors import UsageError
from grader.model.lab import Lab

JANE = {
    "id": "cd362a1b7bc1",
    "domain": "spruce.example",
    "host": "mailhub.spruce.example",
    "host_v4": "203.0.113.14",
    "host_v6": "2001:db8:742::35",
    "host_lan": "10.91.138.209",
    "lan": "10.91.138.0/24",
    "office": "10.91.138.108",
    "printer": "10.91.138.238",
    "office_host": "laptop.spruce.example",
    "near_lan": "10.91.139.217",
    "outside": "kelp.example",
    "outside_host": "mx.kelp.example",
    "outside_backup": "backup.kelp.example",
    "partner": "elm.example",
    "partner_host": "mx.elm.example",
    "third": "tamarind.example",
    "stranger": "198.51.100.20",
    "stranger_v6": "2001:db8:bad::91",
    "neighbour": "10.99.195.105",
    "neighbour_public": "203.0.113.198",
    "neighbour_v6": "2001:db8:742::1:e8",
    "nosuch": "ulrika",
    "postmaster": "postmaster@spruce.example",
    "web_v4": "192.0.2.8",
    "web_neighbour": "192.0.2.9",
    "newsletter": "almond.example",
    "newsletter_v4": "192.0.2.182",
    "newsletter_v6": "2001:db8:4e57::b",
    "former_v4": "198.51.100.178",
    "analyser": "hyacinth.example",
    "account": "j8v9r4",
    "quiet": "photos",
    "alice_password": "wagon-teapot-457",
    "bob_password": "garden-castle-582",
}
"""What jane@example.edu drew in the course "autumn" when this was written: a course that has begun relies on it."""


def test_the_canonical_variant_is_that_of_the_design(lab: Lab) -> None:
    variant = labs.draw_variant(lab)
    assert variant.id == "canonical"
    expected = {
        "domain": "example.com",
        "host": "mail.example.com",
        "host_v4": "203.0.113.10",
        "host_v6": "2001:db8:113::10",
        "host_lan": "10.20.30.10",
        "lan": "10.20.30.0/24",
        "office": "10.20.30.50",
        "neighbour": "10.99.0.66",
        "stranger": "198.51.100.66",
        "stranger_v6": "2001:db8:bad::66",
        "outside": "elsewhere.example",
        "outside_v4": "198.51.100.25",
        "outside_backup_v4": "198.51.100.26",
        "nameserver": "203.0.113.53",
    }
    assert expected.items() <= variant.names.items()
    assert sorted(variant.secrets) == ["alice_password", "bob_password"]


def test_the_canonical_names_do_not_depend_on_the_key(lab: Lab) -> None:
    assert labs.draw_variant(lab, None, "a").names == labs.draw_variant(lab, None, "b").names


def test_a_variant_stays_what_it_was(lab: Lab) -> None:
    variant = labs.draw_variant(lab, "jane@example.edu", "autumn")
    drawn = {name: value for name, value in variant.names.items() if not read_world().names[name].fixed}
    assert {"id": variant.id, **drawn, **variant.secrets} == JANE


def test_lab_student_and_key_each_make_a_difference(lab: Lab, lab_folder: object) -> None:
    from msgspec.structs import replace

    seeds = {
        labs.draw_variant(lab, "jane", "k").seed,
        labs.draw_variant(lab, "jane", "l").seed,
        labs.draw_variant(lab, "jane").seed,
        labs.draw_variant(lab, "john", "k").seed,
        labs.draw_variant(replace(lab, id="other"), "jane", "k").seed,
    }
    assert len(seeds) == 5


def test_a_seed_draws_the_same_names_without_the_key(lab: Lab) -> None:
    first = labs.draw_variant(lab, "jane", "secret key")
    again = labs.draw_variant(lab, "jane", seed=first.seed)
    assert (again.id, again.names, again.secrets) == (first.id, first.names, first.secrets)
    assert again.probe_key != first.probe_key
    assert "secret key" not in repr(first)


def test_a_key_is_stronger_than_a_seed(lab: Lab) -> None:
    forged = "0" * 64
    assert labs.draw_variant(lab, "jane", "k", seed=forged) == labs.draw_variant(lab, "jane", "k")


@pytest.mark.parametrize("student", ["", "a\nb", "\x1b[2J", "x" * 201])
def test_impossible_students(lab: Lab, student: str) -> None:
    with pytest.raises(UsageError, match="student id"):
        labs.draw_variant(lab, student)


def test_a_damaged_seed(lab: Lab) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        labs.draw_variant(lab, "jane", seed="zz")


STUDENTS = [f"student{number}" for number in range(300)]


def test_no_two_students_have_the_same_answer(lab: Lab) -> None:
    drawn = [labs.draw_variant(lab, student) for student in STUDENTS]
    assert len({(v.names["domain"], v.names["lan"], v.names["host_v4"]) for v in drawn}) == len(drawn)
    assert len({v.secrets["alice_password"] for v in drawn}) > 290
    canonical = labs.draw_variant(lab)
    for variant in drawn:
        assert variant.names["domain"] != canonical.names["domain"]
        assert variant.secrets["alice_password"] != variant.secrets["bob_password"]


def test_every_variant_is_possible(lab: Lab) -> None:
    """Addresses in the ranges for documentation, none twice, the neighbours outside the LAN, the domains distinct."""
    world = read_world()
    addresses = [name for name in world.names if name.endswith(("_v4", "_v6", "_lan", "_public"))]
    addresses += ["office", "stranger", "neighbour", "nameserver"]
    fixed = {s.address for s in world.sources.values() if not s.address.startswith("{")}
    for student in [None, *STUDENTS]:
        names = labs.draw_variant(lab, student).names
        played = [names[name] for name in addresses] + sorted(fixed)
        assert len(set(played)) == len(played), names
        lan = ip_network(names["lan"])
        inside = {name for name in addresses if ip_address(names[name]) in lan}
        assert inside == {"host_lan", "office"}
        assert not any(ip_address(address) in lan for address in fixed)
        assert ip_address(names["neighbour_public"]) in ip_network(f"{names['host_v4']}/24", strict=False)
        assert ip_address(names["neighbour_v6"]) in ip_network(f"{names['host_v6']}/64", strict=False)
        assert ip_address(names["stranger_v6"]) not in ip_network(f"{names['host_v6']}/64", strict=False)
        assert ip_address(names["near_lan"]) in ip_network(f"{names['host_lan']}/23", strict=False)
        for name in addresses:
            address = ip_address(names[name])
            assert not address.is_global
            assert isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
        domains = [names[name] for name in ("domain", "outside", "partner", "third")]
        assert len(set(domains)) == 4


def test_word_lists_hold_what_they_promise() -> None:
    words = read_world().words
    for entries in (
        words.domains,
        words.hosts,
        words.desks,
        words.nobodies,
        words.first,
        words.last,
        words.passwords,
    ):
        assert len(set(entries)) == len(entries)
        assert all(entry.isascii() and entry.isalpha() and entry.islower() for entry in entries)
    assert not [(a, b) for a in words.first for b in words.first if a != b and b.endswith(a)]
    assert not {"elsewhere", "partner", "third", "stranger", "datacentre"} & set(words.domains)
    assert not {*words.nobodies} & {*words.first, "alice", "bob", "root", "postmaster"}
    assert not {*words.hosts, *words.desks} & {"ns", "deep"}
    for letter in words.letters:
        assert all(len(line) < 78 and line.isascii() and line != "." for line in letter.text.split("\n"))

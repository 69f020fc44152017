"""The student's host and the world around it, as plans describe them."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from grader import labs
from grader.kinds.server.declare import ServerLab, Try
from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.plan import make
from grader.labs.certificates import authority
from grader.labs.world import read_world
from grader.labs.world_dns import ROOT_SERVERS
from grader.model.errors import SubmissionError
from grader.model.submission import Submission
from grader.world.dns.zones import Zones
from tests.kinds.server.plans import OPEN, TO_OUTSIDE, answers, check, planned, with_checks
from tests.world.dns.library import asked


@pytest.mark.parametrize("student", [None, "jane"])
def test_dns_knows_everybody(lab: ServerLab, student: str | None) -> None:
    sources = list(read_world().sources)
    lab = with_checks(lab, check("relay", Try(sources=[*sources, "anywhere"], mail=[TO_OUTSIDE])))
    plan = planned(lab, student=student)
    names = labs.draw_variant(lab, student).names
    records = answers(plan)
    assert records[(names["domain"], "MX")] == [f"10 {names['host']}."]
    assert records[(names["host"], "A")] == [names["host_v4"]]
    assert ipaddress.ip_address(records[(names["host"], "AAAA")][0]) == ipaddress.ip_address(names["host_v6"])
    assert records[(names["outside"], "MX")] == [
        f"10 {names['outside_host']}.",
        f"20 {names['outside_backup']}.",
    ]
    assert records[(f"deep.{names['domain']}", "MX")] == [f"10 {names['outside_host']}."]
    for address in ("host_v4", "host_v6", "host_lan"):
        assert records[(ipaddress.ip_address(names[address]).reverse_pointer, "PTR")] == [f"{names['host']}."]
    for domain in ("friend.org", "pal.net", "lists.example.com"):
        assert records[(domain, "MX")] == [f"10 {names['outside_host']}."]
    for attempt in plan.attempts:
        pointer = records.get((ipaddress.ip_address(attempt.address).reverse_pointer, "PTR"), [])
        kind = "AAAA" if ":" in attempt.address else "A"
        forward = records.get((pointer[0].rstrip("."), kind), []) if pointer else []
        honest = not attempt.source.startswith("spoofed") and attempt.source != "nameless"
        matches = ipaddress.ip_address(attempt.address) in map(ipaddress.ip_address, forward)
        assert matches is honest, attempt.source


def test_the_world_plays_every_address_and_the_host_reaches_it(lab: ServerLab) -> None:
    sources = [*read_world().sources, "mentioned-networks", "mentioned-names", "anywhere", "anywhere-v6"]
    plan = planned(with_checks(lab, check("relay", Try(sources=sources, mail=[TO_OUTSIDE]))))
    played = {str(ipaddress.ip_interface(text).ip) for text in plan.world.addresses}
    assert len(played) == len(plan.world.addresses)
    assert {a.address for a in plan.attempts} <= played
    assert {address for peer in plan.world.peers for address in peer.addresses} <= played
    assert plan.world.nameserver == plan.host.nameserver
    assert plan.world.nameserver in played
    near = [ipaddress.ip_interface(text).network for text in plan.host.addresses]
    reached = [*near, *map(ipaddress.ip_network, plan.host.routes)]
    own = {str(ipaddress.ip_interface(text).ip) for text in plan.host.addresses}
    assert not own & played
    for address in played:
        assert any(ipaddress.ip_address(address) in network for network in reached)
    for address in own:
        assert any(
            ipaddress.ip_address(address) in ipaddress.ip_network(route) for route in plan.world.routes
        )
    assert not {"0.0.0.0/0", "::/0"} & set(plan.host.routes)


def test_files_on_the_host(lab: ServerLab) -> None:
    lab = msgspec.structs.replace(lab)
    submitted = Submission({"main.cf": OPEN, "maps/x": b"x", "run": b"#!"}, frozenset({"run"}))
    plan = make(lab, submitted, labs.draw_variant(lab, "jane"))
    files = {file.path: file for file in plan.host.files}
    assert (files["/etc/postfix/main.cf"].data, files["/etc/postfix/main.cf"].mode) == (OPEN, 0o644)
    assert files["/etc/postfix/run"].mode == 0o755
    assert files["/etc/postfix/maps/x"].data == b"x"
    assert (files["/etc/ssl/lab/host.key"].mode, files["/etc/ssl/lab/host.key"].owner) == (0o640, "root:root")
    variant = labs.draw_variant(lab, "jane")
    for user in ("alice", "bob"):
        line = f"{user}:{{PLAIN}}{variant.secrets[f'{user}_password']}:"
        assert line in files["/etc/dovecot/users"].data.decode()
    assert (files["/etc/dovecot/users"].mode, files["/etc/dovecot/users"].owner) == (0o640, "root:dovecot")


@pytest.mark.parametrize("student", [None, "jane"])
def test_the_certificate_is_trusted_for_the_host_and_its_domain(
    lab: ServerLab, student: str | None, tmp_path: Path
) -> None:
    plan = planned(lab, student=student)
    names = labs.draw_variant(lab, student).names
    files = {file.path: file.data for file in plan.host.files}
    leaf, root = x509.load_pem_x509_certificates(files["/etc/ssl/lab/host.crt"])
    assert root == x509.load_pem_x509_certificate(plan.world.ca)
    key = load_pem_private_key(files["/etc/ssl/lab/host.key"], None)
    assert key.public_key() == leaf.public_key()
    for name in (names["host"], names["domain"]):
        verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(name))
        assert verifier.verify(leaf, [])
    (tmp_path / "pair.pem").write_bytes(plan.world.client_certificate + plan.world.client_key)
    context = ssl.create_default_context(cadata=plan.world.ca.decode())
    context.load_cert_chain(tmp_path / "pair.pem")
    client = x509.load_pem_x509_certificate(plan.world.client_certificate)
    verified = PolicyBuilder().store(Store([root])).build_client_verifier().verify(client, [])
    assert verified.subjects


def test_a_certificate_is_made_once(lab: ServerLab) -> None:
    from grader.labs.certificates import certificate

    assert certificate(authority(), ["a.example"]) == certificate(authority(), ["a.example"])
    assert certificate(authority(), ["a.example"]) != certificate(authority(), ["b.example"])


def test_a_plan_travels(lab: ServerLab) -> None:
    plan = planned(lab)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=ServerPlan) == plan


def test_a_submission_that_lets_too_many_in_is_not_graded_in_part(lab: ServerLab) -> None:
    networks = " ".join(f"192.0.2.{number}" for number in range(100))
    with pytest.raises(SubmissionError, match="mention 100 different networks"):
        planned(lab, {"main.cf": f"mynetworks = {networks}\n".encode()})


def dkim_plan() -> ServerPlan:
    lab = labs.load(labs.find("dkim"))
    assert isinstance(lab, ServerLab)
    return make(lab, Submission({}, frozenset()), labs.draw_variant(lab))


def test_opendkims_own_resolver_finds_the_worlds_dns_at_the_root() -> None:
    plan = dkim_plan()
    carried = {address.partition("/")[0] for address in plan.world.addresses}
    assert set(plan.world.roots) == set(ROOT_SERVERS.values()) <= carried
    zones = Zones(plan.world.zones)
    found = asked(zones, ".", "NS")
    assert len(found.answer[0]) == len(ROOT_SERVERS)
    key = asked(zones, "list2026._domainkey.third.example", "TXT")
    assert b"v=DKIM1" in b"".join(key.answer[0][0].strings)


def test_a_letter_may_begin_with_fields_of_its_own() -> None:
    plan = dkim_plan()
    broken = [a for a in plan.attempts if a.message.startswith(b"DKIM-Signature: v=1;")]
    assert {a.check for a in broken} == {"receives"}
    assert all(b" d=third.example;" in a.message for a in broken)


def test_a_limit_for_each_client_lets_its_neighbours_come(lab: ServerLab) -> None:
    sources = [
        "neighbour",
        "partner",
        "neighbour-v6",
        "spoofed-host",
        "mentioned-networks",
        "mentioned-names",
        "office",
    ]
    entry = Try(sources=sources, mail=[TO_OUTSIDE] * 3)
    files = {
        "main.cf": b"smtpd_client_message_rate_limit = 1\nmynetworks = 10.9.8.0/24 2001:db8:5::/48 192.0.2.7\n",
        "names": b"friend.org OK\n",
    }
    plan = planned(with_checks(lab, check("relay", entry)), files)
    by_source: dict[str, list[str]] = {}
    for made in plan.attempts:
        by_source.setdefault(made.source, []).append(made.address)
    assert len(set(by_source.pop("office"))) == 1
    alone = [by_source.pop(f"mentioned-networks: 192.0.2.7{how}") for how in ("", ", by the LAN")]
    assert [len(set(found)) for found in alone] == [1, 1]
    assert {source: len(set(found)) for source, found in by_source.items()} == dict.fromkeys(by_source, 3)
    assert all(a.startswith("10.9.8.") for a in by_source["mentioned-networks: 10.9.8.0/24"])
    assert all(a.startswith("2001:db8:5:") for a in by_source["mentioned-networks: 2001:db8:5::/48"])
    records = answers(plan)
    assert sorted(records["friend.org", "A"]) == sorted(by_source["mentioned-names: friend.org"])
    assert not {"198.51.100.25", "198.51.100.26"} & set(by_source["partner"])


def test_a_limit_that_spares_the_office_no_more_is_met_by_many_of_its_machines(lab: ServerLab) -> None:
    entry = Try(sources=["office", "printer"], mail=[TO_OUTSIDE] * 3)
    limit = b"smtpd_client_message_rate_limit = 1\n"
    spared = b"smtpd_client_event_limit_exceptions = 127.0.0.0/8\n"
    checked = with_checks(lab, check("relay", entry))
    assert len({made.address for made in planned(checked, {"main.cf": limit}).attempts}) == 2
    plan = planned(checked, {"main.cf": limit + spared})
    addresses = [ipaddress.ip_address(made.address) for made in plan.attempts]
    assert len(set(addresses)) == 6
    assert set(addresses) <= {*ipaddress.ip_network("10.20.30.0/24").hosts()} - {
        ipaddress.ip_address("10.20.30.10")
    }
    assert all(made.inside and made.server == "10.20.30.10" for made in plan.attempts)
    records = answers(plan)
    assert all(records[address.reverse_pointer, "PTR"] for address in addresses)

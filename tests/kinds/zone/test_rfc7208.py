"""The openspf suite for RFC 7208, by a lab's own path: zones served by the world's nameserver, asked over the wire.

The suite is ``rfc7208/tests.yml``, from pyspf 2.0.14, unchanged; its licence lies beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
import yaml

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.run import spf
from grader.kinds.zone.run.resolver import Resolver
from grader.world.dns.answers import Answers
from grader.world.dns.loopback import served, zones_of
from tests.tables import every

SUITE = Path(__file__).parent / "rfc7208" / "tests.yml"
DIFFERENCES: dict[str, tuple[str, str]] = {}
"""Cases in which the lab concludes otherwise than the suite: its result, and why that is right."""


@dataclass(frozen=True)
class Case:
    """A case of the suite, with the scenario whose zones it needs."""

    scenario: int
    name: str
    facts: dict[str, Any]

    @property
    def allowed(self) -> list[str]:
        """The results that the suite allows."""
        result = self.facts["result"]
        return [str(word) for word in (result if isinstance(result, list) else [result])]


class Failing(Answers):
    """The world's nameserver, which cannot answer for some names: what the suite calls a timeout (RFC 7208 2.6.6)."""

    silent: dict[str, set[str]] = {}

    def answer(self, packet: bytes, client: str, *, udp: bool) -> bytes | None:
        """See ``Answers``; a server's failure for a silent name, save for the types that it answers."""
        query = dns.message.from_wire(packet)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        types = self.silent.get(name)
        if types is not None and dns.rdatatype.to_text(question.rdtype) not in types:
            reply = dns.message.make_response(query)
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        return super().answer(packet, client, udp=udp)


def scenarios() -> list[dict[str, Any]]:
    """The suite's documents."""
    return list(yaml.load_all(SUITE.read_text(encoding="utf-8"), yaml.CSafeLoader))


def cases() -> Iterator[Case]:
    """Every case of the suite."""
    for number, scenario in enumerate(scenarios()):
        for name, facts in scenario["tests"].items():
            yield Case(number, name, facts)


def strings(value: Any) -> list[str]:
    """The strings of a record; where the suite writes none, an empty one, as a record on the wire has at least one."""
    return [str(text) for text in value] or [""] if isinstance(value, list) else [str(value)]


def quoted(text: str) -> str:
    """A string for a master file."""
    octets = text.encode("utf-8")
    return '"' + "".join(chr(o) if 32 <= o < 127 and o not in b'"\\' else f"\\{o:03d}" for o in octets) + '"'


def master_file(zonedata: dict[str, list[Any]]) -> tuple[str, dict[str, set[str]]]:
    """A zone of the root that holds all of a scenario's records, and the names in it that never answer."""
    lines = ["$TTL 60", ". SOA a.invalid. b.invalid. 1 2 3 4 5", ". NS a.invalid.", "a.invalid. A 192.0.2.53"]
    silent: dict[str, set[str]] = {}
    for name, records in zonedata.items():
        found: list[tuple[str, Any]] = []
        for record in records:
            if record == "TIMEOUT":
                silent[name.lower()] = {type_ for type_, value in found if value != "NONE"}
            else:
                found += record.items()
        if not any(type_ == "TXT" for type_, _ in found):
            found += [("TXT", value) for type_, value in found if type_ == "SPF"]
        for type_, value in found:
            if value == "TIMEOUT":
                silent[name.lower()] = {"A", "AAAA", "CNAME", "MX", "PTR", "SPF", "TXT"} - {type_}
            elif value != "NONE":
                lines.append(f"{absolute(name)} {type_} {data(type_, value)}")
    return "\n".join(lines) + "\n", silent


def data(type_: str, value: Any) -> str:
    """The data of a record for a master file."""
    if type_ in ("TXT", "SPF"):
        return " ".join(quoted(text) for text in strings(value))
    if type_ == "MX":
        return f"{value[0]} {absolute(value[1])}"
    return absolute(value) if type_ in ("CNAME", "PTR") else str(value)


def absolute(name: str) -> str:
    """A name for a master file."""
    return name.removesuffix(".").replace(" ", "\\032") + "."


@pytest.fixture(scope="module")
def results() -> dict[tuple[int, str], Any]:
    """What a lab concludes for every case."""
    found: dict[tuple[int, str], Any] = {}
    for number, scenario in enumerate(scenarios()):
        text, silent = master_file(scenario["zonedata"])
        zone = read_zone(text.encode(), ".")
        assert zone.faults == [], scenario["description"]
        kind = type("Scenario", (Failing,), {"silent": silent})
        with served(zones_of({".": zone}), kind=kind) as server:
            for name, facts in scenario["tests"].items():
                resolver = Resolver(server.address, server.port)
                found[number, name] = spf.evaluate(
                    resolver, client=facts["host"], sender=facts["mailfrom"], helo=facts["helo"]
                )
    return found


@every("case", list(cases()), ids=lambda case: f"{case.scenario}-{case.name}")
def test_a_case_of_the_suite_gives_the_expected_result(
    case: Case, results: dict[tuple[int, str], Any]
) -> None:
    found = results[case.scenario, case.name]
    if case.name in DIFFERENCES:
        assert found.result == DIFFERENCES[case.name][0]
        assert found.result not in case.allowed, "no difference any more: take it from the list"
        return
    assert found.result in case.allowed, found
    explanation = case.facts.get("explanation")
    if found.result == "fail" and explanation not in (None, "DEFAULT"):
        assert found.explanation == explanation


def test_how_many_cases_agree(
    results: dict[tuple[int, str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    agree = sum(results[case.scenario, case.name].result in case.allowed for case in cases())
    with capsys.disabled():
        print(
            f"\nopenspf RFC 7208 suite: {agree} of {len(results)} cases agree; differ: {sorted(DIFFERENCES)}"
        )
    assert len(results) == 203
    assert agree == 203 - len(DIFFERENCES)

"""Mutants of the lab spf-dmarc: what independent receivers conclude, held against the product's, and the verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from random import Random

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from grader import kinds, labs, pipeline
from grader.formats.dns.masterfile import ZoneFile, read_zone
from grader.kinds.zone.facts import Reception, ZoneFacts
from grader.kinds.zone.plan import ZonePlan
from grader.model.dns import ZoneRecord
from grader.model.submission import Submission
from grader.world.dns.loopback import served, zones_of
from tests.oracle import policies
from tests.oracle.evaluator import Evaluator, Message
from tests.oracle.faults import Disagreement, Fault
from tests.oracle.policies import Dns
from tests.oracle.zone_mutations import mutate
from tests.oracle.zone_records import read, write
from tests.oracle.zone_rules import CHECKS, Rules

CHECKZONE = "named-checkzone"


@cache
def _receiver() -> Evaluator:
    """One receiver for all zones of this process, which ends with it."""
    return Evaluator()


def mutant(folder: Path, seed: str, number: int) -> tuple[Submission, list[str], Random]:
    """The submission of that number, what was changed, and the randomness that its messages are drawn from."""
    random = Random(f"{seed}/{number}")
    variant = labs.draw_variant(labs.load(folder), None, None)
    rendered = labs.render_submission(folder / "solution", variant)
    name = f"{variant.names['domain']}.zone"
    records = read(rendered.files[name].decode())
    said = mutate(random, records, variant.names)
    text = write(records, random, variant.names["domain"])
    return Submission({**rendered.files, name: text.encode()}), said, random


def hunt(folder: Path, seed: str, number: int) -> Iterator[str | Disagreement]:
    """Try one zone: first lines about it, then what the receivers and the product disagree about."""
    submission, said, random = mutant(folder, seed, number)
    yield "; ".join(said)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, None, None)
    run = pipeline.grade(lab, submission, engine=None, variant=variant)
    facts = run.evidence.facts
    assert isinstance(facts, ZoneFacts)
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=None, only=None)
    assert isinstance(plan, ZonePlan)
    yield from _loaded(plan, facts)
    if facts.faults:
        yield f"refused: {facts.faults[0].sentence}"
        return
    files = {plan.origin: read_zone(plan.content, plan.origin)}
    ask = Dns(zones_of({**files, **{origin: _other(origin, text) for origin, text in plan.others.items()}}))
    key = labs.render_submission(folder / "starter", variant).files["newsletter-key.txt"].decode()
    owners = [record.owner for record in facts.records]
    rules = Rules(ask, variant.names, owners, key.partition("p=")[2].split()[0], random)
    faults = [*rules.without_messages(), *_servers(facts.records, variant.names)]
    sent = list(rules.messages())
    _receiver().forget()
    with served(ask.zones) as server:
        yield from _compared(ask, facts.receptions, server.port)
        for found in _witnessed(facts, rules, variant.names["third"], server.port):
            if isinstance(found, Fault):
                faults.append(found)
            else:
                yield found
        seen = _receiver().judge_all([message for _, message in sent], server.port, dmarc=False)
    for (rule, message), conclusion in zip(sent, seen, strict=True):
        if conclusion.spf == "error":
            yield Disagreement("result", f"{message}: the receiver broke: {conclusion.why}")
        else:
            faults += rules.broken(rule, message, conclusion)
    lost = {
        check.code.split("/", 1)[1]: check.status for check in run.result.checks if check.status != "pass"
    }
    failed = {code for code, status in lost.items() if status == "fail"}
    broken = sorted({fault.rule for fault in faults})
    yield f"{len(sent)} messages; broken: {', '.join(broken) or 'nothing'}; {run.result.score}, lost {sorted(failed)}"
    yield from _verdicts(faults, lost, failed)


def _servers(records: Sequence[ZoneRecord], names: Mapping[str, str]) -> Iterator[Fault]:
    """NS records that lead to somebody else's server, and a domain of which its own is not asked."""
    domain, own = names["domain"], {names["nameserver"]}
    addresses: dict[str, set[str]] = {}
    for record in records:
        if record.type in ("A", "AAAA"):
            addresses.setdefault(record.owner, set()).add(record.data)
    served = False
    for record in records:
        if record.type != "NS":
            continue
        server = record.data.lower().rstrip(".")
        served = served or (record.owner == domain and bool(addresses.get(server, set()) & own))
        if not server.endswith(f".{domain}") or addresses.get(server, own) - own:
            yield Fault("servers", f"{record.owner} is left to {server}")
    if not served:
        yield Fault("served", f"no NS record leads to {own}")


def _verdicts(faults: Sequence[Fault], lost: Mapping[str, str], failed: set[str]) -> Iterator[Disagreement]:
    told: set[str] = set()
    for fault in faults:
        if fault.rule not in told and not CHECKS[fault.rule] & lost.keys():
            told.add(fault.rule)
            yield Disagreement("pass", f"{fault.rule}: {fault.what}")
    excused = {code for fault in faults for code in CHECKS[fault.rule]}
    for code in sorted(failed - excused):
        yield Disagreement("fail", f"{code} was lost, and the receivers saw nothing of it")


def _loaded(plan: ZonePlan, facts: ZoneFacts) -> Iterator[Disagreement]:
    """Whether BIND loads the file, and reads the same in it; where BIND's tools are installed."""
    if shutil.which(CHECKZONE) is None:
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(plan.content)
        file.flush()
        command = [CHECKZONE, "-i", "local", "-D", "-o", "-", plan.origin, file.name]
        done = subprocess.run(command, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()[:3]
    if bool(done.returncode) != bool(facts.faults):
        wrong = "pass" if done.returncode else "fail"
        ours = [f"line {fault.place.line + 1}: {fault.sentence}" for fault in facts.faults[:2]]
        yield Disagreement(wrong, f"loads: BIND says {said}, the product {ours}")
    elif not facts.faults:
        ours_read = {(r.owner.lower(), r.type, _known(r.type, r.data)) for r in facts.records}
        theirs = set(_dumped(done.stdout.decode("ascii")))
        if ours_read != theirs:
            yield Disagreement(
                "result", f"read: BIND alone {theirs - ours_read}, the product {ours_read - theirs}"
            )


def _dumped(text: str) -> Iterator[tuple[str, str, object]]:
    for line in text.splitlines():
        owner, _, _, kind, data = line.split(None, 4)
        kind = dns.rdatatype.to_text(dns.rdatatype.from_text(kind))
        yield dns.name.from_text(owner).to_text(omit_final_dot=True).lower(), kind, _known(kind, data)


def _known(kind: str, data: str) -> object:
    """The data for comparison, as octets."""
    rdata = dns.rdata.from_text(
        dns.rdataclass.IN, dns.rdatatype.from_text(kind), data, dns.name.root, relativize=False
    )
    return rdata.to_digestable()


def _compared(ask: Dns, receptions: Sequence[Reception], port: int) -> Iterator[Disagreement]:
    """The lab's own messages: do the independent receivers conclude what the product's does?"""
    each = {_message(reception): reception for reception in receptions}
    seen = dict(zip(each, _receiver().judge_all(list(each), port, dmarc=False), strict=True))
    alike = []
    for message, reception in each.items():
        if (found := seen[message]).spf != reception.spf.result:
            yield Disagreement(
                "result", f"{message}: SPF {reception.spf.result}, Mail::SPF {found.spf}: {found.why}"
            )
            continue
        ours = reception.dmarc.result, reception.dmarc.disposition
        author = reception.author.rpartition("@")[2]
        passed = reception.spf.domain if found.spf == "pass" else ""
        if (theirs := policies.conclude(ask, author, passed, message.dkim)) != ours:
            yield Disagreement("result", f"{message}: DMARC {ours}; RFC 9989 {theirs}")
        elif _comparable(ask, author, reception.spf.domain, message.dkim):
            alike.append(message)
    for message, other in zip(alike, _receiver().judge_all(alike, port), strict=True):
        if other.spf == "error" and "invalid" in other.why:
            continue  # it dies of a policy that is none, and of domains in no list of suffixes
        result = "pass" if each[message].dmarc.result == "pass" else "not pass"
        ours = result, each[message].dmarc.disposition
        if ours != ("pass" if other.dmarc == "pass" else "not pass", other.disposition):
            theirs = other.dmarc, other.disposition
            yield Disagreement("result", f"{message}: DMARC {ours}, Mail::DMARC {theirs}: {other.why}")


_BY_NAME = re.compile(r"^[-+~?]?ptr\b|%\{p", re.IGNORECASE)
"""Terms that hold for whoever has a name (RFC 7208 sections 5.5 and 7.3)."""


def _message(reception: Reception) -> Message:
    dkim = reception.dkim
    signed = dkim.domain if dkim is not None and dkim.verified else ""
    return Message(reception.client, reception.helo, reception.sender, reception.author, signed)


def _comparable(ask: Dns, author: str, *others: str) -> bool:
    """Whether RFC 7489, which Mail::DMARC follows, says the same of this author, and of those who sign or send for it.

    Testing, policies of names that do not exist and of public suffixes are new; percentages are gone; what a record
    with a policy that is none is worth, and what several are, changed too; and names in between count now.
    """
    try:
        names = dict.fromkeys(name for start in (author, *others) for name in _upwards(start.lower()) if name)
        texts = [text for name in names for text in ask.texts(f"_dmarc.{name}")]
    except policies.Trouble:
        return False
    if not all(text.startswith("v=DMARC1; p=") for text in texts) or len(texts) != 1 or author.count(".") > 2:
        return False
    parts = [part.strip() for part in texts[0].split(";")]
    tags = [part.partition("=")[0] for part in parts]
    plain = all(
        part.partition("=")[2] in ("none", "quarantine", "reject")
        for part, tag in zip(parts, tags, strict=True)
        if tag in ("p", "sp")
    )
    known = {"v", "p", "sp", "adkim", "aspf", "rua", "fo"}
    return plain and len(set(tags)) == len(tags) and set(tags) <= known and texts[0].isascii()


def _upwards(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _witnessed(facts: ZoneFacts, rules: Rules, third: str, port: int) -> Iterator[Disagreement | Fault]:
    """Those of whom the product says what they get: the receiver is asked whether that is so."""
    named = []
    for outsider in (one for senders in facts.senders for one in [*senders.outsiders, *senders.others]):
        helo, sender = outsider.helo or f"c.{third}", outsider.sender or f"anybody@{outsider.domain}"
        named.append((outsider, Message(outsider.witness, helo, sender, sender)))
    seen = _receiver().judge_all([message for _, message in named], port, dmarc=False)
    for (outsider, message), found in zip(named, seen, strict=True):
        if found.spf == outsider.spf.result:
            yield from rules.witnessed(outsider)
            continue
        # Whoever runs the reverse zone may give the address that name (RFC 7208 section 5.5); here nobody has.
        if any(_BY_NAME.search(step.term) for step in outsider.spf.steps):
            continue
        computed = outsider.spf.result
        yield Disagreement("result", f"{message}: computed {computed}, Mail::SPF {found.spf}: {found.why}")


@lru_cache(maxsize=50)
def _other(origin: str, text: str) -> ZoneFile:
    """Somebody else's zone."""
    return read_zone(text.encode(), origin)

"""Mutants of the lab spf-dmarc: what an independent receiver concludes, held against the product's, and the verdict."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random

from grader import kinds, labs, pipeline
from grader.kinds.zone.facts import Reception, ZoneFacts
from grader.kinds.zone.plan import ZonePlan
from grader.model.errors import LabError
from grader.model.plan import Zone
from grader.model.submission import Submission
from grader.world.dns.loopback import served
from grader.world.dns.zones import Zones
from tests.oracle.evaluator import Conclusion, Evaluator, Message
from tests.oracle.faults import Disagreement, Fault
from tests.oracle.zone_mutations import Record, mutate, read, write

CHECKS: dict[str, frozenset[str]] = {
    "own": frozenset({"own-server"}),
    "newsletter": frozenset({"newsletter"}),
    "website": frozenset({"website"}),
    "bounce": frozenset({"bounces"}),
    "stranger": frozenset({"strangers"}),
    "stand": frozenset({"strength", "strangers"}),
    "aligned": frozenset({"alignment", "own-server", "website", "newsletter", "bounces"}),
    "policy": frozenset({"policy"}),
    "subdomain": frozenset({"subdomains", "quiet-sends-nothing"}),
    "quiet": frozenset({"quiet-sends-nothing"}),
    "forwarded": frozenset({"forwarding", "signature"}),
    "unreadable": frozenset({"loads"}),
}
"""The checks of the lab at which a broken rule may show."""

BEYOND = {
    "spf-record", "spf-limits", "dmarc-record", "mail-in", "signature", "quiet-takes-nothing", "reports", "authorizes",
    "authorizes-nobody-else", "loads",
}  # fmt: skip
"""Checks about what receivers of single messages do not show; they may be lost without a rule broken here."""

WITH_DMARC = ("aligned", "forwarded", "policy", "subdomain")
"""Rules about what DMARC concludes; the others are SPF's alone."""

NEWSLETTER = ("192.0.2.128/26", "2001:db8:4e57::/48")


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
    return Submission({**rendered.files, name: write(records).encode()}), said, random


def hunt(folder: Path, seed: str, number: int) -> Iterator[str | Disagreement]:
    """Try one zone: first lines about it, then what the receiver and the product disagree about."""
    submission, said, random = mutant(folder, seed, number)
    yield "; ".join(said)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, None, None)
    names = variant.names
    run = pipeline.grade(lab, submission, engine=None, variant=variant)
    facts = run.evidence.facts
    assert isinstance(facts, ZoneFacts)
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=None, only=None)
    assert isinstance(plan, ZonePlan)
    faults: list[Fault] = []
    sent = 0
    try:
        zones = Zones(
            [Zone(plan.origin, plan.content.decode()), *(Zone(o, t) for o, t in plan.others.items())]
        )
    except LabError as error:
        faults.append(Fault("unreadable", str(error)))
    else:
        records = read(plan.content.decode())
        with served(zones) as server:
            for reception in facts.receptions:
                yield from _compared(reception, records, server.port)
            witnesses = list(_witnesses(facts, names))
            for rule, message in [*_messages(random, names, records), *witnesses]:
                sent += 1
                with_dmarc = rule in WITH_DMARC
                if with_dmarc and not _comparable(records, message.author):
                    continue
                seen = _receiver().judge(message, server.port, dmarc=with_dmarc)
                if "invalid disposition" in seen.why:
                    continue
                if seen.spf == "error":
                    yield Disagreement("result", f"{message}: the receiver broke: {seen.why}")
                if fault := _broken(rule, message, seen):
                    faults.append(fault)
    lost = {
        check.code.split("/", 1)[1]: check.status for check in run.result.checks if check.status != "pass"
    }
    failed = {code for code, status in lost.items() if status == "fail"}
    rules = sorted({fault.rule for fault in faults})
    yield f"{sent} messages; broken: {', '.join(rules) or 'nothing'}; {run.result.score}, lost {sorted(failed)}"
    # What only RFC 9989 knows, Mail::DMARC cannot see.
    newer = (
        set()
        if _comparable(read(plan.content.decode()), "")
        else {"policy", "subdomains", "alignment", "forwarding"}
    )
    yield from _verdicts(faults, lost, failed, BEYOND | newer)


def _verdicts(
    faults: list[Fault], lost: Mapping[str, str], failed: set[str], beyond: set[str]
) -> Iterator[Disagreement]:
    told: set[str] = set()
    for fault in faults:
        if fault.rule not in told and not CHECKS[fault.rule] & lost.keys():
            told.add(fault.rule)
            yield Disagreement("pass", f"{fault.rule}: {fault.what}")
    excused = {code for fault in faults for code in CHECKS[fault.rule]}
    for code in sorted(failed - excused - beyond):
        yield Disagreement("fail", f"{code} was lost, and the receiver saw nothing of it")


def _compared(reception: Reception, records: list[Record], port: int) -> Iterator[Disagreement]:
    """A message of the lab's own: does the independent receiver conclude what the product's does?"""
    dkim = reception.dkim
    message = Message(
        reception.client,
        reception.helo,
        reception.sender,
        reception.author,
        dkim.domain if dkim is not None and dkim.verified else "",
    )
    other = _receiver().judge(message, port)
    if "invalid disposition" in other.why:
        return  # Mail::DMARC dies of a policy that is none.
    if other.spf == "error":
        yield Disagreement("result", f"{message}: the receiver broke: {other.why}")
        return
    if other.spf != reception.spf.result:
        yield Disagreement(
            "result", f"{message}: SPF {reception.spf.result}, Mail::SPF {other.spf}: {other.why}"
        )
        return
    if _comparable(records, reception.author):
        ours = "pass" if reception.dmarc.result == "pass" else "not pass"
        theirs = "pass" if other.dmarc == "pass" else "not pass"
        if (ours, reception.dmarc.disposition) != (theirs, other.disposition):
            yield Disagreement(
                "result",
                f"{message}: DMARC {ours}, {reception.dmarc.disposition}; Mail::DMARC {theirs}, {other.disposition}",
            )


def _comparable(records: list[Record], author: str) -> bool:
    """Whether RFC 7489, which Mail::DMARC follows, and RFC 9989 say the same of this author under these records."""
    dmarc = [r for r in records if r.type == "TXT" and (r.owner == "_dmarc" or "_dmarc." in r.owner)]
    policies = [r for r in dmarc if r.data.startswith("v=DMARC1")]
    tags = {part.partition("=")[0].strip().casefold() for r in policies for part in r.data.split(";")}
    # Testing, policies of names that do not exist and of public suffixes are new; percentages are gone. What a record
    # with a policy that is none is worth, and what several are, changed too. And names in between count now.
    plain = all(
        part.strip() in ("p=none", "p=quarantine", "p=reject", "sp=none", "sp=quarantine", "sp=reject")
        for r in policies
        for part in r.data.split(";")
        if part.strip().partition("=")[0].casefold() in ("p", "sp")
    )
    firsts = all(r.data.split("; ")[0] == "v=DMARC1" for r in policies)
    doubled = any(
        len({part.partition("=")[0] for part in r.data.split("; ")}) < len(r.data.split("; "))
        for r in policies
    )
    alone = len([r for r in policies if r.owner == "_dmarc"]) == 1
    wild = any(r.owner.startswith("*") for r in records)
    below = author.rpartition("@")[2].count(".")
    without_p = any("p=" not in r.data.replace("sp=", "").replace("np=", "") for r in policies)
    return (
        plain and firsts and alone and not doubled and not wild and not without_p and below < 3
        and not tags & {"t", "np", "psd", "pct"}
    )  # fmt: skip


def _messages(random: Random, names: dict[str, str], records: list[Record]) -> Iterator[tuple[str, Message]]:
    """Messages of those who may send, of everybody else, and the rule that each is about."""
    domain, host, third = names["domain"], names["host"], names["third"]
    key = [r.data for r in records if r.owner == "nl._domainkey.news" and r.type == "TXT"]
    signed = f"news.{domain}" if len(key) == 1 and key[0].startswith("v=DKIM1; k=rsa; p=MIIB") else ""
    for client in (names["host_v4"], names["host_v6"]):
        yield "own", Message(client, host, f"alice@{domain}", f"alice@{domain}")
        yield "bounce", Message(client, host, "", f"mailer-daemon@{domain}")
        yield "aligned", Message(client, host, f"bob@{domain}", f"bob@{domain}")
        yield "aligned", Message(client, host, "", f"mailer-daemon@{domain}")
    yield "website", Message(names["web_v4"], f"www.{domain}", f"orders@{domain}", f"orders@{domain}")
    for network in NEWSLETTER:
        client = _within(random, network)
        helo = f"out.{names['newsletter']}"
        yield "newsletter", Message(client, helo, f"news@{domain}", f"news@{domain}", signed)
    if signed:
        message = Message(names["outside_v4"], names["outside_host"], f"x@{third}", f"news@{domain}", signed)
        yield "forwarded", message
    yield "policy", Message(names["stranger"], f"c.{third}", f"info@{third}", f"alice@{domain}")
    yield "quiet", Message(names["stranger"], f"c.{third}", f"x@{names['quiet']}.{domain}", f"x@{third}")
    # Nothing sends from there, one's own server and website no more than others.
    for client in (names["host_v4"], names["host_v6"], names["web_v4"]):
        yield "quiet", Message(client, host, f"x@{names['quiet']}.{domain}", f"x@{third}")
    for label in (names["quiet"], "news", "www", "accounts"):
        yield "subdomain", Message(names["stranger"], f"c.{third}", f"info@{third}", f"x@{label}.{domain}")
    owners = sorted({_name(r.owner, domain) for r in records if r.type in ("A", "AAAA", "TXT", "MX")})
    senders = [domain, *(owner for owner in owners if "_" not in owner), f"made-up.{domain}", f"a.b.{domain}"]
    for client in _outsiders(random, names, records):
        yield "stand", Message(client, f"c.{third}", f"mallory@{domain}", f"alice@{domain}")
        for name in random.sample(senders, min(2, len(senders))):
            yield "stranger", Message(client, f"c.{third}", f"mallory@{name}", f"alice@{domain}")
        helo = random.choice(senders)
        yield "stranger", Message(client, helo, "", f"alice@{domain}")


def _witnesses(facts: ZoneFacts, names: dict[str, str]) -> Iterator[tuple[str, Message]]:
    """Those of whom the product says that they pass and may not: the receiver is asked whether that is so."""
    for senders in facts.senders:
        for outsider in senders.outsiders:
            helo = outsider.helo or f"c.{names['third']}"
            sender = outsider.sender or f"mallory@{outsider.domain}"
            yield "stranger", Message(outsider.witness, helo, sender, f"alice@{names['domain']}")


def _name(owner: str, domain: str) -> str:
    """The full name of a record's owner; something below a wildcard for one."""
    name = domain if owner == "@" else owner[:-1] if owner.endswith(".") else f"{owner}.{domain}"
    return name.replace("*", "any").casefold()


def _within(random: Random, network: str) -> str:
    net = ipaddress.ip_network(network)
    return str(net[random.randrange(net.num_addresses)])


def _outsiders(random: Random, names: dict[str, str], records: list[Record]) -> list[str]:
    """Addresses that may not send: beside those that may, at every distance, and anywhere."""
    may = [
        ipaddress.ip_network(n) for n in (names["host_v4"], names["host_v6"], names["web_v4"], *NEWSLETTER)
    ]
    bases = [names["host_v4"], names["host_v6"], names["web_v4"], "192.0.2.129", "2001:db8:4e57::25"]
    found = [names["former_v4"], names["neighbour_public"], names["stranger_v6"], names["web_neighbour"]]
    found += [names["outside_v4"], names["outside_backup_v4"], names["partner_v4"], names["nameserver"]]
    found += [record.data for record in records if record.type in ("A", "AAAA")]
    for base in bases:
        address = ipaddress.ip_address(base)
        bits = address.max_prefixlen
        for _ in range(2):
            low = random.choice((random.randrange(bits), random.randrange(16 if bits == 32 else 80)))
            found.append(
                str(type(address)((int(address) ^ (1 << low)) & ~(((1 << low) - 1) if low > 8 else 0)))
            )
    found += [str(ipaddress.IPv4Address(random.getrandbits(32))) for _ in range(2)]
    found.append(str(ipaddress.IPv6Address(random.getrandbits(128))))
    mapped = ipaddress.ip_network("::ffff:0:0/96")
    return [
        text
        for text in dict.fromkeys(found)
        if not any(ipaddress.ip_address(text) in net for net in [*may, mapped])
    ]


def _broken(rule: str, message: Message, seen: Conclusion) -> Fault | None:
    """The rule that a conclusion breaks."""
    fine = {
        "own": seen.spf == "pass",
        "bounce": seen.spf == "pass",
        "website": seen.spf == "pass",
        "newsletter": seen.spf == "pass",
        "aligned": seen.dmarc == "pass",
        "forwarded": seen.dmarc == "pass",
        "policy": seen.disposition == "quarantine",
        "subdomain": seen.disposition == "reject",
        "quiet": seen.spf == "fail",
        "stranger": seen.spf != "pass",
        "stand": seen.spf in ("fail", "softfail"),
    }[rule]
    return (
        None
        if fine
        else Fault(rule, f"{message}: {seen.spf}, DMARC {seen.dmarc}, {seen.disposition}: {seen.why}")
    )

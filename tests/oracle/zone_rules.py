"""The rules of the lab spf-dmarc's handout, and the messages that show whether a zone keeps them."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator
from random import Random

from dkim.crypto import parse_public_key

from grader.kinds.zone.facts import Outsider
from tests.oracle import policies
from tests.oracle.evaluator import Conclusion, Message
from tests.oracle.faults import Fault
from tests.oracle.policies import Dns

CHECKS: dict[str, frozenset[str]] = {
    "served": frozenset({"loads"}),
    "servers": frozenset({"loads", "strangers"}),
    "own": frozenset({"own-server"}),
    "newsletter": frozenset({"newsletter"}),
    "website": frozenset({"website"}),
    "bounce": frozenset({"bounces"}),
    "stranger": frozenset({"strangers"}),
    "stand": frozenset({"strength", "strangers"}),
    "usable": frozenset({"spf-record", "spf-limits"}),
    "record": frozenset({"spf-record"}),
    "aligned": frozenset({"alignment", "own-server", "website", "newsletter", "bounces"}),
    "dmarc": frozenset({"dmarc-record"}),
    "policy": frozenset({"policy", "dmarc-record"}),
    "subdomain": frozenset({"subdomains", "dmarc-record"}),
    "subdomain-stranger": frozenset({"subdomains", "strangers", "quiet-sends-nothing"}),
    "quiet": frozenset({"quiet-sends-nothing"}),
    "quiet-mail": frozenset({"quiet-takes-nothing"}),
    "mail": frozenset({"mail-in"}),
    "key": frozenset({"signature"}),
    "forwarded": frozenset({"forwarding"}),
    "reports": frozenset({"reports"}),
    "sister": frozenset({"authorizes"}),
    "others-reports": frozenset({"authorizes-nobody-else"}),
}
"""The checks of the lab at which a broken rule may show."""

NEWSLETTER = ("192.0.2.128/26", "2001:db8:4e57::/48")
MAPPED = ipaddress.ip_network("::ffff:0:0/96")
"""Clients with IPv4, as systems with IPv6 sockets see them (RFC 4291 section 2.5.5.2): never IPv6 to SPF."""
MOST_OUTSIDERS = 16
Names = dict[str, str]
Mail = tuple[str, Message]
"""The rule that a message is about, and the message."""


class Rules:
    """The rules as they hold for one zone; ``owners`` are the names of its records, wildcards and all."""

    def __init__(self, ask: Dns, names: Names, owners: list[str], key: str, random: Random) -> None:
        self._ask = ask
        self._names = names
        self._random = random
        self._domain = names["domain"]
        named = (owner.replace("*", "any", 1) for owner in owners)
        self._owners = [name for name in dict.fromkeys(named) if name.endswith(f".{self._domain}")]
        # A policy at _dmarc.www is one for www, whatever else is there.
        bare = (re.sub(r".*_[^.]*\.", "", owner) for owner in self._owners)
        self._usual = [name for name in dict.fromkeys(bare) if name.endswith(f".{self._domain}")]
        self._may = [
            ipaddress.ip_network(n)
            for n in (names["host_v4"], names["host_v6"], names["web_v4"], *NEWSLETTER)
        ]
        modulus = parse_public_key(base64.b64decode(key))["modulus"]
        signer = f"news.{self._domain}"
        self.signed = signer if policies.key_works(ask, f"nl._domainkey.{signer}", modulus) else ""

    def without_messages(self) -> Iterator[Fault]:
        """The rules that no single message shows."""
        domain, names, ask = self._domain, self._names, self._ask
        if not self.signed:
            yield Fault("key", "the newsletter's key does not verify")
        with_trouble = policies.Trouble
        try:
            number = sum(bool(re.match(r"v=spf1( |$)", text, re.IGNORECASE)) for text in ask.texts(domain))
            if number != 1:
                yield Fault("record", f"{number} SPF records")
        except with_trouble as trouble:
            yield Fault("record", str(trouble))
        try:
            found = ask.policies(domain)
            said = (
                {found[0].get(name, "none").lower() for name in ("p", "sp", "np")}
                if len(found) == 1
                else {""}
            )
            if said - {"none", "quarantine", "reject"} or "p" not in found[0]:
                yield Fault("dmarc", f"{found}")
        except with_trouble as trouble:
            yield Fault("dmarc", str(trouble))
        yield from self._routes()
        for address in (f"dmarc@{domain}", f"{names['account']}@{names['analyser']}"):
            if not policies.reported(ask, domain, address):
                yield Fault("reports", f"none to {address}")
        if not policies.reported(ask, names["partner"], f"dmarc@{domain}"):
            yield Fault("sister", "no reports about the partner")
        for about, to in self._permits():
            if policies.permitted(ask, about, to):
                yield Fault("others-reports", f"{about} to {to}")

    def _routes(self) -> Iterator[Fault]:
        names = self._names
        right = {names["host_v4"], names["host_v6"]}
        try:
            ways = list(policies.routes(self._ask, self._domain))
            there = {address for _, addresses in ways for address in addresses}
            each = all(not wrong and addresses for wrong, addresses in ways)
            if not each or not there <= right or names["host_v4"] not in there:
                yield Fault("mail", f"{ways}")
        except policies.Trouble as trouble:
            yield Fault("mail", str(trouble))
        try:
            quiet = self._ask.ask(f"{names['quiet']}.{self._domain}", "MX")[1]
            if [rdata.to_text() for rdata in quiet] != ["0 ."]:
                yield Fault("quiet-mail", f"{quiet}")
        except policies.Trouble as trouble:
            yield Fault("quiet-mail", str(trouble))

    def _permits(self) -> Iterator[tuple[str, str]]:
        """Domains whose reports are not wanted, and where they might be sent."""
        partner = self._names["partner"]
        abouts = {self._names["third"], "any.example.org", "x.example", "y.net"}
        tos = {self._domain, *self._usual}
        for owner in self._owners:
            about, between, to = owner.partition("._report._dmarc.")
            if between:
                abouts.add(about)
                tos.add(to)
        for about in sorted(abouts):
            if about not in (partner, self._domain) and not about.endswith(
                (f".{partner}", f".{self._domain}")
            ):
                yield from ((about, to) for to in sorted(tos))

    def messages(self) -> Iterator[Mail]:
        """Messages of those who may send, and of everybody else."""
        domain, names = self._domain, self._names
        host, third = names["host"], names["third"]
        for client in (names["host_v4"], names["host_v6"]):
            yield "own", Message(client, host, f"alice@{domain}", f"alice@{domain}")
            yield "bounce", Message(client, host, "", f"mailer-daemon@{domain}")
        yield "website", Message(names["web_v4"], f"www.{domain}", f"orders@{domain}", f"orders@{domain}")
        for network in NEWSLETTER:
            client, helo = self._within(network), f"out.{names['newsletter']}"
            yield "newsletter", Message(client, helo, f"news@{domain}", f"news@{domain}", self.signed)
        forwarder = names["outside_v4"], names["outside_host"]
        yield "forwarded", Message(*forwarder, f"x@{third}", f"news@{domain}", self.signed)
        yield "policy", Message(names["stranger"], f"c.{third}", f"info@{third}", f"alice@{domain}")
        quiet = f"{names['quiet']}.{domain}"
        for client in (
            names["host_v4"],
            names["host_v6"],
            names["web_v4"],
            *self._random.sample(self._outsiders(), 3),
        ):
            yield "quiet", Message(client, host, f"x@{quiet}", f"x@{third}")
        below = [f"{name}.{domain}" for name in (names["quiet"], "news", "www", "accounts", "a.b.c.d.e.f.g")]
        for author in dict.fromkeys([*below, *self._usual, *(f"zz.{name}" for name in self._usual)]):
            yield "subdomain", Message(names["stranger"], f"c.{third}", f"info@{third}", f"x@{author}")
        yield from self._strangers()

    def _strangers(self) -> Iterator[Mail]:
        """Those who may not send, as the domain and as the names below it."""
        domain, third = self._domain, self._names["third"]
        below = [*self._usual, f"made-up.{domain}", f"a.b.{domain}"]
        for client in self._outsiders():
            local = self._random.choice(["mallory", "mallory", *self._locals()])
            helo = self._random.choice([f"c.{third}", f"c.{third}", *self._owners, *self._usual])
            yield "stand", Message(client, helo, f"{local}@{domain}", f"alice@{domain}")
            name = self._random.choice(below)
            yield "stranger", Message(client, helo, f"{local}@{name}", f"alice@{domain}")
            yield "subdomain-stranger", Message(client, helo, f"{local}@{name}", f"alice@{name}")
            yield "stranger", Message(client, self._random.choice([domain, *below]), "", f"alice@{domain}")

    def _locals(self) -> list[str]:
        return [label for owner in self._owners if not (label := owner.partition(".")[0]).startswith("_")]

    def _within(self, network: str) -> str:
        net = ipaddress.ip_network(network)
        return str(net[self._random.randrange(net.num_addresses)])

    def _outsiders(self) -> list[str]:
        """Addresses that may not send: beside those that may, at every distance, named by the zone, and anywhere."""
        names, random = self._names, self._random
        chosen = (
            "former_v4",
            "neighbour_public",
            "stranger_v6",
            "web_neighbour",
            "outside_v4",
            "partner_v4",
            "stranger",
        )
        found = [names[name] for name in chosen]
        for owner in self._owners:
            found += ["".join(quad) for quad in re.findall(r"\b(\d{1,3}(?:\.\d{1,3}){3})\b", owner)]
            found += [
                ".".join(reversed(quad.split("."))) for quad in re.findall(r"\d{1,3}(?:\.\d{1,3}){3}", owner)
            ]
            if numbers := re.findall(r"\b(\d{1,3})\b", owner):
                found.append(".".join([*reversed(numbers[:4]), *["66"] * (4 - len(numbers[:4]))]))
            for kind in ("A", "AAAA"):
                try:
                    found += [rdata.address for rdata in self._ask.ask(owner, kind)[1]]
                except policies.Trouble:
                    continue
        for base in (names["host_v4"], names["host_v6"], names["web_v4"], "192.0.2.129", "2001:db8:4e57::25"):
            address = ipaddress.ip_address(base)
            bits = address.max_prefixlen
            for _ in range(2):
                low = random.choice((random.randrange(bits), random.randrange(16 if bits == 32 else 80)))
                number = (int(address) ^ (1 << low)) & ~(((1 << low) - 1) if low > 8 else 0)
                found.append(str(type(address)(number)))
        found += [str(ipaddress.IPv4Address(random.getrandbits(32))) for _ in range(2)]
        found.append(str(ipaddress.IPv6Address(random.getrandbits(128))))
        outside = [text for text in dict.fromkeys(found) if self._is_outside(text)]
        return random.sample(outside, min(MOST_OUTSIDERS, len(outside)))

    def _is_outside(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return not any(address in network for network in [*self._may, MAPPED])

    def witnessed(self, outsider: Outsider) -> Iterator[Fault]:
        """The rules that somebody breaks of whom the product says so, once an independent receiver has agreed."""
        result, domain = outsider.spf.result, outsider.domain
        told = f"{outsider.witness} as {domain}: {result}"
        if domain == f"{self._names['quiet']}.{self._domain}" and result != "fail":
            yield Fault("quiet", told)
        if not self._is_outside(outsider.witness):
            return
        if result == "pass" and self._aligned(domain):
            yield Fault("stranger", told)
        if domain == self._domain and result not in ("fail", "softfail"):
            yield Fault("stand", told)
        if domain == self._domain and result in ("permerror", "temperror", "none"):
            yield Fault("usable", told)

    def broken(self, rule: str, message: Message, seen: Conclusion) -> Iterator[Fault]:
        """The rules that a message shows to be broken."""
        sender = (message.sender.rpartition("@")[2] or message.helo).lower()
        author = message.author.rpartition("@")[2]
        passed = sender if seen.spf == "pass" else ""
        result, disposition = policies.conclude(self._ask, author, passed, message.dkim)
        told = f"{message}: {seen.spf}, DMARC {result}, {disposition}: {seen.why}"
        if sender == self._domain and seen.spf in ("permerror", "temperror", "none"):
            yield Fault("usable", told)
        if rule in ("own", "bounce", "website", "newsletter"):
            if seen.spf != "pass":
                yield Fault(rule, told)
            if rule != "newsletter" and (result, disposition) != ("pass", "none"):
                yield Fault("aligned", told)
            if rule == "newsletter" and (seen.spf != "pass" or not self._aligned(sender)):
                yield Fault("aligned", told)
            return
        fine = {
            "forwarded": result == "pass",
            "policy": disposition == "quarantine",
            "subdomain": disposition == "reject",
            "subdomain-stranger": seen.spf != "pass" or (result, disposition) == ("fail", "reject"),
            "quiet": seen.spf == "fail",
            "stranger": seen.spf != "pass" or not self._aligned(sender),
            "stand": seen.spf in ("fail", "softfail"),
        }[rule]
        if not fine:
            yield Fault(rule, told)

    def _aligned(self, sender: str) -> bool:
        """Whether a pass for a name counts for the domain; without a policy, by the default (RFC 9989 section 4.4)."""
        if sender != self._domain and not sender.endswith(f".{self._domain}"):
            return False
        try:
            found = policies.applying(self._ask, self._domain)
            strict = found is not None and found[1].get("aspf", "r").lower() == "s"
            return found is None or policies.aligned(self._ask, strict, sender, self._domain)
        except policies.Trouble:
            return False

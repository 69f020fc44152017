"""What receivers conclude from DMARC (RFC 9989): policy discovery by tree walk, alignment, disposition, reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from grader.kinds.zone.declare import Disposition
from grader.kinds.zone.facts import Dkim, Dmarc, Policies, Reporting, Spf
from grader.kinds.zone.run.resolver import NoAnswer, Resolver

VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
"""How a policy record begins (RFC 9989 section 4.8); the value is case-sensitive."""

POLICIES: tuple[str, ...] = get_args(Disposition)
LONGEST_WALK = 8
"""Queries of one tree walk (RFC 9989 section 4.10)."""

_MAIL = re.compile(r"mailto:([^@\s!?,;]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Policy:
    """A policy record found at a domain. ``tags`` are lower-case names with their values as written."""

    domain: str
    text: str
    tags: dict[str, str]

    def option(self, tag: str, allowed: str, default: str) -> str:
        """The value of a tag, the default where it is none of those allowed (RFC 9989 section 4.8)."""
        value = self.tags.get(tag, default).lower()
        return value if value in allowed.split() else default

    @property
    def addresses(self) -> list[str]:
        """Where aggregate reports are asked for."""
        found = (_MAIL.fullmatch(uri.strip()) for uri in self.tags.get("rua", "").split(","))
        return [match[1] for match in found if match]

    @property
    def valid(self) -> bool:
        """Whether ``p`` is there and it, ``sp`` and ``np`` say something that can be understood."""
        return "p" in self.tags and all(
            self.tags[tag].lower() in POLICIES for tag in ("p", "sp", "np") if tag in self.tags
        )

    @property
    def applies(self) -> bool:
        """Whether receivers go by it: one that says nothing valid must at least ask for reports (4.10.1)."""
        uris = self.tags.get("rua", "").split(",")
        return self.valid or any(_URI.fullmatch(uri.strip()) for uri in uris)


def parse(domain: str, text: str) -> Policy | None:
    """A TXT record as a policy record; ``None`` where it is none (RFC 9989 section 4.7, ``v``)."""
    if not VERSION.match(text):
        return None
    tags: dict[str, str] = {}
    for part in text.split(";")[1:]:
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return Policy(domain, text, tags)


def policies_at(resolver: Resolver, domain: str) -> list[Policy]:
    """The policy records at a domain itself. Raises ``NoAnswer``."""
    texts = (text.decode("latin-1") for text in resolver.texts(f"_dmarc.{domain}"))
    return [policy for text in texts if (policy := parse(domain, text))]


def walk(resolver: Resolver, domain: str) -> list[Policy]:
    """The records that a tree walk from a domain finds, the longest name first (RFC 9989 section 4.10)."""
    found = []
    for name in _steps(domain):
        policies = policies_at(resolver, name)
        if len(policies) == 1:
            found.append(policies[0])
            if policies[0].option("psd", "y n", "u") != "u":
                break
    return found


def _steps(domain: str) -> list[str]:
    labels = domain.lower().rstrip(".").split(".")
    names = [labels]
    rest = labels[1:] if len(labels) < LONGEST_WALK else labels[-(LONGEST_WALK - 1) :]
    while rest:
        names.append(rest)
        rest = rest[1:]
    return [".".join(name) for name in names]


def organization(resolver: Resolver, domain: str) -> str:
    """The organizational domain of a domain (RFC 9989 section 4.10.2). Raises ``NoAnswer``."""
    start = domain.lower().rstrip(".")
    found = walk(resolver, start)
    for policy in found:
        flag = policy.option("psd", "y n", "u")
        if flag == "n":
            return policy.domain
        if flag == "y" and policy.domain != start:
            below = start.removesuffix(f".{policy.domain}")
            return f"{below.rpartition('.')[2]}.{policy.domain}"
    return found[-1].domain if found else start


def discover(resolver: Resolver, author: str) -> Policy | None:
    """The record that applies to mail from a domain (RFC 9989 section 4.10.1). Raises ``NoAnswer``."""
    own = policies_at(resolver, author)
    if len(own) == 1:
        return own[0]
    found = walk(resolver, author)
    owner = organization(resolver, author)
    for policy in found:
        if policy.domain == owner or policy.option("psd", "y n", "u") == "y":
            return policy
    return None


def evaluate(resolver: Resolver, author: str, spf: Spf, dkim: Dkim | None) -> Dmarc:
    """What DMARC makes of a message from ``author``, a domain, that authenticated so."""
    author = author.lower().rstrip(".")
    try:
        policy = discover(resolver, author)
        if policy is None or not policy.applies:
            return _none(policy)
        tag, wanted = _policy_for(resolver, policy, author)
        spf_aligned = spf.result == "pass" and _aligned(resolver, policy, "aspf", author, spf.domain)
        dkim_aligned = bool(
            dkim and dkim.verified and _aligned(resolver, policy, "adkim", author, dkim.domain)
        )
        owner = organization(resolver, author)
    except NoAnswer as error:
        return Dmarc("none", "none", explanation=f"DNS: {error}")
    passes = spf_aligned or dkim_aligned
    testing = policy.option("t", "y n", "n") == "y"
    return Dmarc(
        result="pass" if passes else "fail",
        disposition="none" if passes else _weaker(wanted) if testing else wanted,
        holder=policy.domain,
        record=policy.text,
        policy=wanted,
        tag=tag,
        testing=testing,
        spf_aligned=spf_aligned,
        dkim_aligned=dkim_aligned,
        organization=owner,
    )


def _none(policy: Policy | None) -> Dmarc:
    if policy is None:
        return Dmarc("none", "none", explanation="no policy record")
    return Dmarc(
        "none",
        "none",
        holder=policy.domain,
        record=policy.text,
        explanation="no valid policy and no address for reports",
    )


def _policy_for(resolver: Resolver, policy: Policy, author: str) -> tuple[str, Disposition]:
    """The tag that applies, and its policy (RFC 9989 section 4.10.1); ``none`` where the record is not valid."""
    if not policy.valid:
        return "rua", "none"
    tag = "p"
    if policy.domain != author:
        choices: tuple[str, ...] = ("sp", "p") if _exists(resolver, author) else ("np", "sp", "p")
        tag = next(choice for choice in choices if choice in policy.tags)
    return tag, cast(Disposition, policy.tags[tag].lower())


def _exists(resolver: Resolver, domain: str) -> bool:
    """Whether a domain exists for DMARC: any answer but NXDOMAIN (RFC 9989 section 3.2.13, RFC 8020)."""
    return resolver.ask(domain, "A").exists


def _aligned(
    resolver: Resolver, policy: Policy, tag: Literal["aspf", "adkim"], author: str, other: str
) -> bool:
    """Whether an authenticated domain is aligned with the author's (RFC 9989 section 4.10.2)."""
    other = other.lower().rstrip(".")
    if author == other:
        return True
    if policy.option(tag, "r s", "r") == "s":
        return False
    return organization(resolver, author) == organization(resolver, other)


def _weaker(policy: Disposition) -> Disposition:
    """One level below, which ``t=y`` asks for (RFC 9989 section 4.7)."""
    return "quarantine" if policy == "reject" else "none"


def published(resolver: Resolver, attempt: str, domain: str) -> Policies:
    """The policy records at a domain itself, and what is wrong with them, if anything is."""
    try:
        found = policies_at(resolver, domain)
    except NoAnswer as error:
        return Policies(attempt, domain, [], problem=str(error))
    texts = [policy.text for policy in found]
    if len(found) != 1:
        problem = (
            "several policy records, so that receivers discard them all" if found else "no policy record"
        )
        return Policies(attempt, domain, texts, problem=problem)
    return Policies(attempt, domain, texts, problem=_invalid(found[0]))


def _invalid(policy: Policy) -> str:
    """What makes a record void: a policy that is missing or none that there is."""
    if policy.valid:
        return ""
    if "p" not in policy.tags:
        return "the record says no policy (p)"
    wrong = next(tag for tag in ("p", "sp", "np") if policy.tags.get(tag, "none").lower() not in POLICIES)
    return f"{wrong}={policy.tags[wrong]} is no policy"


def reporting(resolver: Resolver, attempt: str, domain: str, to: str) -> Reporting:
    """Whether a receiver would send reports about a domain to an address (RFC 9990 section 4)."""
    try:
        policy = discover(resolver, domain)
        if policy is None:
            return Reporting(attempt, domain, to, requested=False, authorized=None)
        requested = any(_same_mailbox(address, to) for address in policy.addresses)
        host = to.rpartition("@")[2].lower()
        if organization(resolver, host) == organization(resolver, policy.domain):
            return Reporting(attempt, domain, to, requested, None, others=policy.addresses)
        asked = f"{policy.domain}._report._dmarc.{host}"
        texts = (text.decode("latin-1") for text in resolver.texts(asked))
        permits = [permit for text in texts if (permit := parse(host, text))]
    except NoAnswer:
        return Reporting(attempt, domain, to, requested=False, authorized=False)
    if elsewhere := [address for permit in permits for address in permit.addresses]:
        # Who gets the reports may name another of their mailboxes in their own record.
        hosts = {address.rpartition("@")[2].lower() for address in policy.addresses}
        requested = host in hosts and any(_same_mailbox(address, to) for address in elsewhere)
    return Reporting(attempt, domain, to, requested, bool(permits), asked, policy.addresses)


def _same_mailbox(one: str, other: str) -> bool:
    """Whether two addresses are the same: case matters in the local part alone (RFC 5321 section 2.4)."""
    local, _, domain = one.rpartition("@")
    other_local, _, other_domain = other.rpartition("@")
    return local == other_local and domain.lower() == other_domain.lower()

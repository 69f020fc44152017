"""What receivers conclude from DMARC (RFC 9989): policy discovery by tree walk, alignment, disposition, reports."""

from __future__ import annotations

from typing import Literal, cast

from msgspec import Struct

from grader.formats.address import domain_of
from grader.formats.dmarc import DmarcRecord, read_record, same_mailbox
from grader.kinds.zone.declare import Disposition
from grader.kinds.zone.facts import Dkim, Dmarc, Policies, Reporting, Spf
from grader.kinds.zone.run.resolver import NoAnswer, Resolver

LONGEST_WALK = 8
"""Queries of one tree walk (RFC 9989 section 4.10)."""


class Policy(Struct, frozen=True):
    """A policy record found at a domain."""

    domain: str
    record: DmarcRecord

    @property
    def text(self) -> str:
        """The record as it stands in DNS."""
        return self.record.text


def policies_at(resolver: Resolver, domain: str) -> list[Policy]:
    """The policy records at a domain itself. Raises ``NoAnswer``."""
    texts = (text.decode("latin-1") for text in resolver.texts(f"_dmarc.{domain}"))
    return [Policy(domain, record) for text in texts if (record := read_record(text))]


def walk(resolver: Resolver, domain: str) -> list[Policy]:
    """The records that a tree walk from a domain finds, the longest name first (RFC 9989 section 4.10)."""
    found = []
    for name in _steps(domain):
        policies = policies_at(resolver, name)
        if len(policies) == 1:
            found.append(policies[0])
            if policies[0].record.option("psd", "u") != "u":
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
        flag = policy.record.option("psd", "u")
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
        if policy.domain == owner or policy.record.option("psd", "u") == "y":
            return policy
    return None


def evaluate(resolver: Resolver, author: str, spf: Spf, dkim: Dkim | None) -> Dmarc:
    """What DMARC makes of a message from ``author``, a domain, that authenticated so."""
    author = author.lower().rstrip(".")
    try:
        policy = discover(resolver, author)
        if policy is None or not policy.record.applies:
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
    testing = policy.record.option("t", "n") == "y"
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
    if not policy.record.valid:
        return "rua", "none"
    tag = "p"
    if policy.domain != author:
        # Only where names that do not exist have a policy of their own is it asked which these are.
        is_missing = "np" in policy.record.tags and not _exists(resolver, author)
        choices = ("np",) if is_missing else ("sp", "p")
        tag = next(choice for choice in choices if choice in policy.record.tags)
    return tag, cast(Disposition, policy.record.values[tag].lower())


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
    if policy.record.option(tag, "r") == "s":
        return False
    return organization(resolver, author) == organization(resolver, other)


def _weaker(policy: Disposition) -> Disposition:
    """One level below, which ``t=y`` asks for (RFC 9989 section 4.7)."""
    return "quarantine" if policy == "reject" else "none"


def _belong_together(resolver: Resolver, one: str, other: str) -> bool:
    """Whether two domains have one organization; not where DNS cannot tell, which a permission then makes good."""
    try:
        return organization(resolver, one) == organization(resolver, other)
    except NoAnswer:
        return False


def published(resolver: Resolver, attempt: str, domain: str) -> Policies:
    """The policy records at a domain itself, and what is wrong with them, if anything is."""
    try:
        found = policies_at(resolver, domain)
    except NoAnswer as error:
        return Policies(attempt, domain, [], problem=str(error), fault="no-answer")
    texts = [policy.text for policy in found]
    if not found:
        return Policies(attempt, domain, texts, problem="no policy record", fault="none")
    if len(found) > 1:
        problem = "several policy records, so that receivers discard them all"
        return Policies(attempt, domain, texts, problem=problem, fault="several")
    record = found[0].record
    if record.fault is None:
        return Policies(attempt, domain, texts)
    tag = record.wrong_tag
    problem = {
        "no-policy": "the record says no policy (p)",
        "twice": f"{tag} stands in the record twice",
        "bad-policy": f"{tag}={record.values.get(tag)} is no policy",
    }[record.fault]
    return Policies(attempt, domain, texts, problem=problem, fault=record.fault, tag=tag)


def reporting(resolver: Resolver, attempt: str, domain: str, to: str) -> Reporting:
    """Whether a receiver would send reports about a domain to an address (RFC 9990 section 4)."""
    try:
        policy = discover(resolver, domain)
        if policy is None:
            return Reporting(attempt, domain, to, requested=False, authorized=None)
        requested = any(same_mailbox(address, to) for address in policy.record.addresses)
        host = domain_of(to)
        if _belong_together(resolver, host, policy.domain):
            return Reporting(attempt, domain, to, requested, None, others=policy.record.addresses)
        asked = f"{policy.domain}._report._dmarc.{host}"
        texts = (text.decode("latin-1") for text in resolver.texts(asked))
        permits = [permit for text in texts if (permit := read_record(text))]
    except NoAnswer:
        return Reporting(attempt, domain, to, requested=False, authorized=False)
    elsewhere = [address for permit in permits for address in permit.addresses]
    if not elsewhere:
        return Reporting(attempt, domain, to, requested, bool(permits), asked, policy.record.addresses)
    # Who gets the reports may name another of their mailboxes in their own record.
    is_theirs = host in {domain_of(address) for address in policy.record.addresses}
    is_named = any(same_mailbox(address, to) for address in elsewhere)
    return Reporting(
        attempt,
        domain,
        to,
        requested=is_theirs if is_named else requested,
        authorized=True,
        asked=asked,
        others=policy.record.addresses,
        redirected=[] if is_named or not requested else elsewhere,
    )

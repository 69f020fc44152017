"""What receivers concluded, in sentences, and the characters of the zone that made them."""

from __future__ import annotations

from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.facts import Dkim, Reception, Reporting, Spf
from grader.kinds.zone.judge.source import TxtRecords
from grader.model.diagnostic import Span

LIMITS = ("Too many DNS lookups", "More than 2 DNS look-ups find nothing")
"""How the evaluation names a limit that was exceeded (RFC 7208 section 4.6.4)."""


def is_limit(problem: str) -> bool:
    """Whether a problem is a limit exceeded and not a fault of a record's own."""
    return problem.startswith(LIMITS)


def spf(found: Spf) -> str:
    """An SPF result and what led to it."""
    match found.result:
        case "none":
            return f"SPF has no result, as {found.domain} has no SPF record."
        case "permerror" | "temperror":
            reason = found.explanation.partition(" Error: ")[2] or found.explanation
            return f"SPF ends with {found.result}, as the record of {found.holder} cannot be used: {quoted(reason)}."
        case "neutral" if not found.term:
            return f"SPF is neutral: the record of {found.holder} ends without a word about this client."
        case _:
            return f"SPF for {found.domain} is {found.result}, by {quoted(found.term)} in the record of {found.holder}."


def spf_place(found: Spf, txt_records: TxtRecords) -> Span | None:
    """The term that decided; the whole record where it has none; nothing where there is no record."""
    return term_place(found.holder, found.domain, found.term, txt_records)


def term_place(holder: str, domain: str, term: str, txt_records: TxtRecords) -> Span | None:
    """A term in the record of its holder, or else the record of the domain that led there."""
    for name in (holder, domain):
        for txt_record in txt_records.spf(name):
            place = txt_record.find(term)
            if place is None and name != holder:
                place = next(
                    (txt_record.place(s, e) for word, s, e in txt_record.terms() if holder in word), None
                )
            return place or txt_record.place(0, len(txt_record.text))
    return None


def key_place(found: Dkim | None, txt_records: TxtRecords) -> Span | None:
    """The record of a signature's key."""
    keys = txt_records.at(f"{found.selector}._domainkey.{found.domain}") if found else []
    return (keys[0].value("p") or keys[0].owner) if keys else None


def unaligned(mechanism: str, reception: Reception) -> str:
    """Why a mechanism does not authenticate a message in alignment with its author's domain."""
    author = reception.author.rpartition("@")[2]
    if mechanism == "dkim":
        if reception.dkim is None or not reception.dkim.verified:
            return f"{reception.dkim.explanation if reception.dkim else 'the message is not signed'}."
        signer, passed = reception.dkim.domain, "the signature verifies"
    else:
        if reception.spf.result != "pass":
            return spf(reception.spf)
        signer, passed = reception.spf.domain, "SPF passes"
    if reception.dmarc.result == "none":
        return f"{passed} for {signer}, but there is no DMARC record for {author} that it could serve."
    return f"{passed} for {signer}, which is not aligned with {author} in From (RFC 9989 section 4.4)."


def unaligned_place(mechanism: str, reception: Reception, txt_records: TxtRecords) -> Span | None:
    """What keeps a mechanism from authenticating: the term or key, or the tag that asks for strict alignment."""
    if mechanism == "dkim" and not (reception.dkim and reception.dkim.verified):
        return key_place(reception.dkim, txt_records)
    if mechanism == "spf" and reception.spf.result != "pass":
        return spf_place(reception.spf, txt_records)
    policies = txt_records.dmarc(reception.dmarc.holder) if reception.dmarc.holder else []
    if not policies:
        return None
    tag = "aspf" if mechanism == "spf" else "adkim"
    return policies[0].value(tag) or policies[0].value("psd") or policies[0].owner


def dmarc(reception: Reception) -> str:
    """A DMARC result and what led to it."""
    found = reception.dmarc
    author = reception.author.rpartition("@")[2]
    if found.result == "none":
        where = f"the record of {found.holder} says neither a valid policy nor an address for reports"
        return f"DMARC does not apply to {author}: {where if found.holder else 'no record is found'}."
    if found.result == "fail" and reception.spf.result == "pass":
        return f"DMARC fails: {unaligned('spf', reception)}"
    by = [name for name, aligned in (("SPF", found.spf_aligned), ("DKIM", found.dkim_aligned)) if aligned]
    return f"DMARC is {found.result}{', by ' + ' and '.join(by) if by else ''}; {spf(reception.spf)}"


def disposition(reception: Reception) -> str:
    """What a receiver is asked to do, and by which tag; without a dot at its end."""
    found = reception.dmarc
    author = reception.author.rpartition("@")[2]
    if found.result == "none":
        return f"no DMARC policy is found for {author}, so that nothing is asked"
    if found.result == "pass":
        by = " and ".join(
            name for name, is_so in (("SPF", found.spf_aligned), ("DKIM", found.dkim_aligned)) if is_so
        )
        return f"DMARC is pass, by {by}, so that nothing is asked"
    asked = f"the record of {found.holder} asks for {found.disposition}"
    if found.tag == "rua":
        return f"{asked}, as its policy cannot be understood"
    return f"{asked}, by {found.tag}={found.policy}{' weakened by t=y' if found.testing else ''}"


def dmarc_place(reception: Reception, txt_records: TxtRecords) -> Span | None:
    """The tag that gave the policy, or the record; for a pass, the SPF term that let the message pass."""
    found = reception.dmarc
    if found.result == "pass" and found.spf_aligned:
        return spf_place(reception.spf, txt_records)
    if found.result == "fail" and reception.spf.result == "pass" and found.disposition == found.policy:
        strict = unaligned_place("spf", reception, txt_records)
        if strict is not None and reception.spf.domain.lower().endswith(
            reception.author.rpartition("@")[2].lower()
        ):
            return strict
    policies = txt_records.dmarc(found.holder) if found.holder else []
    if not policies:
        return None
    tag = "t" if found.testing else found.tag
    return policies[0].value(tag) or policies[0].owner


def reporting(found: Reporting) -> str:
    """Whether reports are sent, and why or why not."""
    if found.sent:
        return f"Receivers send reports about {found.domain} to {found.to}: it is asked for, and {_allowed(found)}."
    if not found.requested:
        others = f"; asked for are {', '.join(found.others)}" if found.others else ""
        return f"No reports about {found.domain} are asked for at {found.to}{others}."
    return (
        f"Reports about {found.domain} are asked for at {found.to}, but nothing shows that {_domain(found.to)} wants "
        f"them: {found.asked} has no TXT record v=DMARC1, and receivers send none."
    )


def _allowed(found: Reporting) -> str:
    return "no authorization is needed" if found.authorized is None else f"{found.asked} authorizes it"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]

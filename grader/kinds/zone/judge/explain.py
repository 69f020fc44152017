"""What receivers concluded, in sentences, and the characters of the zone that made them."""

from __future__ import annotations

import re
from ipaddress import ip_network

from grader.formats.address import domain_of, split_address
from grader.formats.dmarc import POLICIES, VERSION, read_record, same_mailbox
from grader.formats.spf import VERSION as SPF_VERSION
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.declare import SpfResult
from grader.kinds.zone.facts import Dkim, Outsider, Permits, Policies, Reception, Reporting, Senders
from grader.kinds.zone.judge import spfwords
from grader.kinds.zone.judge.source import MOST_ALIASES, TxtRecord, TxtRecords
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord
from grader.model.latepattern import late_pattern

COMPLETED = "A name without a dot at its end is completed with the zone's name."
_ADDRESS_BEHIND_SEMICOLON = late_pattern(r";\s*mailto:", re.IGNORECASE)
MOST_SHOWN = 4
"""Networks, or names, that a sentence lists."""


def key_place(found: Dkim | None, txt_records: TxtRecords) -> Span | None:
    """The record of a signature's key."""
    keys = txt_records.at(f"{found.selector}._domainkey.{found.domain}") if found else []
    if found is not None and found.fault_at is not None and keys:
        return keys[0].place(*found.fault_at)
    return (keys[0].value("p") or keys[0].owner) if keys else None


def unaligned(mechanism: str, reception: Reception, txt_records: TxtRecords) -> str:
    """Why a mechanism does not authenticate a message in alignment with its author's domain."""
    author = split_address(reception.author).domain
    if mechanism == "dkim":
        if reception.dkim is None or not reception.dkim.verified:
            return f"{reception.dkim.explanation if reception.dkim else 'the message is not signed'}."
        signer, passed = reception.dkim.domain, "the signature verifies"
    else:
        if reception.spf.result != "pass":
            return spfwords.result(reception.spf)
        signer, passed = reception.spf.domain, "SPF passes"
    if reception.dmarc.result == "none":
        return f"{passed} for {signer}, but there is no DMARC record for {author} that it could serve."
    by = _unaligned_by(mechanism, reception, signer, txt_records)
    return f"{passed} for {signer}, which is not aligned with {author} in From{by} (RFC 9989 section 4.4)."


def _unaligned_by(mechanism: str, reception: Reception, signer: str, txt_records: TxtRecords) -> str:
    """The tag that keeps two names of one domain from being aligned; empty where they are of two."""
    record = read_record(reception.dmarc.record)
    author = split_address(reception.author).domain.lower().rstrip(".")
    if record is None or _way_between(signer, author) is None:
        return ""
    tag = "aspf" if mechanism == "spf" else "adkim"
    if record.option(tag, "r") == "s":
        return f", by {tag}=s"
    if (parting := _parting(signer, author, txt_records)) is not None:
        holder, policy = parting
        where = "" if holder == reception.dmarc.holder else f" in the record of {holder}"
        return f", by psd={policy.tags.values['psd'].lower()}{where}"
    return ", by psd=y" if record.option("psd", "u") == "y" else ""


def _way_between(one: str, other: str) -> list[str] | None:
    """The names from the longer of two up to the shorter, both included; ``None`` where neither lies in the other."""
    longer, shorter = sorted((one.lower().rstrip("."), other.lower().rstrip(".")), key=len, reverse=True)
    if longer != shorter and not longer.endswith(f".{shorter}"):
        return None
    names = [longer]
    while names[-1] != shorter:
        names.append(names[-1].partition(".")[2])
    return names


def _parting(one: str, other: str, txt_records: TxtRecords) -> tuple[str, TxtRecord] | None:
    """The policy record between two names that ends a tree walk there (RFC 9989 section 4.10.2), and its domain.

    ``psd=n`` makes what lies below an organization of its own, ``psd=y`` each name right below.
    """
    for name in _way_between(one, other) or ():
        policies = txt_records.dmarc(name)
        record = read_record(policies[0].text) if len(policies) == 1 else None
        if record is not None and record.option("psd", "u") != "u":
            return name, policies[0]
    return None


def unaligned_place(mechanism: str, reception: Reception, txt_records: TxtRecords) -> Span | None:
    """What keeps a mechanism from authenticating: the term or key, or the tag that asks for strict alignment."""
    if mechanism == "dkim" and not (reception.dkim and reception.dkim.verified):
        return key_place(reception.dkim, txt_records)
    if mechanism == "spf" and reception.spf.result != "pass":
        return spfwords.place(reception.spf, txt_records)
    policies = txt_records.dmarc(reception.dmarc.holder) if reception.dmarc.holder else []
    if not policies:
        return None
    tag = "aspf" if mechanism == "spf" else "adkim"
    record = read_record(policies[0].text)
    if record is not None and record.option(tag, "r") == "s":
        return policies[0].value(tag)
    signer = reception.spf.domain if mechanism == "spf" else reception.dkim.domain if reception.dkim else ""
    parting = _parting(signer, split_address(reception.author).domain, txt_records)
    return parting[1].value("psd") if parting else policies[0].value("psd") or policies[0].owner


def dmarc(reception: Reception, txt_records: TxtRecords) -> str:
    """A DMARC result and what led to it."""
    found = reception.dmarc
    author = split_address(reception.author).domain
    if found.result == "none":
        where = f"the record of {found.holder} says neither a valid policy nor an address for reports"
        return f"DMARC does not apply to {author}: {where if found.holder else 'no record is found'}."
    if found.result == "fail" and reception.spf.result == "pass":
        return f"DMARC fails: {unaligned('spf', reception, txt_records)}"
    by = [name for name, aligned in (("SPF", found.spf_aligned), ("DKIM", found.dkim_aligned)) if aligned]
    return (
        f"DMARC is {found.result}{', by ' + ' and '.join(by) if by else ''}; {spfwords.result(reception.spf)}"
    )


def disposition(reception: Reception, txt_records: TxtRecords) -> str:
    """What a receiver is asked to do, and by which tag; without a dot at its end."""
    found = reception.dmarc
    author = split_address(reception.author).domain
    if found.result == "none":
        if found.holder:
            return (
                f"a DMARC record is found for {author}, but says neither a valid policy nor an address for reports, so "
                "that nothing is asked"
            )
        return f"no DMARC policy is found for {author}, so that nothing is asked"
    if found.result == "pass":
        by = " and ".join(
            name for name, is_so in (("SPF", found.spf_aligned), ("DKIM", found.dkim_aligned)) if is_so
        )
        return f"DMARC is pass, by {by}, so that nothing is asked"
    name = f"_dmarc.{found.holder}"
    target, aliases = txt_records.way(name)
    of = f"{found.holder} ({name} is an alias of {target})" if aliases else found.holder
    asked = f"the record of {of} asks for {found.disposition}"
    if found.tag == "rua":
        return f"{asked}, as its policy cannot be understood"
    return f"{asked}, by {found.tag}={found.policy}{' weakened by t=y' if found.testing else ''}"


def dmarc_place(reception: Reception, txt_records: TxtRecords) -> Span | None:
    """The tag that gave the policy, or the record; for a pass, the SPF term that let the message pass."""
    found = reception.dmarc
    if found.result == "pass" and found.spf_aligned:
        return spfwords.place(reception.spf, txt_records)
    if found.result == "fail" and reception.spf.result == "pass" and found.disposition == found.policy:
        strict = unaligned_place("spf", reception, txt_records)
        if strict is not None and reception.spf.domain.lower().endswith(domain_of(reception.author)):
            return strict
    policies = txt_records.dmarc(found.holder) if found.holder else []
    if not policies:
        return None
    target, aliases = txt_records.way(f"_dmarc.{found.holder}")
    if aliases and target.startswith(
        "_dmarc."
    ):  # where the tag is right for the domain that it was written for
        return aliases[0].place
    tag = "t" if found.testing else found.tag
    return policies[0].value(tag) or policies[0].owner


def outsiders(found: Senders, txt_records: TxtRecords) -> str:
    """Who else passes SPF: the first of them in full, the others by name."""
    first = found.outsiders[0]
    by = quoted(spfwords.readable(first.spf.term))
    sentence = f"{first.witness} may not send as {first.domain}, and passes SPF{_saying(first)}"
    sentence += f", by {by} in the record of {first.spf.holder}{_inside(first)}."
    if around := _around(first):
        sentence += f" So does everybody in {around}."
    if first.domain != found.domain:
        sentence += (
            f" A pass for {first.domain} is aligned with {found.domain} in From (RFC 9989 section 4.4)."
        )
    sentence += alias(first.domain, txt_records)
    others = {outsider.domain for outsider in found.outsiders} - {first.domain}
    if others:
        sentence += f" The same goes for {', '.join(sorted(others)[:MOST_SHOWN])}."
    return sentence


def _around(outsider: Outsider) -> str:
    """The networks whose addresses fare as the witness; empty where it is alone."""
    if outsider.networks == [str(ip_network(outsider.witness))]:
        return ""
    more = " and more" if len(outsider.networks) > MOST_SHOWN else ""
    return f"{', '.join(outsider.networks[:MOST_SHOWN])}{more}"


def weak(domain: str, found: list[Outsider], wanted: list[SpfResult]) -> str:
    """What those get who may not pass, where others than the wanted results do: the first of them in full."""
    first = found[0]
    sentence = f"{first.witness} may not send as {domain}{_saying(first)}: {spfwords.result(first.spf)}"
    sentence += f" Wanted is {' or '.join(wanted)}."
    if around := _around(first):
        sentence += f" The same goes for everybody in {around}."
    others = {one.spf.result for one in found} - {first.spf.result}
    return f"{sentence} Others get {' and '.join(sorted(others))}." if others else sentence


def _saying(outsider: Outsider) -> str:
    """What a client has to say in order to pass, where the record asks for that."""
    if outsider.sender == outsider.helo == "":
        return ""
    said = [f"MAIL FROM:<{outsider.sender}>"] if outsider.sender else []
    said += [f"EHLO {outsider.helo}"] if outsider.helo else []
    return f" with {' and '.join(said)}"


def _inside(outsider: Outsider) -> str:
    """The term of an included record that lets them pass."""
    last = outsider.spf.steps[-1] if outsider.spf.steps else None
    if last is None or last.domain == outsider.spf.holder:
        return ""
    return f", for {quoted(spfwords.readable(last.term))} in that of {last.domain}"


def outsider_places(found: list[Outsider], txt_records: TxtRecords) -> list[Span]:
    """The terms that decide about them; the alias, where a name is one of somebody else's record."""
    places = []
    for outsider in found:
        place = spfwords.place(outsider.spf, txt_records)
        places.append(place or txt_records.name(outsider.domain))
    return list(dict.fromkeys(place for place in places if place is not None))


def alias(name: str, txt_records: TxtRecords) -> str:
    """Where a name leads, if anywhere: to another one, round in a ring, to other servers. Sentences, a blank before."""
    target, aliases = txt_records.way(name)
    steps = [record.owner for record in aliases]
    if len(steps) >= MOST_ALIASES and len(set(steps)) < len(steps):
        return f" {name} is an alias that leads round in a ring, by the alias at {steps[-1]}."
    sentence = f" {name} is an alias of {target}.{_completed(target, txt_records)}" if aliases else ""
    if (server := txt_records.given_away(target)) is not None:
        asked = server.data.rstrip(".")
        return f"{sentence} The NS record of {server.owner} leaves it to {asked}, which is asked instead."
    return sentence


def _completed(target: str, txt_records: TxtRecords) -> str:
    """Why an alias leads to a name of the zone's that there is not, if a dot is all that is missing; a blank before."""
    before = target.removesuffix(f".{txt_records.zone.origin.lower().rstrip('.')}")
    lost = before != target and "." in before and not txt_records.types(target)
    return f" {COMPLETED}" if lost else ""


def wildcard(name: str, record: ZoneRecord | None, txt_records: TxtRecords) -> str:
    """That a wildcard's record, if any, does not speak for a name. A sentence, a blank before."""
    if record is None:
        return ""
    return (
        f" The record at {record.owner} does not speak for {name}: a wildcard stands for names that do not exist, and "
        f"{txt_records.existing(name)} does (RFC 4592 section 2.2.1)."
    )


def policies(found: Policies, txt_records: TxtRecords) -> str:
    """Why receivers find no policy at a domain."""
    name = f"_dmarc.{found.domain}"
    match found.fault:
        case "none":
            passed = wildcard(name, txt_records.passed_over(name, "TXT", VERSION), txt_records)
            return f"At {name}: no policy record.{alias(name, txt_records)}{passed}"
        case "several":
            return (
                f"At {name}: {len(found.records)} policy records, so that receivers discard them all (RFC 9989 section "
                "4.10)."
            )
        case "no-policy":
            cut = any(one.record.cut is not None for one in txt_records.dmarc(found.domain))
            why = (
                " Outside quotation marks a semicolon begins a comment, and the record ends there."
                if cut
                else ""
            )
            return f"At {name}: the record says no policy, as it has no tag p.{why}"
        case "twice":
            return (
                f"At {name}: the tag {found.tag} stands in the record twice, which makes the whole record invalid "
                "(RFC 6376 section 3.2): receivers discard it, or take the one or the other."
            )
        case "bad-policy":
            record = read_record(found.records[0]) if found.records else None
            said = record.values.get(found.tag, "") if record else ""
            return (
                f"At {name}: {quoted(f'{found.tag}={said}')} is no policy: those are {', '.join(POLICIES)}."
            )
        case _:
            return f"At {name}: DNS does not answer.{alias(name, txt_records)}"


def reporting(found: Reporting, txt_records: TxtRecords) -> str:
    """Whether reports are sent, and why or why not."""
    if found.sent:
        return f"Receivers send reports about {found.domain} to {found.to}: it is asked for, and {_allowed(found)}."
    if found.redirected:
        return (
            f"Reports about {found.domain} are asked for at {found.to}, but the record at {found.asked} that allows it "
            f"sends them to {', '.join(found.redirected)} instead (RFC 9990 section 4)."
        )
    if not found.requested:
        others = f"; asked for are {', '.join(found.others)}" if found.others else ""
        sentence = f"No reports about {found.domain} are asked for at {found.to}{others}."
        if failures_asked(found, txt_records) is None:
            return sentence + _no_address(found, txt_records)
        return f"{sentence} The address stands in ruf, which asks for reports of single failures (RFC 9991) alone."
    return (
        f"Reports about {found.domain} are asked for at {found.to}, but nothing shows that {_domain(found.to)} wants "
        f"them: {found.asked} has no TXT record v=DMARC1, and receivers send none.{alias(found.asked, txt_records)}"
        f"{elsewhere(_permit(found, txt_records), found.asked)}"
    )


def _permit(found: Reporting, txt_records: TxtRecords) -> TxtRecord | None:
    """The first record that was meant to let somebody's reports come to the zone's domain, wherever it stands."""
    if not f".{_domain(found.to)}".endswith(f".{txt_records.zone.origin}"):
        return None
    return txt_records.elsewhere(VERSION, "_report")


def elsewhere(other: TxtRecord | None, asked: str) -> str:
    """Where a record stands that receivers ask for at another name, if there is one. A sentence, a blank before."""
    if other is None or other.record.owner == asked.lower().rstrip("."):
        return ""
    return stands_at(other.record.owner, asked)


def stands_at(owner: str, asked: str) -> str:
    """Where a record stands that is asked for at another name, and why there if a dot is missing; a blank before."""
    meant = asked.lower().rstrip(".")
    twice = owner.removeprefix(f"{meant}.")
    completed = f" {COMPLETED}" if twice != owner and f".{meant}".endswith(f".{twice}") else ""
    return f" One stands at {owner}.{completed}"


def spf_elsewhere(domain: str, txt_records: TxtRecords) -> TxtRecord | None:
    """The SPF record that was perhaps meant for a domain that has none."""
    domain = domain.lower().rstrip(".")
    near = (f"{domain}.{txt_records.zone.origin.lower()}", f"_spf.{domain}", f"spf.{domain}")
    found = (one for one in txt_records.all if one.record.owner in near)
    return next((one for one in found if SPF_VERSION.match(one.text)), None)


def _no_address(found: Reporting, txt_records: TxtRecords) -> str:
    """What stands in ``rua`` and asks for no mail, if something does. A sentence, a blank before."""
    policies = txt_records.dmarc(found.domain)
    record = read_record(policies[0].text) if len(policies) == 1 else None
    odd = (
        next((uri.text for uri in record.uris() if uri.text and not uri.address), None)
        if record is not None
        else None
    )
    if odd is None:
        if policies and _ADDRESS_BEHIND_SEMICOLON.search(policies[0].text):
            return " A semicolon ends the tag: between two addresses stands a comma."
        slashes = any(other.startswith("//") for other in found.others)
        return " Behind mailto: the address follows at once, without slashes." if slashes else ""
    comma = " Between two addresses stands a comma." if odd.lower().count("mailto:") > 1 else ""
    return f" {quoted(spfwords.readable(odd))} in rua is no mailto: with an address.{comma}"


def failures_asked(found: Reporting, txt_records: TxtRecords) -> Span | None:
    """Where ``ruf`` names the address that aggregate reports are to reach, and ``rua`` does not."""
    policies = txt_records.dmarc(found.domain)
    record = read_record(policies[0].text) if len(policies) == 1 and not found.requested else None
    asked = record.uris("ruf") if record is not None else ()
    return policies[0].value("ruf") if any(same_mailbox(uri.address, found.to) for uri in asked) else None


def _allowed(found: Reporting) -> str:
    return "no authorization is needed" if found.authorized is None else f"{found.asked} authorizes it"


def _domain(address: str) -> str:
    return split_address(address).domain


def permits(found: Permits) -> str:
    """Who else may have reports sent: the first of them in full, the others by name."""
    first = found.outsiders[0]
    about, to = first.about, f"addresses at {first.to}"
    if about == "*":
        return (
            f"Reports about any domain in the world may come to {to}: the record at {first.owner} allows it."
        )
    if about.startswith("*."):
        about = f"any name below {about[2:]}"
    sentence = f"Reports about {about} may come to {to}, as the record at {first.owner} allows it: that is not wanted."
    others = sorted({permit.about for permit in found.outsiders} - {first.about})
    return f"{sentence} The same goes for {', '.join(others[:MOST_SHOWN])}." if others else sentence

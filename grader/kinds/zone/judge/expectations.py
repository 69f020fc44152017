"""One function for each key of a lab's ``expect``: what was tried in, findings out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from grader.formats.dmarc import VERSION as DMARC_VERSION
from grader.formats.spf import VERSION as SPF_VERSION
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.declare import ZoneCheck, ZoneExpect
from grader.kinds.zone.facts import DnsAnswer, Measured, Policies, Reception, Reporting, ZoneFacts
from grader.kinds.zone.judge import delegation, delivery, explain, linttags, lintterms, spfmissed, spfwords
from grader.kinds.zone.judge.index import ZoneCase, ZoneIndex
from grader.kinds.zone.judge.source import TxtRecords, pointer, spoken
from grader.kinds.zone.judge.table import misses
from grader.model.diagnostic import Span
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer
from grader.model.templates import fill

Judgement = Callable[[ZoneCheck, list[ZoneCase], ZoneIndex], list[Finding]]

KEY = re.compile(r"v=DKIM1\b|(?:[a-z]+=[^;]*;\s*)*p=MI", re.IGNORECASE)
"""How the record of a key begins."""

OF_MESSAGES = ("spf", "dkim", "aligned", "dmarc", "disposition")


def judgements(expect: ZoneExpect) -> list[Judgement]:
    """The functions for what a check expects, in the order in which their findings matter."""
    chosen: list[Judgement] = [loads] if expect.loads else []
    if any(getattr(expect, key) for key in OF_MESSAGES):
        chosen.append(partial(_each, _receptions, lambda zone: zone.receptions))
    if expect.answers is not None:
        chosen.append(partial(_each, _answers, lambda zone: zone.answers))
    if expect.reported is not None:
        chosen.append(partial(_each, _reportings, lambda zone: zone.reportings))
    if expect.published:
        chosen.append(partial(_each, _published, lambda zone: [*zone.measured, *zone.published]))
    if expect.lookups is not None or expect.voids is not None:
        chosen.append(partial(_each, _limits, lambda zone: zone.measured))
    if expect.nobody_else:
        chosen.append(partial(_each, _nobody_else, lambda zone: zone.senders))
        chosen.append(partial(_each, _no_other_permits, lambda zone: zone.permits))
        chosen.append(partial(_each, _given_away, lambda zone: zone.delegations))
    if expect.everybody_else:
        chosen.append(partial(_each, _everybody_else, lambda zone: zone.senders))
    if expect.delivered:
        chosen.append(partial(_each, _delivered, lambda zone: zone.deliveries))
    if expect.served:
        chosen.append(partial(_each, _served, lambda zone: zone.delegations))
    return chosen


def loads(check: ZoneCheck, cases: list[ZoneCase], index: ZoneIndex) -> list[Finding]:
    """The file can be read as a zone."""
    zone = index.facts
    if not zone.faults:
        return [met(case) for case in cases]
    fault = zone.faults[0]
    sentence = (
        f"{zone.file}, {spoken(fault.place)}: {fault.sentence}{'' if fault.sentence.endswith('?') else '.'}"
    )
    if more := len(zone.faults) - 1:
        sentence += f" {more} more {'fault' if more == 1 else 'faults'} follow{'s' if more == 1 else ''}."
    return [broken(case, sentence, [pointer(fault.place) for fault in zone.faults]) for case in cases]


class _OfAttempt(Protocol):
    """Something that was recorded of one attempt."""

    @property
    def attempt(self) -> str:
        """The attempt's id."""


Shortcoming = tuple[str, Span | list[Span] | None]
"""What is not as it should be, as a sentence, and the characters that make it so."""


def _each(
    find: Callable[[ZoneExpect, ZoneCase, TxtRecords], Iterator[Shortcoming]],
    of: Callable[[ZoneFacts], Sequence[_OfAttempt]],
    check: ZoneCheck,
    cases: list[ZoneCase],
    index: ZoneIndex,
) -> list[Finding]:
    """A finding for each case of which something was recorded: the first thing that is not as it should be.

    ``of`` gives what was recorded of the sort that ``find`` looks at.
    """
    zone = index.facts
    if zone.faults:
        # Nobody could try anything on it; where that is expected too, it has been told already.
        return [] if check.expect.loads else loads(check, cases, index)
    txt_records = TxtRecords(zone)
    expect = _filled(check.expect, index.names)
    findings = []
    for case in cases:
        if not any(piece.attempt == case.facts.id for piece in of(zone)):
            continue
        shortcoming = next(find(expect, case, txt_records), None)
        if shortcoming is None:
            findings.append(met(case))
            continue
        sentence, place = shortcoming
        places = place if isinstance(place, list) else [place] if place else []
        pointers = [pointer(span) for span in places]
        pointers += [
            Pointer("case", number)
            for number, reception in enumerate(zone.receptions)
            if reception.attempt == case.facts.id and any(misses(expect, reception))
        ]
        findings.append(broken(case, sentence, pointers))
    return findings


def _filled(expect: ZoneExpect, names: dict[str, str]) -> ZoneExpect:
    """The expectations with the variant's names in the answers that they want."""
    if expect.answers is None:
        return expect
    return replace(expect, answers=[fill(answer, names) for answer in expect.answers])


def _receptions(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for reception in txt_records.zone.receptions:
        if reception.attempt == case.facts.id:
            yield from _message(expect, case, reception, txt_records)


def _message(
    expect: ZoneExpect, case: ZoneCase, reception: Reception, txt_records: TxtRecords
) -> Iterator[Shortcoming]:
    title = reception.title or case.facts.title
    who = f"{title[:1].upper()}{title[1:]} ({reception.client})"
    missed = set(misses(expect, reception))
    if "spf" in missed:
        yield spfmissed.missed(who, expect, reception, txt_records)
    if "dkim" in missed:
        why = reception.dkim.explanation if reception.dkim else "the message is not signed"
        place = explain.key_place(reception.dkim, txt_records)
        if place is None and (other := txt_records.elsewhere(KEY)) is not None:
            why, place = f"{why}; a key stands at {other.record.owner}", other.owner
        key_at = f"{reception.dkim.selector}._domainkey.{reception.dkim.domain}" if reception.dkim else ""
        other_key = txt_records.passed_over(key_at, "TXT", KEY) if place is None else None
        how = (
            f"{explain.alias(key_at, txt_records)}{explain.wildcard(key_at, other_key, txt_records)}"
            if key_at
            else ""
        )
        if place is None and (aliases := txt_records.way(key_at)[1]):
            place = aliases[-1].place
        yield f"{who}: {why}.{how}", place
    if "aligned" in missed:
        mechanism = next(name for name in expect.aligned if not getattr(reception.dmarc, f"{name}_aligned"))
        place = explain.unaligned_place(mechanism, reception, txt_records)
        yield f"{who}: {explain.unaligned(mechanism, reception, txt_records)}", place
    if "dmarc" in missed:
        yield f"{who}: {explain.dmarc(reception, txt_records)}", explain.dmarc_place(reception, txt_records)
    if "disposition" in missed:
        wanted = " or ".join(expect.disposition)
        place = explain.dmarc_place(reception, txt_records)
        yield f"{who}: {explain.disposition(reception, txt_records)}, where {wanted} is wanted.", place


def _answers(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for answer in txt_records.zone.answers:
        if answer.attempt == case.facts.id and not _fits(answer, expect.answers or []):
            other = None if answer.values else txt_records.passed_over(answer.name, answer.type)
            place = other.place if other else _answer_place(answer, txt_records)
            where = "" if answer.values else explain.alias(answer.name, txt_records)
            yield f"{_answered(answer)}{where}{explain.wildcard(answer.name, other, txt_records)}", place


def _fits(answer: DnsAnswer, wanted: list[str]) -> bool:
    """Whether the answers are those wanted: each fits a pattern of its own. Texts fit with their marks and without."""
    left = list(answer.values)
    marked = '"{}"' if answer.type == "TXT" else "{}"
    for pattern in wanted:
        found = next(
            (value for value in left if _like(value, pattern) or _like(marked.format(value), pattern)), None
        )
        if found is None:
            return False
        left.remove(found)
    return not left


def _like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern says, in which ``*`` stands for anything and all else for itself; case aside."""
    first, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == first
    *between, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for part in between:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) >= at


def _answered(answer: DnsAnswer) -> str:
    asked = f"Asked for {answer.type} of {answer.name}, DNS answers"
    if answer.values:
        return f"{asked} {quoted(', '.join(answer.values))}."
    if answer.rcode == "NXDOMAIN":
        return f"{asked} that there is no such name (NXDOMAIN)."
    return (
        f"{asked} that there is none."
        if answer.rcode == "NOERROR"
        else f"{asked} with an error ({answer.rcode})."
    )


def _answer_place(answer: DnsAnswer, txt_records: TxtRecords) -> Span | None:
    name = answer.name.lower().rstrip(".")
    mine = [record for record in txt_records.zone.records if record.owner == name]
    same = [record for record in mine if record.type in (answer.type, "CNAME")]
    return next((record.place for record in [*same, *mine]), None)


def _reportings(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for reporting in txt_records.zone.reportings:
        if reporting.attempt != case.facts.id or reporting.sent == expect.reported:
            continue
        sentence = explain.reporting(reporting, txt_records)
        unpermitted = reporting.requested and reporting.authorized is False
        meant = linttags.unrecognized(txt_records.at(reporting.asked)) if unpermitted else None
        if meant is not None:
            place, why = meant
            yield f"{sentence} {spoken(place).capitalize()}: {why}.", place
        yield sentence, _reporting_place(reporting, txt_records)


def _reporting_place(reporting: Reporting, txt_records: TxtRecords) -> Span | None:
    if reporting.redirected:
        found = txt_records.at(reporting.asked)
        return (found[0].value("rua") or found[0].owner) if found else None
    if reporting.requested and reporting.asked:
        found = txt_records.at(reporting.asked)
        return found[0].owner if found else None
    if (failures := explain.failures_asked(reporting, txt_records)) is not None:
        return failures
    policies = txt_records.dmarc(reporting.domain)
    return (policies[0].value("rua") or policies[0].owner) if policies else None


def _published(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for measured in txt_records.zone.measured:
        if measured.attempt == case.facts.id:
            yield from _spf_published(measured, txt_records)
    for published in txt_records.zone.published:
        if published.attempt == case.facts.id and published.fault:
            sentence, place = explain.policies(published, txt_records), _policy_place(published, txt_records)
            other = txt_records.elsewhere(DMARC_VERSION) if published.fault == "none" else None
            seen = other is not None and other.record.owner != f"_dmarc.{published.domain}".lower()
            if other is not None and seen and "._report._dmarc." not in other.record.owner:
                at = explain.stands_at(other.record.owner, f"_dmarc.{published.domain}")
                sentence, place = f"{sentence}{at}", other.owner
            meant = linttags.unrecognized(txt_records.at(f"_dmarc.{published.domain}"))
            if published.fault == "none" and meant is not None:
                place = meant[0]
                sentence = f"{spoken(place).capitalize()}: {meant[1]}. {sentence}"
            yield sentence, place


def _spf_published(measured: Measured, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    mine = txt_records.spf(measured.domain)
    if not measured.records:
        sentence = f"{measured.domain} has no TXT record that begins with v=spf1."
        if (other := txt_records.elsewhere(SPF_VERSION, "spf")) is not None:
            sentence += explain.stands_at(other.record.owner, measured.domain)
            yield sentence, other.owner
        elif (other := txt_records.carried_on(SPF_VERSION)) is not None:
            sentence += f" One stands at {other.record.owner}: a line that begins with a blank goes on with that name."
            yield sentence, other.owner
        if (meant := lintterms.unrecognized(txt_records.at(measured.domain))) is not None:
            place, why = meant
            yield f"{spoken(place).capitalize()}: {why}. {sentence}", place
        yield sentence, None
    elif len(measured.records) > 1:
        number = len(measured.records)
        sentence = f"{measured.domain} has {number} SPF records, so that receivers can use none (permerror)."
        yield sentence, mine[-1].owner if mine else None
    elif (verdict := measured.verdict) and verdict.trouble not in (None, "limit"):
        why = spfwords.trouble(verdict, named=measured.domain)
        where = explain.alias(verdict.about, txt_records) if verdict.trouble == "missing" else ""
        sentence = f"Receivers cannot use the SPF record of {measured.domain}: {why}.{where}"
        yield sentence, spfwords.place(verdict, txt_records)


def _policy_place(published: Policies, txt_records: TxtRecords) -> Span | None:
    mine = txt_records.dmarc(published.domain)
    if len(mine) != 1:
        return mine[-1].owner if mine else None
    if published.fault == "twice" and (second := mine[0].tags.duplicate_of({published.tag})) is not None:
        return mine[0].place(second.start, second.end)
    return mine[0].value(published.tag) or mine[0].place(0, 8)


def _limits(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for measured in txt_records.zone.measured:
        if measured.attempt != case.facts.id:
            continue
        if (sentence := spfwords.over_limits(measured, expect.lookups, expect.voids)) is not None:
            yield sentence, spfwords.limit_places(measured, expect.lookups, expect.voids, txt_records)


def _nobody_else(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for senders in txt_records.zone.senders:
        if senders.attempt != case.facts.id:
            continue
        if senders.outsiders:
            yield (
                explain.outsiders(senders, txt_records),
                explain.outsider_places(senders.outsiders, txt_records),
            )
        elif not senders.complete:
            yield (
                f"Who passes SPF for {senders.domain} could not be computed: its names are too many, or take too long.",
                None,
            )


def _everybody_else(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    wanted = expect.everybody_else
    for senders in txt_records.zone.senders:
        if senders.attempt != case.facts.id:
            continue
        own = [one for one in senders.outsiders if one.domain == senders.domain]
        if weak := [one for one in [*own, *senders.others] if one.spf.result not in wanted]:
            sentence = explain.weak(senders.domain, weak, wanted)
            yield sentence, explain.outsider_places(weak, txt_records)
        elif not senders.complete:
            yield (
                f"What SPF says for {senders.domain} could not be computed: its names are too many, or take too long.",
                None,
            )


def _no_other_permits(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for permits in txt_records.zone.permits:
        if permits.attempt != case.facts.id:
            continue
        if permits.outsiders:
            found = [record for permit in permits.outsiders for record in txt_records.at(permit.owner)]
            yield explain.permits(permits), list(dict.fromkeys(record.owner for record in found))
        elif not permits.complete:
            sentence = f"Who may send reports to {permits.domain} could not be computed"
            yield f"{sentence}: its names are too many, or take too long.", None


def _served(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for found in txt_records.zone.delegations:
        if found.attempt == case.facts.id and (sentence := delegation.unserved(found)) is not None:
            yield sentence, delegation.places(found, txt_records.zone)


def _given_away(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for found in txt_records.zone.delegations:
        if found.attempt == case.facts.id and (sentence := delegation.given_away(found)) is not None:
            yield sentence, delegation.places(found, txt_records.zone)


def _delivered(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for found in txt_records.zone.deliveries:
        if found.attempt == case.facts.id and (sentence := delivery.astray(found)) is not None:
            yield sentence, delivery.places(found, txt_records.zone)

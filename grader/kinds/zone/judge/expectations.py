"""One function for each key of a lab's ``expect``: what was tried in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial

from msgspec.structs import replace

from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.declare import ZoneCheck, ZoneExpect
from grader.kinds.zone.facts import Answer, Measured, Policies, Reception, Reporting
from grader.kinds.zone.judge import explain
from grader.kinds.zone.judge.index import ZoneCase, ZoneIndex
from grader.kinds.zone.judge.source import SPF, TxtRecords, pointer, spoken
from grader.kinds.zone.judge.table import misses
from grader.model.diagnostic import Span
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer
from grader.model.templates import fill

Judgement = Callable[[ZoneCheck, list[ZoneCase], ZoneIndex], list[Finding]]

OF_MESSAGES = ("spf", "dkim", "aligned", "dmarc", "disposition")


def judgements(expect: ZoneExpect) -> list[Judgement]:
    """The functions for what a check expects, in the order in which their findings matter."""
    chosen: list[Judgement] = [loads] if expect.loads else []
    if any(getattr(expect, key) for key in OF_MESSAGES):
        chosen.append(partial(_each, _receptions))
    if expect.answers is not None:
        chosen.append(partial(_each, _answers))
    if expect.reported is not None:
        chosen.append(partial(_each, _reportings))
    if expect.published:
        chosen.append(partial(_each, _published))
    if expect.lookups is not None or expect.voids is not None:
        chosen.append(partial(_each, _limits))
    return chosen


def loads(check: ZoneCheck, cases: list[ZoneCase], index: ZoneIndex) -> list[Finding]:
    """The file can be read as a zone."""
    zone = index.facts
    if not zone.faults:
        return [met(case) for case in cases]
    fault = zone.faults[0]
    sentence = f"{zone.file}, {spoken(fault.place)}: {fault.sentence}."
    if more := len(zone.faults) - 1:
        sentence += f" {more} more {'fault' if more == 1 else 'faults'} follow{'s' if more == 1 else ''}."
    return [broken(case, sentence, [pointer(fault.place) for fault in zone.faults]) for case in cases]


Shortcoming = tuple[str, Span | None]
"""What is not as it should be, as a sentence, and the characters that make it so."""


def _each(
    find: Callable[[ZoneExpect, ZoneCase, TxtRecords], Iterator[Shortcoming]],
    check: ZoneCheck,
    cases: list[ZoneCase],
    index: ZoneIndex,
) -> list[Finding]:
    """A finding for each case: the first thing that is not as it should be."""
    zone = index.facts
    txt_records = TxtRecords(zone)
    expect = _filled(check.expect, index.names)
    findings = []
    for case in cases:
        shortcoming = None if zone.faults else next(find(expect, case, txt_records), None)
        if shortcoming is None:
            findings.append(met(case))
            continue
        sentence, place = shortcoming
        pointers = [pointer(place)] if place else []
        pointers += [
            Pointer("case", number)
            for number, reception in enumerate(zone.receptions)
            if reception.attempt == case.facts.id
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
    title = case.facts.title
    who = f"{title[:1].upper()}{title[1:]} ({reception.client})"
    missed = set(misses(expect, reception))
    if "spf" in missed:
        yield f"{who}: {explain.spf(reception.spf)}", explain.spf_place(reception.spf, txt_records)
    if "dkim" in missed:
        why = reception.dkim.explanation if reception.dkim else "the message is not signed"
        place = explain.key_place(reception.dkim, txt_records)
        if place is None and (other := txt_records.elsewhere("._domainkey.")) is not None:
            why, place = f"{why}; a key stands at {other.record.owner}", other.owner
        yield f"{who}: {why}.", place
    if "aligned" in missed:
        mechanism = next(name for name in expect.aligned if not getattr(reception.dmarc, f"{name}_aligned"))
        place = explain.unaligned_place(mechanism, reception, txt_records)
        yield f"{who}: {explain.unaligned(mechanism, reception)}", place
    if "dmarc" in missed:
        yield f"{who}: {explain.dmarc(reception)}", explain.dmarc_place(reception, txt_records)
    if "disposition" in missed:
        wanted = " or ".join(expect.disposition)
        place = explain.dmarc_place(reception, txt_records)
        yield f"{who}: {explain.disposition(reception)}, where {wanted} is wanted.", place


def _answers(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for answer in txt_records.zone.answers:
        if answer.attempt == case.facts.id and not _fits(answer, expect.answers or []):
            yield _answered(answer), _answer_place(answer, txt_records)


def _fits(answer: Answer, wanted: list[str]) -> bool:
    """Whether the answers are those wanted: each fits a pattern of its own."""
    left = list(answer.values)
    for pattern in wanted:
        found = next((value for value in left if fnmatchcase(value.lower(), pattern.lower())), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _answered(answer: Answer) -> str:
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


def _answer_place(answer: Answer, txt_records: TxtRecords) -> Span | None:
    name = answer.name.lower().rstrip(".")
    mine = [record for record in txt_records.zone.records if record.owner == name]
    same = [record for record in mine if record.type in (answer.type, "CNAME")]
    return next((record.place for record in [*same, *mine]), None)


def _reportings(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for reporting in txt_records.zone.reportings:
        if reporting.attempt == case.facts.id and reporting.sent != expect.reported:
            yield explain.reporting(reporting), _reporting_place(reporting, txt_records)


def _reporting_place(reporting: Reporting, txt_records: TxtRecords) -> Span | None:
    if reporting.requested and reporting.asked:
        found = txt_records.at(reporting.asked)
        return found[0].owner if found else None
    policies = txt_records.dmarc(reporting.domain)
    return (policies[0].value("rua") or policies[0].owner) if policies else None


def _published(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for measured in txt_records.zone.measured:
        if measured.attempt == case.facts.id:
            yield from _spf_published(measured, txt_records)
    for published in txt_records.zone.published:
        if published.attempt == case.facts.id and published.problem:
            yield f"At _dmarc.{published.domain}: {published.problem}.", _policy_place(published, txt_records)


def _spf_published(measured: Measured, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    mine = txt_records.spf(measured.domain)
    if not measured.records:
        sentence = f"{measured.domain} has no TXT record that begins with v=spf1."
        if (other := txt_records.elsewhere("spf")) is not None and SPF.match(other.text):
            sentence += f" One stands at {other.record.owner}."
            yield sentence, other.owner
        yield sentence, None
    elif len(measured.records) > 1:
        number = len(measured.records)
        sentence = f"{measured.domain} has {number} SPF records, so that receivers can use none (permerror)."
        yield sentence, mine[-1].owner if mine else None
    elif measured.problem and not explain.is_limit(measured.problem):
        place = explain.term_place(
            measured.holder or measured.domain, measured.domain, measured.term, txt_records
        )
        yield f"Receivers cannot use the SPF record of {measured.domain}: {quoted(measured.problem)}.", place


def _policy_place(published: Policies, txt_records: TxtRecords) -> Span | None:
    mine = txt_records.dmarc(published.domain)
    if len(mine) != 1:
        return mine[-1].owner if mine else None
    tag = published.problem.partition("=")[0]
    return mine[0].value(tag) or mine[0].place(0, 8)


def _limits(expect: ZoneExpect, case: ZoneCase, txt_records: TxtRecords) -> Iterator[Shortcoming]:
    for measured in txt_records.zone.measured:
        if measured.attempt != case.facts.id:
            continue
        mine = txt_records.spf(measured.domain)
        place = mine[0].place(0, len(mine[0].text)) if mine else None
        for number, most, what in (
            (measured.lookups, expect.lookups, ""),
            (measured.voids, expect.voids, " that find nothing"),
        ):
            if most is not None and number > most:
                yield (
                    f"The SPF record of {measured.domain} takes {number} DNS look-ups{what}, and receivers make no "
                    f"more than {most}: they end with permerror.",
                    place,
                )

"""Remarks on terms of SPF records that ask for what the zone does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from grader.formats.spf import Term, domain_words, read_record
from grader.formats.spfmacros import expand
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.judge import spfwords
from grader.kinds.zone.judge.source import Remark, TxtRecord, TxtRecords
from grader.model.diagnostic import Span

ASKED_FOR = {"a": ("A", "AAAA"), "mx": ("MX",)}
"""What the mechanisms look up (RFC 7208 sections 5.3 and 5.4)."""
MISSING = {"a": "no address", "mx": "no MX record"}


def remarks(txt_record: TxtRecord, txt_records: TxtRecords) -> Iterator[Remark]:
    """The terms ``a`` and ``mx`` that find nothing, because the zone has no such record at the name."""
    record = read_record(txt_record.text) if txt_record.record.type == "TXT" else None
    if record is None or record.faults:
        return
    told: set[tuple[str, str]] = set()
    for term in record.directives:
        if term.name == "all":
            return
        if term.name not in ASKED_FOR or set(domain_words(term.domain)) - {"d"}:
            continue
        name = _asked(term, txt_record.record.owner)
        if (term.name, name) in told:
            continue
        told.add((term.name, name))
        if txt_records.types(name).isdisjoint((*ASKED_FOR[term.name], "NS")):
            yield Remark(
                "finds-nothing",
                "spf",
                txt_record.place(term.start, term.end),
                _sentence(term, name, txt_records.zone.origin),
            )


def astray(domain: str, client: str, txt_records: TxtRecords) -> tuple[str, Span] | None:
    """An ``a`` or ``mx`` that is about something else than its author thought, if that is what a client lacks.

    A bare one, in a record that ``domain``'s includes or redirects to, is about that record's name (RFC 7208 section
    4.8), and finds nothing there; at ``domain`` it would find the client. An ``mx`` of a name with the client's address
    and no MX finds nothing (section 5.4). A sentence, and the term's characters.
    """
    seen, waiting = set[str](), [domain.lower().rstrip(".")]
    while waiting:
        name = waiting.pop(0)
        mine = txt_records.spf(name)
        record = read_record(mine[0].text) if len(mine) == 1 else None
        if name in seen or record is None or record.faults:
            continue
        seen.add(name)
        for term in record.terms:
            if term.name in ("include", "redirect") and not set(domain_words(term.domain)) - {"d"}:
                waiting.append(_asked(term, name))
            elif (said := _misses(term, name, domain, client, txt_records)) is not None:
                return said, mine[0].place(term.start, term.end)
    return None


def vain(domain: str, client: str, txt_records: TxtRecords) -> Remark | None:
    """That a term finds nothing, which may have been meant for a client that has a name in the zone."""
    if not any(record.type in ("A", "AAAA") and record.data == client for record in txt_records.zone.records):
        return None
    mine = txt_records.spf(domain)
    if len(mine) != 1:
        return None
    return next(remarks(mine[0], txt_records), None)


def _misses(term: Term, holder: str, domain: str, client: str, txt_records: TxtRecords) -> str | None:
    """How a mechanism that finds nothing just misses a client, as a sentence; ``None`` where it does not."""
    if term.name not in ASKED_FOR or set(domain_words(term.domain)) - {"d"}:
        return None
    asked = _asked(term, holder)
    if not txt_records.types(asked).isdisjoint((*ASKED_FOR[term.name], "NS")):
        return None
    word, missing = quoted(spfwords.readable(term.text)), MISSING[term.name]
    if term.name == "mx" and client in _found("a", asked, txt_records):
        return f"{word} is about the mail servers of {asked}, which has {missing}, and not about its address."
    if not term.domain and holder != domain and client in _found(term.name, domain, txt_records):
        return f"{word} in the record of {holder} is about {holder}, which has {missing}, and not about {domain}."
    return None


def _found(mechanism: str, domain: str, txt_records: TxtRecords) -> set[str]:
    """The addresses that a mechanism leads to at a domain, as far as the zone tells."""
    hosts = [domain] if mechanism == "a" else [data.split()[-1] for data in txt_records.data(domain, "MX")]
    return {data for host in hosts for type_ in ("A", "AAAA") for data in txt_records.data(host, type_)}


def _asked(term: Term, holder: str) -> str:
    return expand(term.domain, {"d": holder}).lower().rstrip(".") if term.domain else holder


def _sentence(term: Term, name: str, origin: str) -> str:
    found = f"{quoted(spfwords.readable(term.text))} finds nothing: {name} has {MISSING[term.name]}"
    if term.domain or name == origin.lower():
        return found
    return f"{found}. Without a domain, {term.name} is about the name whose record it stands in"

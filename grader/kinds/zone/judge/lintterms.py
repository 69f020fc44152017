"""Remarks on SPF records (RFC 7208)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.formats.spf import MECHANISMS, SpfRecord, Term, read_record
from grader.formats.typography import odd_characters
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.judge import spfwords
from grader.kinds.zone.judge.source import Remark, TxtRecord
from grader.model.diagnostic import Span

LOOKS_SPF = re.compile(r"[^a-z0-9]*v?[\s=]*spf", re.IGNORECASE)
TERM = re.compile(
    r"[+?~-]?(?:all|a|mx|ptr|include|exists|ip4|ip6)(?:[:/\s]|$)|(?:redirect|exp)=", re.IGNORECASE
)
"""How a term begins that might have been meant to stand by itself."""

LOOKED_AT = 80
"""Characters in which a record shows what it was meant to be."""

GLUE = " \t+?~-:=/."
"""Characters behind which a string may end in the middle of a term, or after a blank."""

QUOTES = "\"'\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019"
"""Plain and typographic quotation marks."""
WIDE = {4: 16, 6: 32}
"""Prefixes shorter than these hold more addresses than nearly anybody sends from."""

OBSOLETE = "records of type SPF are obsolete, and nobody asks for them: publish it as TXT (RFC 7208 3.1)"
"""What is said of them, however the type is written."""


def remarks(txt_record: TxtRecord, included: frozenset[str]) -> Iterator[Remark]:
    """What is odd in a TXT record that is, or was meant to be, an SPF record.

    Of those at the names ``included`` only who passes counts, as nobody is judged by them alone.
    """
    text = txt_record.text
    if not LOOKS_SPF.match(text[:LOOKED_AT]):
        return
    if txt_record.record.type == "SPF":
        yield Remark("type-spf", "spf", txt_record.record.place, OBSOLETE)
    joints = [] if _in_odd_quotes(txt_record) else list(_joints(txt_record))
    yield from joints
    record = read_record(text)
    if record is None:
        if not joints:
            yield from _unrecognized(txt_record)
        return
    if broken := record.faults:
        if not joints:
            yield from _broken(txt_record, broken[0])
    else:
        yield from _terms(txt_record, record, is_included=txt_record.record.owner in included)


def begins_oddly(txt_record: TxtRecord, what: str) -> tuple[int, str] | None:
    """What stands before the version of a record, if anything does: how long it is, and a sentence."""
    text = txt_record.text
    blanks = len(text) - len(text.lstrip(" \t"))
    if blanks:
        return blanks, f"a blank stands before the version, so that this is no {what}"
    raw = txt_record.record.texts[0].source.lstrip("\\")[:1]
    odd = next(odd_characters(raw), None)
    if raw and (raw in QUOTES or odd is not None):
        length = len(raw.encode())
        said = odd.said if odd is not None else "a quotation mark belongs to the text here"
        return length, f"{said}, so that this is no {what}"
    return None


def _in_odd_quotes(txt_record: TxtRecord) -> bool:
    """Whether a text begins with a quotation mark that is none to a nameserver: then each of its words is a string."""
    return any(odd_characters(txt_record.record.texts[0].source[:1]))


def unrecognized(txt_records: Iterable[TxtRecord]) -> tuple[Span, str] | None:
    """Why the first of some records that was meant for SPF is none: the characters, and a sentence without a dot."""
    for txt_record in txt_records:
        if LOOKS_SPF.match(txt_record.text[:LOOKED_AT]) and read_record(txt_record.text) is None:
            return next(((remark.place, remark.sentence) for remark in _unrecognized(txt_record)), None)
    return None


def _unrecognized(txt_record: TxtRecord) -> Iterator[Remark]:
    if odd := begins_oddly(txt_record, "SPF record"):
        yield Remark("not-recognized", "spf", txt_record.place(0, odd[0]), odd[1])
        return
    if txt_record.text[:6].lower() == "v=spf1":
        place, sentence = (
            txt_record.place(6, 7),
            "behind v=spf1 a blank must follow: as it is, this is no SPF record",
        )
    else:
        end = len(txt_record.text.split(" ")[0])
        place, sentence = (
            txt_record.place(0, end),
            "an SPF record begins with v=spf1, exactly so: this is none",
        )
    yield Remark("not-recognized", "spf", place, sentence)


def _joints(txt_record: TxtRecord) -> Iterator[Remark]:
    """Strings that readers join without a blank, so that two terms become one (RFC 7208 section 3.3)."""
    at = 0
    texts = txt_record.record.texts
    for number, text in enumerate(texts[:-1]):
        at += len(text.octets())
        after = txt_record.text[at : at + len(texts[number + 1].octets())]
        if at and txt_record.text[at - 1] not in GLUE and TERM.match(after):
            word = spfwords.readable(
                f"{txt_record.text[:at].split(' ')[-1]}{txt_record.text[at:].split(' ')[0]}"
            )
            sentence = f"strings are joined without a blank: this reads “{word[:60]}”"
            if not texts[number + 1].quoted:
                sentence += "; one pair of quotation marks around the whole text keeps its blanks"
            yield Remark("joined", "spf", txt_record.place(at, at + 1), sentence)
            return


def _broken(txt_record: TxtRecord, term: Term) -> Iterator[Remark]:
    """The fault that makes the whole record unusable, whatever else is odd in it."""
    if term.fault is None:
        return
    kind, start, end = term.fault
    place = txt_record.place(start, end) if end > start else txt_record.place(end - 1, end)
    said = spfwords.fault(term.text, kind, txt_record.text[start:end])
    yield Remark("unusable", "spf", place, f"{said}: nobody can use the record")


def _terms(txt_record: TxtRecord, record: SpfRecord, *, is_included: bool) -> Iterator[Remark]:
    """Terms that do more, or less, than they seem to. What stands behind ``all`` is never tried."""
    everybody = next((term for term in record.directives if term.name == "all"), None)
    for term in record.terms:
        place = txt_record.place(term.start, term.end)
        if term.is_modifier:
            yield from _modifier(term, place, everybody)
        elif everybody is not None and term.start > everybody.start:
            yield Remark("after-all", "spf", place, f"nothing behind {everybody.text} is ever tried")
            return
        elif term.name == "all":
            yield from _everybody(term, place, is_included=is_included)
        elif term.network is not None:
            yield from _network(term, txt_record)
        elif term.name == "ptr":
            sentence = "ptr is slow, unreliable and not to be used (RFC 7208 section 5.5)"
            yield Remark("ptr", "spf", place, sentence)
    if everybody is None and record.modifier("redirect") is None and not is_included:
        end = len(record.text.rstrip(" "))
        sentence = "the record ends without all: everybody else is neutral"
        yield Remark("no-all", "spf", txt_record.place(end - 1, end), sentence)


def _modifier(term: Term, place: Span, everybody: Term | None) -> Iterator[Remark]:
    if term.name == "redirect" and everybody is not None:
        yield Remark("idle-redirect", "spf", place, "redirect is never followed where all stands")
    elif term.name in MECHANISMS:
        sentence = (
            f"{quoted(term.text)} is a modifier that nobody knows, and is ignored: a mechanism has a colon"
        )
        yield Remark("equals", "spf", place, sentence)


def _everybody(term: Term, place: Span, *, is_included: bool) -> Iterator[Remark]:
    if term.qualifier == "+":
        yield Remark("all-pass", "spf", place, f"{term.text} lets everybody in the world pass")
    elif term.qualifier == "?" and not is_included:
        yield Remark("all-neutral", "spf", place, f"{term.text} says nothing about everybody else")


def _network(term: Term, txt_record: TxtRecord) -> Iterator[Remark]:
    network, address = term.network, term.address
    slash = term.text.rfind("/")
    if network is None or slash < 0 or network.prefixlen == network.max_prefixlen or term.qualifier != "+":
        return
    place = txt_record.place(term.start + slash, term.end)
    if network.prefixlen < WIDE[network.version]:
        yield Remark("wide", "spf", place, f"{network} holds {network.num_addresses:,} addresses")
    elif address != network.network_address:
        sentence = f"this is not one address but {network.num_addresses:,} of them, {network}"
        yield Remark("host-bits", "spf", place, sentence)

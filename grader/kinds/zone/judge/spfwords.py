"""What an SPF evaluation came to, in words, and the characters of the zone that made it so."""

from __future__ import annotations

import ipaddress
import re
import string
import unicodedata
from difflib import get_close_matches

from grader.formats.spf import MECHANISMS, MODIFIERS, FaultKind, Term, read_record
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.facts import Measured, Spf, SpfStep
from grader.kinds.zone.judge.source import TxtRecord, TxtRecords
from grader.model.diagnostic import Span

LETTERS = string.ascii_letters + string.digits + "_-"

LIMITS = {
    "lookups": "evaluating it takes more than 10 look-ups in DNS",
    "voids": "more than 2 of the look-ups that it takes find nothing",
    "mx": "more than 10 mail servers stand behind one mx",
}
"""The limits of RFC 7208 section 4.6.4, as what exceeds them."""

EXPLAINS = re.compile(r"%\{[crt]", re.IGNORECASE)
"""The beginning of a macro that stands for something in an explanation alone."""


def result(found: Spf) -> str:
    """An SPF result and what led to it, as a sentence."""
    if found.trouble is not None:
        return f"SPF ends with {found.result}: {trouble(found)}."
    match found.result:
        case "none":
            return f"SPF has no result, as {found.domain} has no SPF record."
        case "neutral" if not found.term:
            return f"SPF is neutral: the record of {found.holder} ends without a word about this client."
        case _:
            by = quoted(readable(found.term))
            return f"SPF for {found.domain} is {found.result}, by {by} in the record of {found.holder}."


def trouble(found: Spf, *, named: str = "") -> str:
    """Why a record cannot be used, without a dot at the end. ``named`` is the domain that was named just before."""
    holder = found.holder or found.domain
    match found.trouble:
        case "syntax":
            return _broken(found) if holder == named else f"in the record of {holder}, {_broken(found)}"
        case "several":
            via = f", which {quoted(readable(found.term))} leads to," if found.about != found.domain else ""
            return f"{found.about}{via} has several SPF records, so that receivers can use none"
        case "missing":
            by = quoted(readable(found.term))
            return f"{by} in the record of {holder} leads to {found.about}, which has no SPF record"
        case "loop":
            by = quoted(readable(found.term))
            return f"{by} in the record of {holder} leads back to {found.about}, whose record is being read already"
        case "no-answer":
            return f"DNS does not answer about {found.about}"
        case "limit":
            return f"the record of {found.domain} cannot be evaluated: {LIMITS[found.limit or 'lookups']}"
        case None:
            return ""


def _broken(found: Spf) -> str:
    step = found.steps[-1] if found.steps else None
    if step is None or found.fault is None or found.fault_at is None:
        return f"{quoted(readable(found.term))} is no term"
    start, end = found.fault_at
    return fault(step.term, found.fault, step.term[start - step.start : end - step.start])


def fault(term: str, kind: FaultKind, part: str) -> str:
    """What breaks a term, ``part`` of it being the characters at fault; without a dot at the end."""
    whole, piece = quoted(readable(term)), quoted(readable(part))
    name = re.match(r"[+?~-]?([A-Za-z0-9]*)", term)
    word = name[1].lower() if name else ""
    match kind:
        case "character":
            return f"{whole} holds {_character(part)}, and a record is plain ASCII"
        case "name":
            return f"{whole} is no mechanism{_meant(term)}"
        case "qualifier":
            return f"before {quoted(readable(term[1:]))} no sign may stand: it is a modifier"
        case "trailing" if part.startswith("="):
            return f"{whole} is no term: behind the name of a mechanism stands a colon, and not {quoted('=')}"
        case "trailing":
            return f"{whole} goes on with {piece}, which cannot stand behind {quoted(word)}"
        case "domain-missing":
            return f"{whole} names no domain"
        case "domain" if _is_address(term):
            return (
                f"{whole} is about an address, where a name belongs; for an address there are ip4: and ip6:"
            )
        case "domain":
            return f"{whole} has a domain that cannot end in {piece}"
        case "macro" if EXPLAINS.match(part):
            return (
                f"{whole} has {piece}, which is a macro in explanations (exp=) alone (RFC 7208 section 7.2)"
            )
        case "macro":
            return f"{whole} has {piece}, which is no macro: a literal percent sign is written %%"
        case "address-missing":
            return f"{whole} names no address"
        case "address":
            return f"{whole} needs an {'IPv4' if word == 'ip4' else 'IPv6'} address, and {piece} is none"
        case "prefix":
            return f"{whole} has {piece}, which is no prefix length (RFC 7208 section 5.6)"
        case "repeated":
            return f"{whole} is a second {quoted(word)}, and a record has one at most"


def _character(part: str) -> str:
    text = readable(part)
    name = unicodedata.name(text[0], "") if text else ""
    if name:
        dash = ", where a hyphen-minus “-” belongs" if unicodedata.category(text[0]) == "Pd" else ""
        return f"{quoted(text)} ({name.lower()}){dash}"
    return f"a control character ({text[:1]!a})"


def _meant(term: str) -> str:
    """What was perhaps meant by a word that is no mechanism."""
    bare = term.lstrip("+?~-")
    if _is_address(f"x:{bare}"):
        return "; ip4: or ip6: stands before an address"
    if not bare or not re.match(r"[A-Za-z0-9]", bare):
        return ": between terms stand blanks alone" if bare else ": its sign stands alone"
    word = bare[: len(bare) - len(bare.lstrip(LETTERS))].lower()
    if word.startswith("ip"):
        return "; ip4: or ip6: stands before an address"
    close = get_close_matches(word, (*MECHANISMS, *MODIFIERS), n=1)
    return f"; perhaps {close[0]} is meant" if close else ""


def _is_address(term: str) -> bool:
    try:
        ipaddress.ip_interface(term.partition(":")[2])
    except ValueError:
        return False
    return True


def readable(text: str) -> str:
    """Octets of a record as the characters that their author wrote."""
    return text.encode("latin-1", "replace").decode("utf-8", "backslashreplace")


def place(found: Spf, txt_records: TxtRecords) -> Span | None:
    """The characters that decided: of the record that is farthest on the way and stands in the zone."""
    if found.trouble == "several" and (mine := txt_records.spf(found.about)):
        return mine[-1].owner
    if found.fault_at is not None and found.steps and (record := _of(found.steps[-1], txt_records)):
        start, end = found.fault_at
        return record.place(start, end) if end > start else record.place(end - 1, end)
    if (here := of_steps(found.steps, txt_records)) is not None:
        return here
    if found.result == "neutral" and not found.term and (mine := txt_records.spf(found.holder)):
        return mine[0].place(len(mine[0].text.rstrip(" ")) - 1, len(mine[0].text.rstrip(" ")))
    return None


def of_steps(steps: list[SpfStep], txt_records: TxtRecords) -> Span | None:
    """The farthest of some terms that stands in the zone."""
    for step in reversed(steps):
        if record := _of(step, txt_records):
            return record.place(step.start, step.end)
    return None


def _of(step: SpfStep, txt_records: TxtRecords) -> TxtRecord | None:
    """The record of the zone that has a term where a step says."""
    for record in txt_records.spf(step.domain):
        if record.text[step.start : step.end] == step.term:
            return record
    return None


def ignored(domain: str, txt_records: TxtRecords) -> tuple[Term, TxtRecord] | None:
    """A modifier of a domain's record that has a mechanism's name, and so is ignored where it was to let pass."""
    for txt_record in txt_records.spf(domain):
        record = read_record(txt_record.text)
        for term in record.terms if record else ():
            if term.is_modifier and term.name in MECHANISMS:
                return term, txt_record
    return None


def over_limits(measured: Measured, lookups: int | None, voids: int | None) -> str | None:
    """How a record exceeds the limits that are set, and by which terms; ``None`` where it does not."""
    for number, most, what in (
        (measured.lookups, lookups, ""),
        (measured.voids, voids, " that find nothing"),
    ):
        if most is not None and number > most:
            said = (
                f"The SPF record of {measured.domain} takes {number} DNS look-ups{what}, and receivers make no more "
                f"than {most}: they end with permerror."
            )
            return said + (_vain(measured) if what else _counted(measured))
    verdict = measured.verdict
    if verdict is not None and verdict.trouble == "limit" and (lookups is not None or voids is not None):
        return f"SPF ends with permerror: {trouble(verdict)}."
    return None


def _counted(measured: Measured) -> str:
    tops: dict[tuple[int, str], int] = {}
    for lookup in measured.counted:
        top = lookup.steps[0]
        tops[top.start, top.term] = tops.get((top.start, top.term), 0) + 1
    words = [f"{quoted(readable(term))} {number}" for (_, term), number in tops.items()]
    return f" It counts: {', '.join(words)}." if words else ""


def _vain(measured: Measured) -> str:
    words = [
        f"{quoted(readable(lookup.steps[-1].term))} ({' and '.join(lookup.voids)})"
        for lookup in measured.counted
        if lookup.voids
    ]
    return f" Nothing is found by {', '.join(words)}." if words else ""


def limit_places(measured: Measured, lookups: int | None, voids: int | None, zone: TxtRecords) -> list[Span]:
    """The terms that make too many look-ups: those that find nothing, or the first behind the limit.

    It is the whole record where it was not written down which term asks for what, as in older evidence.
    """
    if not measured.counted and (mine := zone.spf(measured.domain)):
        return [mine[0].place(0, len(mine[0].text))]
    found: list[Span | None]
    if lookups is not None and measured.lookups > lookups:
        found = [of_steps(lookup.steps, zone) for lookup in measured.counted[lookups : lookups + 1]]
    elif voids is not None and measured.voids > voids:
        found = [of_steps(lookup.steps, zone) for lookup in measured.counted if lookup.voids]
    else:
        found = [place(measured.verdict, zone)] if measured.verdict else []
    return list(dict.fromkeys(span for span in found if span is not None))

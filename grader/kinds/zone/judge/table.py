"""Every message that receivers judged, beside what was expected of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from grader.kinds.zone.declare import ZoneExpect
from grader.kinds.zone.facts import Reception, ZoneEvidence


class JudgedMessage(Struct, frozen=True):
    """A message as judged. ``number`` is its place in the evidence, which ``case:N`` points to."""

    number: int
    check: str
    title: str
    client: str
    helo: str
    sender: str
    author: str
    dkim: str
    spf: str
    aligned: str
    dmarc: str
    disposition: str
    expected: str
    misses: frozenset[str]

    @property
    def met(self) -> bool:
        """Whether receivers concluded what they should."""
        return not self.misses


def table(evidence: ZoneEvidence) -> Iterator[JudgedMessage]:
    """A row for each message, in the order of the lab's checks."""
    facts = evidence.facts
    found: dict[str, list[int]] = {}
    for number, reception in enumerate(facts.receptions):
        found.setdefault(reception.attempt, []).append(number)
    for check in evidence.lab.checks:
        for tried in facts.attempts:
            for number in found.get(tried.id, []) if tried.check == check.code else []:
                reception = facts.receptions[number]
                yield _row(number, check.code, reception.title or tried.title, reception, check.expect)


def _row(number: int, check: str, title: str, found: Reception, expect: ZoneExpect) -> JudgedMessage:
    dmarc = found.dmarc
    aligned = [name for name, is_so in (("SPF", dmarc.spf_aligned), ("DKIM", dmarc.dkim_aligned)) if is_so]
    return JudgedMessage(
        number=number,
        check=check,
        title=title,
        client=found.client,
        helo=found.helo,
        sender=found.sender,
        author=found.author,
        dkim="none"
        if found.dkim is None
        else f"{'pass' if found.dkim.verified else 'fail'} ({found.dkim.domain})",
        spf=found.spf.result,
        aligned=" and ".join(aligned) or "nothing",
        dmarc=dmarc.result,
        disposition=dmarc.disposition,
        expected=expected(expect),
        misses=frozenset(misses(expect, found)),
    )


def misses(expect: ZoneExpect, found: Reception) -> Iterator[str]:
    """The keys of ``expect`` that a message does not meet."""
    if expect.spf and found.spf.result not in expect.spf:
        yield "spf"
    if expect.dkim and not (found.dkim and found.dkim.verified):
        yield "dkim"
    if not all(getattr(found.dmarc, f"{mechanism}_aligned") for mechanism in expect.aligned):
        yield "aligned"
    if expect.dmarc and found.dmarc.result not in expect.dmarc:
        yield "dmarc"
    if expect.disposition and found.dmarc.disposition not in expect.disposition:
        yield "disposition"


def expected(expect: ZoneExpect) -> str:
    """What a check expects of each message, in a few words: ``SPF pass; disposition reject``."""
    parts = []
    if expect.spf:
        parts.append(f"SPF {' or '.join(expect.spf)}")
    if expect.dkim:
        parts.append("DKIM pass")
    if expect.aligned:
        parts.append(f"{' and '.join(name.upper() for name in expect.aligned)} aligned")
    if expect.dmarc:
        parts.append(f"DMARC {' or '.join(expect.dmarc)}")
    if expect.disposition:
        parts.append(f"disposition {' or '.join(expect.disposition)}")
    return "; ".join(parts)

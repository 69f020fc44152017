"""Why a client gets another SPF result than is wanted, where the result alone does not say it."""

from __future__ import annotations

from grader.formats.spf import VERSION
from grader.kinds.traffic.sentences import quoted
from grader.kinds.zone.declare import ZoneExpect
from grader.kinds.zone.facts import Reception, Spf
from grader.kinds.zone.judge import explain, lintnames, spfwords
from grader.kinds.zone.judge.source import TxtRecords
from grader.model.diagnostic import Span


def _behind_all(found: Spf, txt_records: TxtRecords) -> str | None:
    """What stands behind the ``all`` that decided, where nobody reads it (RFC 7208 section 5.1), in a sentence."""
    records = txt_records.spf(found.holder)
    words = records[0].text.split() if len(records) == 1 else []
    if found.term.lstrip("+-~?").lower() != "all" or found.term not in words:
        return None
    vain = [word for word in words[words.index(found.term) + 1 :] if "=" not in word]
    if not vain:
        return None
    return f"What stands behind it is never tried: {quoted(spfwords.readable(' '.join(vain)))}."


def missed(
    who: str, expect: ZoneExpect, reception: Reception, txt_records: TxtRecords
) -> tuple[str, Span | list[Span] | None]:
    """What a message got, and what may have made it so: a sentence and the characters, where they are known."""
    found = reception.spf
    said = f"{who}: {spfwords.result(found)}"
    if "pass" in expect.spf and found.trouble is None:
        if (behind := _behind_all(found, txt_records)) is not None:
            return f"{said} {behind}", spfwords.place(found, txt_records)
        if (ignored := spfwords.ignored(found.domain, txt_records)) is not None:
            term, record = ignored
            return (
                f"{said} {quoted(term.text)} is ignored: with an equals sign it is a modifier that nobody knows, and a "
                "mechanism has a colon."
            ), record.place(term.start, term.end)
        if (astray := lintnames.astray(found.domain, reception.client, txt_records)) is not None:
            return f"{said} {astray[0]}", astray[1]
        if (vain := lintnames.vain(found.domain, reception.client, txt_records)) is not None:
            places = [
                place for place in (spfwords.place(found, txt_records), vain.place) if place is not None
            ]
            return f"{said} {vain.sentence}.", places
    if found.result != "none":
        return said, spfwords.place(found, txt_records)
    wildcard = txt_records.passed_over(found.domain, "TXT", VERSION)
    said += explain.alias(found.domain, txt_records) + explain.wildcard(found.domain, wildcard, txt_records)
    if wildcard is not None:
        return said, wildcard.place
    other = explain.spf_elsewhere(found.domain, txt_records)
    return said + explain.elsewhere(other, found.domain), other.owner if other else None

"""What a domain explains to those whom it fails (RFC 7208 section 6.2)."""

from __future__ import annotations

from grader.formats.spfmacros import macro_fault, shortened
from grader.kinds.zone.run.names import is_name
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.kinds.zone.run.spfcheck import Evaluator
from grader.kinds.zone.run.spfstates import SpfVerdict


def explanation(resolver: Resolver, sender: str, helo: str, verdict: SpfVerdict) -> str:
    """What the domain that failed a client explains to it; empty where it explains nothing.

    The result is known by then, so that what its macros ask for counts against no limit.
    """
    if verdict.result != "fail":
        return ""
    evaluator = Evaluator(resolver, sender, helo, enforce=False)
    try:
        (record,) = evaluator.records(verdict.domain)
        term = record.modifier("exp")
        if term is None:
            return ""
        target = shortened(evaluator.expanded(term.domain, verdict.domain, verdict.state)[0])
        (text,) = resolver.texts(target) if is_name(target) else []
    except (NoAnswer, ValueError):
        return ""
    plain = text.decode("latin-1")
    if not plain.isascii() or macro_fault(plain, explaining=True):
        return ""
    return evaluator.expanded(plain, verdict.domain, verdict.state)[0]

"""Whose reports a zone lets come to addresses in it: every authorization that it holds (RFC 9990 section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.formats.dkim import within
from grader.formats.dmarc import VERSION
from grader.kinds.zone.declare import PermitRequest
from grader.kinds.zone.facts import Permit, Permits
from grader.kinds.zone.run.inverse import ANYBODY, Owners
from grader.kinds.zone.run.resolver import NoAnswer, Resolver, TimeOver
from grader.model.dns import ZoneRecord

BETWEEN = "._report._dmarc."
"""Stands between the domain that reports are about and the one that gets them."""
MOST_OUTSIDERS = 20


def compute(
    resolver: Resolver, attempt: str, request: PermitRequest, records: Sequence[ZoneRecord]
) -> Permits:
    """Everybody who may have reports sent, and is not allowed to. ``records`` are those of the zone handed in.

    What a DNAME lets them be called counts like their names (RFC 6672).

    A domain needs no leave to send its own reports to itself.
    """
    domain = request.domain.lower().rstrip(".")
    zone = Owners(records)
    allowed = [domain, *(name.lower().rstrip(".") for name in request.allowed)]
    outsiders: list[Permit] = []
    try:
        for permit in _permits(domain, zone):
            is_allowed = any(within(permit.about.removeprefix("*."), name) for name in allowed)
            if not is_allowed and _authorizes(resolver, permit):
                outsiders.append(permit)
    except TimeOver:
        return Permits(attempt, domain, outsiders[:MOST_OUTSIDERS], complete=False)
    return Permits(attempt, domain, outsiders[:MOST_OUTSIDERS], complete=zone.complete)


def _permits(domain: str, zone: Owners) -> Iterator[Permit]:
    """The names at which an authorization could stand, whatever stands there."""
    found: dict[tuple[str, str], Permit] = {}
    anybody = f"*{BETWEEN}{domain}"  # a wildcard further up may answer for it as well
    for owner in dict.fromkeys([anybody, *zone.owners]):
        about, between, to = owner.partition(BETWEEN)
        if between:
            found.setdefault((about, to), Permit(owner, about, to))
        elif owner.startswith("*."):
            # A wildcard of names answers for all that lies below them (RFC 4592 section 2.1.1).
            above = owner[2:]
            for to in (above, f"{ANYBODY}.{above}", above.removeprefix("_dmarc.")):
                found.setdefault(("*", to), Permit(owner, "*", to))
    yield from (permit for permit in found.values() if within(permit.to, domain) and "_" not in permit.to)


def _authorizes(resolver: Resolver, permit: Permit) -> bool:
    about = re.sub(r"^\*", f"{ANYBODY}.invalid", permit.about)
    try:
        texts = resolver.texts(f"{about}{BETWEEN}{permit.to}")
    except TimeOver:
        raise
    except NoAnswer:
        return False  # nobody sends reports to whoever cannot be asked
    return any(VERSION.match(text.decode("latin-1")) for text in texts)

"""Forged mail from every name that a zone holds: which policy a receiver goes by, and who could get past it.

A subdomain's record is taken whole (RFC 9989 section 4.10.1), so one forgotten name undoes the policy of all. The names
are derived from the zone: those that exist, one that does not exist below each, and one below each wildcard.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.kinds.zone.declare import AuthorRequest, SenderRequest
from grader.kinds.zone.facts import Reception
from grader.kinds.zone.run import dmarc, senders, spf
from grader.kinds.zone.run.inverse import ANYBODY, Owners
from grader.kinds.zone.run.resolver import Resolver, TimeOver
from grader.kinds.zone.run.strangers import ADDRESSES, NOBODY

MOST_RECEPTIONS = 20
"""Messages that are written down of an attempt, unless there are more conclusions; those judged alike are one."""
MOST_ALIKE = 50
"""Names without anything of their own that are tried, of all that are alike."""


def forged(resolver: Resolver, attempt: str, request: AuthorRequest, zones: Owners) -> list[Reception]:
    """Messages that nobody authenticates, one for each conclusion that receivers come to."""
    domain = request.domain.lower().rstrip(".")
    found: dict[tuple[object, ...], Reception] = {}
    try:
        for author in _names(domain, zones):
            for one in _forged(resolver, attempt, request, author, zones):
                judged = one.dmarc
                same = (judged.result, judged.disposition, judged.tag, one.spf.result)
                by = one.spf.domain if one.spf.result == "pass" else ""
                found.setdefault((*same, judged.holder, by), one)
    except TimeOver:
        return []  # the time is over, as the run's notes tell: what was tried of a part proves nothing
    return _shown(found)


def _shown(found: dict[tuple[object, ...], Reception]) -> list[Reception]:
    """As many as are written down: of each conclusion one, whoever's record it is by, and others as far as they go."""
    firsts = {key[:4]: key for key in reversed(found)}
    others = [key for key in found if firsts[key[:4]] != key]
    kept = {*firsts.values(), *others[: max(MOST_RECEPTIONS - len(firsts), 0)]}
    return [one for key, one in found.items() if key in kept]


def _names(domain: str, zones: Owners) -> list[str]:
    """The names below a domain that mail can come from, those that exist first.

    A label with an underscore is none of a mail domain (RFC 5321 section 4.1.2), nor is an asterisk with
    something below it, but the names above are: a policy at ``_dmarc.www`` is one for ``www``.
    """
    existing: dict[str, None] = {}
    for name in senders.below(domain, zones):
        labels = name.removesuffix(f".{domain}").split(".")
        for start in range(len(labels)):
            if not any("_" in label or label == "*" for label in labels[start:]):
                existing[".".join([*labels[start:], domain])] = None
    names = [name for name in existing if name != domain]
    left_out = set(_alike(names, domain, zones.marked)[MOST_ALIKE:])
    tried = [name for name in names if name not in left_out]
    below = (f"{ANYBODY}.{name}" for name in [domain, *tried] if not name.startswith(f"{ANYBODY}."))
    return list(dict.fromkeys([*tried, *below]))


def _alike(names: list[str], domain: str, marked: set[str]) -> list[str]:
    """Those names that have nothing of their own, and lie below none that has: they fare like each other."""
    found = []
    for name in names:
        labels = name.removesuffix(f".{domain}").split(".")
        if marked.isdisjoint(".".join([*labels[start:], domain]) for start in range(len(labels))):
            found.append(name)
    return found


def _forged(
    resolver: Resolver, attempt: str, request: AuthorRequest, author: str, zones: Owners
) -> Iterator[Reception]:
    """A stranger's mail; and that of whoever may use the name in MAIL FROM although it is not allowed."""
    domain = request.domain.lower().rstrip(".")
    client = str(ADDRESSES[0])
    yield _received(resolver, attempt, author, client, f"{ANYBODY}@{NOBODY}", NOBODY)
    if not senders.has_record(resolver, author) or senders.aligned(resolver, author, domain):
        return  # who passes for a name that is aligned passes for the domain
    alone = SenderRequest(author, request.allowed, below=False)
    for outsider in senders.compute(resolver, attempt, alone, zones).outsiders[:1]:
        sender = outsider.sender or f"{ANYBODY}@{author}"
        yield _received(resolver, attempt, author, outsider.witness, sender, outsider.helo or NOBODY)


def _received(
    resolver: Resolver, attempt: str, author: str, client: str, sender: str, helo: str
) -> Reception:
    authenticated = spf.evaluate(resolver, client=client, sender=sender, helo=helo)
    return Reception(
        attempt=attempt,
        client=client,
        helo=helo,
        sender=sender,
        author=f"{ANYBODY}@{author}",
        spf=authenticated,
        dmarc=dmarc.evaluate(resolver, author, authenticated, None),
        title=f"forged mail from {author}",
    )

"""Serves the zone that was handed in and lets receivers judge by it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec.structs import replace

from grader.formats.address import domain_of
from grader.formats.dns.masterfile import ZoneFile, read_zone
from grader.kinds.base import Recorded
from grader.kinds.zone.declare import ZoneMessage
from grader.kinds.zone.facts import DnsAnswer, Reception, ZoneFacts
from grader.kinds.zone.plan import ZonePlan
from grader.kinds.zone.run import authors, delegation, delivery, dmarc, permits, senders, spf, strangers
from grader.kinds.zone.run.dkim import Verifier
from grader.kinds.zone.run.inverse import Owners
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.model.errors import LabError
from grader.world.dns.loopback import served, zones_of

SLOW = "The zone is so large, or its records so long, that the time was over before receivers had judged everything."


def examine(plan: ZonePlan) -> Recorded:
    """What receivers conclude from a zone. Raises ``LabError`` where the lab's own zones are broken."""
    file = read_zone(plan.content, plan.origin)
    if file.faults:
        return Recorded(_unread(plan, file), files=plan.handed_in)
    facts, is_late = _judged(plan, file)
    return Recorded(facts, notes=[SLOW] if is_late else [], files=plan.handed_in)


def _unread(plan: ZonePlan, file: ZoneFile) -> ZoneFacts:
    return ZoneFacts(
        attempts=plan.attempts,
        file=plan.file,
        origin=plan.origin,
        lines=file.lines,
        faults=file.faults,
        records=file.records,
    )


def _judged(plan: ZonePlan, file: ZoneFile) -> tuple[ZoneFacts, bool]:
    """What receivers conclude, and whether the time was over before they had done."""
    others = {origin: _other(origin, text) for origin, text in plan.others.items()}
    files = {plan.origin: file, **others, strangers.DOMAIN: strangers.zone()}
    zones = Owners(record for each in files.values() for record in each.records)
    with served(zones_of(files)) as server:
        resolver = Resolver(server.address, server.port)
        verifier = Verifier(resolver, plan.keys)
        facts = ZoneFacts(
            attempts=plan.attempts,
            file=plan.file,
            origin=plan.origin,
            lines=file.lines,
            records=file.records,
            receptions=[
                *(
                    received
                    for attempt, message in plan.messages
                    for received in _received(attempt, message, resolver, verifier, zones)
                ),
                *(
                    forged
                    for attempt, request in plan.authors
                    for forged in authors.forged(resolver, attempt, request, zones)
                ),
            ],
            answers=[_answer(attempt, q.name, q.type, resolver) for attempt, q in plan.questions],
            reportings=[dmarc.reporting(resolver, attempt, r.domain, r.to) for attempt, r in plan.reports],
            measured=[spf.measure(resolver, attempt, domain, zones) for attempt, domain in plan.records],
            published=[dmarc.published(resolver, attempt, domain) for attempt, domain in plan.policies],
            senders=[senders.compute(resolver, attempt, request, zones) for attempt, request in plan.senders],
            deliveries=[delivery.follow(resolver, attempt, mail) for attempt, mail in plan.deliveries],
            permits=[
                permits.compute(resolver, attempt, request, file.records) for attempt, request in plan.permits
            ],
            delegations=[
                delegation.follow(resolver, attempt, request, file.records)
                for attempt, request in plan.servers
            ],
        )
    return replace(facts, queries=server.nameserver.queries), resolver.deadline.over


@lru_cache(maxsize=50)
def _other(origin: str, text: str) -> ZoneFile:
    """Somebody else's zone. Raises ``LabError`` with the line of its first fault."""
    file = read_zone(text.encode(), origin)
    if file.faults:
        fault = file.faults[0]
        raise LabError(f"the lab's zone {origin}, line {fault.place.line + 1}: {fault.sentence}")
    return file


def _received(
    attempt: str, message: ZoneMessage, resolver: Resolver, verifier: Verifier, zones: Owners
) -> Iterator[Reception]:
    """A message from its client; from a network, once for each conclusion about one of its clients."""
    signature = verifier.verify(message)
    author = domain_of(message.author)
    clients = spf.of_network(message.client)
    for client, sender in spf.evaluate_all(
        resolver, clients, sender=message.sender, helo=message.helo, zones=zones
    ):
        yield Reception(
            attempt=attempt,
            client=message.client if clients.size == 1 else client,
            helo=message.helo,
            sender=message.sender,
            author=message.author,
            spf=sender,
            dmarc=dmarc.evaluate(resolver, author, sender, signature),
            dkim=signature,
        )


def _answer(attempt: str, name: str, type_: str, resolver: Resolver) -> DnsAnswer:
    try:
        found = resolver.ask(name, type_)
    except NoAnswer:
        return DnsAnswer(attempt, name, type_, "SERVFAIL", [])
    return DnsAnswer(attempt, name, type_, found.rcode, found.texts)

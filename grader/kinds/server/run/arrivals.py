"""Messages that arrived: those found in mailboxes of the host, and the order in which all of them are recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.model.attempt import Attempt
from grader.model.protocol.host import DeliveredMail
from grader.model.traffic import Arrival


def in_mailboxes(found: Iterable[DeliveredMail], owners: Mapping[str, str]) -> list[Arrival]:
    """What was found in mailboxes; ``owners`` are the attempts, by their tokens."""
    return [
        Arrival(
            id=0,
            place="mailbox",
            where=message.path,
            attempts=[owners[token] for token in message.tokens if token in owners],
            raw=message.raw,
            octets=message.octets,
        )
        for message in found
    ]


def numbered(arrivals: Iterable[Arrival], attempts: Sequence[Attempt]) -> list[Arrival]:
    """In the order of the plan, not of arrival, so that equal runs give equal numbers."""
    places = {attempt.id: place for place, attempt in enumerate(attempts)}

    def order(arrival: Arrival) -> tuple[object, ...]:
        first = min((places[attempt] for attempt in arrival.attempts), default=len(places))
        return first, arrival.place, arrival.where, arrival.recipients, arrival.at

    return [msgspec.structs.replace(a, id=number) for number, a in enumerate(sorted(arrivals, key=order))]

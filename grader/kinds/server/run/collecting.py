"""Gathering what is left to know at the end of a run, from the host as far as it still answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from grader.engines.base import Channel
from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.run.arrivals import in_mailboxes, numbered
from grader.kinds.server.run.host import StudentHost
from grader.kinds.server.run.ports import Ports
from grader.kinds.server.run.probing import Probing
from grader.kinds.server.run.startup import StartUp
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.dns import KeyAnswer
from grader.model.protocol.host import CountQueue, FindMail, IsAlive, ListQueue, StopAll
from grader.model.protocol.world import Finish, ResolveKeys
from grader.model.traffic import Arrival, OutsideMail, Query, Queued

COLLECT_SECONDS = 12.0
"""How long the host may take over what is asked at the end, before nothing more is asked."""


class Collected(msgspec.Struct):
    """What the host and the world tell at the end. ``ended`` says that Postfix's master no longer ran."""

    ended: bool = False
    arrivals: list[Arrival] = []
    outside: OutsideMail | None = None
    queued: list[Queued] = []
    queries: list[Query] = []
    keys: list[KeyAnswer] = []
    notes: list[str] = []


def collect(
    plan: ServerPlan, host: StudentHost, world: Channel, ports: Ports, start: StartUp, probing: Probing
) -> Collected:
    """Ask both for the rest. Raises ``EngineError`` where the world fails.

    The host's processes are ended before: whoever keeps its processors, memory and processes to himself keeps nothing
    of what is asked for then.
    """
    found = Collected()
    attempts = probing.attempts

    def look_whether_it_lives() -> None:
        found.ended = not host.channel.call(IsAlive(), timeout=5).master

    def list_queue() -> None:
        found.queued = _queue(host, attempts)

    def read_mailboxes() -> None:
        # What was sent while a service was stopped may have come back to its author, who is a user here.
        tokens = [a.token for a in attempts if a.mailbox or a.stopped or probing.taken_for_nobody(a)]
        owners = {attempt.token: attempt.id for attempt in attempts}
        kept = host.channel.call(FindMail(tokens), timeout=10) if tokens else []
        found.arrivals = in_mailboxes(kept, owners)

    deadline = Deadline(COLLECT_SECONDS)

    def ask(*questions: Callable[[], object]) -> None:
        for question in questions:
            if not deadline.over:
                host.attempt(question)

    ask(lambda: ports.look_again(attempts), look_whether_it_lives, host.read_log)
    ask(lambda: host.channel.call(StopAll(), timeout=6))
    # Nobody sends anything any more: the world puts together what it has seen while the host is asked for the rest.
    told = world.ask(Finish())
    ask(list_queue, read_mailboxes, *([start.read_overrides] if plan.elsewhere else []))
    recorded = told.answer(timeout=10)
    found.arrivals = numbered([*recorded.arrivals, *found.arrivals], attempts)
    found.outside, found.queries, found.notes = recorded.outside, recorded.queries, recorded.notes
    if plan.published is not None:
        # Few labs publish keys, and the library that reads signatures takes long to load.
        from grader.kinds.server.run.keys import key_names

        names = key_names(found.arrivals, plan.published)
        found.keys = world.call(ResolveKeys(names), timeout=10)
    return found


def _queue(host: StudentHost, attempts: Sequence[Attempt]) -> list[Queued]:
    if not host.channel.call(CountQueue(), timeout=5).total:
        return []
    entries = host.channel.call(ListQueue(), timeout=10)
    return [msgspec.structs.replace(entry, attempts=_owners(entry, attempts)) for entry in entries]


def _owners(entry: Queued, attempts: Sequence[Attempt]) -> list[str]:
    recipient = entry.recipient.casefold()
    return [a.id for a in attempts if a.token and a.token.casefold() in recipient] or [
        a.id for a in attempts if a.sender == entry.sender and recipient in map(str.casefold, a.recipients)
    ]

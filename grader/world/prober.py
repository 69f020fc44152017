"""Makes attempts: few connections, many attempts in each, and a second chance for what a server cut off."""

from __future__ import annotations

import asyncio
import functools
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.traffic import Outcome, Session
from grader.world.client import Client
from grader.world.exchange import ServerRefused
from grader.world.handshake import Untrusted
from grader.world.listener import Listener
from grader.world.mail import Mails, dialogue, in_pieces, went_on
from grader.world.mailboxes import Mailboxes
from grader.world.milter import hand_to_milter
from grader.world.qmqp import hand_over
from grader.world.sharing import (
    ATTEMPTS_A_SESSION,
    ERRORS_A_SESSION,
    errors_asked_for,
    is_mail,
    session_of,
    sociable,
)
from grader.world.timeouts import Timeouts
from grader.world.tls import Contexts
from grader.world.transcript import Clock, Room
from grader.world.wire import HungUp

CONNECTIONS_A_PORT = 2
"""At once, to all addresses together: a server starts a process for each, which costs more than an attempt."""
CONNECTIONS = 40
"""Open at once, those included that wait for a slow server."""

PATIENT_CLIENTS = 24
"""Sessions at once of one client with a server that makes it wait; Postfix's anvil allows 50."""

SILENT_GREETINGS = 3
"""So many greetings waited for in vain, and a listener counts as dead."""
ENDLESS_SESSIONS = 3
"""So many sessions in which it talked without end, and what it did to one attempt it does to the others of its kind."""
HUNG_UP = ("closed", "reset")
"""Ends of a session of which the server is the author."""
STRIKES = {"connect": 2, "greeting": 2}
MOST_STRIKES = 4
"""Attempts in a row, each alone, that a server left unanswered before the others of its kind are given up."""


SendOn = Callable[[Attempt, bytes], None]
"""What somebody does with a message that came back to them signed: they send it to the attempt's recipients outside."""


class Slot:
    """The right to one connection to a port. A server that makes its client wait does not hold up the others."""

    def __init__(self, semaphore: asyncio.Semaphore) -> None:
        self._semaphore = semaphore
        self._held = False

    async def __aenter__(self) -> Slot:
        await self._semaphore.acquire()
        self._held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let the next one in."""
        if self._held:
            self._held = False
            self._semaphore.release()


class Prober:
    """Makes attempts for one world and remembers what it learnt about its servers."""

    def __init__(
        self,
        contexts: Contexts,
        clock: Clock,
        names: Callable[[str], str | None],
        arrived: Callable[[], set[str]],
        patience: Timeouts = Timeouts(),  # noqa: B008 (it is frozen)
        send_on: SendOn = lambda attempt, message: None,
    ) -> None:
        self._contexts = contexts
        self._send_on = send_on
        self._usual = self._patience = patience
        self._clock = clock
        self._names = functools.cache(names)
        self._arrived = arrived
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._slots: dict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(CONNECTIONS_A_PORT))
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._mailboxes = Mailboxes()
        self._tokens: dict[str, str] = {}
        self._sessions = 0
        self._room = Room()

    async def probe(
        self,
        attempts: list[Attempt],
        seconds: float,
        greeting: float | None = None,
        besides: Sequence[Attempt] = (),
    ) -> tuple[list[Session], list[Outcome]]:
        """Make the attempts. One that could not be made in time has no outcome.

        ``greeting`` is how long to wait for one, in seconds, where it is not as long as usual. ``besides`` are made in
        sessions of the others that get so far and have room for them, and have no outcome where there is none.
        """
        if greeting is None:
            self._patience = self._usual
        else:
            full = greeting >= self._usual.greeting
            self._patience = replace(self._usual, greeting=greeting, full=full)
        deadline = Deadline(seconds)
        groups: dict[Any, _Group] = {}
        for attempt in attempts:
            self._tokens[attempt.id] = attempt.token
            key = session_of(attempt)
            if key not in groups:
                groups[key] = _Group(self, attempt, deadline)
            groups[key].pending.append(attempt)
        for attempt in besides:
            self._tokens[attempt.id] = attempt.token
            if group := groups.get(session_of(attempt)):
                group.besides.append(attempt)
        runs = list(groups.values())
        await _all(run.run() for run in runs)
        return self._numbered([*attempts, *besides], runs)

    def begin_afresh(self) -> None:
        """From now on be patient with every listener, whatever it did before: it may have been starved."""
        longer = self._usual.second_try
        self._usual = replace(self._usual, greeting=longer, command=longer, unanswered=longer)
        for listener in self._listeners.values():
            listener.begin_afresh()

    def expect_silence(self) -> None:
        """From now on a command that was left without an answer once is hardly waited for again."""
        for listener in self._listeners.values():
            listener.doomed = True

    def listener(self, attempt: Attempt) -> Listener:
        """What is known about the listener of an attempt."""
        key = (attempt.server, attempt.port)
        if key not in self._listeners:
            self._listeners[key] = Listener(*key, name=self._names(attempt.server))
        return self._listeners[key]

    def needless(self, attempt: Attempt) -> bool:
        """Whether an earlier attempt's message arrived, so that this one would prove nothing new."""
        if not attempt.unless_arrived:
            return False
        arrived = self._arrived()
        return any(self._tokens.get(earlier) in arrived for earlier in attempt.unless_arrived)

    async def session(self, attempts: list[Attempt], deadline: Deadline) -> Client:
        """One session, from connecting to the end."""
        first = attempts[0]
        listener = self.listener(first)
        async with Slot(self._slots[first.port]) as slot, Slot(self._connections):
            for _ in range(3):
                client = Client(
                    attempts,
                    listener,
                    self._contexts,
                    self._clock,
                    deadline,
                    self._patience,
                    slot.release,
                    self._room,
                )
                try:
                    await _converse(client, self._mailboxes, self._send_on)
                except Untrusted as untrusted:
                    listener.problem = untrusted.problem
                    client.hang_up()
                    continue
                break
        listener.laborious = listener.laborious or client.laborious
        listener.endless += client.drowned
        # Postfix keeps back its answers to a batch until it has the last: who takes seconds over each is silent longer.
        over_a_batch = client.end == "timeout" and client.laborious
        if (client.punished or client.ponders or over_a_batch) and len(attempts) > 1:
            listener.impatient = True
        return client

    def _numbered(self, attempts: list[Attempt], runs: list[_Group]) -> tuple[list[Session], list[Outcome]]:
        """Sessions numbered in the order of the attempts, so that equal runs give equal numbers."""
        order = {attempt.id: index for index, attempt in enumerate(attempts)}
        clients = [client for run in runs for client in run.clients]
        clients.sort(key=lambda client: min(order[attempt.id] for attempt in client.attempts))
        numbers = {id(client): self._sessions + index for index, client in enumerate(clients)}
        self._sessions += len(clients)
        outcomes = [
            outcome if client is None else replace(outcome, session=numbers[id(client)])
            for run in runs
            for outcome, client in run.outcomes
        ]
        outcomes.sort(key=lambda outcome: order[outcome.attempt])
        return [client.session(numbers[id(client)]) for client in clients], outcomes


class _Group:
    """Attempts that may share sessions, the first of which is given, and those that may be made besides."""

    def __init__(self, prober: Prober, first: Attempt, deadline: Deadline) -> None:
        self.pending = deque[Attempt]()
        self.besides = deque[Attempt]()
        self.clients: list[Client] = []
        self.outcomes: list[tuple[Outcome, Client | None]] = []
        self._prober = prober
        self._deadline = deadline
        self._listener = prober.listener(first)
        self._alone = not sociable(first)
        self._cut_short = False
        self._strikes = 0
        self._made_besides: set[str] = set()

    async def run(self) -> None:
        """Session after session until every attempt has an outcome or the time is over."""
        while chunks := self._next_chunks():
            if self._deadline.over:
                return
            clients = await _at_once([self._prober.session(chunk, self._deadline) for chunk in chunks])
            self.clients += clients
            for client, chunk in zip(clients, chunks, strict=True):
                self._take(client, chunk)

    def _next_chunks(self) -> list[list[Attempt]]:
        """What to try next: one session's attempts, or those of several at once where each of them has to wait.

        A server that hangs up after some of them may have let its client wait for that.
        """
        if not (first := self._next_chunk()):
            return []
        chunks = [first]
        if self._listener.impatient or self._listener.laborious or self._cut_short:
            while len(chunks) < PATIENT_CLIENTS and (chunk := self._next_chunk()):
                chunks.append(chunk)
        return chunks

    def _next_chunk(self) -> list[Attempt]:
        chunk: list[Attempt] = []
        asked = 0
        while self.pending and len(chunk) < self._size():
            asked += errors_asked_for(self.pending[0])
            if chunk and asked > ERRORS_A_SESSION:
                break
            attempt = self.pending.popleft()
            if self._prober.needless(attempt):
                self.outcomes.append((Outcome(attempt=attempt.id, stage="untried"), None))
            else:
                chunk.append(attempt)
        if chunk and not self.pending:
            self._fill(chunk, asked)
        return chunk

    def _fill(self, chunk: list[Attempt], asked: int) -> None:
        """Add attempts to a group's last session, as many as it has room for even if it refuses them all."""
        while self.besides and len(chunk) < min(self._size(), ERRORS_A_SESSION):
            asked += errors_asked_for(self.besides[0])
            if asked > ERRORS_A_SESSION:
                break
            chunk.append(self.besides.popleft())
            self._made_besides.add(chunk[-1].id)

    def _size(self) -> int:
        if self._alone or self._listener.impatient:
            return 1
        return ATTEMPTS_A_SESSION

    def _take(self, client: Client, chunk: list[Attempt]) -> None:
        for attempt in chunk:
            if attempt.id in client.outcomes:
                self.outcomes.append((client.outcomes[attempt.id], client))
        rest = [attempt for attempt in chunk if attempt.id not in client.outcomes]
        if len(rest) < len(chunk):
            self._strikes = 0
        rest = [attempt for attempt in rest if attempt.id not in self._made_besides]
        if not rest:
            return
        self.besides.clear()
        own = [attempt for attempt in chunk if attempt.id not in self._made_besides]
        # Until a session is open, nothing is said in it for one of its attempts more than for another.
        if len(own if not client.opened else chunk) == 1 or self._dead(client):
            self._give_up(client, rest)
            return
        self.pending.extendleft(reversed(rest))
        self._alone = self._alone or client.end != "quit"
        self._cut_short = self._cut_short or (client.end in HUNG_UP and bool(client.outcomes))

    def _dead(self, client: Client) -> bool:
        """Whether the listener has greeted nobody for some time, whoever asked, or talks at everybody without end."""
        if client.drowned and self._listener.endless >= ENDLESS_SESSIONS:
            return True
        return client.progress.stage == "greeting" and self._listener.silent >= SILENT_GREETINGS

    def _give_up(self, client: Client, attempts: list[Attempt]) -> None:
        """The server did not finish with an attempt that was alone in its session: that is its outcome.

        Where it treats all alike, the others of the group share it instead of waiting their turn.
        """
        if self._deadline.over:
            return
        self._strikes += 1
        if self._dead(client) or self._strikes >= STRIKES.get(client.progress.stage, MOST_STRIKES):
            attempts = [*attempts, *self.pending]
            self.pending.clear()
        self.outcomes.extend((client.outcome(attempt), client) for attempt in attempts)


async def _converse(client: Client, mailboxes: Mailboxes, send_on: SendOn) -> None:
    """A whole session. Nothing that a server does is an error here; it ends up in the client's record."""
    await _to_its_end(client, _attempts(client, mailboxes, send_on))
    for attempt in client.attempts:
        if went_on(client, attempt):
            await _to_its_end(client, in_pieces(client, attempt))


async def _to_its_end(client: Client, talk: Coroutine[Any, Any, None]) -> None:
    """Talk, and take leave or note how the server did."""
    try:
        await talk
        if not client.attempts[0].not_smtp:
            await client.quit()
    except HungUp as hung:
        client.hang_up(hung)
    else:
        client.hang_up()


async def _attempts(client: Client, mailboxes: Mailboxes, send_on: SendOn) -> None:
    """Open the session, and make its attempts."""
    if client.attempts[0].qmqp:
        await hand_over(client, client.attempts[0])
        return
    if client.attempts[0].milter:
        if signed := await hand_to_milter(client, client.attempts[0]):
            send_on(client.attempts[0], signed)
        return
    try:
        await client.open()
        mails = [attempt for attempt in client.attempts if is_mail(attempt)]
        for attempt in client.attempts:
            if not is_mail(attempt):
                await dialogue(client, attempt)
        if mails:
            await Mails(client, mailboxes, alone=len(mails) == len(client.attempts)).send(mails)
    except ServerRefused:
        for attempt in client.attempts:
            client.settle(attempt)


async def _at_once(sessions: list[Coroutine[Any, Any, Client]]) -> list[Client]:
    """Await sessions side by side. Most often it is one, which needs no task of its own."""
    return [await sessions[0]] if len(sessions) == 1 else await asyncio.gather(*sessions)


async def _all(works: Iterable[Awaitable[None]]) -> None:
    """Await all; if one fails, stop the others and raise its error."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()

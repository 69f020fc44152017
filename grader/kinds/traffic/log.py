"""The server's log, line by line, and which of its lines are about one session.

A line belongs to a session if it bears the queue id of the session's message, or was written by the process that served
it, between its ``connect`` and its ``disconnect``. What was said of somebody else's session is no reason for this one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from grader.kinds.traffic.tokens import TokenIndex
from grader.model.latepattern import late_pattern
from grader.model.traffic import AttemptFacts, Session

_LINE = late_pattern(
    r"\d+ (?P<program>[^\s\[:]+)(?:\[(?P<process>\d+)\])?: "
    r"(?:(?P<queue>[0-9A-F]{6,12}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,20}): )?(?P<text>.*)",
    re.DOTALL,
)
_QUEUED = late_pattern(r"\bqueued as ([0-9A-Za-z]+)")
_CLIENT = late_pattern(r"\[([0-9A-Fa-f.:]+)\]")
_SERVICES = {"465": ("submissions", "smtps"), "587": ("submission",)}
"""How Debian's master.cf has the services of these ports call themselves in the log (``syslog_name``)."""
_NAMED = late_pattern(r"\b(?:orig_)?to=<([^<>]*)>")
_TROUBLE = late_pattern(r"(?:warning|error|fatal|panic): ")


class LogLine(Struct, frozen=True):
    """A line in parts. ``queue`` is the queue id that it bears, empty where it bears none."""

    index: int
    program: str
    process: str
    queue: str
    text: str


class LogLookups:
    """The lines of one run's log. A mail is known by the token in its Message-ID, its recipients or its sender.

    Hundreds of attempts are looked up in a log that may have been flooded: what concerns one of them is found by what
    was noted of each line when the log was read, and never by going through all lines again.
    """

    def __init__(self, lines: list[str]) -> None:
        self.lines = [_read(index, line) for index, line in enumerate(lines)]
        self._of_queue: dict[str, list[LogLine]] = defaultdict(list)
        self._served: list[list[LogLine]] = []
        self._server_of: dict[int, int] = {}
        """By a line's place, that of the session, in ``_served``, to which it belongs."""
        self._of_client: dict[str, list[int]] = defaultdict(list)
        self._troubled: dict[tuple[str, str], int | None] = {}
        self._sort()

    def _sort(self) -> None:
        serving: dict[str, int] = {}
        for line in self.lines:
            if line.queue:
                self._of_queue[line.queue].append(line)
            if not line.process:
                continue
            if line.text.startswith("connect from "):
                serving[line.process] = len(self._served)
                self._of_client[_client(line)].append(len(self._served))
                self._served.append([])
            if (number := serving.get(line.process)) is not None:
                self._served[number].append(line)
                self._server_of[line.index] = number
                if line.text.startswith("disconnect from "):
                    del serving[line.process]

    @cached_property
    def _naming(self) -> TokenIndex:
        return TokenIndex(line.text.casefold() for line in self.lines)

    @cached_property
    def _addressed(self) -> dict[str, list[int]]:
        """The lines that name a recipient, by its address in small letters."""
        found: dict[str, list[int]] = defaultdict(list)
        for line in self.lines:
            if "to=<" in line.text:
                for address in dict.fromkeys(map(str.casefold, _NAMED.findall(line.text))):
                    found[address].append(line.index)
        return found

    @cached_property
    def _addresses(self) -> tuple[list[str], TokenIndex]:
        addresses = list(self._addressed)
        return addresses, TokenIndex(addresses)

    def to_token(self, token: str) -> set[int]:
        """The places of the lines that name a recipient in whose address the token stands."""
        addresses, index = self._addresses
        return {place for at in index.holding(token) for place in self._addressed[addresses[at]]}

    def to_addresses(self, addresses: Iterable[str]) -> set[int]:
        """The places of the lines that name one of these recipients, which are in small letters."""
        return {place for address in addresses for place in self._addressed.get(address, ())}

    def queues(self, facts: AttemptFacts, session: Session | None) -> list[str]:
        """The queue ids of an attempt's message: the one that was answered, and those that the log knows it by."""
        answers = (line.text for line in session.lines if line.who == "S") if session is not None else ()
        # One session may hand over several messages: the answer alone does not tell which.
        answered = [found[1] for text in answers if (found := _QUEUED.search(text))]
        lines = (self.lines[place] for place in self._naming.holding(facts.token))
        known = [line.queue for line in lines if line.queue and "@" in line.text]
        return list(dict.fromkeys([*known, *(answered if not known and len(answered) == 1 else [])]))

    def of(self, facts: AttemptFacts, session: Session | None) -> list[LogLine]:
        """The lines about an attempt, in their order; none where nothing tells which are."""
        queues = self.queues(facts, session)
        found = {line.index: line for queue in queues for line in self._of_queue.get(queue, ())}
        found |= {line.index: line for line in self._of_milter_between(list(found.values()))}
        found |= {line.index: line for line in self._of_process(facts, queues)}
        return [found[index] for index in sorted(found)]

    def _of_milter_between(self, about: list[LogLine]) -> list[LogLine]:
        """What a milter says without a queue id, while it is at work on this message alone."""
        own = [line.index for line in about if line.program.startswith("opendkim")]
        begins = min(
            (line.index for line in about if "message-id=" in line.text), default=min(own, default=0)
        )
        ends = max(own, default=-1)
        places = self._of_milters
        return [self.lines[n] for n in places[bisect_left(places, begins) : bisect_right(places, ends)]]

    @cached_property
    def _of_milters(self) -> list[int]:
        return [line.index for line in self.lines if line.program.startswith("opendkim") and not line.queue]

    def _of_process(self, facts: AttemptFacts, queues: list[str]) -> list[LogLine]:
        """What the process said that served the attempt: one that named its mail, else one that served its client."""
        naming = [place for place in self._naming.holding(facts.token) if not self.lines[place].queue]
        naming += [line.index for queue in queues for line in self._of_queue.get(queue, ())]
        sessions = {self._server_of[place] for place in naming if place in self._server_of}
        named = min((n for n in sessions if _client(self._served[n][0]) == facts.address), default=None)
        if named is None and not queues:
            # Nothing names the mail of a client that was turned away at the door: any of its sessions with a trouble.
            named = self._with_trouble(facts.address, facts.listener.partition("+")[0])
        return [line for line in self._served[named] if not line.queue] if named is not None else []

    def _with_trouble(self, client: str, port: str) -> int | None:
        """A session of a client that told of a trouble, one at the service of that port rather than another."""
        if (client, port) not in self._troubled:
            told = (
                number
                for number in self._of_client.get(client, ())
                if any(_TROUBLE.search(line.text) for line in self._served[number])
            )
            wanted = _SERVICES.get(port, ("",))
            self._troubled[client, port] = min(
                told, key=lambda number: _service(self._served[number][0]) not in wanted, default=None
            )
        return self._troubled[client, port]


def _read(index: int, line: str) -> LogLine:
    found = _LINE.fullmatch(line)
    if found is None:
        return LogLine(index, "", "", "", line)
    return LogLine(index, found["program"], found["process"] or "", found["queue"] or "", found["text"])


def _service(line: LogLine) -> str:
    """The service of master.cf that wrote a line: ``submission`` of ``postfix/submission/smtpd``, else empty."""
    return "/".join(line.program.split("/")[1:-1])


def _client(line: LogLine) -> str:
    found = _CLIENT.search(line.text)
    return found[1].lower() if found else ""

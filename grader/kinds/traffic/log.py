"""The server's log, line by line, and which of its lines are about one session.

A line belongs to a session if it bears the queue id of the session's message, or was written by the process that served
it, between its ``connect`` and its ``disconnect``. What was said of somebody else's session is no reason for this one.
"""

from __future__ import annotations

import re
from collections import defaultdict

from msgspec import Struct

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
_TROUBLE = late_pattern(r"(?:warning|error|fatal|panic): ")


class LogLine(Struct, frozen=True):
    """A line in parts. ``queue`` is the queue id that it bears, empty where it bears none."""

    index: int
    program: str
    process: str
    queue: str
    text: str


class LogLookups:
    """The lines of one run's log. A mail is known by the token in its Message-ID, its recipients or its sender."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = [_read(index, line) for index, line in enumerate(lines)]
        self._of_queue: dict[str, list[LogLine]] = defaultdict(list)
        self._named: list[LogLine] = []
        self._served: list[list[LogLine]] = []
        self._sort()

    def _sort(self) -> None:
        serving: dict[str, list[LogLine]] = {}
        for line in self.lines:
            if line.queue:
                self._of_queue[line.queue].append(line)
            if "@" in line.text:
                self._named.append(line)
            if not line.process:
                continue
            if line.text.startswith("connect from "):
                serving[line.process] = []
                self._served.append(serving[line.process])
            if line.process in serving:
                serving[line.process].append(line)
                if line.text.startswith("disconnect from "):
                    del serving[line.process]

    def queues(self, facts: AttemptFacts, session: Session | None) -> list[str]:
        """The queue ids of an attempt's message: the one that was answered, and those that the log knows it by."""
        answers = (line.text for line in session.lines if line.who == "S") if session is not None else ()
        # One session may hand over several messages: the answer alone does not tell which.
        answered = [found[1] for text in answers if (found := _QUEUED.search(text))]
        token = facts.token.casefold()
        known = [line.queue for line in self._named if line.queue and token and token in line.text.casefold()]
        return list(dict.fromkeys([*known, *(answered if not known and len(answered) == 1 else [])]))

    def of(self, facts: AttemptFacts, session: Session | None) -> list[LogLine]:
        """The lines about an attempt, in their order; none where nothing tells which are."""
        queues = self.queues(facts, session)
        found = {line.index: line for queue in queues for line in self._of_queue[queue]}
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
        return [
            line
            for line in self.lines[begins : ends + 1]
            if line.program.startswith("opendkim") and not line.queue
        ]

    def _of_process(self, facts: AttemptFacts, queues: list[str]) -> list[LogLine]:
        """What the process said that served the attempt: one that named its mail, else one that served its client."""
        token = facts.token.casefold()
        own = [served for served in self._served if _client(served[0]) == facts.address]
        named = [
            served
            for served in own
            if any(
                line.queue in queues if line.queue else token and token in line.text.casefold()
                for line in served
            )
        ]
        if not (named or queues):
            # Nothing names the mail of a client that was turned away at the door: any of its sessions with a trouble.
            named = [served for served in own if any(_TROUBLE.search(line.text) for line in served)]
            port = facts.listener.partition("+")[0]
            named.sort(key=lambda served: _service(served[0]) not in _SERVICES.get(port, ("",)))
        return [line for served in named[:1] for line in served if not line.queue]


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

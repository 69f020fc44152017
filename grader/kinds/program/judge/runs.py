"""A run of the program as the judging functions see it, and the sentences that they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from msgspec import Struct

from grader.formats.address import split_address
from grader.kinds.program.declare import Expected, ProgramCheck
from grader.kinds.program.facts import ProgramEvidence, ProgramFacts, RunFacts
from grader.kinds.traffic.index import EvidenceIndex, TrafficCase
from grader.kinds.traffic.sentences import quoted
from grader.model.errors import UsageError
from grader.model.finding import Finding, broken, unproven
from grader.model.pointer import Pointer
from grader.model.submission_server import Conversation, ServerBehaviour, Transaction
from grader.model.traffic import Arrival, Command, Reply, Session

ProgramIndex = EvidenceIndex[ProgramFacts]
Judgement = Callable[[ProgramCheck, list[TrafficCase], ProgramIndex], list[Finding]]

HELD_UP = 2.0
"""Seconds without a processor for which no program need have room in a limit of its own."""
OWN_LIMIT = 2.0
"""Seconds beyond the silence that it is to wait for, which a program's limit for the whole of a run gives at least."""
CLOCKS_APART = 0.1
"""Seconds by which a server may take note of a connection later than its client."""
NO_TLS_RECORD = re.compile(r"wrong.version.number|unknown.protocol", re.IGNORECASE)
"""What OpenSSL says of octets that are no TLS, in each of the languages that use it."""
ROOM = 1_000_000
"""Octets of a message that a server must take to count as one that takes every message of a lab."""


class Refusal(Struct, frozen=True):
    """A reply that refused something: the session and its last line, what was said and what was answered.

    ``at`` is when, in milliseconds since the run began, and ``begun`` when its session did.
    """

    session: int
    line: int
    command: str
    reply: str
    code: int
    at: float = 0.0
    begun: float = 0.0

    @property
    def permanent(self) -> bool:
        """Whether the client should not try again (RFC 5321 section 4.2.1)."""
        return self.code >= 500


class JudgedRun:
    """One run: what was recorded of it, and what its server was like."""

    def __init__(
        self, case: TrafficCase, evidence: ProgramEvidence, program: ProgramFacts, facts: RunFacts
    ) -> None:
        self.case = case
        self.facts = facts
        self.name = program.program
        self.program = program
        self.evidence = evidence
        declared = evidence.lab.program
        try:
            self.server: ServerBehaviour = declared.servers[facts.server]
            self.command: Command = program.commands[facts.command]
        except LookupError as error:
            raise UsageError(
                f"this evidence was changed: run {facts.id} refers to a server or an output that it does not hold"
            ) from error
        self.seconds = facts.limit or declared.seconds + declared.grace
        self._sessions = {session.id: session for session in program.sessions}
        self._arrivals = {arrival.id: arrival for arrival in program.arrivals}

    @property
    def output(self) -> list[Pointer]:
        """A pointer to what the program printed, if it printed anything."""
        return [Pointer("command", self.facts.command)] if self.command.output.strip() else []

    @property
    def taken(self) -> list[tuple[Conversation, Transaction]]:
        """The transactions whose message the server took."""
        return [
            (conversation, transaction)
            for conversation in self.facts.conversations
            for transaction in conversation.transactions
            if transaction.taken
        ]

    @property
    def arrivals(self) -> list[Arrival]:
        """The messages that the server took."""
        return [self._arrivals[t.arrival] for _, t in self.taken if t.arrival in self._arrivals]

    @property
    def accepted(self) -> set[str]:
        """Recipients for whom the server took a message."""
        return {address(path) for _, transaction in self.taken for path in transaction.recipients}

    @property
    def asked(self) -> set[str]:
        """Recipients whom the program named to the server, whatever became of them."""
        transactions = [t for conversation in self.facts.conversations for t in conversation.transactions]
        return {address(path) for t in transactions for path in (*t.recipients, *t.refused)}

    @property
    def takes_all(self) -> bool:
        """Whether the server takes every message that is handed to it as it should be."""
        server = self.server
        odd = server.answers or server.silent or server.hangs_up or server.size < ROOM
        return server.honest and not odd

    @property
    def alike(self) -> list[RunFacts]:
        """Runs with the same message at a server that takes everything: how the program goes about it unhindered."""
        runs = (self.of(facts) for facts in self.program.runs if facts.message == self.facts.message)
        return [run.facts for run in runs if run.takes_all and run.all_taken]

    def of(self, facts: RunFacts) -> JudgedRun:
        """Another run of the program."""
        return self if facts.id == self.facts.id else JudgedRun(self.case, self.evidence, self.program, facts)

    @property
    def all_taken(self) -> bool:
        """Whether the server took the message for every recipient whom the program means to name.

        Where a transaction was refused before its recipients could be named, the runs at servers that take everything
        tell whom it names.
        """
        return bool(self.taken) and self.asked | self._meant <= self.accepted

    @property
    def held_up(self) -> bool:
        """Whether it may have given up at a server that takes everything because the machine had no time for it.

        Who stops before there can have been as much silence as it is to wait for has another reason, as has whoever
        was refused, does not say that it gave up, or never began TLS where the server waited for that.
        """
        facts, patience = self.facts, self.server.patience
        long = facts.seconds >= patience + OWN_LIMIT or self._longest_silence() >= patience - CLOCKS_APART
        gave_up = self.takes_all and not self.taken and not facts.late and self.command.code != 0
        spoke = not facts.conversations or any(self._replies())
        return facts.held_up >= HELD_UP and long and gave_up and spoke and not any(self.refusals())

    def _longest_silence(self) -> float:
        """Seconds for which neither side said anything."""
        spoken = [self.session(conversation).lines for conversation in self.facts.conversations]
        return (
            max((after.at - line.at for lines in spoken for line, after in pairwise(lines)), default=0.0)
            / 1000
        )

    @property
    def _meant(self) -> set[str]:
        """Recipients whom the program names, by their places in the lists, where nothing is refused."""
        if self.takes_all:
            return set()
        mine = self.facts.wanted.recipients
        for other in map(self.of, self.program.runs):
            theirs = other.facts.wanted.recipients
            if other.takes_all and other.taken and other.facts.message == self.facts.message:
                return {
                    address(path)
                    for path, named in zip(mine, theirs, strict=False)
                    if address(named) in other.asked
                }
        return set()

    def session(self, conversation: Conversation) -> Session:
        """The session of a conversation."""
        return self._sessions[conversation.session]

    def refusals(self) -> Iterator[Refusal]:
        """Every reply of 4xx and 5xx, in the order in which they came."""
        for conversation in self.facts.conversations:
            lines = self.session(conversation).lines
            for reply in conversation.replies:
                if reply.code >= 400:
                    said = lines[reply.line]
                    yield Refusal(
                        conversation.session,
                        reply.line,
                        reply.command,
                        said.text,
                        reply.code,
                        at=said.at,
                        begun=lines[0].at,
                    )

    def how_it_ended(self) -> str:
        """How the run ended, and what stopped it, as one or two sentences."""
        if self.facts.late:
            ended = f"{self.name} was still running after {self.seconds:g} seconds and was killed."
        else:
            ended = f"{self.name} ended with exit status {self.command.code}."
        unfinished = f"{ended}{self._left()}"
        if not self.facts.conversations:
            return f"{unfinished} It never connected to the server.{self.printed()}"
        refusal = next(iter([*self.refusals()][::-1]), None)
        if refusal is not None:
            said = quoted(refusal.command) if refusal.command else "the connection"
            return f"The server answered {quoted(refusal.reply)} to {said}. {ended}"
        problem = next((c.problem for c in self.facts.conversations if c.problem), None)
        if problem is not None:
            return f"TLS did not come about ({problem}). {unfinished}{self._out_of_step()}{self.printed()}"
        why = self._stopped_unasked() + self._text_not_ended()
        return f"{unfinished} The server did not get a whole message.{why}{self.printed()}"

    def _out_of_step(self) -> str:
        """That its TLS was given what it had left unread of the replies, as a sentence with a blank before it.

        The server had answered STARTTLS with 220, and nothing more of what it said was plain.
        """
        began = any(r.command.upper() == "STARTTLS" and r.code < 300 for r in self._replies())
        if not (began and NO_TLS_RECORD.search(self.command.output)):
            return ""
        return (
            " What its TLS read was no TLS but the rest of an earlier reply: each ends with the line that has a blank "
            "behind its code (RFC 5321 section 4.2.1)."
        )

    def _stopped_unasked(self) -> str:
        """That no reply asked it to stop, as a sentence with a blank before it; empty where it was killed."""
        last = next(iter([*self._replies()][::-1]), None)
        if last is None or not last.command or self.facts.late:
            return ""
        said = last.text.splitlines()[-1]
        # Whoever goes by what was offered before TLS finds no AUTH there.
        anew = last.command.upper() == "STARTTLS" and last.code < 300 and self.facts.conversations[-1].tls
        again = (
            " TLS stood, and then the session begins anew, with EHLO (RFC 3207 section 4.2)." if anew else ""
        )
        return f" No reply refused anything: the last was {quoted(said)}, to {quoted(last.command)}.{again}"

    def _replies(self) -> Iterator[Reply]:
        """Every reply, in the order in which they came."""
        for conversation in self.facts.conversations:
            yield from conversation.replies

    def _text_not_ended(self) -> str:
        """Why a text that had begun never ended, as a sentence with a blank before it; empty where none had begun."""
        broken_off = [c for c in self.facts.conversations if c.unfinished is not None]
        if not broken_off:
            return ""
        dot = (
            "a dot stood on a line of its own, but the line before it ended with LF alone"
            if any(c.lone_dot for c in broken_off)
            else "a line with a dot alone never came"
        )
        return f" It was waiting for the end of the text, CR LF, a dot and CR LF (RFC 5321 section 4.1.1.4): {dot}."

    def _left(self) -> str:
        """That it did not wait for processes of its own, as a sentence with a blank before it; empty where it did."""
        return (
            " It left processes running, which were ended with it: whatever is to send the message must be waited for."
            if self.facts.left
            else ""
        )

    def printed(self) -> str:
        """The last line that the program printed, as a sentence with a blank before it."""
        lines = [line for line in self.command.output.splitlines() if line.strip()]
        return (
            f" The last line that it printed: {quoted(lines[-1].strip())}"
            if lines
            else " It printed nothing."
        )

    def sat_through(self) -> Conversation | None:
        """The conversation in which the server was silent for all the time that a run may take, if there was one.

        Or the last of several, where silences and the pauses between them are longer than a busy machine explains.
        """
        declared = self.evidence.lab.program
        longest = 1000 * (declared.seconds - CLOCKS_APART)
        waited, until = 0.0, None
        for conversation in self.facts.conversations:
            lines, end = self.session(conversation).lines, conversation.hung_up
            if not lines:
                continue
            # Of sessions side by side, the same moment is waited through once.
            until = lines[0].at if until is None else until
            waited += max(0.0, lines[0].at - until)
            begins, ends = (lines[end - 1].at, lines[end].at) if end else (lines[-1].at, lines[-1].at)
            waited += max(0.0, ends - max(begins, until))
            until = max(until, lines[-1].at)
            if ends - begins >= longest or waited >= 1000 * (declared.seconds + declared.grace):
                return conversation
        return None

    def last_line(self, conversation: Conversation) -> int:
        """The index of the last line that says more than that the client went away."""
        lines = self.session(conversation).lines
        whole = [index for index in range(len(lines)) if index != conversation.hung_up]
        return max(whole, default=0)

    def said(self, conversation: Conversation, line: int) -> str:
        """What the client said at a line; of credentials, the command that they belong to."""
        lines = self.session(conversation).lines[: line + 1]
        said = (
            told.text
            for number, told in reversed([*enumerate(lines)])
            if told.who == "C" and number not in conversation.credentials
        )
        return next(said, "AUTH")

    def pointers(self, conversation: Conversation | None = None, line: int | None = None) -> list[Pointer]:
        """Where to look: a session at a line, or the first session and what the program printed."""
        if conversation is None and self.facts.conversations:
            best = [c for c in self.facts.conversations if any(t.taken for t in c.transactions)]
            conversation = (best or self.facts.conversations)[-1]
        if conversation is None:
            return self.output
        last = self.last_line(conversation)
        return [Pointer("session", conversation.session, last if line is None else line), *self.output]


def nothing(run: JudgedRun) -> Finding:
    """The finding where no message was taken: a fault if the server takes every one, told by one check alone.

    That is the check with the fewest runs among those that look at this one: it is the most about it.
    """
    if run.takes_all and run.case.facts.check == _told_by(run):
        return broken(run.case, run.how_it_ended(), run.pointers())
    return unproven(run.case, run.how_it_ended())


def _told_by(run: JudgedRun) -> str:
    of_check = Counter(facts.check for facts in run.program.attempts)
    owners = [
        facts.check for facts in run.program.attempts if run.program.run_of.get(facts.id) == run.facts.id
    ]
    return min(owners, key=lambda code: of_check[code], default="")


def where_too(run: JudgedRun, expected: Expected, holds: Callable[[JudgedRun], object]) -> str:
    """A check that expects this and tells of the same fault in a run of its own; empty where none does.

    One cause is to fail one check. A check that waits for another one of them is passed over.
    """
    checks = {check.code: check for check in run.evidence.lab.checks if expected in check.expect.program}
    for facts in run.program.attempts:
        check = checks.get(facts.check)
        if check is None or facts.check == run.case.facts.check or checks.keys() & {*check.needs}:
            continue
        other = next((r for r in run.program.runs if r.id == run.program.run_of.get(facts.id)), None)
        if other is not None and holds(run.of(other)):
            return facts.check
    return ""


def address(path: str) -> str:
    """An address for comparing: its domain without regard to case (RFC 5321 section 2.4)."""
    found = split_address(path)
    return path if found.at < 0 else f"{path[: found.at]}@{found.domain.lower()}"


def of_runs(judge_one: Callable[[JudgedRun], Finding]) -> Judgement:
    """A judgement that looks at one run after the other."""

    def judgement(check: ProgramCheck, cases: list[TrafficCase], index: ProgramIndex) -> list[Finding]:
        return [judge_one(run) for run in runs(cases, index)]

    judgement.__doc__ = judge_one.__doc__
    return judgement


def runs(cases: list[TrafficCase], index: ProgramIndex) -> list[JudgedRun]:
    """The runs that these attempts are about."""
    facts = {run.id: run for run in index.facts.runs}
    run_of = index.facts.run_of
    return [
        JudgedRun(case, index.evidence, index.facts, facts[run_of[case.facts.id]])
        for case in cases
        if run_of.get(case.facts.id) in facts
    ]

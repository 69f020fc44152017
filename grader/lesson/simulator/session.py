"""A session with the simulated server: lines in, replies out, each with the rule that gave it.

The engine knows how octets become lines, lines facts, and what actions do; which facts lead to which reply and action
stands in the table. Nothing here looks at a clock or draws lots, so the same lines always give the same session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from grader.lesson.simulator import facts as facts_of
from grader.lesson.simulator import words
from grader.lesson.simulator.mailing import Message, SimulatedTransaction, without_return
from grader.lesson.simulator.state import Chunk, Facts, Names, begin
from grader.lesson.simulator.table import Conditions, DecisionRule, Table

NAMES = re.compile(r"\{([a-z]+)\}")


class SimulatedReply(Struct, frozen=True):
    """A reply: its lines, the id of its rule, the reason in a sentence or two, and ids of entries that explain it.

    A server that hangs up without a word gives a reply without lines.
    """

    lines: list[str]
    rule: str
    why: str
    see: list[str]


class Status(Struct, frozen=True):
    """Where a session stands. ``mode`` says what the next line is taken for; see ``State.mode``."""

    connected: bool
    greeted: bool
    tls: bool
    user: str
    transaction: bool
    recipients: int
    mode: str
    errors: int


def octets(line: str) -> str:
    """A line as octets, one character for each.

    Octets that were no UTF-8 are taken from where ``surrogateescape`` keeps them; what else UTF-8 cannot carry becomes
    U+FFFD.
    """
    return (
        re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", line)
        .encode("utf-8", "surrogateescape")
        .decode("latin-1")
    )


def readable(text: str) -> str:
    """Octets as text again."""
    return text.encode("latin-1").decode("utf-8", "replace")


class SimulatedSession:
    """One connection. ``listener`` and ``client`` are ids of the table, ``switches`` those that are on."""

    def __init__(
        self, table: Table, listener: str = "smtp", client: str = "stranger", switches: Iterable[str] = ()
    ) -> None:
        self.table, self.server = table, table.server
        self.state = begin(table, listener, client, switches)
        self._input = ""
        self._replies: list[SimulatedReply] = []
        self._stages = {stage.verb: stage for stage in table.stages.values() if stage.verb}

    def connect(self) -> list[SimulatedReply]:
        """The greeting."""
        self._apply("connect", {}, {})
        return self._spoken()

    def say(self, *lines: str) -> list[SimulatedReply]:
        """Send a line, or several at once without waiting for replies (RFC 2920), and hear what the server says."""
        self._input = "".join(octets(line) + "\r\n" for line in lines)
        while self._input and self.state.connected:
            self._next()
        self._input = ""
        return self._spoken()

    def status(self) -> Status:
        """Where the session stands."""
        state = self.state
        return Status(
            connected=state.connected,
            greeted=state.helo,
            tls=state.tls,
            user=state.user,
            transaction=state.mail.open,
            recipients=state.mail.recipients,
            mode=state.mode,
            errors=state.errors,
        )

    # From octets to lines

    def _next(self) -> None:
        state = self.state
        if state.chunk:
            taken, self._input = self._input[: state.chunk.missing], self._input[state.chunk.missing :]
            state.chunk.text += taken
            state.chunk.missing -= len(taken)
            if not state.chunk.missing:
                self._end_chunk(state.chunk)
        else:
            line, _, self._input = self._input.partition("\n")
            lenient = state.lenient
            self._line(without_return(line, lenient=lenient), bare=not (lenient or line.endswith("\r")))
        if state.connected and state.mode == "command":
            self._apply("limit", {"errors-full": state.errors >= self.server.limits.errors}, {})

    def _line(self, line: str, *, bare: bool) -> None:
        """Take a line without its end; ``bare`` says that the end was a line feed alone, which is held against it."""
        state, limits = self.state, self.server.limits
        if state.message:
            if state.message.take(line, limits.line, bare=bare):
                message, state.message = state.message, None
                self._finish_message(message.size, message.hops)
            return
        longest = limits.line
        if state.asked:
            longest, state.asked = limits.response, False
            self._apply("login", *facts_of.of_answer(state, line))
            state.asked = state.step.result == "password"
        else:
            self._command(line, longest)
        if _is_endless(line, longest):
            state.connected = False

    def _command(self, line: str, longest: int) -> None:
        text = words.until_nul(line)
        parts = words.split(text[:longest])
        verb = parts[0].text.upper() if parts else ""
        stage = self._stages.get(verb)
        flags = stage.flags if stage else []
        facts: Facts = {
            "utf8": _is_utf8(text),
            "words": min(len(parts), 4),
            "known": stage is not None,
            "foreign": stage is None and facts_of.is_foreign(self.state, verb),
            "before-tls": "before-tls" in flags,
            "pending": self._input != "" or _is_endless(line, longest),
            "pipelining-allowed": self.state.esmtp and "last" not in flags,
        }
        if self._apply("line", facts, {}) or stage is None:
            return
        more, names = facts_of.of_command(self.state, stage.verb, parts)
        self._apply(stage.id, facts | more, names)
        if "idle" in flags:
            self.state.idle += 1
            self.state.errors += self.state.idle > self.server.limits.idle_commands + 1

    # Messages

    def _await_chunk(self, rule: DecisionRule) -> None:
        length, final = self.state.coming
        self.state.chunk = chunk = Chunk(rule, length, length, final)
        if rule.do == "skip" and (self.state.mail.size + length) * 2 > self.state.limit * 3:
            # So much is not even read to be thrown away.
            self._end_chunk(chunk)
            self.state.connected = False
        elif not length:
            self._end_chunk(chunk)

    def _end_chunk(self, chunk: Chunk) -> None:
        state, names = self.state, {"bytes": str(chunk.length)}
        state.chunk = None
        if chunk.rule.do == "skip":
            self._reply(chunk.rule, "bdat", names)
            size = state.mail.size + chunk.length
            if chunk.final:
                state.mail = SimulatedTransaction()
            else:
                state.mail.chunking, state.mail.size = "failed", size
            return
        state.mail.chunking = "taken"
        limit, lenient = self.server.limits.line, state.lenient
        state.mail.add_chunk(chunk.text, limit, final=chunk.final, lenient=lenient)
        large = state.mail.size > state.limit
        if not (chunk.final or large):
            self._reply(chunk.rule, "bdat", names)
            return
        self._finish_message(state.mail.size, state.mail.hops)
        if not chunk.final:
            state.mail.chunking = "failed"

    def _finish_message(self, size: int, hops: int) -> None:
        facts: Facts = {
            "message-large": size > self.state.limit,
            "hops-full": hops >= self.server.limits.hops,
        }
        self._apply("message", facts, {"total": str(size), "queue": _queue_id(self.state.queued)})

    # Rules and actions

    def _apply(self, stage: str, facts: Facts, names: Names) -> bool:
        """Reply by the first rule of a stage that fits, and do what it says; whether there was one."""
        everything = self.state.facts() | facts
        rule = next((rule for rule in self.table.stages[stage].rules if fits(rule.when, everything)), None)
        if rule is None:
            return False
        if rule.do in ("skip", "take"):
            self._await_chunk(rule)
        else:
            self._reply(rule, stage, names)
            self._act(rule, names)
        return True

    def _reply(self, rule: DecisionRule, stage: str, names: Names) -> None:
        state = self.state
        names = {name: readable(value) for name, value in (state.names() | names).items()}
        text = filled(rule.reply, names)
        lines = [text] if text else []
        if rule.do == "greet-esmtp":
            facts = state.facts()
            offered = [filled(one.line, names) for one in self.server.offers if fits(one.when, facts)]
            lines = [f"250-{line}" for line in [text[4:], *offered]]
            lines[-1] = f"250 {lines[-1][4:]}"
        see = [*self.table.stages[stage].see, *rule.see]
        self._replies.append(SimulatedReply(lines, rule.id, filled(rule.why, names), see))
        # Postfix forgives the first recipients too many.
        forgiven = rule.id == "rcpt-many" and state.mail.overshoot < self.server.limits.recipients_over
        state.mail.overshoot += rule.id == "rcpt-many"
        state.errors += text[:1] in ("4", "5") and not forgiven

    def _act(self, rule: DecisionRule, names: Names) -> None:
        state = self.state
        match rule.do:
            case "close":
                state.connected = False
            case "greet" | "greet-esmtp":
                state.mail = SimulatedTransaction()
                state.helo, state.esmtp = True, state.esmtp or rule.do == "greet-esmtp"
            case "encrypt":
                state.mail = SimulatedTransaction()
                state.tls, state.helo, self._input = True, False, ""
            case "ask":
                state.asked = True
            case "log-in":
                state.user = state.step.user
            case "reset":
                state.mail = SimulatedTransaction()
            case "begin":
                state.transactions += 1
                state.mail.open, state.mail.sender = True, names["address"]
            case "add":
                state.mail.recipients += 1
            case "remember":
                state.met.setdefault(facts_of.greylist_key(state, names["address"]), state.transactions)
            case "receive":
                state.message = Message()
            case "accept":
                state.queued += 1
                state.errors = state.idle = 0
                state.mail = SimulatedTransaction()

    def _spoken(self) -> list[SimulatedReply]:
        spoken, self._replies = self._replies, []
        return spoken


def fits(when: Conditions, facts: Facts) -> bool:
    """Whether every condition holds."""
    return all(
        facts.get(name) in wanted if isinstance(wanted, list) else facts.get(name) == wanted
        for name, wanted in when.items()
    )


def filled(text: str, names: Names) -> str:
    """A text with its names in braces filled in, once: what was filled in is left as it is."""
    return NAMES.sub(lambda found: names.get(found[1], ""), text)


def _is_endless(line: str, longest: int) -> bool:
    """Whether a line is so long that Postfix stops looking for its end, and hears nothing any more."""
    return len(line) > 2 * longest - 2


def _is_utf8(line: str) -> bool:
    try:
        line.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _queue_id(number: int) -> str:
    """A name as Postfix gives one, the same in every session: nobody needs a clock for it."""
    return f"{(0x717F5 + number * 0x1B3D5) % 0x100000:05X}{(0xD21A0 + number * 0x0A7C9) % 0x100000:05X}"

"""Which promise of the handout a program's runs break, and of which nothing can be said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

from tests.oracle.faults import Doubt, Fault
from tests.oracle.programs import message
from tests.oracle.programs.dialogue import Asked, Entry, Transaction, asked, entries, transactions
from tests.oracle.programs.run import Made, secret_forms
from tests.oracle.programs.secrets import readings, told_of

Told = Iterator[Fault | Doubt]

TEN_SECONDS = 10.0
SLOW = 1.0
"""Seconds that no run takes on a machine that has time for it, if none takes less."""
PAUSE, SURELY_NONE = 0.5, 0.4
"""Seconds between two tries; and those that are no pause, however the clock is read."""
MOST_TRIES = 6
LEADING = ("plain", "plain again", "plain on 465", "PLAIN alone", "in pieces")
"""Runs that bear the name of the rule that they break where their message is not taken."""
RULES = dict(zip(LEADING, ("delivers", "delivers", "implicit", "mechanism", "pieces"), strict=True))


def faults_of(runs: list[Made]) -> Told:
    """Everything that is wrong, and everything that is not clear."""
    seen: dict[str, str] = {}
    if not any(made.sessions for made in runs if made.run.what in LEADING[:2]):
        yield Fault("starts", f"no connection: {runs[0].output[-200:]}")
        return
    # On a machine that is as busy as that, a limit of the program's own may have ended what else would have gone well.
    busy = min(made.ended - made.began for made in runs) > SLOW
    for made in runs:
        course = _Course(made, busy)
        for told in course.faults():
            yield type(told)(told.rule, f"{made.run.what}: {told.what}")
        for identifier in {message.identifier(t) for t in course.taken if t.text is not None}:
            if identifier and identifier in seen and seen[identifier] != made.run.host:
                yield Fault("header", f"{made.run.what}: {identifier} is another message's")
            seen[identifier] = made.run.host


class _Course:
    """One run, judged."""

    def __init__(self, made: Made, busy: bool) -> None:
        self._unkind = Doubt if busy else Fault
        self.made, self.run = made, made.run
        self.server, self.letter = made.run.server, made.run.letter
        self.sessions: list[list[Entry]] = [entries(record) for record in made.sessions]
        self.transactions: list[Transaction] = [t for s in self.sessions for t in transactions(s)]
        self.taken = [transaction for transaction in self.transactions if transaction.taken]
        self.forms = secret_forms(self.run.user, self.run.password)

    @cached_property
    def got_it(self) -> Counter[str]:
        """How often each recipient gets the message."""
        return Counter(recipient for t in self.taken for recipient in t.recipients)

    @cached_property
    def asked_for(self) -> set[str]:
        """Those of its recipients whom the program named to the server: whom it forgot, the envelope lacks."""
        named = {entry.path for session in self.sessions for entry in session if entry.verb == "RCPT"}
        return named & {*self.letter.recipients}

    @property
    def complete(self) -> bool:
        """Whether the server took it for everybody."""
        return {*self.letter.recipients} <= self.got_it.keys()

    def faults(self) -> Told:
        """What is wrong with it."""
        yield from self._ending()
        yield from self._trust()
        yield from self._envelope()
        yield from self._again()
        for where, what in self.made.shown:
            yield Fault("password", f"{where}: {what} shows it")
        for session in self.sessions:
            for entry in session:
                if entry.verb and entry.kind != "text" and not entry.said.endswith(b"\r\n"):
                    yield Fault("lines", f"a command that ends without CR LF: {entry.said[:60]!r}")
        for transaction in self.taken:
            if self.server.honest:
                yield from message.faults_of(transaction, self.letter)
                yield from self._secrets(transaction)

    def _ending(self) -> Told:
        code = self.made.code
        seconds = self.made.ended - self.made.began
        if code is None:
            yield Fault("ends", f"did not end within {seconds:.0f} seconds")
        elif seconds > TEN_SECONDS:
            yield Doubt("ends", f"{seconds:.1f} seconds")
        if code == 0 and not (self.taken and self.got_it.keys() >= self.asked_for):
            yield Fault("status", "0, although the server did not take it for everybody")
        elif code and self.complete and self.server.good:
            yield self._unkind("status", f"{code}, although everybody got it: {self.made.output[-200:]}")
        if self.server.good and not self.taken:
            rule = RULES.get(self.run.what, "letter")
            yield self._unkind(rule, f"was not taken: {self.made.output[-200:]}")
        elif self.server.good and not self.complete:
            yield Fault("envelope", f"only {len(self.got_it)} recipients got it: {self.made.output[-200:]}")

    def _trust(self) -> Told:
        offered: tuple[str, ...] = self.server.mechanisms
        for session in self.sessions:
            for entry in session:
                telling = entry.verb in ("AUTH", "MAIL", "RCPT", "VRFY", "EXPN", "TEXT") or any(
                    form in entry.said for form in self.forms
                )
                if telling and not entry.tls:
                    yield Fault("clear", f"{entry.verb or entry.kind} without TLS")
                elif telling and not self.server.honest:
                    yield Fault(
                        "impostor", f"{entry.verb or entry.kind} at a server that is none of the company's"
                    )
                if entry.verb == "AUTH" and entry.tls and entry.mechanism not in offered:
                    yield Fault("mechanism", f"{entry.mechanism} was not offered")

    def _envelope(self) -> Told:
        if not self.server.honest:
            return
        for transaction in self.transactions:
            if transaction.sender != self.letter.sender:
                yield Fault("envelope", f"MAIL FROM:<{transaction.sender}>")
            for recipient in transaction.recipients:
                if recipient not in self.letter.recipients:
                    yield Fault("envelope", f"RCPT TO:<{recipient}>, who was not named")
        for recipient, times in self.got_it.items():
            if times > 1:
                yield Fault("envelope", f"{recipient} gets it {times} times")

    def _secrets(self, transaction: Transaction) -> Told:
        for address in self.letter.bcc:
            if told_of(transaction, address):
                yield Fault("bcc", f"the message tells of {address}")
        password = self.run.password.encode()
        if any(password in reading for reading in readings(transaction.text or b"")):
            yield Fault("password", "it stands in the message")

    def _again(self) -> Told:
        """What was asked for again, after it had been refused."""
        history: dict[tuple[object, ...], list[Asked]] = defaultdict(list)
        for one in asked(self.sessions):
            history[_purpose(one)].append(one)
        for purpose, tries in history.items():
            for before, after in pairwise(tries):
                yield from self._repeated(purpose, before, after, len(tries))
            if len(tries) > MOST_TRIES and all(one.reply[0] == "4" for one in tries):
                yield Fault("later", f"{len(tries)} tries of {purpose[0]}")

    def _repeated(self, purpose: tuple[object, ...], before: Asked, after: Asked, tries: int) -> Told:
        if before.reply[0] not in "45":
            return
        if purpose[0] == "auth" and before.session == after.session and before.key != after.key:
            return  # another mechanism in the same session is tolerated
        rule = "later" if before.reply[0] == "4" else "no"
        pause = after.at - before.at
        if rule == "later" and pause >= PAUSE:
            return
        said = f"{purpose[0]} again {pause:.2f} seconds after {before.reply!r}"
        # A connection or transaction for each recipient looks like a second try of the first.
        others = purpose[0] in ("connect", "mail") and tries <= len(self.letter.recipients)
        if others or (rule == "later" and pause > SURELY_NONE):
            yield Doubt(rule, said)
        else:
            yield Fault(rule, said)


def _purpose(one: Asked) -> tuple[object, ...]:
    return one.key[:1] if one.key[0] == "auth" else one.key

"""How a program takes a refusal: whether it tries the same again, and how soon."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator

from grader.kinds.program.judge.runs import JudgedRun, Refusal, address, of_runs
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer
from grader.model.submission_server import Conversation, Transaction

PATH = re.compile("<([^>]*)>")
ANOTHER_FIRST = frozenset({503, 530, 538})
"""Replies that ask for another command before this one, which may come again then (RFC 5321 4.2.3, RFC 4954 6)."""
OF_THE_TEXT = frozenset({"DATA", "."})
MOST_TRIES = 6
"""Times that a program may come with the same to a server which asks it to come back later, within one run."""
PAUSE = 500.0
"""Milliseconds that lie at least between such a refusal and the next try (RFC 5321 section 4.5.4.1 knows queues, which
wait for half an hour; a program that somebody waits for has not the time). Starting a client takes less."""


@of_runs
def obeys_no(run: JudgedRun) -> Finding:
    """What is refused for good (5xx) is not tried again: the same sender and recipients (RFC 5321 section 4.2.1)."""
    refused = [told for told in run.refusals() if told.permanent and told.code not in ANOTHER_FIRST]
    first: dict[Hashable, Refusal] = {}
    last: dict[Hashable, Refusal] = {}
    times: Counter[Hashable] = Counter()
    for key, refusal in sorted(_what_was_refused(run, refused), key=lambda told: told[1].at):
        heard = first.setdefault(key, refusal)
        # Sessions that stood side by side had not heard of the refusal when they began.
        if heard is refusal or heard.session == refusal.session or refusal.begun >= heard.at:
            times[key] += 1
            last[key] = refusal
    # A transaction refused at MAIL has no recipients yet: there may be one for each of them. Logins of sessions side by
    # side are on their way when the first is refused, and how late the others are is the machine's affair.
    allowed: dict[Hashable, int] = {"mail": _transactions_unhindered(run), "auth": _sessions_at_once(run)}
    for key, tried in times.items():
        if tried > allowed.get(key, 1):
            return broken(
                run.case,
                f"{run.name} was refused for good, and tried the same {tried} times.",
                [_at(last[key]), *run.output],
            )
    return met(run.case)


def _what_was_refused(run: JudgedRun, refused: list[Refusal]) -> Iterator[tuple[Hashable, Refusal]]:
    """Each refusal with what identifies the thing that was refused."""
    logins: set[int] = set()
    for refusal in refused:
        verb = refusal.command.partition(" ")[0].upper()
        transaction = _transaction(run, refusal)
        if verb == "AUTH":
            # Trying one mechanism after the other is no second try of a session; coming back with the same password is.
            if refusal.session not in logins:
                logins.add(refusal.session)
                yield "auth", refusal
        elif verb == "MAIL":
            yield "mail", refusal
        elif verb == "RCPT":
            yield ("rcpt", _named(refusal.command)), refusal
        elif transaction is not None and verb in OF_THE_TEXT:
            who = frozenset(map(address, transaction.recipients))
            if who:
                yield ("text", address(transaction.sender), who), refusal
        else:
            yield ("said", refusal.command.casefold()), refusal


def _named(command: str) -> str:
    """Whom a RCPT names, however it is spelt."""
    found = PATH.search(command)
    return address(found[1]).casefold() if found else command.casefold()


def _transaction(run: JudgedRun, refusal: Refusal) -> Transaction | None:
    """The transaction within which something was refused."""
    conversation = next((c for c in run.facts.conversations if c.session == refusal.session), None)
    begun = [t for t in conversation.transactions if t.line < refusal.line] if conversation else []
    return begun[-1] if begun else None


def _transactions_unhindered(run: JudgedRun) -> int:
    """In how many transactions the program hands over this message where nobody refuses it."""
    return max((sum(len(c.transactions) for c in facts.conversations) for facts in run.alike), default=1)


def _sessions_at_once(run: JudgedRun) -> int:
    """How many sessions the program has open side by side where nobody refuses anything."""
    most = 1
    for facts in run.alike:
        spans = [(lines[0].at, lines[-1].at) for c in facts.conversations if (lines := run.session(c).lines)]
        most = max(most, *(sum(begun <= at <= ended for begun, ended in spans) for at, _ in spans), 0)
    return most


@of_runs
def does_not_hammer(run: JudgedRun) -> Finding:
    """A server that asks to be tried later is tried again after a pause, a few times (RFC 5321 section 4.5.4.1)."""
    unhindered = max((len(facts.conversations) for facts in run.alike), default=1)
    tries = run.facts.conversations
    refusals = list(run.refusals())
    for before, after in zip(tries, tries[unhindered:], strict=False):
        asked = [r for r in refusals if r.session == before.session and not r.permanent]
        if asked and _began(run, after) - asked[-1].at < PAUSE:
            waited = max(0.0, _began(run, after) - asked[-1].at)
            return broken(
                run.case,
                f"{run.name} was asked to come back later, and came back after {waited / 1000:.2f} seconds.",
                [
                    Pointer("session", after.session, 0),
                    Pointer("session", asked[-1].session, asked[-1].line),
                    *run.output,
                ],
            )
    if (again := _again_at_once(run, refusals)) is not None:
        return broken(
            run.case,
            f"{run.name} was asked to come back later, and said the same again at once.",
            [_at(again), *run.output],
        )
    if len(tries) <= MOST_TRIES * unhindered:
        return met(run.case)
    return broken(
        run.case,
        f"{run.name} was asked to come back later, and connected {len(tries)} times.",
        run.pointers(),
    )


def _at(refusal: Refusal) -> Pointer:
    return Pointer("session", refusal.session, refusal.line)


def _began(run: JudgedRun, conversation: Conversation) -> float:
    return next((line.at for line in run.session(conversation).lines), 0.0)


def _again_at_once(run: JudgedRun, refusals: list[Refusal]) -> Refusal | None:
    """A refusal for now, in one session, of what had just been refused for now, in as many words."""
    most = _transactions_unhindered(run)
    last: dict[tuple[int, str], list[Refusal]] = {}
    for refusal in refusals:
        if refusal.permanent or not refusal.command:
            continue
        same = last.setdefault((refusal.session, refusal.command.casefold()), [])
        same.append(refusal)
        if len(same) > most and refusal.at - same[-1 - most].at < PAUSE:
            return refusal
    return None

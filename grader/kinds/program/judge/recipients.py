"""Who gets the messages that the server took, and who reads of it."""

from __future__ import annotations

import re

from grader.formats import disguise
from grader.formats.message.parse import line_of
from grader.kinds.program.judge.reading import UNREADABLE, decoded, head, parsed
from grader.kinds.program.judge.runs import JudgedRun, address, nothing, of_runs
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer
from grader.model.submission_server import Conversation
from grader.model.traffic import Arrival

TWICE = (
    "Whoever was taken with a message that was taken has it. After a refusal, name only those again who were put off, "
    "and write down for each recipient, not for the whole, what became of them."
)
FOLD = re.compile(r"\r?\n(?=[ \t])")


@of_runs
def envelope(run: JudgedRun) -> Finding:
    """MAIL names the sender that was asked for, RCPT all recipients, each once, and nobody else (RFC 5321 3.3)."""
    if not run.taken:
        return nothing(run)
    wanted = run.facts.wanted
    for conversation, transaction in run.taken:
        if address(transaction.sender) != address(wanted.sender):
            return broken(
                run.case,
                f"The envelope's sender is {quoted(transaction.sender)}, and should be {quoted(wanted.sender)}.",
                run.pointers(conversation, transaction.line),
            )
    expected = {address(path) for path in wanted.recipients}
    if run.takes_all and (missing := sorted(expected - run.asked)):
        blind = {address(path) for path in wanted.bcc}
        kinds = " (for a blind copy)" if {*missing} <= blind else ""
        return broken(
            run.case,
            f"The envelope does not name {' and '.join(missing)}{kinds}, so they get no message.",
            run.pointers(*_first(run)),
        )
    if surplus := sorted(run.asked - expected):
        return broken(
            run.case,
            f"The envelope names {quoted(' and '.join(surplus))}, which nobody asked for.",
            run.pointers(*_first(run)),
        )
    return _once(run)


def _once(run: JudgedRun) -> Finding:
    """Nobody gets the message twice."""
    had: set[str] = set()
    for conversation, transaction in run.taken:
        for path in map(address, transaction.recipients):
            if path in had:
                return broken(
                    run.case,
                    f"The server took the message for {path} more than once, so they get it more than once.",
                    run.pointers(conversation, transaction.line),
                    next=TWICE,
                )
            had.add(path)
    return met(run.case)


@of_runs
def hides_bcc(run: JudgedRun) -> Finding:
    """Nobody but those who get a blind copy reads who gets one (RFC 5322 section 3.6.3, all three of its ways)."""
    if not run.arrivals:
        return nothing(run)
    blind = {address(path) for path in run.facts.wanted.bcc}
    for arrival, (_, transaction) in zip(run.arrivals, run.taken, strict=True):
        if {address(path) for path in transaction.recipients} <= blind:
            continue
        for path in run.facts.wanted.bcc:
            where = _named_in(arrival, path) or _hinted_at(run, arrival, path)
            if where is not None:
                return broken(
                    run.case,
                    f"The {where} tells everybody that {path} gets a blind copy.",
                    [_place(arrival, path)],
                )
    return met(run.case)


def _place(arrival: Arrival, path: str) -> Pointer:
    """The line of a message that names somebody; the message, where it does so in another dress."""
    at = arrival.raw.lower().find(path.lower().encode())
    return Pointer("message", arrival.id, line_of(arrival.raw, at) if at >= 0 else None)


def _named_in(arrival: Arrival, path: str) -> str | None:
    """Where a message names somebody, encoded or not; ``None`` where it does not."""
    wanted, top = path.lower(), head(arrival)
    shown = FOLD.sub("", top.decode("utf-8", "replace"))
    if wanted in shown.lower() or wanted in decoded(shown).lower():
        return "header"
    try:
        texts = [
            str(part.get_content())
            for part in parsed(arrival).walk()
            if part.get_content_maintype() == "text"
        ]
    except UNREADABLE:
        texts = []
    texts.append(arrival.raw[len(top) :].decode("utf-8", "replace"))
    return "text" if any(wanted in text.lower() for text in texts) else None


def _hinted_at(run: JudgedRun, arrival: Arrival, path: str) -> str | None:
    """Where a message names somebody in a dress that programs alone can read, or by the address's local part alone.

    A short local part, or one that what was to be sent holds elsewhere, tells of nobody.
    """
    wanted = run.facts.wanted
    local = path.rpartition("@")[0]
    others = [wanted.sender, *wanted.to, *wanted.cc, wanted.from_name, wanted.subject, wanted.body.decode()]
    names = [path]
    if len(local) >= disguise.SHORTEST and not any(local.lower() in given.lower() for given in others):
        names.append(local)
    top = head(arrival)
    for where, data in (("header", top), ("text", arrival.raw[len(top) :])):
        if any(name.lower().encode() in data.lower() for name in names):
            return where
        if disguise.shows(data, *(form.encode() for name in names for form in (name, name.lower()))):
            return where
    return None


def _first(run: JudgedRun) -> tuple[Conversation, int]:
    """Where the first message that was taken began."""
    conversation, transaction = run.taken[0]
    return conversation, transaction.line

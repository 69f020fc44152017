"""Sentences about mail that a server took and what became of it. They state what was observed, never how to mend it."""

from __future__ import annotations

from grader.kinds.server.judge.accounts import handed_over
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import client, quoted
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival


def from_whom(case: TrafficCase) -> str:
    """Who handed a message in, and on which port."""
    who = client(case)
    if case.facts.user and case.outcome.authenticated:
        who += f", logged in as {case.facts.user} and writing as {quoted(case.facts.sender or '<>')},"
    load = ", while the server was under load," if case.facts.under_load else ""
    return f" from {who} on port {case.facts.listener}{load}"


def sent_on(case: TrafficCase, arrival: Arrival) -> str:
    """A message went to somebody outside; to whom it was addressed is told where that is somebody else."""
    asked = "" if case.addressed_to(arrival) else f" to {quoted(', '.join(case.facts.recipients))}"
    return f"A message{asked}{from_whom(case)} was sent on to {quoted(', '.join(arrival.recipients))}."


def taken_and_vanished(case: TrafficCase, index: ServerIndex) -> tuple[str, list[Pointer]]:
    """What is known of a message that was taken and is found nowhere, and where that can be seen."""
    sentence = f"A message{from_whom(case)} to {quoted(', '.join(case.facts.recipients))} was taken and then vanished: "
    if (line := handed_over(case, index)) is not None:
        said = f"the server's log says that a program got it: {quoted(index.logged(line.index))}"
        return sentence + said, [*case.pointers(), Pointer("log", line.index)]
    return (
        f"{sentence}it arrived nowhere, no bounce came, no mailbox and no queue holds it, and Postfix does not say in "
        "its log that it threw it away.",
        case.pointers(),
    )

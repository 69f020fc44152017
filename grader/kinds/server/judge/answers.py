"""What the answers to a dialogue of commands tell: ``replies`` and ``alike`` of a lab's ``expect``."""

from __future__ import annotations

from collections.abc import Iterator

from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import how_it_ended, quoted
from grader.model.finding import Finding, broken, met, unproven
from grader.model.traffic import Reply

NOTHING = "NOOP"
"""Asked beside a question to be compared with; its own answer matters to nobody (RFC 5321 section 4.1.1.9)."""
FAREWELLS = (221, 421)
"""The server hangs up, which tells nothing (RFC 5321 section 3.8)."""


def replies(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """Every command of the dialogue is answered with one of the codes allowed, or as a command that does nothing."""
    allowed = tuple(check.expect.replies)
    findings = []
    for case, reply in _answers(cases):
        if reply is None:
            findings.append(unproven(case, how_it_ended(case)))
        elif str(reply.code).startswith(allowed) or reply.code in FAREWELLS or _does_nothing(case, reply):
            findings.append(met(case))
        else:
            findings.append(
                broken(
                    case, f"{quoted(reply.command)} was answered {quoted(reply.text)}", case.pointers(reply)
                )
            )
    return findings


def alike(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """All commands of one dialogue get the same code, so that the answers tell nothing."""
    findings = []
    for case in cases:
        said = [reply for _, reply in _answers([case]) if reply is not None]
        odd = next((reply for reply in said if reply.code != said[0].code), None)
        if odd is None:
            findings.append(met(case))
        else:
            findings.append(
                broken(
                    case,
                    f"{quoted(said[0].command)} is answered {said[0].code} and {quoted(odd.command)} {odd.code}: "
                    "the difference tells a stranger which of the two exists.",
                    case.pointers(odd),
                )
            )
    return findings


def _does_nothing(case: TrafficCase, reply: Reply) -> bool:
    """Whether NOOP was answered in the same words: a filter of commands (``smtpd_command_filter``) made it of this."""
    return any(
        other.command.upper() == NOTHING and other.text == reply.text for other in case.outcome.replies
    )


def _answers(cases: list[TrafficCase]) -> Iterator[tuple[TrafficCase, Reply | None]]:
    for case in cases:
        for command in case.facts.say:
            if command.upper() == NOTHING:
                continue
            yield case, next((r for r in case.outcome.replies if r.command == command), None)

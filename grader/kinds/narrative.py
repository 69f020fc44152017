"""What happened in a run, in a few sentences without judgement."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from grader.kinds.program.facts import ProgramEvidence
from grader.kinds.zone.facts import ZoneEvidence
from grader.model.evidence import Evidence

TROUBLE = re.compile(r"\b(fatal|panic|error|warning): ")
"""How Postfix marks a log line that somebody should read."""


def narrative(evidence: Evidence) -> Iterator[str]:
    """One sentence for each part of a run that took place, in its order."""
    if evidence.zone is not None:
        yield from _of_zone(evidence.zone)
    elif evidence.program is not None:
        yield from _of_program(evidence.program)
        if evidence.sessions:
            yield (
                f"It made {count(len(evidence.sessions), 'connection')}, and the servers took "
                f"{count(len(evidence.arrivals), 'message')}."
            )
        return
    elif evidence.listening:
        yield f"The server listened on {count(len(evidence.listening), 'port')}: {listed(evidence.listening)}."
    elif not evidence.error and evidence.lab.needs_engine:
        yield "The server listened on no port."
    if evidence.sessions:
        sources = Counter(session.source for session in evidence.sessions)
        by = listed(f"{number} from {source}" for source, number in sources.most_common())
        yield f"{counted(len(evidence.sessions), 'connection')} made to it: {by}."
    stages = Counter(outcome.stage for outcome in evidence.outcomes)
    tried = sum(number for stage, number in stages.items() if stage not in ("said", "untried", "examined"))
    if tried:
        refused = tried - stages["accepted"]
        yield f"{counted(tried, 'message')} tried: {stages['accepted']} accepted, {refused} not."
    if stages["said"]:
        yield f"{counted(stages['said'], 'dialogue')} held."
    places = Counter(arrival.place for arrival in evidence.arrivals)
    if tried:
        yield f"{count(places['outside'], 'message')} arrived outside and {places['mailbox']} in local mailboxes."
    if evidence.published is not None:
        from grader.kinds.server.show.dkim import sentences

        yield from sentences(evidence)
    if evidence.queued:
        yield f"{count(len(evidence.queued), 'recipient')} still waited in the queue at the end."
    if evidence.queries:
        yield f"{counted(len(evidence.queries), 'DNS question')} asked."
    if evidence.log:
        trouble = Counter(found[1] for line in evidence.log if (found := TROUBLE.search(line)))
        marked = (
            listed(f"{number} {word}" for word, number in trouble.most_common()) or "none of them a warning"
        )
        yield f"The server's log has {count(len(evidence.log), 'line')}: {marked}."
    for command in evidence.commands:
        if command.code:
            yield f"{' '.join(command.argv)} ended with exit code {command.code}."


def _of_zone(zone: ZoneEvidence) -> Iterator[str]:
    if zone.faults:
        found = count(len(zone.faults), "fault")
        yield f"{zone.file}, {count(len(zone.lines), 'line')}, could not be read as a zone: {found}."
        return
    records = count(len(zone.records), "record")
    yield f"{zone.file}, {count(len(zone.lines), 'line')}, was served over DNS: {records} for {zone.origin}."
    if zone.receptions:
        results = Counter(reception.spf.result for reception in zone.receptions)
        spf = listed(f"{number} {result}" for result, number in results.most_common())
        wanted = Counter(reception.dmarc.disposition for reception in zone.receptions)
        asked = listed(f"{number} {disposition}" for disposition, number in wanted.most_common())
        yield f"Receivers judged {count(len(zone.receptions), 'message')}: SPF {spf}; asked for {asked}."


def count(number: int, noun: str) -> str:
    """``1 line``, ``1,200 lines``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def counted(number: int, noun: str) -> str:
    """``1 line was``, ``2 lines were``."""
    return f"{count(number, noun)} {'was' if number == 1 else 'were'}"


def listed(items: object) -> str:
    """``25, 465 and 587``."""
    texts = [str(item) for item in items]  # type: ignore[attr-defined]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


def _of_program(program: ProgramEvidence) -> Iterator[str]:
    servers = count(len({run.server for run in program.runs}), "submission server")
    yield f"{program.program} was run {count(len(program.runs), 'time')}, against {servers}."
    if late := sum(run.late for run in program.runs):
        yield f"{counted(late, 'run')} still going when the time was over, and killed."

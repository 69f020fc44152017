"""What happened on the wire, in a few sentences without judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from grader.display.sentences import count, counted, listed
from grader.model.latepattern import late_pattern
from grader.model.sources import source_called
from grader.model.traffic import Traffic

TROUBLE = late_pattern(r": (?:(?<=\b(fatal|panic|error): )|(?<=\b(warning): ))")
"""How Postfix marks a log line that somebody should read: the one group that matched is its word.

Looking back from the colon finds the same as looking for the words, in a tenth of the time.
"""


def listening(facts: Traffic) -> Iterator[str]:
    """On which ports the student's server listened."""
    ports = f"on {count(len(facts.listening), 'port')}: {listed(facts.listening)}"
    yield f"The server listened {ports if facts.listening else 'on no port'}."


def probing(facts: Traffic) -> Iterator[str]:
    """Who connected, what was tried, and what arrived."""
    if facts.sessions:
        sources = Counter(session.source for session in facts.sessions)
        by = listed(f"{number} from {source_called(source)}" for source, number in sources.most_common())
        yield f"{counted(len(facts.sessions), 'connection')} made to it: {by}."
    stages = Counter(outcome.stage for outcome in facts.outcomes)
    tried = sum(number for stage, number in stages.items() if stage not in ("said", "untried"))
    if tried:
        refused = tried - stages["accepted"]
        yield f"{counted(tried, 'message')} tried: {stages['accepted']} accepted, {refused} not."
    if stages["said"]:
        yield f"{counted(stages['said'], 'dialogue')} held."
    places = Counter(arrival.place for arrival in facts.arrivals)
    if tried:
        yield f"{count(places['outside'], 'message')} arrived outside and {places['mailbox']} in local mailboxes."
    if facts.outside and facts.outside.messages > places["outside"]:
        yield (
            f"{count(facts.outside.messages, 'message')} arrived outside in all, {facts.outside.octets:,} octets; "
            f"kept are {places['outside']}: the attempts' own, and a sample of {facts.outside.unclaimed:,} others."
        )


def aftermath(facts: Traffic) -> Iterator[str]:
    """What DNS was asked, what the log says, which commands failed."""
    if facts.queries:
        yield f"{counted(len(facts.queries), 'DNS question')} asked."
    if facts.log:
        trouble = Counter(found[1] or found[2] for line in facts.log if (found := TROUBLE.search(line)))
        marked = (
            listed(f"{number} {word}" for word, number in trouble.most_common()) or "none of them a warning"
        )
        yield f"The server's log has {count(len(facts.log), 'line')}: {marked}."
    for command in facts.commands:
        if command.code:
            yield f"{' '.join(command.argv)} ended with exit code {command.code}."

"""What a result says to its student, as plain text. Each platform's renderer takes it from here and escapes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from grader.display.sentences import count
from grader.display.text import one_line, visible
from grader.model.errors import OutputError
from grader.model.hints import Rung
from grader.model.result import CheckResult, Result
from grader.outputs.references import readable

GRADER_FAILED = "The grader failed, not your work. This costs you no points."
"""What students read where a platform would show no points; smtplab's own words, so no platform's rule applies."""

REFUSED = "What was handed in cannot be read, and was not graded."
"""What they read where that is theirs to mend."""

WORDS = MappingProxyType(
    {
        "pass": "passed",
        "fail": "failed",
        "skipped": "skipped",
        "error": "grader failed",
        "manual": "by a person",
    }
)
"""A check's status for people."""

LABELS: MappingProxyType[Rung, str] = MappingProxyType(
    {"nudge": "Hint", "pointer": "Pointer", "next": "Next", "example": "Example"}
)
"""The rungs of help for people."""


def headline(result: Result) -> str:
    """``62 of 100 points``, or why there are none to give: the grader failed, or could not read what was handed in."""
    if result.status == "refused":
        return REFUSED
    if not result.final:
        return GRADER_FAILED
    said = f"{result.score} of {count(result.max_score, 'point')}"
    return f"{said}; a person decides on {waiting} more" if (waiting := result.waiting_points) else said


def remarks(result: Result) -> Iterator[str]:
    """What is said of the whole run: why it is not graded, that it came late, then the grader's notes."""
    if result.error:
        yield result.error
    if said := lateness(result):
        yield said
    yield from result.notes


def handed_in_at(result: Result) -> str:
    """The time of the hand-in in the platform's own words, which nobody has looked at; empty where it says none."""
    return one_line(result.handed_in.time)[:LONGEST_TIME] if result.handed_in else ""


def lateness(result: Result) -> str:
    """That it was handed in late; empty where no platform says so."""
    if result.handed_in is None or not result.handed_in.late:
        return ""
    at = handed_in_at(result)
    return f"Handed in late{f', at {at}' if at else ''}: the points are those of the work alone."


def told(check: CheckResult) -> Iterator[tuple[str, str]]:
    """The four fields of the feedback, by their labels, as far as there are any; the nudge before the next step."""
    for label, text in (
        ("Expected", check.expected),
        ("Observed", check.observed),
        ("Why", check.why),
        *((LABELS[rung], text) for rung, text in check.unasked.items()),
    ):
        if text:
            yield label, text


def decided(check: CheckResult) -> str:
    """Who decided on a check in the grader's place, and why; empty where nobody did."""
    decision = check.decision
    return "" if decision is None else f"Decided by a person, {decision.by}: {decision.why}"


def feedback(check: CheckResult) -> Iterator[str]:
    """All that is said of a check, a paragraph a time. Of what passed, nothing but who decided it; of what was skipped,
    why.
    """
    if said := decided(check):
        yield said
    if check.status == "pass":
        return
    if check.status == "skipped":
        yield check.observed or "Not judged."
        return
    if check.status == "manual":
        yield f"A person decides on this check, for up to {count(check.max_points, 'point')}."
    for label, text in told(check):
        yield f"{label}: {text}"
    for remark in check.remarks:
        yield f"- {remark}"
    if check.references:
        yield f"See: {'; '.join(map(readable, check.references))}"


def title(check: CheckResult) -> str:
    """A check's name on one line, which is never empty."""
    return one_line(check.title).strip() or one_line(check.code).strip() or "unnamed"


def short_code(check: CheckResult) -> str:
    """The code without its lab: what stays the same for all students, whatever names are in the title."""
    return one_line(check.code.rpartition("/")[2]).strip() or "unnamed"


def points(check: CheckResult) -> str:
    """``15 of 25 points``."""
    return f"{check.points} of {count(check.max_points, 'point')}"


def share(result: Result) -> float:
    """The score as a part of 1. A result in which there is nothing to win is whole where it passed."""
    if result.max_score <= 0:
        return float(result.passed)
    return min(1.0, max(0.0, result.score / result.max_score))


def plain(text: str, longest: int | None = None) -> str:
    """Anybody's text with nothing in it that is obeyed or unseen; of what is longer than ``longest``, the beginning."""
    shown = visible(text)
    if longest is None or len(shown) <= longest:
        return shown
    return f"{shown[:longest]} … {len(shown) - longest:,} more characters"


def body(check: CheckResult, longest: int | None = None) -> str:
    """The feedback of a check as plain text, each paragraph at most ``longest`` characters long."""
    return "\n".join(plain(paragraph, longest) for paragraph in feedback(check))


def preface(result: Result, longest: int | None = None) -> str:
    """Headline and remarks as plain text."""
    return "\n".join([headline(result), *(plain(remark, longest) for remark in remarks(result))])


LONGEST_TIME = 60
"""Characters of a platform's time that are shown."""
LENGTHS = (None, 20_000, 4_000, 1_000, 200, 40, 0)
"""How long each text may be, tried one after the other until a document fits."""


def fitted(render: Callable[[int | None], bytes], most: int) -> bytes:
    """The document with as much text as ``most`` bytes hold; ``render`` takes the longest length of a text.

    Raises ``OutputError`` where it is too long even without texts.
    """
    for longest in LENGTHS:
        if len(document := render(longest)) <= most:
            return document
    raise OutputError(
        f"this result has too many checks for a format that holds {most:,} bytes: choose another --format"
    )

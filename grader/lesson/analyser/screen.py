"""What the analyser found, on the terminal. Strange text is escaped there, at the last moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from rich.console import RenderableType
from rich.text import Text

from grader.display.looks import QUIET
from grader.display.screen import Screen, grid, words
from grader.formats.message.report import Fault
from grader.lesson.analyser.analyse import Analysis
from grader.lesson.analyser.authentication import AuthenticationResult
from grader.lesson.analyser.findings import duration
from grader.lesson.analyser.tables import wordings
from grader.lesson.analyser.trace import Hop

MOST_FAULTS = 50
STYLES = {"bad": "bold red", "care": "yellow", "good": "green", "note": QUIET}
STANDINGS = {
    "own": "your server",
    "unsure": "your server, or it came along",
    "foreign": "came along: not to be believed",
}
WORDS = {"bad": "do not believe it", "care": "look closer", "good": "good", "note": "note"}


def show(
    found: Analysis,
    faults: Sequence[Fault],
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print who a message is from, its way, what was checked, what stands out, and its faults."""
    screen = Screen(file, width=width, color=color)
    for title, parts in (
        ("As a reader sees it", _shown(found)),
        (_way_title(found), _way(found)),
        ("What was checked", _checked(found)),
        ("What stands out", _findings(found)),
        ("Faults", _faults(faults)),
    ):
        screen.show(words(title, "bold"), *parts, Text())


def _shown(found: Analysis) -> Iterator[RenderableType]:
    table = grid({"width": 12}, {"ratio": 1})
    for one in found.shown:
        table.add_row(Text(f"  {one.name}", QUIET), words(one.text, single=True))
    yield table


def _way_title(found: Analysis) -> str:
    times = [hop.time for hop in found.hops if hop.time is not None]
    count = f"{len(found.hops)} hop{'s' * (len(found.hops) != 1)}"
    if len(times) < 2:
        return f"The way: {count}"
    span = times[-1] - times[0]
    told = f"the last dated {duration(span)} before the first" if span < 0 else f"{duration(span)} in all"
    return f"The way, the oldest first: {count}, {told}"


def _way(found: Analysis) -> Iterator[RenderableType]:
    table = grid({"width": 4, "justify": "right"}, {"width": 14, "justify": "right"}, {"ratio": 1})
    border = len(found.hops) - found.trusted
    own = f" ({found.own})" if found.own else ""
    for place, hop in enumerate(found.hops):
        if place == border and border:
            table.add_row("", "", words(f"from here on your servers' own lines{own}", "cyan"))
        late = (
            "red" if hop.delay is not None and hop.delay < 0 else "yellow" if (hop.delay or 0) >= 300 else ""
        )
        table.add_row(Text(str(hop.number)), Text(_delay(hop), late), words(_hop(hop)))
    if found.hops and not found.trusted:
        table.add_row("", "", words("none of these lines is of a server of yours", QUIET))
    yield table


def _delay(hop: Hop) -> str:
    if hop.delay is None:
        return "?"
    return f"-{duration(hop.delay)}" if hop.delay < 0 else f"+{duration(hop.delay)}"


def _hop(hop: Hop) -> str:
    protocol = next(
        (one.text for one in wordings().protocols if one.name.upper() == hop.protocol.upper()), ""
    )
    who = hop.source or hop.host or "an unnamed client"
    really = f" (really {hop.host})" if hop.source and hop.host and hop.host != hop.source else ""
    at = f" at {hop.address}" if hop.address else ""
    how = f", {hop.protocol}: {protocol}" if protocol else f", {hop.protocol}" if hop.protocol else ""
    if hop.protocol and hop.tls is not None and "TLS" not in how:
        how += ", encrypted with TLS" if hop.tls else ", not encrypted"
    return f"{hop.by or '(no name)'}\nfrom {who}{really}{at}{how}\n{hop.date or 'no date'}"


def _checked(found: Analysis) -> Iterator[RenderableType]:
    if not found.results and not found.arc:
        yield words("  No server wrote down what it checked.")
    for one in found.results:
        yield words(f"  {one.field} {one.server} ({STANDINGS[one.standing]})", single=True)
        yield from map(_outcome, one.outcomes)
    for set_ in found.arc:
        yield words(f"  ARC set {set_.instance} of {set_.domain}, cv={set_.cv or '?'}", single=True)
        yield from map(_outcome, set_.outcomes)
    for signature in found.signatures:
        aligned = "aligned" if signature.aligned else "not aligned"
        text = f"  DKIM-Signature of {signature.domain}, selector {signature.selector}, {aligned} with From"
        yield words(text, single=True)


def _outcome(outcome: AuthenticationResult) -> RenderableType:
    said = " ".join(f"{pair.name}={pair.value}" for pair in outcome.properties)
    known = next((one for one in wordings().results if one.name == outcome.result), None)
    return words(
        f"    {outcome.method}={outcome.result}: {known.text if known else 'a result of its own'}  {said}",
        single=True,
    )


def _findings(found: Analysis) -> Iterator[RenderableType]:
    table = grid({"width": 19}, {"ratio": 1})
    order = list(STYLES)
    for one in sorted(found.findings, key=lambda one: order.index(one.grave)):
        table.add_row(
            Text(f"  {WORDS[one.grave]}", STYLES[one.grave]),
            words(f"{one.sentence} ({one.reference}{f'; line {one.line}' if one.line else ''})"),
        )
    yield table


def _faults(faults: Sequence[Fault]) -> Iterator[RenderableType]:
    if not faults:
        yield words("  None: it keeps all rules.")
        return
    table = grid({"width": 9, "justify": "right"}, {"width": 7}, {"ratio": 1})
    for fault in faults[:MOST_FAULTS]:
        style = "bold red" if fault.severity == "error" else "yellow"
        table.add_row(
            Text(f"line {fault.line}"),
            Text(fault.severity, style),
            words(f"{fault.sentence} ({fault.reference})"),
        )
    yield table
    if (more := len(faults) - MOST_FAULTS) > 0:
        yield words(f"  … and {more:,} more")

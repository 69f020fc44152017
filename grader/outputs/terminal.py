"""Results on a terminal: what to fix first in full, the rest in a line each, the points and what to type at the end.

Strangers' text goes through ``layout.words``, which shows control characters instead of sending them. The library for
terminals lays out what is not simple: to load it takes as long as all else that a report takes.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from msgspec import Struct

from grader.display import plain
from grader.display.layout import (
    Behind,
    Column,
    Grid,
    Indented,
    Line,
    Paper,
    Part,
    Quote,
    Stack,
    Words,
    words,
)
from grader.display.looks import LOOKS, QUIET
from grader.display.sentences import count
from grader.model.evidence import AnyEvidence
from grader.model.latepattern import late_pattern
from grader.model.result import CheckLine, CheckResult, Result, Status
from grader.outputs.changes import Changes
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import LABELS
from grader.outputs.references import readable

if TYPE_CHECKING:
    pass

EXCERPT_ROWS = 10
"""Lines of an excerpt: enough for an envelope and what decided it."""
SHORT_ROWS = 2
"""Lines of the one excerpt of a short report, which is to fit on a screen and a half."""
SHORT_REMARKS = 1
SENTENCE = late_pattern(r"(?<=[.?!])\s+(?=[A-Z])")
"""Where one sentence ends and the next begins."""
NONE = "\N{EN DASH}"
ORDER: tuple[Status, ...] = ("error", "manual", "pass")
"""The checks that may take a line each, in the order in which they are listed."""
SIGN = Column(1)
POINTS = Column(right=True, whole=True)
LABEL = 8
"""Cells of the column that names the fields of a failure."""
TALLY: tuple[Status, ...] = ("pass", "fail", "skipped", "error", "manual")


class Commands(Struct, frozen=True):
    """What can be typed after a report: to run the lab once more, to get more help with the first failure. ``report``
    is the path of the HTML report, ``program`` how a shell finds smtplab."""

    again: str | None = None
    help: str | None = None
    report: str | None = None
    program: str = "smtplab"

    def typed(self, command: str) -> str:
        """A command of smtplab as it can be typed; any other text as it is."""
        name, blank, rest = command.partition(" ")
        return f"{self.program} {rest}" if name == "smtplab" and blank else command


NONE_TO_TYPE = Commands()


def show(
    result: Result,
    evidence: AnyEvidence | None = None,
    *,
    verbose: bool = False,
    more: bool = False,
    changes: Changes | None = None,
    commands: Commands = NONE_TO_TYPE,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a result: the first failure in full, everything else in short.

    ``evidence`` adds excerpts of the transcripts. ``verbose`` shows all failures in full, and what happened besides;
    ``more`` every rung of help that the result has. ``changes`` is what came since the last run. ``width`` (columns)
    and ``color`` are the terminal's unless given; ``NO_COLOR`` is respected.
    """
    known = EvidenceView(evidence)
    if not verbose:
        try:
            printer = plain.Printer(file or sys.stdout, width=width, color=color)
            report = _body(printer.paper, result, known, verbose, more, commands)
            printer.show(*report, *_summary(printer.paper, result, changes, commands))
        except plain.NotSimpleError:
            pass
        else:
            return
    from grader.display.screen import Screen, laid_out

    screen = Screen(file, width=width, color=color)
    parts = [laid_out(part, screen) for part in _body(screen.paper, result, known, verbose, more, commands)]
    if verbose and evidence is not None:
        parts += [laid_out(part, screen) for part in (Words(), *_happened(known))]
        parts += known.show.screen(evidence, screen) if known.show is not None else ()
        parts.append(laid_out(Words(), screen))
    summary = _summary(screen.paper, result, changes, commands)
    screen.show(*parts, *(laid_out(part, screen) for part in summary))


def _body(
    paper: Paper,
    result: Result,
    known: EvidenceView,
    verbose: bool,
    more: bool,
    commands: Commands,
) -> Iterator[Part]:
    """All but the summary, and what happened."""
    yield from (*_heading(result), Words())
    if result.status == "error":
        yield from (*_grader_failed(paper, result), Words())
    elif result.status == "refused":
        yield from (*_refused(paper, result), Words())
    failures = [check for check in result.checks if check.status == "fail"]
    for check in failures if verbose else failures[:1]:
        yield from (_failure(paper, check, known, verbose, more, commands), Words())
    yield from _rest(paper, result, failures[:0] if verbose else failures[1:], verbose)


def _heading(result: Result) -> Iterator[Part]:
    yield words(result.lab_title or result.lab, "bold", single=True)
    facts = [f"{result.lab} {result.lab_version}"]
    facts += [f"student {result.student}"] if result.student else []
    facts += ["variant for everybody"] if result.variant == "canonical" else [f"variant {result.variant}"]
    facts += [f"{result.engine.mta}, {result.engine.name}"] if result.engine.mta else []
    facts += [f"{result.duration:.2f} s"] if result.duration else []
    yield words(" · ".join(facts), QUIET, single=True)


def _grader_failed(paper: Paper, result: Result) -> Iterator[Part]:
    yield paper.sign("error").add("  The grader failed, not your server. This costs you no points.")
    yield Indented(words(result.error or "It gave no reason."))


def _refused(paper: Paper, result: Result) -> Iterator[Part]:
    yield paper.sign("fail").add("  What was handed in cannot be read, and was not graded.")
    yield Indented(words(result.error or "No reason was given."))


def _failure(
    paper: Paper,
    check: CheckResult,
    known: EvidenceView,
    verbose: bool,
    more: bool,
    commands: Commands,
) -> Part:
    title = Grid(SIGN, Column(rest=True), POINTS)
    look = LOOKS["fail"]
    headline = words(check.title or check.code, "bold", single=True)
    title.row(paper.sign("fail"), headline, Words(f"{check.points}/{check.max_points}", look.style))
    body = Grid(Column(LABEL), Column(rest=True))
    body.row(Words(look.word, look.style), words(check.code, QUIET, single=True))
    if check.expected:
        body.row(Words("Expected", "bold"), words(check.expected))
    body.row(Words("Observed", "bold"), Stack(*_observed(check, known, verbose)))
    if check.why or check.references:
        body.row(Words("Why", "bold"), Stack(*_why(check, verbose, commands)))
    for rung, text in (check.ladder if more else check.unasked).items():
        body.row(Words(LABELS[rung], "bold green" if rung == "next" else "bold"), words(text))
    return Stack(title, body)


def _observed(check: CheckResult, known: EvidenceView, verbose: bool) -> Iterator[Part]:
    yield words(check.observed or "No more is known than that it failed.")
    hidden = 0 if verbose or len(check.remarks) <= SHORT_REMARKS else len(check.remarks) - SHORT_REMARKS
    if check.remarks:
        remarks = Grid(SIGN, Column(rest=True))
        for remark in check.remarks[: len(check.remarks) - hidden]:
            remarks.row("-", words(remark, single=True))
        yield remarks
    excerpts, more = known.excerpts(check, rows=EXCERPT_ROWS if verbose else SHORT_ROWS)
    if verbose:
        for excerpt in excerpts:
            yield from (Words(), Quote(excerpt))
        if more:
            yield Words(f"and {count(more, 'more place')} like these in the evidence", QUIET)
        yield from [Words()] if excerpts else []
        return
    yield from (Quote(excerpt, around=False) for excerpt in excerpts[:1])
    left = [count(hidden, "more remark")] if hidden else []
    left += [count(n, "more line") for n in (sum(e.total - len(e.rows) for e in excerpts[:1]),) if n]
    left += [count(n, "more place") for n in (more + len(excerpts[1:]),) if n]
    if left:
        yield Words(f"with -v: {', '.join(left)}", QUIET)


def _why(check: CheckResult, verbose: bool, commands: Commands) -> Iterator[Part]:
    if not verbose:
        first, *others = SENTENCE.split(check.why)
        explain = words(commands.typed(f"smtplab explain {check.code}"), QUIET, single=True)
        yield Behind(words(f"{first} …" if others else first), explain)
        return
    if check.why:
        yield words(check.why)
    # A command stands on a line of its own, so that it can be copied.
    plain = [text for text in check.references if readable(text) == text]
    for text in (
        " · ".join(plain),
        *(commands.typed(readable(text)) for text in check.references if text not in plain),
    ):
        if text:
            yield words(text, QUIET, single=True)


def _rest(paper: Paper, result: Result, failures: Sequence[CheckResult], verbose: bool) -> Iterator[Part]:
    """Everything that is not told in full: other failures in a line each, then the rest by status."""
    if failures:
        more = "failed" if len(failures) == len(result.checks) else "more failed"
        yield _grouped(paper, "fail", f"{len(failures)} {more}")
        lines = Grid(SIGN, Column(most=22, whole=True), Column(rest=True, whole=True), POINTS)
        for check in failures:
            lines.row(
                "",
                _cut(words(_short(check), QUIET, single=True)),
                _cut(words(check.title or check.code, single=True)),
                Words(f"{check.points}/{check.max_points}", QUIET),
            )
        yield lines
    if skipped := [check for check in result.checks if check.status == "skipped"]:
        yield _skipped(paper, skipped, verbose)
    passed = [check for check in result.checks if check.status == "pass"]
    whole = verbose or len(passed) == len(result.checks)
    if (table := _one_liners(paper, result, verbose, whole)) is not None:
        yield table
    plain = [check for check in passed if not check.remarks]
    if plain and not whole:
        yield _grouped(paper, "pass", f"{len(plain)} passed", plain)


def _grouped(paper: Paper, status: Status, said: str, checks: Sequence[CheckResult] = ()) -> Part:
    """A heading with its sign; the checks that it stands for by their short codes."""
    line = Grid(SIGN, Column(rest=True))
    told = words(said, LOOKS[status].style, single=True)
    if checks:
        _cut(told.add(": ", LOOKS[status].style).add(codes(checks, QUIET)))
    line.row(paper.sign(status), told)
    return line


def _skipped(paper: Paper, checks: Sequence[CheckResult], verbose: bool) -> Part:
    """All that was skipped, under one heading, with the failures that it hangs on; ``verbose`` says what on which."""
    blockers: dict[str, list[CheckResult]] = {}
    for check in checks:
        blockers.setdefault((check.because or "").rpartition("/")[2], []).append(check)
    names = ", ".join(filter(None, blockers))
    reason = f", because {names} failed" if names else ""
    line = Grid(SIGN, Column(rest=True))
    told = words(f"{len(checks)} skipped{reason}", LOOKS["skipped"].style, single=True)
    if len(blockers) == 1:
        told.add(": ", LOOKS["skipped"].style).add(codes(checks, QUIET))
    elif verbose:
        for blocker, held in blockers.items():
            told.add(words(f"\n{blocker}: ", QUIET)).add(codes(held, QUIET))
    line.row(paper.sign("skipped"), told)
    return line


def _one_liners(paper: Paper, result: Result, verbose: bool, passes: bool) -> Part | None:
    """What was not judged, and what passed: with its remarks, or all of it where ``passes`` asks for that."""
    table = Grid(SIGN, Column(7), Column(rest=True), POINTS)
    for status in ORDER:
        look = LOOKS[status]
        for check in result.checks:
            if check.status != status or (status == "pass" and not passes and not check.remarks):
                continue
            graded = status == "pass" and result.status == "graded"
            points = f"{check.points if graded else NONE}/{check.max_points}"
            said = words(check.title or check.code, single=True)
            if status == "pass" and check.remarks:
                said.add(words("".join(f"\n{remark}" for remark in check.remarks), QUIET))
            if note := _note(result, check):
                said.add(words(f"  ({note})", QUIET, single=True))
            if verbose and status == "pass":
                said.add(words(f"\n{check.code}: {check.observed}", QUIET))
            table.row(paper.sign(status), Words(look.word, look.style), said, Words(points, QUIET))
    return table if table.rows else None


def _note(result: Result, check: CheckResult) -> str:
    if check.status == "error":
        return "no points lost" + (f": {check.observed}" if check.observed not in ("", result.error) else "")
    return "a person judges this" if check.status == "manual" else ""


def _short(check: CheckResult | CheckLine) -> str:
    return check.code.rpartition("/")[2]


def _cut(text: Words) -> Words:
    """Text that takes one line, and shows where it goes on."""
    text.cut = True
    return text


def _happened(known: EvidenceView) -> Iterator[Part]:
    yield Words("What happened", "bold")
    for sentence in known.narrative:
        yield Indented(words(sentence, single=True))


def _summary(paper: Paper, result: Result, changes: Changes | None, commands: Commands) -> Iterator[Part]:
    yield Line()
    yield _points(paper, result)
    lines = Grid(Column(9), Column(rest=True))
    for note in result.notes:
        lines.row(Words("Note", "bold"), words(note, single=True))
    if changes is not None:
        lines.row(Words("Changed", "bold"), _changed(changes))
    if (first := result.first_failure()) is not None:
        said = words(_short(first), single=True)
        if commands.help:
            said.add("  more help:", QUIET)
            help_ = words(commands.help, "cyan", single=True)
            lines.row(Words("Fix first", "bold"), Behind(said, help_))
        else:
            said.add(words(f"  {first.title}", QUIET, single=True))
            lines.row(Words("Fix first", "bold"), said)
    for label, text, style in (
        ("Run again", commands.again, "cyan"),
        ("Report", commands.report, ""),
    ):
        if text:
            lines.row(Words(label, "bold"), words(text, style, single=True))
    if lines.rows:
        yield lines


def _changed(changes: Changes) -> Words:
    """What the last run did not have: points, checks that pass, checks that fail."""
    if changes.nothing:
        return Words("nothing since the last run", QUIET)
    told = [Words(f"{changes.points:+d} points", "bold")] if changes.points else []
    for word, checks, status in (("passed", changes.passed, "pass"), ("failed", changes.failed, "fail")):
        if checks:
            look = LOOKS["pass" if status == "pass" else "fail"]
            told.append(Words(f"newly {word}: ", look.style).add(codes(checks, "")))
    return Words.of(*told, between="; ")


def _points(paper: Paper, result: Result) -> Words:
    if result.status != "graded":
        return Words("Not graded", LOOKS["error" if result.status == "error" else "fail"].style)
    tally = Counter(check.status for check in result.checks)
    points = Words(f"{result.score} of {count(result.max_score, 'point')}", "bold")
    told = [
        Words.of(paper.sign(status), f" {tally[status]} {LOOKS[status].word}")
        for status in TALLY
        if tally[status]
    ]
    line = Words.of(points, paper.bar(result.score, result.max_score), *told, between="  ")
    return line if len(line.plain) <= paper.width else Words.of(points, *told, between="  ")


def codes(checks: Iterable[CheckResult | CheckLine], style: str) -> Words:
    """The short codes of checks, one after the other."""
    return words(", ".join(map(_short, checks)), style, single=True)

"""Results on a terminal: what to fix first in full, the rest in a line each, the points and what to type at the end.

Strangers' text goes through ``screen.words``, which shows control characters instead of sending them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from grader.display.looks import LOOKS, QUIET
from grader.display.screen import ExcerptLines, Screen, bar, grid, words
from grader.display.sentences import count
from grader.model.evidence import AnyEvidence
from grader.model.lab import Check, Lab
from grader.model.result import CheckLine, CheckResult, Result, Status
from grader.outputs.changes import Changes
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import LABELS
from grader.outputs.references import readable

EXCERPT_ROWS = 10
"""Lines of an excerpt: enough for an envelope and what decided it."""
SHORT_ROWS = 2
"""Lines of the one excerpt of a short report, which is to fit on a screen and a half."""
SHORT_REMARKS = 1
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
"""Where one sentence ends and the next begins."""
NONE = "\N{EN DASH}"
ORDER: tuple[Status, ...] = ("error", "manual", "pass")
"""The checks that may take a line each, in the order in which they are listed."""
LABEL = 8
"""Cells of the column that names the fields of a failure."""
TALLY: tuple[Status, ...] = ("pass", "fail", "skipped", "error", "manual")


@dataclass(frozen=True)
class Commands:
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


def show(
    result: Result,
    evidence: AnyEvidence | None = None,
    *,
    verbose: bool = False,
    more: bool = False,
    changes: Changes | None = None,
    commands: Commands = Commands(),
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a result: the first failure in full, everything else in short.

    ``evidence`` adds excerpts of the transcripts. ``verbose`` shows all failures in full, and what happened besides;
    ``more`` every rung of help that the result has. ``changes`` is what came since the last run. ``width`` (columns)
    and ``color`` are the terminal's unless given; ``NO_COLOR`` is respected.
    """
    screen = Screen(file, width=width, color=color)
    known = EvidenceView(evidence)
    parts: list[RenderableType] = [*_heading(result), Text()]
    if result.status == "error":
        parts += [*_grader_failed(screen, result), Text()]
    elif result.status == "refused":
        parts += [*_refused(screen, result), Text()]
    failures = [check for check in result.checks if check.status == "fail"]
    for check in failures if verbose else failures[:1]:
        parts += [_failure(screen, check, known, verbose, more, commands), Text()]
    parts += _rest(screen, result, failures[:0] if verbose else failures[1:], verbose)
    if verbose and evidence is not None:
        parts += [Text(), *_happened(screen, evidence, known), Text()]
    screen.show(*parts, *_summary(screen, result, changes, commands))


def explain(
    lab: Lab,
    check: Check,
    *,
    fill: Callable[[str], str] = str,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print what a check is about: the long text, why it matters, where to read more.

    ``fill`` puts a variant's names into the lab's texts. Fixes and hints are left to a failure's own feedback.
    """
    from rich.markdown import Markdown

    screen = Screen(file, width=width, color=color)
    table = grid({"width": 8}, {"ratio": 1})
    for label, text in (
        ("Expected", check.expected or ""),
        ("Why", check.why),
        ("See", "; ".join(check.see)),
    ):
        if text:
            table.add_row(Text(label, "bold"), words(fill(text)))
    parts: list[RenderableType] = [
        words(fill(check.title), "bold"),
        words(f"{lab.id}/{check.code}, {count(check.points, 'point')}", QUIET, single=True),
        Text(),
        table,
    ]
    if check.explain:
        text = words(fill(check.explain), longest=100_000).plain
        parts += [Text(), Markdown(text, hyperlinks=False, code_theme="ansi_dark")]
    screen.show(*parts)


def _heading(result: Result) -> Iterator[RenderableType]:
    yield words(result.lab_title or result.lab, "bold", single=True)
    facts = [f"{result.lab} {result.lab_version}"]
    facts += [f"student {result.student}"] if result.student else []
    facts += [f"{result.variant} variant"] if result.variant == "canonical" else [f"variant {result.variant}"]
    facts += [f"{result.engine.mta}, {result.engine.name}"] if result.engine.mta else []
    facts += [f"{result.duration:.2f} s"] if result.duration else []
    yield words(" · ".join(facts), QUIET, single=True)


def _grader_failed(screen: Screen, result: Result) -> Iterator[RenderableType]:
    line = screen.sign("error")
    line.append("  The grader failed, not your server. This costs you no points.")
    yield line
    yield Padding(words(result.error or "It gave no reason."), (0, 0, 0, 3))


def _refused(screen: Screen, result: Result) -> Iterator[RenderableType]:
    line = screen.sign("fail")
    line.append("  What was handed in cannot be read, and was not graded.")
    yield line
    yield Padding(words(result.error or "No reason was given."), (0, 0, 0, 3))


def _failure(
    screen: Screen,
    check: CheckResult,
    known: EvidenceView,
    verbose: bool,
    more: bool,
    commands: Commands,
) -> RenderableType:
    title = grid({"width": 1}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    look = LOOKS["fail"]
    headline = words(check.title or check.code, "bold", single=True)
    title.add_row(screen.sign("fail"), headline, Text(f"{check.points}/{check.max_points}", look.style))
    body = grid({"width": LABEL}, {"ratio": 1})
    body.add_row(Text(look.word, look.style), words(check.code, QUIET, single=True))
    if check.expected:
        body.add_row(Text("Expected", "bold"), words(check.expected))
    body.add_row(Text("Observed", "bold"), Group(*_observed(screen, check, known, verbose)))
    if check.why or check.references:
        body.add_row(Text("Why", "bold"), Group(*_why(screen, check, verbose, commands)))
    for rung, text in (check.ladder if more else check.unasked).items():
        body.add_row(Text(LABELS[rung], "bold green" if rung == "next" else "bold"), words(text))
    return Group(title, body)


def _observed(
    screen: Screen, check: CheckResult, known: EvidenceView, verbose: bool
) -> Iterator[RenderableType]:
    yield words(check.observed or "No more is known than that it failed.")
    hidden = 0 if verbose or len(check.remarks) <= SHORT_REMARKS else len(check.remarks) - SHORT_REMARKS
    if check.remarks:
        remarks = grid({"width": 1}, {"ratio": 1})
        for remark in check.remarks[: len(check.remarks) - hidden]:
            remarks.add_row("-", words(remark, single=True))
        yield remarks
    excerpts, more = known.excerpts(check, rows=EXCERPT_ROWS if verbose else SHORT_ROWS)
    if verbose:
        for excerpt in excerpts:
            yield from (Text(), ExcerptLines(screen, excerpt))
        if more:
            yield Text(f"and {count(more, 'more place')} like these in the evidence", QUIET)
        yield from [Text()] if excerpts else []
        return
    yield from (ExcerptLines(screen, excerpt, around=False) for excerpt in excerpts[:1])
    left = [count(hidden, "more remark")] if hidden else []
    left += [count(n, "more line") for n in (sum(e.total - len(e.rows) for e in excerpts[:1]),) if n]
    left += [count(n, "more place") for n in (more + len(excerpts[1:]),) if n]
    if left:
        yield Text(f"with -v: {', '.join(left)}", QUIET)


def _why(screen: Screen, check: CheckResult, verbose: bool, commands: Commands) -> Iterator[RenderableType]:
    if not verbose:
        first, *others = SENTENCE.split(check.why)
        explain = words(commands.typed(f"smtplab explain {check.code}"), QUIET, single=True)
        yield _whole_behind(screen, words(f"{first} …" if others else first), explain, LABEL)
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


def _whole_behind(screen: Screen, said: Text, command: Text, label: int) -> Text:
    """A command behind a text, in a column beside one of ``label`` cells: in one piece, so that it can be copied."""
    width = max(10, screen.console.width - label - 2)
    last = said.wrap(screen.console, width, overflow="fold")[-1:]
    fits = not said.plain or sum(line.cell_len for line in last) + 1 + command.cell_len <= width
    return said.append(" " if said.plain and fits else "\n" if said.plain else "").append_text(command)


def _rest(
    screen: Screen, result: Result, failures: Sequence[CheckResult], verbose: bool
) -> Iterator[RenderableType]:
    """Everything that is not told in full: other failures in a line each, then the rest by status."""
    if failures:
        more = "failed" if len(failures) == len(result.checks) else "more failed"
        yield _grouped(screen, "fail", f"{len(failures)} {more}")
        lines = grid(
            {"width": 1},
            {"max_width": 22, "no_wrap": True},
            {"ratio": 1, "no_wrap": True},
            {"justify": "right", "no_wrap": True},
        )
        for check in failures:
            lines.add_row(
                "",
                _cut(words(_short(check), QUIET, single=True)),
                _cut(words(check.title or check.code, single=True)),
                Text(f"{check.points}/{check.max_points}", QUIET),
            )
        yield lines
    if skipped := [check for check in result.checks if check.status == "skipped"]:
        yield _skipped(screen, skipped, verbose)
    passed = [check for check in result.checks if check.status == "pass"]
    whole = verbose or len(passed) == len(result.checks)
    if (table := _one_liners(screen, result, verbose, whole)) is not None:
        yield table
    plain = [check for check in passed if not check.remarks]
    if plain and not whole:
        yield _grouped(screen, "pass", f"{len(plain)} passed", plain)


def _grouped(screen: Screen, status: Status, said: str, checks: Sequence[CheckResult] = ()) -> RenderableType:
    """A heading with its sign; the checks that it stands for by their short codes."""
    line = grid({"width": 1}, {"ratio": 1})
    told = words(said, LOOKS[status].style, single=True)
    if checks:
        told.append_text(Text(": ", LOOKS[status].style)).append_text(codes(checks, QUIET))
        _cut(told)
    line.add_row(screen.sign(status), told)
    return line


def _skipped(screen: Screen, checks: Sequence[CheckResult], verbose: bool) -> RenderableType:
    """All that was skipped, under one heading, with the failures that it hangs on; ``verbose`` says what on which."""
    blockers: dict[str, list[CheckResult]] = {}
    for check in checks:
        blockers.setdefault((check.because or "").rpartition("/")[2], []).append(check)
    names = ", ".join(filter(None, blockers))
    reason = f", because {names} failed" if names else ""
    line = grid({"width": 1}, {"ratio": 1})
    told = words(f"{len(checks)} skipped{reason}", LOOKS["skipped"].style, single=True)
    if len(blockers) == 1:
        told.append_text(Text(": ", LOOKS["skipped"].style)).append_text(codes(checks, QUIET))
    elif verbose:
        for blocker, held in blockers.items():
            told.append_text(words(f"\n{blocker}: ", QUIET)).append_text(codes(held, QUIET))
    line.add_row(screen.sign("skipped"), told)
    return line


def _one_liners(screen: Screen, result: Result, verbose: bool, passes: bool) -> RenderableType | None:
    """What was not judged, and what passed: with its remarks, or all of it where ``passes`` asks for that."""
    table = grid({"width": 1}, {"width": 7}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    for status in ORDER:
        look = LOOKS[status]
        for check in result.checks:
            if check.status != status or (status == "pass" and not passes and not check.remarks):
                continue
            graded = status == "pass" and result.status == "graded"
            points = f"{check.points if graded else NONE}/{check.max_points}"
            said = words(check.title or check.code, single=True)
            if status == "pass" and check.remarks:
                said.append_text(words("".join(f"\n{remark}" for remark in check.remarks), QUIET))
            if note := _note(result, check):
                said.append_text(words(f"  ({note})", QUIET, single=True))
            if verbose and status == "pass":
                said.append_text(words(f"\n{check.code}: {check.observed}", QUIET))
            table.add_row(screen.sign(status), Text(look.word, look.style), said, Text(points, QUIET))
    return table if table.row_count else None


def _note(result: Result, check: CheckResult) -> str:
    if check.status == "error":
        return "no points lost" + (f": {check.observed}" if check.observed not in ("", result.error) else "")
    return "a person judges this" if check.status == "manual" else ""


def _short(check: CheckResult | CheckLine) -> str:
    return check.code.rpartition("/")[2]


def _cut(text: Text) -> Text:
    """Text that takes one line, and shows where it goes on."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _happened(screen: Screen, evidence: AnyEvidence, known: EvidenceView) -> Iterator[RenderableType]:
    yield Text("What happened", "bold")
    for sentence in known.narrative:
        yield Padding(words(sentence, single=True), (0, 0, 0, 3))
    if known.show is not None:
        yield from known.show.screen(evidence, screen)


def _summary(
    screen: Screen, result: Result, changes: Changes | None, commands: Commands
) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    yield _points(screen, result)
    lines = grid({"width": 9}, {"ratio": 1})
    for note in result.notes:
        lines.add_row(Text("Note", "bold"), words(note, single=True))
    if changes is not None:
        lines.add_row(Text("Changed", "bold"), _changed(changes))
    if (first := result.first_failure()) is not None:
        said = words(_short(first), single=True)
        if commands.help:
            said.append_text(Text("  more help:", QUIET))
            said = _whole_behind(screen, said, words(commands.help, "cyan", single=True), LABEL + 1)
        else:
            said.append_text(words(f"  {first.title}", QUIET, single=True))
        lines.add_row(Text("Fix first", "bold"), said)
    for label, text, style in (
        ("Run again", commands.again, "cyan"),
        ("Report", commands.report, ""),
    ):
        if text:
            lines.add_row(Text(label, "bold"), words(text, style, single=True))
    if lines.row_count:
        yield lines


def _changed(changes: Changes) -> Text:
    """What the last run did not have: points, checks that pass, checks that fail."""
    if changes.nothing:
        return Text("nothing since the last run", QUIET)
    told = [Text(f"{changes.points:+d} points", "bold")] if changes.points else []
    for word, checks, status in (("passed", changes.passed, "pass"), ("failed", changes.failed, "fail")):
        if checks:
            look = LOOKS["pass" if status == "pass" else "fail"]
            told.append(Text(f"newly {word}: ", look.style).append_text(codes(checks, "")))
    return Text("; ").join(told)


def _points(screen: Screen, result: Result) -> RenderableType:
    if result.status != "graded":
        return Text("Not graded", LOOKS["error" if result.status == "error" else "fail"].style)
    tally = Counter(check.status for check in result.checks)
    points = Text(f"{result.score} of {count(result.max_score, 'point')}", "bold")
    told = [
        Text.assemble(screen.sign(status), f" {tally[status]} {LOOKS[status].word}")
        for status in TALLY
        if tally[status]
    ]
    line = Text("  ").join([points, bar(screen, result.score, result.max_score), *told])
    return line if line.cell_len <= screen.console.width else Text("  ").join([points, *told])


def codes(checks: Iterable[CheckResult | CheckLine], style: str) -> Text:
    """The short codes of checks, one after the other."""
    return words(", ".join(map(_short, checks)), style, single=True)

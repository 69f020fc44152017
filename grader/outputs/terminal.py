"""Results on a terminal: what to fix first at the top, the points and the next command at the bottom.

Strangers' text goes through ``screen.words``, which shows control characters instead of sending them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from grader.display.screen import LOOKS, QUIET, ExcerptLines, Screen, bar, grid, words
from grader.display.sentences import count
from grader.model.evidence import AnyEvidence
from grader.model.lab import Check, Lab
from grader.model.result import CheckResult, HintTexts, Result, Status
from grader.outputs.evidence import EvidenceView
from grader.outputs.references import readable

EXCERPT_ROWS = 10
"""Lines of an excerpt: enough for an envelope and what decided it."""
ORDER: tuple[Status, ...] = ("error", "skipped", "manual", "pass")
"""The checks that take one line, in the order in which they are listed."""
NONE = "\N{EN DASH}"
TALLY: tuple[Status, ...] = ("pass", "fail", "skipped", "error", "manual")


def show(
    result: Result,
    evidence: AnyEvidence | None = None,
    *,
    verbose: bool = False,
    again: str | None = None,
    report: str | None = None,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a result.

    ``evidence`` adds excerpts of the transcripts, ``verbose`` what happened besides. ``again`` is the command that
    runs the lab once more, ``report`` the path of the HTML report. ``width`` (columns) and ``color`` are the terminal's
    unless given; ``NO_COLOR`` is respected.
    """
    screen = Screen(file, width=width, color=color)
    known = EvidenceView(evidence)
    parts: list[RenderableType] = [*_heading(result), Text()]
    if result.status == "error":
        parts += [*_grader_failed(screen, result), Text()]
    elif result.status == "refused":
        parts += [*_refused(screen, result), Text()]
    for check in result.checks:
        if check.status == "fail":
            parts += [_failure(screen, check, known), Text()]
    if (rest := _one_liners(screen, result, verbose)) is not None:
        parts += [rest, Text()]
    if verbose and evidence is not None:
        parts += [*_happened(screen, evidence, known), Text()]
    screen.show(*parts, *_summary(screen, result, again, report))


def show_class(
    results: Sequence[Result],
    *,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> None:
    """Print a class: one line a student, then how often each check failed."""
    screen = Screen(file, width=width, color=color)
    table = grid({"width": 1}, {"max_width": 32}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
    for result in results:
        status: Status = "error" if result.status == "error" else "pass" if result.passed else "fail"
        if result.status != "graded":
            why = result.error or "the grader failed"
            why = f"refused: {why}" if result.status == "refused" else why
            said = words(why, LOOKS[status].style, single=True)
        else:
            said = _codes([check for check in result.checks if check.status in ("fail", "error")], QUIET)
            said = said if said.plain else Text(LOOKS[status].word, LOOKS[status].style)
        points = (
            f"{result.score}/{result.max_score}" if result.status == "graded" else f"?/{result.max_score}"
        )
        table.add_row(screen.sign(status), words(result.student or result.lab, single=True), points, said)
    screen.show(table, Text(), *_class_summary(screen, results))


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


def _failure(screen: Screen, check: CheckResult, known: EvidenceView) -> RenderableType:
    title = grid({"width": 1}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    look = LOOKS["fail"]
    headline = words(check.title or check.code, "bold", single=True)
    title.add_row(screen.sign("fail"), headline, Text(f"{check.points}/{check.max_points}", look.style))
    code = Text.assemble((look.word, look.style), "  ", words(check.code, QUIET, single=True))
    title.add_row("", code, "")
    body = grid({"width": 8}, {"ratio": 1})
    if check.expected:
        body.add_row(Text("Expected", "bold"), words(check.expected))
    body.add_row(Text("Observed", "bold"), Group(*_observed(screen, check, known)))
    if check.why or check.references:
        body.add_row(Text("Why", "bold"), Group(*_why(check)))
    if check.next:
        body.add_row(Text("Next", "bold green"), words(check.next))
    for label, hint in _hints(check.hints):
        body.add_row(Text(label, QUIET), words(hint))
    return Group(title, Padding(body, (0, 0, 0, 3)))


def _observed(screen: Screen, check: CheckResult, known: EvidenceView) -> Iterator[RenderableType]:
    yield words(check.observed or "No more is known than that it failed.")
    if check.remarks:
        remarks = grid({"width": 1}, {"ratio": 1})
        for remark in check.remarks:
            remarks.add_row("-", words(remark, single=True))
        yield remarks
    excerpts, more = known.excerpts(check, rows=EXCERPT_ROWS)
    for excerpt in excerpts:
        yield Text()
        yield ExcerptLines(screen, excerpt)
    if more:
        yield Text(f"and {count(more, 'more place')} like these in the evidence", QUIET)
    if excerpts:
        yield Text()


def _why(check: CheckResult) -> Iterator[RenderableType]:
    if check.why:
        yield words(check.why)
    # A command stands on a line of its own, so that it can be copied.
    plain = [text for text in check.references if readable(text) == text]
    for text in (" · ".join(plain), *(readable(text) for text in check.references if text not in plain)):
        if text:
            yield words(text, QUIET, single=True)


def _hints(hints: HintTexts) -> Iterator[tuple[str, str]]:
    """The first hint only: whoever wants more asks the report for it."""
    if hints.nudge:
        yield "Hint", hints.nudge


def _one_liners(screen: Screen, result: Result, verbose: bool) -> RenderableType | None:
    table = grid({"width": 1}, {"width": 7}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    for status in ORDER:
        look = LOOKS[status]
        for check in result.checks:
            if check.status != status:
                continue
            points = (
                f"{check.points}/{check.max_points}"
                if status in ("pass", "skipped") and result.status == "graded"
                else f"{NONE}/{check.max_points}"
            )
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
    if check.status == "skipped":
        return f"because {check.because} failed" if check.because else check.observed
    if check.status == "error":
        return "no points lost" + (f": {check.observed}" if check.observed not in ("", result.error) else "")
    return "a person judges this" if check.status == "manual" else ""


def _happened(screen: Screen, evidence: AnyEvidence, known: EvidenceView) -> Iterator[RenderableType]:
    yield Text("What happened", "bold")
    for sentence in known.narrative():
        yield Padding(words(sentence, single=True), (0, 0, 0, 3))
    if known.show is not None:
        yield from known.show.screen(evidence, screen)


def _summary(
    screen: Screen, result: Result, again: str | None, report: str | None
) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    yield _points(screen, result)
    lines = grid({"width": 9}, {"ratio": 1})
    for note in result.notes:
        lines.add_row(Text("Note", "bold"), words(note, single=True))
    if (first := result.first_failure()) is not None:
        said = words(first.title or first.code, single=True)
        said.append_text(words(f"  {first.code}", QUIET, single=True))
        lines.add_row(Text("Fix first", "bold"), said)
    if again:
        lines.add_row(Text("Run again", "bold"), words(again, "cyan", single=True))
    if report:
        lines.add_row(Text("Report", "bold"), words(report, single=True))
    if lines.row_count:
        yield lines


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


def _codes(checks: Iterable[CheckResult], style: str) -> Text:
    return words(", ".join(check.code.rpartition("/")[2] for check in checks), style, single=True)


def _class_summary(screen: Screen, results: Sequence[Result]) -> Iterator[RenderableType]:
    yield Rule(style=QUIET, characters=screen.glyph("─", "-"))
    graded = [result for result in results if result.status == "graded"]
    line = Text(count(len(results), "submission"), "bold")
    if graded:
        shares = sorted(result.score / (result.max_score or 1) for result in graded)
        median = (shares[(len(shares) - 1) // 2] + shares[len(shares) // 2]) / 2
        line.append(f"   {sum(result.passed for result in graded)} passed everything   median {median:.0%}")
    if refused := sum(result.status == "refused" for result in results):
        line.append(f"   {refused} refused", LOOKS["fail"].style)
    if missing := len(results) - len(graded) - refused:
        line.append(f"   {missing} not graded", LOOKS["error"].style)
    yield line
    failed = Counter(check.code for result in graded for check in result.checks if check.status == "fail")
    if failed:
        bars = grid({"max_width": 40}, {"justify": "right", "no_wrap": True}, {"ratio": 1})
        for code, number in failed.most_common():
            bars.add_row(words(code, single=True), str(number), bar(screen, number, len(graded), "red"))
        yield Text()
        yield Text("Failed most often", "bold")
        yield bars

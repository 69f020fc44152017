"""A result, or a class, in Markdown as GitHub, GitLab and many others show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.display.text import fenced, markdown
from grader.model.evidence import AnyEvidence
from grader.model.hints import UNASKED
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import LABELS, WORDS, decided, headline, plain, points, remarks, title, told
from grader.outputs.references import readable


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """A table of all checks, then the feedback on what did not pass."""
    return report(result).encode()


def report(result: Result, longest: int | None = None) -> str:
    """The document as text; every text at most ``longest`` characters long."""
    return "\n".join(_report(result, longest)) + "\n"


def many(results: Iterable[Result], missing: Iterable[str] = ()) -> Iterator[bytes]:
    """A line a student, and in it the first failure; at the end whoever is ``missing``, who handed nothing in."""
    return (f"{line}\n".encode() for line in _class_lines(results, missing))


def _class_lines(results: Iterable[Result], missing: Iterable[str]) -> Iterator[str]:
    yield from ("| student | score | of | first failure |", "|---|--:|--:|---|")
    for result in results:
        first = result.first_failure()
        said = WORDS["error"] if not result.final else title(first) if first else ""
        score = str(result.score) if result.final else ""
        yield f"| {markdown(result.student or '')} | {score} | {result.max_score} | {markdown(said)} |"
    for student in missing:
        yield f"| {markdown(student)} |  |  | handed nothing in |"


def _report(result: Result, longest: int | None) -> Iterator[str]:
    yield f"# {markdown(result.lab_title or result.lab)}"
    yield ""
    yield f"**{headline(result)}**" + (f" ({markdown(result.student)})" if result.student else "")
    for remark in remarks(result):
        yield from ("", fenced(plain(remark, longest)))
    yield from ("", "| | check | points |", "|---|---|--:|")
    for check in result.checks:
        given = f"{check.points} / {check.max_points}" if check.status in ("pass", "fail", "skipped") else ""
        yield f"| {WORDS[check.status]} | {markdown(title(check)[:longest])} | {given} |"
    for check in result.checks:
        if check.status in ("fail", "error", "manual") or check.decision is not None:
            yield from _told(check, longest)


def _told(check: CheckResult, longest: int | None) -> Iterator[str]:
    yield from ("", f"## {markdown(title(check)[:longest])}", "", f"{WORDS[check.status]}, {points(check)}")
    if said := decided(check):
        yield from ("", fenced(plain(said, longest)))
    for label, text in told(check) if check.status != "pass" else ():
        yield from ("", f"**{label}**", "", fenced(plain(text, longest)))
    if check.remarks:
        yield from ("", fenced("\n".join(plain(remark, longest) for remark in check.remarks)))
    for rung, text in check.ladder.items() if check.status == "fail" else ():
        if rung not in UNASKED:
            # Folded, where a page can: GitHub and GitLab let this element through.
            yield from (
                "",
                f"<details><summary>{LABELS[rung]}</summary>",
                "",
                fenced(plain(text, longest)),
                "",
                "</details>",
            )
    if check.references:
        yield from ("", f"See {markdown('; '.join(map(readable, check.references))[:longest])}")

"""Annotations on GitHub: commands that a step prints, which show beside the lines of the files that they name.

What would end a command or one of its properties is escaped as in actions/toolkit. GitHub shows ten of a kind a step.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import body, headline, plain, preface, title

_COMMANDS = {"fail": "error", "error": "warning", "manual": "notice"}
"""What a check is announced as. What was skipped waits for another, which is announced."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The lines, which go to standard output."""
    return "".join(f"{line}\n" for line in _lines(result, EvidenceView(evidence))).encode()


def _lines(result: Result, view: EvidenceView) -> Iterator[str]:
    if result.final:
        yield _command("notice", f"smtplab: {headline(result)}", preface(result))
    elif result.status == "refused":
        yield _command("error", f"smtplab: {headline(result)}", preface(result))
    else:
        yield _command("warning", "smtplab: the grader failed", preface(result))
    for check in result.checks:
        if command := _COMMANDS.get(check.status):
            yield _command(command, title(check), body(check), **_place(check, view))


def _place(check: CheckResult, view: EvidenceView) -> dict[str, str]:
    place = view.place(check) if check.status == "fail" else None
    if place is None:
        return {}
    if place.span is None:
        return {"file": place.file}
    named = {"file": place.file, "line": str(place.span.line + 1)}
    if place.span.length:
        named["col"] = str(place.span.column + 1)
        named["endColumn"] = str(place.span.column + place.span.length)
    return named


def _command(command: str, heading: str, text: str, **properties: str) -> str:
    given = {**properties, "title": heading}
    named = ",".join(f"{key}={_property(value)}" for key, value in given.items())
    return f"::{command} {named}::{_data(text)}"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

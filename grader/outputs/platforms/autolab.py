"""What Autolab reads from a grader's standard output: text for the student, and scores on the last line.

Autolab puts quotation marks around each word before a colon in all of that line before it reads it as JSON, so no
text in it may hold a colon: it stands as the escape ``\\u003a``. Where the grader failed there are no scores: Autolab
has no other state for it, and tells staff that the result cannot be read.
"""

from __future__ import annotations

from grader.display.jsontext import encoded
from grader.display.text import printed
from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import WORDS, body, fitted, headline, points, preface, short_code, title

MOST_BYTES = 1_024_000
"""Of more, Tango leaves the middle out."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The lines for the student, then ``{"scores": {"CODE": points, ...}}``: a problem for each check."""
    return fitted(lambda longest: _document(result, longest), MOST_BYTES)


def _document(result: Result, longest: int | None) -> bytes:
    lines = [preface(result, longest), ""]
    for check in result.checks:
        lines += [f"{WORDS[check.status]}: {title(check)[:longest]} ({points(check)})"]
        # Indented, so that no line of a stranger's is one of the grader's.
        lines += [f"    {line}" for line in body(check, longest).split("\n") if line]
    last = scores(result) if result.final else headline(result).encode()
    return printed("\n".join(lines)).encode() + b"\n" + last + b"\n"


def scores(result: Result) -> bytes:
    """The last line. What a person decides on is left to that person."""
    judged = {short_code(check): check.points for check in result.checks if check.status != "manual"}
    pieces = [encoded(code).replace(b":", b"\\u003a") + b": %d" % given for code, given in judged.items()]
    return b'{"scores": {' + b", ".join(pieces) + b"}}"

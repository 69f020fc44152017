"""The feedback of an INGInious task: the JSON that its commands ``feedback-result`` and so on write.

Messages are reStructuredText in which INGInious lets raw HTML through. So everything that is not smtplab's own
sentence stands in a literal block, where there is no markup. What the grader failed at is a ``crash``, which is no
grade.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.display.jsontext import indented
from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import WORDS, body, headline, plain, points, remarks, share, title


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """The document that lies at ``/.__output/__feedback.json``; the grade is in percent."""
    text = "\n\n".join([headline(result), *_blocks(result)]) + "\n"
    if not result.final:
        return indented({"result": "failed" if result.status == "refused" else "crash", "text": text})
    return indented(
        {
            "result": "success" if result.passed else "failed",
            "grade": round(100 * share(result), 2),
            "text": text,
        }
    )


def _blocks(result: Result) -> Iterator[str]:
    if said := [plain(remark) for remark in remarks(result)]:
        # A block that begins with a word of smtplab's: one of blank lines alone would be none, and end elsewhere.
        yield _literal("\n".join(["Remarks:", *said]))
    for check in result.checks:
        named = f"{WORDS[check.status]}: {title(check)} ({points(check)})"
        yield _literal("\n".join(filter(None, [named, body(check)])))


def _literal(text: str) -> str:
    """A literal block: ``::`` on a line of its own, and every line indented."""
    return "::\n\n" + "\n".join(f"    {line}" for line in text.split("\n"))

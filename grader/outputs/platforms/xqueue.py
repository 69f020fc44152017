"""The body of a reply to Open edX's xqueue.

``msg`` is XML that Open edX shows as HTML: it is built as elements, so no text is markup. Where the grader failed
there is neither ``correct`` nor ``score``: Open edX then tells the student to contact the staff, and records no
grade. Better still is to send no reply, so that the submission stays in the queue.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from grader.display.jsontext import indented
from grader.display.text import xml
from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.feedback import WORDS, body, points, preface, share, title


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """``{"correct": ..., "score": 0..1, "msg": "<div>...</div>"}``."""
    message = Element("div")
    SubElement(message, "pre").text = xml(preface(result))
    for check in result.checks:
        SubElement(message, "p").text = xml(f"{WORDS[check.status]}: {title(check)} ({points(check)})")
        if said := body(check):
            SubElement(message, "pre").text = xml(said)
    grade = (
        {"correct": result.passed, "score": share(result)}
        if result.final or result.status == "refused"
        else {}
    )
    return indented({**grade, "msg": tostring(message, encoding="unicode")})

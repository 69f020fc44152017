"""Grades as Moodle's XML import takes them ("Grades", "Import", "XML file").

The grade item's ID number has to be the lab's id, or what course.yaml says, and the user's ID number the student's. One
result that Moodle cannot take ends the whole import, and a score has to be a number: whoever has no grade to be given
back is left out.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from grader.display.text import one_line, xml
from grader.model.result import Result
from grader.outputs.gradebooks import book


def many(results: Sequence[Result]) -> Iterator[bytes]:
    """A ``result`` for each grade, with the feedback as HTML."""
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n'
    some = False
    for one in _grades(results):
        yield b"\n  " if some else b"<results>\n  "
        some = True
        ElementTree.indent(one, level=1)
        piece: bytes = ElementTree.tostring(one, encoding="utf-8")
        yield piece
    yield b"\n</results>\n" if some else b"<results />\n"


def _grades(results: Sequence[Result]) -> Iterator[Element]:
    grades = book(results)
    for student, entry in grades.entries(feedback=True):
        for lab, score in entry.grades.items():
            if score is None:
                continue
            one = Element("result")
            item = grades.assignments[lab].get("moodle") or lab
            for name, text in (("assignment", item), ("student", student), ("score", str(score))):
                SubElement(one, name).text = xml(one_line(text))
            SubElement(one, "feedback").text = xml(html.escape(entry.feedback[lab], quote=False))
            yield one

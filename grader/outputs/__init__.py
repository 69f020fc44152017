"""Renders results for people and for programs, then writes them. Rendering is pure: the same result, the same bytes.

- ``document``, ``junit``, ``gradebook_csv``, ``html`` give the bytes of a file; ``terminal`` is a module of its own
- ``write`` puts bytes into a file, whole or not at all
- ``FORMATS`` lists the formats by name, for whoever lets a user choose

Nothing is imported until it is needed: a check that prints JSON should not wait for a template engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType

from grader.model.evidence import AnyEvidence
from grader.model.result import Result
from grader.outputs.files import write

__all__ = ["FORMATS", "Format", "document", "gradebook_csv", "html", "junit", "write"]


def document(value: Result | AnyEvidence) -> bytes:
    """The JSON document of a result or of evidence: keys in a fixed order, UTF-8, a line feed at its end.

    A result is indented, for people read it; evidence is long and stands on one line.
    """
    from grader.outputs import jsonfile

    return jsonfile.document(value)


def junit(results: Iterable[Result]) -> bytes:
    """JUnit XML, one suite a result, valid under the schemas of Jenkins' xUnit plugin and of Ant."""
    from grader.outputs import junitxml

    return junitxml.document(results)


def gradebook_csv(results: Iterable[Result]) -> bytes:
    """A class as CSV (RFC 4180, UTF-8): student, score, max_score, status, then the points of each check."""
    from grader.outputs import gradebook

    return gradebook.document(results)


def html(result: Result, evidence: AnyEvidence | None = None) -> bytes:
    """The report on one result as a single HTML file that loads nothing from anywhere.

    Without evidence it has the feedback alone. Raises ``UsageError`` where smtplab's own templates are missing.
    """
    from grader.outputs import webpage

    return webpage.document(result, evidence)


@dataclass(frozen=True)
class Format:
    """A format by the name that ``--format`` takes. ``one`` renders a result, ``many`` a class; one may be missing."""

    name: str
    file: str
    about: str
    one: Callable[[Result, AnyEvidence | None], bytes] | None = None
    many: Callable[[Iterable[Result]], bytes] | None = None


FORMATS = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Format("json", "result.json", "the result document", one=lambda result, _: document(result)),
            Format("html", "report.html", "the report to read in a browser", one=html),
            Format(
                "junit", "junit.xml", "JUnit XML for CI", one=lambda result, _: junit([result]), many=junit
            ),
            Format("csv", "grades.csv", "the class for a spreadsheet or gradebook", many=gradebook_csv),
        )
    }
)
"""Every format, in the order in which help lists them."""

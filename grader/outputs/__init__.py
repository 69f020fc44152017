"""Renders results for people and for programs, then writes them. Rendering is pure: the same result, the same bytes.

- ``document``, ``junit``, ``gradebook_csv``, ``html`` give the bytes of a file; ``terminal`` is a module of its own
- ``write`` puts bytes into a file, whole or not at all
- ``FORMATS`` lists the formats by name, for whoever lets a user choose

Nothing is imported until it is needed: a check that prints JSON should not wait for a template engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Literal

from grader.outputs.files import write

if TYPE_CHECKING:
    from grader.model.evidence import AnyEvidence
    from grader.model.result import Result

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

    return junitxml.many(results)


def gradebook_csv(results: Iterable[Result]) -> bytes:
    """A class as CSV (RFC 4180, UTF-8): student, score, max_score, status, reason, then the points of each check."""
    from grader.outputs import gradebook

    return gradebook.many(results)


def html(result: Result, evidence: AnyEvidence | None = None) -> bytes:
    """The report on one result as a single HTML file that loads nothing from anywhere.

    Without evidence it has the feedback alone. Raises ``UsageError`` where smtplab's own templates are missing.
    """
    from grader.outputs import webpage

    return webpage.one(result, evidence)


@dataclass(frozen=True)
class Format:
    """A format by the name that ``grade --format`` takes, and ``check`` as an option of its own (``--NAME FILE``).

    ``module`` renders it, and is imported when it is first needed: its function ``one`` takes a result and its
    evidence, which may be ``None``; its function ``many`` the results of a class. ``doors`` names which it has.
    ``always``: a class's folders hold it whatever was chosen. ``of_evidence``: there is none without evidence.
    """

    name: str
    file: str
    about: str
    module: str
    doors: tuple[Literal["one", "many"], ...]
    always: bool = False
    of_evidence: bool = False

    @property
    def one(self) -> Callable[[Result, AnyEvidence | None], bytes] | None:
        """What renders one result; ``None`` where the format is of a class alone."""
        return self._door("one")

    @property
    def many(self) -> Callable[[Iterable[Result]], bytes] | None:
        """What renders a class; ``None`` where the format is of one result alone."""
        return self._door("many")

    def _door(self, name: Literal["one", "many"]) -> Callable[..., bytes] | None:
        return partial(self._render, name) if name in self.doors else None

    def _render(self, door: str, *given: object) -> bytes:
        rendered: bytes = getattr(self.load(), door)(*given)
        return rendered

    def load(self) -> ModuleType:
        """Import what renders it."""
        return import_module(self.module)


FORMATS = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Format(
                "json", "result.json", "the result document", "grader.outputs.jsonfile", ("one",), always=True
            ),
            Format("html", "report.html", "the report for a browser", "grader.outputs.webpage", ("one",)),
            Format("junit", "junit.xml", "JUnit XML for CI", "grader.outputs.junitxml", ("one", "many")),
            Format(
                "csv", "grades.csv", "the class for a spreadsheet or gradebook", "grader.outputs.gradebook", ("many",)
            ),
            Format(
                "evidence", "evidence.json", "everything that happened, for 'smtplab regrade'",
                "grader.outputs.evidencefile", ("one",), always=True, of_evidence=True,
            ),
        )
    }
)  # fmt: skip
"""Every format, in the order in which help lists them. A new one is a module and a row."""

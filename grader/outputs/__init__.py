"""Renders results for people and for programs, then writes them. Rendering is pure: the same result, the same bytes.

- ``document``, ``junit``, ``gradebook_csv``, ``html`` give the bytes of a file; ``terminal`` is a module of its own
- ``write`` puts bytes into a file, whole or not at all
- ``FORMATS`` lists the formats by name, for whoever lets a user choose; ``USUAL`` are those of who does not

Nothing is imported until it is needed: a check that prints JSON should not wait for a template engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

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

    return b"".join(junitxml.many(results))


def gradebook_csv(results: Iterable[Result]) -> bytes:
    """A class as CSV (RFC 4180, UTF-8): student, score, max_score, status, reason, handed_in, late, the checks."""
    from grader.outputs import gradebook

    return b"".join(gradebook.many(list(results)))


def html(result: Result, evidence: AnyEvidence | None = None) -> bytes:
    """The report on one result as a single HTML file that loads nothing from anywhere.

    Without evidence it has the feedback alone. Raises ``UsageError`` where smtplab's own templates are missing.
    """
    from grader.outputs import webpage

    return webpage.one(result, evidence)


Door: TypeAlias = Literal["one", "many"]


class Format(Struct, frozen=True):
    """A format by the name that ``grade --format`` takes, and ``check`` as an option of its own (``--NAME FILE``).

    ``module`` renders it, and is imported when it is first needed: its function ``one`` takes a result and its
    evidence, which may be ``None``; its function ``many`` the results of a class, and gives the document piece by
    piece; each result is read whenever it is asked for. ``doors`` names which of them it has.
    ``always``: a class's folders hold it whatever was chosen. ``of_evidence``: there is none without evidence.
    ``usual``: it is written where nobody chose. ``reader`` is the platform that it is made for, if there is one.
    ``missing``: its ``many`` takes besides the ids of whoever handed nothing in, and says so. ``staff``: only the
    course's staff read it, and find there what students may not see yet; ``says_hidden``: it tells the platform what
    that is.
    """

    name: str
    file: str
    about: str
    module: str
    doors: tuple[Door, ...]
    always: bool = False
    of_evidence: bool = False
    usual: bool = False
    reader: str = ""
    staff: bool = False
    says_hidden: bool = False
    missing: bool = False

    @property
    def one(self) -> Callable[[Result, AnyEvidence | None], bytes] | None:
        """What renders one result; ``None`` where the format is of a class alone."""
        return self._one if "one" in self.doors else None

    @property
    def many(self) -> Callable[[Iterable[Result]], bytes] | None:
        """What renders a class as one piece; ``None`` where the format is of one result alone."""
        return self._many if "many" in self.doors else None

    def of_class(self, results: Sequence[Result], missing: Iterable[str] = ()) -> Iterator[bytes]:
        """A class piece by piece, so that a large one takes no more memory than a small one.

        It names whoever of the class's roster is ``missing`` where the format can say so.
        """
        from grader.outputs.editions import for_students

        shown = results if self.staff else for_students(results, keep=self.says_hidden)
        yield from self.load().many(*((shown, missing) if self.missing else (shown,)))

    def _one(self, result: Result, evidence: AnyEvidence | None) -> bytes:
        from grader.outputs.editions import for_student, hides

        if not self.staff:
            # Evidence tells of every check, so it comes whole or not at all.
            evidence = None if hides(result) else evidence
            result = for_student(result, keep=self.says_hidden)
        rendered: bytes = self.load().one(result, evidence)
        return rendered

    def _many(self, results: Iterable[Result]) -> bytes:
        return b"".join(self.of_class(list(results)))

    def load(self) -> ModuleType:
        """Import what renders it."""
        return import_module(self.module)

    def make_ready(self) -> None:
        """Import and make all that rendering takes: for a process that many are rendered in forks of."""
        prepare = getattr(self.load(), "prepare", None)
        if prepare is not None:
            prepare()


def _usual(
    name: str,
    file: str,
    about: str,
    module: str,
    *doors: Door,
    always: bool = False,
    of_evidence: bool = False,
    staff: bool = False,
    missing: bool = False,
) -> Format:
    return Format(
        name, file, about, module, doors, always, of_evidence, usual=True, staff=staff, missing=missing
    )


def _of(
    reader: str,
    name: str,
    file: str,
    about: str,
    module: str,
    *doors: Door,
    says_hidden: bool = False,
    missing: bool = False,
) -> Format:
    return Format(name, file, about, module, doors, reader=reader, says_hidden=says_hidden, missing=missing)


FORMATS = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            _usual(
                "json", "result.json", "the result document",
                "grader.outputs.jsonfile", "one", always=True, staff=True,
            ),
            _usual("html", "report.html", "the report for a browser", "grader.outputs.webpage", "one"),
            _usual("junit", "junit.xml", "JUnit XML for CI", "grader.outputs.junitxml", "one", "many"),
            _usual(
                "csv", "grades.csv", "the class for a spreadsheet or gradebook",
                "grader.outputs.gradebook", "many", staff=True, missing=True,
            ),
            _usual(
                "evidence", "evidence.json", "everything that happened, for 'smtplab regrade'",
                "grader.outputs.evidencefile", "one", always=True, of_evidence=True, staff=True,
            ),
            _of(
                "", "markdown", "report.md", "the result, or the class, in Markdown",
                "grader.outputs.markdown", "one", "many", missing=True,
            ),
            _of(
                "editors, code hosts", "sarif", "result.sarif", "findings at lines of files",
                "grader.outputs.sarif", "one",
            ),
            _of(
                "GitLab", "junit-gitlab", "junit-gitlab.xml", "JUnit XML for its test report",
                "grader.outputs.platforms.junit_gitlab", "one", "many",
            ),
            _of(
                "GitLab", "gitlab-metrics", "metrics.txt", "points as metrics",
                "grader.outputs.platforms.gitlab_metrics", "one",
            ),
            _of(
                "GitHub", "junit-github", "junit-github.xml", "JUnit XML for its test reporters",
                "grader.outputs.platforms.junit_github", "one", "many",
            ),
            _of(
                "GitHub", "github-annotations", "annotations.txt", "annotations, for standard output",
                "grader.outputs.platforms.github_annotations", "one",
            ),
            _of(
                "GitHub", "github-summary", "summary.md", "the summary of a job",
                "grader.outputs.platforms.github_summary", "one",
            ),
            _of(
                "Artemis", "junit-artemis", "junit-artemis.xml", "JUnit XML that it weighs by name",
                "grader.outputs.platforms.junit_artemis", "one",
            ),
            _of(
                "Gradescope", "gradescope", "gradescope.json", "its results.json",
                "grader.outputs.platforms.gradescope", "one", says_hidden=True,
            ),
            _of(
                "PrairieLearn", "prairielearn", "prairielearn.json", "its results.json",
                "grader.outputs.platforms.prairielearn", "one",
            ),
            _of(
                "Autolab", "autolab", "autolab.txt", "the output of its autograder",
                "grader.outputs.platforms.autolab", "one",
            ),
            _of(
                "Submitty", "submitty", "submitty.json", "its validation_results.json",
                "grader.outputs.platforms.submitty", "one",
            ),
            _of(
                "INGInious", "inginious", "inginious.json", "its __feedback.json",
                "grader.outputs.platforms.inginious", "one",
            ),
            _of(
                "Moodle VPL", "vpl", "vpl.txt", "the output of vpl_execution",
                "grader.outputs.platforms.vpl", "one",
            ),
            _of(
                "CodeGrade", "codegrade", "codegrade.txt", "the number for 'Capture Points'",
                "grader.outputs.platforms.codegrade", "one",
            ),
            _of(
                "check50", "check50", "check50.json", "its JSON output",
                "grader.outputs.platforms.check50", "one",
            ),
            _of(
                "CTRF", "ctrf", "ctrf.json", "the Common Test Report Format",
                "grader.outputs.platforms.ctrf", "one", "many",
            ),
            _of(
                "Classroom 50", "classroom50", "classroom50.json", "the graded part of its result.json",
                "grader.outputs.platforms.classroom50", "one",
            ),
            _of(
                "Open edX", "xqueue", "xqueue.json", "the body of a reply to xqueue",
                "grader.outputs.platforms.xqueue", "one",
            ),
            _of(
                "Exercism", "exercism", "exercism.json", "its results.json",
                "grader.outputs.platforms.exercism", "one",
            ),
            _of(
                "Canvas", "canvas", "canvas.csv", "grades to import",
                "grader.outputs.gradebooks.canvas", "many",
            ),
            _of(
                "Moodle", "moodle", "moodle.csv", "grades and feedback to import",
                "grader.outputs.gradebooks.moodle", "many",
            ),
            _of(
                "Moodle", "moodle-xml", "moodle.xml", "grades and feedback, by ID numbers",
                "grader.outputs.gradebooks.moodle_xml", "many",
            ),
            _of(
                "Brightspace", "brightspace", "brightspace.csv", "grades to import",
                "grader.outputs.gradebooks.brightspace", "many",
            ),
        )
    }
)  # fmt: skip
"""Every format, in the order in which help lists them. A new one is a module and a row."""

USUAL = tuple(name for name, kind in FORMATS.items() if kind.usual)
"""What is written where nobody chose."""

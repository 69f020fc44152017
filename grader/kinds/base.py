"""What a kind of lab offers: a row of the table, and what each of its doors must have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from grader.model.diagnostic import Diagnostic, FilePlace
from grader.model.evidence import AnyEvidence, Facts
from grader.model.finding import Judged
from grader.model.lab import Check, Lab
from grader.model.plan import MachinePlan, Plan
from grader.model.pointer import Pointer
from grader.model.result import CheckResult
from grader.model.submission import Submission
from grader.model.variant import Variant

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.display.excerpts import Excerpt
    from grader.display.screen import Screen
    from grader.engines.base import Machines


class Kind(Struct, frozen=True):
    """A row of the table: a kind of lab by its ``name`` in ``lab.yaml``, and the ``package`` that holds its doors.

    ``about`` says what is handed in. ``template`` is the folder of fixtures (or of the kind's own package, with
    ``files``) from which a new lab is made; empty where none can. ``further`` are such folders for labs that hold more,
    by the word for what that is. ``answers_fit_one_variant`` says that a lab's own
    correct and wrong submissions fit the canonical variant alone; ``short_codes`` whether a check may be named without
    its lab.
    """

    name: str
    package: str
    about: str
    template: str = ""
    further: Mapping[str, str] = {}
    files: Path | None = None
    answers_fit_one_variant: bool = False
    short_codes: bool = True


class Words(Struct, frozen=True):
    """Words of one sort that an author may write, with what each means.

    ``title`` names the sort, ``about`` says where they stand. ``places`` are the keys that take them, each with the
    name of its type in the schema of lab.yaml; ``closed`` says that these take no others.
    """

    title: str
    about: str
    words: Mapping[str, str]
    places: tuple[tuple[str, str], ...] = ()
    closed: bool = True


class Declare(Protocol):
    """What an author may write, as types."""

    LAB: type[Lab]
    """The type of a lab of this kind."""


class Author(Protocol):
    """What an author wrote, checked beyond what the types say, and completed."""

    def complaints(self, lab: Any) -> Iterator[Diagnostic]:
        """What the schema cannot say is wrong with a lab: names that nothing bears, a check that judges nothing."""

    def completed(self, lab: Any, path: Path, data: bytes) -> Lab:
        """The lab with what its file refers to: ``lab`` as it is, for most kinds. Raises ``LabError``."""

    def texts(self, lab: Any, variant: str) -> dict[str, str]:
        """Further texts for the lab's own files in one variant, by name."""

    def vocabulary(self) -> Sequence[Words]:
        """The words that an author of this kind may write, with what they mean: ``smtplab lab names`` lists them."""


class Planner(Protocol):
    """From a lab, a submission and a variant to everything that will be done, before anything is done."""

    def make(
        self,
        lab: Any,
        submission: Submission,
        variant: Variant,
        *,
        student: str | None,
        only: set[str] | None,
    ) -> Plan:
        """The plan; a ``MachinePlan`` for a lab that needs an engine. ``only`` restricts it to these checks.

        Raises ``UsageError`` for an unknown check, ``SubmissionError`` for a submission that cannot be tried.
        """


class AheadPlanner(Planner, Protocol):
    """A planner of whose plans it is known, before anything handed in is looked at, on what machines they will act."""

    def ahead(self, lab: Any, variant: Variant) -> MachinePlan:
        """A plan of machines that can serve each plan of this lab and variant (``grader.engines.machine.alike``).

        They are built while the plan is made: this has to be had without importing what making it takes.
        """


class Recorded(Struct, frozen=True):
    """What a run gives: the kind's facts, remarks of the grader, the mail server's version, the files handed in.

    ``lab`` replaces the lab in the evidence, where some of it is not for students. ``host_ended`` says that the
    student's host was gone before the run was over.
    """

    facts: Facts
    notes: list[str] = []
    mta: str = ""
    files: list[str] = []
    lab: Lab | None = None
    host_ended: bool = False


class Runner(Protocol):
    """Acts on the submission and records what happened."""

    def act(
        self, plan: Any, lab: Any, machines: Machines | None, *, overlap: Callable[[], object]
    ) -> Recorded:
        """Carry the plan out. ``overlap`` is called once while there is nothing to do but wait.

        A submission that dies or falls silent is evidence; ``EngineError`` is raised where the world or engine fails.
        """

    def nothing(self, lab: Any, variant: str) -> Facts:
        """What is known where the grader failed before anything was recorded."""


class Judge(Protocol):
    """Judges one evidence document."""

    def judge(self, check: Check) -> Judged:
        """What became of a check, all that it needs being passed. ``hints`` caps what a failure may tell."""

    def way_open(self, check: Check) -> bool:
        """Whether at least one attempt of a control did all that it should."""

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """Remarks about the submission that no failing check has told."""


class Judging(Protocol):
    """From facts to findings. Pure: no sockets, files or clocks."""

    EVIDENCE: Any
    """The type of an evidence document of this kind."""

    def judge(self, evidence: Any, lab: Any, *, hints: str) -> Judge:
        """The judge of one evidence document. ``lab`` may be a corrected one, ``hints`` is the highest rung of help."""

    def checks(self, evidence: Any, lab: Any) -> Sequence[Check]:
        """The checks that this evidence is judged by."""

    def prepare(self, lab: Any) -> None:
        """Import what judging a lab will take, while there is nothing to do but wait."""


class Section(Struct, frozen=True):
    """A part of the HTML report: the template that draws it and its values. ``style`` is a sheet beside it."""

    template: str
    values: Mapping[str, object]
    style: str = ""


class Show(Protocol):
    """What reports draw of the facts. Pure."""

    TEMPLATES: Path | None
    """A folder of templates of the kind's own, ``None`` where they are among smtplab's (``reports/report``)."""

    def narrative(self, evidence: Any) -> Iterator[str]:
        """What happened, a sentence for each part of the run, without judgement."""

    def holds(self, evidence: Any, pointer: Pointer) -> bool:
        """Whether the evidence has the piece that a pointer names."""

    def place(self, evidence: Any, pointer: Pointer) -> FilePlace | None:
        """Where in a file that was handed in a piece of the evidence stands; ``None`` for what is in none."""

    def excerpts(self, evidence: Any, pointers: Sequence[Pointer], rows: int) -> tuple[list[Excerpt], int]:
        """Excerpts of at most ``rows`` lines for the pointers of a check, and how many of these are not shown."""

    def sections(self, evidence: Any, pointers: Sequence[Pointer]) -> Iterable[Section]:
        """Parts of the HTML report, in their order; ``pointers`` are those of all checks."""

    def screen(self, evidence: Any, screen: Screen) -> Iterator[RenderableType]:
        """What a long report on the terminal adds to the narrative."""


def nothing_more(evidence: AnyEvidence, screen: Screen) -> Iterator[RenderableType]:
    """A ``Show.screen`` that adds nothing."""
    yield from ()


def in_no_file(evidence: AnyEvidence, pointer: Pointer) -> FilePlace | None:
    """A ``Show.place`` for evidence that holds nothing of the files handed in."""
    return None

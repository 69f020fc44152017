"""A lab as its author declares it in ``lab.yaml``, as far as all kinds of lab share it.

Each kind extends these types by its own keys (``grader.kinds.KIND.declare``), and the extended ones are the schema:
``smtplab lab schema`` prints the JSON Schema made from them, the loader refuses what does not fit them, and the meta
descriptions are what an editor shows while an author types.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Hints(Struct, frozen=True, forbid_unknown_fields=True):
    """Help beside the next step, which comes before the example. The instructor caps how much is seen."""

    nudge: Annotated[Text, Meta(description="A question or thought that points the right way.")]
    pointer: Annotated[Text, Meta(description="Which setting, section or page to read.")]
    example: Annotated[Text, Meta(description="A worked example, close to the answer.")]


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is judged, worth points, with the feedback for its failure.

    Each kind of lab adds ``try``, what is attempted, and ``expect``, what must hold.
    """

    code: Code
    title: Annotated[Text, Meta(description="The outcome in the student's words.")]
    points: Annotated[int, Meta(ge=0, le=1000)]
    why: Annotated[Text, Meta(description="Why it matters. Names no fix.")]
    next: Annotated[Text, Meta(description="What to do next. Only here is a fix named.")]
    needs: Annotated[
        list[Code],
        Meta(description="Checks without which this one says nothing: it is skipped if they fail."),
    ] = []
    control: Annotated[
        list[Code],
        Meta(description="Checks that prove the way open; without them an absence proves nothing."),
    ] = []
    see: Annotated[list[Text], Meta(description="RFC sections and reference sheets.")] = []
    tags: list[Code] = []
    expected: Annotated[str | None, Meta(description="The expectation in a sentence.")] = None
    hints: Hints | None = None
    explain: Annotated[
        str | None, Meta(description="The long text of 'smtplab explain CODE' (Markdown).")
    ] = None

    @property
    def depends_on(self) -> set[str]:
        """Codes of the checks without whose outcome this one cannot be judged."""
        return {*self.needs, *self.control}


class SubmissionRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files are handed in."""

    required: Annotated[list[str], Meta(min_length=1)]
    optional: Annotated[list[str], Meta(description="Glob patterns of further files.")] = field(
        default_factory=lambda: ["*", "*/*"]
    )
    max_files: Annotated[int, Meta(ge=1, le=1000, description="How many files may be handed in.")] = field(
        name="max-files", default=100
    )
    max_bytes: Annotated[int, Meta(ge=1, description="How large they may be together.")] = field(
        name="max-bytes", default=1_000_000
    )


class Lab(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """A lab: what students are asked, given and judged by. ``kind`` says what is handed in.

    ``needs_engine`` says whether a submission runs on machines of its own.
    """

    id: Identifier
    title: Text
    version: Annotated[str, Meta(pattern=r"^\d+(\.\d+)*$")]
    summary: Text
    submission: SubmissionRules
    minutes: Annotated[int, Meta(ge=1, description="How long a student needs.")] = 60
    teaches: list[Text] = []

    needs_engine: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """The kind's name, as ``lab.yaml`` has it."""
        return str(self.__struct_config__.tag)

    @property
    def all_checks(self) -> Sequence[Check]:
        """The checks, whatever more their kind knows of them."""
        return getattr(self, "checks", ())

    @property
    def max_score(self) -> int:
        """The points of all checks together."""
        return sum(check.points for check in self.all_checks)

    def check(self, code: str) -> Check:
        """The check with this code, without the lab's prefix. Raises ``KeyError``."""
        for check in self.all_checks:
            if check.code == code:
                return check
        raise KeyError(code)


class Wrong(Struct, frozen=True, forbid_unknown_fields=True):
    """``wrong/<fault>/expect.yaml``: what a known-wrong submission must lose, and nothing else."""

    fails: Annotated[list[Code], Meta(min_length=1)]
    about: Text
    skips: list[Code] = []
    removes: Annotated[list[Text], Meta(description="Files of the solution that are not handed in.")] = []

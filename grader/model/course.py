"""A course as an instructor declares it in ``course.yaml``: what need not be said again on the command line."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model.lab import Identifier, Text
from grader.model.result import Visibility

Tier = Literal["none", "nudge", "pointer", "next", "example"]


class CourseLab(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one lab is graded in the course."""

    due: Annotated[
        str | None,
        Meta(
            description="When it is due, as 2026-12-01T23:59+01:00. What comes later is marked late, and judged alike."
        ),
    ] = None
    hints: Annotated[Tier | None, Meta(description="The highest rung of help that is shown.")] = None
    formats: Annotated[list[Text], Meta(description="What is written, as for --format.")] = []
    layout: Annotated[str | None, Meta(description="What the platform's downloads are, as for --layout.")] = (
        None
    )
    groups: Annotated[bool, Meta(description="The roster's groups hand in together.")] = False
    overrides: Annotated[Text | None, Meta(description="A file of decisions, as for --overrides.")] = None
    visibility: Annotated[
        dict[Text, Visibility],
        Meta(
            description="When students see a check's name and text: always, after-due or never. By the check's "
            "code, or by its tag as '#tag'; a code counts more."
        ),
    ] = {}
    assignment: Annotated[
        dict[Text, Text],
        Meta(
            description="What platforms call the assignment: Canvas's number, Moodle's ID number, a line item's URL."
        ),
    ] = {}


class Course(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A course: its key, its class, its labs. Paths are relative to the file."""

    title: Text
    key: Annotated[
        Text | None, Meta(description="The course's key. Better kept in a file of its own, or in a variable.")
    ] = None
    key_file: Annotated[Text | None, Meta(description="The file whose first line is the course's key.")] = (
        field(name="key-file", default=None)
    )
    key_variable: Annotated[
        Text | None, Meta(description="The environment variable that holds the course's key.")
    ] = field(name="key-variable", default=None)
    roster: Annotated[Text | None, Meta(description="The class as CSV, as for --roster.")] = None
    labs: Annotated[
        dict[Identifier, CourseLab], Meta(description="The labs of the course, by their ids.")
    ] = {}

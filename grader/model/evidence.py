"""Evidence: what was done and what happened, as data that can be judged again without a container.

What all kinds of lab share stands here; what only one kind records is its ``Facts``.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct

from grader.model.lab import Lab

SCHEMA = "smtplab/evidence/2"


class Tried(Struct, frozen=True, kw_only=True):
    """One thing that was to be tried for a check. ``source`` and ``listener`` say who tries it where, if anybody."""

    id: str
    check: str
    title: str
    source: str = ""
    listener: str = ""


class Facts(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What a kind of lab records of a run."""


L = TypeVar("L", bound=Lab, covariant=True)
F = TypeVar("F", bound=Facts, covariant=True)


class Evidence(Struct, Generic[L, F], frozen=True, kw_only=True):
    """Everything about one run. Credentials are redacted before it is stored."""

    schema: str = SCHEMA
    lab: L
    student: str | None
    variant: str
    names: Annotated[
        dict[str, str], Meta(description="The variant's public names, for the feedback's texts.")
    ]
    started: Annotated[str, Meta(description="UTC, ISO 8601 with milliseconds, ends in Z.")]
    duration: Annotated[float, Meta(description="Seconds.")]
    engine: str
    image: str
    mta: Annotated[str, Meta(description="Name and version of the student's mail server, if one ran.")] = ""
    files: Annotated[list[str], Meta(description="Names of the files handed in.")] = []
    notes: Annotated[
        list[str], Meta(description="Remarks of the grader on the run, such as a limit reached.")
    ] = []
    error: Annotated[str | None, Meta(description="The grader's own fault, which costs no points.")] = None
    checks: Annotated[
        list[str] | None, Meta(description="The checks that were to be tried, if they were not all.")
    ] = None
    facts: Annotated[F, Meta(description="What this kind of lab records.")]


AnyEvidence = Evidence[Any, Any]
"""Evidence of whatever kind."""

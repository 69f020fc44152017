"""What an author may write."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from grader.model import lab


class TextTry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read."""

    file: Annotated[str, Meta(description="A file handed in.")]


class TextExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of each file. All given expectations must hold."""

    holds: Annotated[list[str], Meta(description="Words that stand in some line.")] = []
    lacks: Annotated[list[str], Meta(description="Words that stand in no line.")] = []


class TextCheck(lab.Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check of a text."""

    attempts: Annotated[list[TextTry], Meta(min_length=1)] = field(name="try")
    expect: TextExpect


class TextLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="text"):
    """A lab whose students hand in a text."""

    checks: Annotated[list[TextCheck], Meta(min_length=1)]


LAB = TextLab

"""Where the simulator is known to differ from Postfix (``differences.yaml``)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader import resources
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson.entries import Id, Text


class KnownDifference(Struct, frozen=True, forbid_unknown_fields=True):
    """A difference that is not worth fixing, and a session that shows it: the last line's replies by their codes."""

    id: Id
    about: Text
    why: Text
    lines: Annotated[list[str], Meta(min_length=1, description="``<N*text>`` repeats a text.")]
    simulated: list[str]
    real: list[str]


def known_differences() -> list[KnownDifference]:
    """All of them. Raises ``LabError`` with what is wrong in the file."""
    path = resources.folder("reports") / "data" / "simulator" / "differences.yaml"
    return parse(read_bytes(path, "the simulator's known differences"), path, list[KnownDifference])

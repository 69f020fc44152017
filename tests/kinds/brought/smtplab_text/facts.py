"""What is recorded: the lines of each file."""

from __future__ import annotations

from msgspec import Struct

from grader.model.evidence import Evidence, Facts, Tried
from smtplab_text.declare import TextLab


class Read(Struct, frozen=True):
    """A file as it was read."""

    name: str
    lines: list[str]


class TextFacts(Facts, frozen=True, kw_only=True, tag="text"):
    """The files, and which attempt is about which."""

    attempts: list[Tried] = []
    read: list[Read] = []


TextEvidence = Evidence[TextLab, TextFacts]

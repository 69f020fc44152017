"""Messages to try the analyser on."""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from grader import resources
from grader.labs.yamlfile import parse, read_bytes


class Sample(Struct, frozen=True, forbid_unknown_fields=True):
    """A message to try. Its lines end with LF alone, as they do in the file."""

    id: str
    title: str
    text: str
    message: str

    @property
    def raw(self) -> bytes:
        """The message as it is sent."""
        return self.message.replace("\n", "\r\n").encode()


@cache
def examples() -> list[Sample]:
    """All of them, in the file's order. Raises ``LabError`` for a fault in the file."""
    path = resources.folder("reports") / "data" / "messages.yaml"
    return parse(read_bytes(path, "the lesson's data"), path, list[Sample])

"""What the lesson's entries are called: enough to send a reader to them, without the lesson's own program."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from grader import resources
from grader.model.errors import LabError


class EntryTitle(Struct, frozen=True):
    """An entry of the lesson, as far as a report or a quiz speaks of it."""

    id: str
    title: str
    summary: str
    references: list[str]


def files() -> list[Path]:
    """The files of entries, in alphabetical order."""
    return sorted((resources.folder("reports") / "data").glob("*.yaml"))


def sheets() -> dict[str, EntryTitle]:
    """All entries of the lesson by their ids. Raises ``LabError`` where a file of them cannot be read."""
    found: dict[str, EntryTitle] = {}
    for path in files():
        try:
            listed = yaml.load(path.read_bytes(), yaml.CBaseLoader)  # noqa: S506  # every scalar is text
        except (OSError, yaml.YAMLError) as error:
            raise LabError(f"{path} cannot be read: {error}") from error
        for value in listed if isinstance(listed, list) else []:
            if isinstance(value, dict) and {"id", "title", "summary", "references"} <= value.keys():
                sheet = msgspec.convert(value, EntryTitle)
                found[sheet.id] = sheet
    return found

"""The words that authors of labs may write, with what they mean: listed, as a page, and in the schema for editors.

All of it is made from the types, tables and files that the program itself goes by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from grader import kinds, resources
from grader.kinds.base import Words
from grader.labs.schema import schema_of
from grader.labs.world import read_world

PASSWORDS = {
    "alice_password": "alice's password; in files alone",
    "bob_password": "bob's password; in files alone",
}


def common() -> list[Words]:
    """The words of all kinds of lab."""
    names = {
        name: f"{declared.about} ({declared.canonical}{'; the same in every variant' if declared.fixed else ''})"
        for name, declared in read_world().names.items()
    }
    return [
        Words(
            "Names",
            "of the variant: in lab.yaml in braces, `{domain}`; in files between at signs, `@domain@`. Behind each "
            "stands its value in the canonical variant",
            {**names, **PASSWORDS},
        )
    ]


def of_kind(name: str) -> list[Words]:
    """The words of one kind of lab, beside those of all."""
    return list(kinds.author(name).vocabulary())


@cache
def keys_of(type_: Any) -> dict[str, str]:
    """The keys of a declaration's type, each with its description and, where these are few, its values."""
    described = schema_of(type_)
    whole = described["$defs"][type_.__name__]
    return {key: _about(part) for key, part in whole["properties"].items() if key != "kind"}


def _about(part: dict[str, Any]) -> str:
    """The description of a key, which may stand with one of its alternatives."""
    for place in (part, *part.get("anyOf", ())):
        if "description" in place:
            return " ".join(str(place["description"]).split())
    return ""


def form_words() -> dict[str, str]:
    """The lists of mails, each with the comment at the beginning of its file."""
    folders = [resources.folder("fixtures"), *resources.lab_folders()]
    return {
        path.stem: _comment(path) for folder in folders for path in sorted((folder / "forms").glob("*.yaml"))
    }


def _comment(path: Path) -> str:
    lines = re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8", errors="replace"))
    assert lines is not None
    return " ".join(line.lstrip("# ") for line in lines[0].splitlines())


def page() -> str:
    """All words as a page of the documentation, in Markdown."""
    parts = [
        "# Words of lab.yaml\n",
        "Made by `make schemas` from the program's own tables. `smtplab lab names` prints the same, with the forms of "
        "your own labs.\n",
        *_sections(common(), "##"),
    ]
    for name in kinds.names():
        parts += [f"## Labs of kind `{name}`: {kinds.kind(name).about}\n", *_sections(of_kind(name), "###")]
    return "\n".join(parts)


def _sections(words: Iterable[Words], heading: str) -> Iterator[str]:
    for sort in words:
        yield f"{heading} {sort.title}\n\n{sort.about[0].upper()}{sort.about[1:]}.\n\n| | |\n|---|---|"
        yield "".join(f"| `{word}` | {_cell(about)} |\n" for word, about in sort.words.items())


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "\\<")

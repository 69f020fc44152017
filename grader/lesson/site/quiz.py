"""What the page of the knowledge check shows and reads."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec

from grader.lesson.library import Library
from grader.outputs import references

TASKS = {
    "single": "One is right.",
    "multiple": "One or more are right: choose all of them.",
    "order": "Put all of them in order with the arrows.",
    "match": "Choose what belongs to each.",
    "fill": "Type a word or number.",
}
"""What is to be done with each kind of question."""


def values(library: Library) -> Mapping[str, object]:
    """The topics to choose from."""
    return {"topics": sorted({question.topic for question in library.questions})}


def data(library: Library, addresses: Mapping[str, str]) -> Mapping[str, object]:
    """The bank in base64, so that no answer is read by chance in the page's source, and where to read about each."""
    sheets = {}
    for name in sorted({name for question in library.questions for name in question.see}):
        if (entry := library.entries.get(name)) is None:
            sheets[name] = {"text": name, "href": references.link(name)}
        else:
            href = addresses.get(name) or references.link(entry.references[0])
            text = entry.title if name in addresses else f"{entry.title} ({entry.references[0]})"
            sheets[name] = {"text": text, "href": href}
    bank = base64.b64encode(msgspec.json.encode(library.questions)).decode()
    return {"bank": bank, "tasks": TASKS, "sheets": sheets}

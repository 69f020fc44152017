"""Whether the documents on a graded attack are what their readers take, whatever strangers' text is in them."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from lxml import html

from grader import outputs, pipeline
from grader.outputs import terminal
from grader.pipeline import Graded
from tests.outputs.test_junit import valid

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "result.json"
MEGABYTE = 1024 * 1024
STRANGERS = ("img", "iframe", "base", "object", "embed", "form", "svg")
"""Elements of HTML that no report has."""
LINKS = ("#", "https://")


def faults(graded: Graded, *, megabytes: float = 8.0) -> list[str]:
    """What is wrong with the documents; ``megabytes`` is the most that all of them may have."""
    evidence, result = outputs.document(graded.evidence), outputs.document(graded.result)
    page = outputs.html(graded.result, graded.evidence)
    found = [f"result.json: {error.message[:300]}" for error in _validator().iter_errors(json.loads(result))]
    if pipeline.regrade(evidence) != graded.result:
        found.append("evidence.json: judged again, it gives another result")
    valid(outputs.junit([graded.result]))
    found += [f"report.html: {fault}" for fault in _page_faults(page)]
    found += [f"on the terminal: {fault}" for fault in _screen_faults(graded)]
    if (size := len(evidence) + len(result) + len(page)) > megabytes * MEGABYTE:
        found.append(f"the documents have {size / MEGABYTE:.1f} megabytes, and may have {megabytes:.0f}")
    return found


@cache
def _validator() -> Draft202012Validator:
    schema: dict[str, Any] = json.loads(SCHEMA.read_bytes())
    return Draft202012Validator(schema)


def _page_faults(page: bytes) -> Iterator[str]:
    text = page.decode()
    yield from _controls(text)
    for element in html.document_fromstring(text).iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag in STRANGERS and element.getparent() is not None and not element.get("class"):
            yield f"it has an element {element.tag}"
        if handlers := [name for name in map(str, element.attrib) if name.startswith("on")]:
            yield f"{element.tag} has {handlers}"
        if not (link := str(element.get("href") or "#")).startswith(LINKS):
            yield f"it links to {link[:100]!r}"


def _screen_faults(graded: Graded) -> Iterator[str]:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
    terminal.show(graded.result, graded.evidence, verbose=True, file=file, width=100, color=False)
    file.flush()
    yield from _controls(raw.getvalue().decode())


def _controls(text: str) -> Iterator[str]:
    for char in sorted(set(text)):
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t\r":
            yield f"it holds {char!a}"

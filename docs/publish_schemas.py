"""Writes the published JSON Schemas and the page of words from the program's types and tables: ``make schemas``."""

from __future__ import annotations

from pathlib import Path

from grader import disk
from grader.labs.schema import rendered
from grader.labs.vocabulary import page

ROOT = Path(__file__).parent.parent
WORDS = ROOT / "docs" / "words.md"
PLACES = {
    "lab": "labs/lab.schema.json",
    "course": "docs/schemas/course.json",
    "result": "docs/schemas/result.json",
    "evidence": "docs/schemas/evidence.json",
}
"""Where each schema that is published lies, by its name."""

if __name__ == "__main__":
    for name, place in PLACES.items():
        disk.write_file(ROOT / place, rendered(name))
    disk.write_file(WORDS, page().encode())

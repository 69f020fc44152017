"""Writes the published JSON Schemas from the program's types: ``make schemas``."""

from __future__ import annotations

from pathlib import Path

from grader import disk
from grader.labs.schema import rendered

ROOT = Path(__file__).parent.parent
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

"""The labs' own submissions, filled in and written out as a student's folder."""

from __future__ import annotations

from pathlib import Path

from grader import labs

LAB = "open-relay"


def write(
    kind: str, where: Path, *, student: str | None = None, key: str | None = None, lab: str = LAB
) -> Path:
    """Write ``solution``, ``starter`` or ``wrong/FAULT`` of a lab to ``where``, for a student's variant."""
    folder = labs.find(lab)
    variant = labs.draw_variant(labs.load(folder), student, key)
    files = labs.render_files(folder / "solution", variant) if kind.startswith("wrong/") else {}
    files |= labs.render_files(folder / kind, variant)
    files.pop("expect.yaml", None)
    for name, data in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return where

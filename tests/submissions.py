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
    base = folder / "solution" if kind.startswith("wrong/") else None
    made = labs.render_submission(folder / kind, variant, base=base)
    for name, data in made.files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if name in made.executable else 0o644)
    return where

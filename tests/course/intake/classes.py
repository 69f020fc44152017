"""Classes as platforms hand them over, made of names alone, and a lab for them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from grader import labs
from grader.kinds.server.declare import Expect, ServerCheck, ServerLab, ServerSubmission

LAB = ServerLab(
    id="relay",
    title="A lab",
    version="2.0",
    summary="It is never graded.",
    submission=ServerSubmission(required=["main.cf"], installs="/etc/postfix"),
    checks=[ServerCheck(code="starts", title="x", points=1, expect=Expect(greets=True), why="x", next="x")],
)


def laid(where: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files by their relative names: a folder, or a zip archive where ``where`` is named as one."""
    contents = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
    if where.suffix == ".zip":
        with zipfile.ZipFile(where, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        return where
    for name, data in contents.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(data)
    return where


def contents(source: Path | tuple[labs.Part, ...]) -> dict[str, bytes]:
    """What is graded of a hand-in."""
    return labs.read_submission(LAB, source).files

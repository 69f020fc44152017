"""Bundles that only collect: for labs that the platform's container cannot run, which are graded elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

from grader.model.errors import UsageError
from grader.model.lab import Lab

LATER = (
    "It is graded after the due date, elsewhere: there is no grade here yet, and the points above are none."
)


def refuse(name: str, title: str, lab: Lab, *, servers: bool, collects: bool) -> None:
    """Raises ``UsageError`` where a lab is not for collecting on the platform of this name and title."""
    if servers or not lab.needs_engine:
        raise UsageError(
            f"{title} is a place where the lab {lab.id} can be graded: leave --offline out, which is for labs with a "
            "server where there are neither namespaces nor Docker"
        )
    if not collects:
        raise UsageError(
            f"'smtplab grade' does not read what {title} lets you download, so there is no round trip by {name}: "
            "collect the work in Gradescope, Canvas, Moodle or a classroom's repositories ('smtplab grade --help')"
        )


def documents(asked_for: Sequence[str]) -> dict[str, bytes]:
    """What Gradescope's collector says: whether the files asked for are there, in 0 of 0 points."""
    files = ", ".join(asked_for)
    return {
        "asked-for.txt": "".join(f"{name}\n" for name in asked_for).encode(),
        "collected.json": _said(f"Handed in: {files}.", "passed"),
        "incomplete.json": _said(
            f"Something is missing: the lab asks for {files}. Hand in all of it.", "failed"
        ),
    }


def _said(text: str, status: str) -> bytes:
    test = {"name": "What was handed in", "score": 0, "max_score": 0, "status": status, "output": text}
    document = {
        "output": f"{text} {LATER}",
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "tests": [test],
    }
    return json.dumps(document, indent=2).encode() + b"\n"

"""Labs as data: loads and validates lab folders, reads submissions, draws variants, makes plans.

Each name is imported from its module when it is first used, because a check must start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.labs.handout import (
        Started,
        handed_out_files,
        own_submission,
        render_submission,
        start,
        started,
    )
    from grader.labs.inspection import inspected
    from grader.labs.loading import DECLARATION, FILE, LabFolder, find, list_labs, load, load_wrong
    from grader.labs.marks import handed_out
    from grader.labs.parts import Part, Source
    from grader.labs.scaffold import new
    from grader.labs.submission import read_submission, take_submission
    from grader.labs.variant import Variants, draw_variant, with_texts
    from grader.model.submission import Submission
    from grader.model.variant import Variant

_MODULES = {
    "DECLARATION": "grader.labs.loading",
    "FILE": "grader.labs.loading",
    "LabFolder": "grader.labs.loading",
    "Part": "grader.labs.parts",
    "Source": "grader.labs.parts",
    "Started": "grader.labs.handout",
    "Submission": "grader.model.submission",
    "Variant": "grader.model.variant",
    "Variants": "grader.labs.variant",
    "draw_variant": "grader.labs.variant",
    "find": "grader.labs.loading",
    "handed_out": "grader.labs.marks",
    "list_labs": "grader.labs.loading",
    "load": "grader.labs.loading",
    "load_wrong": "grader.labs.loading",
    "new": "grader.labs.scaffold",
    "handed_out_files": "grader.labs.handout",
    "inspected": "grader.labs.inspection",
    "own_submission": "grader.labs.handout",
    "read_submission": "grader.labs.submission",
    "render_submission": "grader.labs.handout",
    "start": "grader.labs.handout",
    "started": "grader.labs.handout",
    "take_submission": "grader.labs.submission",
    "with_texts": "grader.labs.variant",
}

__all__ = [
    "DECLARATION",
    "FILE",
    "LabFolder",
    "Part",
    "Source",
    "Started",
    "Submission",
    "Variant",
    "Variants",
    "draw_variant",
    "find",
    "handed_out",
    "handed_out_files",
    "inspected",
    "list_labs",
    "load",
    "load_wrong",
    "new",
    "own_submission",
    "read_submission",
    "render_submission",
    "start",
    "started",
    "take_submission",
    "with_texts",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value

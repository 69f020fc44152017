"""What mutants are made of: the right submissions that a lab brings."""

from __future__ import annotations

from pathlib import Path
from random import Random

from grader import labs
from grader.model.submission import Submission
from grader.model.variant import Variant


def draw_base(random: Random, folder: Path, more: Path | None = None) -> tuple[str, Submission, Variant]:
    """The name of a right submission of a lab, its files for the canonical variant, and that.

    The solution more often than others; where ``more`` right ones lie in a folder, each as often as others.
    """
    variant = labs.draw_variant(labs.load(folder), None, None)
    solution, others = folder / "solution", sorted((folder / "correct").iterdir())
    if more is not None:
        base = random.choice([solution, *others, *sorted(more.iterdir())])
    else:
        base = solution if random.random() < 0.6 else random.choice(others)
    return base.name, labs.render_submission(base, variant), variant

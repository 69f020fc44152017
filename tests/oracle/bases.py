"""What mutants are made of: the right submissions that a lab brings."""

from __future__ import annotations

from pathlib import Path
from random import Random

from grader import labs
from grader.model.submission import Submission
from grader.model.variant import Variant


def draw_base(random: Random, folder: Path) -> tuple[str, Submission, Variant]:
    """The name of a right submission of a lab, its files for the canonical variant, and that."""
    variant = labs.draw_variant(labs.load(folder), None, None)
    bases = [folder / "solution", *sorted((folder / "correct").iterdir())]
    base = bases[0] if random.random() < 0.6 else random.choice(bases[1:])
    return base.name, labs.render_submission(base, variant), variant

"""From a lab, a submission and a variant to everything that will be tried on the server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from grader.kinds.server.plan.host import ahead

if TYPE_CHECKING:
    from grader.kinds.server.declare import ServerLab
    from grader.kinds.server.facts import ServerPlan
    from grader.model.plan import Limits
    from grader.model.submission import Submission
    from grader.model.variant import Variant

__all__ = ["ahead", "make", "prepare"]


def prepare(lab: ServerLab) -> None:
    """See ``grader.kinds.make_ready``."""
    import_module("grader.kinds.server.plan.making")


def make(
    lab: ServerLab,
    submission: Submission,
    variant: Variant,
    *,
    student: str | None = None,
    only: set[str] | None = None,
    limits: Limits | None = None,
    when: float | None = None,
) -> ServerPlan:
    """See ``making.make``."""
    # The machines are ordered before all that this takes is imported.
    from grader.kinds.server.plan import making

    return making.make(lab, submission, variant, student=student, only=only, limits=limits, when=when)

"""Reads the files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grader.kinds.base import Recorded
from smtplab_text.declare import TextLab
from smtplab_text.facts import Read, TextFacts
from smtplab_text.plan import TextPlan

if TYPE_CHECKING:
    from grader.engines.base import Machines


def act(
    plan: TextPlan, lab: TextLab, machines: Machines | None, *, overlap: Callable[[], object]
) -> Recorded:
    """See ``grader.kinds.base.Runner``."""
    read = [Read(name, data.decode("utf-8", "replace").splitlines()) for name, data in plan.files.items()]
    return Recorded(TextFacts(attempts=plan.attempts, read=read), files=list(plan.files))


def nothing(lab: TextLab, variant: str) -> TextFacts:
    """See ``grader.kinds.base.Runner``."""
    return TextFacts()

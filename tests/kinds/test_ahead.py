"""Machines that are ordered before anything handed in was looked at serve the plan that is made of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader import kinds, labs
from grader.engines.machine import alike
from grader.model.plan import MachinePlan

WITH_SERVERS = sorted(
    found.path.name for found in labs.list_labs() if found.lab is not None and found.lab.kind == "server"
)


@pytest.mark.parametrize("student", [None, "alice"])
@pytest.mark.parametrize("lab_id", WITH_SERVERS)
def test_what_is_ordered_ahead_serves_every_plan_of_the_variant(lab_id: str, student: str | None) -> None:
    lab = labs.load(lab_id)
    variant = labs.draw_variant(lab, student)
    ahead = kinds.ahead(lab, variant)
    handed_in = labs.render_submission(labs.find(lab_id) / "solution", variant)
    plan = kinds.plan(lab.kind).make(lab, handed_in, variant, student=student, only=None)
    assert isinstance(plan, MachinePlan)
    assert ahead is not None
    assert alike(ahead, plan)


def test_of_a_kind_that_makes_its_whole_plan_at_once_nothing_is_known_ahead() -> None:
    lab = labs.load("knowledge-check")
    assert kinds.ahead(lab, labs.draw_variant(lab)) is None


def test_nothing_is_imported_for_it_that_making_a_plan_takes() -> None:
    program = (
        "import sys; from grader import kinds, labs; lab = labs.load('open-relay');"
        "kinds.ahead(lab, labs.draw_variant(lab));"
        "print([name for name in sys.modules if name.startswith('grader.kinds.server.plan.')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "['grader.kinds.server.plan.host']\n"

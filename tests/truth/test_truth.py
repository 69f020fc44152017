"""Every labelled submission gets the verdict that is true of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import labs, pipeline
from grader.engines.base import Engine
from tests.representatives import ALL, representatives
from tests.tables import every
from tests.truth.cases import LABS, Case, cases, problem, submission

CASES = cases()


def graded() -> Iterator[Case]:
    """The cases that are to be graded: of a lab without machines all."""
    for lab in LABS:
        of_lab = [case for case in CASES if case.lab == lab]
        every = ALL or not labs.load(labs.find(lab)).needs_engine
        yield from of_lab if every else representatives(of_lab, lambda case: [*case.loses, *case.asks])


JUDGED = [
    pytest.param(case, marks=[pytest.mark.xfail(reason=case.open)] if case.open else []) for case in graded()
]


def _name(case: Case) -> str:
    return f"{case.lab}/{case.name}"


def test_there_are_as_many_as_promised_and_no_two_of_one_name() -> None:
    assert sum(not case.loses and not case.asks for case in CASES) >= 40
    assert sum(bool(case.loses) for case in CASES) >= 60
    assert [
        name for name, count in Counter((case.lab, case.name) for case in CASES).items() if count > 1
    ] == []


@pytest.mark.parametrize("lab", LABS)
def test_what_is_lost_is_checked_by_the_lab(lab: str) -> None:
    codes = {check.code for check in labs.load(labs.find(lab)).all_checks}
    named = {
        code
        for case in CASES
        if case.lab == lab
        for codes in (*case.loses, *case.asks)
        for code in codes.split("|")
    }
    assert named <= codes


@every("case", CASES, ids=_name)
def test_edits_change_what_they_are_to_change(case: Case, tmp_path: Path) -> None:
    lab = labs.load(labs.find(case.lab))
    variant = labs.draw_variant(lab, None, None)
    solution = labs.render_submission(labs.find(case.lab) / "solution", variant)
    assert submission(case, variant, tmp_path / _name(case)).files != solution.files


@pytest.mark.slow
@pytest.mark.engines("local")
@pytest.mark.parametrize("case", JUDGED, ids=_name)
def test_the_verdict_is_true(case: Case, engine: Engine, tmp_path: Path) -> None:
    lab = labs.load(labs.find(case.lab))
    variant = labs.draw_variant(lab, None, None)
    handed_in = submission(case, variant, tmp_path)
    # Of one that is wrong, what it loses is all that is looked at.
    only = {code for codes in case.loses for code in codes.split("|")} | {*case.asks} or None
    result = pipeline.grade(
        lab,
        handed_in,
        engine=engine if lab.needs_engine else None,
        variant=variant,
        only=None if ALL else only,
    ).result
    assert not (said := problem(case, result)), f"{case.because} {said}"

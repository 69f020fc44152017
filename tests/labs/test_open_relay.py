"""What the lab open-relay promises its students: every check explained, hinted, and announced in the handout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader import labs
from grader.model.lab import Check

FOLDER = labs.find("open-relay")
LAB = labs.load(FOLDER)
WRONG = sorted(path.parent for path in FOLDER.glob("wrong/*/expect.yaml"))

each_check = pytest.mark.parametrize("check", LAB.all_checks, ids=lambda check: check.code)


def test_the_points_make_a_hundred() -> None:
    assert LAB.max_score == 100


@each_check
def test_a_check_teaches(check: Check) -> None:
    assert check.expected
    assert check.hints
    assert check.see
    assert check.explain
    assert 150 <= len(check.explain.split()) <= 300


@each_check
def test_only_the_next_step_and_the_hints_name_parameters(check: Check) -> None:
    named = re.compile(r"\b(?:smtpd?|postscreen|local|virtual|inet|relay|disable|permit|reject)_\w+")
    for text in (check.title, check.expected or "", check.why):
        assert not named.search(text)
    assert "`" in check.next


def test_the_handout_announces_the_points_of_every_check_in_order() -> None:
    handout = (FOLDER / "handout.md").read_text(encoding="utf-8")
    announced = [int(points) for points in re.findall(r"^\| .* \| (\d+) \|$", handout, re.MULTILINE)]
    assert announced == [check.points for check in LAB.all_checks]


def test_every_check_is_lost_by_some_known_fault_alone() -> None:
    alone = {fails[0] for folder in WRONG if len(fails := labs.load_wrong(folder).fails) == 1}
    assert alone == {check.code for check in LAB.all_checks}


@pytest.mark.parametrize("folder", WRONG, ids=lambda folder: folder.name)
def test_a_known_fault_names_checks_that_there_are(folder: Path) -> None:
    declared = labs.load_wrong(folder)
    assert {*declared.fails, *declared.skips} <= {check.code for check in LAB.all_checks}
    assert not set(declared.fails) & set(declared.skips)

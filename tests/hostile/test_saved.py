"""Evidence that was changed gains nothing and stops nothing; a hand-in that is none costs nobody else a grade."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader import labs
from grader.course import ClassSettings, grade_class
from tests.hostile import saved


@pytest.mark.slow
@pytest.mark.parametrize("place", [*saved.PLACES, "other"])
def test_changed_evidence_is_judged_or_refused_in_a_sentence(place: str) -> None:
    found = {
        name: problems
        for name, document in saved.documents()
        if _belongs(name, place) and (problems := saved.judged(document))
    }
    assert not found


def _belongs(name: str, place: str) -> bool:
    known = [one for one in saved.PLACES if any(name == f"{one}-{value}" for value in saved.VALUES)]
    return place == (known[0] if known else "other")


def test_a_hand_in_that_is_none_costs_nobody_else_a_grade(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "class").mkdir()
    expected = saved.hand_ins(tmp_path / "class")
    sources = sorted((tmp_path / "class").iterdir())
    settings = ClassSettings(labs.find(saved.LAB), tmp_path / "out", engine=None, workers=2)
    summary = grade_class(settings, sources, report=lambda *_: None)
    endings = {row.folder: row.ending for row in summary.rows}
    assert endings == expected
    scores = {
        row.folder: json.loads((tmp_path / "out" / row.folder / "result.json").read_bytes())["score"]
        for row in summary.rows
    }
    assert scores.pop("honest") == saved.MOST_POINTS
    assert set(scores.values()) <= {0, 1}, scores
    assert "\x1b" not in "".join(capfd.readouterr())

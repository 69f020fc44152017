"""Decisions about a class: whoever is named wrongly is told, and nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader import labs
from grader.cli import main
from tests import submissions

LAB = "decided"
LINE = "{},loads,0,looked at it,Dr Who\n"


def test_a_decision_about_a_student_without_a_result_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    labs.new(LAB, tmp_path / "labs", "zone")
    submissions.write("solution", tmp_path / "subs/zoë b", lab=LAB)
    (tmp_path / "subs/late").mkdir()
    decisions = Path("decided.csv")
    decisions.write_text("student,check,points,why,by\n" + "".join(map(LINE.format, ("zoë b", "alise"))))
    told = "overrides.csv decides about 'alise', who has no result here: nothing comes of it"
    command = ["grade", LAB, "--out", "out", "-j", "1", "--exit-zero"]
    assert main([*command, "subs/zoë b", "--overrides", "decided.csv"]) == 0
    assert told in capsys.readouterr().err
    # Whoever is graded into the same folder later finds decisions about those who are there already.
    assert main([*command, "subs/late"]) == 0
    said = capsys.readouterr().err
    assert told in said
    assert said.count("decides about") == 1
    assert main(["regrade", "out", "--out", "again", "--exit-zero"]) == 0
    said = capsys.readouterr().err
    assert told in said
    assert said.count("decides about") == 1
    # A share of a class does not know all of its students.
    assert main(
        [*command[:2], "--out", "share", "subs/late", "--shard", "1/1", "--overrides", "decided.csv"]
    ) in (0, 1)
    assert "decides about" not in capsys.readouterr().err


def test_decisions_about_a_class_of_which_nothing_could_be_read_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    lab = labs.load(labs.new(LAB, tmp_path / "labs", "zone"))
    (tmp_path / "subs/empty").mkdir(parents=True)
    assert main(["grade", LAB, "subs/empty", "--out", "out", "-j", "1", "--exit-zero"]) == 0
    lines = "".join(f"empty,{check.code},{check.points},by mail,Dr Who\n" for check in lab.all_checks)
    Path("out/overrides.csv").write_text("student,check,points,why,by\n" + lines)
    assert main(["regrade", "out", "--out", "again", "--exit-zero"]) == 0
    result = json.loads(Path("again/empty/result.json").read_text())
    assert (result["status"], result["score"]) == ("graded", lab.max_score)

"""Evidence that was thrown away or damaged takes nobody's grade, and is missed where it was promised."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.cli import main

LAB = "knowledge-check"
HEAD = "student,check,points,why,by\n"


@pytest.fixture
def grades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for student in ("anna", "bob"):
        shutil.copytree(labs.find(LAB) / "solution", tmp_path / "subs" / student)
    grade()
    return tmp_path / "out"


def grade(*more: str) -> None:
    assert main(["grade", LAB, "subs/anna", "subs/bob", "--out", "out", "-j", "1", "--exit-zero", *more]) == 0


def regrade(source: str, out: str) -> int:
    return main(["regrade", source, "--out", out, "--exit-zero"])


def result(folder: str, student: str) -> Any:
    return json.loads(Path(folder, student, "result.json").read_text())


def test_a_grade_outlives_its_evidence_and_who_was_not_judged_again_is_named(
    grades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result("out", "bob")
    report = Path("out/bob/report.html").read_bytes()
    (grades / "bob/evidence.json").unlink()
    assert regrade("out", "again") == 0
    assert result("again", "bob") == before
    assert Path("again/bob/report.html").read_bytes() == report
    said = capsys.readouterr().err
    assert "not judged again, for evidence.json is gone, and graded as before: bob\n" in said
    assert "anna" not in said


def test_decisions_about_a_grade_without_evidence_are_merged_and_taken_back(grades: Path) -> None:
    before = result("out", "bob")
    assert before["score"] == before["max_score"] > 0
    check = max(before["checks"], key=lambda one: one["points"])
    code, worth = check["code"], check["points"]
    for path in grades.glob("*/evidence.json"):
        path.unlink()
    (grades / "overrides.csv").write_text(f"{HEAD}bob,{code},0,by mail,Dr Who\n")
    assert regrade("out", "again") == 0
    decided = result("again", "bob")
    assert (decided["status"], decided["score"]) == ("graded", before["score"] - worth)
    Path("again/overrides.csv").write_text(HEAD)
    assert regrade("again", "again") == 0
    assert result("again", "bob") == before


def test_a_grade_that_a_person_gave_to_what_was_refused_is_taken_back(grades: Path) -> None:
    Path("subs/bob/answers.yaml").unlink()
    grade("--resume")
    before = result("out", "bob")
    assert before["status"] == "refused"
    lines = "".join(
        f"bob,{check['code']},{check['max_points']},by mail,Dr Who\n" for check in before["checks"]
    )
    (grades / "overrides.csv").write_text(HEAD + lines)
    assert regrade("out", "again") == 0
    assert result("again", "bob")["status"] == "graded"
    Path("again/overrides.csv").write_text(HEAD)
    assert regrade("again", "again") == 0
    assert result("again", "bob") == before


@pytest.mark.parametrize("student", ["anna", "bob"])
def test_damaged_evidence_stops_nobody_else_and_is_named_by_its_file(
    grades: Path, student: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result("out", student)
    path = grades / student / "evidence.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert regrade("out", "again") == 3
    said = (
        f"not judged again, {student} is graded as before: 'out/{student}/evidence.json': this is no evidence"
    )
    assert said in capsys.readouterr().err
    assert result("again", student) == before
    rows = Path("again/grades.csv").read_text()
    assert "anna" in rows
    assert "bob" in rows


def test_where_all_evidence_is_damaged_nothing_is_written(
    grades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in grades.glob("*/evidence.json"):
        path.write_bytes(b"")
    assert regrade("out", "again") == 2
    assert "'out/anna/evidence.json': this is no evidence of smtplab" in capsys.readouterr().err
    assert not Path("again").exists()


def test_damaged_evidence_without_an_earlier_result_is_named(
    grades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (grades / "bob/evidence.json").write_bytes(b"")
    command = ["regrade", "out/anna/evidence.json", "out/bob/evidence.json", "--out", "again", "--exit-zero"]
    (grades / "bob/result.json").unlink()
    assert main(command) == 3
    assert "not judged again, bob has no earlier result: 'out/bob/evidence.json'" in capsys.readouterr().err
    assert sorted(path.name for path in Path("again").iterdir() if path.is_dir()) == ["anna"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
    ],
    ids=["gone", "empty", "cut"],
)
def test_a_resumed_class_grades_again_what_lacks_its_evidence(
    grades: Path, harm: Callable[[Path], object]
) -> None:
    path = grades / "bob/evidence.json"
    untouched = (grades / "anna").stat().st_ino
    harm(path)
    grade("--resume")
    assert json.loads(path.read_bytes())["student"] == "bob"
    assert (grades / "anna").stat().st_ino == untouched


@pytest.mark.parametrize(
    "harm", [b"", b'{"schema": "smtplab/result/1"', b'{"lab": "knowledge-check"}', b"\xff"]
)
@pytest.mark.parametrize("of", ["with evidence", "without"])
def test_a_damaged_result_stops_nobody_else_and_is_named(
    grades: Path, harm: bytes, of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(labs.find(LAB) / "solution", "subs/carl")
    assert main(["grade", LAB, "subs/carl", "--out", "out", "--exit-zero"]) == 0
    before = {name: result("out", name) for name in ("anna", "carl")}
    (grades / "bob/result.json").write_bytes(harm)
    if of == "without":
        (grades / "bob/evidence.json").unlink()
    assert regrade("out", "again") == 3
    said = capsys.readouterr().err
    assert "not judged again, bob has no earlier result: 'out/bob/result.json' is damaged" in said
    assert "remove its folder, and grade that student again" in said
    assert {name: result("again", name) for name in before} == before
    assert "bob" not in Path("again/grades.csv").read_text()

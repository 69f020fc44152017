"""A student's day with a zone: no engine is asked for, at any step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader import labs
from grader.cli import main

FOLDER = labs.find("spf-dmarc")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, where no engine could be started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("grader.engines.select", None)
    return tmp_path


def solve(folder: Path, student: str | None = None, key: str | None = None) -> None:
    """Put the solution of a student's variant into a folder."""
    variant = labs.draw_variant(labs.load(FOLDER), student, key)
    folder.mkdir(exist_ok=True)
    for name, data in labs.render_submission(FOLDER / "solution", variant).files.items():
        (folder / name).write_bytes(data)


def test_start_check_mend_and_judge_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start", "spf-dmarc"]) == 0
    names = {path.name for path in (here / "work/spf-dmarc").iterdir()}
    assert {"example.com.zone", "newsletter-key.txt", "handout.md"} <= names
    assert main(["check"]) == 1
    solve(here / "work/spf-dmarc")
    assert (
        main(["check", "--evidence", "evidence.json", "--json", "result.json", "--html", "report.html"]) == 0
    )
    capsys.readouterr()
    assert main(["regrade", "evidence.json", "--out", "-"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == json.loads((here / "result.json").read_text())
    assert (again["score"], again["engine"]["name"]) == (100, "none")


def test_a_zone_of_somebody_elses_is_not_taken(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(here / "copied", "alice", "course")
    assert main(["check", "spf-dmarc", "copied", "--student", "alice", "--seed", "course"]) == 0
    assert main(["check", "spf-dmarc", "copied", "--student", "bob", "--seed", "course"]) == 2
    assert "which the lab spf-dmarc asks for, but " in capsys.readouterr().err


def test_a_class_is_graded(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for student in ("ann", "ben"):
        solve(here / student)
    (here / "ben/example.com.zone").write_text("@ TXT\n")
    assert main(["grade", "spf-dmarc", "ann", "ben", "--out", "out", "-j", "1"]) == 1
    lines = (here / "out/grades.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["ann", "100"], ["ben", "0"]]
    assert (here / "out/ann/report.html").is_file()


def test_a_new_lab_of_the_kind_is_made_and_proved(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["lab", "new", "who-sends", "mine", "--kind", "zone"]) == 0
    monkeypatch.setenv("SMTPLAB_LABS", str(here / "mine"))
    assert main(["lab", "verify", "who-sends", "-j", "1"]) == 0
    assert "12 tried, 0 not as declared" in capsys.readouterr().out


def test_a_platform_reads_why_nothing_was_graded(here: Path) -> None:
    """That is the student's to mend: neither a grade nor a failure of the grader."""
    (here / "work").mkdir()
    arguments = ["--json", "result.json", "--gradescope", "results.json", "--evidence", "evidence.json"]
    assert main(["check", "spf-dmarc", "work", *arguments]) == 2
    result = json.loads((here / "result.json").read_text())
    assert result["status"] == "refused"
    assert "holds no example.com.zone" in result["error"]
    document = json.loads((here / "results.json").read_text())
    assert "score" not in document
    assert document["output"].startswith("What was handed in cannot be read, and was not graded.")
    assert not (here / "evidence.json").exists()

"""Classes from what was handed in to their documents, on a lab that needs no machines."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from grader import labs
from grader.cli import main
from tests import submissions
from tests.course.intake.classes import laid

LAB = "zone-of-ours"
KEY = "autumn"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small lab about a zone, and one of another name."""
    folder = tmp_path_factory.mktemp("labs")
    for name in (LAB, "another"):
        labs.new(name, folder, "zone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(folder))
        yield folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solved(student: str, folder: Path, *, key: str | None = KEY, lab: str = LAB) -> Path:
    """A perfect solution of what was handed out to a student."""
    declared = labs.load(lab)
    variant = labs.draw_variant(declared, student, key)
    labs.start(labs.find(lab), folder, variant, student=student)
    return submissions.write("solution", folder, student=student, key=key, lab=lab)


def grade(*arguments: str, lab: str = LAB) -> int:
    return main(["grade", lab, "--out", "out", "-j", "1", "--format", "json,csv,junit", *arguments])


def book(file: str = "out/grades.csv") -> dict[str, dict[str, str]]:
    with Path(file).open(newline="", encoding="utf-8") as lines:
        return {line["student"]: line for line in csv.DictReader(lines)}


def result(student: str) -> Any:
    return json.loads(Path("out", student, "result.json").read_text())


def test_renamed_folders_stop_a_class_before_its_first_grade(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, student in enumerate(("alice", "bob")):
        solved(student, here / f"part{number}")
    assert grade("part0", "part1", "--seed", KEY) == 2
    assert (
        "for another student than they are graded as (such as part0, for 'alice'" in capsys.readouterr().err
    )
    assert not (here / "out/part0").exists()
    assert grade("part0", "part1", "--seed", KEY, "--trust-handout") == 0
    assert {name: line["score"] for name, line in book().items()} == {"alice": "100", "bob": "100"}
    with Path("out/hand-ins.csv").open(newline="", encoding="utf-8") as lines:
        assert [(line["source"], line["student"]) for line in csv.DictReader(lines)] == [
            ("part0", "alice"), ("part1", "bob"),
        ]  # fmt: skip
    # What was found out is a decision from then on.
    assert grade("part0", "part1", "--seed", KEY, "--map", "out/hand-ins.csv") == 0


def test_a_forgotten_or_mistyped_key_stops_a_class(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for student in ("alice", "bob"):
        solved(student, here / student)
    assert grade("alice", "bob") == 2
    assert "with a course key, and none is given" in capsys.readouterr().err
    assert grade("alice", "bob", "--seed", "autum") == 2
    assert "with another course key than the one given" in capsys.readouterr().err
    assert grade("alice", "bob", "--trust-handout") == 0
    assert grade("alice", "bob", "--seed", KEY) == 0


def test_a_copied_hand_out_is_pointed_to_and_names_nobody_to_the_student(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("alice", "carol"):
        solved(student, here / student)
    shutil.copytree(here / "alice", here / "bob")
    assert grade("alice", "bob", "carol", "--seed", KEY) == 1
    assert "bob was handed out for 'alice', and handed in by 'bob'" in capsys.readouterr().err
    assert book()["alice"]["score"] == "100"
    assert book()["bob"]["status"] == "refused"
    assert "handed out for another student" in result("bob")["notes"][0]
    assert "alice" not in json.dumps(result("bob"))
    assert "handed out for 'alice'" in Path("out/hand-ins.csv").read_text()
    assert "for 'alice'" in json.loads(Path("out/bob/row.json").read_text())["remarks"][0]


def test_a_late_hand_in_joins_the_class_and_another_lab_does_not(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("alice", "bob"):
        solved(student, here / student)
    assert grade("alice", "bob", "--seed", KEY) == 0
    solved("zoe", here / "late/zoe")
    laid(here / "zoe.zip", {path.name: path.read_bytes() for path in (here / "late/zoe").iterdir()})
    assert grade("zoe.zip", "--seed", KEY, "--format", "csv") == 0
    assert sorted(book()) == ["alice", "bob", "zoe"]
    suites = ElementTree.parse("out/junit.xml").getroot()
    assert len(suites) == 3
    before = {path: path.read_bytes() for path in Path("out").rglob("*.*")}
    solved("alice", here / "other/alice", lab="another")
    assert grade("other/alice", "--seed", KEY, lab="another") == 2
    assert "holds results of the lab 'zone-of-ours'" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("out").rglob("*.*")} == before


def test_strays_stop_nobody(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solved("alice", here / "subs/alice")
    for stray in ("essay.docx", "bob.7z", "grades.xlsx"):
        (here / "subs" / stray).write_bytes(b"PK")
    solved("alice", here / "more/alice")
    names = sorted(str(path) for path in (here / "subs").iterdir())
    assert grade(*names, "more/alice", "--seed", KEY) == 0
    said = capsys.readouterr().err
    assert "essay.docx" in said
    assert "handed in more than once, and the last counts" in said
    assert list(book()) == ["alice"]


def test_what_is_refused_is_no_grade(here: Path) -> None:
    for name in ("nothing.zip", "page.zip", "empty.zip"):
        (here / name).write_bytes(
            {"nothing.zip": b"", "page.zip": b"<!doctype html><p>Log in"}.get(name, b"")
        )
    laid(here / "wrong", {"example.com.zone.txt": "@ TXT x"})
    assert grade("nothing.zip", "page.zip", "empty.zip", "wrong") == 1
    assert {line["status"] for line in book().values()} == {"refused"}
    assert {line["score"] for line in book().values()} == {""}
    assert "rename it to example.com.zone" in book()["wrong"]["reason"]
    assert result("page")["status"] == "refused"
    assert (here / "out/junit.xml").read_text().count('type="refused"') == 4


def test_a_download_of_canvas_with_its_roster(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files: dict[str, bytes | str] = {}
    for number, student in enumerate(("jane", "max")):
        folder = solved(student, here / "work" / student)
        for path in sorted(folder.iterdir()):
            late = "LATE_" if student == "max" else ""
            files[f"{student}doe_{late}{100 + number}_{number}{len(files)}_{path.name}"] = path.read_bytes()
    laid(here / "submissions.zip", files)
    (here / "class.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section\n"
        '"Doe, Jane",100,jane,jane@example.edu,A\n"Doe, Max",101,max,max@example.edu,B\n"Who, Zoe",102,zoe,z@e.f,A\n'
    )
    assert grade("submissions.zip", "--seed", KEY, "--roster", "class.csv") == 0
    assert {name: line["score"] for name, line in book().items()} == {"jane": "100", "max": "100", "zoe": ""}
    assert "handed nothing in: zoe" in capsys.readouterr().err
    assert result("max")["handed_in"]["late"] is True
    assert result("jane")["person"] == {
        "name": "Doe, Jane", "email": "", "login": "jane@example.edu", "canvas": "100", "moodle": "",
        "group": "", "section": "A",
    }  # fmt: skip


def test_a_group_gets_a_result_each(here: Path) -> None:
    solved("red", here / "jane")
    (here / "class.csv").write_text("id,group\njane,red\nmax,red\n")
    assert grade("jane", "--seed", KEY, "--roster", "class.csv", "--groups") == 0
    assert {name: line["score"] for name, line in book().items()} == {"jane": "100", "max": "100"}
    assert result("max")["handed_in"]["group"] == ["jane", "max"]
    before = Path("out/max/result.json").stat().st_mtime_ns
    assert grade("jane", "--seed", KEY, "--roster", "class.csv", "--groups", "--resume") == 0
    assert Path("out/max/result.json").stat().st_mtime_ns == before


def test_a_decision_outlives_resuming_and_judging_again(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("alice", "bob"):
        solved(student, here / student)
    odd = submissions.write("starter", here / "a\nb", student="a%0Ab", key=KEY, lab=LAB)
    shutil.copytree(here / "bob", here / "copy")
    (here / "empty").mkdir()
    assert grade("alice", "bob", "copy", "empty", str(odd), "--seed", KEY) == 1
    code = result("alice")["checks"][0]["code"]
    (here / "decided.csv").write_text(
        f"student,check,points,why,by\nalice,{code},1,it was late,Dr Who\nempty,{code},1,x,Dr Who\n"
    )
    command = (
        "alice",
        "bob",
        "copy",
        "empty",
        str(odd),
        "--seed",
        KEY,
        "--resume",
        "--overrides",
        "decided.csv",
    )
    before = Path("out/bob/row.json").stat().st_mtime_ns
    assert grade(*command) == 1
    assert Path("out/bob/row.json").stat().st_mtime_ns == before
    lost = 100 - result("alice")["score"]
    assert lost == result("alice")["checks"][0]["max_points"] - 1
    assert "decided by Dr Who" in book()["alice"]["reason"]

    assert main(["regrade", "out", "--out", "again"]) == 1
    assert main(["regrade", "again", "--out", "again"]) == 1
    assert main(["compare", "out", "again"]) == 0
    again = book("again/grades.csv")
    assert again == book()
    assert [line["status"] for line in again.values()] == ["graded", "graded", "graded", "refused", "refused"]
    names = [{path.name for path in Path(folder).iterdir() if path.is_dir()} for folder in ("out", "again")]
    assert names[0] == names[1] == {"a%0Ab", "alice", "bob", "copy", "empty"}
    assert (here / "again/overrides.csv").read_bytes() == (here / "decided.csv").read_bytes()
    assert json.loads(Path("again/copy/row.json").read_text())["remarks"]
    assert "handed out for another student" in " ".join(
        json.loads(Path("again/copy/result.json").read_text())["notes"]
    )

    (here / "again/overrides.csv").write_text("student,check,points,why,by\n")
    assert main(["regrade", "again", "--out", "again"]) == 1
    capsys.readouterr()
    assert main(["compare", "out", "again", "--csv", "changes.csv"]) == 1
    assert f"{100 - lost} -> 100" in capsys.readouterr().out
    lines = (here / "changes.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["alice", ""], ["alice", code]]


def test_a_platform_s_download_in_a_folder_whose_name_is_no_text_is_graded(here: Path) -> None:
    folder = here / "cv\udcfc"
    folder.mkdir()
    for path in sorted(solved("100", here / "work/100").iterdir()):
        shutil.copy(path, folder / f"janedoe_100_1{path.stat().st_ino}_{path.name}")
    assert grade(folder.name, "--layout", "canvas", "--seed", KEY) == 0
    assert "cv%FC" in Path("out/hand-ins.csv").read_text()

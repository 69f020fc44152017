"""The documents about a class: whole, of what lies there, made again where that is another class, and only there."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import pytest
from msgspec import json as msgspec_json
from msgspec.structs import replace

from grader import outputs
from grader.cli import main
from grader.course.class_documents import write_documents
from grader.course.classpages import note_missing
from grader.course.compare import changes
from grader.course.conduct import locked
from grader.course.intake.names import HAND_INS, INDEX, MADE_OF
from grader.course.intake.roster import Student
from grader.course.results_folder import RESULT, documents, read_result, write_folder
from grader.model.errors import OutputError
from grader.model.result import Person, Result
from tests import submissions
from tests.outputs.cases import case

ALL = [kind.name for kind in outputs.FORMATS.values() if kind.many] + ["html"]
LAB = "knowledge-check"


@pytest.fixture
def grades(tmp_path: Path) -> Path:
    out = tmp_path / "grades"
    out.mkdir()
    graded, evidence = case("broken")
    for student in ("anna", "bob"):
        write_folder(out / student, documents(replace(graded, student=student), evidence, ("html",)))
    return out


def written(out: Path) -> dict[str, tuple[int, int]]:
    """Each document about the class, and which of all files ever made it is."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in out.iterdir()
        if path.is_file() and path.name != MADE_OF
    }


def test_a_class_of_which_nothing_changed_is_not_written_again(grades: Path) -> None:
    write_documents(grades, ALL)
    before = written(grades)
    assert {INDEX, HAND_INS, "junit.xml", "grades.csv", "ctrf.json"} <= before.keys()
    write_documents(grades, ALL)
    assert written(grades) == before
    write_documents(grades, ALL, afresh=True)
    assert not set(written(grades).items()) & set(before.items())


def _other_points(out: Path) -> None:
    """Another result of the same length, in a file of the same time."""
    path = out / "anna" / RESULT
    there, about = path.read_bytes(), path.stat()
    path.write_bytes(there.replace(b'"anna"', b'"anne"'))
    assert path.stat().st_size == about.st_size
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def _other_report(out: Path) -> None:
    (out / "anna" / "report.html").unlink()


def _another_missing(out: Path) -> None:
    note_missing(out, [Student(id="zoe", person=Person())])


def _gone(out: Path) -> None:
    (out / "bob" / RESULT).unlink()


def _other_note(out: Path) -> None:
    (out / MADE_OF).write_text('{"junit.xml": ["a"]')


@pytest.mark.parametrize("change", [_other_points, _other_report, _another_missing, _gone, _other_note])
def test_whatever_changed_in_the_class_all_its_documents_are_made_again(grades: Path, change: Any) -> None:
    write_documents(grades, ALL)
    before = written(grades)
    change(grades)
    write_documents(grades, ALL)
    after = written(grades)
    assert not {name for name in before if name != "missing.json" and after[name] == before[name]}


def test_a_document_that_somebody_changed_is_made_again(grades: Path) -> None:
    write_documents(grades, ALL)
    before, content = written(grades), (grades / "grades.csv").read_bytes()
    (grades / "grades.csv").write_bytes(content.replace(b"anna", b"anne"))
    (grades / INDEX).unlink()
    write_documents(grades, ALL)
    assert (grades / "grades.csv").read_bytes() == content
    assert {name for name, file in written(grades).items() if file != before[name]} == {"grades.csv", INDEX}


def test_a_damaged_result_leaves_the_documents_as_they_were(grades: Path) -> None:
    write_documents(grades, ALL)
    before = written(grades)
    (grades / "bob" / RESULT).write_text('{"lab": "open-relay", "student": "bob"}')
    with pytest.raises(OutputError, match="is damaged"):
        write_documents(grades, ALL)
    assert written(grades) == before


def test_what_a_killed_grader_was_writing_is_removed(grades: Path) -> None:
    mine = [grades / name for name in (".junit.xml.0123abcd", f".{MADE_OF}.0123abcd", ".index.html.ffffffff")]
    others = [grades / name for name in (".notes.0123abcd", ".junit.xml.swp", "junit.xml.0123abcd")]
    for path in (*mine, *others):
        path.touch()
    with locked(grades):
        assert not any(path.exists() for path in mine)
        assert all(path.exists() for path in others)


class Many(Sequence[Result]):
    """A class of which no result is there before it is asked for."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._one = msgspec_json.encode(case("broken")[0])

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, place: int) -> Result: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Result]: ...
    def __getitem__(self, place: int | slice) -> Result | Sequence[Result]:
        assert isinstance(place, int)
        if place >= self._number:
            raise IndexError
        return replace(msgspec_json.decode(self._one, type=Result), student=f"s{place:04}")


@pytest.mark.parametrize("name", ALL[:-1])
def test_a_large_class_takes_no_more_memory_than_a_small_one(name: str) -> None:
    peaks = []
    for number in (5, 5, 45):  # The first time, modules are loaded.
        tracemalloc.start()
        for _ in outputs.FORMATS[name].of_class(Many(number)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 40 * 1_000, "a result takes some 20,000 bytes"


def test_a_large_class_is_compared_without_being_held() -> None:
    peaks = []
    for number in (5, 5, 205):
        tracemalloc.start()
        assert list(changes(Many(number), Many(number))) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 200 * 1_000, "both of its results"


@pytest.fixture
def quiz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's hand-in for a lab that needs no server."""
    monkeypatch.chdir(tmp_path)
    submissions.write("starter", tmp_path / "alice", lab=LAB)
    return tmp_path / "out" / "alice"


def grade(*more: str) -> None:
    assert main(["grade", LAB, "alice", "--out", "out", "--exit-zero", "-j", "1", *more]) == 0


def test_what_the_course_says_of_a_check_reaches_finished_students(quiz: Path) -> None:
    grade()
    before = read_result(quiz)
    hidden = before.checks[0]
    assert hidden.title in (quiz / "junit.xml").read_text()
    head = f"title: Mail\nlabs:\n  {LAB}:\n"
    Path("course.yaml").write_text(f"{head}    visibility: {{{hidden.code.rpartition('/')[2]}: never}}\n")
    grade("--resume")
    after = read_result(quiz)
    assert (after.checks[0].visibility, after.started) == ("never", before.started), "nothing was run again"
    for name in ("junit.xml", "report.html"):
        assert hidden.title not in (quiz / name).read_text()
    assert hidden.title in Path("out/index.html").read_text()
    assert hidden.title not in Path("out/junit.xml").read_text()
    Path("course.yaml").rename("course.txt")
    there = (quiz / RESULT).stat()
    grade("--resume")
    assert (quiz / RESULT).stat() == there, "without a course, the earlier word counts"
    Path("course.yaml").write_text(f"{head}    hints: example\n")
    grade("--resume")
    assert read_result(quiz) == before


def test_what_a_roster_says_reaches_finished_students(quiz: Path) -> None:
    grade()
    Path("class.csv").write_text("id,name\nalice,Alice A.\n")
    before = (quiz / "evidence.json").read_bytes()
    grade("--resume", "--roster", "class.csv")
    assert json.loads((quiz / RESULT).read_text())["person"]["name"] == "Alice A."
    assert (quiz / "evidence.json").read_bytes() == before
    there = (quiz / RESULT).stat()
    grade("--resume", "--roster", "class.csv")
    assert (quiz / RESULT).stat() == there


def test_a_finished_result_that_cannot_be_read_is_graded_again(quiz: Path) -> None:
    grade()
    (quiz / RESULT).write_text(json.dumps({"lab": LAB, "student": "alice"}))
    grade("--resume")
    assert read_result(quiz).student == "alice"

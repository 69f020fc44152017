"""Two gradings side by side."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from grader.cli import main
from grader.cli.commands import compare as command
from grader.course.compare import Change, as_csv, changes
from grader.course.results_folder import documents, write_folder
from grader.model.result import Result, refused
from tests.outputs.samples import check, result


def graded(student: str, *failed: str) -> Result:
    checks = [check(code, "fail" if code in failed else "pass") for code in ("starts", "local", "leaks")]
    return result(checks, student=student)


def test_nothing_changed() -> None:
    old = [graded("alice", "leaks"), graded("bob")]
    new = [replace(one, started="later", duration=9.0) for one in reversed(old)]
    assert list(changes(old, new)) == []


def test_whose_points_changed_and_by_which_check() -> None:
    found = list(
        changes([graded("alice", "leaks"), graded("bob")], [graded("alice"), graded("bob", "local")])
    )
    assert found == [
        Change("alice", "", 25, 30, "graded", "graded"),
        Change("alice", "open-relay/leaks", 0, 5, "fail", "pass"),
        Change("bob", "", 30, 15, "graded", "graded"),
        Change("bob", "open-relay/local", 15, 0, "pass", "fail"),
    ]
    assert [one.difference for one in found] == [5, 5, -15, -15]


def test_a_class_that_changed_as_a_whole_stands_in_the_same_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "AT_A_TIME", 3)
    for out, failed in (("old", ["leaks"]), ("new", [])):
        for student in ("a", "b" * 30, "c" * 60):
            write_folder(tmp_path / out / student, documents(graded(student, *failed), None, ()))
    assert main(["compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index(" -> ") for line in lines if " -> " in line and not line.startswith("c")}) == 2
    assert len({line.rindex("+5") for line in lines if "+5" in line}) == 1
    assert lines[-1] == "3 students changed"


def test_who_is_missing_or_was_refused_has_no_points_to_lose() -> None:
    old = [graded("alice"), graded("bob")]
    new = [refused(graded("alice"), "it is empty"), graded("carol")]
    wholes = [one for one in changes(old, new) if one.check == ""]
    assert wholes == [
        Change("alice", "", 30, None, "graded", "refused"),
        Change("bob", "", 30, None, "graded", "missing"),
        Change("carol", "", None, 30, "missing", "graded"),
    ]


def test_the_table_is_csv_that_no_spreadsheet_calculates() -> None:
    found = list(changes([graded("=1+1", "leaks")], [graded("=1+1")]))
    lines = list(csv.DictReader(io.StringIO(b"".join(as_csv(found)).decode(), newline="")))
    assert [line["student"] for line in lines] == ["'=1+1", "'=1+1"]
    assert [(line["check"], line["difference"]) for line in lines] == [("", "5"), ("open-relay/leaks", "5")]

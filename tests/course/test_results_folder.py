"""Folders are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.conduct import locked
from grader.course.results_folder import EVIDENCE, by_name, recover, replacing
from grader.model.errors import OutputError, UsageError


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with replacing(tmp_path / "alice") as folder:
            (folder / text).write_text(text)
    assert content(tmp_path) == {"alice/new": "new"}


def test_a_failure_keeps_the_old_folder(tmp_path: Path) -> None:
    with replacing(tmp_path / "alice") as folder:
        (folder / "old").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "alice") as folder:
        (folder / "new").write_text(str(1 / 0))
    assert content(tmp_path) == {"alice/old": "old"}


def test_what_a_killed_process_left_is_mended(tmp_path: Path) -> None:
    for name in (".partial-alice", ".replaced-bob", ".replaced-carol", "carol"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in").write_text(name)
    recover(tmp_path)
    assert content(tmp_path) == {"bob/in": ".replaced-bob", "carol/in": "carol"}


def test_two_classes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(UsageError, match="another 'smtplab grade' is writing"),
        locked(tmp_path, 0.1),
    ):
        pass


def test_grades_that_cannot_be_written_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="grades cannot be written"), locked(tmp_path / "file" / "out"):
        pass


def test_evidence_is_named_by_its_folder_or_its_own_name(tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        (tmp_path / name).mkdir()
        (tmp_path / name / EVIDENCE).touch()
    single = tmp_path / "run.json"
    given = [tmp_path / "alice", tmp_path / "bob" / EVIDENCE, single]
    assert by_name(given) == {
        "alice": tmp_path / "alice" / EVIDENCE,
        "bob": tmp_path / "bob" / EVIDENCE,
        "run": single,
    }
    with pytest.raises(UsageError, match="rename one"):
        by_name([tmp_path / "alice", tmp_path / "elsewhere" / "alice.json"])

"""Folders are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.conduct import locked
from grader.course.results_folder import EVIDENCE, by_name
from grader.model.errors import OutputError, UsageError


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

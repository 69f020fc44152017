"""Sentences about what strangers named obey nobody: no terminal, and no log of a continuous integration server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.cli import main
from grader.labs.limits import MARK

COMMAND = re.compile(r"##(\w*)\[|^\s*::(?!\d)|[\x00-\x08\x0b-\x1f\x7f-\x9f]", re.MULTILINE)


@pytest.mark.parametrize(
    "name", ["##vso[task.complete result=Succeeded]\\", "a\n::error::x", "\x1b[2J", "##[error]\\"]
)
def test_a_file_s_name_is_no_command(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / name).write_bytes(b"x")
    assert main(["check", "knowledge-check", str(folder)]) != 0
    said = capfd.readouterr()
    assert "holds a file named" in said.err
    assert not COMMAND.search(said.err + said.out)


def test_a_folder_s_name_is_no_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    student = tmp_path / "##vso[task.complete]"
    student.mkdir()
    (student / "answers.yaml").write_bytes(b"a: [")
    main(["grade", "knowledge-check", str(student), "--out", str(tmp_path / "grades"), "--exit-zero"])
    said = capfd.readouterr()
    assert "task.complete" in said.err
    assert not COMMAND.search(said.err + said.out)


def test_a_mark_that_nests_without_end_is_damaged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / MARK).write_bytes(b'{"lab": ' + b"[" * 9_000)
    assert main(["check", "knowledge-check", str(tmp_path)]) == 2 or main(["check", str(tmp_path)]) == 2
    assert "is damaged" in capfd.readouterr().err

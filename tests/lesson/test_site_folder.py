"""The built folder replaces an earlier build, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.cli import main
from grader.lesson.site.folder import MARK, replace
from grader.model.errors import OutputError


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_build_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "lesson"
    replace(folder, {"index.html": b"old", "sheets/gone.pdf": b"old"})
    replace(folder, {"index.html": b"new"})
    assert contents(folder).keys() == {"index.html", MARK}
    assert (folder / "index.html").read_bytes() == b"new"
    assert [path.name for path in folder.parent.iterdir()] == ["lesson"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "lesson").mkdir()
    replace(tmp_path / "lesson", {"index.html": b""})
    assert (tmp_path / "lesson/index.html").exists()


@pytest.mark.parametrize("stranger", ["thesis.odt", "index.html", ".git/config"])
def test_what_others_wrote_is_left_alone(tmp_path: Path, stranger: str) -> None:
    path = tmp_path / stranger
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(OutputError, match=f"{stranger!r}, which smtplab did not write: move it away"):
        replace(tmp_path, {"index.html": b"new"})
    assert path.read_text() == "mine"


def test_a_file_added_to_a_build_is_left_alone(tmp_path: Path) -> None:
    replace(tmp_path / "lesson", {"index.html": b"old"})
    (tmp_path / "lesson/CNAME").write_text("mine")
    with pytest.raises(OutputError, match="'CNAME'"):
        replace(tmp_path / "lesson", {"index.html": b"new"})
    assert (tmp_path / "lesson/index.html").read_bytes() == b"old"


def test_a_link_leads_to_the_folder_that_is_replaced(tmp_path: Path) -> None:
    replace(tmp_path / "real", {"index.html": b"old"})
    (tmp_path / "link").symlink_to("real")
    replace(tmp_path / "link", {"index.html": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/index.html").read_bytes() == b"new"


def test_what_a_killed_build_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".lesson.01234567.new"
    replace(left, {"index.html": b"half"})
    others = tmp_path / ".lesson.notes"
    others.mkdir()
    replace(tmp_path / "lesson", {"index.html": b"new"})
    assert not left.exists()
    assert others.is_dir()


def test_a_build_that_was_killed_between_two_renames_gives_the_earlier_one_back(tmp_path: Path) -> None:
    replace(tmp_path / "lesson", {"index.html": b"old"})
    (tmp_path / "lesson" / "CNAME").write_text("mine")
    (tmp_path / "lesson").rename(tmp_path / ".lesson.01234567.old")
    with pytest.raises(OutputError, match="'CNAME'"):
        replace(tmp_path / "lesson", {"index.html": b"new"})
    assert contents(tmp_path / "lesson")["CNAME"] == b"mine"


@pytest.mark.slow
def test_the_command_says_in_a_sentence_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["lesson", "build", os.fspath(tmp_path / "file")]) == 2
    assert main(["lesson", "build", os.fspath(tmp_path / "file" / "lesson")]) == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[1].startswith("smtplab: cannot write the folder ")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("mine")
    assert main(["lesson", "build", os.fspath(tmp_path / "mine")]) == 3

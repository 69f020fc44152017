"""Files and folders are there whole or not at all, whoever is killed when; a lock is held by one process at a time."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from grader import disk
from grader.model.deadline import Deadline


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def make(entered: AbstractContextManager[Path], *names: str) -> None:
    with entered as folder:
        folder.mkdir()
        for name in names:
            (folder / name).write_text(name)


class Child:
    """A process that enters something and hangs there until it is killed."""

    def __init__(self, entered: AbstractContextManager[Path | None]) -> None:
        ready, done = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                folder = entered.__enter__()
                if folder is not None:
                    folder.mkdir()
                    (folder / "half").write_text("half")
                os.write(done, b"!")
                signal.pause()
            finally:
                os._exit(1)
        os.close(done)
        assert os.read(ready, 1) == b"!"
        os.close(ready)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill it at once, as often as one likes."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0


def test_a_file_takes_the_place_of_a_link_and_leaves_what_it_led_to(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "file").symlink_to("other")
    disk.write_file(tmp_path / "file", b"new", 0o600)
    assert not (tmp_path / "file").is_symlink()
    assert content(tmp_path) == {"other": "other", "file": "new"}
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("mode", "expected"), [(0o666, 0o640), (0o777, 0o750)])
def test_the_umask_says_who_may_use_a_new_file(tmp_path: Path, mode: int, expected: int) -> None:
    before = os.umask(0o027)
    try:
        disk.write_new_file(tmp_path / "send", b"", mode)
    finally:
        os.umask(before)
    assert (tmp_path / "send").stat().st_mode & 0o777 == expected


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        disk.write_new_file(tmp_path / "file", b"new")
    assert content(tmp_path) == {"file": "mine"}


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    disk.write_file(tmp_path / ("n" * 255), b"new")
    assert content(tmp_path) == {"n" * 255: "new"}


def test_a_new_folder_is_there_when_it_is_complete(tmp_path: Path) -> None:
    with disk.new_folder(tmp_path / "deep" / "lab") as folder:
        folder.mkdir()
        (folder / "file").write_text("whole")
        assert not (tmp_path / "deep" / "lab").exists()
    assert content(tmp_path) == {"deep/lab/file": "whole"}


def test_a_new_folder_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "file").write_text("mine")
    with pytest.raises(OSError, match="not empty"):
        make(disk.new_folder(tmp_path / "lab"), "file")
    assert content(tmp_path) == {"lab/file": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]


def test_a_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    for text in ("old", "new"):
        make(disk.replaced_folder(tmp_path / "alice"), text)
    assert content(tmp_path) == {"alice/new": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["alice"]


def test_a_failure_keeps_the_old_folder(tmp_path: Path) -> None:
    make(disk.replaced_folder(tmp_path / "alice"), "old")
    with pytest.raises(FileNotFoundError):
        make(disk.replaced_folder(tmp_path / "alice"), "new", "no/such/folder")
    assert content(tmp_path) == {"alice/old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["alice"]


def test_a_body_that_made_nothing_keeps_the_old_folder(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "old").write_text("old")
    with pytest.raises(FileNotFoundError), disk.replaced_folder(tmp_path / "alice"):
        pass
    assert content(tmp_path) == {"alice/old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["alice"]


def test_what_a_killed_process_left_is_mended(tmp_path: Path) -> None:
    for name in (".alice.01234567.new", ".bob.01234567.old", ".carol.89abcdef.old", "carol"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in").write_text(name)
    disk.recover(tmp_path)
    assert content(tmp_path) == {"bob/in": ".bob.01234567.old", "carol/in": "carol"}


def test_only_what_was_left_of_the_named_folder_is_mended(tmp_path: Path) -> None:
    names = {".lesson.notes", ".lesson.01234567.newer", ".other.01234567.new"}
    for name in (*names, ".lesson.01234567.new"):
        (tmp_path / name).mkdir()
    disk.recover(tmp_path, "lesson")
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_process_killed_in_the_middle_leaves_what_is_recovered(tmp_path: Path) -> None:
    with Child(disk.replaced_folder(tmp_path / "alice")):
        pass
    assert len(disk.leftovers(tmp_path)) == 1
    disk.recover(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_process_holds_no_lock(tmp_path: Path) -> None:
    with (
        Child(disk.locked(tmp_path / "lock")),
        pytest.raises(TimeoutError),
        disk.locked(tmp_path / "lock", deadline=Deadline(0.01)),
    ):
        pass
    with disk.locked(tmp_path / "lock", deadline=Deadline(0.01)):
        pass


def test_whoever_waits_is_told_so(tmp_path: Path) -> None:
    told: list[str] = []
    with Child(disk.locked(tmp_path / "lock")) as holder:

        def waiting() -> None:
            told.append("waits")
            holder.kill()

        with disk.locked(tmp_path / "lock", waiting=waiting):
            pass
    assert told == ["waits"]


def test_a_child_holds_the_lock_of_its_parent_until_it_ends(tmp_path: Path) -> None:
    with disk.locked(tmp_path / "lock"):
        worker = Child(nullcontext())
    with worker, pytest.raises(TimeoutError), disk.locked(tmp_path / "lock", deadline=Deadline(0.01)):
        pass
    with disk.locked(tmp_path / "lock", deadline=Deadline(0.01)):
        pass

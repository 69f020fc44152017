"""Watching: the terminal is cleared for each new report, and what smtplab itself writes is no change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import pytest
import watchfiles

from grader import interruption, labs
from grader.cli import standby, watch
from grader.cli.standby import Standby
from grader.labs.limits import LAST
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import MachinePlan
from tests.conftest import PATIENCE
from tests.engines.plans import plan


def test_each_new_report_begins_on_a_clear_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    def changes(*_: object, **__: object) -> Iterator[set[Any]]:
        yield set()
        yield {(watchfiles.Change.modified, "main.cf")}
        yield set()

    monkeypatch.setattr(watchfiles, "watch", changes)
    monkeypatch.setattr(click, "clear", lambda: happened.append("cleared"))

    def grade() -> int:
        happened.append("graded")
        return 0

    watch.watching(tmp_path, [], grade, Standby("auto"))
    assert happened == ["graded", "cleared", "graded"]


def test_a_folder_that_takes_the_place_of_the_watched_one_is_watched(tmp_path: Path) -> None:
    class Impatient(Standby):
        deadline = Deadline(PATIENCE)

        def look_at_the_clock(self) -> None:
            assert not self.deadline.over, "what was saved in the new folder was not noticed"

    work = tmp_path / "work"
    work.mkdir()
    graded = 0

    def grade() -> int:
        nonlocal graded
        graded += 1
        if graded == 1:
            work.rename(tmp_path / "old")
        elif graded == 2:
            (work / "main.cf").write_text("")
        else:
            raise KeyboardInterrupt
        work.mkdir(exist_ok=True)
        return 0

    with pytest.raises(KeyboardInterrupt):
        watch.watching(work, [], grade, Impatient("auto"))


def test_an_interrupt_that_python_lost_ends_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def turns(*_: object, **__: object) -> Iterator[set[Any]]:
        yield set()
        with suppress(KeyboardInterrupt):  # as in a destructor, or where libraries are told of a fork
            interruption.interrupt()
        yield set()

    monkeypatch.setattr(watchfiles, "watch", turns)
    with pytest.raises(KeyboardInterrupt):
        watch.watching(tmp_path, [], lambda: 0, Standby("auto"))
    interruption.begin()


def test_an_engine_that_has_worked_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        watchfiles, "watch", lambda *_, **__: iter([set(), {(1, "main.cf")}, {(1, "main.cf")}])
    )
    outcomes = iter([None, EngineError("Docker is gone"), None])

    def grade() -> int:
        if error := next(outcomes):
            raise error
        return 0

    assert watch.watching(tmp_path, [], grade, Standby("auto")) == 0
    assert "smtplab: Docker is gone" in capsys.readouterr().err
    outcomes = iter([EngineError("no engine"), None])
    with pytest.raises(EngineError):
        watch.watching(tmp_path, [], grade, Standby("auto"))


@pytest.mark.parametrize(
    ("kind", "polled"), [("ext4", False), ("9p", True), ("fuse.sshfs", True), ("nfs4", True)]
)
def test_a_folder_whose_file_system_tells_nothing_is_read_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, polled: bool
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"29 1 {os.major(device)}:{os.minor(device)} / /home rw,relatime shared:1 - {kind} server rw\n"
        "30 1 999:999 / /mnt rw - nfs server rw\n"
    )
    monkeypatch.setattr(watch, "MOUNTS", mounts)
    assert watch._polled(tmp_path) == polled
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")
    assert watch._polled(tmp_path) is None


def test_what_waits_is_let_go_when_nothing_is_saved_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    class Engine:
        @contextmanager
        def prepared(self, like: MachinePlan) -> Iterator[None]:
            happened.append(f"ready for {like.lab}")
            yield
            happened.append("let go")

    monkeypatch.setattr(standby, "engine_for", lambda lab, name: Engine())
    with Standby("auto") as kept:
        kept.make_ready()
        assert happened == []
        kept.engine(labs.load("open-relay"))
        kept.like = plan()
        kept.make_ready()
        kept.look_at_the_clock()
        assert happened == ["ready for trial"]
        kept.make_ready()
        assert happened == ["ready for trial", "let go", "ready for trial"]
        monkeypatch.setattr(standby, "LONGEST_WAIT", 0.0)
        kept.make_ready()
        kept.look_at_the_clock()
        kept.look_at_the_clock()
        assert happened[3:] == ["let go", "ready for trial", "let go"]


@pytest.mark.parametrize(
    "name", [LAST, f".{LAST}.0a1b2c3d", ".main.cf.swp", "out.json", ".out.json.0a1b2c3d"]
)
def test_what_grading_writes_is_no_change(tmp_path: Path, name: str) -> None:
    saved = watch.Saved([str(tmp_path / "out.json")])
    assert not saved(watchfiles.Change.modified, str(tmp_path / name))
    assert saved(watchfiles.Change.modified, str(tmp_path / "main.cf"))

"""Watching: the terminal is cleared for each new report, and what smtplab itself writes is no change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import watchfiles

from grader.cli import watch
from grader.labs.limits import LAST


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

    watch.watching(tmp_path, [], grade)
    assert happened == ["graded", "cleared", "graded"]


@pytest.mark.parametrize(
    "name", [LAST, f".{LAST}.0a1b2c3d", ".main.cf.swp", "out.json", ".out.json.0a1b2c3d"]
)
def test_what_grading_writes_is_no_change(tmp_path: Path, name: str) -> None:
    saved = watch.Saved([str(tmp_path / "out.json")])
    assert not saved(watchfiles.Change.modified, str(tmp_path / name))
    assert saved(watchfiles.Change.modified, str(tmp_path / "main.cf"))

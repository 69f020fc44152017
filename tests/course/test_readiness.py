"""What all workers need is there before they are: each is a fork of the process that has the class."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from grader import kinds, labs
from grader.course import ClassSettings, grade_class
from grader.outputs.compiled import CompiledTemplates
from grader.outputs.webpage import environment
from tests import submissions

LAB = "zone-ready"
LOADED = """
import sys
from grader import kinds, labs
from grader.engines.local.engine import LocalEngine
kinds.make_ready(labs.load("open-relay"))
LocalEngine().make_ready()
print(*sys.modules)
"""


class Here:
    """A scheduler that does the jobs itself, and asks ``made`` before the first and after the last."""

    shares_files = True

    def __init__(self, made: Callable[[], int]) -> None:
        self._made = made
        self.counts: list[int] = []

    def run(self, jobs: Iterable[Any], work: Callable[[Any], Any]) -> Generator[tuple[Any, Any], None, None]:
        self.counts.append(self._made())
        for job in jobs:
            yield job, work(job)
        self.counts.append(self._made())


@pytest.fixture
def class_of_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    return [submissions.write("solution", tmp_path / name, lab=LAB) for name in ("alice", "bob")]


def grade(handed_in: list[Path], out: Path, scheduler: Here) -> list[str]:
    settings = ClassSettings(lab=labs.find(LAB), out=out, engine=None, workers=1)
    rows = grade_class(settings, handed_in, report=lambda *_: None, scheduler=scheduler).rows
    return [row.ending for row in rows]


def test_no_worker_compiles_a_template(
    class_of_two: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_ = jinja2.Environment.compile

    def noted(self: jinja2.Environment, *args: Any, **kwargs: Any) -> Any:
        compiled.append(args)
        return compile_(self, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    # As for whoever grades for the first time: nothing was kept.
    monkeypatch.setattr(CompiledTemplates, "load_bytecode", lambda *_: None)
    environment.cache_clear()
    scheduler = Here(lambda: len(compiled))
    assert grade(class_of_two, tmp_path / "out", scheduler) == ["graded", "graded"]
    before, after, *_ = scheduler.counts
    assert 0 < before == after


def test_what_cannot_be_made_ready_is_told_of_each_hand_in_that_misses_it(
    class_of_two: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(lab: object) -> None:
        raise ImportError

    monkeypatch.setattr(kinds, "make_ready", broken)
    assert grade(class_of_two, tmp_path / "out", Here(int)) == ["graded", "graded"]


def test_a_run_of_a_server_finds_its_programs_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert {
        "grader.kinds.server.plan.making",
        "grader.kinds.server.run.conduct",
        "grader.kinds.server.judge.slips",
        "grader.world.service",
    } <= set(done.stdout.split())


def test_a_class_loads_no_yaml_and_nothing_that_signs_unless_it_has_use_for_them() -> None:
    program = (
        "import sys, grader.cli.commands.grade, grader.course.conduct, grader.course.coursefile as course; "
        "course.find_course(None); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/"
    )
    assert not {"yaml", "cryptography"} & set(done.stdout.split())

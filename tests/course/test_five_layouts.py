"""One class in five layouts, killed in the middle and resumed: one right result each (more: SMTPLAB_HAND_INS)."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import labs
from grader.cli import main
from grader.model.deadline import Deadline
from tests.course.intake.downloads import ROSTER, downloads

LAB = "ours"
KEY = "autumn"
NUMBER = int(os.environ.get("SMTPLAB_HAND_INS", "20"))
KINDS = ("solution", "solution", "starter")


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("labs")
    labs.new(LAB, folder, "zone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(folder))
        yield


@pytest.mark.slow
def test_a_class_in_five_layouts_is_killed_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = downloads(LAB, KEY, NUMBER, tmp_path, KINDS)
    for source in given.sources:
        command = [
            "grade",
            LAB,
            str(source),
            "--out",
            "out",
            "--roster",
            ROSTER,
            "--seed",
            KEY,
            "-j",
            "2",
        ]
        command += ["--format", "json,csv"]
        before = set(Path("out").glob("s*"))
        with subprocess.Popen(
            [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            deadline = Deadline(60)
            while not set(Path("out").glob("s*")) - before and process.poll() is None and not deadline.over:
                time.sleep(0.01)
            process.kill()
        assert main([*command, "--resume", "--exit-zero"]) == 0
    with Path("out/grades.csv").open(newline="", encoding="utf-8") as file:
        lines = {line["student"]: line for line in csv.DictReader(file)}
    full = {student for student, line in lines.items() if line["score"] == "100"}
    assert full == {student for student, kind in given.handed_in.items() if kind == "solution"}
    assert {line["status"] for line in lines.values()} == {"graded"}
    assert {path.name for path in Path("out").iterdir() if path.is_dir()} == set(given.handed_in)

"""One class in five layouts, killed in the middle and resumed: one right result each (more: SMTPLAB_HAND_INS)."""

from __future__ import annotations

import csv
import json
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
from tests import submissions
from tests.course.intake.classes import laid
from tests.labs.test_submission import zipped

LAB = "ours"
KEY = "autumn"
NUMBER = int(os.environ.get("SMTPLAB_HAND_INS", "20"))
ODD = ("Zoë", "=1+1", "O'Hara; rm", "a\u202eb", "-rf", "名前", "x" * 60)
"""Names that people and attackers have. Platforms tell people apart by numbers, and so does the class."""


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("labs")
    labs.new(LAB, folder, "zone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(folder))
        yield


def files_of(student: str, number: int, scratch: Path) -> dict[str, bytes]:
    """What a student hands in: the solution of their own variant, or at every third what was handed out."""
    kind = "starter" if number % 3 == 2 else "solution"
    folder = submissions.write(kind, scratch / student, student=student, key=KEY, lab=LAB)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def downloads(where: Path) -> tuple[list[Path], dict[str, bool]]:
    """The class as five downloads, and who should have full marks."""
    made: dict[str, dict[str, bytes | str]] = {
        "canvas": {},
        "moodle": {},
        "gradescope": {},
        "classroom": {},
        "mail": {},
    }
    roster, metadata, right = ["id,canvas,moodle,email,login"], [], {}
    for number in range(NUMBER):
        layout = list(made)[number % len(made)]
        student, odd = f"s{number:04}", ODD[number % len(ODD)]
        files, files_in = files_of(student, number, where / "scratch"), made[layout]
        right[student] = number % 3 != 2
        roster.append(f"{student},{10_000 + number},{20_000 + number},{student}@example.edu,login-{number}")
        packed = zipped(files) if number % 2 else None
        given = {"work (1).zip": packed} if packed else files
        match layout:
            case "canvas":
                for place, (name, data) in enumerate(given.items()):
                    files_in[f"doe_LATE_{10_000 + number}_{50_000 + 10 * number + place}_{name}"] = data
            case "moodle":
                for name, data in given.items():
                    files_in[f"{odd}_{20_000 + number}_assignsubmission_file_/{name}"] = data
            case "gradescope":
                for name, data in given.items():
                    files_in[f"submission_{number}/{name}"] = data
                metadata.append(
                    f"submission_{number}:\n  :submitters:\n  - :sid: {student}\n    :name: {json.dumps(odd)}\n"
                )
            case "classroom":
                for name, data in {".git/HEAD": b"x", **given}.items():
                    files_in[f"{LAB}-login-{number}/{name}"] = data
            case "mail":
                for name, data in given.items():
                    files_in[f"{student}@example.edu/{name}"] = data
    made["gradescope"]["submission_metadata.yml"] = "".join(metadata)
    (where / "class.csv").write_text("\n".join(roster) + "\n")
    folders = {"moodle", "classroom"}
    return [
        laid(where / (name if name in folders else f"{name}.zip"), files) for name, files in made.items()
    ], right


@pytest.mark.slow
def test_a_class_in_five_layouts_is_killed_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources, right = downloads(tmp_path)
    for source in sources:
        command = [
            "grade",
            LAB,
            str(source),
            "--out",
            "out",
            "--roster",
            "class.csv",
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
    assert {student: line["score"] == "100" for student, line in lines.items()} == right
    assert {line["status"] for line in lines.values()} == {"graded"}
    assert {path.name for path in Path("out").iterdir() if path.is_dir()} == set(right)

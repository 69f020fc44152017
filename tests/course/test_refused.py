"""What cannot be read is told to students by the names that they gave it, never by where it lies with the grader."""

from __future__ import annotations

import csv
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import labs
from grader.cli import main

LAB = "knowledge-check"
ASKED = "answers.yaml"
ROOM = labs.load(LAB).submission.max_bytes


def packed(path: Path, *names: str, data: bytes = b"a") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)


def tar_with_link(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo(ASKED)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)


HAND_INS: dict[str, tuple[Callable[[Path], object], str]] = {
    "lacking": (
        lambda home: None,
        f"what was handed in holds no {ASKED}, which the lab {LAB} asks for: add it",
    ),
    "linked": (
        lambda home: (home / ASKED).symlink_to("/etc/passwd"),
        f"{ASKED} is a symbolic link: hand in the file itself",
    ),
    "piped": (lambda home: os.mkfifo(home / ASKED), f"{ASKED} is a named pipe: hand in the file itself"),
    "folder": (
        lambda home: (home / ASKED).mkdir(),
        f"{ASKED} is a folder, and the lab asks for a file: put the file there",
    ),
    "wide": (
        lambda home: (home / ASKED).write_bytes("a".encode("utf-16")),
        f"{ASKED} is written in UTF-16, two octets for each character: save it as text in UTF-8",
    ),
    "binary": (
        lambda home: (home / ASKED).write_bytes(b"a\0"),
        f"{ASKED} is not plain text (there is a NUL byte at offset 1): save it as text in UTF-8",
    ),
    "large": (
        lambda home: (home / ASKED).write_bytes(b"a" * (ROOM + 1)),
        f"what was handed in is larger than {ROOM} bytes",
    ),
    "near": (
        lambda home: (home / "Answers.YML").write_bytes(b"a"),
        f"what was handed in holds no {ASKED}, which the lab {LAB} asks for, but Answers.YML: rename it",
    ),
    "several": (
        lambda home: packed(home / "work.zip", f"a/{ASKED}", f"b/{ASKED}"),
        f"work.zip holds {ASKED} in several folders (a, b): hand in one of them",
    ),
    "deep": (
        lambda home: packed(home / "work.zip", f"a/{ASKED}", data=b"\0"),
        f"work.zip/a/{ASKED} is not plain text",
    ),
    "no-archive": (
        lambda home: (home / "work.zip").write_bytes(b"PK"),
        "work.zip is neither a folder nor an intact zip or tar archive",
    ),
    "link-in-tar": (
        lambda home: tar_with_link(home / "work.tar"),
        f"work.tar holds {ASKED} as no ordinary file: pack the file itself",
    ),
}


def told(student: str) -> str:
    """All that a student of the class reads."""
    folder = Path("out", student)
    return "".join(
        (folder / name).read_text() for name in ("result.json", "report.html", "junit.xml", "report.md")
    )


def reasons() -> dict[str, str]:
    text = Path("out/grades.csv").read_text(encoding="utf-8")
    return {line["student"]: line["reason"] for line in csv.DictReader(io.StringIO(text, newline=""))}


def test_no_refusal_tells_students_where_their_work_lies_with_the_grader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "home-of-the-instructor"
    for student, (write, _) in HAND_INS.items():
        (place / student).mkdir(parents=True)
        write(place / student)
    sources = [str(place / student) for student in HAND_INS]
    assert (
        main(["grade", LAB, *sources, "--out", "out", "-j", "1", "--format", "html,junit,csv,markdown"]) == 1
    )
    for student, (_, reason) in HAND_INS.items():
        assert reasons()[student].startswith(reason), student
        assert place.name not in told(student)


def test_nor_where_a_platform_s_download_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "home-of-the-instructor"
    place.mkdir()
    packed(place / "bulk.zip", f"alice_1001_2_{ASKED}", data=b"\0")
    chosen = ["--layout", "canvas", "--format", "html,junit,csv,markdown"]
    assert main(["grade", LAB, str(place / "bulk.zip"), "--out", "out", "-j", "1", *chosen]) == 1
    [(student, reason)] = reasons().items()
    assert reason.startswith(f"{ASKED} is not plain text")
    assert place.name not in told(student)

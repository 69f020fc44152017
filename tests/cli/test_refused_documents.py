"""Documents of a refused hand-in name what is in it, and not where it lies on the machine that graded it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.cli import main
from grader.outputs import FORMATS

HANDED_IN = ("empty", "nothing", "near", "packed", "link", "folder", "utf-16", "device")


def hand_in(case: str, home: Path) -> Path:
    work = home / "who-am-i"
    if case == "nothing":
        return work
    work.mkdir()
    zone = work / "example.com.zone"
    if case == "near":
        (work / "example.com.zone.txt").touch()
    elif case == "packed":
        (work / "a.zip").touch()
        (work / "b.zip").touch()
    elif case == "link":
        zone.symlink_to("/etc/passwd")
    elif case == "folder":
        zone.mkdir()
        (zone / "inside").touch()
    elif case == "utf-16":
        zone.write_bytes(b"\xff\xfe")
    elif case == "device":
        os.mkfifo(zone)
    return work


@pytest.mark.parametrize("case", HANDED_IN)
def test_documents_name_no_path_of_the_grader_s(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = hand_in(case, tmp_path)
    names = sorted(kind.name for kind in FORMATS.values() if kind.one)
    targets = {name: tmp_path / f"made-{name}" for name in names}
    asked = [word for name, target in targets.items() for word in (f"--{name}", str(target))]
    assert main(["check", "spf-dmarc", str(work), *asked]) == 2
    made = {name: target.read_bytes() for name, target in targets.items() if target.exists()}
    assert {"json", "html", "junit", "gradescope"} <= made.keys()
    assert [name for name, text in made.items() if b"who-am-i" in text or bytes(tmp_path) in text] == []
    assert b"handed in" in made["json"] or b"example.com.zone" in made["json"]
    assert "who-am-i" in capsys.readouterr().err, "the terminal names what was given"

"""What a check loads while its machines are busy: what its report will take, and nothing that takes long besides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from grader import labs
from grader.cli import lastrun
from grader.cli.lastrun import LastRun
from tests.outputs.samples import check, result

LAB = "knowledge-check"
PROGRAM = """
import sys
from grader import labs
from grader.cli.commands.check import Request, _get_ready
from grader.cli.work import find_work

work = find_work(sys.argv[1], sys.argv[2])
verbose = sys.argv[3:] == ["-v"]
_get_ready(labs.load(work.lab), Request(frozenset(), {}, verbose, False, "example", "auto", None, None, False), work)
print("rich.console" in sys.modules)
"""


def loads_what_shows_failures(folder: Path, *options: str) -> bool:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, LAB, folder, *options], capture_output=True, text=True, check=True
    )
    return told.stdout == "True\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    lab = labs.load(LAB)
    labs.start(labs.find(LAB), tmp_path / "work", labs.draw_variant(lab))
    return tmp_path / "work"


def test_what_shows_failures_is_loaded_until_there_are_none(work: Path) -> None:
    assert loads_what_shows_failures(work)
    right = replace(result([check("starts")]), lab=LAB)
    lastrun.keep(work, LastRun(result=right))
    assert not loads_what_shows_failures(work)
    assert loads_what_shows_failures(work, "-v")
    lastrun.keep(work, LastRun(result=replace(right, checks=[check("starts", "fail")])))
    assert loads_what_shows_failures(work)


def test_it_is_not_loaded_for_what_nobody_was_handed_out() -> None:
    assert not loads_what_shows_failures(labs.find(LAB) / "solution")

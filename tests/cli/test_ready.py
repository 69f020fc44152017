"""What a check loads while its machines are busy: what its report will take, and nothing that takes long besides."""

from __future__ import annotations

import subprocess
import sys

import pytest

LAB = "knowledge-check"
PROGRAM = """
import sys
from grader import labs
from grader.cli.commands.check import Request, _get_ready

verbose = sys.argv[2:] == ["-v"]
_get_ready(labs.load(sys.argv[1]), Request(frozenset(), {}, verbose, False, "example", "auto", None, None, False))
print("grader.outputs.terminal" in sys.modules, "rich.console" in sys.modules)
"""


@pytest.mark.parametrize(("options", "loaded"), [([], "True False\n"), (["-v"], "True True\n")])
def test_what_lays_out_long_reports_is_loaded_for_them_alone(options: list[str], loaded: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, LAB, *options], capture_output=True, text=True, check=True
    )
    assert told.stdout == loaded

"""Draws docs/report.svg, the terminal's report on a known fault: ``make picture``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests import submissions

COLUMNS = 100
FAULT = "wrong/trusts-everybody"


def report(folder: Path) -> str:
    """What is printed, colours included."""
    submissions.write(FAULT, folder / "work/open-relay")
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [str(Path(sys.executable).with_name("smtplab")), "check", "open-relay"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        raise SystemExit(done.stderr or "the fault was not found")
    return done.stdout


def main() -> None:
    """Draw it."""
    with tempfile.TemporaryDirectory() as scratch:
        printed = report(Path(scratch))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("$ smtplab check open-relay\n" + printed))
    console.save_svg(str(Path(__file__).with_name("report.svg")), title="smtplab")


if __name__ == "__main__":
    main()

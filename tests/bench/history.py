"""What was measured, where and of which revision: a line a figure in ``history.csv``, so that slopes can be seen."""

from __future__ import annotations

import csv
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

HISTORY = Path(__file__).with_name("history.csv")
HEADER = ("date", "machine", "revision", "figure", "value", "unit")


class Figures:
    """The figures of one benchmark."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, float, str]] = []

    def note(self, name: str, value: float, unit: str = "s") -> None:
        """Note a figure."""
        self.noted.append((name, value, unit))


def machine() -> str:
    """The kind of machine, in a few words: its processors and its kernel."""
    model = platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        named = [
            line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = " ".join(named[0].split()) if named else model
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}"


def revision() -> str:
    """The revision that was measured, with a plus sign where the working tree differs from it."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=7"],
        cwd=HISTORY.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"


def append(figures: Figures, path: Path = HISTORY) -> Path:
    """Add figures to the history, which is begun where there is none; its path."""
    fresh = not path.exists()
    when = datetime.now(UTC).isoformat(timespec="minutes")
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(HEADER)
        where, what = machine(), revision()
        for name, value, unit in figures.noted:
            writer.writerow((when, where, what, name, f"{value:.4g}", unit))
    return path

"""Small classes to grade, and what an undisturbed grader makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from grader import labs
from tests import submissions
from tests.chaos.family import MARK, Family

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]
VOLATILE = ("started", "duration")
"""What differs in the results of equal runs."""


@dataclass(frozen=True)
class Class:
    """A lab, and submissions to it, in a folder."""

    lab: str
    folder: Path

    @property
    def students(self) -> list[str]:
        """The submissions' folders."""
        return sorted(path.name for path in self.folder.iterdir())


def made(folder: Path) -> list[Class]:
    """Four classes: servers twice, once with few probes and once with all; zones; programs."""
    home = folder / "labs"
    classes = []
    for lab, kind, handed_in in (
        ("few-probes", "server", ["solution", "starter", "wrong/open-to-everybody"]),
        ("a-program", "program", ["solution", "starter"]),
        ("a-zone", "zone", ["solution", "starter", "solution"]),
        ("open-relay", "", ["solution"]),
    ):
        if kind:
            labs.new(lab, home, kind)
        os.environ["SMTPLAB_LABS"] = str(home)
        where = folder / "submissions" / lab
        for number, name in enumerate(handed_in):
            submissions.write(name, where / f"s{number}", lab=lab)
        classes.append(Class(lab, where))
    return classes


class Grader:
    """A running ``smtplab grade``."""

    def __init__(self, class_: Class, out: Path, engine: str, *arguments: str, **environment: str) -> None:
        mark = uuid.uuid4().hex
        scratch = out.parent / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        self.log = (out.parent / "log").open("ab")
        self.process = subprocess.Popen(
            [
                *SMTPLAB,
                "grade",
                class_.lab,
                *class_.students,
                "--out",
                str(out),
                "--engine",
                engine,
                *arguments,
            ],
            cwd=class_.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, MARK: mark, "TMPDIR": str(scratch), **environment},
            start_new_session=True,
        )
        self.family = Family(self.process.pid, mark)

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises ``subprocess.TimeoutExpired``."""
        try:
            return self.process.wait(seconds)
        finally:
            self.log.close()


def results(out: Path) -> dict[str, Any]:
    """Everything that a class came to, without what differs in equal runs."""
    book = out / "grades.csv"
    found: dict[str, Any] = {"grades.csv": book.read_text() if book.exists() else "missing"}
    for path in sorted(out.glob("*/result.json")):
        try:
            result = json.loads(path.read_bytes())
        except ValueError:
            result = {}
        found[path.parent.name] = {key: value for key, value in result.items() if key not in VOLATILE}
    return found


def half_written(out: Path) -> list[str]:
    """Documents in a class's folder that are not whole, and results that lack some; a line for each."""
    wrong = []
    for folder in (path for path in out.glob("[!.]*") if path.is_dir()):
        missing = {"result.json", "row.json", "junit.xml", "report.html"} - {p.name for p in folder.iterdir()}
        wrong += [f"{folder.name} lacks {name}" for name in sorted(missing)]
    for path in out.glob("**/*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(out).parts):
            try:
                _whole(path)
            except (ValueError, ElementTree.ParseError) as error:
                wrong.append(f"{path.relative_to(out)} is not whole: {error}")
    return wrong


def _whole(path: Path) -> None:
    data = path.read_bytes()
    if path.suffix == ".json":
        json.loads(data)
    elif path.suffix == ".xml":
        ElementTree.fromstring(data)
    elif path.suffix == ".html" and not data.rstrip().endswith(b"</html>"):
        raise ValueError("it does not end with </html>")
    elif path.suffix == ".csv" and not data.endswith(b"\n"):
        raise ValueError("its last line has no end")

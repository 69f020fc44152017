"""A large class in five layouts: graded in peace, killed and resumed, in shares, and by a cluster that loses a worker.

Whoever grades it, and whatever becomes of the grader, each student has one result, and it is the same.
"""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import labs
from grader.model.deadline import Deadline
from tests.chaos.classes import SMTPLAB
from tests.course.documents import documents
from tests.course.intake.downloads import ROSTER, Downloads, downloads

KEY = "autumn"
SHARDS = 4
FORMATS = "json,csv,junit,html,canvas"
OF_SERVERS = ("evidence.json", "report.html")
"""What holds a server's own words, times and queue ids: no two runs of one server say the same."""
LONGEST = 3600.0
STARTS = 600.0
"""Seconds in which a cluster is there on a machine with other things to do."""


@dataclass
class LargeClass:
    """A class of ``number`` students of a lab, in ``folder``; ``wrong`` is what was found."""

    lab: str
    number: int
    folder: Path
    engine: str
    given: Downloads
    wrong: list[str]

    def run(self) -> list[str]:
        """Grade it in all ways, tell how long each took, and return what differs."""
        ways: dict[str, Callable[[Path], None]] = {
            "whole": self._in_peace,
            "killed": self._killed,
            "shares": self._in_shares,
            "cluster": self._by_cluster,
        }
        expected: dict[str, bytes] = {}
        for name, grade in ways.items():
            began = time.monotonic()
            grade(self.folder / name)
            print(f"{self.lab} {name}: {time.monotonic() - began:.0f} s", flush=True)
            left_out = OF_SERVERS if labs.load(labs.find(self.lab)).needs_engine else ()
            found = documents(self.folder / name, left_out)
            self.look(name, self.folder / name)
            expected = expected or found
            self.wrong += [
                f"{name}: {path} differs"
                for path in sorted(expected.keys() | found.keys())
                if expected.get(path) != found.get(path)
            ]
        return self.wrong

    def look(self, name: str, out: Path) -> None:
        """Whether each student has one row, and who handed in the solution has all points, and nobody else."""
        with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        handed_in = self.given.handed_in
        for student, times in Counter(row["student"] for row in rows).items():
            if times > 1 or student not in handed_in:
                self.wrong.append(f"{name}: {times} rows of {student}")
        scores = {row["student"]: row for row in rows}
        self.wrong += [f"{name}: no row of {student}" for student in handed_in if student not in scores]
        for student, row in scores.items():
            right = row["status"] == "graded" and (
                (row["score"] == row["max_score"]) is (handed_in.get(student) == "solution")
            )
            if not right:
                self.wrong.append(f"{name}: {student} has {row['score']} ({row['status']})")

    def _command(self, source: Path, out: Path, *more: str) -> list[str]:
        return [
            *SMTPLAB, "grade", self.lab, str(source), "--out", str(out), "--roster", str(self.folder / ROSTER),
            "--engine", self.engine, "--format", FORMATS, "--exit-zero", *more,
        ]  # fmt: skip

    def _grade(self, source: Path, out: Path, *more: str) -> None:
        done = self._started(self._command(source, out, *more))
        if (code := done.wait(LONGEST)) != 0:
            self.wrong.append(f"grading {source.name} into {out.name} ended with {code}")

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "SMTPLAB_SEED": KEY}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _in_peace(self, out: Path) -> None:
        for source in self.given.sources:
            self._grade(source, out, "-j", "2")

    def _killed(self, out: Path) -> None:
        """With ``kill -9`` when about half of each download is graded."""
        for source in self.given.sources:
            with self._started(self._command(source, out, "-j", "2")) as grader:
                self._midway(out, grader)
                if grader.poll() is not None:
                    self.wrong.append(f"grading {source.name} had ended before it was killed")
                grader.kill()
            self._grade(source, out, "-j", "2", "--resume")

    def _midway(self, out: Path, grader: subprocess.Popen[bytes]) -> None:
        """Wait until half of what a grader does is done, or it has ended."""
        half = len(list(out.glob("s*/result.json"))) + max(1, self.number // len(self.given.sources) // 2)
        deadline = Deadline(LONGEST)
        while len(list(out.glob("s*/result.json"))) < half and grader.poll() is None and not deadline.over:
            time.sleep(0.01)

    def _in_shares(self, out: Path) -> None:
        shares = [self.folder / f"share-{number}" for number in range(1, SHARDS + 1)]
        for number, share in enumerate(shares, 1):
            for source in self.given.sources:
                self._grade(source, share, "-j", "2", "--shard", f"{number}/{SHARDS}")
        merge = [*SMTPLAB, "merge", *map(str, shares), "--out", str(out), "--exit-zero"]
        if (code := self._started(merge).wait(LONGEST)) != 0:
            self.wrong.append(f"merging ended with {code}")

    def _by_cluster(self, out: Path) -> None:
        """By two workers, one of which is killed in the middle of the first download."""
        with self._cluster() as (address, workers):
            for number, source in enumerate(self.given.sources):
                grader = self._started(self._command(source, out, "--scheduler", address))
                if number == 0:
                    self._midway(out, grader)
                    workers[0].kill()
                if (code := grader.wait(LONGEST)) != 0:
                    self.wrong.append(f"grading {source.name} by the cluster ended with {code}")

    @contextmanager
    def _cluster(self) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
        from distributed import Client

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        address = f"tcp://127.0.0.1:{port}"
        dask = [sys.executable, "-m", "dask"]
        scheduler = self._started(
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        )
        worker = [
            *dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory",
            str(self.folder),
        ]  # fmt: skip
        started = [scheduler, *(self._started(worker) for _ in range(2))]
        try:
            with Client(address, timeout=STARTS, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=STARTS)
            yield address, started[1:]
        finally:
            for process in started:
                process.kill()
                process.wait()


def of_students(lab: str, number: int, folder: Path, engine: str) -> LargeClass:
    """Such a class, made in a new ``folder``."""
    folder.mkdir(parents=True)
    given = downloads(lab, KEY, number, folder, ("solution", "solution", "starter"))
    return LargeClass(lab, number, folder, engine, given, [])

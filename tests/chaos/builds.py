"""One round with the image: its build is killed at a random moment, and everything that is left of it is looked at."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from grader.engines.local import removal
from grader.model.deadline import Deadline
from tests.chaos import machine
from tests.chaos.classes import SMTPLAB
from tests.chaos.family import MARK, Family
from tests.chaos.rounds import what_stays

LONGEST = 90.0
"""Seconds after which a build is killed at the latest: on most machines it is then at work on its packages, or done."""


@dataclass
class BuildRound:
    """A round: ``did`` tells what was done, ``wrong`` what was found."""

    folder: Path
    draw: random.Random
    did: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> BuildRound:
        """Kill a build, look, have ``smtplab doctor`` clean up, look again."""
        scratch, cache = self.folder / "scratch", self.folder / "cache"
        scratch.mkdir(parents=True)
        mounted = machine.mounts()
        mark = uuid.uuid4().hex
        environment = {**os.environ, MARK: mark, "TMPDIR": str(scratch), "SMTPLAB_CACHE": str(cache)}
        with (self.folder / "log").open("wb") as log:
            build = subprocess.Popen(
                [*SMTPLAB, "image", "build", "--engine", "local"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        family = Family(build.pid, mark)
        self._kill(build, family)
        self.wrong += what_stays(family.left)
        family.close()
        self.wrong += [f"mount {point}" for point in sorted(machine.mounts() - mounted)]
        self.wrong += [f"temporary file {path}" for path in scratch.iterdir()]
        subprocess.run([*SMTPLAB, "doctor", "--clean"], env=environment, capture_output=True, check=False)
        half = [path for path in cache.glob("images/.*") if path.suffix != ".lock"]
        self.wrong += [f"half-made {path}" for path in [*half, *cache.glob("images/*/.*")]]
        removal.remove(self.folder)
        return self

    def _kill(self, build: subprocess.Popen[bytes], family: Family) -> None:
        """Kill the builder, or one of its processes, at a moment; now and then all of its session at once."""
        moment = self.draw.random() ** 2 * LONGEST
        deadline = Deadline(moment)
        there = family.members()
        while not deadline.over and build.poll() is None:
            there = family.members()
            time.sleep(0.05)
        victims = sorted(
            (process for found in there.values() for process in found), key=lambda process: process.pid
        )
        victim = self.draw.choice([victims[0], self.draw.choice(victims)])
        self.did.append(f"kill process {victims.index(victim)} of {len(victims)} after {moment:.1f} s")
        victim.send(signal.SIGKILL)
        try:
            build.wait(LONGEST * 10 if victim.pid != build.pid else 20)
        except subprocess.TimeoutExpired:
            self.wrong.append("the build did not end")
            build.kill()
            build.wait()

"""One round: a class is graded and disturbed, some times over; then resumed in peace; then everything is looked at."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader import labs
from grader.engines.local import syscalls
from grader.model.deadline import Deadline
from tests.chaos import machine
from tests.chaos.classes import Class, Grader, half_written, results
from tests.chaos.family import Family, Process

LOOK_SECONDS = 0.004
"""Between two looks at whether the process to be stopped is there yet."""
STOPPED_SECONDS = 0.3
"""For which a process stands still before it is killed."""
GONE_SECONDS = 20.0
"""In which everything of a killed grader is gone, on a busy machine."""
LONGEST_CLASS = 240.0

ROLES = {
    "local": ("grader", "grader", "worker", "supervisor", "world", "runc", "agent", "host process"),
    "docker": ("grader", "grader", "worker", *machine.CONTAINERS),
}
"""Who is stopped on each engine."""
WITHOUT_MACHINES = ("grader", "worker")
TRIES = 4
"""At finding somebody who is to be stopped, each in half the time of the one before."""
OF_SUBMISSION = "host process"
"""Who may die of what a submission does, too: that is a result, and what chaos adds to it is graded once more."""
WAYS = ("kill", "kill", "kill", "term", "stop and kill")
FULL_DISKS = ("out", "cache")
SHARE_OF_FULL_DISKS = 0.15


@dataclass(frozen=True)
class Trial:
    """A class, the results that it must come to on an engine, and the seconds that an undisturbed grader takes."""

    class_: Class
    engine: str
    expected: dict[str, Any]
    seconds: float
    machines: bool
    """Whether its lab takes machines."""


def undisturbed(class_: Class, engine: str, folder: Path) -> Trial:
    """Grade a class in peace."""
    began = time.monotonic()
    Grader(class_, folder / "out", engine, "-j", "2").wait(LONGEST_CLASS)
    seconds = time.monotonic() - began
    machines = labs.load(labs.find(class_.lab)).needs_engine
    return Trial(class_, engine, results(folder / "out"), seconds, machines)


@dataclass
class Round:
    """A round: ``did`` tells what was done, ``wrong`` what was found."""

    trial: Trial
    folder: Path
    draw: random.Random
    did: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _families: list[Family] = field(default_factory=list)
    _host_died: bool = False

    @property
    def out(self) -> Path:
        """Where the grades are written."""
        return self.folder / "out"

    def run(self) -> Round:
        """Disturb, resume, look."""
        mounted = machine.mounts()
        if os.geteuid() == 0 and self.draw.random() < SHARE_OF_FULL_DISKS:
            getattr(self, f"_fill_{self.draw.choice(FULL_DISKS)}")()
        for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
            self._disturb()
        self._grade()
        if self._host_died and (others := self._others()):
            for student in others:
                shutil.rmtree(self.out / student)
            self._grade()
        self.wrong += half_written(self.out)
        self.wrong += machine.files_left(self.folder / "scratch", self.out)
        self.wrong += [f"another result: {name}" for name in self._others()]
        for family in self._families:
            self.wrong += [*machine.groups_left(family), *self._containers(family)]
            family.close()
        if self.out.is_mount():
            syscalls.detach(str(self.out))
        self.wrong += [f"mount {point}" for point in sorted(machine.mounts() - mounted)]
        return self

    def _start(self, *arguments: str, **environment: str) -> Grader:
        trial = self.trial
        grader = Grader(trial.class_, self.out, trial.engine, "--resume", *arguments, **environment)
        self._families.append(grader.family)
        return grader

    def _grade(self, **environment: str) -> int:
        """Grade what is left to do, in peace; the exit code."""
        grader = self._start("-j", "2", **environment)
        self._await_end(grader)
        return grader.process.returncode

    def _disturb(self) -> None:
        """Stop somebody, earlier and earlier until there is somebody to be stopped."""
        roles = ROLES[self.trial.engine] if self.trial.machines else WITHOUT_MACHINES
        role, way = self.draw.choice(roles), self.draw.choice(WAYS)
        moment = self.draw.random() * self.trial.seconds
        for _ in range(TRIES):
            if self._disturbed(role, way, moment):
                return
            moment /= 2
            if self.out.exists() and not self.out.is_mount():
                shutil.rmtree(self.out)

    def _disturbed(self, role: str, way: str, moment: float) -> bool:
        grader = self._start("-j", self.draw.choice("12"))
        deadline = Deadline(moment)
        while not deadline.over and grader.process.poll() is None:
            grader.family.members()
            time.sleep(LOOK_SECONDS)
        hit = self._hit(grader, role, way)
        self.did.append(f"{way} {role} after {moment:.2f} s" + ("" if hit else " (was not there)"))
        self._host_died |= hit and role == OF_SUBMISSION
        self._await_end(grader)
        if self.out.exists():
            self.wrong += half_written(self.out)
        return hit

    def _hit(self, grader: Grader, role: str, way: str) -> bool:
        """Wait for a process or container of that role, and stop it; whether there was one."""
        while grader.process.poll() is None:
            there = grader.family.members()[role]
            if role in machine.CONTAINERS and self.trial.engine == "docker":
                there = [box.process for box in machine.running(grader.family) if box.role == role]
            if there and _stop(self.draw.choice(there), way):
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def _await_end(self, grader: Grader) -> None:
        """Wait until a grader has ended, and nothing lives of it; what still does is noted and killed."""
        try:
            grader.wait(LONGEST_CLASS)
        except subprocess.TimeoutExpired:
            self.wrong.append("the grader did not end")
            grader.process.kill()
            grader.process.wait()
        self.wrong += what_stays(grader.family.left)
        if self.trial.engine == "docker":
            self.wrong += what_stays(lambda: [str(box) for box in machine.running(grader.family)])

    def _others(self) -> list[str]:
        """Students, and documents, whose results are not those of an undisturbed class."""
        told = results(self.out)
        found = {
            name for name in {*self.trial.expected, *told} if told.get(name) != self.trial.expected.get(name)
        }
        return sorted(found - {"grades.csv"}) or sorted(found)

    def _containers(self, family: Family) -> list[str]:
        return machine.containers_left(family) if self.trial.engine == "docker" else []

    def _fill_out(self) -> None:
        """Grade onto a disk that is soon full, and then have room made."""
        size = self.draw.randrange(16, 1600) * 1024
        self.out.mkdir(parents=True)
        syscalls.mount("tmpfs", str(self.out), "tmpfs", options=f"size={size}")
        code = self._grade()
        self.did.append(f"out has {size // 1024} kB: exit code {code}")
        self.wrong += half_written(self.out)
        syscalls.mount("tmpfs", str(self.out), "tmpfs", syscalls.MS_REMOUNT, "size=100m")

    def _fill_cache(self) -> None:
        """Grade with a cache that is full before it holds anything but the image."""
        from grader.engines import image

        cache = self.folder / "cache"
        cache.mkdir(parents=True)
        syscalls.mount("tmpfs", str(cache), "tmpfs", options="size=8k")
        (cache / "images").symlink_to(image.parent())
        code = self._grade(SMTPLAB_CACHE=str(cache))
        self.did.append(f"cache is full: exit code {code}")
        self.wrong += [f"another result with a full cache: {name}" for name in self._others()]
        syscalls.detach(str(cache))


def _stop(process: Process, way: str) -> bool:
    if way == "term":
        return process.send(signal.SIGTERM)
    if way == "stop and kill":
        if not process.send(signal.SIGSTOP):
            return False
        time.sleep(STOPPED_SECONDS)
    return process.send(signal.SIGKILL)


def what_stays(left: Callable[[], list[str]]) -> list[str]:
    """What is still there when all should long be gone; a line for each."""
    deadline = Deadline(GONE_SECONDS)
    while (lines := left()) and not deadline.over:
        time.sleep(0.05)
    return lines

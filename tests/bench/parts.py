"""Runs smtplab as ever, with each of its processes in a control group by its part, and tells what each part cost.

``python -m tests.bench.parts check open-relay DIR``. Needs root, the local engine, and control groups that account for
processor time. The program is not changed: its own functions are wrapped, before they begin. Its parts are

- ``servers``: all that runs on the student's host, beside the agent,
- ``agent``: the grader's program there,
- ``world``: everything around that host,
- ``building``: namespaces, network and runc,
- ``grader``: the command itself, from Python's start to the report.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from grader import cli
from grader.engines.local import cgroups, engine, sandbox

PARTS = ("grader", "building", "world", "hosts")
V1 = Path("/sys/fs/cgroup/cpuacct")
V2 = Path("/sys/fs/cgroup")


class Groups:
    """A group for each part, below one of this process's own. Raises ``OSError`` where there can be none.

    Below that of the hosts there is one for each worker of a class: who counts what its own agent has cost must not
    count another's.
    """

    def __init__(self) -> None:
        top = V1 if V1.exists() else V2
        self.folder = top / f"bench-{os.getpid()}"
        self.folder.mkdir()
        for part in PARTS:
            (self.folder / part).mkdir()
        self.host = ""
        self.doors = {
            part: os.open(self.folder / part / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for part in PARTS
        }

    def enter(self, part: str) -> None:
        """Have this process, and those that it starts, count for a part."""
        os.write(self.doors[part], b"0")

    def take_host(self) -> str:
        """The group of the host that this process has built, made where there is none; what it is called as a part."""
        part = f"hosts/{os.getpid()}"
        if part not in self.doors:
            (self.folder / part).mkdir()
            self.doors[part] = os.open(self.folder / part / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        return part

    def seconds(self, part: str) -> float:
        """What a part has cost so far, of one processor."""
        folder = self.folder / part
        with suppress(FileNotFoundError):
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        return int((folder / "cpu.stat").read_text().split()[1]) / 1e6

    def agents(self, host: str) -> list[int]:
        """The agents that run on a host now."""
        pids = (self.folder / host / "cgroup.procs").read_text().split()
        return [int(pid) for pid in pids if b"guest.main" in _read(f"/proc/{pid}/cmdline")]

    def remove(self, home: Path) -> None:
        """Leave the groups for ``home``, and remove them as soon as all that is in there has ended."""
        (home / "cgroup.procs").write_text("0")
        hosts = [folder for folder in (self.folder / "hosts").iterdir() if folder.is_dir()]
        for folder in [*hosts, *(self.folder / part for part in PARTS), self.folder]:
            while folder.exists():
                with suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.01)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _wrap(groups: Groups, spent: int) -> None:
    """Have each process enter its part's group when it begins; ``spent`` takes what agents and runc have cost."""
    detach, supervise, world, enter = sandbox._detach, sandbox.supervise, sandbox._world, cgroups.enter
    make, begin, let_go = engine._Run.__init__, engine._Run.begin, engine._Run.let_go

    def detached(kept: Iterable[int]) -> None:
        detach([*kept, *groups.doors.values()])

    def supervising(*arguments: Any) -> NoReturn:
        groups.enter("building")
        supervise(*arguments)

    def being_world(*arguments: Any) -> None:
        groups.enter("world")
        world(*arguments)

    def entering(doors: list[int]) -> None:
        groups.enter(groups.host)
        enter(doors)

    def being_made(run: Any) -> None:
        # Its machines may be built long before it begins.
        groups.host = groups.take_host()
        run.spent_before = groups.seconds(groups.host)
        make(run)

    def beginning(run: Any, plan: Any) -> None:
        begin(run, plan)
        agent = sum(_ran(pid) for pid in groups.agents(groups.host))
        os.write(spent, f"runc {groups.seconds(groups.host) - run.spent_before - agent}\n".encode())

    def letting_go(run: Any) -> None:
        # Once more when its end is awaited: nobody is there any more then.
        if not vars(run).get("measured"):
            run.measured = True
            os.write(spent, f"agent {sum(_ran(pid) for pid in groups.agents(groups.host))}\n".encode())
        let_go(run)

    patched: Any = sandbox
    patched._detach, patched.supervise, patched._world = detached, supervising, being_world
    patched = engine._Run
    patched.__init__, patched.begin, patched.let_go = being_made, beginning, letting_go
    patched = cgroups
    patched.enter = entering


def _ran(pid: int) -> float:
    """Seconds of a processor that a process has had."""
    words = _read(f"/proc/{pid}/schedstat").split()
    return int(words[0]) / 1e9 if words else 0.0


def main() -> None:
    """Run a command line of smtplab, and write the parts' seconds to standard error as JSON."""
    before = time.process_time()
    groups = Groups()
    spent = os.memfd_create("spent")
    home = groups.folder.parent
    groups.enter("grader")
    began = time.perf_counter()
    _wrap(groups, spent)
    code = cli.main(sys.argv[1:])
    wall = time.perf_counter() - began
    told = [line.split() for line in os.pread(spent, 10_000_000, 0).decode().splitlines()]
    parts = {part: groups.seconds(part) for part in PARTS}
    for name in ("agent", "runc"):
        parts[name] = sum(float(seconds) for said, seconds in told if said == name)
    parts["servers"] = parts.pop("hosts") - parts["agent"] - parts["runc"]
    parts["building"] += parts.pop("runc")
    parts["grader"] += before
    print(json.dumps({"wall": wall, "code": code, **parts}), file=sys.stderr)
    groups.remove(home)


if __name__ == "__main__":
    main()

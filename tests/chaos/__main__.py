"""``python -m tests.chaos [--n N] [--engine ENGINE] [--seed SEED] [--first NUMBER]``; see the package's docstring."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from grader.engines import select
from grader.engines.local import syscalls
from tests.chaos import large
from tests.chaos.builds import BuildRound
from tests.chaos.classes import made
from tests.chaos.rounds import Round, Trial, undisturbed


def main() -> int:
    """Make chaos, print what was wrong, and return the exit status: 1 if anything was."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--n", type=int, default=20, help="so many rounds (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default %(default)s)")
    parser.add_argument("--seed", default="chaos", help="draws the rounds (default %(default)s)")
    parser.add_argument("--engine", default="local", help="local or docker (default %(default)s)")
    parser.add_argument(
        "--builds", type=int, default=0, help="so many rounds with the build of the image instead"
    )
    parser.add_argument("--labs", help="only classes of these, separated by commas")
    parser.add_argument(
        "--students", type=int, default=0, help="instead, classes of so many in five layouts (with --labs)"
    )
    options = parser.parse_args()
    select(options.engine).image(lambda step: None)
    if os.geteuid() == 0:
        # Disks are filled where nobody else sees them, and nothing of theirs stays mounted.
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    # Who ends it by a signal leaves nothing of it either.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        if options.students:
            return _large(options, folder)
        return _builds(options, folder) if options.builds else _rounds(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _builds(options: argparse.Namespace, folder: Path) -> int:
    wrong = 0
    for number in range(options.first, options.first + options.builds):
        name = f"{options.seed}/{number}"
        done = BuildRound(folder / f"build-{number}", random.Random(name)).run()
        wrong += bool(done.wrong)
        _tell(f"{name} image", done.did, done.wrong)
    print(f"{options.builds} builds, {wrong} of them with something wrong")
    return 1 if wrong else 0


def _large(options: argparse.Namespace, folder: Path) -> int:
    wrong = 0
    for lab in (options.labs or "spf-dmarc").split(","):
        found = large.of_students(lab, options.students, folder / lab, options.engine).run()
        wrong += len(found)
        _tell(f"{lab} with {options.students} students", ["whole, killed, in shares, by a cluster"], found)
    return 1 if wrong else 0


def _tell(name: str, did: list[str], wrong: list[str]) -> None:
    print(f"{name}: {'; '.join(did)}", flush=True)
    for line in dict.fromkeys(wrong):
        print(f"  WRONG: {line}", flush=True)


def _rounds(options: argparse.Namespace, folder: Path) -> int:
    began = time.monotonic()
    wanted = options.labs.split(",") if options.labs else None
    trials = [
        undisturbed(class_, options.engine, folder / f"undisturbed-{class_.lab}")
        for class_ in made(folder)
        if wanted is None or class_.lab in wanted
    ]
    wrong, hits = 0, Counter[str]()
    for number in range(options.first, options.first + options.n):
        done = _round(trials, folder / f"round-{number}", f"{options.seed}/{number}")
        hits.update(
            what.split(" after ")[0].split(":")[0] for what in done.did if "(was not there)" not in what
        )
        wrong += bool(done.wrong)
        _tell(f"{options.seed}/{number} {done.trial.class_.lab}", done.did, done.wrong)
        if not done.wrong:
            shutil.rmtree(done.folder)
    seconds = time.monotonic() - began
    print(f"{options.n} rounds on {options.engine} in {seconds:.0f} s, {wrong} of them with something wrong")
    print(", ".join(f"{what} {times}" for what, times in sorted(hits.items())))
    return 1 if wrong else 0


def _round(trials: list[Trial], folder: Path, name: str) -> Round:
    draw = random.Random(name)
    # The quick ones with machines more often: that gives more rounds in the same time.
    trial = draw.choices(trials, [(2 if trial.machines else 0.5) / trial.seconds for trial in trials])[0]
    return Round(trial, folder, draw).run()


if __name__ == "__main__":
    sys.exit(main())

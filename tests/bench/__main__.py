"""Measures whole processes, and a plain script that does the same job: ``make bench``.

Prints medians and ratios and asserts nothing: what a second is worth differs from machine to machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from grader.engines import ENGINES, select
from tests import submissions

SMTPLAB = [str(Path(sys.executable).with_name("smtplab"))]
# Byte code is what a user has from the second run on.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

PLAIN = """\
cp /submission/* /etc/postfix/
postmap /etc/postfix/senders
postfix start >/dev/null 2>&1
until swaks --server 127.0.0.1 --quit-after BANNER >/dev/null 2>&1; do :; done
probe=0
while [ $probe -lt {probes} ]; do
    swaks --server 127.0.0.1 --from stranger@elsewhere.example --to probe$probe@elsewhere.example \
        --header "Subject: probe $probe" >/dev/null 2>&1
    probe=$((probe + 1))
done
postfix stop >/dev/null 2>&1
"""


def median(rounds: int, work: Callable[[], object]) -> float:
    """Seconds of the middle one of some rounds, after one that warms the caches."""
    work()
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def run(*arguments: str) -> None:
    """Run smtplab; whatever it finds is no matter here, but it must have graded."""
    done = subprocess.run(
        [*SMTPLAB, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)


def check(engine: str, submission: Path, rounds: int) -> float:
    """A whole ``smtplab check``, Python's start included."""
    return median(rounds, lambda: run("check", "open-relay", str(submission), "--engine", engine))


def plain(submission: Path, probes: int) -> float:
    """``docker run``, ``postfix start``, and swaks once for each probe. Once: it takes long enough to be sure."""
    from grader.engines.docker import images

    command = ["docker", "run", "--rm", "--network", "none", "-v", f"{submission}:/submission:ro"]
    begin = time.perf_counter()
    subprocess.run([*command, images.host_tag(), "sh", "-c", PLAIN.format(probes=probes)], check=True)
    return time.perf_counter() - begin


def grade(submission: Path, count: int, folder: Path) -> float:
    """Seconds of a class of ``count``."""
    students = [str(shutil.copytree(submission, folder / f"student{number}")) for number in range(count)]
    begin = time.perf_counter()
    run("grade", "open-relay", *students, "--out", str(folder / "grades"))
    return time.perf_counter() - begin


def probes_of(submission: Path, engine: str, folder: Path) -> int:
    """How many mails and dialogues a run attempts."""
    run(
        "check",
        "open-relay",
        str(submission),
        "--engine",
        engine,
        "--evidence",
        str(folder / "evidence.json"),
    )
    return len(json.loads((folder / "evidence.json").read_bytes())["attempts"])


def main() -> None:
    """Measure on every engine that runs here."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--class-size", type=int, default=20)
    options = parser.parse_args()
    engines = [name for name in ENGINES if not select(name).problems()]
    if not engines:
        raise SystemExit("no engine runs here: 'smtplab doctor' says what is missing")
    with tempfile.TemporaryDirectory(prefix="smtplab-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        submission = submissions.write("solution", folder / "solution")
        probes = probes_of(submission, engines[0], folder)
        print(f"open-relay: {probes} probes, {os.cpu_count()} processors, medians of {options.rounds}\n")
        measured = {f"smtplab check, {name}": check(name, submission, options.rounds) for name in engines}
        if "docker" in engines:
            measured["plain docker run + postfix start + swaks"] = plain(submission, probes)
        measured["smtplab --version"] = median(options.rounds, lambda: run("--version"))
        base = measured[f"smtplab check, {engines[0]}"]
        for name, seconds in measured.items():
            print(f"{name:42} {seconds:8.3f} s {seconds / base:8.2f} x")
        seconds = grade(submission, options.class_size, folder)
        print(
            f"\nsmtplab grade, a class of {options.class_size}: {options.class_size / seconds:.2f} a second"
        )


if __name__ == "__main__":
    main()

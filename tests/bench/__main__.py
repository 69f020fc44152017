"""Measures whole processes, by part, and what else does the same job: ``make bench``.

Prints medians and ratios and asserts nothing: what a second is worth differs from machine to machine. So each engine is
measured by turns with a bare ``docker run`` of nothing, and ``history.csv`` takes each figure, for slopes to be seen.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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
from tests.bench import history
from tests.bench.history import Figures

SMTPLAB = [str(Path(sys.executable).with_name("smtplab"))]
# Byte code is what a user has from the second run on.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PLAIN_PROBES = 20
"""Each takes the plain script most of a second: as many as smtplab makes would take minutes."""
GOAL = 0.6
"""All of smtplab together should cost no more than this, for each second that the servers under test cost."""

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

LISTENING = """\
cp /submission/* /etc/postfix/
postmap /etc/postfix/senders
exec postfix start-fg
"""
ANSWERS = "until swaks --server 127.0.0.1 --quit-after BANNER >/dev/null 2>&1; do :; done"


def run(*arguments: str, program: list[str] = SMTPLAB) -> str:
    """Run smtplab, and give what it says on standard error; whatever it finds is no matter, but it must have graded."""
    done = subprocess.run(
        [*program, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return done.stderr


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that something takes, and those of a processor that its processes have."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_turns(rounds: int, works: dict[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Medians of wall and processor time, measured by turns after one round that warms the caches."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            found = timed(work)
            if number:
                measured[name].append(found)
    return {
        name: (statistics.median(wall for wall, _ in found), statistics.median(cpu for _, cpu in found))
        for name, found in measured.items()
    }


def bare(image: str) -> None:
    """A container that does nothing: the unit of what a machine is worth."""
    subprocess.run(["docker", "run", "--rm", "--network", "none", image, "true"], check=True)


def parts(rounds: int, *arguments: str) -> dict[str, float]:
    """Medians of the processor time of each part (see ``tests.bench.parts``), and of the wall time."""
    program = [sys.executable, "-m", "tests.bench.parts"]
    told = [json.loads(run(*arguments, program=program).splitlines()[-1]) for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in told) for name in told[0] if name != "code"}


def plain(submission: Path, probes: int, image: str) -> None:
    """``docker run``, ``postfix start``, and swaks once for each probe."""
    command = ["docker", "run", "--rm", "--network", "none", "-v", f"{submission}:/submission:ro"]
    subprocess.run([*command, image, "sh", "-c", PLAIN.format(probes=probes)], check=True)


def nmap(submission: Path, image: str) -> tuple[float, float]:
    """What nmap's script takes that looks for open relays (16 forms of an address), on a server that runs already."""
    command = ["docker", "run", "--detach", "--rm", "--network", "none", "-v", f"{submission}:/submission:ro"]
    container = subprocess.check_output([*command, image, "sh", "-c", LISTENING], text=True).strip()
    try:
        subprocess.run(["docker", "exec", container, "sh", "-c", ANSWERS], check=True)
        told = subprocess.check_output(["docker", "inspect", "-f", "{{.State.Pid}}", container], text=True)
        network = ["nsenter", "--target", told.strip(), "--net"]
        script = ["nmap", "-Pn", "-p", "25", "--script", "smtp-open-relay", "127.0.0.1"]
        return timed(lambda: subprocess.run([*network, *script], check=True, stdout=subprocess.DEVNULL))
    finally:
        subprocess.run(["docker", "kill", container], check=True, stdout=subprocess.DEVNULL)


def a_class(lab: str, submission: Path, count: int, folder: Path) -> list[str]:
    """Folders of so many students who all handed in the same."""
    top = folder / f"{lab}-{count}"
    return [str(shutil.copytree(submission, top / f"student{number}")) for number in range(count)]


def attempts_of(submission: Path, engine: str, folder: Path) -> int:
    """How many mails and dialogues a run attempts."""
    evidence = folder / "evidence.json"
    run("check", "open-relay", str(submission), "--engine", engine, "--evidence", str(evidence))
    return len(json.loads(evidence.read_bytes())["facts"]["attempts"])


def show_parts(figures: Figures, what: str, found: dict[str, float], submissions: int = 1) -> None:
    """Print what each part cost a submission, and what all of smtplab costs beside the servers under test."""
    wall = found.pop("wall") / submissions
    each = {name: seconds / submissions for name, seconds in found.items()}
    total, servers = sum(each.values()), each["servers"]
    print(f"\n{what}: {total:.3f} s of a processor, {wall:.3f} s")
    figures.note(f"{what}, wall", wall)
    figures.note(f"{what}, processor", total)
    for name, seconds in sorted(each.items(), key=lambda item: -item[1]):
        print(f"  {name:40} {seconds:8.3f} s {seconds / total:7.0%}")
        figures.note(f"{what}, {name}", seconds)
    ratio = (total - servers) / servers
    print(f"  {'smtplab for each second of the servers':40} {ratio:8.2f}   (goal {GOAL})")
    figures.note(f"{what}, smtplab to servers", ratio, "ratio")


def main() -> None:
    """Measure on every engine that runs here."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--class-size", type=int, default=20)
    parser.add_argument(
        "--largest", type=int, default=1000, help="students of the largest class without servers"
    )
    parser.add_argument("--no-history", action="store_true", help="do not add to tests/bench/history.csv")
    options = parser.parse_args()
    engines = [name for name in ENGINES if not select(name).problems()]
    if not engines:
        raise SystemExit("no engine runs here: 'smtplab doctor' says what is missing")
    for name in engines:
        select(name).image(print)
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="smtplab-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        measure(figures, engines, folder, options)
    if not options.no_history:
        print(f"\nadded to {history.append(figures)}")


def measure(figures: Figures, engines: list[str], folder: Path, options: argparse.Namespace) -> None:
    """Everything, printed as it comes."""
    rounds, size = options.rounds, options.class_size
    submission = submissions.write("solution", folder / "solution")
    attempts = attempts_of(submission, engines[0], folder)
    print(f"open-relay: {attempts} attempts, {os.cpu_count()} processors, medians of {rounds}\n")
    figures.note("open-relay, attempts", attempts, "attempts")
    students = a_class("open-relay", submission, size, folder)
    works: dict[str, Callable[[], object]] = {
        f"check, {engine}": lambda engine=engine: run(  # type: ignore[misc]
            "check", "open-relay", str(submission), "--engine", engine
        )
        for engine in engines
    }
    works["smtplab --version"] = lambda: run("--version")
    image = ""
    if "docker" in engines:
        from grader.engines.docker import images

        image = images.host_tag()
        works = {"docker run, nothing": lambda: bare(image), **works}
    found = by_turns(rounds, works)
    if image:
        name = f"plain docker run + postfix start + swaks, {PLAIN_PROBES} probes"
        found[name] = timed(lambda: plain(submission, PLAIN_PROBES, image))
        if shutil.which("nmap") and os.geteuid() == 0:
            found["nmap --script smtp-open-relay, server running"] = nmap(submission, image)
    found |= others(folder, students, options.largest)
    unit = found.get("docker run, nothing", next(iter(found.values())))[0]
    for name, (wall, cpu) in found.items():
        print(f"{name:56} {wall:8.3f} s {wall / unit:8.2f} x {cpu:8.3f} s of a processor")
        figures.note(f"{name}, wall", wall)
        figures.note(f"{name}, wall to docker run", wall / unit, "ratio")
    print("(of what runs in Docker's containers, their daemon's processor time is not counted)")
    if "local" in engines and os.geteuid() == 0:
        show_parts(
            figures, "check", parts(rounds, "check", "open-relay", str(submission), "--engine", "local")
        )
        out = folder / "by-part"
        each = parts(1, "grade", "open-relay", *students, "--engine", "local", "--out", str(out))
        show_parts(figures, "grade, a submission", each, size)


def others(folder: Path, students: list[str], largest: int) -> dict[str, tuple[float, float]]:
    """A class on servers, and classes that need none, of at most ``largest``."""
    found = {}
    works = {f"grade, {len(students)} servers": ("open-relay", students)}
    for count in sorted({min(100, largest), largest}):
        zone = submissions.write("solution", folder / f"zone-{count}", lab="spf-dmarc")
        works[f"grade, {count} zones"] = ("spf-dmarc", a_class("spf-dmarc", zone, count, folder))
    quiz = submissions.write("solution", folder / "quiz", lab="knowledge-check")
    works[f"grade, {largest} quizzes"] = (
        "knowledge-check",
        a_class("knowledge-check", quiz, largest, folder),
    )
    for name, (lab, handed_in) in works.items():
        out = folder / name.replace(", ", "-").replace(" ", "-")
        found[name] = timed(lambda lab=lab, handed_in=handed_in, out=out: run(  # type: ignore[misc]
            "grade", lab, *handed_in, "--out", str(out)
        ))  # fmt: skip
    out = folder / f"grade-{largest}-quizzes"
    handed_in = works[f"grade, {largest} quizzes"][1]
    found[f"grade --resume, {largest} quizzes, nothing to do"] = timed(
        lambda: run("grade", "knowledge-check", *handed_in, "--out", str(out), "--resume")
    )
    return found


if __name__ == "__main__":
    main()

"""Attacks that need no machine: what is handed in is read, judged and shown by the grader's own process."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

from grader import labs, pipeline
from grader.model.errors import SmtplabError
from grader.pipeline import Graded
from grader.schedule import LocalScheduler, WorkerDied
from tests.hostile.written import faults

KILOBYTE = 1024
WAITING = 10.0
"""Times the seconds of a processor that it may have, that it may take on a machine that has others to serve."""


@dataclass(frozen=True)
class PaperAttack:
    """What is handed in, made by ``make`` in an empty folder, and what must come of it.

    ``refused`` is a part of the sentence by which it must be refused; empty where it is graded, or either may be.
    ``points``, ``seconds`` and ``megabytes`` are the most that it may get, take of a processor, and take of memory
    beyond what the grader has before. ``loses`` are checks that must fail. Without a ``lab`` what is made is itself
    one, of a stranger.
    """

    name: str
    lab: str
    make: Callable[[Path], Path]
    refused: str = ""
    points: int = 0
    loses: tuple[str, ...] = ()
    seconds: float = 5.0
    megabytes: int = 200
    open: str = ""


@dataclass(frozen=True)
class Ending:
    """How an attack ended: what is wrong about that, and what it cost."""

    problems: list[str]
    seconds: float
    megabytes: float


@cache
def _begun(lab_id: str) -> None:
    """Grade a lab's solution here, so that no process that is forked for an attack has to import all of it again."""
    folder = labs.find(lab_id)
    lab = labs.load(folder)
    if not lab.needs_engine:
        solution = labs.render_submission(folder / "solution", labs.draw_variant(lab, None, None))
        assert faults(pipeline.grade(lab, solution, engine=None)) == []


def attempt(attack: PaperAttack, folder: Path, seconds: float) -> Ending:
    """Try an attack in a process of its own, which may die of it and has ``seconds`` of a processor."""
    if attack.lab:
        _begun(attack.lab)
    with closing(
        LocalScheduler(1).run([attack.name], partial(_in_child, attack, folder, seconds))
    ) as answers:
        [(_, ending)] = answers
    if isinstance(ending, WorkerDied):
        return Ending([f"it ended the grader: {ending.reason}"], seconds, 0.0)
    return ending


def _in_child(attack: PaperAttack, folder: Path, seconds: float, _: str) -> Ending:
    path = attack.make(folder)
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(int(seconds * WAITING) + 1)
    began, before = time.process_time(), _peak()
    try:
        found = _tried(attack, path)
    except TimeoutError:
        found = [f"it was not over after {seconds * WAITING:.0f} seconds"]
    signal.alarm(0)
    took, grew = time.process_time() - began, (_peak() - before) / KILOBYTE
    if took > seconds:
        found.append(f"it took {took:.1f} seconds, and may take {seconds:.1f}")
    if grew > attack.megabytes:
        found.append(f"it took {grew:.0f} megabytes, and may take {attack.megabytes}")
    return Ending(found, took, grew)


def _too_late(*_: object) -> NoReturn:
    raise TimeoutError


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _tried(attack: PaperAttack, path: Path) -> list[str]:
    if not attack.lab:
        return _loaded(attack, path)
    lab = labs.load(labs.find(attack.lab))
    variant = labs.draw_variant(lab, None, None)
    try:
        handed_in = labs.read_submission(lab, path, variant.names)
        graded = pipeline.grade(lab, handed_in, engine=None, variant=variant)
    except SmtplabError as error:
        return _refused(attack, str(error))
    return [*_judged(attack, graded), *faults(graded)]


def _loaded(attack: PaperAttack, path: Path) -> list[str]:
    try:
        labs.load(path)
    except SmtplabError as error:
        return _refused(attack, str(error))
    return ["it was taken for a lab"]


def _refused(attack: PaperAttack, sentence: str) -> list[str]:
    found = []
    if attack.refused not in sentence:
        found.append(f"it is refused for another reason: {sentence}")
    if not sentence.replace("\n", "").isprintable() or len(sentence) > 2000:
        found.append(f"the refusal is no sentence: {sentence[:2000]!r}")
    return found


def _judged(attack: PaperAttack, graded: Graded) -> list[str]:
    result = graded.result
    if attack.refused:
        return [f"it was not refused, and got {result.score} points"]
    found = [] if result.status == "graded" else [f"it ended as {result.status}: {result.error}"]
    if result.score > attack.points:
        found.append(f"it got {result.score} points, and may get {attack.points}")
    failed = {check.code.split("/", 1)[1] for check in result.checks if check.status == "fail"}
    return found + [f"it did not lose {code}" for code in attack.loses if code not in failed]

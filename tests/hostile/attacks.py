"""Reads the attacks that run on machines, makes submissions of them, and holds results against what was declared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from grader import labs
from grader.model.result import CheckResult, Result
from grader.model.submission import Submission
from grader.pipeline import Graded

FOLDER = Path(__file__).parent
LABS = {"server": "open-relay", "program": "authenticated-message"}
EXPECT = "expect.yaml"
ALL = os.environ.get("SMTPLAB_HOSTILE") == "all"
"""Whether every attack is tried, or those alone that are quick."""

RUN = "run"
START = "run unix n - n 1 1 ../../../../etc/postfix/run\n"
"""A service of master.cf by which Postfix's master starts the file ``run`` as root, at once and once at a time."""
HONEST = "honest"
"""Where the solution's program lies beside an attack's, which may execute it."""
OPEN = "mynetworks = 0.0.0.0/0 [::]/0\n"


class Attack(Struct, frozen=True, forbid_unknown_fields=True):
    """What is attacked, and what must come of it.

    ``points`` and ``seconds`` are the most that it may get and take, ``least`` the points below which the attack has
    hindered itself and shows nothing. Seconds are those of a machine that grades the solution in ``REFERENCE`` of them.
    ``loses`` are checks that must fail, ``a|b`` one of them; ``cause`` is in what the student reads of the failure: an
    observation, a remark or a note. ``refused`` is a part of the sentence by which it is refused before anything runs.
    ``relay`` opens the relay beside it: then ``stranger`` must not pass. ``appends`` are lines for files of the
    solution, ``removes`` files of it. ``megabytes`` is the most that the documents may have. ``quick`` names the
    engines on which it is tried in every test run, for it takes seconds and stands for others; ``open`` says, by
    engine, what the product still gets wrong about it.
    """

    about: str
    points: int
    least: int = 0
    seconds: float = 20.0
    loses: list[str] = []
    cause: str = ""
    refused: str = ""
    relay: bool = False
    appends: dict[str, str] = {}
    lab: str = ""
    removes: list[str] = []
    megabytes: float = 8.0
    quick: list[Literal["local", "docker"]] = []
    open: dict[Literal["local", "docker"], str] = {}
    kind: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """``server/fork-bomb``."""
        return f"{self.kind}/{self.name}"


def attacks() -> Iterator[Attack]:
    """Every attack that has a folder, in the order of their names."""
    for kind, lab in LABS.items():
        for path in sorted((FOLDER / kind).glob(f"*/{EXPECT}")):
            declared = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            attack = msgspec.convert(declared, Attack)
            yield msgspec.structs.replace(
                attack, kind=kind, name=path.parent.name, lab=attack.lab or lab, about=attack.about.strip()
            )


def submission(attack: Attack) -> Submission:
    """The lab's solution with the attack's files in it and its lines behind them, for the canonical variant."""
    lab = labs.find(attack.lab)
    variant = labs.draw_variant(labs.load(lab))
    made = labs.render_submission(
        FOLDER / attack.kind / attack.name,
        variant,
        base=lab / "solution",
        removes=tuple(attack.removes),
    )
    files = dict(made.files)
    appends = dict(attack.appends)
    if attack.relay:
        appends["main.cf"] = OPEN + appends.get("main.cf", "")
    own_master = (FOLDER / attack.kind / attack.name / "master.cf").exists()
    if attack.kind == "server" and RUN in files and not own_master:
        appends["master.cf"] = START + appends.get("master.cf", "")
    if attack.kind == "program":
        files[HONEST] = labs.render_submission(lab / "solution", variant).files["send"]
    for name, text in appends.items():
        files[name] = files[name] + b"\n" + text.encode()
    executable = made.executable | {name for name in files if files[name].startswith(b"#!")}
    return Submission(dict(sorted(files.items())), frozenset(executable))


def problems(attack: Attack, graded: Graded) -> list[str]:
    """In which ways a result is not what was declared."""
    result = graded.result
    if result.status != "graded":
        return [f"it ended as {result.status}: {result.error}"]
    found = [f"it was not refused: {attack.refused}"] if attack.refused else []
    if result.score > attack.points:
        found.append(f"it got {result.score} points, and may get {attack.points}")
    if result.score < attack.least:
        found.append(f"it got {result.score} points only, and shows nothing below {attack.least}")
    failed = {_code(check): check for check in result.checks if check.status == "fail"}
    found += [
        f"it did not lose {codes}" for codes in attack.loses if not failed.keys() & set(codes.split("|"))
    ]
    if attack.relay and any(_code(check) == "stranger" and check.status == "pass" for check in result.checks):
        found.append("it passed stranger, and is an open relay")
    if attack.cause and attack.cause not in (said := "\n".join(_said(result))):
        found.append(f"nothing says {attack.cause!r}: {said}")
    return found


def _code(check: CheckResult) -> str:
    return check.code.split("/", 1)[1]


def _said(result: Result) -> Iterator[str]:
    yield from result.notes
    for check in result.checks:
        if check.status == "fail":
            yield f"{_code(check)}: {check.observed}"
            yield from check.remarks

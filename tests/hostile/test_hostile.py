"""No attack is worth more than it ought to be, takes the grader along, or stays."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader import labs, pipeline
from grader.engines.base import Engine
from grader.model.errors import SubmissionError
from grader.model.submission import Submission
from grader.pipeline import Graded
from tests.conftest import NO_ENGINE, ready, usable
from tests.hostile import archives, documents, paper, zones
from tests.hostile.attacks import ALL, LABS, Attack, attacks, problems, submission
from tests.hostile.conftest import PROPERTY, Tried, table
from tests.hostile.paper import PaperAttack
from tests.hostile.remains import none_left
from tests.hostile.written import faults

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

Record = Callable[[str, object], None]
"""What the fixture ``record_property`` gives."""

REFERENCE = 1.0
"""Seconds in which the machine on which the attacks' seconds were declared grades a server's solution."""
PATIENCE = 1.5
"""Times its declared seconds that an attack may take, on the speed of this minute."""
BOUND = 75.0
"""Seconds for which nothing that is handed in may hold a worker, as docs/security.md promises."""
ATTACKS = list(attacks())
PAPER: list[PaperAttack] = [*zones.ATTACKS, *archives.ATTACKS, *documents.ATTACKS]


def tried() -> list[ParameterSet]:
    """The attacks on machines that are to be tried, on each engine."""
    found = []
    for engine in usable() or ["none"]:
        for attack in ATTACKS:
            if ALL or engine in attack.quick:
                reason = attack.open.get(engine)  # type: ignore[call-overload]
                marks = [pytest.mark.xfail(reason=reason)] if reason else []
                found.append(pytest.param(engine, attack, id=f"{engine}-{attack.id}", marks=marks))
    return found


def on_paper() -> list[ParameterSet]:
    """The attacks that need no machine."""
    return [
        pytest.param(
            attack, id=attack.name, marks=[pytest.mark.xfail(reason=attack.open)] if attack.open else []
        )
        for attack in PAPER
    ]


def grade(handed_in: Submission, lab_id: str, engine: Engine | None) -> Graded:
    """Grade for the canonical variant."""
    return pipeline.grade(labs.load(labs.find(lab_id)), handed_in, engine=engine)


@cache
def stretch(engine: str) -> float:
    """How many times longer than the reference honest work takes here; at least 1."""
    lab = LABS["server"]
    folder = labs.find(lab)
    solution = labs.render_submission(folder / "solution", labs.draw_variant(labs.load(folder)))
    began = time.monotonic()
    graded = grade(solution, lab, ready(engine))
    assert graded.result.score == graded.result.max_score
    return max(1.0, (time.monotonic() - began) / REFERENCE)


def test_there_are_as_many_as_promised_and_no_two_of_one_name() -> None:
    names = [attack.id for attack in ATTACKS] + [attack.name for attack in PAPER]
    assert len(names) >= 80
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [attack.id for attack in ATTACKS if attack.seconds > BOUND] == []


def test_the_table_counts_what_was_held_and_names_the_longest() -> None:
    tried = [
        Tried("local", "server", "a", True, 3.0),
        Tried("local", "server", "b", False, 61.25),
        Tried("none", "zone", "c", True, 0.1),
    ]
    assert [line.split() for line in table(tried)[1:]] == [
        ["local", "server", "2", "1", "61.2", "s,", "b"],
        ["none", "zone", "1", "1", "0.1", "s,", "c"],
    ]
    assert table([]) == []


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("engine_name", "attack"), tried())
def test_an_attack_on_machines(engine_name: str, attack: Attack, record_property: Record) -> None:
    if engine_name not in usable():
        pytest.skip(NO_ENGINE)
    engine = ready(engine_name)
    longest = min(attack.seconds * PATIENCE, BOUND) * stretch(engine_name)
    handed_in = submission(attack)
    told = [engine_name, attack.kind, attack.name, 0.0]
    record_property(PROPERTY, told)
    if attack.refused:
        with pytest.raises(SubmissionError, match=attack.refused):
            grade(handed_in, attack.lab, engine)
        return
    with none_left(engine) as left:
        began = time.monotonic()
        graded = grade(handed_in, attack.lab, engine)
        took = told[-1] = time.monotonic() - began
    found = [*problems(attack, graded), *faults(graded, megabytes=attack.megabytes)]
    found += [f"it left {what}" for what in left]
    if took > longest:
        # The minute in which that was measured may have been a quieter one.
        stretch.cache_clear()
        longest = max(longest, min(attack.seconds * PATIENCE, BOUND) * stretch(engine_name))
    if took > longest:
        found.append(f"it took {took:.1f} seconds, and may take {longest:.1f}")
    print(f"{engine_name} {attack.id}: {graded.result.score} points, {took:.1f} seconds")
    assert not found, f"{attack.about}\n" + "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("attack", on_paper())
def test_an_attack_on_paper(attack: PaperAttack, tmp_path: Path, record_property: Record) -> None:
    ending = paper.attempt(attack, tmp_path, attack.seconds * PATIENCE)
    kind, _, name = attack.name.partition("/")
    record_property(PROPERTY, ["none", kind, name, ending.seconds])
    print(f"{attack.name}: {ending.seconds:.1f} seconds, {ending.megabytes:.0f} megabytes")
    assert not ending.problems

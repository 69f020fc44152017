"""Every lab does what it declares, on every engine, and every engine says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from grader import labs, verify
from tests.conftest import NO_ENGINE, ready, usable

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from grader.engines.base import Engine
    from grader.model.result import Result
    from grader.verify import Trial

LABS = {entry.path.name: entry.path for entry in labs.list_labs()}


EVERY_SO_MANY = 4
"""Of the submissions of a lab that takes seconds each, so many are tried once in the dearer tests; ``lab verify`` tries
them all."""


def trials(*, on_machines: bool, sparing: bool = False) -> list[ParameterSet]:
    """The submissions of all labs that need an engine, or of all that need none."""
    return [
        pytest.param(name, trial, id=f"{name}-{trial.name}")
        for name, folder in LABS.items()
        if labs.load(folder).needs_engine == on_machines
        for number, trial in enumerate(verify.trials(folder))
        if not sparing or labs.load(folder).kind != "program" or number % EVERY_SO_MANY == 0
    ]


ON_MACHINES = trials(on_machines=True)
SPARINGLY = trials(on_machines=True, sparing=True)
COMPARED = {param.id for param in SPARINGLY}
GRADINGS = 3


def same(result: Result) -> dict[str, object]:
    """A result without what may differ between engines and runs: the engine, and what depends on time.

    A server that puts clients off is asked again until a time is over, and programs write their log in any order:
    where in its evidence a run has a thing is its own affair; which things it points at is not.
    """
    document = msgspec.to_builtins(result)
    for key in ("engine", "started", "duration"):
        del document[key]
    for check in document["checks"]:
        check["evidence"] = [pointer.split(":")[0] for pointer in check["evidence"]]
    return dict(document)


@pytest.mark.parametrize(("name", "trial"), ON_MACHINES)
def test_a_labs_own_submissions_lose_what_they_declare_on_every_engine(name: str, trial: Trial) -> None:
    engines = usable()
    if not engines:
        pytest.skip(NO_ENGINE)
    if f"{name}-{trial.name}" not in COMPARED:
        del engines[1:]
    # Graded on one after the other in one test, so that no result has to be made twice to be compared.
    results = [verify.grade_trial(LABS[name], trial, None, ready(engine)) for engine in engines]
    assert verify.problem(trial, results[0]) == ""
    for other in results[1:]:
        assert same(other) == same(results[0])


@pytest.mark.engines("local")
@pytest.mark.parametrize(("name", "trial"), SPARINGLY)
def test_they_lose_it_on_a_students_own_variant_too(engine: Engine, name: str, trial: Trial) -> None:
    assert verify.try_one(LABS[name], trial, verify.RANDOM_STUDENT, engine).problem == ""


@pytest.mark.parametrize(("name", "trial"), trials(on_machines=False))
@pytest.mark.parametrize("student", [None, verify.RANDOM_STUDENT], ids=["canonical", "drawn"])
def test_a_lab_without_machines_does_too(name: str, trial: Trial, student: str | None) -> None:
    assert verify.try_one(LABS[name], trial, student, None).problem == ""


def test_the_same_work_gets_the_same_result_every_time(engine: Engine) -> None:
    folder = LABS["open-relay"]
    solution = next(trial for trial in verify.trials(folder) if trial.name == "solution")
    results = [same(verify.grade_trial(folder, solution, None, engine)) for _ in range(GRADINGS)]
    assert results == results[:1] * GRADINGS
    assert results[0]["score"] == results[0]["max_score"]

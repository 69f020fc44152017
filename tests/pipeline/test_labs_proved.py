"""Every lab does what it declares, on every engine, and every engine says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from grader import labs, verify
from grader.engines import select
from tests.conftest import problems, required

if TYPE_CHECKING:
    from grader.engines.base import Engine
    from grader.model.result import Result
    from grader.verify import Trial

LABS = {entry.path.name: entry.path for entry in labs.list_labs()}
TRIALS = [(name, trial) for name, folder in LABS.items() for trial in verify.trials(folder)]
IDS = [f"{name}-{trial.name}" for name, trial in TRIALS]
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


@pytest.mark.engines("local")
@pytest.mark.parametrize(("name", "trial"), TRIALS, ids=IDS)
@pytest.mark.parametrize("student", [None, verify.RANDOM_STUDENT], ids=["canonical", "drawn"])
def test_a_labs_own_submissions_lose_what_they_declare(
    engine: Engine, name: str, trial: Trial, student: str | None
) -> None:
    tried = verify.try_one(LABS[name], trial, student, engine)
    assert tried.problem == ""


@pytest.mark.engines("docker")
@pytest.mark.parametrize(("name", "trial"), TRIALS, ids=IDS)
def test_both_engines_give_the_same_result(engine: Engine, name: str, trial: Trial) -> None:
    if "local" not in required() and problems("local"):
        pytest.skip(f"the local engine does not run here: {problems('local')}")
    there = verify.grade_trial(LABS[name], trial, None, engine)
    here = verify.grade_trial(LABS[name], trial, None, select("local"))
    assert same(there) == same(here)


def test_the_same_work_gets_the_same_result_every_time(engine: Engine) -> None:
    folder = LABS["open-relay"]
    solution = next(trial for name, trial in TRIALS if (name, trial.name) == ("open-relay", "solution"))
    results = [same(verify.grade_trial(folder, solution, None, engine)) for _ in range(GRADINGS)]
    assert results == results[:1] * GRADINGS
    assert results[0]["score"] == results[0]["max_score"]

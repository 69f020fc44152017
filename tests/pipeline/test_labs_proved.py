"""Every lab does what it declares, on every engine, and every engine says the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from grader import labs, outputs, pipeline, verify
from tests.conftest import NO_ENGINE, ready, usable
from tests.representatives import representatives, share

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from _pytest.mark import ParameterSet

    from grader.engines.base import Engine
    from grader.model.result import Result
    from grader.verify import Trial

LABS = {entry.path.name: entry.path for entry in labs.list_labs()}


def trials(*, on_machines: bool) -> list[tuple[str, Trial]]:
    """The submissions of all labs that need an engine, or of all that need none."""
    return [
        (name, trial)
        for name, folder in LABS.items()
        if labs.load(folder).needs_engine == on_machines
        for trial in verify.trials(folder)
    ]


ON_MACHINES = trials(on_machines=True)
WITHOUT_MACHINES = trials(on_machines=False)
LONG = {("authenticated-message", "wrong/hammers")}
"""What makes a good part of a minute of work for the processors, and is graded on one engine alone."""


def standing_for_all(loses: Callable[[Trial], Collection[str]]) -> set[tuple[str, str]]:
    """Of each lab on machines the representatives of its submissions, but none that takes long."""
    return {
        (name, trial.name)
        for name in {name for name, _ in ON_MACHINES}
        for trial in representatives(
            [trial for lab, trial in ON_MACHINES if lab == name and (lab, trial.name) not in LONG], loses
        )
    }


def lost(trial: Trial) -> Collection[str]:
    """The checks that a submission loses, and a starter loses some."""
    return {"anything"} if trial.fails is None else trial.fails


COMPARED = standing_for_all(lost)
"""What is graded on every engine, a mistake with the checks that it loses; ``lab verify`` does it with all."""
IN_WHOLE = COMPARED | standing_for_all(lambda trial: {f"{sorted(lost(trial))} {sorted(trial.skips)}"})
"""What is graded with every check of its lab: each way in which some are lost and others skipped, once."""
GRADINGS = 2
DRAWN = re.compile(r"\bsize=\d+|\b\d+\.\d+ seconds")
"""What a program or a clock makes anew in each run: a message with an identifier of its own is not always as long."""
SHORT = 6
"""Letters of a value that may be an ordinary word as well."""


def same(result: Result) -> dict[str, object]:
    """A result without what may differ between engines and runs: the engine, and what depends on time.

    A server that puts clients off is asked again until a time is over, and programs write their log in any order:
    where in its evidence a run has a thing, and how often, is its own affair; what kind of thing it points at is not.
    """
    document = msgspec.to_builtins(result)
    for key in ("engine", "started", "duration"):
        del document[key]
    # How much a flood comes to until its time is over depends on the machine.
    document["notes"] = [note for note in document["notes"] if "DNS queries were recorded" not in note]
    for check in document["checks"]:
        check["evidence"] = sorted({pointer.split(":")[0] for pointer in check["evidence"]})
        check["observed"] = DRAWN.sub("…", check["observed"])
    return dict(document)


def variant_by_turns(number: int, trial: Trial) -> str | None:
    """The student whose variant a submission is graded on: the canonical and a drawn one by turns.

    Between the two only names differ, which another test looks at for all; ``lab verify`` grades all on both.
    """
    return verify.RANDOM_STUDENT if number % 2 and not trial.canonical else None


def spread(chosen: Callable[[str, Trial], bool]) -> Iterator[ParameterSet]:
    """The chosen submissions on machines with the variant that each is graded on."""
    for number, (name, trial) in enumerate(ON_MACHINES):
        if chosen(name, trial):
            yield pytest.param(name, trial, variant_by_turns(number, trial), id=f"{name}-{trial.name}")


OTHERS = [one for one in ON_MACHINES if (one[0], one[1].name) not in IN_WHOLE]
SHARED = {
    (name, trial.name)
    for losing in (True, False)
    for name, trial in share([one for one in OTHERS if bool(lost(one[1])) == losing])
}
"""Of those that lose nothing, and of those that lose what another one loses, the share that is graded in each run."""


def in_whole(name: str, trial: Trial) -> bool:
    """Whether one is graded with every check: of those that lose nothing, since any of the checks could wrong them."""
    return (name, trial.name) in (IN_WHOLE if lost(trial) else IN_WHOLE | SHARED)


def in_part(name: str, trial: Trial) -> bool:
    """Whether one is graded with the checks alone that it loses."""
    return bool(lost(trial)) and (name, trial.name) in SHARED


def engines_for(name: str, trial: Trial) -> list[Engine]:
    """The engines on which a submission is graded, one after the other in one test, so that none has to grade twice."""
    found = usable()
    if not found:
        pytest.skip(NO_ENGINE)
    return [ready(engine) for engine in (found if (name, trial.name) in COMPARED else found[:1])]


def one_lost_to(code: str, name: str) -> bool:
    """Whether a check of a lab is lost by a submission that is graded with every check."""
    return any(
        (name, trial.name) in IN_WHOLE and code in lost(trial) for lab, trial in ON_MACHINES if lab == name
    )


@pytest.mark.parametrize("name", sorted({name for name, _ in ON_MACHINES}))
def test_each_check_is_lost_by_a_submission_that_is_graded_in_whole(name: str) -> None:
    codes = [check.code for check in labs.load(LABS[name]).all_checks]
    assert [code for code in codes if not one_lost_to(code, name)] == []


def graded_in_part(name: str, trial: Trial, student: str | None, engine: Engine) -> Result:
    """The result of a mistake with the checks that it loses alone, each of which it must lose there, too."""
    lab, taken, asked = labs.load(LABS[name]), verify.hand_in(LABS[name], trial, student), set(lost(trial))
    result = pipeline.grade(lab, taken, engine=engine, student=student, only=asked).result
    assert verify.problem(replace(trial, skips=frozenset()), result) == ""
    return result


def says_as_much(part: Result, whole: Result) -> bool:
    """Whether a result of some of the checks says of them what a result of all does."""
    some, every = same(part), same(whole)
    for document in (some, every):
        del document["score"], document["max_score"]
    codes = {check.code for check in part.checks}
    checks = [
        check for check in msgspec.convert(every["checks"], list[dict[str, Any]]) if check["code"] in codes
    ]
    return some == every | {"checks": checks}


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(("name", "trial", "student"), list(spread(in_part)))
def test_a_mistake_loses_its_checks_where_they_alone_are_asked_for(
    name: str, trial: Trial, student: str | None
) -> None:
    """What it does to the checks besides is as with one of those that are graded in whole; ``lab verify`` looks."""
    graded_in_part(name, trial, student, engines_for(name, trial)[0])


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(("name", "trial", "student"), list(spread(in_whole)))
def test_a_labs_own_submissions_lose_what_they_declare(name: str, trial: Trial, student: str | None) -> None:
    """And every engine says the same of them; of what is wrong, all but the first are asked for what it loses."""
    first, *others = engines_for(name, trial)
    result = verify.grade_trial(LABS[name], trial, student, first)
    assert verify.problem(trial, result) == ""
    for engine in others:
        if not trial.fails:
            assert same(verify.grade_trial(LABS[name], trial, student, engine)) == same(result)
            continue
        other = graded_in_part(name, trial, student, engine)
        # A program runs more often where all is asked for, and what is quoted may be another run's.
        if not says_as_much(other, result):
            assert same(other) == same(graded_in_part(name, trial, student, first))


@pytest.mark.parametrize(
    "name",
    sorted({name for name, trial in ON_MACHINES + WITHOUT_MACHINES if trial.base and not trial.canonical}),
)
def test_a_students_own_variant_has_nothing_of_the_canonical_one(name: str) -> None:
    """Of any submission: each is graded on one of the two, and what differs between them are the names."""
    lab = labs.load(LABS[name])
    canonical, drawn = (labs.draw_variant(lab, student, None) for student in (None, verify.RANDOM_STUDENT))
    own = {*drawn.names.values(), *drawn.secrets.values()}
    gone = {
        value for value in (*canonical.names.values(), *canonical.secrets.values()) if len(value) > SHORT
    } - own
    pattern = re.compile(rf"(?<![\w.:-])(?:{'|'.join(map(re.escape, sorted(gone)))})(?![\w:-])".encode())
    left = []
    for trial in verify.trials(LABS[name]):
        made = labs.render_submission(trial.folder, drawn, base=trial.base, removes=trial.removes)
        left += [
            f"{trial.name}/{file}: {found.decode()}"
            for file, data in made.files.items()
            for found in pattern.findall(data)
        ]
    assert left == []


def without_machines() -> Iterator[ParameterSet]:
    """The submissions of the labs that need no engine, solution and starter on both variants."""
    for number, (name, trial) in enumerate(WITHOUT_MACHINES):
        if trial.name in ("solution", "starter"):
            yield pytest.param(name, trial, None, id=f"canonical-{name}-{trial.name}")
            yield pytest.param(name, trial, verify.RANDOM_STUDENT, id=f"drawn-{name}-{trial.name}")
        else:
            yield pytest.param(name, trial, variant_by_turns(number, trial), id=f"{name}-{trial.name}")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "trial", "student"), list(without_machines()))
def test_a_lab_without_machines_does_too_whatever_sentences_its_facts_hold(
    name: str, trial: Trial, student: str | None
) -> None:
    """Sentences in the facts are for people: without them the same checks fail and the same places are marked."""
    run = verify.run_trial(LABS[name], trial, student, None)
    assert verify.problem(trial, run.result) == ""
    document = msgspec.json.decode(outputs.document(run.evidence))
    again = pipeline.regrade(msgspec.json.encode({**document, "facts": reworded(document["facts"])}))
    assert [(check.code, check.status, check.evidence) for check in again.checks] == [
        (check.code, check.status, check.evidence) for check in run.result.checks
    ]


def reworded(facts: Any) -> Any:
    """Facts with every explanation in them replaced."""
    if isinstance(facts, dict):
        return {
            key: "qwertz" if key in ("explanation", "problem") and value else reworded(value)
            for key, value in facts.items()
        }
    return [reworded(value) for value in facts] if isinstance(facts, list) else facts


def test_the_same_work_gets_the_same_result_every_time(engine: Engine) -> None:
    folder = LABS["open-relay"]
    solution = next(trial for trial in verify.trials(folder) if trial.name == "solution")
    results = [same(verify.grade_trial(folder, solution, None, engine)) for _ in range(GRADINGS)]
    assert results == results[:1] * GRADINGS
    assert results[0]["score"] == results[0]["max_score"]

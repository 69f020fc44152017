"""The simulator against the real Postfix of the image: the same sessions, line by line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from grader.engines import select
from grader.lesson.entries import CommandEntry, ReplyEntry
from grader.lesson.library import library
from grader.lesson.simulator.differences import KnownDifference, known_differences
from grader.lesson.simulator.real import RealServer, real_server
from grader.lesson.simulator.table import Table, table
from tests.conftest import problems, required
from tests.lesson.simulator.comparing import CODES, QUEUED, Comparison
from tests.lesson.simulator.grammar import dialogues
from tests.lesson.simulator.scripts import REPEATED, SWITCHES, Script, walks, written
from tests.lesson.simulator.test_recorded import DOWN, RECORDED

pytestmark = [pytest.mark.slow, pytest.mark.together("compared")]

SEED = 5321
WALKS = 150
DIALOGUES = 100


@pytest.fixture(scope="module")
def real() -> Iterator[RealServer]:
    if problem := problems("local"):
        if "local" in required():
            pytest.fail(f"the engine 'local' must run here, and cannot: {problem}")
        pytest.skip(f"needs the engine 'local': {problem}")
    sets = [*SWITCHES, *(script.switches for script in written())]
    with real_server(table().server, select("local"), sets, progress=lambda step: None) as running:
        yield running


@pytest.fixture(scope="module")
def compared(real: RealServer) -> Comparison:
    comparison = Comparison(table(), real)
    for script in [*written(), *walks(SEED, WALKS), *dialogues(str(SEED), DIALOGUES)]:
        comparison.play(script)
    return comparison


def test_every_line_gets_the_codes_that_postfix_gives(
    compared: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(
            f"\n{len(written())} written and {WALKS + DIALOGUES} drawn sessions, {compared.lines} lines: "
            f"{len(compared.codes)} differences in codes, {len(compared.texts)} in texts, "
            f"{len(known_differences())} known"
        )
    assert not compared.codes, "\n".join(map(str, compared.codes[:5]))
    assert len(written()) >= 200
    assert compared.sessions == len(written()) + WALKS + DIALOGUES


def test_every_line_is_worded_as_postfix_words_it(compared: Comparison) -> None:
    assert not compared.texts, "\n".join(map(str, compared.texts[:5]))


def test_every_rule_is_tried(compared: Comparison) -> None:
    rules = {rule.id for stage in table().stages.values() for rule in stage.rules}
    assert rules - set(compared.rules) == set()


def test_a_wrong_table_would_be_noticed(real: RealServer) -> None:
    own = table()
    stage = own.stages["data"]
    rules = [replace(rule, reply=rule.reply.replace("503 5.5.1", "503 5.5.0")) for rule in stage.rules]
    broken = Table(own.server, {**own.stages, "data": replace(stage, rules=rules)})
    comparison = Comparison(broken, real)
    for script in written():
        if script.title.startswith("order"):
            comparison.play(script)
    assert comparison.codes


@pytest.mark.parametrize("known", known_differences(), ids=lambda known: known.id)
def test_known_differences_are_as_described(real: RealServer, known: KnownDifference) -> None:
    lines = [REPEATED.sub(lambda found: found[2] * int(found[1]), line) for line in known.lines]
    comparison = Comparison(table(), real)
    comparison.play(Script(known.id, "stranger", "smtp", frozenset(), [[line] for line in lines]))
    (difference,) = comparison.codes
    assert difference.step == [lines[-1]]
    assert _codes(difference.simulated) == known.simulated
    assert _codes(difference.real)[: len(known.real)] == known.real


def _codes(replies: list[list[str]]) -> list[str]:
    return [" ".join(filter(None, found.groups())) for reply in replies if (found := CODES.match(reply[0]))]


def test_recorded_lines_are_what_postfix_says(compared: Comparison) -> None:
    """What the sheets record of Postfix is met word for word in these sessions, save what needs other settings."""
    said = [
        said
        for entry in library().entries.values()
        if isinstance(entry, CommandEntry | ReplyEntry)
        for said in entry.postfix
    ]
    met = {one.line for one in said if QUEUED.sub(r"\1 …", one.line) in compared.heard}
    assert {one.line for one in said if one.seen} - met == {*RECORDED, DOWN}
    assert not [one.line for one in said if one.line in met and not one.seen], "these have been seen now"


def test_the_walks_differ_from_seed_to_seed() -> None:
    assert walks(1, 3) == walks(1, 3)
    assert walks(1, 3) != walks(2, 3)

"""Every reader of strangers' text survives anything, in a time that grows with its input and no faster."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.fuzz.growth import shapes, steep
from tests.fuzz.inputs import inputs
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.tables import every

EXAMPLES = examples(30)
SIZE = 10_000
BY_NAME = {target.name: target for target in TARGETS}


@pytest.mark.parametrize("name", BY_NAME)
def test_anything(name: str) -> None:
    target = BY_NAME[name]

    @settings(
        max_examples=max(5, int(EXAMPLES * target.weight)),
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(inputs(target))
    def survives(data: bytes) -> None:
        target.survives(data)

    survives()


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_growth(name: str) -> None:
    target = BY_NAME[name]
    size = min(SIZE, target.largest)
    assert [said for shape in shapes(target) if (said := steep(target, shape, size))] == []


@every("name", BY_NAME)
def test_what_it_is_fuzzed_with_is_real(name: str) -> None:
    """Of the examples at least one is taken: a reader that refuses all of them would never be got past its door."""
    target = BY_NAME[name]
    taken = []
    for seed in target.seeds():
        try:
            target.read(seed)
        except target.refuses:
            continue
        taken.append(seed)
    assert taken


@pytest.mark.slow
def test_growth_is_told_from_none() -> None:
    """The measuring tells a reader that goes back over what it has read from one that does not."""

    def again(data: bytes) -> int:
        return sum(data.count(b"ab", at) for at in range(0, len(data), 2))

    words = (b"ab",)
    honest = Target("linear", lambda data: [data.count(b"ab") for _ in range(40)], lambda: [b"ab"], words)
    assert not steep(honest, (b"", b"ab", b""), 200_000)
    assert steep(Target("square", again, lambda: [b"ab"], words), (b"", b"ab", b""), 40_000)


@given(st.data())
@settings(max_examples=20)
def test_inputs_are_no_longer_than_a_reader_takes(data: st.DataObject) -> None:
    short = Target("short", len, lambda: [b"x" * 50], (b"word",), largest=40)
    assert len(data.draw(inputs(short))) <= 40

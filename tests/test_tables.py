"""A table of cases in one test finds what a test for each case would."""

from __future__ import annotations

import inspect

import pytest

from tests.tables import every


def test_every_case_is_tried_and_all_that_fail_are_named() -> None:
    tried = []

    @every("number, even", [(1, False), (2, False), (3, False), (4, False)])
    def test(number: int, even: bool) -> None:
        tried.append(number)
        assert (number % 2 == 0) is even

    with pytest.raises(AssertionError, match=r"2 of 4 fail: \(2, False\); \(4, False\)") as told:
        test()
    assert tried == [1, 2, 3, 4]
    assert told.value.__cause__ is not None
    assert told.value.__cause__.__notes__ == ["The case was (2, False)."]


def test_it_takes_what_else_the_test_is_given() -> None:
    seen = []

    @every("number", range(3), ids=str)
    def test(fixture: str, number: int) -> None:
        seen.append(f"{fixture}{number}")

    assert list(inspect.signature(test).parameters) == ["fixture"]
    test(fixture="x")
    assert seen == ["x0", "x1", "x2"]


@pytest.mark.parametrize("end", [pytest.fail, pytest.skip])
def test_a_case_that_is_failed_or_skipped_is_lost(end: object) -> None:
    @every("number", range(3), ids=lambda number: f"the {number}")
    def test(number: int) -> None:
        assert callable(end)
        if number == 1:
            end("no")

    with pytest.raises(AssertionError, match="1 of 3 fail: the 1"):
        test()


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(AssertionError, match="proves nothing"):
        every("number", [])

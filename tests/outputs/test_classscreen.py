"""A class on a terminal: every student in the same columns, whatever is long, wide or narrow."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from grader.model.result import Result, refused
from grader.outputs.classscreen import show_class
from tests.outputs.cases import case


def shown(results: Sequence[Result], width: int) -> list[str]:
    file = io.StringIO()
    show_class(results, file=file, width=width, color=False)
    return file.getvalue().split("\n\n")[0].splitlines()


def test_what_takes_several_lines_stands_in_the_columns_of_all() -> None:
    right = case("solution")[0]
    results = [
        replace(right, student="anna"),
        refused(replace(right, student="bob"), "no main.cf in it, " * 9),
        replace(right, student="c" * 40),
        replace(right, student="日本"),
    ]
    lines = shown(results, 80)
    begins = {line.index("passed") for line in lines if line.endswith("passed") and line.isascii()}
    begins |= {line.index(said) for line in lines for said in ("refused: no", "passed") if said in line}
    wide = next(line for line in lines if "日本" in line)
    assert begins == {lines[0].index("passed"), wide.index("passed")}
    assert lines[0].index("passed") - wide.index("passed") == 2, "each of these signs takes two columns"
    assert sum("main.cf" in line for line in lines) > 1
    assert "c" * 33 not in "".join(lines)


@pytest.mark.parametrize("width", [30, 45])
def test_points_are_seen_on_a_narrow_terminal(width: int) -> None:
    results = [replace(case("solution")[0], student="s" * length) for length in (3, 60)]
    lines = shown(results, width)
    assert sum("100/100" in line for line in lines) == 2
    assert max(map(len, lines)) <= width

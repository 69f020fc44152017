"""What is laid out without the library for terminals is as that has it, to which all that is not simple is left."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from grader.display import plain
from grader.display.layout import Behind, Column, Grid, Indented, Line, Part, Stack, Words
from grader.display.screen import Screen, laid_out
from grader.model.evidence import AnyEvidence
from grader.model.result import HintTexts, Result
from grader.outputs import terminal
from grader.outputs.changes import Changes
from grader.outputs.terminal import Commands
from tests.conftest import examples
from tests.outputs.cases import STORIES, case
from tests.outputs.samples import check, result
from tests.outputs.test_terminal import starter

FAILED = [
    check(
        "starts", "fail", remarks=["one", "two"], hints=HintTexts(nudge="Look `there`."), next="a\n\nb " * 20
    ),
    check("local", "fail", title="A title that goes on and on, " * 5),
    check("stranger", "skipped", because="open-relay/starts"),
    check("leaks", "skipped", because="open-relay/local"),
]
REMARKED = [
    check("starts", remarks=["as ever " * 20, "and"]),
    check("leaks", "manual"),
    check("local", "error"),
]
REPORTS = {
    "all passed": result([check("starts"), check("leaks")]),
    "with notes": result([check("starts")], notes=["The run ended early.", "It is in work. " * 9]),
    "of a student": result([check("starts")], student="ada", variant="4f2a", duration=1.254),
    "failed": result(FAILED),
    "remarked": result(REMARKED),
    "a long word": result([check("starts", "fail", observed="x" * 200 + " y " + "z" * 500)]),
}
CHANGES = [
    None,
    Changes(0, (), ()),
    Changes(15, (check("starts"), check("leaks")), ()),
    Changes(-5, (), (check("starts"),)),
    Changes(0, (check("leaks"),), (check("starts", "fail"),)),
]
COMMANDS = Commands("smtplab check open-relay work/open-relay", "smtplab hint open-relay/stranger", "r.html")


def written(result: Result, evidence: AnyEvidence | None, encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="")
    terminal.show(result, evidence, file=file, **options)
    return raw.getvalue().decode(encoding)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Shows a report as ever, and with the library alone."""

    def never(*_: object, **__: object) -> None:
        raise plain.NotSimpleError

    def shown(*report: Any, **options: Any) -> tuple[str, str]:
        usual = written(*report, **options)
        with monkeypatch.context() as patched:
            patched.setattr(plain, "Printer", never)
            return usual, written(*report, **options)

    return shown


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 40), ("utf-8", 80), ("utf-8", 200), ("ascii", 61)])
def test_a_report_is_what_the_library_makes_of_it(both: Any, encoding: str, width: int, color: bool) -> None:
    for report in [(told, None) for told in REPORTS.values()] + [case(name) for name in STORIES]:
        for more in (False, True):
            one, other = both(
                *report, encoding=encoding, width=width, color=color, commands=COMMANDS, more=more
            )
            assert one == other


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("changes", CHANGES)
def test_what_changed_is_told_alike(both: Any, changes: Changes | None, color: bool) -> None:
    one, other = both(REPORTS["failed"], None, changes=changes, width=80, color=color)
    assert one == other


@pytest.mark.parametrize("name", ["open-relay", "dkim", "authenticated-message"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_library_is_loaded_for_what_students_begin_with(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.display.screen.Screen.__init__", None)
    assert written(*starter(name), width=width, color=True)


@pytest.mark.parametrize("title", ["\u90f5\u4fbf", "e\u0301", "\u00e9", "\u200b"])
def test_what_may_be_wider_or_narrower_is_left_to_the_library(title: str) -> None:
    with pytest.raises(plain.NotSimpleError):
        plain.Printer(io.StringIO(), width=80, color=False).show(Words(title))


@pytest.mark.parametrize("sign", sorted(plain.ONE_CELL))
def test_signs_take_one_cell(sign: str) -> None:
    assert cell_len(sign) == 1


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_wishes_about_the_terminal_are_left_to_the_library(
    setting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(plain.NotSimpleError):
        plain.Printer(io.StringIO())


def test_the_width_is_what_the_environment_says(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in plain.DECIDING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "90")
    one, other = both(REPORTS["all passed"], None)
    assert one == other
    assert "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * 90 + "\n" in one


def seen(text: str) -> str:
    """Without styles in which nothing is written."""
    return re.sub(r"\x1b\[[0-9;]*m\x1b\[0m", "", text)


STYLE = st.sampled_from(["", "dim", "bold red", "green", "italic dim"])
TEXT = st.text(st.sampled_from("ab \n\N{MIDDLE DOT}"), max_size=40)
WORDS = st.builds(
    lambda text, style, more: [words := Words(text, style), *(words.add(*piece) for piece in more)][0],
    TEXT,
    STYLE,
    st.lists(st.tuples(TEXT, STYLE), max_size=3),
)


def _part(words: list[Words]) -> Part:
    first, second, third, fourth, fifth = words
    first.cut = "\n" not in first.plain
    grid = Grid(Column(3), Column(rest=True), Column(right=True, whole=True))
    grid.row("x", Stack(second, Behind(Words("m n o"), Words("run it", "cyan"))), Words("7/10", "dim"))
    grid.row("y", first, Words("10/10", "bold red"))
    inner = Grid(Column(1), Column(rest=True))
    inner.row("-", third)
    return Stack(grid, inner, fourth, Indented(fifth), Line())


@given(words=st.lists(WORDS, min_size=5, max_size=5), width=st.integers(16, 60))
@settings(max_examples=examples(150), deadline=None)
def test_any_words_are_laid_out_as_the_library_does(words: list[Words], width: int) -> None:
    one, other = io.StringIO(), io.StringIO()
    part = _part(words)
    plain.Printer(one, width=width, color=True).show(part, words[3], words[4])
    screen = Screen(other, width=width, color=True)
    screen.show(*(laid_out(each, screen) for each in (part, words[3], words[4])))
    assert seen(one.getvalue()) == seen(other.getvalue())

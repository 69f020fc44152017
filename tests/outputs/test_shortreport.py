"""A short report is what the library for terminals makes of it, to which all others are left."""

from __future__ import annotations

import io
from typing import Any

import pytest
from msgspec.structs import replace

from grader.model.result import Result
from grader.outputs import shortreport, terminal
from grader.outputs.changes import Changes
from grader.outputs.terminal import Commands
from tests.outputs.cases import STORIES, case
from tests.outputs.samples import check, result
from tests.tables import every

SHORT = {
    "all passed": result([check("starts"), check("leaks")]),
    "with a long title": result([check("stranger"), check("starts")]),
    "with notes": result([check("starts")], notes=["The run ended early.", "Graded is what lies in work."]),
    "with long notes": result(
        [check("starts")],
        notes=["It is one of the lab's own submissions, with the names of this variant. " * 3],
    ),
    "of a student": result([check("starts")], student="ada", variant="4f2a", duration=1.254),
}
CHANGES = [
    None,
    Changes(0, (), ()),
    Changes(15, (check("starts"), check("leaks")), ()),
    Changes(5, (), ()),
    Changes(0, (check("leaks"),), ()),
]


def texts(given: Result, encoding: str, **options: Any) -> tuple[str, str]:
    """What ``shortreport`` and ``terminal`` write; of the first nothing where it leaves the report to the second."""
    written = []
    report = options.pop("report", None)
    for show, more in (
        (shortreport.shown, {"report": report}),
        (terminal.show, {"commands": Commands(report=report)}),
    ):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding=encoding, newline="")
        told = show(given, file=file, **options, **more)
        assert told is not False or not raw.getvalue()
        written.append(raw.getvalue().decode(encoding))
    return written[0], written[1]


@every("color", [False, True])
@every("encoding", ["utf-8", "ascii"])
@every("width", [80, 200])
@every("name", SHORT)
def test_it_is_what_the_library_makes_of_it(name: str, width: int, encoding: str, color: bool) -> None:
    short, whole = texts(SHORT[name], encoding, report="report.html", width=width, color=color)
    assert short == whole


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("changes", CHANGES)
def test_what_changed_is_told_alike(changes: Changes | None, color: bool) -> None:
    short, whole = texts(SHORT["all passed"], "utf-8", changes=changes, width=80, color=color)
    assert short == whole


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_alike_or_left_to_it(name: str, width: int) -> None:
    short, whole = texts(case(name)[0], "utf-8", width=width)
    assert short in (whole, "")
    assert name != "solution" or short or width < 80


@pytest.mark.parametrize(
    ("title", "width"),
    [("A title that is as long as this one is wrapped", 40), ("郵便", 80), ("\x1b[2J", 80), ("é", 80)],
)
def test_what_must_be_laid_out_is_left_to_it(title: str, width: int) -> None:
    assert not texts(result([replace(check("starts"), title=title)]), "utf-8", width=width, color=False)[0]


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_wishes_about_the_terminal_are_left_to_it(
    setting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert not shortreport.shown(result([check("starts")]), file=io.StringIO())


def test_the_width_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in shortreport.DECIDING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "90")
    short, whole = texts(result([check("starts")]), "utf-8")
    assert short == whole
    assert "─" * 90 + "\n" in short

"""Entries on the terminal, and the sheets that labs send a student to."""

from __future__ import annotations

import io

import pytest

from grader import labs, lesson
from grader.cli import main
from grader.lesson import screen

SHEETS = sorted(
    {
        see.removeprefix("sheet ")
        for entry in labs.list_labs()
        if entry.lab
        for check in entry.lab.checks
        for see in check.see
        if see.startswith("sheet ")
    }
)


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_sheet_that_a_check_names_can_be_read(sheet: str) -> None:
    assert lesson.look_up(sheet) is not None


@pytest.mark.parametrize("entry", lesson.library().entries.values(), ids=lambda entry: entry.id)
def test_every_entry_is_shown_with_its_text_and_its_references(entry: lesson.Entry) -> None:
    out = io.StringIO()
    screen.show(entry, lesson.library(), file=out, width=10_000, color=False)
    shown = " ".join(out.getvalue().split())
    assert " ".join(entry.text.split()) in shown
    assert all(reference in shown for reference in entry.references)


def test_a_word_of_the_field_is_explained_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "RCPT"]) == 0
    assert "RFC 5321 section 4.1.1.3" in capsys.readouterr().out
    assert main(["explain", "nosuchword"]) == 2

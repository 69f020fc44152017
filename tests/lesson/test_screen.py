"""Entries on the terminal, and the sheets that labs send a student to."""

from __future__ import annotations

import io

import pytest

from grader import labs, lesson
from grader.cli import main
from grader.lesson import screen
from grader.lesson.facts import LABELS, lines
from grader.lesson.sheets import SHEETS, Sheet
from tests.tables import every

NAMED = sorted(
    {
        see.removeprefix("sheet ")
        for entry in labs.list_labs()
        if entry.lab
        for check in entry.lab.all_checks
        for see in check.see
        if see.startswith("sheet ")
    }
)


@every("sheet", NAMED)
def test_every_sheet_that_a_check_names_can_be_read(sheet: str) -> None:
    assert lesson.look_up(sheet) is not None


@every("entry", lesson.library().entries.values(), ids=lambda entry: entry.id)
def test_every_entry_is_shown_with_its_text_and_its_references(entry: lesson.LessonEntry) -> None:
    out = io.StringIO()
    screen.show(entry, lesson.library(), file=out, width=10_000, color=False)
    shown = " ".join(out.getvalue().split())
    assert " ".join(entry.text.split()) in shown
    assert all(reference in shown for reference in entry.references)
    told = [line for key in LABELS for line in lines(entry, key, lesson.library())]
    assert all(" ".join(line.split()) in shown for line in told)


def test_every_key_of_an_entry_has_a_label_or_a_place_of_its_own() -> None:
    keys = {name for entry in lesson.library().entries.values() for name in type(entry).__struct_fields__}
    shown_otherwise = {"id", "title", "summary", "text", "references", "see", "aliases", "remark"}
    in_the_title = {"verb", "keyword", "digit", "code", "port", "name", "service"}
    how_it_is_sorted = {"status", "group", "kind"}
    assert keys - set(LABELS) == shown_otherwise | in_the_title | how_it_is_sorted


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=lambda sheet: sheet.name)
def test_a_sheet_is_shown_whole(sheet: Sheet) -> None:
    out = io.StringIO()
    screen.show_sheet(sheet, lesson.library(), file=out, width=80, color=False)
    shown = " ".join(out.getvalue().split())
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
    for kind in sheet.kinds:
        assert all(entry.title.partition(",")[0] in shown for entry in lesson.library().of(kind))
    if not sheet.kinds:
        assert len(out.getvalue().splitlines()) > 50


def test_no_sheet_has_the_name_of_an_entry() -> None:
    assert [name for name in SHEETS if lesson.look_up(name)] == []


def test_a_word_of_the_field_is_explained_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "RCPT"]) == 0
    assert "RFC 5321 section 4.1.1.3" in capsys.readouterr().out
    assert main(["explain", "commands"]) == 0
    assert "Names one recipient" in capsys.readouterr().out
    assert main(["explain", "dmark"]) == 0
    assert "“dmarc” is meant, perhaps" in capsys.readouterr().out
    assert main(["explain", "nosuchword"]) == 2

"""``smtplab explain``: checks, words of the field, and sheets."""

from __future__ import annotations

import pytest

from grader import labs
from grader.cli import main


def test_a_sheet_can_be_asked_for_where_a_check_has_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "alignment"]) == 0
    assert "spf-dmarc/alignment" in capsys.readouterr().out
    assert main(["explain", "sheet", "alignment"]) == 0
    assert capsys.readouterr().out.startswith("Alignment\n")
    assert main(["explain", "sheet", "spf-dmarc"]) == 2


def test_every_sheet_that_a_report_names_can_be_read() -> None:
    named = {
        reference.removeprefix("sheet ")
        for entry in labs.list_labs()
        if entry.lab
        for check in entry.lab.all_checks
        for reference in check.see
        if reference.startswith("sheet ")
    }
    assert named
    assert [name for name in sorted(named) if main(["explain", "sheet", name]) != 0] == []

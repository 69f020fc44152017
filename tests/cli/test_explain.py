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


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], "smtplab explain Relay access denied"),
        (["sheet"], "Sheets"),
        (["open-relay"], "smtplab start open-relay"),
        (["sheet", "open-relay"], "Open relay"),
        (["Relay", "access", "denied"], "smtplab explain sheet reply-554"),
        (["rfc5321"], "Simple Mail Transfer Protocol"),
        (["RFC", "5321"], "Simple Mail Transfer Protocol"),
        (["spf", "dmarc"], "smtplab explain sheet dmarc"),
        (["5.7.1"], "not authorized"),
        (["lost", "connection", "after", "AUTH"], "The client hung up"),
        (["SSL_accept", "error", "from", "unknown[1.2.3.4]:", "-1"], "smtplab explain sheet log-warnings"),
        (["allignment"], "“alignment” is meant, perhaps"),
    ],
)
def test_what_people_type_is_explained(
    capsys: pytest.CaptureFixture[str], words: list[str], shown: str
) -> None:
    assert main(["explain", *words]) == 0
    assert shown in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("word", "said"),
    [("xyzzyq", "'smtplab explain' shows what there is"), ("open-relay/strangr", "open-relay/stranger")],
)
def test_what_is_nowhere_is_said(capsys: pytest.CaptureFixture[str], word: str, said: str) -> None:
    assert main(["explain", word]) == 2
    assert said in capsys.readouterr().err


def test_every_command_that_a_search_prints_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "greylisting", "dkim"]) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("smtplab explain ")]
    assert printed
    assert [line for line in printed if main(line.split()[1:]) != 0] == []

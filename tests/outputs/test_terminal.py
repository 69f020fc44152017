"""What a person sees on a terminal, whole, for each case; and that no stranger can write anything else there."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from grader import labs, pipeline
from grader.display.looks import WIDEST
from grader.model.evidence import AnyEvidence
from grader.model.result import HintTexts, Result
from grader.outputs import classscreen, explanation, terminal
from grader.outputs.changes import between
from grader.outputs.evidence import EvidenceView
from grader.outputs.terminal import SHORT_ROWS, Commands
from tests.conftest import examples
from tests.display.test_text import NASTY
from tests.outputs.cases import CASES, STORIES, case
from tests.outputs.samples import broken, check, result
from tests.outputs.stories import lab
from tests.tables import every

AGAIN = "smtplab check open-relay work/open-relay"
HELP = "smtplab hint open-relay/stranger"
SCREEN_AND_A_HALF = 40
"""Lines: 36 on a terminal of the usual 24, and a few for a lab of which most of 21 checks fail."""
REPORT = "work/open-relay/report.html"
SGR = re.compile(r"\x1b\[[0-9;]*m")


def shown(name: str, width: int, encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="")
    terminal.show(*case(name), commands=Commands(AGAIN, HELP, REPORT), file=file, width=width, **options)
    return raw.getvalue().decode(encoding)


def golden(path: Path, text: str) -> None:
    """Compare with the file; ``UPDATE_GOLDEN=1`` writes it instead."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", STORIES)
def test_a_result_at_80_columns(name: str) -> None:
    golden(CASES / name / "terminal.txt", shown(name, 80))


def test_a_result_in_full() -> None:
    golden(CASES / "broken" / "terminal-verbose.txt", shown("broken", 120, verbose=True))


def test_a_result_in_ascii() -> None:
    text = shown("broken", 60, encoding="ascii")
    golden(CASES / "broken" / "terminal-ascii.txt", text)
    assert text.isascii()


@every("width", [60, 80, 100, 120, 200])
@every("name", STORIES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    # A command that is broken at the start of a line by a blank is one column wider.
    assert max(cell_len(line) for line in shown(name, width).split("\n")) <= min(width, WIDEST) + 1


def test_the_last_lines_say_what_to_do() -> None:
    lines = shown("broken", 120).splitlines()[-5:]
    assert lines[0].startswith("45 of 100 points")
    assert lines[2] == f"Fix first  stranger  more help: {HELP}"
    assert lines[3] == f"Run again  {AGAIN}"
    assert lines[4] == f"Report     {REPORT}"


def test_an_error_of_the_grader_never_reads_as_the_student_s() -> None:
    text = shown("grader-error", 80)
    assert "The grader failed, not your server. This costs you no points." in text
    assert "failed  " not in text
    assert "0/" not in text.replace("100/", "")


def test_what_was_refused_is_no_grade_of_nothing() -> None:
    text = shown("refused", 80)
    assert "holds no main.cf" in text
    assert "Not graded" in text
    assert "0 of 100" not in text


def test_colour_is_the_terminal_s_and_the_user_s_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in shown("broken", 80)
    coloured = shown("broken", 80, color=True)
    assert "\x1b[1;31m" in coloured
    assert SGR.sub("", coloured) == shown("broken", 80)
    assert "\x1b" not in shown("broken", 80, color=False)


def test_status_is_told_without_colour_and_without_signs() -> None:
    checks = [check("starts", status) for status in ("pass", "fail", "skipped", "error", "manual")]
    file = io.StringIO()
    terminal.show(result(checks), file=file, width=80)
    for word in ("passed", "failed", "skipped", "error", "manual"):
        assert word in file.getvalue()


@given(
    texts=st.lists(NASTY, min_size=7, max_size=7), status=st.sampled_from(["fail", "pass", "error", "manual"])
)
@settings(max_examples=examples(40), deadline=None)
def test_no_stranger_moves_the_cursor_or_commands_ci(texts: list[str], status: Any) -> None:
    title, observed, expected, why, student, note, hint = texts
    fields = {"title": title, "observed": observed, "expected": expected, "why": why, "because": note}
    attacked = check(
        "starts", status, **fields, remarks=[hint], references=[note], hints=HintTexts(nudge=hint)
    )
    graded: Result = result([attacked], student=student, notes=[note], lab_title=title)
    file = io.StringIO()
    terminal.show(graded, file=file, width=70, verbose=True, commands=Commands(note, note, note))
    classscreen.show_class([graded, replace(graded, status="error", error=note)], file=file, width=70)
    for line in file.getvalue().split("\n"):
        assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_what_is_too_long_says_how_much_is_missing() -> None:
    file = io.StringIO()
    terminal.show(result([check("starts", "fail", observed="x" * 20_000)]), file=file, width=80)
    assert "18,500 more characters" in file.getvalue()
    assert "19 more lines of session 2" not in file.getvalue()


def changed(before: Result | None, after: Result) -> str:
    file = io.StringIO()
    terminal.show(after, changes=between(before, after), file=file, width=80)
    [line] = [line for line in file.getvalue().splitlines() if line.startswith("Changed")] or [""]
    return line


def test_what_changed_since_the_last_run() -> None:
    codes = ("starts", "local", "stranger")
    before = result(
        [check(code, status) for code, status in zip(codes, ("pass", "fail", "fail"), strict=True)]
    )
    after = result(
        [check(code, status) for code, status in zip(codes, ("fail", "pass", "pass"), strict=True)]
    )
    assert (
        changed(before, after) == "Changed    +30 points; newly passed: local, stranger; newly failed: starts"
    )
    assert (
        changed(after, before) == "Changed    -30 points; newly passed: starts; newly failed: local, stranger"
    )
    assert changed(before, before) == "Changed    nothing since the last run"


def test_what_cannot_be_compared_is_not() -> None:
    after = result([check("starts")])
    assert changed(None, after) == ""
    assert changed(replace(after, variant="other"), after) == ""
    assert changed(replace(after, lab_version="2"), after) == ""
    assert changed(replace(after, status="error"), after) == ""
    assert changed(result([check("local", "fail")]), after) == "", "two runs with --only"
    failed = result([check("starts", "fail"), check("local", "fail")])
    assert changed(failed, after) == "Changed    +10 points; newly passed: starts", "what both have counts"


def test_one_failure_is_told_in_full_and_each_other_in_a_line() -> None:
    checks = [check(code, "fail", next=f"Mend {code}.") for code in ("starts", "local", "stranger")]
    file = io.StringIO()
    terminal.show(result([*checks, check("leaks")]), file=file, width=60)
    lines = file.getvalue().splitlines()
    assert "Mend starts." in file.getvalue()
    assert "Mend local." not in file.getvalue()
    for code in ("local", "stranger"):
        assert sum(line.startswith(f"   {code}") for line in lines) == 1
    assert "✗  2 more failed" in lines
    assert "✓  1 passed: leaks" in lines
    file = io.StringIO()
    terminal.show(result(checks), file=file, width=60, verbose=True)
    assert all(f"Mend {code}." in file.getvalue() for code in ("starts", "local", "stranger"))


def test_what_was_skipped_stands_under_one_heading() -> None:
    skipped = [check(code, "skipped", because="open-relay/starts") for code in ("local", "office")]
    other = check("leaks", "skipped", because="open-relay/stranger")
    file = io.StringIO()
    terminal.show(result([check("starts", "fail"), *skipped, other]), file=file, width=80)
    assert "↷  3 skipped, because starts, stranger failed\n" in file.getvalue()
    file = io.StringIO()
    terminal.show(result([check("starts", "fail"), *skipped]), file=file, width=80)
    assert "↷  2 skipped, because starts failed: local, office\n" in file.getvalue()
    terminal.show(result([check("starts", "fail"), *skipped, other]), file=file, width=80, verbose=True)
    assert "failed\n   starts: local, office\n   stranger: leaks\n" in file.getvalue()


class Recorded(msgspec.Struct):
    """A starter's result and evidence, as ``tests.outputs.starters`` wrote them."""

    result: Result
    evidence: Any


def starter(name: str) -> tuple[Result, AnyEvidence]:
    recorded = CASES.parent / "starters" / f"{name}.json"
    if recorded.exists():
        found = msgspec.json.decode(recorded.read_bytes(), type=Recorded)
        return found.result, pipeline.read_evidence(msgspec.json.encode(found.evidence))
    folder = labs.find(name)
    lab = labs.load(folder)
    variant = labs.draw_variant(lab)
    handed_in = labs.render_submission(folder / "starter", variant)
    run = pipeline.grade(lab, handed_in, engine=None, variant=variant)
    return run.result, run.evidence


@pytest.mark.parametrize("name", [entry.path.name for entry in labs.list_labs()])
def test_a_starter_s_report_fits_on_a_screen_and_a_half(name: str) -> None:
    file = io.StringIO()
    commands = Commands(f"smtplab check {name}", f"smtplab hint {name}/first", None)
    terminal.show(*starter(name), commands=commands, file=file, width=80)
    assert file.getvalue().count("\n") <= SCREEN_AND_A_HALF


@pytest.mark.parametrize("name", [entry.path.name for entry in labs.list_labs()])
def test_a_short_excerpt_has_the_line_that_decided(name: str) -> None:
    graded, evidence = starter(name)
    first = graded.first_failure()
    assert first is not None
    short, full = (EvidenceView(evidence).excerpts(first, rows=rows)[0][:1] for rows in (SHORT_ROWS, 16))
    assert [row for one in short for row in one.rows if row.decisive] == [
        row for one in full for row in one.rows if row.decisive
    ]


def test_a_class() -> None:
    results = [
        replace(case(name)[0], student=name)
        for name in ("solution", "broken", "dead", "grader-error", "refused")
    ]
    file = io.StringIO()
    classscreen.show_class([*results, *results], file=file, width=80)
    golden(CASES / "class.txt", file.getvalue())


def test_an_explanation() -> None:
    file = io.StringIO()
    explanation.explain(lab(), lab().check("stranger"), file=file, width=80)
    golden(CASES / "explain.txt", file.getvalue())


def test_a_result_without_its_evidence() -> None:
    file = io.StringIO()
    terminal.show(broken()[0], file=file, width=80)
    assert "Observed" in file.getvalue()
    assert "session" not in file.getvalue()

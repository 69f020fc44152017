"""Help in rungs, remembered beside the work; and what changed since the last check."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader import labs
from grader.cli import lastrun, main
from grader.labs.limits import LAST
from tests.outputs.samples import check, result

LAB = "ours"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lab of one's own that takes no machine, begun."""
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.chdir(tmp_path)
    assert main(["start", LAB]) == 0
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(list(arguments))
    out, err = capsys.readouterr()
    return out + err


def first_failure(here: Path) -> str:
    last = lastrun.read(here / "work" / LAB, LAB)
    assert last is not None
    failure = last.result.first_failure()
    assert failure is not None
    return failure.code


def test_each_call_gives_a_rung_that_was_not_given(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = said(capsys, "check")
    code = first_failure(here)
    last = lastrun.read(here / "work" / LAB, LAB)
    assert last is not None
    ladder = next(check.ladder for check in last.result.checks if check.code == code)
    assert list(ladder) == ["nudge", "pointer", "next", "example"]
    flat = " ".join(report.split())
    assert " ".join(ladder["nudge"].split()) in flat
    assert f"more help: smtplab hint {code}" in flat
    told = [
        " ".join(said(capsys, "hint", *words).split()) for words in ([], [code], [code.partition("/")[2]])
    ]
    for help_text, text in zip((ladder["pointer"], ladder["example"]), told[:2], strict=True):
        assert " ".join(help_text.split()) in text
        assert " ".join(ladder["nudge"].split()) not in text
    assert all(" ".join(text.split()) in told[2] for text in ladder.values()), "all again, when all was given"
    assert f"hint {code}" not in said(capsys, "check")


def test_a_cap_holds_for_what_is_asked_for_later(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "check", "--hints", "nudge")
    assert "that is all the help there is" in said(capsys, "hint")
    assert "Next" not in said(capsys, "hint")
    assert "Next" not in said(capsys, "check", "--hints", "nudge", "--more", "-v")
    said(capsys, "check", "--hints", "none")
    assert "none is allowed" in said(capsys, "hint")


def test_asked_for_more_the_report_has_every_rung(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = said(capsys, "check", "--more")
    places = [report.index(f"\n{label}  ") for label in ("Hint", "Pointer", "Next", "Example")]
    assert places == sorted(places)
    assert "more help" not in report


def test_hints_that_cannot_be_given_say_why(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "run 'smtplab check ours' first" in said(capsys, "hint")
    said(capsys, "check")
    assert "there is no check 'loods' in ours, did you mean" in said(capsys, "hint", "loods").replace(
        ";", ","
    )
    last = lastrun.read(here / "work" / LAB, LAB)
    assert last is not None
    for other in last.result.checks:
        if other.status == "pass":
            assert "did not fail" in said(capsys, "hint", other.code)
        if other.status == "skipped":
            assert f"because {other.because} failed" in said(capsys, "hint", other.code)
    assert main(["start", LAB, "elsewhere"]) == 0
    assert main(["start", LAB, f"work/{LAB}2"]) == 0
    assert "smtplab hint ours/CODE" in said(capsys, "hint")
    assert "elsewhere is not known yet" in said(capsys, "hint", f"{LAB}/loads", "elsewhere")


def test_the_last_run_is_compared_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Changed" not in said(capsys, "check")
    assert "Changed    nothing since the last run" in said(capsys, "check")
    folder = here / "work" / LAB
    for path in (here / "labs" / LAB / "solution").iterdir():
        lab = labs.load(here / "labs" / LAB)
        made = labs.render_submission(path.parent, labs.draw_variant(lab))
        for name, data in made.files.items():
            (folder / name).write_bytes(data)
    report = said(capsys, "check")
    assert "newly passed: " in report
    assert "newly failed" not in report


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b'{"schema": "other"}', b"\xff\xfe", b"null"])
def test_a_file_that_is_none_of_ours_counts_as_nothing(
    here: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "work" / LAB / LAST).write_bytes(data)
    assert "Changed" not in said(capsys, "check")
    assert "Changed    nothing" in said(capsys, "check")


def test_what_is_no_file_is_neither_waited_for_nor_replaced(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = here / "work" / LAB / LAST
    os.mkfifo(place)
    assert lastrun.read(place.parent, LAB) is None
    place.unlink()
    place.symlink_to(here / "elsewhere.json")
    assert "points" in said(capsys, "check")
    assert not (here / "elsewhere.json").exists()
    place.unlink()
    place.mkdir()
    assert "points" in said(capsys, "check")
    assert place.is_dir()


def test_nothing_is_kept_beside_what_was_not_handed_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("labs/ours/starter", "labs/ours/solution"):
        said(capsys, "check", LAB, folder)
        assert not (here / folder / LAST).exists()


def test_a_run_of_some_checks_leaves_what_is_known_of_the_others() -> None:
    whole = result([check("starts"), check("local", "fail"), check("stranger", "fail")])
    kept = lastrun.after(None, whole)
    kept = lastrun.with_given(kept, whole.checks[1], ["nudge"])
    kept = lastrun.with_given(kept, whole.checks[2], ["nudge", "next"])
    kept = lastrun.after(kept, result([check("stranger")]))
    assert [c.status for c in kept.result.checks] == ["pass", "fail", "pass"]
    assert (kept.result.score, kept.result.max_score) == (35, 50)
    assert kept.given == {"open-relay/local": ["nudge"]}, "help with what passes is forgotten"

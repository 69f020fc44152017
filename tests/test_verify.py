"""What ``lab verify`` finds out of a lab: which checks nothing proves, and that a dead worker costs one trial."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchfiles import Change

from grader import kinds, labs, resources, verify
from grader.cli import main
from grader.engines.base import Engine
from grader.verify import Trial, Verified

SHIPPED = sorted(path.parent for path in resources.folder("labs").glob("*/lab.yaml"))
NEW = [(name, more) for name in kinds.BUILT_IN for more in ("", *kinds.kind(name).further)]


@pytest.fixture
def zone_lab(tmp_path: Path) -> Path:
    return labs.new("who-sends", tmp_path, "zone")


def judged(folder: Path) -> set[str]:
    """The checks of a lab on its canonical variant: of a quiz, the questions that are drawn there."""
    lab = labs.load(folder)
    if lab.needs_engine:
        return {check.code for check in lab.all_checks}
    result = verify.grade_trial(folder, verify.trials(folder)[0], None, None)
    return {check.code.split("/", 1)[1] for check in result.checks}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_some_wrong_submission_loses_each_check_of_the_labs(folder: Path) -> None:
    lost = frozenset[str]().union(*(trial.fails or () for trial in verify.trials(folder)))
    assert judged(folder) - lost == set()


@pytest.mark.parametrize(("kind", "more"), NEW)
def test_some_wrong_submission_loses_each_check_of_a_new_lab(kind: str, more: str, tmp_path: Path) -> None:
    folder = labs.new("mine", tmp_path, kind, more)
    assert labs.inspected(folder) == []
    for trial in verify.trials(folder):
        assert verify.hand_in(folder, trial, None).ignored == []
    lost = frozenset[str]().union(*(trial.fails or () for trial in verify.trials(folder)))
    assert judged(folder) - lost == set()


@pytest.mark.engines("local")  # a program gets the same on every engine, as tests/pipeline sees
def test_a_new_program_lab_verifies(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path))
    assert main(["lab", "new", "first-program", str(tmp_path), "--kind", "program"]) == 0
    assert os.access(tmp_path / "first-program" / "starter" / "send", os.X_OK)
    assert main(["lab", "verify", "first-program", "-j", "2", "--engine", engine.name]) == 0
    assert "first-program: 12 tried, 0 not as declared" in capsys.readouterr().out


def test_checks_that_nothing_loses_are_named(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    shutil.rmtree(zone_lab / "wrong" / "no-ipv6")
    assert main(["lab", "verify", "who-sends", "-j", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "✗ no submission in wrong/ loses: own",
        "who-sends: 10 tried, 1 not as declared",
    ]


def test_without_wrong_submissions_every_check_is_named(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    shutil.rmtree(zone_lab / "wrong")
    assert main(["lab", "verify", "who-sends", "-j", "1"]) == 1
    assert "✗ no submission in wrong/ loses: loads, own, forged" in capsys.readouterr().out


def test_a_matrix_says_which_fault_loses_which_check(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    table = zone_lab.parent / "matrix.csv"
    assert main(["lab", "verify", "who-sends", "-j", "1", "--matrix", "--matrix-csv", str(table)]) == 0
    assert capsys.readouterr().out.splitlines()[-12:-1] == [
        "  1 loads",
        "  2 own",
        "  3 forged",
        "",
        "                  1  2  3",
        "everybody-passes  ·  ·  ✗",
        "no-ipv6           ·  ✗  s",
        "not-read          ✗  s  s",
        "lost by           1  1  1",
        "",
        "✗ fails   s skipped   · passes",
    ]
    assert table.read_text().splitlines() == [
        "wrong,loads,own,forged",
        "everybody-passes,passes,passes,fails",
        "no-ipv6,passes,fails,skipped",
        "not-read,fails,skipped,skipped",
    ]
    assert main(["lab", "verify", "who-sends", "-j", "1", "--matrix-csv", "-"]) == 0
    assert capsys.readouterr().out.splitlines() == table.read_text().splitlines()


def test_the_report_of_one_submission_is_shown(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    assert main(["lab", "verify", "who-sends", "--show", "wrong/no-ipv6"]) == 0
    assert "Mail from your server passes SPF" in capsys.readouterr().out
    assert main(["lab", "verify", "who-sends", "--show", "wrong/no-ipv5"]) == 2
    assert "did you mean 'wrong/no-ipv6'?" in capsys.readouterr().err
    assert main(["lab", "verify", "--show", "solution"]) == 2
    assert "are about one lab" in capsys.readouterr().err


def test_watching_proves_a_lab_again_and_waits_for_one_that_is_half_saved(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    declared = zone_lab / "lab.yaml"
    whole = declared.read_text()

    def saves(*_: object, **__: object) -> Iterator[set[object]]:
        yield set()
        declared.write_text(whole.replace("kind: zone", "kind: zones"))
        yield {(Change.modified, str(declared))}
        declared.write_text(whole)
        yield {(Change.modified, str(declared))}

    monkeypatch.setattr("watchfiles.watch", saves)
    assert main(["lab", "verify", "who-sends", "-j", "1", "--watch"]) == 0
    said = capsys.readouterr()
    assert said.out.count("who-sends: 12 tried, 0 not as declared") == 2
    assert said.err.count("did you mean 'zone'?") == 1


def test_a_starter_may_lack_what_students_write_themselves(zone_lab: Path) -> None:
    (zone_lab / "starter" / "@domain@.zone").rename(zone_lab / "starter" / "notes.txt")
    [starter] = [trial for trial in verify.trials(zone_lab) if trial.name == "starter"]
    assert verify.try_one(zone_lab, starter, None, None) == Verified("starter", "canonical", 0, "")


def test_what_a_starter_loses_proves_nothing_and_skipping_is_not_losing() -> None:
    tried = [
        Verified("starter", "canonical", 0, "", ("a", "b", "c"), frozenset({"a"})),
        Verified("wrong/x", "canonical", 0, "", ("a", "b", "c"), frozenset({"b"})),
        Verified("wrong/x", "drawn", 0, "", ("a", "b", "c", "d"), frozenset({"b"})),
    ]
    assert verify.unproved(tried) == ["a", "c"]


def test_a_worker_that_dies_costs_its_trial_and_no_other(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = verify.try_one

    def dying(folder: Path, trial: Trial, student: str | None, engine: Engine | None) -> Verified:
        if trial.name == "starter":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(folder, trial, student, engine)

    monkeypatch.setattr(verify, "try_one", dying)
    tried = list(verify.verify(zone_lab, engine=None, jobs=2))
    assert len(tried) == 12
    assert {(one.trial, one.variant): one.problem for one in tried if one.problem} == {
        ("starter", variant): "the grader failed: a worker process ended with -9"
        for variant in ("canonical", "drawn")
    }

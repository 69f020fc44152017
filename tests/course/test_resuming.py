"""A class that is resumed: what is finished stays untouched, and whatever else has changed is noticed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.cli import main
from grader.course import ClassSettings, grade_class
from grader.course.intake import listing as listings
from grader.course.intake import reading, take_in
from grader.model.errors import UsageError
from grader.schedule import LocalScheduler, WorkerDied

LAB = "knowledge-check"
STUDENTS = ("anna", "bob", "carol")


@pytest.fixture
def hand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    for student in STUDENTS:
        shutil.copytree(labs.find(LAB) / "correct/letters", tmp_path / "subs" / student)
    return sorted((tmp_path / "subs").iterdir())


def grade(hand_ins: Iterable[Path], *more: str) -> int:
    return main(["grade", LAB, *map(str, hand_ins), "--out", "out", "-j", "2", "--exit-zero", *more])


def made() -> dict[str, int]:
    """Which of all folders ever made each student's is."""
    return {path.name: path.stat().st_ino for path in Path("out").iterdir() if path.is_dir()}


def graded() -> dict[str, str]:
    """When each was run: what is made anew of what was kept keeps that."""
    return {
        name: Path("out", name, "result.json").read_text().partition('"started"')[2][:40] for name in STUDENTS
    }


def test_with_nothing_to_do_nothing_is_written(hand_ins: list[Path]) -> None:
    grade(hand_ins)
    before = made()
    grade(hand_ins, "--resume")
    assert made() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda: Path("subs/bob/answers.yaml").write_text("{}"),
        lambda: Path("out/bob/result.json").write_text("{"),
        lambda: Path("out/bob/result.json").unlink(),
        lambda: Path("out/bob/row.json").write_text("[]"),
        lambda: Path("out/bob/row.json").unlink(),
    ],
    ids=["other work", "damaged result", "no result", "damaged row", "no row"],
)
def test_one_that_changed_is_graded_alone(hand_ins: list[Path], change: Callable[[], object]) -> None:
    grade(hand_ins)
    before, when = made(), graded()
    change()
    grade(hand_ins, "--resume")
    assert {name for name, number in made().items() if number != before[name]} == {"bob"}
    assert {name for name, then in graded().items() if then != when[name]} == {"bob"}


def test_another_lab_or_other_help_is_graded_anew(
    hand_ins: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(labs.find(LAB), tmp_path / "labs" / LAB)
    grade(hand_ins)
    when = graded()
    grade(hand_ins, "--resume", "--hints", "none")
    assert not {name for name, then in graded().items() if then == when[name]}
    when = graded()
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    file = tmp_path / "labs" / LAB / "lab.yaml"
    file.write_text(file.read_text().replace("title:", "title: Other", 1))
    grade(hand_ins, "--resume", "--hints", "none")
    assert not {name for name, then in graded().items() if then == when[name]}


class Dying:
    """Workers that die of whatever holds several hand-ins, and of nothing else."""

    shares_files = True

    def __init__(self) -> None:
        self.told: list[Any] = []

    def run(self, jobs: Iterable[Any], work: Callable[[Any], Any]) -> Generator[tuple[Any, Any], None, None]:
        for job in jobs:
            self.told.append(job)
            yield job, WorkerDied("out of memory") if isinstance(job, list) else work(job)


def test_what_a_worker_dies_of_while_it_looks_is_found_one_by_one(
    hand_ins: list[Path], tmp_path: Path
) -> None:
    grade(hand_ins)
    before = made()
    settings = ClassSettings(lab=labs.find(LAB), out=tmp_path / "out", engine=None, workers=1, resume=True)
    dying = Dying()
    rows = grade_class(settings, hand_ins, report=lambda *_: None, scheduler=dying).rows
    assert [row.ending for row in rows] == ["graded"] * 3
    assert len(dying.told) > 3
    assert made() == before


def test_workers_are_told_of_many_finished_ones_at_once(hand_ins: list[Path], tmp_path: Path) -> None:
    many = [shutil.copytree(hand_ins[0], tmp_path / "many" / f"s{number}") for number in range(40)]
    settings = ClassSettings(lab=labs.find(LAB), out=tmp_path / "out", engine=None, workers=2, resume=True)
    grade_class(settings, many, report=lambda *_: None)
    told: list[Any] = []

    class Listening(LocalScheduler):
        def run(self, jobs: Iterable[Any], work: Callable[[Any], Any]) -> Generator[Any, None, None]:
            told.extend(jobs := list(jobs))
            return super().run(jobs, work)

    reports: list[int] = []
    grade_class(settings, many, report=lambda row, done, total: reports.append(done), scheduler=Listening(2))
    assert len(told) < 20
    assert reports == list(range(1, 41))


def test_one_endless_hand_in_stops_no_class(
    hand_ins: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MOST_FILES", 5)
    for number in range(9):
        (hand_ins[0] / f"{number}.txt").touch()
    lab = labs.load(LAB)
    taken = take_in(hand_ins, lab, tmp_path / "out")
    assert [one.student for one in taken.hand_ins] == list(STUDENTS)
    with pytest.raises(UsageError, match="more than 5 files"):
        take_in(hand_ins[:1], lab, tmp_path / "out")


def test_the_first_hand_in_tells_that_a_class_has_no_platform_s_layout(
    hand_ins: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def looked(path: Path) -> Any:
        seen.append(path)
        return listings.listing(path)

    monkeypatch.setattr(reading, "listing", looked)
    take_in(hand_ins, labs.load(LAB), tmp_path / "out")
    assert seen == hand_ins[:1]


def test_a_folder_of_grades_is_no_hand_in_by_whatever_path(hand_ins: list[Path], tmp_path: Path) -> None:
    grade(hand_ins)
    (tmp_path / "again").symlink_to(tmp_path / "out")
    taken = take_in([*hand_ins, tmp_path / "again", Path("subs/../out")], labs.load(LAB), tmp_path / "out")
    assert taken.strays == [f"{tmp_path / 'again'} (it holds grades)", "subs/../out (it holds grades)"]


def test_a_damaged_result_is_graded_again_wherever_its_folder_stands(hand_ins: list[Path]) -> None:
    grade(hand_ins)
    Path("out/anna/result.json").write_bytes(b"")
    assert grade(hand_ins, "--resume") == 0
    assert '"anna"' in Path("out/anna/result.json").read_text()


def test_a_damaged_result_of_whoever_is_not_graded_now_is_named(
    hand_ins: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    grade(hand_ins)
    Path("out/anna/result.json").write_bytes(b"")
    assert grade(hand_ins[1:], "--resume") == 3
    assert "'out/anna/result.json' is damaged" in capsys.readouterr().err


def test_a_damaged_result_hides_no_other_lab(
    hand_ins: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    grade(hand_ins)
    Path("out/anna/result.json").write_bytes(b"")
    assert main(["grade", "spf-dmarc", "subs/bob", "--out", "out", "-j", "1"]) == 2
    assert "holds results of the lab 'knowledge-check'" in capsys.readouterr().err


def test_who_had_a_hand_in_that_is_somebody_else_s_by_now_is_named(
    hand_ins: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grade(hand_ins)
    (tmp_path / "map.csv").write_text("source,student\nsubs/bob,k9\n")
    capsys.readouterr()
    names = ["subs/anna", "subs/bob", "subs/carol"]
    assert grade(map(Path, names), "--resume") == 0
    assert "earlier result" not in capsys.readouterr().err
    assert grade(map(Path, names), "--resume", "--map", "map.csv") == 0
    said = capsys.readouterr().err
    assert "bob has an earlier result of subs/bob, which is k9's by now" in said
    assert "move 'out/bob' away" in said
    assert said.count("earlier result") == 1


def test_a_member_who_left_a_group_is_named(
    hand_ins: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "class.csv"
    roster.write_text("id,group\nanna,red\nmax,red\n")
    grade([Path("subs/anna")], "--roster", "class.csv", "--groups")
    roster.write_text("id,group\nanna,red\nmax,blue\n")
    capsys.readouterr()
    grade([Path("subs/anna")], "--roster", "class.csv", "--groups", "--resume")
    said = capsys.readouterr().err
    assert "max has an earlier result of subs/anna, which is anna's by now" in said
    assert "handed nothing in this time, and have an earlier result here, which stays: max\n" in said


@pytest.mark.parametrize("raw", ["subs/l\udcff", "odd\udcff/bob"], ids=["its own name", "its folder's"])
def test_a_name_that_is_no_text_stops_no_class(hand_ins: list[Path], raw: str) -> None:
    shutil.copytree(hand_ins[0], raw)
    assert grade([*hand_ins, Path(raw)]) == 0
    escaped = raw.replace("\udcff", "%FF")
    assert escaped in Path("out/hand-ins.csv").read_text()
    home = Path("out", Path(escaped).name)
    assert '"ending":"graded"' in (home / "row.json").read_text()
    before = made()
    assert grade([*hand_ins, Path(raw)], "--resume") == 0
    assert made() == before


def test_a_fault_that_quotes_such_a_name_is_told(hand_ins: list[Path], tmp_path: Path) -> None:
    class Lost:
        shares_files = True

        def run(
            self, jobs: Iterable[Any], work: Callable[[Any], Any]
        ) -> Generator[tuple[Any, Any], None, None]:
            return ((job, WorkerDied("lost at l\udcff")) for job in jobs)

    settings = ClassSettings(lab=labs.find(LAB), out=tmp_path / "out", engine=None, workers=1)
    rows = grade_class(settings, hand_ins, report=lambda *_: None, scheduler=Lost()).rows
    assert [row.ending for row in rows] == ["error"] * 3

"""The numbers of a class's questions, held against examples worked out by hand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from grader import labs, outputs, pipeline
from grader.cli.app import CommandSettings, smtplab
from grader.course.results_folder import documents, write_folder
from grader.lesson.quiz.stats import as_csv, as_json, as_text, stats
from grader.model.result import CheckResult, Result
from grader.model.submission import Submission

LAB = labs.load("knowledge-check")
BASE = pipeline.grade(LAB, Submission({"answers.yaml": b""}), engine=None).result


def result(name: str, **points: int | None) -> Result:
    """A student's result, with points of ten for each question; ``None`` is one that was not marked."""
    checks = [
        CheckResult(
            code=f"own/{code}", title=f"={code}?", status="skipped" if got is None else "pass" if got == 10 else "fail",
            points=got or 0, max_points=10,
        )
        for code, got in points.items()
    ]  # fmt: skip
    return msgspec.structs.replace(BASE, student=name, checks=checks)


def test_numbers_are_those_worked_out_by_hand() -> None:
    # Share of the other two questions: 1, 1, 0.5, 0 for 'good'; it is right for the first two alone.
    found = stats(
        [
            result("a", good=10, second=10, bad=10),
            result("b", good=10, second=10, bad=10),
            result("c", good=0, second=0, bad=10),
            result("d", good=0, second=0, bad=0),
        ]
    )
    items = {one.item: one for one in found.items}
    assert (found.results, found.unmarked) == (4, 0)
    assert items["good"].answered == 4
    assert items["good"].difficulty == 0.5
    # r of (1, 1, 0, 0) and (1, 1, .5, 0): covariance .1875, standard deviations .5 and sqrt(.171875).
    assert items["good"].discrimination == pytest.approx(0.1875 / (0.5 * 0.171875**0.5), abs=0.001)
    assert items["good"].upper_lower == 1.0
    assert items["bad"].difficulty == 0.75
    assert items["good"].remark == "too few answers to tell"


def test_a_question_that_those_who_know_fail_stands_first() -> None:
    class_ = [
        result(f"s{number}", easy=10, fine=10 * (number >= 6), odd=10 * (number < 6), third=10 * (number >= 5), hard=0)
        for number in range(12)
    ]  # fmt: skip
    items = stats(class_).items
    assert items[0].item == "odd"
    assert items[0].discrimination is not None
    assert items[0].discrimination < 0
    assert items[0].upper_lower == -1.0
    remarks = {one.item: one.remark for one in items}
    assert remarks["odd"].startswith("those who know the rest fail it")
    assert remarks["easy"] == "nearly all have it right"
    assert remarks["hard"].startswith("hardly anybody")
    unknown = [one.item for one in items if one.discrimination is None]
    assert unknown == ["easy", "hard", "third"] == [one.item for one in items[-3:]]


def test_the_order_of_students_changes_nothing() -> None:
    class_ = [result(f"s{n}", one=10 * (n % 2), two=10 * (n % 3 == 0), three=5) for n in range(13)]
    assert stats(class_) == stats(class_[::-1])


def test_students_who_drew_other_questions_and_unread_answers_are_left_out() -> None:
    found = stats([result("a", one=10, two=0), result("b", two=10), result("c", one=None, two=None)])
    assert {one.item: one.answered for one in found.items} == {"one": 1, "two": 2}
    assert (found.results, found.unmarked) == (3, 1)
    assert stats([]).items == []
    assert b"0 results" in as_text(stats([]))


def test_each_form_holds_the_same_and_no_formula() -> None:
    found = stats(
        [result(f"s{n}", one=10 * (n % 2), two=10 * (n % 3 == 0), three=10 * (n % 2)) for n in range(12)]
    )
    rows = list(csv.DictReader(io.StringIO(as_csv(found).decode())))
    assert [row["item"] for row in rows] == [one.item for one in found.items]
    assert [float(row["discrimination"]) for row in rows] == [one.discrimination for one in found.items]
    assert not any(row["title"].startswith("=") for row in rows)
    document = json.loads(as_json(found))
    assert document["schema"] == "smtplab/quiz-stats/1"
    assert [one["difficulty"] for one in document["items"]] == [one.difficulty for one in found.items]
    lines = as_text(found).decode().splitlines()
    assert len(lines) == 2 + len(found.items)
    assert f"{found.items[0].discrimination:+.2f}" in lines[1]


def test_the_command_reads_a_folder_of_grades(tmp_path: Path) -> None:
    for student, port in (("alice", "25"), ("bob", "587"), ("carol", "25")):
        run = pipeline.grade(LAB, Submission({"answers.yaml": f"mx-port: {port}\n".encode()}), engine=None)
        own = msgspec.structs.replace(run.result, student=student)
        write_folder(tmp_path / "grades" / student, documents(own, run.evidence, outputs.USUAL))
    runner = CliRunner()
    shown = runner.invoke(
        smtplab, ["quiz", "stats", str(tmp_path / "grades"), "--format", "json"], obj=CommandSettings()
    )
    items = {one["item"]: one for one in json.loads(shown.output)["items"]}
    assert items["mx-port"]["difficulty"] == 0.667
    assert items["header-end"]["difficulty"] == 0.0
    table = runner.invoke(smtplab, ["quiz", "stats", str(tmp_path / "grades")], obj=CommandSettings())
    assert "3 results, 10 questions." in table.output

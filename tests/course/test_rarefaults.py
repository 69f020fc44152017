"""Rare faults in common: the same unusual failures point at each other, usual ones at nobody."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from grader import labs
from grader.cli import main
from grader.course.alike import as_csv
from grader.course.rarefaults import rare_faults
from grader.course.results_folder import documents, write_folder
from grader.model.result import HandedIn, Result
from tests.outputs.samples import check, result

ODD = "Take 'permit' out of `smtpd_helo_restrictions = permit` (main.cf, line {}) of mail{}.example."


def student(name: str, *advice: str, group: list[str] | None = None) -> Result:
    """Somebody who fails as many checks as there is advice."""
    codes = ["starts", "local", "unknown"]
    checks = [check(code, "fail", next=text) for code, text in zip(codes, advice, strict=False)]
    checks += [check(code) for code in codes[len(checks) :]]
    return replace(result(checks), student=name, handed_in=HandedIn(group=group or []))


def many(number: int) -> list[Result]:
    """A class in which a half made the usual fault."""
    return [student(f"s{n}", *(["the usual"] if n % 2 else [])) for n in range(number)]


def test_the_same_unusual_faults_point_at_each_other_in_whoever_s_variant() -> None:
    pair = [
        student("bob", "the usual", ODD.format(3, 7)),
        student("alice", "the usual", ODD.format(14, 9)),
    ]
    (found,) = rare_faults([*many(20), *pair])
    assert found.students == ["alice", "bob"]
    assert len(found.faults) == 1, "the usual one says nothing"
    assert "local: Take 'permit' out of" in found.faults[0]


@pytest.mark.parametrize(
    "results",
    [
        many(40),
        [*many(10), student("a", ODD), student("b", ODD)],
        [*many(40), student("a", ODD), student("b", ODD, "something else")],
        [*many(40), student("a", ODD), student("b", "the usual", ODD)],
        [*many(40), student("a", ODD, group=["a", "b"]), student("b", ODD, group=["b", "a"])],
        [*many(40), student("a", ODD), replace(student("b", ODD), status="refused")],
    ],
    ids=["usual", "small-class", "one-more", "another-check", "one-group", "not-graded"],
)
def test_nobody_is_pointed_at_for_what_is_usual_or_not_the_same(results: list[Result]) -> None:
    assert rare_faults(results) == []


def test_the_table_has_a_line_for_each_pair() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([], [], [(["=a", "b", "c"], ["x", "y"])]).decode())))
    assert [(row["student"], row["other"]) for row in rows] == [("'=a", "b"), ("'=a", "c"), ("b", "c")]
    assert {(row["pointer"], row["share"], row["what"]) for row in rows} == {("rare faults", "", "x; y")}


def test_the_command_says_who_has_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for one in [*many(20), student("bob", ODD), student("alice", ODD)]:
        write_folder(tmp_path / "grades" / (one.student or ""), documents(one, None, ["json"]))
    hand_in = tmp_path / "anna"
    hand_in.mkdir()
    folder = labs.find("open-relay")
    for name, data in labs.render_submission(
        folder / "solution", labs.draw_variant(labs.load(folder))
    ).files.items():
        (hand_in / name).write_bytes(data)
    assert main(["alike", "open-relay", str(hand_in), "--grades", str(tmp_path / "grades")]) == 0
    assert "alice and bob have rare faults in common" in capsys.readouterr().out
    page = tmp_path / "alike.html"
    arguments = ["alike", "open-relay", str(hand_in), "--html", str(page)]
    assert main(arguments) == 0
    assert "Rare faults" not in page.read_text()
    assert main([*arguments, "--grades", str(tmp_path / "grades")]) == 0
    assert "<h3>alice and bob</h3>" in page.read_text()
    assert "<code>smtpd_helo_restrictions = permit</code>" in page.read_text()
    assert main(["alike", "spf-dmarc", str(hand_in), "--grades", str(tmp_path / "grades")]) == 2
    assert "holds no results of this lab" in capsys.readouterr().err

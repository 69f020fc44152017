"""Gradebooks: what the importers of learning platforms take, and nothing that reads as a grade where there is none.

Of Canvas, the steps of ``GradebookImporter`` that find the separator and read the cells were run outside the project
on ``canvas.csv`` (Ruby, with its CSV library), and the rest was read; Moodle's and Brightspace's are followed as
far as they are known.
"""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grader import outputs
from grader.model.result import Person, Result
from tests.display.test_text import NASTY
from tests.outputs.cases import case
from tests.outputs.platforms.samples import OBEYED, attacked, failed
from tests.outputs.samples import check, result

TITLE = "A mail server that relays for its own people and for nobody else"
CLASS = {
    "jane@example.edu": "solution",
    "s1042": "broken",
    "007": "dead",
    "a.b": "grader-error",
    "z": "refused",
}
"""Students by how they fared; of the second, a person decides on a check."""
FORMULA = re.compile("[\t\r=+@-]")


def a_class() -> list[Result]:
    return [replace(case(name)[0], student=student) for student, name in CLASS.items()]


def written(name: str, results: list[Result]) -> bytes:
    many = outputs.FORMATS[name].many
    assert many is not None
    return many(iter(results))


def table(name: str, results: list[Result]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written(name, results).decode(), newline="")))


def test_canvas_finds_its_columns_and_reads_scores() -> None:
    """The rules of ``GradebookImporter``: where its columns are, and which titles it keeps for itself."""
    head, *rows = table("canvas", a_class())
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert re.search(r"SIS\s+User\s+ID", head[2])
    assert re.search(r"SIS\s+Login\s+ID", head[3])
    assert "Section" in head[4]
    assert head[5:] == [TITLE]
    assert [(row[2], row[5]) for row in rows] == [
        ("jane@example.edu", "100"), ("s1042", ""), ("007", "0"), ("a.b", ""), ("z", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "title", ["Final Grade of mail", "Unposted Current Score", "Relay (12)", "SIS Login ID"]
)
def test_a_title_that_canvas_keeps_for_itself_gives_way_to_the_lab_s_id(title: str) -> None:
    head, *_ = table("canvas", [replace(case("solution")[0], student="a", lab_title=title)])
    assert head[-1] == "open-relay"


def test_the_roster_says_who_is_who() -> None:
    known = Person(name="Doe, Jane", email="jane@example.edu", login="jdoe", canvas="1001", section="A")
    graded = replace(case("solution")[0], student="123456", person=known)
    assert table("canvas", [graded])[1] == ["Doe, Jane", "1001", "123456", "jdoe", "A", "100"]
    assert table("moodle", [graded])[0][:2] == ["student", "email"]
    assert table("moodle", [graded])[1][:3] == ["123456", "jane@example.edu", "100"]
    assert table("brightspace", [graded])[1] == ["#jdoe", "100", "#"]
    # A column of addresses in which one is missing would end Moodle's import.
    assert table("moodle", [graded, replace(case("dead")[0], student="a")])[0][:2] == ["student", TITLE]


def test_no_student_is_the_row_of_points_in_canvas() -> None:
    _, row = table("canvas", [replace(case("solution")[0], student="    Points Possible")])
    assert "Points Possible" not in row[0]
    assert row[3] == "    Points Possible"


def test_moodle_gets_feedback_beside_each_grade() -> None:
    head, *rows = table("moodle", a_class())
    assert head == ["student", TITLE, f"{TITLE} feedback"]
    found = {row[0]: row[1:] for row in rows}
    assert found["jane@example.edu"] == ["100", "100 of 100 points"]
    assert found["s1042"][0] == ""
    assert "45 of 100 points; a person decides on 15 more" in found["s1042"][1]
    assert "Expected: VRFY for a real user and for an unknown one is answered alike." in found["s1042"][1]
    assert found["a.b"][1].startswith("The grader failed, not your work. This costs you no points.")
    assert found["z"][1].startswith("What was handed in cannot be read, and was not graded.")


def test_strangers_markup_is_text_in_moodle_s_feedback() -> None:
    """Moodle shows feedback as HTML, whichever way it came in."""
    _, row = table("moodle", [attacked()])
    root = ElementTree.fromstring(written("moodle-xml", [replace(case("dead")[0], student=OBEYED[-1])]))
    assert root.tag == "results"
    assert "<script>" not in row[2]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in row[2]


def test_moodle_s_xml_names_item_and_user_by_their_id_numbers_and_leaves_out_who_has_no_grade() -> None:
    root = ElementTree.fromstring(written("moodle-xml", a_class()))
    found = [{child.tag: child.text for child in one} for one in root.iter("result")]
    assert [(one["assignment"], one["student"], one["score"]) for one in found] == [
        ("open-relay", "jane@example.edu", "100"), ("open-relay", "007", "0"),
    ]  # fmt: skip
    assert "The server greets with 220" in (found[1]["feedback"] or "")


def test_brightspace_knows_students_behind_a_hash_and_the_end_of_each_line() -> None:
    head, *rows = table("brightspace", a_class())
    assert head == ["Username", f"{TITLE} Points Grade", "End-of-Line Indicator"]
    assert rows[0] == ["#jane@example.edu", "100", "#"]
    assert rows[2] == ["#007", "0", "#"]
    assert [row[1] for row in rows] == ["100", "", "0", "", ""]


@pytest.mark.parametrize("name", ["canvas", "moodle", "moodle-xml", "brightspace"])
def test_a_result_without_a_student_is_nobody_s_grade(name: str) -> None:
    assert written(name, [case("solution")[0]]) == written(name, []) or name != "moodle-xml"
    assert b"100" not in written(name, [case("solution")[0]])


def test_of_two_results_of_a_student_in_a_lab_the_last_counts_and_labs_stand_side_by_side() -> None:
    first, last = (replace(case(name)[0], student="a") for name in ("dead", "solution"))
    other = replace(first, lab="dkim", lab_title="Signing")
    assert table("canvas", [first, other, last])[1:] == [["a", "", "a", "a", "", "100", "0"]]


@pytest.mark.parametrize("name", ["canvas", "moodle", "brightspace"])
@pytest.mark.parametrize("graded", [attacked(), failed()], ids=["attacked", "failed"])
def test_no_cell_is_a_formula(name: str, graded: Result) -> None:
    for row in table(name, [replace(graded, student=one) for one in OBEYED if one.strip()]):
        assert not [cell for cell in row if FORMULA.match(cell)]


@given(texts=st.lists(NASTY, min_size=3, max_size=3))
def test_any_text_leaves_the_columns_where_they_are(texts: list[str]) -> None:
    student, title, observed = texts
    graded = result([check("starts", "fail", observed=observed)], student=student, lab_title=title)
    for name in ("canvas", "moodle", "brightspace"):
        rows = table(name, [graded])
        assert len({len(row) for row in rows}) == 1
        assert len(rows) == 1 + bool(student.strip())
    ElementTree.fromstring(written("moodle-xml", [graded]))

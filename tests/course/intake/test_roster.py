"""The class as a CSV file, in whatever form a platform writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.intake import Choices, Intake, take_in
from grader.course.intake.roster import Roster, read_decisions, rows
from grader.model.errors import UsageError
from tests.course.intake.classes import LAB, laid


def roster(text: str | bytes) -> Roster:
    data = text if isinstance(text, bytes) else text.encode()
    return Roster(rows(data, "class.csv"), "class.csv")


FORMS: dict[str, str | bytes] = {
    "own": "section,E-Mail,id,Name\nA,jane@example.edu,1001,Jane Doe\n",
    "semicolons": "\ufeffID number;First name;Surname;Email address\n1001;Jane;Doe;jane@example.edu\n",
    "canvas": "Student,ID,SIS User ID,SIS Login ID,Section,Open relay (123)\n"
    '    Points Possible,,,,,100\n"Doe, Jane",555,1001,jane@example.edu,A,\n"Student, Test",9,,x,A,\n',
    "moodle worksheet": "Identifier,Full name,ID number,Email address,Status\n"
    "Participant 3101,Jane Doe,1001,jane@example.edu,Submitted\n",
    "brightspace": "OrgDefinedId,Username,Email\n1001,jane,jane@example.edu\n",
    "utf-16": "id\temail\n1001\tjane@example.edu\n".encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_told_by_their_titles(form: str) -> None:
    [student] = roster(FORMS[form]).students
    assert student.id == "1001"
    assert "jane" in (student.person.email or student.person.login)


def test_a_student_is_found_by_what_the_platform_knows() -> None:
    found = roster(FORMS["canvas"])
    assert [student.person.canvas for student in found.students] == ["555"]
    assert found.find({"canvas": "555"}) is found.find({"email": "JANE@example.edu"}) is found.students[0]
    assert roster(FORMS["moodle worksheet"]).find({"moodle": "3101"}) is not None
    # A number of Canvas's is no number of the school's.
    assert found.find({"canvas": "1001"}) is None
    assert found.find({"id": "nobody"}) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("colour,size\nred,1\n", "has no column of ids"),
        ("id\n1\n1\n", "lists the student '1' twice"),
        ("id,email\n1,a@b\n,\n ,x\n", "line 4|a@b"),
        ("name,email\nJane,\n", "line 2 has neither an id nor an address nor a login"),
        (b"id\n\xff\n", "is not UTF-8"),
        ('id\n"1\n', "is no CSV"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str | bytes, sentence: str) -> None:
    if "line 4" in sentence:
        assert [student.id for student in roster(text).students] == ["1", "x"]
        return
    with pytest.raises(UsageError, match=sentence):
        roster(text)


@given(st.text().map(lambda text: text.encode("utf-8", "replace")) | st.binary())
def test_any_file_is_read_or_refused_in_one_line(data: bytes) -> None:
    said, ids = "", ["x"]
    try:
        ids = [student.id for student in roster(data).students]
    except UsageError as error:
        said = str(error)
    assert all(ids)
    assert "\n" not in said


CLASS = """\
id,email,canvas,group
1001,jane@example.edu,555,red
1002,max@example.edu,556,red
1003,zoe@example.edu,557,blue
"""


def taken(
    tmp_path: Path, files: dict[str, str], *, groups: bool = False, decisions: dict[str, str] | None = None
) -> Intake:
    choices = Choices(roster=roster(CLASS), groups=groups, decisions=decisions or {})
    return take_in([laid(tmp_path / "download.zip", files)], LAB, Path("out"), choices)


def test_who_is_missing_and_who_is_unknown_is_said(tmp_path: Path) -> None:
    found = taken(tmp_path, {"janed_555_1_main.cf": "x", "who_999_2_main.cf": "y"})
    assert [hand_in.student for hand_in in found.hand_ins] == ["1001", "999"]
    said = " / ".join(found.said())
    assert "not in the roster: download.zip (Canvas's student 999)" in said
    assert "handed nothing in: 1002 and 1003" in said
    assert found.people["1001"].email == "jane@example.edu"


def test_a_roster_that_knows_nobody_is_the_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"class.csv knows nobody who handed in \(such as 888 and 999\)"):
        taken(tmp_path, {"who_999_2_main.cf": "y", "me_888_3_main.cf": "z"})


def test_a_group_has_one_hand_in_and_a_row_each(tmp_path: Path) -> None:
    files = {"janed_555_1_main.cf": "first", "max_556_2_main.cf": "last", "zoe_557_3_main.cf": "z"}
    found = taken(tmp_path, files, groups=True)
    assert sorted(hand_in.students for hand_in in found.hand_ins) == [("1001", "1002"), ("1003",)]
    assert any("student 555" in sentence for sentence in found.said())
    assert [hand_in.students for hand_in in taken(tmp_path, files).hand_ins] == [
        ("1001",),
        ("1002",),
        ("1003",),
    ]


def test_for_whom_a_group_s_hand_in_was_passed_over_is_said(tmp_path: Path) -> None:
    about = "submission_{}:\n  :submitters:\n{}  :created_at: 2026-01-0{} 10:00:00.000000000 Z\n"
    member = "  - :name: {0}\n    :sid: '{0}'\n    :email: {0}@example.edu\n"
    both, one = member.format("1001") + member.format("1002"), member.format("1002")
    files = {
        "gs/submission_metadata.yml": "---\n" + about.format(11, both, 1) + about.format(12, one, 2),
        "gs/submission_11/main.cf": "x",
        "gs/submission_12/main.cf": "y",
    }
    laid(tmp_path, files)
    found = take_in([tmp_path / "gs"], LAB, Path("out"), Choices())
    assert [hand_in.students for hand_in in found.hand_ins] == [("1001",), ("1002",)]
    assert [one.partition("submission_")[2] for one in found.superseded] == ["11 (for 1002)"]


def test_a_person_decides_who_is_who(tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("student,source\n1003,999\n")
    decisions = read_decisions(tmp_path / "map.csv")
    found = taken(tmp_path, {"who_999_2_main.cf": "y"}, decisions=decisions)
    assert [hand_in.student for hand_in in found.hand_ins] == ["1003"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "needs the columns 'source' and 'student'"),
        ("source,student\nx,1\nx,2\n", "line 3: 'x' is two"),
    ],
)
def test_a_map_that_is_none_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "map.csv").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        read_decisions(tmp_path / "map.csv")

"""What a person decides about a check: read with its line, merged, said, and taken back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import outputs
from grader.course.overrides import Override, Worth, decided, decisions, undecided, worth_in
from grader.model.errors import UsageError
from grader.model.result import Decision, Result
from tests.outputs.cases import case
from tests.tables import every

WORTH = Worth("relay", {"relay/starts": 10, "relay/leaks": 5})
HEAD = "student,check,points,why,by\n"


def test_decisions_are_read_in_any_order_of_columns() -> None:
    text = "by;points;student;check;why\nDr Who;7;alice;starts;a typing error; \nDr Who;manual;bob;relay/leaks;look\n"
    assert decisions(text.encode(), "overrides.csv", WORTH) == [
        Override("alice", "relay/starts", 7, "a typing error", "Dr Who"),
        Override("bob", "relay/leaks", None, "look", "Dr Who"),
    ]


@every(
    ("text", "sentence"),
    [
        ("student,check,points,why\n", "lacks the column 'by'"),
        (HEAD + "alice,start,7,x,y\n", "line 2: the lab relay has no check 'start'; did you mean 'starts'"),
        (
            HEAD + "alice,starts,11,x,y\n",
            "line 2: points of relay/starts are a whole number from 0 to 10, or 'manual'",
        ),
        (HEAD + "alice,starts,-1,x,y\n", "not '-1'"),
        (HEAD + "alice,starts,7,,y\n", "line 2 says nothing in 'why'"),
        (HEAD + ",starts,7,x,y\n", "line 2 says nothing in 'student'"),
        (
            HEAD + "alice,starts,7,x,y\nalice,relay/starts,8,x,y\n",
            "line 3: relay/starts of 'alice' is decided twice",
        ),
        (HEAD + '"', "is no CSV"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as error:
        decisions(text.encode(), "overrides.csv", WORTH)
    assert "\n" not in str(error.value)


@given(st.text().map(lambda text: (HEAD + text).encode("utf-8", "replace")) | st.binary())
def test_any_file_is_read_or_refused_in_one_line(data: bytes) -> None:
    said = ""
    try:
        decisions(data, "overrides.csv", WORTH)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


def override(result: Result, code: str, points: int | None) -> Override:
    return Override(result.student or "", f"{result.lab}/{code}", points, "the server was right", "Dr Who")


def test_points_are_given_and_what_the_grader_found_stays() -> None:
    before, evidence = case("broken")
    after = decided(before, [override(before, "stranger", 20), override(before, "login", 15)])
    by = {check.code: check for check in after.checks}
    assert after.score == before.score + 35
    assert (by["open-relay/login"].status, by["open-relay/login"].points) == ("pass", 15)
    stranger = by["open-relay/stranger"]
    assert (stranger.status, stranger.points) == ("fail", 20)
    assert stranger.decision == Decision(
        points=20, why="the server was right", by="Dr Who", judged="fail", judged_points=0
    )
    # Whoever reads any report is told that a person decided.
    for name in ("html", "junit"):
        render = outputs.FORMATS[name].one
        assert render is not None
        assert b"was decided by a person, Dr Who: 20 of 25 points" in render(after, evidence)
    assert b"open-relay/stranger: decided by Dr Who" in outputs.gradebook_csv([after])


def test_a_check_is_taken_out_of_the_grader_s_hands() -> None:
    before, _ = case("broken")
    after = decided(before, [override(before, "starts", None)])
    assert (after.checks[0].status, after.score) == ("manual", before.score - 10)
    assert "A person judges open-relay/starts (Dr Who: the server was right)" in after.notes[0]


def test_decisions_about_others_change_nothing() -> None:
    before, _ = case("broken")
    assert decided(before, [Override("somebody", "open-relay/starts", 0, "x", "y")]) == before


def test_what_was_refused_is_graded_once_all_of_it_is_decided() -> None:
    refused, _ = case("refused")
    some = decided(refused, [override(refused, "starts", 10)])
    assert (some.status, some.score) == ("refused", 0)
    every = [override(refused, check.code.rpartition("/")[2], 1) for check in refused.checks]
    whole = decided(refused, every)
    assert (whole.status, whole.score, whole.error) == ("graded", len(every), refused.error)
    assert undecided(whole) == undecided(some) == refused
    assert worth_in(refused).checks["open-relay/starts"] == 10

"""What was handed out against what is graded: said for each, and a class graded as somebody else's is stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader import labs
from grader.course.intake import HandIn, take_in
from grader.course.intake.handouts import prepared, variant_of
from grader.labs import Started, Variants
from grader.model.errors import UsageError
from tests.course.intake.classes import LAB, laid

KEY = "autumn"
NOBODY = "nobody"


def mark(
    student: str | None, key: str | None = KEY, lab: str = LAB.id, version: str = LAB.version
) -> Started:
    """What ``smtplab start`` notes."""
    variant = labs.draw_variant(LAB, student, key)
    return Started(lab, student, variant.id, variant.seed or None, version)


def handed_in(tmp_path: Path, **marks: Started | None) -> list[HandIn]:
    """A hand-in of each student, with what it was handed out for."""
    sources = []
    for student, noted in marks.items():
        files = {"main.cf": b"x"}
        if noted is not None:
            files[".smtplab.json"] = msgspec.json.encode(noted)
        sources.append(laid(tmp_path / student, files))
    return take_in(sources, LAB, tmp_path / "out").hand_ins


def test_what_agrees_needs_no_word(tmp_path: Path) -> None:
    given = handed_in(tmp_path, alice=mark("alice"), bob=mark("bob"), carol=None)
    made = prepared(given, LAB, draw=True, key=KEY)
    assert [(one.student, one.remarks, one.notes) for one in made] == [(one.student, (), ()) for one in given]
    assert [variant_of(one, Variants(LAB, KEY), draw=True).id for one in made[:2]] == [
        mark("alice").variant, mark("bob").variant,
    ]  # fmt: skip


def test_one_of_many_is_said_to_the_instructor_by_name_and_to_the_student_without(tmp_path: Path) -> None:
    given = handed_in(tmp_path, alice=mark("alice"), bob=mark("alice"), carol=mark("carol"))
    alice, bob, carol = prepared(given, LAB, draw=True, key=KEY)
    assert bob.remarks[0] == f"{tmp_path}/bob was handed out for 'alice', and handed in by 'bob'"
    assert bob.notes == (
        "What was handed in was handed out for another student, and has that student's names.",
    )
    assert f"has the same hand-out as {tmp_path}/bob" in alice.remarks[0]
    assert (alice.notes, carol.remarks) == ((), ())
    assert variant_of(bob, Variants(LAB, KEY), draw=True).id == mark("bob").variant


@pytest.mark.parametrize(
    ("marks", "draw", "key", "sentence"),
    [
        ({"x1": mark("alice"), "x2": mark("bob")}, True, KEY, "another student .*for 'alice' and not 'x1'.*--trust"),
        ({"alice": mark("alice"), "bob": mark("bob")}, False, None, "with a course key, and none is given.*--seed"),
        ({"alice": mark("alice"), "bob": mark("bob")}, True, "spring", "with another course key than the one given"),
        ({"alice": mark("alice", None)}, False, None, "--student-from folder"),
        ({"alice": mark(None)}, True, KEY, "in the canonical variant.*leave the course key out"),
        ({"alice": mark("alice", lab="dkim")}, True, KEY, "for another lab .*'dkim'.*: name that lab"),
        ({"alice": mark("alice", version="1.0")}, True, KEY, "at version 1.0, and it is at 2.0"),
        ({"late": mark("alice"), "bob": None}, True, KEY, "1 hand-in of the 1 that say"),
    ],
)  # fmt: skip
def test_a_class_whose_hand_outs_disagree_is_stopped_and_told_who_may_decide(
    tmp_path: Path, marks: dict[str, Started | None], draw: bool, key: str | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence) as error:
        prepared(handed_in(tmp_path, **marks), LAB, draw=draw, key=key)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("draw", "key"), [(False, None), (True, KEY)])
def test_the_word_of_the_hand_outs_is_taken_where_that_is_said(
    tmp_path: Path, draw: bool, key: str | None
) -> None:
    given = handed_in(tmp_path, x1=mark("alice"), x2=mark("bob"), carol=None)
    made = prepared(given, LAB, draw=draw, key=key, trust=True)
    assert [one.student for one in made] == ["alice", "bob", "carol"]
    variants = [variant_of(one, Variants(LAB, key), draw=draw).id for one in made[:2]]
    assert variants == [mark("alice").variant, mark("bob").variant]


def test_a_trusted_hand_out_of_the_canonical_variant_is_graded_in_it(tmp_path: Path) -> None:
    [one] = prepared(handed_in(tmp_path, alice=mark(None)), LAB, draw=True, key=KEY, trust=True)
    assert (one.student, variant_of(one, Variants(LAB, KEY), draw=True).id) == ("alice", "canonical")


def test_a_trusted_word_is_held_against_the_course_key(tmp_path: Path) -> None:
    forged = msgspec.structs.replace(mark("alice"), student="bob")
    given = handed_in(tmp_path, alice=mark("alice"), bob=forged, carol=mark("carol"))
    alice, bob, _ = prepared(given, LAB, draw=True, key=KEY, trust=True)
    assert variant_of(bob, Variants(LAB, KEY), draw=True).id == mark("bob").variant
    assert "in another variant than it is graded in" in bob.remarks[0]
    assert "same hand-out" in alice.remarks[0]


def test_two_hand_ins_of_one_hand_out_are_nobody_s_by_its_word(tmp_path: Path) -> None:
    given = handed_in(tmp_path, x1=mark("alice"), x2=mark("alice"))
    with pytest.raises(UsageError, match=r"were both handed out for 'alice'.*--map"):
        prepared(given, LAB, draw=True, key=KEY, trust=True)


def test_a_group_works_in_the_variant_that_it_was_handed(tmp_path: Path) -> None:
    [one] = handed_in(tmp_path, alice=mark("bob"))
    group = msgspec.structs.replace(one, others=("bob",))
    [made] = prepared([group], LAB, draw=True, key=KEY)
    assert (made.remarks, variant_of(made, Variants(LAB, KEY), draw=True).id) == ((), mark("bob").variant)
    [named] = prepared([msgspec.structs.replace(one, group="bob")], LAB, draw=True, key=KEY)
    assert named.drawn_for == "bob"


def test_whoever_has_a_roster_has_decided_a_single_one(tmp_path: Path) -> None:
    given = handed_in(tmp_path, bob=mark("alice"))
    [made] = prepared(given, LAB, draw=True, key=KEY, decided=True)
    assert made.student == "bob"
    with pytest.raises(UsageError):
        prepared(given, LAB, draw=True, key=KEY)


@pytest.mark.parametrize("wrong", [mark("m0", lab="dkim"), mark("alice"), mark("m0", "spring")])
def test_one_mark_among_many_without_stops_nobody_else(tmp_path: Path, wrong: Started) -> None:
    marks = {f"m{number}": wrong if number == 0 else None for number in range(10)}
    made = prepared(handed_in(tmp_path, **marks), LAB, draw=True, key=KEY)
    assert [bool(one.remarks) for one in made] == [True] + [False] * 9


def test_several_marks_of_another_key_stop_a_class_in_which_many_have_none(tmp_path: Path) -> None:
    marks = {f"m{number}": mark(f"m{number}") if number < 4 else None for number in range(10)}
    with pytest.raises(UsageError, match="4 hand-ins of the 4 that say"):
        prepared(handed_in(tmp_path, **marks), LAB, draw=True, key="spring")

"""Names of submissions, however odd."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grader import labs
from grader.course.conduct import locked
from grader.course.intake import Choices, HandIn, Intake, take_in
from grader.course.intake.names import BESIDE_RESULTS, safe_name
from grader.course.intake.roster import Roster, read_decisions, rows
from grader.course.overrides import decisions, worth_of
from grader.model.errors import UsageError
from tests.course.intake.classes import LAB

names = st.text(min_size=1, max_size=200).filter(lambda name: "/" not in name and "\0" not in name)


@given(names, names)
def test_different_names_stay_different(one: str, other: str) -> None:
    if one != other:
        assert safe_name(one) != safe_name(other)


@given(names | st.binary(min_size=1, max_size=250).map(os.fsdecode) | st.sampled_from(sorted(BESIDE_RESULTS)))
def test_safe_names_are_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe.isprintable()
    assert len(safe.encode()) <= 255 - len(".replaced-")
    assert not safe.startswith((".", "-", " "))
    assert safe.casefold() not in BESIDE_RESULTS
    assert not set(safe) & set("/\\\0\n*?\"'<>|;:$&`!")


def folder(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir(parents=True)
    return path


def taken(*sources: Path) -> Intake:
    return take_in(sources, LAB, Path("out"))


def one(source: Path) -> HandIn:
    [hand_in] = taken(source).hand_ins
    return hand_in


@pytest.mark.parametrize(
    "name", ["alice", "Müller, Zoë", "-rf", "a\nb", "..x", "=1+1", "a;b", "~", "%41", "Grades.csv"]
)
def test_a_folder_is_graded_under_its_name(tmp_path: Path, name: str) -> None:
    hand_in = one(folder(tmp_path, name))
    assert hand_in.student.isprintable()
    assert hand_in.folder == safe_name(name)
    if name.isprintable():
        assert hand_in.student == name


def test_a_name_that_is_no_unicode_is_kept_apart(tmp_path: Path) -> None:
    assert one(folder(tmp_path, os.fsdecode(b"caf\xe9"))).student == "caf%E9"


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(tmp_path, "alice"))
    assert one(Path()).student == "alice"


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".TGZ", ".tar.xz"])
def test_an_archive_is_graded_under_its_name_without_the_ending(tmp_path: Path, ending: str) -> None:
    archive = tmp_path / f"al.ice{ending}"
    archive.touch()
    assert one(archive).student == "al.ice"


def test_strays_are_named_together_and_passed_over(tmp_path: Path) -> None:
    folder(tmp_path, "alice")
    with locked(tmp_path / "grades"):
        pass
    strays = ["essay.docx", "bob.7z", "grades.csv"]
    for name in strays:
        (tmp_path / name).touch()
    found = taken(*(tmp_path / name for name in ("alice", *strays, "grades")))
    assert [hand_in.student for hand_in in found.hand_ins] == ["alice"]
    [sentence] = found.said()
    assert all(name in sentence for name in (*strays, "it holds grades"))


def test_of_several_hand_ins_of_one_student_the_last_counts(tmp_path: Path) -> None:
    first, second = folder(tmp_path, "one/alice"), folder(tmp_path, "two/alice")
    found = taken(first, second)
    assert [hand_in.source for hand_in in found.hand_ins] == [second]
    [sentence] = found.said()
    assert str(first) in sentence


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["one/alice", "two/ALICE"], "differ in capitals alone"),
        (["nobody"], "there is no submission"),
        (["notes.txt"], "none of what was given is a hand-in"),
        (["x" * 201], "too long"),
        (["out"], "it holds grades"),
    ],
)
def test_what_cannot_be_graded_is_said_before_anything_is(
    tmp_path: Path, names: list[str], sentence: str
) -> None:
    for name in ("one/alice", "two/ALICE", "x" * 201):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "notes.txt").touch()
    with locked(tmp_path / "out"):
        pass
    with pytest.raises(UsageError, match=sentence):
        taken(*(tmp_path / name for name in names))


APART = unicodedata.normalize("NFD", "Zoë Müller")
WHOLE = unicodedata.normalize("NFC", APART)


def test_a_name_is_the_same_however_a_system_spells_it(tmp_path: Path) -> None:
    """macOS writes an umlaut as a letter and two dots, and other systems as one letter."""
    first, second = folder(tmp_path, f"one/{WHOLE}"), folder(tmp_path, f"two/{APART}")
    found = taken(first, second)
    assert [(one.student, one.folder, one.source) for one in found.hand_ins] == [
        (WHOLE, safe_name(WHOLE), second)
    ]
    assert len(found.superseded) == 1


def test_a_roster_a_map_and_a_decision_know_a_name_however_it_is_spelt(tmp_path: Path) -> None:
    path = folder(tmp_path, APART)
    roster = Roster(rows(f"id,name\n{WHOLE},{APART}\nbob,Bob\n".encode(), "class.csv"), "class.csv")
    found = take_in([path], LAB, Path("out"), Choices(roster=roster))
    assert (found.unknown, found.missing) == ([], ["bob"])
    assert found.people[WHOLE].name == WHOLE
    table = tmp_path / "map.csv"
    table.write_text(f"source,student\n{WHOLE},bob\n")
    [hand_in] = take_in([path], LAB, Path("out"), Choices(decisions=read_decisions(table))).hand_ins
    assert hand_in.student == "bob"
    [decision] = decisions(
        f"student,check,points,why,by\n{APART},starts,1,mail,Dr Who\n".encode(),
        "overrides.csv",
        worth_of(LAB),
    )
    assert decision.student == WHOLE


def test_a_variant_is_the_same_however_a_name_is_spelt(tmp_path: Path) -> None:
    assert labs.draw_variant(LAB, APART, "key") == labs.draw_variant(LAB, WHOLE, "key")
    lab = labs.find("spf-dmarc")
    for number, spelt in enumerate((APART, WHOLE)):
        where = tmp_path / str(number)
        labs.start(lab, where, labs.draw_variant(labs.load(lab), spelt, "key"), student=spelt)
        mark = labs.started(where)
        assert mark is not None
        assert mark.student == WHOLE


def test_a_file_is_found_however_its_name_is_spelt(tmp_path: Path) -> None:
    rules = replace(LAB.submission, required=["größe/lösung.cf"], optional=["prüf.cf"])
    lab = replace(LAB, submission=rules)
    for name in ("größe/lösung.cf", "prüf.cf"):
        path = tmp_path / "Übung" / unicodedata.normalize("NFD", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = y\n")
    assert set(labs.read_submission(lab, tmp_path).files) == {"größe/lösung.cf", "prüf.cf"}

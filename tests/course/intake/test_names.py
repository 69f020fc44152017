"""Names of submissions, however odd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.conduct import locked
from grader.course.intake import HandIn, Intake, take_in
from grader.course.intake.names import BESIDE_RESULTS, safe_name
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

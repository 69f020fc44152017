"""Names of submissions, however odd."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.conduct import locked
from grader.course.submissions import entries, safe_name
from grader.model.errors import UsageError

names = st.text(min_size=1, max_size=200).filter(lambda name: "/" not in name and "\0" not in name)


@given(names, names)
def test_different_names_stay_different(one: str, other: str) -> None:
    if one != other:
        assert safe_name(one) != safe_name(other)


@given(names | st.binary(min_size=1, max_size=250).map(os.fsdecode))
def test_safe_names_are_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe.isprintable()
    assert len(safe.encode()) <= 255 - len(".replaced-")
    assert not safe.startswith((".", "-", " "))
    assert not set(safe) & set("/\\\0\n*?\"'<>|;:$&`!")


def folder(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir(parents=True)
    return path


@pytest.mark.parametrize("name", ["alice", "Müller, Zoë", "-rf", "a\nb", "..x", "=1+1", "a;b", "~", "%41"])
def test_a_folder_is_graded_under_its_name(tmp_path: Path, name: str) -> None:
    [entry] = entries([folder(tmp_path, name)], tmp_path / "out")
    assert entry.student.isprintable()
    assert entry.folder == safe_name(name)
    if name.isprintable():
        assert entry.student == name


def test_a_name_that_is_no_unicode_is_kept_apart(tmp_path: Path) -> None:
    raw = os.fsdecode(b"caf\xe9")
    [entry] = entries([folder(tmp_path, raw)], tmp_path / "out")
    assert entry.student == "caf%E9"


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(tmp_path, "alice"))
    assert [entry.student for entry in entries([Path()], tmp_path / "out")] == ["alice"]


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".TGZ", ".tar.xz"])
def test_an_archive_is_graded_under_its_name_without_the_ending(tmp_path: Path, ending: str) -> None:
    archive = tmp_path / f"al.ice{ending}"
    archive.touch()
    assert [entry.student for entry in entries([archive], tmp_path / "out")] == ["al.ice"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["one/alice", "two/alice"], "belong to the same student 'alice'"),
        (["one/alice", "two/ALICE"], "belong to the same student"),
        (["one/alice", "one/alice.zip"], "belong to the same student 'alice'"),
        (["nobody"], "there is no submission"),
        (["notes.txt"], "neither a folder nor a zip or tar archive"),
        (["x" * 201], "too long"),
        (["out"], "holds grades, not a submission"),
    ],
)
def test_what_cannot_be_graded_is_said_before_anything_is(
    tmp_path: Path, names: list[str], sentence: str
) -> None:
    for name in ("one/alice", "two/alice", "two/ALICE", "x" * 201):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    for name in ("one/alice.zip", "notes.txt"):
        (tmp_path / name).touch()
    with locked(tmp_path / "out"):
        pass
    with pytest.raises(UsageError, match=sentence):
        entries([tmp_path / name for name in names], tmp_path / "elsewhere")

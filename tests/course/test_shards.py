"""A class in shares: whoever grades it, on however many machines, its documents are those of one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import labs, pipeline
from grader.cli import main
from grader.course import conduct
from grader.course.intake import HandIn
from grader.course.intake.names import LOCK_NAME, MADE_OF, SHARD
from grader.course.shards import Shard, ShardFile, drawn, parsed, read_shard
from grader.model.errors import OutputError, UsageError
from tests import submissions

LAB = "zone-in-shares"
KEY = "autumn"
SHARDS = 4
ALONE = ("alice", "bob", "zoë", "=1+1", "-rf", "O'Hara; rm", "a.b", "grades.csv", "carol", "dave")
GROUP = ("max", "jane")
EMPTY, COPY = "empty", "copy"
QUERIED = re.compile(rb'"(?:at|evidence)":[0-9.]+,?')
FORMATS = "json,csv,junit,html,canvas"


class _Noon:
    @staticmethod
    def now(zone: object) -> datetime:
        return datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A class graded as a whole and in four shares, while the clock stands still."""
    home = tmp_path_factory.mktemp("class")
    labs.new(LAB, home / "labs", "zone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(home / "labs"))
        patch.setenv("SMTPLAB_SEED", KEY)
        patch.chdir(home)
        patch.setattr(pipeline, "datetime", _Noon)
        patch.setattr(pipeline, "time", SimpleNamespace(monotonic=lambda: 0.0))
        for number, student in enumerate((*ALONE, GROUP[0])):
            submissions.write(
                "starter" if number % 3 == 2 else "solution",
                home / "subs" / student,
                student=student,
                key=KEY,
                lab=LAB,
            )
        (home / "subs" / EMPTY).mkdir()
        labs.start(
            labs.find(LAB),
            home / "subs" / COPY,
            labs.draw_variant(labs.load(LAB), "alice", KEY),
            student="alice",
        )
        (home / "class.csv").write_text(
            "id,canvas,group\n"
            + "".join(f"{name},{number},\n" for number, name in enumerate((*ALONE, EMPTY, COPY), 100))
            + "".join(f"{name},{number},red\n" for number, name in enumerate(GROUP, 200))
            + "ghost,300,\n"
        )
        check = labs.load(LAB).all_checks[0].code
        (home / "decided.csv").write_text(
            f"student,check,points,why,by\nalice,{check},1,late,Dr Who\n{GROUP[0]},{check},0,no,Dr Who\n"
        )
        assert grade("whole") == 1
        for number in range(1, SHARDS + 1):
            assert grade(f"s{number}", "--shard", f"{number}/{SHARDS}") in (0, 1)
        yield home


def grade(out: str, *more: str) -> int:
    sources = [str(path) for path in sorted(Path("subs").iterdir())]
    return main([
        "grade", LAB, *sources, "--out", out, "-j", "2", "--format", FORMATS, "--roster", "class.csv", "--groups",
        "--overrides", "decided.csv", *more,
    ])  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    """Everything that lies in a folder of grades, without when a query came, and what keeps two graders apart."""
    return {
        str(path.relative_to(folder)): QUERIED.sub(b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (LOCK_NAME, MADE_OF)
    }


@pytest.fixture
def here(graded: Path, tmp_path: Path) -> Path:
    """The four shares, to be changed at will, in the folder ``here``."""
    for number in range(1, SHARDS + 1):
        shutil.copytree(graded / f"s{number}", tmp_path / f"s{number}")
    return tmp_path


def merge(here: Path, *numbers: int) -> int:
    names = [str(here / f"s{number}") for number in numbers or range(1, SHARDS + 1)]
    return main(["merge", *names, "--out", str(here / "out")])


@pytest.mark.slow
def test_four_shards_merged_are_byte_for_byte_the_whole(here: Path, graded: Path) -> None:
    assert merge(here, 3, 1, 4, 2) == 1
    whole = files(graded / "whole")
    assert files(here / "out") == whole
    assert {
        "grades.csv",
        "junit.xml",
        "hand-ins.csv",
        "overrides.csv",
        "canvas.csv",
        "index.html",
        "missing.json",
    } <= set(whole)
    assert b"decided by Dr Who" in whole["grades.csv"]
    assert whole["grades.csv"].count(b",refused,") == 2
    assert {path.parent.name for path in (here / "out").glob("*/result.json")} >= {*GROUP, "%67rades.csv"}
    # Merged once more it stays so, and one more hand-in is graded into it as into any folder of grades.
    assert merge(here) == 1
    assert files(here / "out") == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(graded)
        before = (here / "out/alice/row.json").stat().st_mtime_ns
        assert grade(str(here / "out"), "--resume") == 1
        assert (here / "out/alice/row.json").stat().st_mtime_ns == before
    assert files(here / "out") == whole


def test_every_share_is_somebody_s(graded: Path) -> None:
    shares = [read_shard(graded / f"s{number}") for number in range(1, SHARDS + 1)]
    students = {*ALONE, *GROUP, EMPTY, COPY}
    for number, share in enumerate(shares, 1):
        assert share.members == shares[0].members
        mine = {member.folder for member in share.members if member.shard == number}
        assert {path.parent.name for path in (graded / f"s{number}").glob("*/result.json")} == mine
    assert {member.student for member in shares[0].members} == students
    assert KEY.encode() not in (graded / "s1" / SHARD).read_bytes()


def test_a_shard_that_was_stopped_is_missed_and_resumed(
    here: Path, graded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = read_shard(here / "s2")
    lost = next(member for member in about.members if member.shard == 2)
    shutil.rmtree(here / "s2" / lost.folder)
    assert merge(here) == 2
    assert f"has lost the results of {lost.student}: give its command again" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(graded)
        with pytest.MonkeyPatch.context() as full:
            full.setattr(conduct, "write_documents", _no_room)
            assert grade(str(here / "s2"), "--shard", f"2/{SHARDS}") == 3
        shutil.rmtree(here / "s2" / lost.folder)
        assert merge(here) == 2
        assert "was not graded to its end; 1 student of its" in capsys.readouterr().err
        assert not (here / "out").exists()
        kept = [path for path in (here / "s2").glob("*/row.json") if b'"graded"' in path.read_bytes()]
        before = [path.stat().st_mtime_ns for path in kept]
        assert before
        assert grade(str(here / "s2"), "--shard", f"2/{SHARDS}", "--resume") in (0, 1)
        assert [path.stat().st_mtime_ns for path in kept] == before
    assert merge(here) == 1
    assert files(here / "out") == files(graded / "whole")


def _no_room(*_: object) -> None:
    raise OutputError("the disk is full")


def edited(folder: Path, change: Callable[[ShardFile], ShardFile]) -> None:
    (folder / SHARD).write_bytes(msgspec.json.encode(change(read_shard(folder))))


def _other(name: str) -> Callable[[Path], None]:
    def change(here: Path) -> None:
        edited(
            here / "s3",
            lambda share: msgspec.structs.replace(share, graded_with={**share.graded_with, name: "x"}),
        )

    return change


def _fewer(here: Path) -> None:
    edited(
        here / "s3",
        lambda share: msgspec.structs.replace(
            share, members=[member for member in share.members if member.student != "bob"]
        ),
    )


def _of_five(here: Path) -> None:
    edited(here / "s3", lambda share: msgspec.structs.replace(share, shard=Shard(3, 5)))


def _same(here: Path) -> None:
    shutil.rmtree(here / "s3")
    shutil.copytree(here / "s2", here / "s3")


def _twice(here: Path) -> None:
    shutil.copytree(next(here.glob("s[124]/alice")), here / "s3/alice")


def _decided_since(here: Path) -> None:
    with (here / "s3/overrides.csv").open("a") as file:
        file.write("bob,x,1,x,y\n")


def _damaged(here: Path) -> None:
    (here / "s3" / SHARD).write_text("{")


def _beyond(here: Path) -> None:
    edited(here / "s3", lambda share: msgspec.structs.replace(share, shard=Shard(4, 3)))


def _none(here: Path) -> None:
    (here / "s3" / SHARD).unlink()


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        *((_other(name), 2, f"graded with different things: {name}; grade one of them again")
          for name in ("the lab", "the course key", "the image", "--hints", "the roster", "the decisions")),
        (_fewer, 2, "not every machine was given the same hand-ins: bob only to"),
        (_of_five, 2, "is shard 3 of 5: a class is cut into the same number for all"),
        (_same, 2, "are both shard 2 of 4"),
        (_twice, 2, "there twice: alice. Remove what is of an earlier run, which is"),
        (_decided_since, 2, "do not hold the same overrides.csv"),
        (_damaged, 3, "is damaged"),
        (_beyond, 3, "there is no shard 4 of 3"),
        (_none, 2, "is no shard of a class, for it holds no shard.json"),
    ],
)  # fmt: skip
def test_what_is_not_one_class_is_not_merged(
    here: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], None], code: int, sentence: str
) -> None:
    change(here)
    assert merge(here) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(here.glob("out/*/result.json"))


def test_shards_that_were_not_named_are_missed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = read_shard(here / "s1")
    absent = [member.student for member in about.members if member.shard == 3]
    assert merge(here, 1, 2, 4) == 2
    said = capsys.readouterr().err
    assert "shard 3 of 4 is missing, with" in said
    assert absent
    assert all(student in said for student in absent)
    assert merge(here, 1) == 2
    assert "shards 2, 3 and 4 of 4 are missing" in capsys.readouterr().err


def test_decisions_in_the_merged_folder_are_not_lost(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "out").mkdir()
    (here / "out/overrides.csv").write_text("student,check,points,why,by\n")
    assert merge(here) == 2
    assert "do not hold the same overrides.csv" in capsys.readouterr().err
    assert (here / "out/overrides.csv").read_text() == "student,check,points,why,by\n"


def test_one_folder_holds_one_share(
    here: Path, graded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(graded)
    before = files(here / "s1")
    for more in (["--shard", f"2/{SHARDS}"], ["--shard", "1/5"], []):
        assert grade(str(here / "s1"), *more) == 2
        assert f"holds shard 1 of {SHARDS}: name another folder" in capsys.readouterr().err
    assert main(["regrade", "whole", "--out", str(here / "s1")]) == 2
    assert files(here / "s1") == before
    assert grade("whole", "--shard", "1/4") == 2
    assert "holds results that are no shard" in capsys.readouterr().err
    names = [str(here / f"s{number}") for number in range(1, SHARDS + 1)]
    shutil.copytree(here / "s1", here / "older")
    assert main(["merge", *names, "--out", str(here / "older")]) == 2
    assert f"holds shard 1 of {SHARDS}: name another folder" in capsys.readouterr().err
    assert main(["merge", *names, "--out", str(here / "s1")]) == 2
    assert "is one of the shards" in capsys.readouterr().err


def test_who_was_graded_into_a_shard_by_an_earlier_run_is_missed_too(
    graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(graded)

    def into(out: str, student: str, *more: str) -> None:
        command = ["grade", LAB, f"subs/{student}", "--out", str(tmp_path / out), "--format", "csv", *more]
        assert main(command) == 0

    for student in ("alice", "bob"):
        for number in (1, 2):
            into(f"n{number}", student, "--shard", f"{number}/2")
        into("one", student)
    merged = ["merge", str(tmp_path / "n1"), str(tmp_path / "n2"), "--out", str(tmp_path / "out")]
    assert main(merged) == 0
    assert files(tmp_path / "out") == files(tmp_path / "one")
    shutil.rmtree(next(tmp_path.glob("n?/alice")))
    assert main(merged) == 2
    assert "has lost the results of alice" in capsys.readouterr().err


def test_a_share_of_nobody_is_a_share(graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(graded)
    outs = [str(tmp_path / f"n{number}") for number in (1, 2, 3)]
    for number, out in enumerate(outs, 1):
        assert (
            main(["grade", LAB, "subs/alice", "--out", out, "--shard", f"{number}/3", "--format", "csv"]) == 0
        )
    assert main(["merge", *outs, "--out", str(tmp_path / "out")]) == 0
    assert main(["grade", LAB, "subs/alice", "--out", str(tmp_path / "one"), "--format", "csv"]) == 0
    assert files(tmp_path / "out") == files(tmp_path / "one")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2", "is a number of how many, as in 1/4, not '2'"),
        ("0/4", "where a platform counts from 0, add 1"),
        ("5/4", "of 4 shards the first is 1/4 and the last 4/4"),
        ("1/0", "into 1 to 10,000 shards, not 0"),
        ("1/10001", "not 10,001"),
        ("²/4", "not '²/4'"),
        ("1/4/4", "not '1/4/4'"),
    ],
)
def test_a_shard_that_cannot_be_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        parsed(text)
    assert sentence in str(error.value)


@given(st.text(max_size=12))
def test_any_shard_is_read_or_refused(text: str) -> None:
    try:
        shard = parsed(text)
    except UsageError:
        return
    assert 1 <= shard.number <= shard.total


@given(st.sets(st.text(min_size=1, max_size=20), min_size=1), st.integers(1, 50))
def test_everybody_is_in_just_one_share_whoever_else_is_there(names: set[str], total: int) -> None:
    whole = [HandIn(student=name, source=Path(name), label=name) for name in sorted(names)]
    shares = [Shard(number, total).of(whole) for number in range(1, total + 1)]
    assert sorted(hand_in.student for share in shares for hand_in in share) == sorted(names)
    alone = [Shard(number, total).of(whole[:1]) for number in range(1, total + 1)]
    assert [whole[0] in share for share in shares] == [whole[0] in share for share in alone]


def test_shares_stay_what_they_are() -> None:
    def share(*students: str) -> int:
        first, *others = students
        return drawn(HandIn(student=first, others=tuple(others), source=Path(first), label=first), 4)

    assert [share(name) for name in ("alice", "bob", "carol", "dave", "zoë")] == [1, 2, 2, 3, 1]
    assert share("jane", "max") == share("max", "jane") == share("jane")
    sizes = [sum(share(f"student{number}") == one for number in range(1000)) for one in (1, 2, 3, 4)]
    assert sum(sizes) == 1000
    assert min(sizes) > 200

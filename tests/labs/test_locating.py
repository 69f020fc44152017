"""The lab's files are found wherever they lie in what was handed in, and what comes near them is named."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import labs
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from tests.conftest import examples
from tests.labs.test_submission import MAIN, refusal, tarred, zipped


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "main.cf").write_bytes(MAIN)
    return folder


@pytest.fixture
def given_in(tmp_path: Path) -> Path:
    """A folder that somebody handed in, empty yet."""
    folder = tmp_path / "given"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("folder", ["work", "a/b/c/d", "Jane Doe/open relay/final (2)"])
def test_the_one_folder_that_holds_the_files_is_found_at_any_depth(
    lab: Lab, given_in: Path, folder: str
) -> None:
    (given_in / folder / "maps").mkdir(parents=True)
    (given_in / folder / "main.cf").write_bytes(MAIN)
    (given_in / folder / "maps/relay").write_bytes(b"x")
    (given_in / "notes.txt").write_bytes(b"x")
    found = labs.read_submission(lab, given_in)
    assert sorted(found.files) == ["main.cf", "maps/relay"]
    assert found.within == folder, "and nothing of where it lies on this machine"


def test_the_outermost_of_folders_within_each_other_counts(lab: Lab, given_in: Path) -> None:
    for folder in ("work", "work/starter"):
        (given_in / folder).mkdir()
        (given_in / folder / "main.cf").write_bytes(MAIN + folder.encode())
    assert labs.read_submission(lab, given_in).files["main.cf"] == MAIN + b"work"


def test_of_several_folders_none_is_chosen(lab: Lab, given_in: Path) -> None:
    for folder in ("one", "two"):
        (given_in / folder).mkdir()
        (given_in / folder / "main.cf").write_bytes(MAIN)
    assert "holds main.cf in several folders (one, two): hand in one of them" in refusal(lab, given_in)


def test_the_files_are_found_in_one_archive_within(lab: Lab, given_in: Path) -> None:
    packed = zipped({"jane/main.cf": MAIN, "jane/maps/a": b"x", "__MACOSX/jane/._main.cf": b""})
    (given_in / "jane.zip").write_bytes(packed)
    (given_in / "notes.txt").write_bytes(b"x")
    found = labs.read_submission(lab, given_in)
    assert sorted(found.files) == ["main.cf", "maps/a"]
    assert found.within == "jane.zip/jane"
    whole = given_in.with_name("whole.zip")
    whole.write_bytes(zipped({"jane.zip": packed}))
    assert labs.read_submission(lab, whole).files == found.files
    (given_in / "more.zip").write_bytes(packed)
    assert "holds no main.cf" in refusal(lab, given_in)


def test_an_archive_in_an_archive_is_opened_wherever_it_came_from_and_a_third_is_named(
    lab: Lab, given_in: Path
) -> None:
    """A platform gives a student's archive as a file beside others, a course that keeps them gives it as it is."""
    packed = zipped({"inner.zip": zipped({"main.cf": MAIN})})
    (given_in / "outer.zip").write_bytes(packed)
    assert labs.read_submission(lab, given_in).within == "outer.zip/inner.zip"
    (given_in / "outer.zip").write_bytes(zipped({"one.zip": packed}))
    said = refusal(lab, given_in)
    assert "outer.zip/one.zip holds no main.cf" in said
    assert "but archives (inner.zip): hand in what is in one of them" in said


def test_of_several_archives_none_is_chosen(lab: Lab, given_in: Path) -> None:
    for name in ("b.zip", "a.tar.gz"):
        (given_in / name).write_bytes(zipped({"main.cf": MAIN}))
    assert f"holds no main.cf, which the lab {lab.id} asks for, but archives (a.tar.gz, b.zip)" in refusal(
        lab, given_in
    )


def test_no_link_leads_to_the_folder(lab: Lab, tmp_path: Path, work: Path) -> None:
    other = tmp_path / "handed-in"
    other.mkdir()
    (other / "link").symlink_to(work)
    assert "is a symbolic link" in refusal(lab, other)


@pytest.mark.parametrize(
    "name",
    ["main.cf.txt", "Main.cf", "MAIN.CF.TXT", "main", "main.conf", "main (1).cf", "mian.cf", "x/Main.cf"],
)
def test_a_file_that_was_meant_is_named_and_not_asked_for(lab: Lab, work: Path, name: str) -> None:
    (work / name).parent.mkdir(exist_ok=True)
    (work / "main.cf").rename(work / name)
    assert refusal(lab, work).endswith(f"but {name}: rename it to main.cf")


def test_a_backslash_in_a_name_is_no_folder(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    said = refusal(lab, handed_in(tarred({"work\\main.cf": MAIN})))
    assert "the backslash is a part of its name" in said


def test_files_that_lie_apart_are_one_submission(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "doe_1_main.cf").write_bytes(MAIN)
    bulk = tmp_path / "bulk.zip"
    bulk.write_bytes(zipped({"doe_1_relay": b"x"}))
    (tmp_path / "link").symlink_to("/etc/passwd")
    parts = [
        labs.Part("main.cf", tmp_path / "doe_1_main.cf"), labs.Part("relay", bulk, "doe_1_relay")
    ]  # fmt: skip
    assert labs.read_submission(lab, parts).files == {"main.cf": MAIN, "relay": b"x"}
    with pytest.raises(SubmissionError, match="is a symbolic link"):
        labs.read_submission(lab, [*parts, labs.Part("passwd", tmp_path / "link")])
    with pytest.raises(SubmissionError, match="twice"):
        labs.read_submission(lab, [*parts, parts[0]])


@pytest.mark.parametrize("inside", ["", "deep/er/"])
@pytest.mark.parametrize("form", ["folder", "zip", "packed", "parts"])
def test_what_was_handed_out_is_found_where_it_lies(lab: Lab, tmp_path: Path, form: str, inside: str) -> None:
    mark = msgspec.json.encode(labs.Started(lab.id, "alice", "abc"))
    files = {f"{inside}main.cf": MAIN, f"{inside}.smtplab.json": mark}
    folder = tmp_path / "folder"
    for name, data in files.items() if form in ("folder", "parts") else [("s.zip", zipped(files))]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    source: labs.Source = folder / "s.zip" if form == "zip" else folder
    if form == "parts":
        source = [labs.Part(name, folder / name) for name in files]
    assert labs.handed_out(lab, source) == labs.Started(lab.id, "alice", "abc")


def test_a_damaged_note_or_none_is_no_reason_to_refuse(lab: Lab, work: Path) -> None:
    assert labs.handed_out(lab, work) is None
    (work / ".smtplab.json").write_bytes(b"[" * 9_000)
    assert labs.handed_out(lab, work) is None
    assert labs.read_submission(lab, work).files == {"main.cf": MAIN}
    assert labs.handed_out(lab, work / "nowhere") is None


def test_a_download_s_list_of_members_is_read_once_in_a_process(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = tmp_path / "bulk.zip"
    bulk.write_bytes(zipped({f"s{number}_main.cf": b"%d" % number for number in range(50)}))
    opened: list[Path] = []

    class Counted(zipfile.ZipFile):
        def __init__(self, path: Path) -> None:
            opened.append(path)
            super().__init__(path)

    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    for number in range(50):
        found = labs.read_submission(lab, [labs.Part("main.cf", bulk, f"s{number}_main.cf")])
        assert found.files["main.cf"] == b"%d" % number
    assert opened == [bulk]
    with ProcessPoolExecutor(2) as processes:
        jobs = [
            processes.submit(labs.read_submission, lab, [labs.Part("main.cf", bulk, f"s{n}_main.cf")])
            for n in range(50)
        ]
        assert [job.result().files["main.cf"] for job in jobs] == [b"%d" % n for n in range(50)]


def damaged(packed: bytes, member: bytes) -> bytes:
    """A zip archive in which the content of a member is not what its checksum says."""
    at = packed.index(member) + len(member) + 3
    return packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]


def test_a_damaged_archive_is_refused_wherever_the_damage_lies(lab: Lab, tmp_path: Path) -> None:
    mark = msgspec.json.encode(labs.Started(lab.id, "alice", "abc"))
    whole = zipped({"main.cf": MAIN, ".smtplab.json": mark})
    source = tmp_path / "alice.zip"
    source.write_bytes(damaged(whole, b".smtplab.json"))
    assert labs.handed_out(lab, source) is None
    outer = zipped({"work.zip": whole})
    source.write_bytes(damaged(outer, b"work.zip"))
    assert labs.handed_out(lab, source) is None
    assert "nor an intact zip or tar archive" in refusal(lab, source)
    source.write_bytes(zipped({"work.zip": damaged(whole, b"main.cf")}))
    assert "nor an intact zip or tar archive" in refusal(lab, source)


def test_a_link_in_place_of_the_archive_within_is_refused(lab: Lab, tmp_path: Path) -> None:
    source = tmp_path / "alice.tar"
    source.write_bytes(tarred({"work.zip": b""}, "", **{"work.zip": tarfile.SYMTYPE}))
    assert "holds work.zip as no ordinary file" in refusal(lab, source)


GOOD = zipped({"main.cf": MAIN, "a/work.zip": zipped({".smtplab.json": b"{}", "main.cf": MAIN})})


@settings(
    max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=8))
def test_no_damage_to_an_archive_stops_a_class(lab: Lab, tmp_path: Path, at: int, damage: bytes) -> None:
    source = tmp_path / "alice.zip"
    source.write_bytes(GOOD[:at] + damage + GOOD[at + len(damage) :])
    labs.handed_out(lab, source)
    said = ""
    try:
        labs.read_submission(lab, source)
    except SubmissionError as error:
        said = str(error)
    assert said.isprintable()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("work.7z", "but work.7z, which cannot be opened here: pack it as a zip or tar archive"),
        ("a/work.RAR", "but a/work.RAR, which cannot be opened here"),
    ],
)
def test_what_is_there_instead_is_named(lab: Lab, given_in: Path, name: str, said: str) -> None:
    path = given_in / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    assert said in refusal(lab, given_in)


def test_what_no_lab_asks_for_is_named_where_it_is_all(given_in: Path) -> None:
    (given_in / "essay.docx").write_bytes(b"x")
    quiz = labs.load(labs.find("knowledge-check"))
    assert "holds no answers.yaml, which the lab knowledge-check asks for, but essay.docx: add it" in refusal(
        quiz, given_in
    )

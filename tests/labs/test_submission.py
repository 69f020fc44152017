"""Submissions by people who may mean harm: what is read, and the one sentence for what is not."""

from __future__ import annotations

import io
import os
import re
import socket
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import labs
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.submission import Submission
from tests.conftest import PATIENCE, examples

MAIN = b"myhostname = mail.example.com\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "main.cf").write_bytes(MAIN)
    return folder


def refusal(lab: Lab, path: Path) -> str:
    with pytest.raises(SubmissionError) as error:
        labs.read_submission(lab, path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_are_read_with_their_permissions(lab: Lab, work: Path) -> None:
    (work / "maps").mkdir()
    (work / "maps" / "relay").write_bytes(b"x\0y")
    (work / "filter.sh").write_bytes(b"#!/bin/sh\n")
    (work / "filter.sh").chmod(0o755)
    assert labs.read_submission(lab, work) == Submission(
        {"filter.sh": b"#!/bin/sh\n", "main.cf": MAIN, "maps/relay": b"x\0y"}, frozenset({"filter.sh"})
    )


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "._main.cf", "__MACOSX/main.cf", "Thumbs.db"),
        *("main.cf~", ".main.cf.swp", "#main.cf#", ".#main.cf"),
        *(".gitignore", ".git/config", "handout.md", ".smtplab.json"),
        *(".smtplab-last.json", "..smtplab-last.json.0a1b2c3d"),
    ],
)
def test_what_editors_and_systems_leave_is_left_out(lab: Lab, work: Path, name: str) -> None:
    (work / name).parent.mkdir(exist_ok=True)
    (work / name).write_bytes(b"x")
    assert labs.read_submission(lab, work) == Submission({"main.cf": MAIN})


def test_what_the_lab_does_not_ask_for_is_named(lab: Lab, work: Path) -> None:
    (work / "a" / "b" / "c").mkdir(parents=True)
    (work / "a" / "b" / "c" / "deep").write_bytes(b"x")
    assert labs.read_submission(lab, work).ignored == ["a/b/*"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def symlink_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def symlink_inside(path: Path) -> None:
    path.symlink_to("main.cf")


def symlink_to_folder(path: Path) -> None:
    path.symlink_to("/etc")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (fifo, "a named pipe"),
        (listening_socket, "a socket"),
        (symlink_out, "a symbolic link"),
        (symlink_inside, "a symbolic link"),
        (symlink_to_folder, "a symbolic link"),
    ],
)
def test_what_is_no_ordinary_file_is_refused(
    lab: Lab, work: Path, make: Callable[[Path], None], kind: str
) -> None:
    make(work / "x")
    began = time.monotonic()
    assert refusal(lab, work) == f"{work}/x is {kind}: hand in the file itself"
    assert time.monotonic() - began < PATIENCE


def test_a_required_file_may_not_be_a_link(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "main.cf").symlink_to("/etc/passwd")
    assert "is a symbolic link" in refusal(lab, tmp_path)


def test_a_device_is_refused(lab: Lab) -> None:
    assert refusal(lab, Path("/dev/null")).startswith("/dev/null is neither a folder nor an archive")


@pytest.mark.parametrize("name", [b"a\nb", b"a\x1b[31m", b"\xff\xfe", "a\u202eb".encode(), b"a\\b"])
def test_names_that_nobody_can_mean_are_refused_and_shown_escaped(lab: Lab, work: Path, name: bytes) -> None:
    (work / os.fsdecode(name)).write_bytes(b"x")
    sentence = refusal(lab, work)
    assert "give it a name of printable characters" in sentence
    assert sentence.isprintable()
    assert sentence.isascii() or "work" in sentence


def test_a_missing_file_is_named(lab: Lab, work: Path) -> None:
    (work / "main.cf").rename(work / "master.cf")
    assert refusal(lab, work) == f"{work} holds no main.cf, which the lab own-domain asks for: add it"


def test_a_folder_in_place_of_the_file(lab: Lab, work: Path) -> None:
    (work / "main.cf").unlink()
    (work / "main.cf").mkdir()
    assert (
        refusal(lab, work) == f"{work}/main.cf is a folder, and the lab asks for a file: put the file there"
    )


def test_a_folder_in_place_of_the_file_in_an_archive(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    assert "/main.cf is a folder, and the lab asks for a file" in refusal(
        lab, handed_in(zipped({"main.cf/x": b"x"}))
    )


def test_binary_where_text_is_asked_for(lab: Lab, work: Path) -> None:
    (work / "main.cf").write_bytes("myhostname".encode("utf-16"))
    assert "main.cf is written in UTF-16, two octets for each character: save it as text in UTF-8" in refusal(
        lab, work
    )
    (work / "main.cf").write_bytes(b"myh\0stname")
    assert "main.cf is not plain text (there is a NUL byte at offset 3): save it as text in UTF-8" in refusal(
        lab, work
    )


def test_no_such_folder(lab: Lab, tmp_path: Path) -> None:
    sentence = refusal(lab, tmp_path / "nowhere")
    assert sentence.endswith("No such file or directory: name the folder that holds main.cf")


def test_a_path_with_a_nul(lab: Lab) -> None:
    assert "its name holds a NUL" in refusal(lab, Path("a\0b"))


def test_a_lone_file_is_no_submission(lab: Lab, work: Path) -> None:
    assert "is neither a folder nor an intact zip or tar archive" in refusal(lab, work / "main.cf")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(lab: Lab, work: Path) -> None:
    (work / "main.cf").chmod(0)
    assert refusal(lab, work) == f"cannot read {work}/main.cf: Permission denied: check who may read it"


def limited(lab: Lab, **rules: int) -> Lab:
    return msgspec.structs.replace(lab, submission=msgspec.structs.replace(lab.submission, **rules))


def test_too_many_files(lab: Lab, work: Path) -> None:
    for number in range(3):
        (work / f"map{number}").write_bytes(b"x")
    assert "holds more than 3 files" in refusal(limited(lab, max_files=3), work)
    assert len(labs.read_submission(limited(lab, max_files=4), work).files) == 4


def test_too_many_bytes(lab: Lab, work: Path) -> None:
    (work / "map").write_bytes(b"x" * 100)
    assert labs.read_submission(limited(lab, max_bytes=100 + len(MAIN)), work).files["map"] == b"x" * 100
    assert "is larger than 129 bytes, which is all that this lab takes (map went beyond it)" in refusal(
        limited(lab, max_bytes=99 + len(MAIN)), work
    )


def test_a_huge_file_is_not_read(lab: Lab, work: Path) -> None:
    with (work / "map").open("wb") as file:
        file.truncate(1 << 40)
    began = time.monotonic()
    assert "is larger than" in refusal(lab, work)
    assert time.monotonic() - began < PATIENCE


def test_a_folder_of_very_many_entries(lab: Lab, work: Path) -> None:
    for number in range(2_200):
        (work / f"{number}~").touch()
    assert "holds more than 2100 entries" in refusal(lab, work)


def zipped(files: dict[str, bytes], **modes: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = modes.get(name.replace(".", "_"), 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return target.getvalue()


def tarred(files: dict[str, bytes], compression: str = "", **types: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type = types.get(name, tarfile.REGTYPE)
            info.linkname = "/etc/passwd"
            info.size = len(data) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_archive(lab: Lab, handed_in: Callable[[bytes], Path], compression: str) -> None:
    data = tarred({"./main.cf": MAIN, "./maps/relay": b"x", "./.git/config": b""}, compression)
    assert labs.read_submission(lab, handed_in(data)) == Submission({"main.cf": MAIN, "maps/relay": b"x"})


def test_a_zip_archive_with_permissions(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    data = zipped({"main.cf": MAIN, "run": b"#!"}, run=0o100755)
    assert labs.read_submission(lab, handed_in(data)) == Submission(
        {"main.cf": MAIN, "run": b"#!"}, frozenset({"run"})
    )


def test_the_folder_around_all_files_is_taken_away(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    data = zipped({"jane/main.cf": MAIN, "jane/maps/a": b"x", "__MACOSX/jane/._main.cf": b""})
    assert sorted(labs.read_submission(lab, handed_in(data)).files) == ["main.cf", "maps/a"]


@pytest.mark.parametrize("name", ["../main.cf", "/etc/passwd", "a/../../b"])
@pytest.mark.parametrize("packed", [zipped, tarred])
def test_an_archive_that_leads_out_of_itself(
    lab: Lab, handed_in: Callable[[bytes], Path], packed: Callable[[dict[str, bytes]], bytes], name: str
) -> None:
    path = handed_in(packed({"main.cf": MAIN, name: b"x"}))
    assert re.search(r"which leads out of the archive: pack the folder again$", refusal(lab, path))


@pytest.mark.parametrize("type_", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_tar_of_what_is_no_file(lab: Lab, handed_in: Callable[[bytes], Path], type_: bytes) -> None:
    path = handed_in(tarred({"main.cf": MAIN, "x": b""}, x=type_))
    assert "holds x as no ordinary file: pack the file itself" in refusal(lab, path)


def test_a_symbolic_link_in_a_zip(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    path = handed_in(zipped({"main.cf": b"/etc/passwd"}, main_cf=0o120777))
    assert "holds main.cf as no ordinary file" in refusal(lab, path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("main.cf", MAIN)
        archive.writestr("main.cf", b"other")
    assert "holds main.cf twice: pack it once" in refusal(lab, handed_in(target.getvalue()))


@pytest.mark.slow
def test_bombs(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    began = time.monotonic()
    assert "is larger than" in refusal(lab, handed_in(zipped({"main.cf": MAIN, "map": bytes(50_000_000)})))
    assert "it holds more than 67108864 bytes" in refusal(
        lab, handed_in(tarred({"map": bytes(70_000_000)}, "gz"))
    )
    assert "is an archive of more than" in refusal(lab, handed_in(os.urandom(9_000_000)))
    assert time.monotonic() - began < 2 * PATIENCE


def test_an_encrypted_zip(lab: Lab, handed_in: Callable[[bytes], Path]) -> None:
    data = bytearray(zipped({"main.cf": MAIN}))
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    assert "it is encrypted" in refusal(lab, handed_in(bytes(data)))


def read_or_refused(lab: Lab, path: Path) -> tuple[list[str], str]:
    """The names of the files, or the sentence that refuses them, which must be fit to print."""
    try:
        return list(labs.read_submission(lab, path).files), ""
    except SubmissionError as error:
        sentence = str(error)
    assert sentence.isprintable()
    return [], sentence


GOOD = [
    zipped({"main.cf": MAIN, "a/b": b"x"}),
    tarred({"main.cf": MAIN, "a/b": b"x"}),
    tarred({"main.cf": MAIN}, "gz"),
]


@settings(
    max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(GOOD), st.integers(0, 600), st.binary(min_size=1, max_size=8))
def test_a_damaged_archive_is_read_or_refused(
    lab: Lab, handed_in: Callable[[bytes], Path], good: bytes, at: int, damage: bytes
) -> None:
    path = handed_in(good[:at] + damage + good[at + len(damage) :])
    names, sentence = read_or_refused(lab, path)
    assert "main.cf" in names or sentence


NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and len(os.fsencode(name.encode("utf-8", "replace").decode())) < 200
)


@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(NAMES, max_size=4, unique=True))
def test_any_names_are_read_or_refused(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    (folder / "main.cf").write_bytes(MAIN)
    for name in names:
        (folder / name.encode("utf-8", "replace").decode()).write_bytes(MAIN)
    names_read, sentence = read_or_refused(lab, folder)
    assert "main.cf" in names_read or sentence
    assert all(name.isprintable() for name in names_read)


def test_the_digest_tells_submissions_apart() -> None:
    several = [
        Submission({"a": b"b"}),
        Submission({"ab": b""}),
        Submission({"a": b"", "b": b""}),
        Submission({"a": b"b"}, frozenset({"a"})),
    ]
    assert len({submission.digest for submission in several}) == len(several)
    assert Submission({"a": b"1", "b": b"2"}).digest == Submission({"b": b"2", "a": b"1"}).digest

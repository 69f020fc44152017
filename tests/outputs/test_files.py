"""A file is written whole or not at all, and a failure is one sentence."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader import outputs
from grader.model.errors import OutputError


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    outputs.write(path, b"old")
    outputs.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        outputs.write(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    outputs.write(tmp_path / "link", b"through")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"through"


def test_a_device_stays_a_device() -> None:
    outputs.write("/dev/null", b"gone")
    assert Path("/dev/null").is_char_device()


def test_standard_output(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    outputs.write("-", b"{}\n")
    assert capfdbinary.readouterr().out == b"{}\n"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (".", "it is a folder; name a file in it"),
        ("no/such/result.json", "its folder does not exist; make it first"),
        ("file/result.json", "a part of the path is a file and no folder; correct the path"),
        ("n" * 300, "the name is too long; choose a shorter one"),
        ("loop", "its symbolic links lead in a circle; name another file"),
        ("nul\0", "the name holds a NUL, which no file's name may; correct it"),
    ],
)
def test_what_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(OutputError) as caught:
        outputs.write(path, b"data")
    assert str(caught.value) == f"cannot write {path!r}: {sentence}"


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="the file would be larger"):
            outputs.write(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_device_is_said() -> None:
    with pytest.raises(OutputError, match="the disk is full"):
        outputs.write("/dev/full", b"data")


def test_a_reader_that_stopped_is_said() -> None:
    program = (
        "import os, sys\n"
        "from grader import outputs\n"
        "try:\n    outputs.write('-', bytes(1_000_000))\n"
        "except outputs.files.OutputError as error:\n    print(error, file=sys.stderr)\n"
        "os._exit(0)\n"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, check=True)
    os.close(write)
    assert b"cannot write to the standard output: whoever was reading has stopped" in done.stderr


def test_no_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    child = os.fork()
    if child == 0:
        said = ""
        try:
            if os.geteuid() == 0:  # root may write everywhere
                os.setuid(65534)
            outputs.write(tmp_path / "a", b"")
        except OutputError as error:
            said = str(error)
        os._exit(0 if "there is no permission to write there; name a folder that you own" in said else 1)
    assert os.waitpid(child, 0)[1] == 0

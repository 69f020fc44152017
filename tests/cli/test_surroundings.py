"""What a process may have to do without is said in one sentence before anything is graded: it is nobody's result."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import disk
from grader.cli.surroundings import NEEDED_DESCRIPTORS
from grader.engines import image
from grader.engines.base import Engine
from grader.engines.local import checks, rootfs
from grader.model.errors import EngineError
from tests import submissions
from tests.conftest import may_mount

pytestmark = pytest.mark.slow

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]
LAB = "spf-dmarc"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a right submission in it, of a lab that takes no engine."""
    monkeypatch.chdir(tmp_path)
    return submissions.write("solution", tmp_path / "right", lab=LAB).parent


def shell(redirections: str, *arguments: str, limit: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run smtplab with redirections of a shell's, as ``>&-``, which stand before those of this test."""
    script = f'{limit} exec "$@" {redirections}'
    return subprocess.run(
        ["bash", "-c", script, "bash", *SMTPLAB, *arguments], capture_output=True, check=False
    )


CLOSED = [
    " ".join(closed) for size in (1, 2, 3) for closed in itertools.combinations(("<&-", ">&-", "2>&-"), size)
]


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_standard_streams(closed: str, here: Path) -> None:
    done = shell(closed, "check", LAB, "right", "--json", "result.json")
    if ">&-" in closed.split():
        sentence = b"smtplab: standard output is closed: send it to a file, or to /dev/null\n"
        assert (done.returncode, done.stderr) == (3, b"" if "2>&-" in closed else sentence)
        assert not (here / "result.json").exists()
    else:
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"100" in done.stdout
        assert json.loads((here / "result.json").read_bytes())["score"] == 100


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (
            "> /dev/full",
            b"smtplab: standard output is /dev/full, which takes nothing: send standard output elsewhere\n",
        ),
        ("> >(exit 0)", b"smtplab: nobody reads standard output any more: send standard output elsewhere\n"),
    ],
)
@pytest.mark.parametrize("command", ["check", "grade"])
def test_output_that_nobody_gets_is_told_before_anything_is_graded(
    where: str, sentence: bytes, command: str, here: Path
) -> None:
    arguments = {"check": ["--json", "result.json"], "grade": ["--out", "out"]}[command]
    wait = "wait $!;" if "exit" in where else ""
    script = f'exec {where}; {wait} exec "$@"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *SMTPLAB, command, LAB, "right", *arguments],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, sentence)
    assert not (here / "out").exists()
    if command == "check":
        # Whoever reads a file finds there that no points are lost.
        assert json.loads((here / "result.json").read_bytes())["status"] == "error"


def test_a_log_that_takes_nothing_changes_no_result(here: Path) -> None:
    done = shell("2> /dev/full", "grade", LAB, "right", "--out", "out")
    assert done.returncode == 0
    assert json.loads((here / "out/right/result.json").read_bytes())["score"] == 100


@pytest.mark.parametrize("limit", [20, NEEDED_DESCRIPTORS - 1])
def test_too_few_descriptors_are_told(limit: int, here: Path) -> None:
    done = shell("", "grade", LAB, "right", "--out", "out", limit=f"ulimit -n {limit};")
    assert done.returncode == 3
    assert done.stderr.startswith(
        f"smtplab: a process may open no more than {limit} files here, and grading takes 64: ulimit -n".encode()
    )
    assert done.stderr.count(b"\n") == 1
    assert not (here / "out").exists()


def test_so_many_descriptors_are_enough_and_more_are_taken_where_they_may_be(here: Path) -> None:
    done = shell("", "check", LAB, "right", limit=f"ulimit -n {NEEDED_DESCRIPTORS};")
    assert (done.returncode, done.stderr) == (0, b"")
    assert shell("", "check", LAB, "right", limit="ulimit -Sn 20;").returncode == 0


def test_the_local_engine_gives_a_server_no_fewer_descriptors_than_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (64, 64))
    (problem,) = checks._descriptors()
    assert "may open no more than 64 files" in problem.what
    script = f"ulimit -n 64; {problem.fix.partition(',')[0]} && ulimit -n"
    limited = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    if "prlimit" in problem.fix and os.geteuid() == 0:
        assert limited.stdout.strip() == "1024", "what is printed mends it"
    else:
        assert "sudo" in problem.fix or "in a shell that has not been limited yet" in problem.fix
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (64, 4096))
    assert checks._descriptors() == []


@pytest.mark.engines("local")
def test_a_machine_with_few_descriptors_gives_no_result(engine: Engine, here: Path) -> None:
    submissions.write("solution", here / "server")
    arguments = ["grade", "open-relay", "server", "--out", "out", "--engine", "local"]
    done = shell("", *arguments, limit="ulimit -n 64;")
    assert done.returncode == 3
    assert done.stderr.startswith(
        b"smtplab: the engine 'local' cannot run here: a process may open no more than 64 files"
    )
    assert done.stderr.count(b"\n") == 1
    assert not (here / "out").exists()


def _file(folder: Path) -> None:
    (folder / "cache").touch()


def _unwritable(folder: Path) -> None:
    (folder / "cache").mkdir(mode=0o500)


@pytest.mark.parametrize(("spoil", "said"), [(_file, "is no folder"), (_unwritable, "cannot be written to")])
def test_a_cache_that_can_hold_no_image_is_a_problem_of_the_engine(
    spoil: Callable[[Path], None], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(tmp_path)
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "cache"))
    # Root may write wherever a file system can be written to.
    monkeypatch.setattr(os, "access", lambda path, mode: bool(Path(path).stat().st_mode & 0o200))
    problem = image.problem()
    assert problem is not None
    assert said in problem.what
    assert "SMTPLAB_CACHE" in problem.fix
    assert problem in checks._cache()


def test_a_full_cache_is_a_problem_only_where_an_image_is_to_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "cache/deep"))
    monkeypatch.setattr(image, "ROOM", 1 << 62)
    (problem,) = checks._cache()
    assert "MB free" in problem.what or "free" in problem.what
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(rootfs, "ready", lambda: True)
    assert checks._cache() == []


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("size=64k", "the image of the student's host takes 700 MB, and {cache} has 0 free"),
        ("ro", "the cache folder {cache}/images cannot be written to"),
    ],
)
def test_a_disk_that_can_hold_no_image_is_told_before_anything_is_built(
    options: str, sentence: str, here: Path
) -> None:
    cache = here / "cache"
    cache.mkdir()
    submissions.write("solution", here / "server")
    # In a mount namespace of its own, with which the mount goes.
    script = f'mount -t tmpfs -o {options} none cache && exec "$@"'
    arguments = ["grade", "open-relay", "server", "--out", "out", "--engine", "local"]
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script, "bash", *SMTPLAB, *arguments],
        env={**os.environ, "SMTPLAB_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert sentence.format(cache=cache) in done.stderr
    assert "fix it with: export SMTPLAB_CACHE=/" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (here / "out").exists()


@pytest.mark.parametrize("home", ["/nonexistent", "/dev/null"])
def test_a_home_that_is_missing_is_told_and_not_made(home: str, here: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("SMTPLAB_CACHE", "XDG_CACHE_HOME")
    }
    submissions.write("solution", here / "server")
    done = subprocess.run(
        [*SMTPLAB, "grade", "open-relay", "server", "--out", "out", "--engine", "local"],
        env={**environment, "HOME": home},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    assert f"your home folder '{home}' is not there".encode() in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not Path("/nonexistent").exists()
    assert not (here / "out").exists()
    # Labs that take no engine take no home either.
    done = subprocess.run(
        [*SMTPLAB, "check", LAB, "right"], env={**environment, "HOME": home}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_for_grades_or_documents_is_told_first(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from grader.cli import main

    monkeypatch.setattr(disk, "is_full", lambda place: isinstance(place, Path))
    assert main(["check", LAB, "right", "--json", "result.json"]) == 3
    assert capsys.readouterr().err == (
        "smtplab: --json: the disk of 'result.json' is full: make room, or name a file elsewhere\n"
    )
    assert main(["grade", LAB, "right", "--out", "out"]) == 3
    assert "grades cannot be written to 'out' (No space left on device)" in capsys.readouterr().err
    assert not (here / "result.json").exists()


def test_a_place_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTPLAB_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(EngineError, match="no home folder"):
        image.parent()

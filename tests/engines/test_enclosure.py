"""An enclosed command: as itself, and gone with its mounts and processes whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.engines.local import removal, syscalls
from grader.engines.local.enclosure import FAILED, PLACE, Command, Enclosure
from grader.model.deadline import Deadline
from tests.conftest import PATIENCE, may_mount, problems
from tests.engines.test_local_run import appears, processes

pytestmark = pytest.mark.skipif("local" in problems("local"), reason="needs namespaces")

BUILDER = """
import os, sys
from pathlib import Path
from grader.engines.local.enclosure import Command, Enclosure
script = 'mount -t tmpfs none "$0/inner" && setsid bash -c "exec -a $1 sleep 600"'
argv = lambda place: ["bash", "-c", script, place, sys.argv[2]]
Enclosure(Command(Path(sys.argv[1]), argv, lambda place: dict(os.environ), 1, 2)).wait()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with another in it, in which nothing is mounted in the end."""
    (tmp_path / "inner").mkdir()
    yield tmp_path
    assert removal.mounted_below(tmp_path) == []


def said(folder: Path, *argv: str) -> tuple[int, str, str]:
    """The exit code of an enclosed command, and what it said."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        command = Command(
            folder,
            lambda place: [part.replace("@", place) for part in argv],
            lambda place: {"PATH": os.environ["PATH"], "AT": place},
            out.fileno(),
            err.fileno(),
        )
        code = Enclosure(command).wait()
    return code, (folder / "out").read_text(), (folder / "err").read_text()


def test_a_command_finds_its_folder_and_only_its_own_processes(folder: Path) -> None:
    script = 'id -u; echo "$AT"; ls @/inner; touch @/inner/made; ls -d /proc/[0-9]* | wc -l; exit 3'
    code, out, err = said(folder, "bash", "-c", script)
    user, place, processes_seen = out.split()
    assert (code, user, place, err) == (3, "0", PLACE, "")
    assert int(processes_seen) < 10
    assert (folder / "inner/made").exists()


def test_what_it_mounts_is_seen_by_nobody_else(folder: Path) -> None:
    assert said(folder, "bash", "-c", "mount -t tmpfs none @/inner && touch @/inner/hidden") == (0, "", "")
    assert list((folder / "inner").iterdir()) == []


def test_a_killed_command_has_the_code_that_a_shell_gives_it(folder: Path) -> None:
    assert said(folder, "bash", "-c", "kill -TERM $$")[0] == 128 + signal.SIGTERM


def test_a_command_that_is_missing_is_told(folder: Path) -> None:
    assert said(folder, "no-such-command")[::2] == (FAILED, "E: no-such-command: No such file or directory\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generation", "number"),
    [(0, signal.SIGKILL), (0, signal.SIGTERM), (1, signal.SIGKILL), (2, signal.SIGKILL)],
    ids=["builder", "builder, gently", "keeper", "first"],
)
def test_whoever_is_killed_nothing_is_left(folder: Path, generation: int, number: int) -> None:
    mark = f"smtplab-test-{os.getpid()}-{generation}-{number}"
    builder = subprocess.Popen([sys.executable, "-c", BUILDER, str(folder), mark], stderr=subprocess.DEVNULL)
    with builder:
        try:
            assert appears(mark)
            victim = builder.pid
            for _ in range(generation):
                victim = int(Path(f"/proc/{victim}/task/{victim}/children").read_text().split()[0])
            os.kill(victim, number)
            builder.wait(PATIENCE)
        finally:
            builder.kill()
    deadline = Deadline(PATIENCE)
    while processes(mark) and not deadline.over:
        time.sleep(0.01)
    assert processes(mark) == []


def test_what_is_ended_is_gone_on_return(folder: Path) -> None:
    mark = f"smtplab-test-{os.getpid()}-ended"
    command = Command(
        folder,
        lambda place: ["bash", "-c", f"trap '' TERM INT; (exec -a {mark} sleep 600)"],
        lambda place: dict(os.environ),
        1,
        2,
    )
    enclosure = Enclosure(command)
    assert appears(mark)
    enclosure.end()
    assert processes(mark) == []
    assert enclosure.wait() == 128 + signal.SIGKILL


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
def test_a_folder_is_removed_and_what_is_mounted_in_it_is_not(tmp_path: Path) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "a folder"
    for path in (beside, folder / "deep/mount"):
        path.mkdir(parents=True)
    (beside / "precious").write_text("precious")
    subprocess.run(["mount", "--bind", beside, folder / "deep/mount"], check=True)
    assert removal.mounted_below(folder) == [str(folder / "deep/mount")]
    assert removal.remove(folder)
    assert not folder.exists()
    assert (beside / "precious").read_text() == "precious"


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
def test_a_folder_stays_where_something_stays_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "mount").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", folder / "mount"], check=True)
    try:
        (folder / "mount/precious").touch()
        with monkeypatch.context() as patch:
            patch.setattr(syscalls, "detach", lambda point: None)
            assert not removal.remove(folder)
        assert (folder / "mount/precious").exists()
    finally:
        assert removal.remove(folder)

"""What killed builds of the image left is removed, and what belongs to somebody is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from grader.engines import image
from grader.engines.base import Engine
from grader.engines.local import cgroups, leftovers, removal
from grader.model.deadline import Deadline
from tests.conftest import may_mount, problems
from tests.engines.plans import plan

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and one for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "cache"


def named_in(folder: Path) -> list[int]:
    """Processes whose environment or command line names a folder."""
    found = []
    for process in filter(str.isdigit, (path.name for path in Path("/proc").iterdir())):
        try:
            about = (
                Path(f"/proc/{process}/environ").read_bytes() + Path(f"/proc/{process}/cmdline").read_bytes()
            )
        except OSError:
            continue
        if str(folder).encode() in about:
            found.append(int(process))
    return found


@pytest.mark.skipif("mmdebstrap" in problems("local"), reason="needs mmdebstrap and namespaces")
def test_a_killed_build_leaves_nothing_that_lives_and_the_next_run_removes_the_rest(cache: Path) -> None:
    with subprocess.Popen(
        [*SMTPLAB, "image", "build", "--engine", "local"], stderr=subprocess.DEVNULL
    ) as build:
        deadline = Deadline(60)
        while not list(cache.glob("images/.*.new/tmp/mmdebstrap.*/etc")):
            assert not deadline.over
            time.sleep(0.01)
        build.kill()
    while named_in(cache) and not deadline.over:
        time.sleep(0.01)
    assert named_in(cache) == []
    assert removal.mounted_below(cache.parent) == []
    assert list((cache.parent / "tmp").iterdir()) == []
    (left,) = leftovers.remove_all()
    assert left.endswith(".new")
    assert [path for path in (cache / "images").iterdir() if path.suffix != ".lock"] == []


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
def test_what_an_earlier_version_left_is_removed_with_its_mounts(cache: Path) -> None:
    stray = cache.parent / "tmp/mmdebstrap.Zx81"
    options = stray / "etc/dpkg/dpkg.cfg.d/99mmdebstrap"
    options.parent.mkdir(parents=True)
    options.write_text((image.recipe() / "dpkg.cfg").read_text())
    (stray / "proc").mkdir()
    subprocess.run(["mount", "--bind", "/proc", stray / "proc"], check=True)
    half = cache / "images/.building-ab12"
    (half / "x").mkdir(parents=True)
    others = cache.parent / "tmp/mmdebstrap.other"
    (others / "etc").mkdir(parents=True)
    assert leftovers.remove_all() == [str(half), str(stray)]
    assert not stray.exists()
    assert others.exists()
    assert removal.mounted_below(cache.parent) == []


def test_a_build_that_is_under_way_is_let_be(cache: Path) -> None:
    half = cache / "images/.0123456789abcdef.01234567.new"
    ready = "import os, sys; print('held', flush=True); sys.stdin.read()"
    script = f"from grader.engines import image\nwith image.lock('build', print):\n    {ready}"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdin is not None
        assert builder.stdout.readline() == b"held\n"
        half.mkdir(parents=True)
        assert leftovers.remove_all() == []
        assert half.exists()
        builder.stdin.close()
    assert leftovers.remove_all() == [str(half)]


@pytest.mark.skipif(not may_mount(), reason="nothing may be mounted here")
def test_a_disk_that_a_killed_build_has_filled_is_cleaned(cache: Path) -> None:
    (cache / "images").mkdir(parents=True)
    script = (
        "mount -t tmpfs -o size=1m none cache/images && mkdir cache/images/.a.01234567.new && "
        '{ cat /dev/zero >cache/images/.a.01234567.new/root.tar 2>/dev/null; "$@" doctor; "$@" doctor --clean; '
        "ls -A cache/images; df --output=pcent cache/images; }"
    )
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script, "bash", *SMTPLAB],
        cwd=cache.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"removed {cache}/images/.a.01234567.new" in done.stdout
    assert done.stdout.split()[-2:] == ["Use%", "0%"]
    assert "free" not in done.stdout  # The build itself would have made room.


def test_nothing_is_made_where_there_is_nothing_to_remove(cache: Path) -> None:
    assert leftovers.remove_all() == []
    assert not cache.exists()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that graders of other tests do not know, who would remove those of the dead first."""
    monkeypatch.setattr(cgroups, "PREFIX", "trial-of-smtplab-")


def groups_named(pid: int) -> set[Path]:
    return {*cgroups.ROOT.glob(f"{cgroups.PREFIX}{pid}-*"), *cgroups.ROOT.glob(f"*/{cgroups.PREFIX}{pid}-*")}


def with_groups() -> int:
    """A process with control groups that are named after this process, as if it had got a dead one's process id."""
    told, tell = os.pipe()
    name = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "getpid", lambda: name)
                groups = cgroups.Groups(plan().limits)
            os.write(tell, b"y" if groups.doors else b"n")
            signal.pause()
        finally:
            os._exit(1)
    os.close(tell)
    made = os.read(told, 1)
    os.close(told)
    if made != b"y":
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pytest.skip("no control groups may be made here")
    return pid


@pytest.mark.engines("local")
def test_the_next_run_removes_groups_of_dead_graders_and_leaves_those_of_the_living(
    engine: Engine, apart: None
) -> None:
    before = groups_named(os.getpid())
    dead = with_groups()
    of_dead = groups_named(os.getpid()) - before
    living = with_groups()
    of_living = groups_named(os.getpid()) - before - of_dead
    try:
        os.kill(dead, signal.SIGKILL)
        os.waitpid(dead, 0)
        with type(engine)().machines(plan()):
            assert groups_named(os.getpid()) >= of_living
            assert not groups_named(os.getpid()) & of_dead
    finally:
        os.kill(living, signal.SIGKILL)
        os.waitpid(living, 0)
    assert of_dead
    assert {str(folder) for folder in of_living} <= set(engine.clean())


def test_who_is_late_to_remove_a_group_does_not_take_another_in_its_place(
    monkeypatch: pytest.MonkeyPatch, apart: None
) -> None:
    """Two others take a new group for a dead one's before it is locked, and the second has only seen the first."""
    opened = cgroups._opened
    seen: dict[Path, int] = {}

    def opened_late(folder: Path) -> int:
        if not seen:
            seen[folder] = opened(folder)
            folder.rmdir()
        return opened(folder)

    monkeypatch.setattr(cgroups, "_opened", opened_late)
    groups = cgroups.Groups(plan().limits)
    if not groups.doors:
        pytest.skip("no control groups may be made here")
    made = groups_named(os.getpid())
    ((first, descriptor),) = seen.items()
    monkeypatch.setattr(cgroups, "_opened", lambda folder: descriptor)
    cgroups._removed(first)
    left = groups_named(os.getpid())
    groups.remove()
    assert left == made

"""Runs of the local engine: joined as planned, and gone afterwards, whatever happens."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.engines.base import ChannelLost, Engine, Machines
from grader.engines.local import LocalEngine, cgroups, checks, syscalls, userns
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.protocol.host import RunCommand
from grader.model.protocol.world import AwaitPorts
from tests.conftest import PATIENCE
from tests.engines.plans import ANSWER, HOST_V4, HOST_V6, plan, python, run, start_world

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.engines("local")

GRADER = """
import sys, time
from grader.engines.local import LocalEngine
from tests.engines.plans import plan
from tests.engines.test_local_run import linger
try:
    with LocalEngine().machines(plan()) as machines:
        linger(machines, sys.argv[1])
        print("up", flush=True)
        time.sleep(600)
except KeyboardInterrupt:
    sys.exit(130)
"""


def processes(mark: str) -> list[int]:
    """Processes of this machine whose command line begins with the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(mark.encode()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def groups_of(grader: int) -> list[Path]:
    """Control groups that a grader made."""
    # They stand at the top, or at the top of each hierarchy: below, those of containers come and go meanwhile.
    return [path for place in ("", "*/") for path in cgroups.ROOT.glob(f"{place}{cgroups.PREFIX}{grader}-*")]


def children() -> str:
    """Process numbers of this process's children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def appears(mark: str) -> bool:
    """Whether such a process is there soon."""
    deadline = Deadline(PATIENCE)
    while not (found := processes(mark)) and not deadline.over:
        time.sleep(0.01)
    return bool(found)


def linger(machines: Machines, mark: str) -> None:
    """Start a process on the host that stays, in a session of its own, under this name."""
    run(machines, "bash", "-c", f"setsid bash -c 'exec -a {mark} sleep 600' >/dev/null 2>&1 &")


def listens(machines: Machines, server: str, port: int) -> bool:
    return machines.world.call(
        AwaitPorts(server, [port], PATIENCE / 2, wait_for=[port]), timeout=PATIENCE
    ) == [port]


def serve(machines: Machines, port: int) -> None:
    program = f"import socket,time; s=socket.create_server(('::',{port}),family=10,dualstack_ipv6=True); time.sleep(60)"
    run(machines, "sh", "-c", f'setsid python3 -c "{program}" >/dev/null 2>&1 &')


def test_each_reaches_the_other_on_both_protocols(engine: Engine) -> None:
    trial = plan()
    with engine.machines(trial) as machines:
        start_world(machines, trial)
        serve(machines, 25)
        assert listens(machines, HOST_V4, 25)
        assert listens(machines, HOST_V6, 25)
        assert listens(machines, "10.20.30.10", 25)
        assert run(machines, "dig", "+short", "mx.elsewhere.example")[1] == f"{ANSWER}\n"
        assert run(machines, "hostname")[1] == "mail.example.com\n"
        assert run(machines, "getent", "ahostsv4", "mail.example.com")[1].split()[0] == HOST_V4


def test_the_wall_ends_a_run(engine: Engine) -> None:
    with engine.machines(plan(wall=0.8)) as machines, pytest.raises(ChannelLost, match="host ended"):
        machines.host.call(RunCommand(["sleep", "300"], limit=200), timeout=PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_grader_leaves_nothing_that_lives(engine: Engine, number: int) -> None:
    mark = f"smtplab-test-{os.getpid()}-{number}"
    grader = subprocess.Popen([sys.executable, "-c", GRADER, mark], stdout=subprocess.PIPE)
    assert grader.stdout is not None
    with grader, grader.stdout:
        try:
            assert grader.stdout.readline() == b"up\n"
            assert appears(mark)
            grader.send_signal(number)
            assert grader.wait(PATIENCE) == (130 if number == signal.SIGINT else -number)
        finally:
            grader.kill()
    deadline = Deadline(PATIENCE)
    while processes(mark) and not deadline.over:
        time.sleep(0.01)
    assert processes(mark) == []
    while groups_of(grader.pid) and not deadline.over:
        engine.clean()
        time.sleep(0.01)  # a group is empty once the kernel has done with its last process
    assert groups_of(grader.pid) == []


def test_leaving_by_an_error_leaves_nothing(engine: Engine) -> None:
    mark = f"smtplab-test-{os.getpid()}-error"
    # A run that was killed in the middle leaves groups to the next clean-up, and other tests kill runs and clean up.
    before = set(groups_of(os.getpid()))
    with pytest.raises(ZeroDivisionError), engine.machines(plan()) as machines:  # noqa: PT012
        linger(machines, mark)
        assert appears(mark)
        raise ZeroDivisionError
    assert processes(mark) == []
    assert set(groups_of(os.getpid())) - before == set()


def test_nothing_stays_open_in_the_grader(engine: Engine) -> None:
    with engine.machines(plan()):
        pass
    before = len(list(Path("/proc/self/fd").iterdir()))
    with engine.machines(plan()):
        pass
    # What other tests left to the garbage collector may be closed meanwhile.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def _answers(number: int) -> str:
    with LocalEngine().machines(plan()) as machines:
        return python(machines, f"print({number} * 2)")


def test_processes_may_run_machines_at_once(engine: Engine) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_answers, range(6)) == ["0", "2", "4", "6", "8", "10"]


def _answers_unseen(number: int) -> str:
    # Whoever changes its effective user becomes undumpable (prctl(2), PR_SET_DUMPABLE): others may not look into it.
    os.seteuid(65534)
    os.seteuid(0)
    return _answers(number)


def test_a_grader_that_nobody_may_look_into_runs_machines_too(engine: Engine) -> None:
    if os.geteuid() != 0:
        pytest.skip("root alone may change its user")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_answers_unseen, [21]) == ["42"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what is closed to it")
def test_root_runs_machines_from_a_folder_that_is_another_user_s_alone(
    engine: Engine, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for part in ("grader", "fixtures", "tests"):
        shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__"))
    os.chown(home, 1234, 1234)
    home.chmod(0o700)
    script = (
        "import grader; from grader.engines.local import LocalEngine; from tests.engines.plans import *\n"
        "with LocalEngine().machines(plan()) as machines:\n"
        "    print(grader.__file__, start_world(machines, plan()), run(machines, 'echo', 'here'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(home))
    assert "here" in done.stdout


def test_what_was_prepared_and_not_used_is_taken_down(engine: Engine) -> None:
    assert isinstance(engine, LocalEngine)
    with engine.machines(plan()):
        pass
    before = children(), len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ZeroDivisionError), engine.prepared():  # noqa: PT012
        assert children() != before[0]
        raise ZeroDivisionError
    assert children() == before[0]
    # What other tests left to the garbage collector may be closed meanwhile.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before[1]


def test_a_runtime_that_fails_gives_one_sentence(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = plan(host="203.0.113.999/24")
    with (
        pytest.raises(EngineError, match=r"could not start: .*203\.0\.113\.999") as caught,
        engine.machines(broken),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("forbidden", [syscalls.CLONE_NEWUSER, syscalls.SEPARATE])
def test_a_machine_that_forbids_namespaces_is_told_whole_and_seen_by_doctor(
    engine: Engine, forbidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container without privileges, on a machine where runs have worked before."""
    real = syscalls.unshare

    def refusing(flags: int) -> None:
        if flags == forbidden:
            raise PermissionError(errno.EPERM, "unshare: Operation not permitted")
        real(flags)

    monkeypatch.setattr(syscalls, "unshare", refusing)
    with pytest.raises(EngineError, match="could not start: unshare: Operation not permitted"):  # noqa: SIM117
        with engine.machines(plan()):
            pass
    assert engine.problems() == []
    (problem,) = engine.problems(thorough=True)
    assert "(unshare: Operation not permitted)" in problem.what


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {*checks.BUILD, *checks.MAP}:
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(checks, "SYSTEM_FOLDERS", ())
    (problem,) = checks.problems()
    assert "runc" in problem.what
    assert problem.fix.endswith("apt-get install -y runc")


def test_ids_of_subuid_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userns, "_user", lambda: "student")
    file = tmp_path / "subuid"
    file.write_text("other:100000:65536\nstudent:200000:1000\nstudent:300000:65536\n")
    assert userns._granted(str(file)) == 300000
    file.write_text("other:100000:65536\n")
    assert userns._granted(str(file)) is None

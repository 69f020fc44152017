"""Machines that are built before their run: what it gets of them, and that they are gone when nobody wants them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from grader.engines import select
from grader.engines.base import Engine, Machines
from grader.engines.machine import alike
from grader.model.deadline import Deadline
from grader.model.plan import File, MachinePlan
from grader.model.protocol.host import Install, ReadLog, StartServices
from tests.conftest import PATIENCE
from tests.engines.plans import ANSWER, plan, python, run, start_world
from tests.engines.test_docker_run import ended
from tests.hostile.remains import descendants, none_left

FURTHER = "192.0.2.7"
"""An address that the run's plan has, and the one before had not."""


def another() -> MachinePlan:
    """A plan like the usual one, of a submission for which somebody else connects."""
    usual = plan()
    return replace(
        usual,
        host=replace(usual.host, routes=[*usual.host.routes, "192.0.2.0/24"]),
        world=replace(usual.world, addresses=[*usual.world.addresses, f"{FURTHER}/32"]),
    )


def waiting(engine: Engine) -> Any:
    """What was built and waits for its run."""
    found: Any = engine
    return found._waiting


def await_agent(engine: Engine) -> None:
    """Return when the program on the waiting host has begun."""
    if engine.name == "docker":
        waiting(engine)._starting[0].result(PATIENCE)
        return
    deadline = Deadline(PATIENCE)
    while not any(map(_is_agent, descendants(waiting(engine)._supervisor))):
        assert not deadline.over
        time.sleep(0.005)


def _is_agent(pid: int) -> bool:
    with suppress(OSError):
        return b"guest.main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def kill(engine: Engine) -> None:
    """End machines that wait, and return when they are dead: a signal is sent long before that on a busy machine."""
    await_agent(engine)
    run = waiting(engine)
    if engine.name == "docker":
        run._client.kill(run._specs.name("host"))
        return
    # All of them, and no other machines of this process. A pid namespace ends when its orphans are reaped, and control
    # groups can be removed when nobody is in them.
    dying = set(descendants(run._supervisor))
    os.kill(run._supervisor, signal.SIGKILL)
    deadline = Deadline(PATIENCE)
    while dying & set(descendants(os.getpid(), reap=True)):
        assert not deadline.over
        time.sleep(0.005)


def first_dovecot(machines: Machines) -> int:
    """The process that others of this name, which come and go, are children of."""
    return min(map(int, run(machines, "pidof", "dovecot")[1].split()))


def test_a_run_takes_what_was_built_for_one_like_it_and_the_next_gets_other_machines(engine: Engine) -> None:
    with none_left(engine) as left, engine.prepared(plan()):
        await_agent(engine)
        began = time.monotonic()
        with engine.machines(another()) as machines:
            assert waiting(engine) is None
            start_world(machines, another())
            assert ANSWER in run(machines, "getent", "hosts", "mx.elsewhere.example")[1]
            assert "000200C0" in run(machines, "cat", "/proc/net/route")[1]  # 192.0.2.0, octets backwards
            machines.host.call(StartServices([], "/", 5.0), timeout=PATIENCE)
            python(machines, "import syslog; syslog.syslog('here'); open('/tmp/used', 'w')")
            (line,) = [line for line in machines.host.call(ReadLog(), timeout=PATIENCE) if "here" in line]
            # Its time counts from the run's beginning, however long the host has stood there.
            assert int(line.split()[0]) <= (time.monotonic() - began) * 1000
        with engine.machines(another()) as machines:
            assert run(machines, "test", "-e", "/tmp/used")[0] == 1
    assert left == []


def test_a_run_that_follows_at_once_takes_what_was_begun_for_it_and_finds_nothing_started(
    engine: Engine,
) -> None:
    host = replace(another().host, early=["dovecot"])
    with none_left(engine) as left, engine.prepared(plan(), soon=True):
        prepared = waiting(engine)
        with engine.machines(replace(another(), host=host)) as machines:
            start_world(machines, another())
            assert ANSWER in run(machines, "getent", "hosts", "mx.elsewhere.example")[1]
            assert run(machines, "pidof", "dovecot")[0] == 1
        known: Any = engine
        assert known._ending == [prepared]
    assert left == []


def test_what_follows_a_run_does_not_wait_until_its_machines_are_gone(engine: Engine) -> None:
    known: Any = engine
    with none_left(engine) as left:
        with engine.prepared():
            with engine.machines(plan()) as machines:
                assert run(machines, "true")[0] == 0
            assert len(known._ending) == 1
        assert known._ending is None
    assert left == []


@pytest.mark.engines("local")
def test_machines_that_cannot_serve_a_plan_are_replaced(engine: Engine) -> None:
    renamed = replace(plan(), host=replace(plan().host, name="mail.example.net"))
    with engine.prepared(plan()), engine.machines(renamed) as machines:
        assert run(machines, "hostname")[1].strip() == "mail.example.net"


def test_what_was_installed_and_started_early_serves_no_plan_without_it() -> None:
    users = File("/etc/dovecot/users", b"alice:{PLAIN}secret:1001:1001::/home/alice::\n")
    early, others = (
        replace(plan(), host=replace(plan().host, files=files, early=["dovecot"]))
        for files in ([users], [replace(users, data=b"")])
    )
    assert alike(early, others)
    assert alike(plan(), early)
    assert not alike(early, plan())
    assert not alike(early, replace(early, host=replace(early.host, files=[])))


def test_machines_that_have_not_lasted_are_replaced(engine: Engine) -> None:
    with none_left(engine) as left, engine.prepared(plan()):
        kill(engine)
        with engine.machines(plan()) as machines:
            assert run(machines, "true")[0] == 0
    assert left == []


@pytest.mark.engines("local")
@pytest.mark.parametrize("changed", [False, True])
def test_dovecot_runs_before_anything_is_handed_in_and_is_started_anew_where_its_files_change(
    engine: Engine, changed: bool
) -> None:
    users = File(
        "/etc/dovecot/users", b"alice:{PLAIN}secret:1001:1001::/home/alice::\n", 0o640, "root:dovecot"
    )
    main = File("/etc/postfix/main.cf", b"queue_minfree = 1\n")
    host = replace(plan().host, files=[users, main], handed_in=["main.cf"], early=["dovecot"])
    like = replace(plan(), host=host)
    with engine.prepared(like):
        await_agent(engine)
        began = time.monotonic()
        with engine.machines(like) as machines:
            early = first_dovecot(machines)
            # What somebody handed in last time is not there.
            assert main.data.decode() not in run(machines, "cat", main.path)[1]
            machines.host.call(Install([users, main]), timeout=PATIENCE)
            if changed:
                machines.host.call(
                    Install([replace(users, data=users.data + b"# another\n")]), timeout=PATIENCE
                )
            started = machines.host.call(StartServices(["dovecot"], "/etc/postfix", 10.0), timeout=PATIENCE)
            assert started.running == ["dovecot"]
            assert (first_dovecot(machines) != early) == changed
            log = machines.host.call(ReadLog(), timeout=PATIENCE)
            assert any("dovecot" in line or "master" in line for line in log), log
            assert all(int(line.split()[0]) <= (time.monotonic() - began) * 1000 for line in log)


def test_what_nobody_wanted_is_taken_down(engine: Engine) -> None:
    with none_left(engine) as left, pytest.raises(KeyboardInterrupt), engine.prepared(plan()):
        raise KeyboardInterrupt
    assert left == []


def test_what_a_run_is_about_to_take_is_taken_down_where_that_is_interrupted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any) -> bool:
        raise KeyboardInterrupt

    def grade() -> None:
        with engine.prepared(plan(), soon=True):
            await_agent(engine)
            monkeypatch.setattr(type(waiting(engine)), "serves", interrupted)
            with engine.machines(plan()):
                pytest.fail("it was interrupted")

    with none_left(engine) as left, pytest.raises(KeyboardInterrupt):
        grade()
    assert left == []


@pytest.mark.engines("local")
def test_an_interrupt_while_machines_are_taken_down_leaves_nothing_of_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grade() -> None:
        with engine.prepared(plan()):
            await_agent(engine)
            await_end, to_come = type(waiting(engine))._await_end, [KeyboardInterrupt]

            def interrupted_once(run: Any) -> None:
                if to_come:
                    raise to_come.pop()
                await_end(run)

            monkeypatch.setattr(type(waiting(engine)), "_await_end", interrupted_once)

    with none_left(engine) as left, pytest.raises(KeyboardInterrupt):
        grade()
    assert left == []


@pytest.mark.engines("local")
def test_an_interrupt_is_not_lost_where_libraries_are_told_of_the_fork(engine: Engine) -> None:
    to_come = [signal.SIGINT]

    def told() -> None:
        while to_come:
            signal.pthread_kill(threading.get_ident(), to_come.pop())

    # It stays, and does nothing after this test.
    os.register_at_fork(after_in_parent=told)
    with none_left(engine) as left, pytest.raises(KeyboardInterrupt), engine.prepared(plan()):
        pytest.fail("it was interrupted")
    assert left == []


@pytest.mark.engines("local")
def test_where_there_can_be_no_further_process_interrupts_are_heard_as_before(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more() -> int:
        raise BlockingIOError

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    monkeypatch.setattr(os, "fork", no_more)
    with engine.prepared(plan()):
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.mark.engines("local")
def test_processes_of_a_run_hear_every_signal(engine: Engine) -> None:
    with engine.prepared(plan()):
        await_agent(engine)
        supervisor = waiting(engine)._supervisor
        tree = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        states = [Path(f"/proc/{pid}/status").read_text() for pid in (supervisor, *tree)]
    assert [line.split()[1] for state in states for line in state.splitlines() if "SigBlk" in line] == [
        "0" * 16
    ] * len(states)


def test_what_waits_ends_with_a_killed_grader(engine: Engine) -> None:
    ready, told = multiprocessing.Pipe()

    def prepare() -> None:
        of_its_own = select(engine.name)
        with of_its_own.prepared(plan()):
            await_agent(of_its_own)
            told.send(True)
            signal.pause()

    with none_left(engine) as left:
        grader = multiprocessing.get_context("fork").Process(target=prepare)
        grader.start()
        assert ready.poll(PATIENCE)
        assert grader.pid is not None
        grader.kill()
        grader.join()
        assert engine.name != "docker" or ended(grader.pid)
    assert left == []
    engine.clean()

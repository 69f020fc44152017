"""Two machines on Docker: joined to each other as planned, and gone afterwards, whatever happens."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from docker import APIClient
from docker.errors import APIError

from grader.engines.base import ChannelEnded, Engine
from grader.engines.docker import containers, images, labels
from grader.engines.docker.channel import AttachChannel, transport
from grader.engines.docker.daemon import connect
from grader.engines.docker.engine import DockerEngine, _Run
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.protocol.world import ListArrivals
from tests.conftest import PATIENCE
from tests.engines.plans import ANSWER, HOST_V4, HOST_V6, NAMESERVER, plan, python, run, start_world
from tests.hostile.remains import descendants

pytestmark = pytest.mark.engines("docker")

GRADER = """
import sys, time
from grader.engines.docker import DockerEngine
from tests.engines.plans import plan, run
with DockerEngine().machines(plan()) as machines:
    run(machines, "sh", "-c", "setsid sleep 600 >/dev/null 2>&1 &")
    print("up", flush=True)
    time.sleep(600)
"""


def ours(owner: int, *, running: bool = False) -> list[str]:
    """Names of the containers that this process made and that are still there, or even ``running``."""
    client = connect().client
    try:
        found: list[dict[str, Any]] = client.containers(
            all=not running, filters={"label": f"{labels.PID}={owner}"}
        )
    finally:
        client.close()
    return [name for entry in found for name in entry["Names"]]


def ended(owner: int, seconds: float = PATIENCE) -> bool:
    """Whether all containers that this process made end in time."""
    deadline = Deadline(seconds)
    while ours(owner, running=True):
        if deadline.over:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def grader() -> Iterator[subprocess.Popen[str]]:
    """A process that grades, its machines up."""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", GRADER], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()
    DockerEngine().clean()


def test_the_machines_have_the_planned_addresses_and_no_others(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        links = json.loads(run(machines, "ip", "-json", "address")[1])
        routes = run(machines, "ip", "route")[1] + run(machines, "ip", "-6", "route")[1]
    addresses = {f"{a['local']}/{a['prefixlen']}" for link in links for a in link["addr_info"]}
    assert addresses == {"127.0.0.1/8", "::1/128", f"{HOST_V4}/24", "10.20.30.10/24", f"{HOST_V6}/64"}
    assert "default" not in routes
    assert "via" not in routes


def test_the_host_finds_the_world_by_name_over_udp_and_tcp_and_ipv6(engine: Engine) -> None:
    trial = plan()
    with engine.machines(trial) as machines:
        start_world(machines, trial)
        assert run(machines, "dig", "+short", "mx.elsewhere.example")[1].strip() == ANSWER
        assert run(machines, "dig", "+tcp", "+short", "mx.elsewhere.example")[1].strip() == ANSWER
        refused = python(machines, "import socket; socket.create_connection(('2001:db8:bad::66', 25), 3)")
    assert "ConnectionRefusedError" in refused


def test_the_hosts_own_names_are_the_planned_ones(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        assert run(machines, "hostname")[1] == "mail.example.com\n"
        assert run(machines, "cat", "/etc/mailname")[1].strip() == "mail.example.com"
        assert f"nameserver {NAMESERVER}" in run(machines, "cat", "/etc/resolv.conf")[1]


def test_nothing_is_left_after_a_run(engine: Engine) -> None:
    with engine.machines(plan()):
        assert len(ours(os.getpid())) == 2
    assert ours(os.getpid()) == []


def test_a_removal_that_docker_refuses_on_a_busy_machine_is_tried_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy daemon does not see in time that a container that it killed has ended, and says so with a 500."""
    refused: list[str] = []
    remove, answer = APIClient.remove_container, requests.Response()
    answer.status_code = 500

    def busy(client: APIClient, container: str, *args: Any, **options: Any) -> None:
        if container not in refused:
            refused.append(container)
            raise APIError("tried to kill container, but did not receive an exit event", answer)
        remove(client, container, *args, **options)

    monkeypatch.setattr(APIClient, "remove_container", busy)
    with pytest.raises(KeyError), engine.machines(plan()):
        raise KeyError
    assert len(refused) == 2
    assert ours(os.getpid()) == []


def test_nothing_is_created_once_a_run_was_removed(engine: Engine) -> None:
    """An interrupt while a thread was started leaves one that nobody waits for, with its work still before it."""
    begun = _Run(connect(), images.HostImage(images.host_tag()), plan())
    begun.remove()
    with pytest.raises(EngineError, match="the world container was not created: the run has ended"):
        begun._create("world", begun._specs.world())
    assert ours(os.getpid()) == []


def test_the_wire_of_a_run_that_was_prepared_is_laid_while_its_host_starts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    write = AttachChannel.write

    def written(channel: AttachChannel, data: bytes) -> None:
        write(channel, data)
        if data == containers.begin(plan()):
            begun.set()

    start = _Run._start

    def started(run: _Run, role: str) -> AttachChannel:
        assert role == "world" or begun.wait(PATIENCE)
        return start(run, role)

    monkeypatch.setattr(AttachChannel, "write", written)
    monkeypatch.setattr(_Run, "_start", started)
    with engine.prepared(plan(), soon=True), engine.machines(plan()) as machines:
        assert HOST_V4 in run(machines, "ip", "-4", "address")[1]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error_or_an_interrupt(engine: Engine, error: type[BaseException]) -> None:
    with pytest.raises(error), engine.machines(plan()):
        raise error
    assert ours(os.getpid()) == []


@pytest.mark.parametrize("milliseconds", [1, 30, 150, 400])
def test_nothing_is_left_after_an_interrupt_during_the_start(engine: Engine, milliseconds: int) -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it comes early, that waits for it already
            signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
            with engine.machines(plan()):
                time.sleep(PATIENCE)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ours(os.getpid()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_containers_end_with_a_killed_grader(
    engine: Engine, grader: subprocess.Popen[str], number: int
) -> None:
    assert len(ours(grader.pid)) == 2
    grader.send_signal(number)
    grader.wait(PATIENCE)
    assert ended(grader.pid)
    engine.clean()
    assert ours(grader.pid) == []


@pytest.mark.parametrize("begun", [True, False])
def test_the_owner_of_the_network_ends_where_the_rest_never_comes(engine: Engine, begun: bool) -> None:
    """As where a grader is killed when one of its containers runs, or waits for a run."""
    service = connect()
    specs = containers.Specs(
        service, images.HostImage(images.host_tag()), f"alone{os.getpid()}{begun}", plan()
    )
    service.client.create_container(**specs.world())
    name = specs.name("world")
    try:
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        channel = AttachChannel("world", transport(service.client.attach_socket(name, streams)))
        service.client.start(name)
        channel.write(specs.files() + (containers.begin(plan()) if begun else b""))
        time.sleep(0.2)  # That nothing ends it has no moment to wait for.
        assert len(ours(os.getpid(), running=True)) == 1
        channel.close()
        assert ended(os.getpid())
    finally:
        with suppress(APIError):  # It is gone, or going.
            service.client.remove_container(name, force=True)
        service.client.close()


def test_a_world_whose_program_dies_is_gone_at_once(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (world,) = (name for name in ours(os.getpid()) if name.endswith("world"))
        client = connect().client
        first: int = client.inspect_container(world)["State"]["Pid"]
        client.close()
        for pid in descendants(first):
            # One that only set things up may end meanwhile.
            with suppress(FileNotFoundError, ProcessLookupError):
                if b"grader.world" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)
        with pytest.raises(ChannelEnded):
            machines.world.call(ListArrivals(), timeout=PATIENCE)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graders of other tests take what dies here for what another machine left, and let it be."""
    name = f"of the test {os.getpid()}"
    monkeypatch.setattr(labels, "owner", lambda: name)


def test_clean_removes_what_a_killed_grader_had_only_created(engine: Engine, apart: None) -> None:
    def create() -> None:
        service = connect()
        specs = containers.Specs(service, images.HostImage(images.host_tag()), f"trial{os.getpid()}", plan())
        service.client.create_container(**specs.world())
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=create)
    process.start()
    process.join(PATIENCE)
    assert process.pid is not None
    assert len(ours(process.pid)) == 1
    assert f"container smtplab-trial{process.pid}-world" in engine.clean()
    assert ours(process.pid) == []


def test_the_next_run_removes_containers_of_a_dead_grader_whose_process_id_lives_again(
    engine: Engine, apart: None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels, "_began_here", lambda: "1")  # The first process of the machine began later.
        service = connect()
        specs = containers.Specs(service, images.HostImage(images.host_tag()), f"again{os.getpid()}", plan())
        service.client.create_container(**specs.world())
    assert len(ours(os.getpid())) == 1
    with DockerEngine().machines(plan()):
        assert len(ours(os.getpid())) == 2
        assert not any("again" in name for name in ours(os.getpid()))


def test_what_a_killed_build_left_without_a_name_is_found(engine: Engine) -> None:
    client = connect().client
    layer = f"FROM {images.host_tag()}\nLABEL {images.UNFINISHED}=1\nLABEL by={os.getpid()}\n".encode()
    context = images.archive([("Dockerfile", layer)])
    *_, last = client.build(fileobj=context, custom_context=True, decode=True, rm=True)
    made = str(last.get("stream")).split()[-1]
    try:
        assert made in str([entry["Id"] for entry in images.half_built(client)])
    finally:
        client.remove_image(made)
        client.close()


def test_clean_leaves_a_run_alone_whose_grader_lives(engine: Engine, grader: subprocess.Popen[str]) -> None:
    engine.clean()
    assert len(ours(grader.pid)) == 2


def test_containers_end_by_themselves_when_the_wall_time_is_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "GRACE", 0)
    # The host starts within it, which takes a second or two on a busy machine.
    with engine.machines(plan(wall=5)):
        assert len(ours(os.getpid())) == 2
        assert ended(os.getpid())
    assert ours(os.getpid()) == []


def test_runs_side_by_side_do_not_meet(engine: Engine) -> None:
    listen = "import socket, time; s = socket.create_server(('0.0.0.0', 2525)); print('listening'); time.sleep(300)"
    knock = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], 2525), 3); print('reached')\n"
        "except OSError as error: print('not reached')"
    )
    with engine.machines(plan(host="203.0.113.77/24")) as first, engine.machines(plan()) as second:
        run(first, "sh", "-c", f'python3 -c "{listen}" >/dev/null 2>&1 &')
        deadline = Deadline(PATIENCE)
        while python(first, knock, "203.0.113.77") != "reached":
            assert not deadline.over
        assert python(second, knock, "203.0.113.77") == "not reached"


def test_a_forked_or_spawned_worker_can_use_the_engine(engine: Engine) -> None:
    assert isinstance(pickle.loads(pickle.dumps(engine)), DockerEngine)

    def work() -> None:
        with engine.machines(plan()) as machines:
            code, _ = run(machines, "true")
        os._exit(code)

    workers = [multiprocessing.get_context("fork").Process(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    with engine.machines(plan()) as machines:
        assert run(machines, "true")[0] == 0
    for worker in workers:
        worker.join(2 * PATIENCE)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [ours(worker.pid or 0) for worker in workers] == [[], []]


def test_a_network_that_cannot_be_set_up_is_told_in_one_sentence(engine: Engine) -> None:
    twice = plan(host="10.20.30.10/24")
    with (
        pytest.raises(EngineError, match=r"^the world ended during 'start': .*already assigned"),
        engine.machines(twice),
    ):
        pass
    assert ours(os.getpid()) == []

"""A class on a Dask cluster of this machine: a worker killed, a worker of another make, the scheduler lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.cli import main
from grader.course import ClassSettings, Summary, grade_class
from grader.course.cluster import scheduler as cluster
from grader.course.cluster import worker
from grader.course.cluster.scheduler import ClusterScheduler, connected
from grader.model.errors import EngineError
from tests import submissions
from tests.course.documents import documents

pytestmark = [
    pytest.mark.slow,
    pytest.mark.together("cluster"),
    # Looked for and not imported, which takes half a second of each run of the tests that are not slow.
    pytest.mark.skipif(
        find_spec("distributed") is None, reason="distributed, of the extra 'cluster', is not installed"
    ),
]

LAB = "zone-on-a-cluster"
KEY = "autumn"
PAGE = Path(__file__).parents[2] / "docs/grading-a-class.md"
STUDENTS = ("alice", "zoë", "=1+1", "-rf", "O'Hara; rm", "grades.csv", "a.b")


@dataclass
class Processes:
    """Dask's own, each with what it says in a file."""

    home: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: str, *more: str) -> subprocess.Popen[bytes]:
        """Start one by a command of the page."""
        dask = [sys.executable, "-m", *shlex.split(command), *more, "--no-dashboard"]
        with (self.home / f"{len(self.started)}.log").open("wb") as log:
            self.started.append(subprocess.Popen(dask, cwd=self.home, stderr=log, stdout=log))
        return self.started[-1]

    def said(self, process: subprocess.Popen[bytes]) -> str:
        """What one has said."""
        return (self.home / f"{self.started.index(process)}.log").read_text()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    found = Processes(tmp_path_factory.mktemp("dask"))
    yield found
    for process in found.started:
        process.kill()
        process.wait()
    logs = b"".join(path.read_bytes() for path in found.home.glob("*.log"))
    assert KEY.encode() not in logs
    assert b"example" not in logs, "a hand-in stands in a log"


@pytest.fixture(scope="module")
def shown() -> list[str]:
    """The commands of the page that shows how to start a cluster, with a port that is free here."""
    [commands] = re.findall(r"^```bash\n(dask .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return [str(line).replace("8786", str(port)) for line in commands.splitlines()]


@pytest.fixture(scope="module")
def address(shown: list[str], processes: Processes) -> str:
    processes.start(shown[0])
    return shown[2].rpartition("--scheduler ")[2].split()[0]


@pytest.fixture(scope="module")
def workers(shown: list[str], address: str, processes: Processes) -> list[subprocess.Popen[bytes]]:
    return [processes.start(shown[1], "--no-nanny") for _ in range(2)]


@pytest.fixture
def handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 60)
    for number, student in enumerate(STUDENTS):
        work = "solution" if number % 3 else "starter"
        submissions.write(work, tmp_path / "subs" / student, student=student, key=KEY, lab=LAB)
    (tmp_path / "subs" / "empty").mkdir()
    return sorted((tmp_path / "subs").iterdir())


def grade(
    out: Path,
    handed_in: list[Path],
    scheduler: Any = None,
    report: Any = lambda *_: None,
    resume: bool = False,
) -> Summary:
    settings = ClassSettings(
        lab=labs.find(LAB), out=out, engine=None, key=KEY, draw=True, workers=1, resume=resume
    )
    return grade_class(settings, handed_in, report=report, scheduler=scheduler)


@contextlib.contextmanager
def on(address: str, said: list[str] | None = None) -> Iterator[ClusterScheduler]:
    with connected(address, None, (said if said is not None else []).append) as found:
        yield found


def wait_for(address: str, number: int) -> None:
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(number, timeout=120)


def test_a_killed_worker_costs_nothing_and_the_documents_are_those_of_one_machine(
    address: str, workers: list[subprocess.Popen[bytes]], handed_in: list[Path], tmp_path: Path
) -> None:
    wait_for(address, 2)

    def kill(*_: object) -> None:
        if workers[0].poll() is None:
            os.kill(workers[0].pid, signal.SIGKILL)
            workers[0].wait()

    with on(address) as found:
        summary = grade(tmp_path / "cluster", handed_in, found, kill)
    assert workers[0].poll() == -signal.SIGKILL
    assert {row.ending for row in summary.rows} == {"graded", "refused"}
    grade(tmp_path / "whole", handed_in)
    whole, made = documents(tmp_path / "whole"), documents(tmp_path / "cluster")
    assert made.keys() == whole.keys()
    assert [name for name in whole if made[name] != whole[name]] == []
    result = json.loads((tmp_path / "cluster" / "alice" / "result.json").read_bytes())
    assert result["student"] == "alice"


def test_a_worker_of_another_make_is_named_and_grades_nothing(
    address: str, workers: list[subprocess.Popen[bytes]], handed_in: list[Path], tmp_path: Path
) -> None:
    said: list[str] = []
    wait_for(address, 1)
    for other, why in (
        ({"program": "another"}, "is another program than this machine's"),
        ({"version": "9.9"}, "it has another smtplab (version"),
        ({"image": "sha256:00"}, "it has another image ()"),
    ):
        with on(address, said) as found:
            found.mine = replace(found.mine, **other)
            with pytest.raises(EngineError, match="grades as this machine does"):
                grade(tmp_path / "out", handed_in, found)
        assert why in said[-1]
        assert said[-1].startswith("the worker tcp://127.0.0.1:")
    assert list((tmp_path / "out").glob("*/result.json")) == []


def test_the_command_says_what_became_of_a_lost_scheduler_and_resumes_without_it(
    shown: list[str],
    address: str,
    workers: list[subprocess.Popen[bytes]],
    handed_in: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from grader.cli.class_progress import ClassProgress

    wait_for(address, 1)
    port = address.rpartition(":")[2]
    served = subprocess.run(["pgrep", "-f", f"scheduler --host 127.0.0.1 --port {port}"], capture_output=True)
    lost = [int(pid) for pid in served.stdout.split()]
    assert lost
    told = ClassProgress.report

    def kill(self: ClassProgress, *rest: Any) -> None:
        told(self, *rest)
        while lost:
            os.kill(lost.pop(), signal.SIGKILL)

    monkeypatch.setattr(ClassProgress, "report", kill)
    command = [
        "grade",
        LAB,
        *map(str, handed_in),
        "--seed",
        KEY,
        "--out",
        str(tmp_path / "out"),
        "--exit-zero",
    ]
    assert main([*command, "--scheduler", address]) == 3
    assert f"the scheduler at {address} is lost" in capsys.readouterr().err
    assert len(list((tmp_path / "out").glob("*/result.json"))) < len(handed_in)
    assert main([*command, "--resume", "-j", "1"]) == 0
    assert len(list((tmp_path / "out").glob("*/result.json"))) == len(handed_in)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    assert main([*command, "--scheduler", address]) == 3
    assert "no scheduler answers at" in capsys.readouterr().err


@pytest.mark.parametrize("loss", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "silent"])
def test_a_worker_whose_scheduler_is_lost_ends_when_it_is_told_to(
    loss: signal.Signals, shown: list[str], processes: Processes, tmp_path: Path
) -> None:
    """In the midst of a job, for which Dask would wait 30 seconds, though nobody takes its answer."""
    from distributed import Client

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    old = shown[2].rpartition(":")[2].split()[0]
    ours = processes.start(shown[0].replace(old, port))
    told = processes.start(shown[1].replace(old, port), "--no-nanny")
    with Client(f"tcp://127.0.0.1:{port}", timeout=60, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=120)
        for _ in range(2):  # Two classes have found it.
            [life] = client.run(worker.life).values()
        os.mkfifo(tmp_path / "job")
        client.submit(
            worker.do, worker.packed(Path.read_bytes, tmp_path / "job"), life.id, "job", 300.0, pure=False
        )
        # It opens once the job reads, and the job reads until it is closed.
        with (tmp_path / "job").open("wb"):
            ours.send_signal(loss)
            told.terminate()
            assert told.wait(25) == 0
        ours.kill()
    said = processes.said(told)
    assert said.count("the scheduler is lost, and this worker ends; what it was grading is graded by") == 1
    assert "Traceback" not in said


def test_the_command_refuses_what_it_cannot_mean(
    handed_in: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["grade", LAB, *map(str, handed_in), "--out", str(tmp_path / "out")]
    for more, said in (
        (["--scheduler", "tcp://127.0.0.1:1", "-j", "2"], "-j is how many this machine grades"),
        (["--scheduler", "tcp://10.0.0.5:1"], "in the clear"),
        (["--scheduler", "tls://grader.example.edu:1"], "TLS__CA_FILE"),
    ):
        assert main([*command, *more]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

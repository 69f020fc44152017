"""A class on a cluster with TLS, made by the commands of the page: it grades, and lets nobody else in."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader import labs
from grader.cli import main
from grader.course.cluster import scheduler as cluster
from tests import submissions
from tests.course.documents import documents

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed"),
]

LAB = "zone-by-tls"
PAGE = Path(__file__).parents[2] / "docs/grading-a-class.md"
STUDENTS = ("alice", "zoë", "=1+1", "-rf")
SETTINGS = "DASK_DISTRIBUTED__COMM__"


@dataclass
class Cluster:
    """What the page's commands started, the command that grades, and the settings that they export."""

    home: Path
    grade: list[str]
    settings: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: str, *more: str, **changed: str) -> subprocess.Popen[bytes]:
        """A process of Dask's own."""
        with (self.home / "log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *shlex.split(command), *more, "--no-dashboard"],
                    cwd=self.home, env={**os.environ, **self.settings, **changed}, stdout=log, stderr=log,
                )
            )  # fmt: skip
        return self.processes[-1]

    @property
    def address(self) -> str:
        return self.grade[self.grade.index("--scheduler") + 1]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The block of the page that begins with certificates, run as it stands, with a port that is free here."""
    home = tmp_path_factory.mktemp("tls")
    [block] = re.findall(r"^```bash\n(openssl .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as free:
        block = block.replace("8786", str(free.getsockname()[1]))
    scheduler, worker, grade = block.splitlines()[-3:]
    shown = block.removesuffix(f"{scheduler}\n{worker}\n{grade}\n")
    told = subprocess.run(
        ["bash", "-euc", f"{shown}env -0"], cwd=home, capture_output=True, check=True, text=True
    )
    exported = dict(line.partition("=")[::2] for line in told.stdout.split("\0"))
    settings = {name: value for name, value in exported.items() if name.startswith(SETTINGS)}
    made = Cluster(home, shlex.split(grade), settings)
    made.start(scheduler)
    for _ in range(2):
        made.start(worker, "--no-nanny", "--local-directory", str(home))
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


@pytest.fixture
def here(running: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A class in the current folder, and the settings of the page in the environment."""
    import dask
    import distributed  # noqa: F401 - it gives Dask the settings that are put back below

    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 60)
    monkeypatch.chdir(tmp_path)
    for number, student in enumerate(STUDENTS):
        submissions.write("starter" if number % 3 else "solution", Path("submissions") / student, lab=LAB)
    for name, value in running.settings.items():
        monkeypatch.setenv(name, value)
    with dask.config.set(distributed=dask.config.get("distributed")):
        dask.config.refresh()
        yield tmp_path
    monkeypatch.undo()
    dask.config.refresh()


def grade(running: Cluster, out: str, *more: str) -> int:
    """The page's command that grades, with this class's lab and folder."""
    said = [word.replace("spf-dmarc", LAB) for word in running.grade[1:]]
    sources = [str(path) for path in sorted(Path("submissions").iterdir())]
    place = said.index("submissions/*")
    said[place : place + 1] = sources
    said[said.index("--out") + 1] = out
    return main([*said, *more])


def test_a_cluster_with_tls_grades_as_one_machine_though_a_worker_is_killed(
    running: Cluster, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.cli.class_progress import ClassProgress

    told = ClassProgress.report

    def kill(self: ClassProgress, *rest: object) -> None:
        told(self, *rest)  # type: ignore[arg-type]
        if running.processes[1].poll() is None:
            os.kill(running.processes[1].pid, signal.SIGKILL)
            running.processes[1].wait()

    monkeypatch.setattr(ClassProgress, "report", kill)
    assert running.address.startswith("tls://")
    assert grade(running, "out") == 0
    assert running.processes[1].poll() == -signal.SIGKILL
    sources = [str(path) for path in sorted(Path("submissions").iterdir())]
    assert main(["grade", LAB, *sources, "--out", "whole", "--exit-zero", "-j", "1"]) == 0
    assert documents(here / "out") == documents(here / "whole")


def test_nobody_without_a_certificate_of_the_cluster_gets_in(
    running: Cluster, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import dask

    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x", "-keyout", "x.key",
         "-out", "x.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    for changed, code, said in (
        ({"CERT": "x.pem", "KEY": "x.key"}, 3, "no scheduler that takes this certificate answers at tls://"),
        ({"CERT": "none.pem"}, 2, "cannot be used (No such file or directory): check what is in"),
        ({"CERT": "x.pem"}, 2, "cannot be used ("),
        ({"CERT": ""}, 2, "set DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT to their files"),
    ):
        with monkeypatch.context() as patch:
            for name, value in changed.items():
                patch.setenv(f"{SETTINGS}TLS__CLIENT__{name}", value)
            dask.config.refresh()
            assert grade(running, "out") == code
        assert said in capsys.readouterr().err
    dask.config.refresh()
    plain = running.address.replace("tls:", "tcp:")
    assert grade(running, "out", "--scheduler", plain) == 2
    assert "settings demand encryption: write tls://" in capsys.readouterr().err
    monkeypatch.delenv(f"{SETTINGS}REQUIRE_ENCRYPTION")
    dask.config.refresh()
    assert grade(running, "out", "--scheduler", plain) == 3
    assert "no scheduler answers at tcp://" in capsys.readouterr().err
    assert not list(Path("out").glob("*/result.json"))

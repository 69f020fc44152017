"""Where bundles are made and tried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.engines.base import Engine
from grader.engines.docker import images

ROOT = Path(__file__).parent.parent.parent
VENV = Path(sys.prefix)

Run = Callable[..., int]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def contained(engine: Engine, tmp_path: Path) -> Run:
    """Run a command as platforms do: in a container with Docker's default limits, without a network."""
    if sys.base_prefix == "/usr":
        pytest.skip("the interpreter lies in /usr, which the container has of its own")
    engine.image(lambda step: None)

    def run(command: str, mounts: dict[Path, str], **variables: str) -> int:
        shared = {VENV: str(VENV), Path(sys.base_prefix): sys.base_prefix, ROOT: str(ROOT)}
        options = [f"--volume={path}:{place}:ro" for path, place in shared.items()]
        options += [f"--volume={path}:{place}" for path, place in mounts.items()]
        # Whoever is not root may go through the folder that an interpreter may lie in.
        options += [
            "--tmpfs=/root:mode=755",
            f"--volume={VENV / 'bin'}:/opt/smtplab/bin:ro",
            "--env=PYTHONDONTWRITEBYTECODE=1",
            *(f"--env={name}={value}" for name, value in variables.items()),
        ]
        return subprocess.run(
            ["docker", "run", "--rm", "--network=none", f"--env=PATH={VENV / 'bin'}:/usr/bin:/bin", *options,
             "--entrypoint", "/bin/sh", images.host_tag(), "-c", command],
            check=False,
        ).returncode  # fmt: skip

    return run

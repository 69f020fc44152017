"""A lab of smtplab's own pattern, and a cache that is not the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader import labs
from grader.kinds.server.declare import ServerLab


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_CACHE", str(cache))
    monkeypatch.delenv("SMTPLAB_LABS", raising=False)


@pytest.fixture
def lab_folder(tmp_path: Path) -> Path:
    """The folder of a new lab."""
    return labs.new("own-domain", tmp_path / "labs")


@pytest.fixture
def lab(lab_folder: Path) -> ServerLab:
    loaded = labs.load(lab_folder)
    assert isinstance(loaded, ServerLab)
    return loaded


@pytest.fixture
def handed_in(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes what somebody handed in as one file."""

    def write(data: bytes) -> Path:
        path = tmp_path / "submission.bin"
        path.write_bytes(data)
        return path

    return write

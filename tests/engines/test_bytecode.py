"""The agent starts from byte code of the image's own Python, which is made once; from its sources where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.engines import image, machine
from grader.engines.base import Engine
from grader.engines.local import bytecode, rootfs
from tests.engines.plans import plan, run

pytestmark = pytest.mark.engines("local")


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """An agent of files of its own, whose byte code is nowhere yet; what is made of it is removed."""
    before = set(image.folder().iterdir())
    files = {"main.py": b"TEXT = 'a sentence'\n"}
    monkeypatch.setattr(bytecode, "guest_files", lambda: files)
    yield files
    for path in set(image.folder().glob("agent-*")) - before:
        if b"a sentence" in path.read_bytes() or not path.stat().st_size:
            path.unlink()


def kept(before: set[Path]) -> Path:
    (path,) = set(image.folder().glob("agent-*")) - before
    return path


def test_the_host_is_given_byte_code(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        names = run(machines, "ls", f"{machine.LIBRARY}/guest")[1].split()
        loaded = run(machines, "sh", "-c", f"echo x >>{machine.LIBRARY}/guest/main.pyc")
    assert sorted(names) == sorted(f"{name}c" for name in machine.guest_files())
    assert loaded[0] != 0


def test_it_is_made_once_and_again_where_what_was_kept_is_damaged(
    engine: Engine, sources: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = [], bytecode._compiled

    def compiled(given: dict[str, bytes]) -> dict[str, bytes]:
        made.append(given)
        return real(given)

    monkeypatch.setattr(bytecode, "_compiled", compiled)
    before = set(image.folder().glob("agent-*"))
    first = bytecode.agent()
    assert list(first) == ["main.pyc"]
    assert bytecode.agent() == first
    assert len(made) == 1
    kept(before).write_bytes(kept(before).read_bytes()[:40])
    assert bytecode.agent() == first
    assert len(made) == 2


def test_what_cannot_be_compiled_or_kept_is_given_as_it_is(
    engine: Engine, sources: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(image, "folder", lambda: Path("/proc/none"))
        patch.setattr(rootfs, "path", lambda: Path("/proc/none"))
        assert bytecode.agent() == sources
    sources["main.py"] = b"def :\n"
    assert bytecode.agent() == sources

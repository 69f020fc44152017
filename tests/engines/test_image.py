"""The image's recipe: what it is made of, from where, and what is said when it cannot be made."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path

import pytest

from grader import resources
from grader.engines import bootstrap, image
from grader.engines.base import Engine
from grader.engines.local import rootfs
from grader.model.errors import EngineError

FAILURES = {
    "E: Failed to fetch http://deb.debian.org/x  Could not connect\n": "SMTPLAB_MIRROR",
    "Err:1 http://deb.debian.org/debian trixie InRelease\n  Temporary failure resolving 'deb.debian.org'\n": "Debian",
    "tar: ./usr/bin/x: Cannot write: No space left on device\nE: mmdebstrap failed\n": "the disk is full",
    "W: GPG error: NO_PUBKEY 6ED0E7B82643E131\n": "debian-archive-keyring",
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recipe that may be changed."""
    copy = tmp_path / "fixtures"
    for name in ("image", "certificates"):
        shutil.copytree(image.recipe().parent / name, copy / name)
    monkeypatch.setattr(resources, "folder", lambda name: copy)
    return copy / "image"


def test_the_digest_follows_every_file_of_the_recipe(recipe: Path) -> None:
    digest = image.digest.__wrapped__
    seen = {digest()}
    for path in [*sorted(recipe.rglob("*")), recipe.parent / "certificates" / "ca.crt"]:
        if path.is_file():
            path.write_bytes(path.read_bytes() + b"#\n")
            seen.add(digest())
    assert len(seen) == 2 + sum(path.is_file() for path in recipe.rglob("*"))


def test_both_recipes_take_the_same_packages() -> None:
    assert "postfix" in image.packages()
    assert not [name for name in image.packages() if " " in name or "#" in name]
    dockerfile = (image.recipe() / "Dockerfile").read_text()
    assert "packages.txt" in dockerfile
    assert "customize.sh" in dockerfile


@pytest.mark.engines("local")
def test_the_host_trusts_the_lab_s_authority_alone(engine: Engine) -> None:
    engine.image(lambda step: None)
    store = rootfs.path() / "etc/ssl/certs/ca-certificates.crt"
    assert store.read_text().count("BEGIN CERTIFICATE") == 1
    assert image.certificate().read_text().strip() in store.read_text()


def test_a_mirror_may_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_MIRROR", "http://mirror.example/debian")
    assert [line.split()[-3:] for line in image.sources()] == [
        ["http://mirror.example/debian", "trixie", "main"],
        ["http://mirror.example/debian", "trixie-updates", "main"],
    ]
    monkeypatch.setenv("SMTPLAB_MIRROR", "http://mirror.example/debian http://mirror.example/security")
    assert image.sources()[2].endswith("http://mirror.example/security trixie-security main")


@pytest.mark.parametrize("output", FAILURES)
def test_a_failed_build_says_what_mends_it(output: str) -> None:
    said = bootstrap._follow(iter(output.splitlines(keepends=True)), lambda step: None)
    assert FAILURES[output] in said
    assert "\n" not in said


def test_steps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    lines = [
        "0 upgraded, 2 newly installed, 0 to remove",
        "Need to get 55.0 MB of archives.",
        "Setting up a:amd64 (1) ...",
    ]
    bootstrap._follow(iter(lines), steps.append)
    assert steps == ["downloading 55.0 MB of packages", "setting up a (1 of 2)"]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "file" / "cache"))
    with (
        pytest.raises(EngineError, match=r"cannot write to the cache folder .* SMTPLAB_CACHE"),
        image.lock("x", print),
    ):
        pass


def _hold(folder: str, entered: object) -> None:
    import os

    os.environ["SMTPLAB_CACHE"] = folder
    with image.lock("build", lambda step: None):
        marker = Path(folder) / "marker"
        assert not marker.exists()
        marker.touch()
        marker.unlink()


@pytest.mark.slow
def test_a_lock_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hold, args=(str(tmp_path), None)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]

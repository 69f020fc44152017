"""What all tests share: real engines, and the strictness about having them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from grader.engines import ENGINES

if TYPE_CHECKING:
    from grader.engines.base import Engine

PATIENCE = 30.0
"""Seconds for what comes at once on an idle machine: nothing is proved by its being late on a busy one."""
NO_ENGINE = "no engine runs here: 'smtplab doctor' says what is missing"

# Thousands of tests are collected by every worker, and looking for garbage among them finds none.
gc.set_threshold(100_000, 50, 50)

# A shell starts what runs in the background with Ctrl-C ignored, and children inherit that; tests interrupt some.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def examples(number: int) -> int:
    """How many examples Hypothesis draws for a test: a tenth where few are wanted (``SMTPLAB_EXAMPLES=few``)."""
    return max(1, number // 10) if os.environ.get("SMTPLAB_EXAMPLES") == "few" else number


# How long an example takes says nothing where other tests run beside it.
settings.register_profile("smtplab", deadline=None, max_examples=examples(100))
settings.load_profile("smtplab")

# Labs that somebody added on this machine are no part of the tests.
os.environ["SMTPLAB_DATA"] = "/nonexistent/smtplab"
# Few have it, and with it nothing waits in a buffer that would fail at the end.
os.environ.pop("PYTHONUNBUFFERED", None)


def required() -> set[str]:
    """Engines that must run here, so that their tests fail where they cannot (``SMTPLAB_REQUIRE_ENGINES``)."""
    return {name for name in os.environ.get("SMTPLAB_REQUIRE_ENGINES", "").split(",") if name}


@cache
def problems(name: str) -> str:
    """Why an engine cannot run on this machine; empty when it can."""
    from grader.engines import select
    from grader.model.errors import EngineError

    try:
        engine = select(name)
    except EngineError as error:
        return str(error)
    return "; ".join(f"{problem.what}: {problem.fix}" for problem in engine.problems())


def usable() -> list[str]:
    """Names of the engines that this machine has, or must have."""
    return [name for name in ENGINES if name in required() or not problems(name)]


@cache
def may_mount() -> bool:
    """Whether file systems may be mounted here, in a mount namespace or not: for root, and not in every container."""
    return (
        os.geteuid() == 0
        and not subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``engine`` on every engine that this machine has, or must have."""
    if "engine" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("engines")
    wanted = [name for name in usable() if marker is None or name in marker.args]
    none = [pytest.param("none", marks=pytest.mark.skip(reason=NO_ENGINE))]
    metafunc.parametrize("engine", wanted or none, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs a real engine, so that ``make test-fast`` can leave it out; deal out what takes long."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("engine")
    items[:] = dealt(items, getattr(config, "workerinput", {}).get("workercount", 1))


def pytest_collection_finish() -> None:
    """Keep what was collected, which lasts to the end, out of every later look for garbage."""
    gc.freeze()


def dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in the order in which each of some workers begins with its share of those that take long.

    Each worker is given a run of neighbours, and whoever is done takes over from another's end: what waits there
    must be short. The short ones keep their order, so that those of a file find the browser that they share. Of the
    long ones those that share what takes long to make (``together``) are one worker's, or each would make it.
    """
    if workers == 1:
        return items
    long: dict[object, list[pytest.Item]] = {}
    short: list[pytest.Item] = []
    for number, item in enumerate(items):
        shared = item.get_closest_marker("together")
        if item.get_closest_marker("slow"):
            long.setdefault(shared.args[0] if shared else number, []).append(item)
        else:
            short.append(item)
    hands = list(long.values())
    order: list[pytest.Item] = []
    for worker in range(workers):
        order += [item for hand in hands[worker::workers] for item in hand]
        room = max(0, len(items) * (worker + 1) // workers - len(order))
        order += short[:room]
        del short[:room]
    return [*order, *short]


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """An engine that can run, its image built."""
    name: str = request.param
    return ready(name)


def ready(name: str) -> Engine:
    """An engine by its name, its image built. Fails the test where it cannot run."""
    from grader.engines import select

    if problem := problems(name):
        pytest.fail(f"the engine {name!r} must run here, and cannot: {problem}")
    chosen = select(name)
    chosen.image(lambda step: None)
    return chosen

"""One real Postfix for all tests of what the lesson says of it: each with the settings that its case needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from grader.engines import select
from grader.lesson.simulator.real import RealServer, real_server
from grader.lesson.simulator.server import Switch
from grader.lesson.simulator.table import table
from grader.model.protocol.host import RunCommand
from tests.conftest import problems, required
from tests.lesson.simulator import test_recorded, test_told


@pytest.fixture(scope="session")
def configured() -> Iterator[RealServer]:
    """The simulator's server, with the settings of the recorded lines and of the told facts as switches."""
    if problem := problems("local"):
        if "local" in required():
            pytest.fail(f"the engine 'local' must run here, and cannot: {problem}")
        pytest.skip(f"needs the engine 'local': {problem}")
    settings = {**test_recorded.SETTINGS, **test_told.SETTINGS}
    switches = [
        Switch(name, "configured", "configured", "reply-250", values) for name, values in settings.items()
    ]
    server = replace(table().server, switches=switches)
    sets = [frozenset({switch.id}) for switch in switches]
    with real_server(server, select("local"), sets, progress=lambda step: None) as running:
        edits = " ".join(f"'{name}={value}'" for name, value in test_told.MAIN_CF.items())
        # An old time of change, or Postfix waits until it is sure that nobody is writing any more.
        changed = f"postconf -e {edits} && touch -d 2020-01-01 /etc/postfix/main.cf && postfix reload"
        assert running.machines.host.call(RunCommand(["sh", "-c", changed], limit=20), timeout=30).code == 0
        yield running

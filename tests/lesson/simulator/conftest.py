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
from grader.model.protocol.world import AwaitPorts
from tests.conftest import PATIENCE, problems, required
from tests.lesson.simulator import test_recorded, told


@pytest.fixture(scope="session")
def configured() -> Iterator[RealServer]:
    """The simulator's server, with the settings of the recorded lines and of the told facts as switches."""
    if problem := problems("local"):
        if "local" in required():
            pytest.fail(f"the engine 'local' must run here, and cannot: {problem}")
        pytest.skip(f"needs the engine 'local': {problem}")
    settings = {**test_recorded.SETTINGS, **told.SETTINGS}
    switches = [
        Switch(name, "configured", "configured", "reply-250", values) for name, values in settings.items()
    ]
    server = replace(table().server, switches=switches)
    sets = [frozenset({switch.id}) for switch in switches]
    with real_server(server, select("local"), sets, progress=lambda step: None) as running:
        edits = " ".join(f"'{name}={value}'" for name, value in told.MAIN_CF.items())
        services = " ".join(f"'{service}'" for service in told.SERVICES)
        # An old time of change, or Postfix waits until it is sure that nobody is writing any more.
        files = "touch -d 2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf"
        changed = f"postconf -e {edits} && postconf -Me {services} && {files} && postfix reload"
        assert (
            running.machines.host.call(
                RunCommand(["sh", "-c", changed], limit=PATIENCE), timeout=2 * PATIENCE
            ).code
            == 0
        )
        ports = AwaitPorts(server.clients[0].server, [10525], PATIENCE, wait_for=[10525])
        assert running.machines.world.call(ports, timeout=PATIENCE + 5) == [10525]
        yield running

"""A server under load: the same attempts once more, after its master.cf was put as the master has it then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from grader.engines.base import HostChannel
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.run.copies import copied
from grader.model.attempt import Attempt
from grader.model.deadline import Deadline
from grader.model.latepattern import late_pattern
from grader.model.plan import File
from grader.model.protocol.host import Install, RunCommand
from grader.model.traffic import Outcome

RELOAD_SECONDS = 3.0
POLL_SECONDS = 0.02
RELOADED = late_pattern(r"/master\[\d+\]: reload ")


def once_more(lab: ServerLab, attempts: Iterable[Attempt], outcomes: Mapping[str, Outcome]) -> list[Attempt]:
    """What was to be kept out and was, to be tried again under load.

    What is wanted is not: a server that has too much to do may put off whom it likes. Nor are questions: it hangs up
    after a single error then, and half a dialogue tells nothing.
    """
    attempts = list(attempts)
    kept_out = {check.code for check in lab.checks if check.expect.keeps_out}
    tokens = {attempt.token for attempt in attempts}
    return [
        replace(copied(a, "load", tokens), title=f"{a.title}, under load", under_load=True, unless_arrived=[])
        for a in attempts
        if a.check in kept_out
        and not a.apart
        and not a.say
        and (a.smuggled or _was_kept_out(outcomes.get(a.id)))
    ]


def _was_kept_out(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.stage not in ("accepted", "connect")


def put_under_load(
    host: HostChannel, master: File, config_dir: str, read_log: Callable[[], list[str]], deadline: Deadline
) -> None:
    """Have the server read this master.cf, and wait until it has. Raises ``HostFailed``."""
    known = _reloads(read_log())
    host.call(Install([master]), timeout=5)
    host.call(RunCommand(["postfix", "-c", config_dir, "reload"], limit=5), timeout=6)
    within = deadline.within(RELOAD_SECONDS)
    while _reloads(read_log()) == known and not within.over:
        time.sleep(POLL_SECONDS)


def _reloads(log: Iterable[str]) -> int:
    return sum(RELOADED.search(line) is not None for line in log)

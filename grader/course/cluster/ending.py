"""What is told when a worker of a cluster ends, whatever ended it."""

from __future__ import annotations

from collections.abc import Callable

from distributed import Worker, WorkerPlugin


class Ending(WorkerPlugin):  # type: ignore[misc]
    """Calls ``leave`` when its worker begins to end, and says whether the scheduler was lost before.

    Dask has the worker wait up to 30 seconds for a job under way, whose answer nobody takes any more.
    """

    name = "smtplab-ending"

    def __init__(self, leave: Callable[[bool], None]) -> None:
        self._leave = leave

    def teardown(self, worker: Worker) -> None:
        """See ``WorkerPlugin``."""
        stream = worker.batched_stream
        self._leave(stream is None or bool(stream.closed()))

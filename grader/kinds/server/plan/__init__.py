"""From a lab, a submission and a variant to everything that will be tried on the server."""

from __future__ import annotations

from grader.kinds.server.plan.make import make

__all__ = ["make"]

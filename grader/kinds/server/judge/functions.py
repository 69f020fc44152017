"""Judge functions that a lab names in ``expect.function``, for what the keys of ``expect`` cannot say."""

from __future__ import annotations

from grader.kinds.findings import Judgement

FUNCTIONS: dict[str, Judgement] = {}

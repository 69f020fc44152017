"""Look-ups into the evidence of a server: beside what all traffic has, its queue, its milters, signatures."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from grader.kinds.server.facts import ServerFacts
from grader.kinds.traffic.index import EvidenceIndex
from grader.model.traffic import Queued

if TYPE_CHECKING:
    from grader.kinds.server.judge.dkim.reading import Signatures

MILTER_TROUBLE = re.compile(
    r"\bopendkim\[\d+\]: .*(?:error|can't|cannot|not secure|failed|unable|unavailable)|\bwarning: .*\bmilter\b",
    re.IGNORECASE,
)
"""A milter that cannot work, and Postfix that cannot reach it."""
CAUSE = re.compile(r"can't|not secure|No such|denied|refused")
"""Words of a line that names a cause; others tell what came of it."""


class ServerIndex(EvidenceIndex[ServerFacts]):
    """Look-ups into one evidence document of a server."""

    def left_in_queue(self) -> list[Queued]:
        """See ``EvidenceIndex``."""
        return self.facts.queued

    @cached_property
    def milter_log(self) -> int | None:
        """Index of the log line that best says why mail does not get past a milter."""
        found = [index for index, line in enumerate(self.facts.log) if MILTER_TROUBLE.search(line)]
        return min(found, key=lambda n: (not CAUSE.search(self.facts.log[n]), self.logged(n)), default=None)

    @cached_property
    def signatures(self) -> Signatures:
        """The signatures of the messages that arrived."""
        # Few labs are about signatures, and the others need not wait for the libraries.
        from grader.kinds.server.judge.dkim.reading import Signatures

        return Signatures(self.evidence, self.facts)

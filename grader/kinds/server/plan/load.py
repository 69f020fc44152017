"""What a submission says of a server under load, and its master.cf as the master itself would have it then.

Where all processes of a public port are busy, Postfix's master starts the next ones with ``-o stress=yes``, and
settings may look at that (STRESS_README). Whoever opens connections enough brings it about: what is open then is open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.kinds.server.declare import ServerSubmission
from grader.kinds.server.plan.install import config_dir, installed
from grader.model.latepattern import late_pattern
from grader.model.plan import File
from grader.model.submission import Submission

_ASKS = late_pattern(rb"^(?![ \t]*#).*\$[({]?stress\b", re.MULTILINE)
_GAP = rb"(?:[ \t]|\n(?=[ \t]))++"
_LISTENER = late_pattern(
    rb"^(?P<begins>[^\s#]\S*+"
    + _GAP
    + rb"inet(?:"
    + _GAP
    + rb"\S++){4}"
    + _GAP
    + rb"(?P<most>\S++)"
    + _GAP
    + rb"\S++)",
    re.MULTILINE,
)
"""Up to its command; ``most`` is how many processes it may have (master(5))."""


def asks_for_load(files: Mapping[str, bytes]) -> bool:
    """Whether main.cf or master.cf looks at ``$stress``."""
    return any(_ASKS.search(files.get(name, b"")) for name in ("main.cf", "master.cf"))


def under_load(rules: ServerSubmission, submission: Submission) -> File | None:
    """The submission's master.cf with every port under load; ``None`` where nothing in its settings looks at that."""
    place = f"{config_dir(rules)}/master.cf"
    files = {file.path.rpartition("/")[2]: file for _, file in installed(rules, submission)}
    file = files.get("master.cf")
    if file is None or file.path != place or not asks_for_load({name: f.data for name, f in files.items()}):
        return None
    return File(file.path, _stressed(file.data), file.mode, file.owner)


def _stressed(master: bytes) -> bytes:
    """The option stands before those of the file, which may say otherwise; a lone process has none (master_ent.c)."""

    def with_option(entry: re.Match[bytes]) -> bytes:
        return entry[0] if entry["most"] == b"1" else entry[0] + b" -o stress=yes"

    return _LISTENER.sub(with_option, master)

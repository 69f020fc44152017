"""Regular expressions that are compiled when they are first used: a command needs few of the many that there are."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _LatePattern:
    """Stands for an ``re.Pattern``, and has whatever that has."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._wanted = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not here yet. It stays: a second use costs no more than one of a pattern.
        value = getattr(re.compile(*self._wanted), name)
        setattr(self, name, value)
        return value


def late_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As ``re.compile``, but compiled at its first use, which raises ``re.error`` for a bad one. Call its own methods:
    the functions of ``re`` do not take it."""
    return cast("re.Pattern[AnyStr]", _LatePattern(pattern, flags))

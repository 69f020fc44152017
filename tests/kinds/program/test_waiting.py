"""How long a run is waited for, chosen by what the files handed in say of time."""

from __future__ import annotations

import pytest

from grader.kinds.program.run.conduct import LIMITS
from tests.tables import every


@every(
    "text",
    [
        b"smtplib.SMTP(host, port, timeout=3)",
        b"timeout 8 swaks",
        b"alarm 8;",
        b"curl -m 8 smtp://x",
        b"curl --max-time 8",
        b"read -r -t 5 line",
        b"nc -w 5 x 25",
        b"for i in 1 2 3; do sleep 1; done",
        b"kill $watched",
        b"select.select([s], [], [], 3)",
        b"\x7fELF\x02",
    ],
)
def test_whoever_sets_a_limit_gets_all_the_time(text: bytes) -> None:
    assert LIMITS.search(text)


@pytest.mark.parametrize("text", [b"curl -s -k --ssl smtp://x --mail-from y", b"swaks --server x --to y"])
def test_whoever_sets_none_is_not_waited_for_in_vain(text: bytes) -> None:
    assert not LIMITS.search(text)

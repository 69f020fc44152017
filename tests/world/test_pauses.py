"""How a server that waits on purpose is told from one that has too much to do."""

from __future__ import annotations

import pytest

from grader.world.pauses import Pauses

SLOW = [("MAIL", 0.0), ("RCPT", 1.01), ("RSET", 0.0)]


@pytest.mark.parametrize(
    ("waits", "regular"),
    [
        ([("MAIL", 1.0), ("RCPT", 1.02)], True),
        (SLOW * 3, True),
        (SLOW * 2, False),
        ([("RCPT", 1.0), ("MAIL", 0.3), ("RCPT", 1.6), ("MAIL", 0.1), ("RCPT", 1.0)], False),
        ([("MAIL", 0.1), ("RCPT", 0.1), ("RCPT", 0.1), ("RCPT", 0.1)], False),
        ([("MAIL", 1.0), ("RCPT", 3.0), ("RSET", 2.0)], False),
    ],
)
def test_waits_of_one_length_are_meant(waits: list[tuple[str, float]], regular: bool) -> None:
    pauses = Pauses(0.9)
    for verb, seconds in waits:
        pauses.note(seconds, f"{verb} something")
    assert pauses.regular is regular

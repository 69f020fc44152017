"""What is told of a run's traffic in sentences."""

from __future__ import annotations

import pytest

from grader.kinds.traffic.narrative import probing
from grader.model.traffic import OutsideMail
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome

KEPT = "1 message arrived outside and 0 in local mailboxes."


@pytest.mark.parametrize(
    ("outside", "told"),
    [
        (None, [KEPT]),
        (OutsideMail(1, 40, 0, 0, 1, ""), [KEPT]),
        (
            OutsideMail(4000, 48_000_000, 3999, 47_999_960, 1, ""),
            [
                KEPT,
                "4,000 messages arrived outside in all, 48,000,000 octets; kept are 1: the attempts' own, and a sample "
                "of 3,999 others.",
            ],
        ),
    ],
)
def test_mail_that_was_not_kept_is_counted(outside: OutsideMail | None, told: list[str]) -> None:
    run = evidence(lab(check()), [facts()], [outcome("accepted")], [arrival()], outside=outside)
    assert [line for line in probing(run.facts) if "arrived" in line] == told

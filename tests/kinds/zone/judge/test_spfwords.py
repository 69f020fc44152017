"""What breaks a term of an SPF record, in words."""

from __future__ import annotations

import pytest

from grader.kinds.zone.judge.spfwords import fault


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("%{c}", "in explanations (exp=) alone"),
        ("%{R2}", "in explanations"),
        ("%{z}", "no macro"),
        ("%x", "%%"),
    ],
)
def test_a_macro_that_stands_for_nothing_here_is_told_from_one_that_there_is_not(
    part: str, said: str
) -> None:
    assert said in fault(f"exists:{part}.example.com", "macro", part)

"""What the lab open-relay promises beside what every lab does."""

from __future__ import annotations

import re

import pytest

from grader import labs
from grader.model.lab import Check

FOLDER = labs.find("open-relay")
LAB = labs.load(FOLDER)

each_check = pytest.mark.parametrize("check", LAB.all_checks, ids=lambda check: check.code)


@each_check
def test_only_the_next_step_and_the_hints_name_parameters(check: Check) -> None:
    named = re.compile(r"\b(?:smtpd?|postscreen|local|virtual|inet|relay|disable|permit|reject)_\w+")
    for text in (check.title, check.expected or "", check.why):
        assert not named.search(text)
    assert "`" in check.next


def test_the_help_with_logins_names_all_that_starttls_needs() -> None:
    auth = next(check for check in LAB.all_checks if check.code == "auth")
    assert auth.hints is not None
    for text in (auth.next, auth.hints.example or ""):
        assert "`smtpd_tls_security_level = may`" in text

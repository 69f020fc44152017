"""Texts made from the grammar of a submission's regular expressions."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from grader.kinds.server.plan.patterns import HOLE, condition_in, joined, patterns_in, rerouting_in, samples
from tests.conftest import examples
from tests.tables import every


@every(
    ("pattern", "texts"),
    [
        (r"^([^=]+)=([^=]+)@example\.com$", [f"{HOLE}={HOLE}@example.com"]),
        (r"(alice|bob)@example\.com", ["alice@example.com", "bob@example.com"]),
        (r"^10\.20\.3[01]\.", ["10.20.30.", "10.20.31."]),
        (r"^bounce-(.+)-at-(.+)@", [f"bounce-{HOLE}-at-{HOLE}@"]),
        (r"^x[[:digit:]]{2}y$", [f"x{digit}{digit}y" for digit in "01234567"]),
        (r"^X-To:\s*(.+)$", [f"X-To: {HOLE}", f"X-To:{HOLE}"]),
        (r".*", []),
        (r"(((", []),
        (r"^[^@]+(?<!x)@example\.com$", [f"{HOLE}@example.com"]),
    ],
)
def test_samples(pattern: str, texts: list[str]) -> None:
    assert [sample.text for sample in samples(pattern)] == texts


@pytest.mark.parametrize(
    ("pattern", "ends"),
    [("^a.b$", (True, True)), ("a.b$", (False, True)), ("^a.b", (True, False)), ("a.b", (False, False))],
)
def test_which_ends_are_fixed(pattern: str, ends: tuple[bool, bool]) -> None:
    sample, loose = samples(pattern)
    assert (sample.begins, sample.ends) == ends
    assert loose == replace(sample, text="a-b", loose=True)


@given(
    st.from_regex(
        r"\^?[a-z]{1,4}(\[[a-z]{1,3}\]|\([a-z]{1,3}\|[a-z]{1,3}\)|\.)?[a-z]{0,3}\$?", fullmatch=True
    )
)
def test_a_sample_matches_its_pattern(pattern: str) -> None:
    for sample in samples(pattern):
        assert re.search(pattern, sample.text.replace(HOLE, "z"))


@pytest.mark.parametrize(
    ("line", "patterns"),
    [
        ("/^a@b/ OK", ["^a@b"]),
        (r"/a\/b/i OK", ["a/b"]),
        ("!/a/ OK", ["a"]),
        ("smtpd_x = check_client_access regexp:{ {/a b/ OK}, {/c/ OK} }", ["a b", "c"]),
        ("smtpd_x = hash:/etc/postfix/senders, cidr:/etc/postfix/nets", []),
    ],
)
def test_patterns_on_a_line(line: str, patterns: list[str]) -> None:
    assert patterns_in(line) == patterns


@pytest.mark.parametrize(
    ("line", "patterns"),
    [
        ("/^X-Route: (.*)$/ REDIRECT $1", ["^X-Route: (.*)$"]),
        ("header_checks = regexp:{ {/^To: (.*)/i filter smtp:$1}, {/^From:/ PREPEND X: y} }", ["^To: (.*)"]),
        ("/REDIRECT x/ OK", []),
    ],
)
def test_patterns_that_send_letters_elsewhere(line: str, patterns: list[str]) -> None:
    assert rerouting_in(line) == patterns


@settings(max_examples=examples(300), deadline=None)
@given(st.text("ab.*+?{}()[]|^$\\0123,:<>=!-", max_size=80))
def test_any_pattern_is_read(pattern: str) -> None:
    samples(pattern)


@pytest.mark.parametrize(
    "hostile", ["(a+)+$" * 60, "(" * 400, "a{60000}" * 50, "(a|b|c|d)" * 50, "[^a]" * 120]
)
def test_no_pattern_takes_long(hostile: str) -> None:
    began = time.process_time()
    samples(hostile)
    assert time.process_time() - began < 1


@every(
    ("line", "pattern"),
    [("if /^To:/", "^To:"), (r"IF /a\/b/i", "a/b"), ("/if/ OK", None), ("endif", None), ("if !/^To:/", None)],
)
def test_a_condition_of_a_table(line: str, pattern: str | None) -> None:
    assert condition_in(line) == pattern


@every(
    ("condition", "pattern"),
    [
        ("^X-Forward-To:", r":\s*([^<> ]+@[^<> ]+)"),
        ("^Subject:", "forward to (.+)$"),
        ("forward", "^X-Forward: (.+)"),
        ("^List-", "Post: (.+)$"),
    ],
)
def test_what_stands_within_a_condition_matches_both(condition: str, pattern: str) -> None:
    for inner in samples(pattern):
        text = joined(samples(condition)[0], inner).text.replace(HOLE, "ann@b")
        assert re.search(condition, text, re.IGNORECASE)
        assert re.search(pattern, text)

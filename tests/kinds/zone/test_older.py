"""What sentences of version 1 said is read into the fields of today."""

from __future__ import annotations

from typing import Any

import pytest

from grader.kinds.zone.older import upgraded


@pytest.mark.parametrize(
    ("explanation", "trouble", "limit"),
    [
        ("SPF Permanent Error: Too many DNS lookups", "limit", "lookups"),
        ("SPF Permanent Error: More than 2 DNS look-ups find nothing", "limit", "voids"),
        ("SPF Permanent Error: Unknown mechanism found: ip:192.0.2.80", "syntax", None),
        ("SPF Permanent Error: Two or more type TXT spf records found.", "several", None),
        ("SPF Permanent Error: No valid SPF record for included domain: x.example: include:x.example", "missing", None),
        ("SPF Temporary Error: DNS: no answer about example.com TXT", "no-answer", None),
    ],
)  # fmt: skip
def test_why_a_record_could_not_be_used(explanation: str, trouble: str, limit: str | None) -> None:
    old = {"result": "permerror", "domain": "example.com", "explanation": explanation, "term": "x"}
    found = upgraded({"receptions": [{"spf": old}]})["receptions"][0]["spf"]
    assert (found["trouble"], found.get("limit"), found["term"]) == (trouble, limit, "x")
    measured = {"domain": "example.com", "problem": explanation.partition(" Error: ")[2], "term": "x"}
    verdict = upgraded({"measured": [measured]})["measured"][0]["verdict"]
    assert (verdict["trouble"], verdict.get("limit"), verdict["term"]) == (trouble, limit, "x")


@pytest.mark.parametrize(
    ("records", "problem", "fault", "tag"),
    [
        ([], "no policy record", "none", None),
        ([], "no answer about _dmarc.example.com TXT", "no-answer", None),
        (["v=DMARC1; p=none", "v=DMARC1; p=none"], "several policy records, …", "several", None),
        (["v=DMARC1; p=none; sp=maybe"], "sp=maybe is no policy", "bad-policy", "sp"),
        (["v=DMARC1"], "the record says no policy (p)", "no-policy", "p"),
        (["v=DMARC1; p=none"], "", None, None),
    ],
)
def test_what_was_wrong_with_a_policy(records: list[str], problem: str, fault: str, tag: str) -> None:
    found: dict[str, Any] = upgraded({"published": [{"records": records, "problem": problem}]})["published"][
        0
    ]
    assert (found.get("fault"), found.get("tag")) == (fault, tag)

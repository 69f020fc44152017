"""What stands before and behind the server's own names and addresses, and behind its recipients."""

from __future__ import annotations

import re

import pytest

from grader.kinds.server.plan.lookalikes import (
    around_addresses,
    around_names,
    domains,
    fields,
    matched_fields,
    matched_lines,
    nobodies,
    recipients,
    rerouting_names,
    rerouting_senders,
    senders,
    text_lines,
)
from grader.kinds.server.plan.patterns import samples
from tests.tables import every

NAMES = {
    "domain": "example.com",
    "host": "mail.example.com",
    "outside": "elsewhere.example",
    "outside_host": "mx.elsewhere.example",
    "third": "third.example",
}


@every(
    ("pattern", "expected"),
    [
        (r"\.edu$", ["mail.edu"]),
        (r"\.ac\.[a-z]{2}$", ["mail.ac.de"]),
        (r"@.*\.gov$", ["mail.gov"]),
        (r"university", ["university.stranger.example"]),
        (r"@(.*\.)?partner\.org$", ["mail.partner.org"]),
        (r"@([^@]*\.)?example\.com$", []),
        (r"^abuse@", []),
        (r"^10\.20\.30\.", []),
    ],
)
def test_domains_to_which_a_pattern_lets_mail_go(pattern: str, expected: list[str]) -> None:
    found = domains("example.com", samples(pattern))
    assert set(expected) <= set(found)
    assert expected or not found


@every(
    ("pattern", "field", "line"),
    [
        (r"^Reply-To:", "Reply-To: x1", "Reply-To:"),
        (r"^Subject: (AW|WG): (.*)", "Subject: AW: x1", "Subject: AW: x1"),
        (r"^X-Sign-Me: yes", "X-Sign-Me: yes", "X-Sign-Me: yes"),
        (r"confidential", "Subject: confidential", "confidential"),
    ],
)
def test_a_letter_with_what_a_pattern_matches(pattern: str, field: str, line: str) -> None:
    assert matched_fields(samples(pattern))[0] == field
    assert matched_lines(samples(pattern))[0] == line


@pytest.mark.parametrize(
    "pattern",
    [r"example\.com", r"(^|\.)example\.com", r"example\.com$", r"^mail\.example\.com", r"^mail.example.com$"],
)
def test_a_pattern_for_a_name_lets_in_somebody_elses_name(pattern: str) -> None:
    own = ("example.com", "mail.example.com")
    theirs = [name for name in around_names(own, samples(pattern)) if not name.endswith(".example.com")]
    assert [name for name in theirs if re.search(pattern, name)]


@pytest.mark.parametrize(
    "pattern",
    [r"10\.20\.30\.", r"^10\.20\.3", r"^10\.20\.3[02468]\.", r"10\.20\.30\.50$", r"\.77$", r"[.]5[.]5$"],
)
def test_a_pattern_for_addresses_lets_in_one_beside_the_lan(pattern: str) -> None:
    found = [a for a in around_addresses("10.20.30.0/24", samples(pattern)) if not a.startswith("10.20.30.")]
    assert [address for address in found if re.search(pattern, address)]


@pytest.mark.parametrize("pattern", ["^10.20.30.", "^10.20.30", "10.20.30.50"])
def test_a_pattern_whose_dots_are_anything_lets_in_a_name(pattern: str) -> None:
    assert [name for name in around_names((), samples(pattern)) if re.search(pattern, name)]


@pytest.mark.parametrize(
    ("pattern", "field"),
    [
        (r"^X-Route: *(.*)$", "X-Route: {token}@elsewhere.example"),
        (r"^To:.*[ <]([^ <>@]+@[^ <>]+)", "To:x1 {token}@elsewhere.example"),
        (r"^X-Next-Hop:\s*(\S+)", "X-Next-Hop: mx.elsewhere.example"),
        (r"forward to (.+)$", "Comments: forward to {token}@elsewhere.example"),
        (r"^X-(.*): via (.*)$", "X-x1: via {token}@elsewhere.example"),
    ],
)
def test_fields_that_send_a_letter_elsewhere(pattern: str, field: str) -> None:
    assert field in fields(NAMES, samples(pattern))


def test_a_field_is_one_line() -> None:
    assert fields(NAMES, samples(r"^X-Route: (.*)\r\nDATA(.*)")) == []


@pytest.mark.parametrize(
    ("pattern", "recipient"),
    [
        (r"^([^=]+)=([^=]+)@example\.com$", "{token}=elsewhere.example@example.com"),
        (r"^([^=]+)=([^=]+)@example\.com$", "elsewhere.example={token}@example.com"),
        (r"^fwd-(.+)_at_(.+)@", "fwd-{token}_at_elsewhere.example@example.com"),
        (
            r"^SRS0=[^=]+=[a-z]{2}=([^=]+)=(.*)@example\.com$",
            "SRS0=x1=x1=elsewhere.example={token}@example.com",
        ),
        (r"^out#(.*)@example\.com$", "out#{token}@elsewhere.example@example.com"),
        (r"@example\.com", "{token}@example.com.elsewhere.example"),
    ],
)
def test_recipients_behind_which_somebody_outside_stands(pattern: str, recipient: str) -> None:
    assert recipient in recipients(NAMES, samples(pattern))


@pytest.mark.parametrize(
    ("pattern", "recipient"),
    [
        (r"^(.+)\+.*@example\.com$", "{token}+elsewhere.example@example.com"),
        (r"^sales.*@example\.com$", "sales{token}@example.com"),
        (r"^alice\+(.*)@example\.com$", None),
        (r"^(.*)@example\.com$", "{token}@example.com"),
        (r"@elsewhere\.example$", None),
    ],
)
def test_nobodies_whom_a_pattern_takes_for_somebody(pattern: str, recipient: str | None) -> None:
    found = nobodies(NAMES, samples(pattern))
    assert recipient in found if recipient else found == []


def test_every_recipient_holds_the_token_and_no_end_of_a_command() -> None:
    patterns = (r"a\r\nDATA\r\n(.*)=(.*)@x", r"<(.+)>@x", r"^(.+) (.+)@x")
    found = recipients(NAMES, [sample for pattern in patterns for sample in samples(pattern)])
    assert found
    assert all("{token}" in text and not re.search(r"[\s<>]", text) for text in found)


@pytest.mark.parametrize("pattern", [r"alice@example\.com", r"^alice@example\.com", r"alice@example\.com$"])
def test_a_pattern_of_owners_takes_another_address(pattern: str) -> None:
    assert [sender for sender in senders("alice", NAMES, []) if re.search(pattern, sender)]


def test_an_address_that_nobody_can_have_is_nobodys() -> None:
    assert "alice@example-com" not in senders("alice", NAMES, samples(r"^alice@example.com$"))
    assert "bob@mail-example.com" in senders("alice", NAMES, samples(r"^bob@mail.example\.com$"))


def test_no_senders_are_the_users_own() -> None:
    made = samples(r"^(alice|bob)(\+.*)?@example\.com$")
    found = senders("alice", NAMES, made)
    assert "bob@example.com" in found
    assert not [sender for sender in found if re.fullmatch(r"alice(\+.*)?@example\.com", sender)]


def test_a_letter_has_the_line_by_which_a_pattern_sends_it_on() -> None:
    found = text_lines(NAMES, samples(r"^please forward to (\S+@\S+)"))
    assert "please forward to {token}@elsewhere.example" in found
    assert text_lines(NAMES, samples(r"^X-Send-To: (.*)$")) == [
        "X-Send-To: {token}@elsewhere.example",
        "X-Send-To: mx.elsewhere.example",
    ]
    assert "Comments: please forward to {token}@elsewhere.example" in fields(
        NAMES, samples(r"^please forward to (\S+@\S+)")
    )


def test_a_recipient_is_as_long_as_the_pattern_wants_it() -> None:
    found = recipients(NAMES, samples(r"^[^@]{40,}@"))
    assert any(re.match(r"[^@]{40,}@elsewhere\.example$", text) for text in found)


@pytest.mark.parametrize("pattern", [r"^(.+)=(.+)@[^@]+$", r"^([^=@]+)=([^@]+)@"])
def test_a_sender_names_the_way_by_a_pattern(pattern: str) -> None:
    found = [
        re.match(pattern, s.replace("{token}", "ann1")) for s in rerouting_senders(NAMES, samples(pattern))
    ]
    assert ("ann1", "elsewhere.example") in [match.groups() for match in found if match]


def test_a_name_in_ehlo_names_the_way_by_a_pattern() -> None:
    assert rerouting_names(NAMES, samples(r"^([^.]+)\.at\.(.+)$")) == ["{token}.at.elsewhere.example"]
    assert rerouting_names(NAMES, samples(r"^(.+) to (.+)$")) == []


def test_a_program_may_look_at_both_ends_of_a_sender() -> None:
    assert "alices@example.com" not in senders("alice", NAMES, [])
    assert "alices@example.com" in senders("alice", NAMES, [], by_parts=True)


def test_a_name_that_names_somebody_outside_ends_as_a_name_does() -> None:
    found = rerouting_names(NAMES, samples(r"^([a-z0-9]+)\.at\.([a-z]+\.example)\."))
    assert "{token}.at.elsewhere.example.example.stranger.example" in found

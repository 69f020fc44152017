"""Honest messages, as they come every day, accuse nobody; of forged ones the finding names the line.

A message is text of ``messages/``: '=== ' begins its title. In ``forged.txt`` the title is followed by the rule of the
finding, and by the beginning of the line that shows it.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.lesson.analyser import Analysis, analyse
from grader.lesson.analyser.findings import neighbours, related
from tests.conftest import examples
from tests.tables import every

FOLDER = Path(__file__).parent / "messages"
ACCUSING = {"bad", "care"}


def messages(name: str) -> list[tuple[str, str]]:
    """The titles and texts of a file."""
    parts = (FOLDER / name).read_text(encoding="utf-8").split("=== ")[1:]
    return [(title, text) for title, _, text in (part.partition("\n") for part in parts)]


def analysed(text: str, own: str = "") -> Analysis:
    """What is found in a message as it is sent."""
    return analyse((text if "\n\n" in text else f"{text}\n").replace("\n", "\r\n").encode(), own)


HONEST = messages("honest.txt")
FORGED = [(*map(str.strip, title.split(" | ")), text) for title, text in messages("forged.txt")]


def test_there_are_enough_of_both() -> None:
    assert len(HONEST) >= 100
    assert len(FORGED) >= 45


@every(("title", "text"), HONEST, ids=[title for title, _ in HONEST])
def test_an_honest_message_accuses_nobody(title: str, text: str) -> None:
    found = analysed(text).findings
    assert [one.sentence for one in found if one.grave in ACCUSING] == []
    words = " ".join(one.sentence for one in found)
    assert not any(word in words for word in ("invented", "forged", "lied", "hide"))


@every(("title", "rule", "line", "text"), FORGED, ids=[one[0] for one in FORGED])
def test_a_forged_message_is_told_at_its_line(title: str, rule: str, line: str, text: str) -> None:
    shown = [one.line for one in analysed(text).findings if one.rule == rule and one.line]
    assert any(text.split("\n")[number - 1].startswith(line) for number in shown)


PIECES = [
    *(piece for _, text in HONEST[::4] for piece in text.split(" ")), "\n", "\n ", ";", "(", '"', "\x00", "\udcff",
]  # fmt: skip


@settings(max_examples=examples(60))
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join) | st.text(max_size=100))
def test_no_text_raises(text: str) -> None:
    found = analyse(text.encode("utf-8", "surrogateescape" if "\udcff" in text else "surrogatepass"))
    assert all(0 <= one.line <= text.count("\n") + 1 for one in found.findings)


def test_an_invented_line_in_the_readers_name_gains_no_trust() -> None:
    [text] = [text for title, _, _, text in FORGED if title.startswith("An invented line")]
    found = analysed(text)
    assert found.trusted == 1
    assert [one.standing for one in found.results] == ["unsure"]
    assert "dmarc-passed" not in {one.rule for one in found.findings}


def test_what_the_reader_says_of_his_servers_counts_over_what_is_found() -> None:
    for title, text in HONEST:
        found = analysed(text, "nobody.example")
        assert not [one for one in found.findings if one.grave == "bad"], title


TRUSTING = {"dmarc-passed", "arc-passed"}


@every("text", [text for *_, text in FORGED], ids=[one[0] for one in FORGED])
def test_nothing_that_a_forger_may_have_written_is_believed(text: str) -> None:
    assert not TRUSTING & {one.rule for one in analysed(text).findings}


def test_what_a_server_without_a_name_wrote_above_its_own_line_is_its_own() -> None:
    [text] = [text for title, text in HONEST if title.startswith("Yahoo, whose servers")]
    found = analysed(text)
    assert (found.own, found.trusted) == ("", 1)
    assert [one.standing for one in found.results] == ["own", "own"]
    assert "dmarc-passed" in {one.rule for one in found.findings}


@every(
    ("title", "own", "trusted"),
    [
        ("From Gmail to Gmail, with", "google.com", 2),
        ("From Proton to Fastmail", "messagingengine.com", 4),
        ("Outlook.com, whose inner servers", "outlook.com", 4),
    ],
)
def test_what_a_large_provider_found_is_believed(title: str, own: str, trusted: int) -> None:
    [text] = [text for known, text in HONEST if known.startswith(title)]
    found = analysed(text)
    assert (found.own, found.trusted) == (own, trusted)
    assert "dmarc-passed" in {one.rule for one in found.findings}


def test_registries_of_countries_keep_their_own_labels() -> None:
    assert not related("mx.one.plc.uk", "mx.two.plc.uk")
    assert related("mx.one.plc.uk", "one.plc.uk")
    assert related("mout.web.de", "web.de")


def test_inner_servers_with_public_addresses_of_one_network_are_the_readers() -> None:
    [text] = [text for title, text in HONEST if title.startswith("Exchange Online, whose inner")]
    found = analysed(text)
    assert found.trusted == 4
    assert [one.standing for one in found.results] == ["own", "own"]


@every(
    ("title", "typed", "own"),
    [
        ("From Gmail to Gmail, with", "bob@gmail.com", "gmail.com"),
        ("Outlook.com, whose inner servers", "hotmail.com", "hotmail.com"),
        (
            "From Proton to Fastmail",
            "example.com, mx.messagingengine.com",
            "example.com, messagingengine.com",
        ),
    ],
)
def test_a_reader_may_say_an_address_or_several_domains(title: str, typed: str, own: str) -> None:
    [text] = [text for known, text in HONEST if known.startswith(title)]
    found, unsaid = analysed(text, typed), analysed(text)
    assert (found.own, found.trusted) == (own, unsaid.trusted)
    assert found.results == unsaid.results


def test_a_mailbox_at_a_provider_does_not_speak_for_its_other_domains() -> None:
    assert neighbours("smtp.gmail.com", "mail-pf1-x432.google.com")
    assert not related("gmail.com", "google.com")


def test_what_may_be_of_the_readers_server_is_not_said_to_be_missing() -> None:
    text = (
        "Received: from mail.example.org (mail.example.org [203.0.113.10]) by mailin022.protonmail.ch (Postfix) with\n"
        " ESMTPS id 4N for <bob@protonmail.com>; Mon, 16 Feb 2026 08:00:02 +0000\n"
        "Received: from pc (localhost [127.0.0.1]) by mail.example.org (Postfix) with ESMTP id 5;\n"
        " Mon, 16 Feb 2026 08:00:01 +0000\n"
        "Authentication-Results: mailin022.protonmail.ch; spf=pass smtp.mailfrom=example.org\n"
        "From: alice@example.org\n\nHi\n"
    )
    rules = {one.rule for one in analysed(text).findings}
    assert "own-results-below" in rules
    assert "no-results" not in rules


@every(
    ("title", "own", "trusted"),
    [
        ("M365 to M365 other tenant", "outlook.com", 4),
        ("Exchange on-prem from Exim", "corp.example", 3),
        ("qmail, client with name", "example.net", 2),
        ("Yahoo (", "yahoo.com", 2),
        ("SendGrid", "google.com", 2),
        ("Dovecot LMTP", "example.com", 2),
        ("Proofpoint pphosted", "corp.example", 2),
        ("iCloud", "apple.com", 2),
    ],
)
def test_the_readers_servers_end_where_the_stranger_comes_in(title: str, own: str, trusted: int) -> None:
    [text] = [text for known, text in HONEST if known.startswith(title)]
    found = analysed(text)
    assert (found.own, found.trusted) == (own, trusted)

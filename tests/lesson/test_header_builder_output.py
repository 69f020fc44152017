"""What the page makes of hostile forms: messages that keep the rules, and say to two parsers what was typed.

The parsers are Python's own and fast-mail-parser, which is Rust's mailparse and shares nothing with it.
"""

from __future__ import annotations

import email
import re
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest

from grader.formats.message import check_message
from grader.lesson.composer import tables
from grader.lesson.composer.typed import Group, read_addresses
from tests.lesson.embedded import Scripts
from tests.lesson.hostile import Form, form, good_form, many

pytestmark = [pytest.mark.slow, pytest.mark.together("header scripts")]

parser = pytest.importorskip("fast_mail_parser")

LABELS = {field.id: field.label for field in tables().fields}


@pytest.fixture(scope="module")
def made(header_scripts: Scripts) -> list[tuple[Form, dict[str, Any]]]:
    """Hostile forms with what the page's builder makes of them."""
    forms = many(form, 400) + many(good_form, 400)
    return list(zip(forms, header_scripts.ask("smtplab.compose(value, tables)", forms), strict=True))


@pytest.fixture(scope="module")
def messages(made: list[tuple[Form, dict[str, Any]]]) -> list[tuple[Form, dict[str, Any], bytes]]:
    """Those of which a message was made."""
    whole = [
        (values, draft, draft["message"].encode("latin-1")) for values, draft in made if draft["message"]
    ]
    assert len(whole) >= 400
    return whole


def test_where_no_message_is_made_a_field_says_why(made: list[tuple[Form, dict[str, Any]]]) -> None:
    refused = [draft for _, draft in made if draft["message"] is None]
    assert refused
    for draft in refused:
        assert any(complaint["severity"] == "error" for complaint in draft["complaints"])


def test_no_message_breaks_a_rule(messages: list[tuple[Form, dict[str, Any], bytes]]) -> None:
    for values, _, raw in messages:
        # Advice may be left over where an address or a web address is longer than a line.
        broken = [
            fault
            for fault in check_message(raw)
            if fault.severity == "error" or fault.rule == "encoded-word-control"
        ]
        assert broken == [], values


def test_lines_are_short_and_fields_are_those_that_were_meant(
    messages: list[tuple[Form, dict[str, Any], bytes]],
) -> None:
    for values, draft, raw in messages:
        header, _, _ = raw.partition(b"\r\n\r\n")
        # Every line that does not go on from the one before it begins a field, and is one that the builder meant.
        names = [line.partition(b":")[0].decode() for line in re.split(rb"\r\n(?![ \t])", header)]
        assert names == [field["name"] for field in draft["fields"]], values
        assert set(names) <= {*LABELS.values(), "MIME-Version"} - {"Bcc", "Body"}
        assert len(names) == len(set(names))
        assert raw.isascii() or values["content-transfer-encoding"] == "8bit"
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert b"\n" not in raw.replace(b"\r\n", b"")


def people(typed: str) -> list[tuple[str, str]]:
    """Who was typed, by the builder's own reading: the names as they are shown, and the addresses."""
    listed = read_addresses(typed.strip(" "))
    boxes = [box for one in listed for box in (one.mailboxes if isinstance(one, Group) else [one])]
    return [(spaced(box.name), box.address) for box in boxes]


def has_group(typed: str) -> bool:
    return any(isinstance(one, Group) for one in read_addresses(typed.strip(" ")))


def spaced(text: str) -> str:
    """Readers do not agree on rows of spaces."""
    return re.sub(" +", " ", text).strip(" ")


def python_people(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    """Without white space, which Python keeps between two encoded words and takes out of one, against RFC 2047."""
    listed: tuple[Address, ...] = message[name].addresses
    return [("".join(one.display_name.split()), one.addr_spec) for one in listed]


def test_python_reads_what_was_typed(messages: list[tuple[Form, dict[str, Any], bytes]]) -> None:
    for values, _, raw in messages:
        message = email.message_from_bytes(raw, policy=policy.default)
        assert message.defects == [], values
        assert str(message["Subject"] or "") == values["subject"].strip(" "), values
        for id_ in ("from", "to", "cc"):
            if values[id_].strip(" "):
                typed = [("".join(name.split()), address) for name, address in people(values[id_])]
                assert python_people(message, LABELS[id_]) == typed, values
        assert message["Bcc"] is None
        assert body(message.get_content()) == body(values["body"]), values


def test_another_parser_reads_what_was_typed(messages: list[tuple[Form, dict[str, Any], bytes]]) -> None:
    for values, draft, raw in messages:
        message = parser.parse_email(raw)
        assert message.warnings == [], values
        assert set(message.headers) == {field["name"] for field in draft["fields"]}, values
        assert all(len(found) == 1 for found in message.headers.values())
        # It keeps the space that a folded first line begins with, and takes U+FEFF for a byte order mark.
        assert unmarked(message.subject) == unmarked(values["subject"]), values
        assert body("".join(message.text_plain)) == body(values["body"]), values
        for id_, found in (("from", [message.from_]), ("to", message.to), ("cc", message.cc)):
            # It takes what follows a group for a part of the next address.
            if values[id_].strip(" ") and not has_group(values[id_]):
                read = [(spaced(unmarked(one.display_name or "")), one.address) for one in found]
                typed = [(spaced(unmarked(name)), address) for name, address in people(values[id_])]
                assert read == (typed[:1] if id_ == "from" else typed), values


def test_blind_recipients_stand_in_the_envelope_alone(
    messages: list[tuple[Form, dict[str, Any], bytes]],
) -> None:
    told = 0
    for values, draft, raw in messages:
        if values["bcc"].strip(" "):
            hidden = {address for _, address in people(values["bcc"])}
            assert hidden <= set(draft["recipients"])
            assert not re.search(rb"(?im)^bcc", raw.partition(b"\r\n\r\n")[0])
            told += 1
    assert told


def body(text: str) -> str:
    """A body without the differences that no reader sees: kinds of line ends, and the last of them."""
    return re.sub("\r\n|\r|\n", "\n", text).removesuffix("\n").replace("\ufeff", "")


def unmarked(text: str) -> str:
    """A text as fast-mail-parser gives it: without marks of byte order, and white space of any kind around it."""
    return text.replace("\ufeff", "").strip()

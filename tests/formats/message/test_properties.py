"""The rules about messages hold for whatever is thrown at them, and agree with Python's own writer and parser."""

from __future__ import annotations

import email
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email import errors, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader.formats.message import check_message
from grader.formats.message.rules import RULES
from grader.lesson import library
from grader.lesson.samples import assemble
from tests.conftest import examples

SAMPLE = assemble(library().sample, "")
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"<",
    b">",
    b"@",
    b'"',
    b"\\",
    b"(",
    b")",
    b"[",
    b"]",
    b"=",
    b"=?utf-8?Q?",
    b"=?utf-8?B?",
    b"?=",
    b"--x",
    b"--x--",
    b"\x00",
    b"\xff",
    b"\xc3\xa4",
    b"Date: ",
    b"From: ",
    b"To: ",
    b"Subject: ",
    b"Message-ID: ",
    b"MIME-Version: 1.0\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/plain; charset=",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"boundary*0=x",
    b"21 Feb 2026 10:00:00 -0500",
    b"a@example.com",
    b"R3LDvMOfZQ==",
    b"=C3=BC",
]

# Python breaks lines of quoted-printable at the policy's 78 characters, where RFC 2045 section 6.7 has 76.
WRITER = policy.SMTP.clone(max_line_length=76)

STRUCTURE: dict[type[errors.MessageDefect], set[str]] = {
    errors.FirstHeaderLineIsContinuationDefect: {"continuation-first"},
    errors.MissingHeaderBodySeparatorDefect: {"missing-separator", "field-name", "space-before-colon"},
    errors.NoBoundaryInMultipartDefect: {"boundary-missing"},
    errors.StartBoundaryNotFoundDefect: {"boundary-absent"},
    errors.CloseBoundaryNotFoundDefect: {"boundary-unclosed"},
    errors.InvalidMultipartContentTransferEncodingDefect: {"encoding-composite", "encoding-unknown"},
    errors.InvalidBase64PaddingDefect: {"base64-broken"},
    errors.InvalidBase64CharactersDefect: {"base64-broken"},
    errors.InvalidBase64LengthDefect: {"base64-broken"},
}
"""What Python's parser calls a defect, and which rules say the same."""

STOPPING = {
    "bare-cr", "nul", "control-character", "content-type-syntax", "boundary-syntax", "continuation-first", "mbox-from",
    "missing-separator", "field-name", "space-before-colon",
}  # fmt: skip

soup = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=60).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of the header rules' examples with pieces put in, or taken out."""
    examples = [assemble(library().sample, rule.wrong) for rule in library().rules.values()] + [SAMPLE]
    raw = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(raw)))
        raw = raw[:start] + draw(st.sampled_from(PIECES)) + raw[start + draw(st.integers(0, 12)) :]
    return raw


@given(st.binary() | soup | damaged(), st.booleans())
@settings(max_examples=examples(600))
def test_no_bytes_raise_and_every_fault_has_a_true_place(raw: bytes, smtputf8: bool) -> None:
    for fault in check_message(raw, smtputf8=smtputf8):
        assert fault.rule in RULES
        assert 0 <= fault.offset <= len(raw)
        assert fault.line == raw[: fault.offset].count(b"\n") + 1
        assert "{" not in fault.sentence.replace("'", "") or b"{" in raw
        assert fault.sentence.isascii()
        assert fault.sentence.isprintable()


@given(damaged())
def test_what_is_found_does_not_depend_on_what_was_checked_before(raw: bytes) -> None:
    assert check_message(raw) == check_message(raw)


names = st.text(
    st.characters(categories=["L", "Nd", "Zs", "Pd"]) | st.sampled_from(".,'\"@()"), max_size=40
).map(lambda text: " ".join(text.split()))
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=80)
bodies = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.just("\n"), max_size=300
)
locals_ = st.from_regex(r"[a-z0-9]{1,12}(\.[a-z0-9]{1,8})?", fullmatch=True)
addresses = st.builds(lambda name, local: Address(name, local, "example.com"), names, locals_)
moments = st.builds(
    lambda seconds, offset: datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset))),
    st.integers(0, 4_000_000_000),
    st.integers(-14 * 60, 14 * 60),
)


@given(
    addresses,
    st.lists(addresses, min_size=1, max_size=4),
    words,
    moments,
    bodies,
    st.sampled_from(["8bit", "base64", "quoted-printable"]),
)
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
def test_messages_that_python_writes_have_no_errors(
    author: Address, recipients: list[Address], subject: str, moment: datetime, body: str, encoding: str
) -> None:
    message = EmailMessage(policy=WRITER)
    message["From"] = author
    message["To"] = recipients
    message["Subject"] = subject
    message["Date"] = moment
    message["Message-ID"] = "<4711@example.com>"
    message.set_content(body, cte=encoding)
    raw = message.as_bytes()
    # Python 3.11 encodes even the comma between two long addresses, which makes one broken address of them.
    assume(b"?=2C?=" not in raw)
    assert [fault for fault in check_message(raw) if fault.severity == "error"] == []


@given(bodies, st.binary(max_size=200))
def test_multiparts_that_python_writes_have_no_errors(body: str, attachment: bytes) -> None:
    message = EmailMessage(policy=WRITER)
    message["From"] = "alice@example.com"
    message["Date"] = datetime(2026, 2, 21, 10, 0, tzinfo=UTC)
    message["Message-ID"] = "<4711@example.com>"
    message.set_content(body, cte="quoted-printable")
    message.add_alternative(f"<p>{len(body)}</p>", subtype="html")
    message.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="größe.bin")
    assert [fault for fault in check_message(message.as_bytes()) if fault.severity == "error"] == []


def defects(raw: bytes) -> Iterator[errors.MessageDefect]:
    """What Python's parser finds wrong with a message's structure and its encoded bodies."""
    message = email.message_from_bytes(raw, policy=policy.default)
    for part in message.walk():
        if not part.is_multipart():
            part.get_payload(decode=True)
        yield from part.defects


@pytest.mark.parametrize(
    "id_", ["continuation-first", "missing-separator", "space-before-colon", "field-name"]
)
def test_what_python_calls_a_defect_of_the_header_is_a_fault(id_: str) -> None:
    (defect,) = defects(assemble(library().sample, library().rules[id_].wrong))
    assert id_ in STRUCTURE[type(defect)]


@given(damaged())
@settings(max_examples=examples(300))
def test_what_python_calls_a_defect_is_a_fault(raw: bytes) -> None:
    found = {fault.rule for fault in check_message(raw)}
    # Behind these faults Python reads on where the rules stop, or takes other bytes for a line's end.
    assume(not found & STOPPING)
    for defect in defects(raw):
        expected = STRUCTURE.get(type(defect))
        if expected:
            # A multipart that is encoded as a whole is not taken apart.
            assert found & (expected | {"encoding-composite", "encoding-unknown"}), (defect, found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "raw",
    [
        b"To: " + b"(" * 200_000,
        b"To: " + b'"\\"' * 100_000,
        b"Date: " + b'"\\"' * 100_000,
        b"To: " + b"a@b," * 50_000,
        b"Subject: " + b"=?utf-8?Q?a?= " * 20_000,
        b"Subject: " + b"=?" * 100_000,
        b"Message-ID: <" + b"a." * 100_000,
        b"References: " + b"<a@b> " * 40_000,
        b"Content-Type: text/plain" + b"; a=b" * 40_000,
        b"X: " + b"\r\n " * 80_000,
        b"X:\r\n" * 60_000,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 50_000,
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 200_000,
    ],
    ids=lambda raw: raw[:20].decode(),
)
def test_hostile_messages_take_no_more_than_linear_time(raw: bytes) -> None:
    started = time.process_time()
    check_message(raw)
    # A quadratic step takes minutes at these sizes; a linear one well under a second.
    assert time.process_time() - started < 10

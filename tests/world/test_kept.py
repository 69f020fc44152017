"""A flood of mail is counted and sampled, and hides nothing of what attempts caused."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from grader.model.traffic import Arrival
from grader.world import kept
from grader.world.kept import KeptMail
from tests.tables import every
from tests.world.bed import attempt

PROBE = attempt(1, id="relay/1")


def mail(raw: bytes = b"Buy\r\n", *recipients: str, sender: str = "spam@host.example") -> Arrival:
    to = [*recipients] or ["somebody@elsewhere.example"]
    return Arrival(7, "outside", "mx", [], raw, sender=sender, recipients=to)


@pytest.fixture
def box() -> KeptMail:
    """Mail for a world in which ``PROBE`` is tried."""
    box = KeptMail()
    box.expect([PROBE])
    return box


def test_a_flood_is_counted_whole_and_kept_as_a_sample(box: KeptMail) -> None:
    raw = b"x" * 1_000_000
    whole = sha256()
    for number in range(400):
        text = b"%d" % number + raw
        box.take(mail(text))
        whole.update(sha256(text).digest())
    told = box.record()
    assert (told.messages, told.unclaimed) == (400, 400)
    assert told.octets == told.unclaimed_octets == sum(len(f"{number}") + len(raw) for number in range(400))
    assert told.digest == whole.hexdigest()
    assert told.kept == len(box.arrivals) == kept.SAMPLES + 1
    assert [arrival.id for arrival in box.arrivals] == list(range(told.kept))
    first = box.arrivals[0]
    assert (first.octets, first.digest) == (1_000_001, sha256(b"0" + raw).hexdigest())
    assert len(msgspec.json.encode(box.arrivals)) < 6_000_000


def test_each_recipient_of_a_flood_is_kept_once_up_to_a_number(box: KeptMail) -> None:
    for number in range(1000):
        box.take(mail(b"x", f"victim{number % 300}@elsewhere.example"))
    recipients = [arrival.recipients[0] for arrival in box.arrivals[kept.SAMPLES :]]
    assert len(recipients) == len(set(recipients)) == kept.RECIPIENTS


def test_recipients_without_end_take_no_room(box: KeptMail) -> None:
    for number in range(200):
        box.take(mail(b"x", *(f"{'v' * 200}{number}-{each}@elsewhere.example" for each in range(1000))))
    assert len(msgspec.json.encode(box.arrivals)) < 1_000_000


@pytest.mark.parametrize("flood", ["anybody's", "the attempt's"])
def test_a_flood_hides_no_relayed_message(box: KeptMail, flood: str) -> None:
    text = b"x" * 500_000 if flood == "anybody's" else PROBE.token.encode() + b"x" * 500_000
    for number in range(200):
        box.take(mail(text, f"victim{number}@elsewhere.example"))
        box.take(mail(text, f"victim{number}@elsewhere.example", sender=""))
    assert box.tokens == (set() if flood == "anybody's" else {PROBE.token})
    box.take(mail(PROBE.message, *PROBE.recipients, sender="someone@third.example"))
    assert box.tokens == {PROBE.token}
    relayed = [arrival for arrival in box.arrivals if arrival.recipients == PROBE.recipients]
    assert [arrival.attempts for arrival in relayed] == [[PROBE.id]]
    assert relayed[0].raw == PROBE.message
    assert sum(len(arrival.raw) for arrival in box.arrivals) < kept.WHOLE_OCTETS + 2_000_000


def test_a_named_recipient_without_a_token_is_kept_among_a_thousand_others() -> None:
    box = KeptMail()
    box.expect([attempt(1, id="relay/1", recipients=["postmaster@elsewhere.example"])])
    token = PROBE.token.encode()
    while box.record().octets <= kept.WHOLE_OCTETS:
        box.take(mail(token + b"x" * 4_000_000))
    others = [f"v{number}@elsewhere.example" for number in range(999)]
    box.take(mail(token + b"x" * 4_000_000, *others, "Postmaster@Elsewhere.example."))
    assert box.arrivals[-1].recipients[0] == "Postmaster@Elsewhere.example."
    assert len(box.arrivals[-1].recipients) == kept.ENVELOPE_RECIPIENTS


def test_mail_of_the_usual_size_is_kept_whole(box: KeptMail) -> None:
    for _ in range(40):
        box.take(mail(PROBE.message, *PROBE.recipients))
        box.take(mail(b"Subject: cron\r\n\r\nnothing\r\n", "root@elsewhere.example"))
    told = box.record()
    assert (told.messages, told.kept, told.unclaimed) == (80, 80, 40)
    assert not any(arrival.octets or arrival.digest for arrival in box.arrivals)


@every("token", ["anna.berg1234", "anna-berg", "a1", "ANNA.BERG1234", "anna.berg0000"])
@every("around", [b"x %b y", b"12%b", b"%b1234", b"0%b00000", b"=%b=40", b"%b"])
def test_a_token_is_found_whatever_it_ends_in_and_stands_among(token: str, around: bytes) -> None:
    box = KeptMail()
    box.expect([attempt(1, id="relay/1", token=token), attempt(2, id="relay/2", token="anna.bergen1234")])
    box.take(mail(b"Subject: 0123456789\r\n\r\n" + around % token.lower().encode() + b"\r\n"))
    assert box.arrivals[0].attempts == ["relay/1"]


def test_who_got_through_is_told_by_recipients_alone(box: KeptMail) -> None:
    """A notice to the sender and a copy that a user sends on carry the token, and prove no relaying."""
    text = f"Subject: {PROBE.token}\r\n\r\nhello\r\n".encode()
    box.take(mail(text, PROBE.sender, sender=""))
    box.take(mail(text, "archive@elsewhere.example"))
    assert (box.tokens, box.through) == ({PROBE.token}, set())
    box.take(mail(text, PROBE.recipients[0]))
    assert box.through == {PROBE.token}


def test_a_users_letter_that_is_sent_on_proves_no_relaying() -> None:
    letter = attempt(2, id="relay/2", recipients=["alice@example.com"], mailbox="alice")
    box = KeptMail()
    box.expect([letter])
    box.take(mail(f"Subject: {letter.token}\r\n".encode(), "alice@example.com"))
    assert (box.tokens, box.through) == ({letter.token}, set())

"""Signatures are verified from the evidence, as dkimpy would with DNS, and a failure is told by its reason."""

from __future__ import annotations

import time
from datetime import datetime

import dkim
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.kinds.server.facts import ServerEvidence
from grader.kinds.server.judge.dkim.altering import altered
from grader.kinds.server.judge.dkim.reading import NOT_THE_SIGNED, Signature, Signatures
from grader.model.dns import KeyAnswer
from tests.judge.builders import check
from tests.kinds.server.dkim.signing import KEY_NAME, MESSAGE, answer, pair, run, signed
from tests.tables import every

ANY = check("signed", signature={})


def read(raw: bytes, *keys: KeyAnswer) -> list[Signature]:
    evidence = run(ANY, raw, keys=list(keys) or [answer()])
    return Signatures(evidence, evidence.facts).of(evidence.facts.arrivals[0])


def problem(raw: bytes, *keys: KeyAnswer) -> str:
    (signature,) = read(raw, *keys)
    return signature.problem


@pytest.mark.parametrize(
    "canonical", [(b"simple", b"simple"), (b"relaxed", b"relaxed"), (b"relaxed", b"simple")]
)
def test_a_good_signature(canonical: tuple[bytes, bytes]) -> None:
    (signature,) = read(signed(canonicalize=canonical))
    assert (signature.problem, signature.own, signature.aligned, signature.line) == ("", True, True, 0)
    assert signature.key is not None
    assert signature.key.bits == 2048


def test_what_a_record_says_is_read_once() -> None:
    """dkimpy takes ``s=`` for one word (RFC 6376 section 3.6.1: a list), and is given the key alone."""
    for more in ("s=tlsrpt:email; ", "s=other : *; ", "h=sha1 : sha256; t=s; n=a note; "):
        assert problem(signed(), answer(f"v=DKIM1; {more}p={pair(2048)[1]}")) == ""


def test_two_kinds_side_by_side() -> None:
    ed_name = "ed._domainkey.example.com"
    raw = signed(signed(), bits=256, selector="ed", algorithm="ed25519-sha256")
    found = read(raw, answer(), answer(f"v=DKIM1; k=ed25519; p={pair(256)[1]}", ed_name))
    assert [(s.number, s.tags["a"], s.problem) for s in found] == [
        (0, "ed25519-sha256", ""),
        (1, "rsa-sha256", ""),
    ]


@every(
    ("raw", "keys", "said"),
    [
        (signed(), [KeyAnswer(KEY_NAME, "NXDOMAIN")], f"DNS has no key at {KEY_NAME}"),
        (signed(selector="mail"), [answer()], f"there is one at {KEY_NAME}"),
        # Another domain's key is none of the student's.
        (
            signed(selector="mail"),
            [answer(name="list._domainkey.third.example"), answer()],
            f"there is one at {KEY_NAME}",
        ),
        (signed(), [answer(bits=1024)], "another private key"),
        (signed().replace(b"Lunch", b"Dinner"), [], "header fields that it covers are not"),
        (signed().replace(b"have lunch", b"have dinner"), [], "the body hash differs"),
        (signed(), [answer("v=DKIM1; p=")], "is revoked"),
        (signed(), [answer("v=DKIM1; k=rsa")], "cannot be used: there is no p="),
        (signed(), [answer(f"v=DKIM1; k=ed25519; p={pair(256)[1]}")], "asks for another kind of key"),
        (signed(), [KeyAnswer(KEY_NAME, "NOERROR", [], [[b"p="], [b"p="]])], "2 records"),
        (signed().replace(b"a=rsa-sha256", b"a=rsa-sha1"), [answer(f"v=DKIM1; h=sha256; p={pair()[1]}")],
         "is for sha256 alone (h=), and the signature was made with a=rsa-sha1"),
        (signed().replace(b"a=rsa-sha256", b"a=rsa-sha1"), [answer(f"v=DKIM1; h=sha1:sha256; p={pair()[1]}")],
         "the body hash differs"),
        (signed().replace(b"v=1;", b"v=2;"), [], "its version is v=2"),
        (signed().replace(b"a=rsa-sha256", b"a=rsa-md5"), [], "none that receivers know"),
        (signed().replace(b"bh=", b"xx="), [], "it has no bh="),
        (signed().replace(b"v=1;", b"v=1; x=1000000000;"), [], "had expired when the message arrived"),
        (signed().replace(b"v=1;", b"v=1; x=x;"), [], "had expired"),
        (signed().replace(b"q=dns/txt", b"q=dns/ptr:http"), [], "q=dns/ptr:http, and not dns/txt"),
        (signed().replace(b"v=1;", b"v=1; l=-5;"), [], "l=-5 is no number of octets"),
        (signed().replace(b" t=", b" t=9"), [], "made later than the message arrived (t=9"),
        (signed(length=True, longer=7), [], "counts 38 octets of text, and there are 31"),
        (signed().replace(b"i=@example.com", b"i=@else.org"), [], "does not lie in d=example.com"),
    ],
)  # fmt: skip
def test_why_a_signature_does_not_verify(raw: bytes, keys: list[KeyAnswer], said: str) -> None:
    assert said in problem(raw, *keys)


def test_ways_to_a_key_that_are_unknown_are_passed_over() -> None:
    """RFC 6376 section 3.5: only that none is known makes a signature void."""
    assert NOT_THE_SIGNED in problem(signed().replace(b"q=dns/txt", b"q=http : DNS/TXT"))


def test_as_much_text_as_there_is_may_be_said_to_be_signed() -> None:
    assert problem(signed(length=True)) == ""
    assert problem(signed(length=True) + b"More.\r\n") == ""


def test_no_clock_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = signed()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert not dkim.verify(raw, dnsfunc=lambda *_, **__: b"".join(answer().texts[0]))
    assert problem(raw) == ""


def test_saved_evidence_gives_the_same_again() -> None:
    evidence = run(ANY, signed())
    again = msgspec.json.decode(msgspec.json.encode(evidence), type=ServerEvidence)
    assert [s.problem for s in Signatures(again, again.facts).of(again.facts.arrivals[0])] == [""]


@pytest.mark.parametrize(
    ("author", "domain", "aligned", "own"),
    [
        ("example.com", "example.com", True, True),
        ("example.com", "mail.example.com", True, True),
        ("office.example.com", "mail.example.com", True, True),
        ("example.com", "partner.example", False, False),
        ("example.com", "com", False, False),
        ("third.example", "example.com", False, True),
        ("badexample.com", "example.com", False, True),
    ],
)
def test_alignment(author: str, domain: str, aligned: bool, own: bool) -> None:
    (signature,) = read(
        signed(MESSAGE.replace(b"alice@example.com", f"alice@{author}".encode()), domain=domain)
    )
    assert (signature.aligned, signature.own) == (aligned, own)


@pytest.mark.parametrize("what", ["from", "to", "subject", "date", "body"])
def test_what_is_covered_cannot_be_altered(what: str) -> None:
    raw = signed()
    evidence = run(ANY, raw)
    signatures = Signatures(evidence, evidence.facts)
    (signature,) = signatures.of(evidence.facts.arrivals[0])
    copies = altered(raw, what)
    assert copies
    assert not [done for done, copy in copies if signatures.verifies(signature, copy)]
    assert signatures.verifies(signature, raw)


def test_what_is_not_covered_can() -> None:
    raw = signed(include_headers=[b"from", b"to"], length=True)
    evidence = run(ANY, raw)
    signatures = Signatures(evidence, evidence.facts)
    (signature,) = signatures.of(evidence.facts.arrivals[0])
    left = {
        what: [signatures.verifies(signature, copy) for _, copy in altered(raw, what)]
        for what in ("to", "subject", "body")
    }
    assert left == {"to": [False], "subject": [True], "body": [True, False]}


LINES = st.lists(st.text(st.sampled_from("ab \t.é"), max_size=12), max_size=8)


@settings(max_examples=25)
@given(LINES, st.sampled_from([(b"simple", b"simple"), (b"relaxed", b"relaxed")]), st.booleans())
def test_the_verdict_is_dkimpys(text: list[str], canonical: tuple[bytes, bytes], spoilt: bool) -> None:
    raw = signed(MESSAGE + "\r\n".join(text).encode(), canonicalize=canonical)
    raw = raw.replace(b"Lunch", b"lunch") if spoilt else raw
    expected = dkim.verify(raw, dnsfunc=lambda *_, **__: b"".join(answer().texts[0]))
    assert (problem(raw) == "") == expected


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_message_can_be_read(junk: bytes) -> None:
    for raw in (junk, b"DKIM-Signature:" + junk + b"\r\n\r\n", signed()[:120] + junk + MESSAGE):
        assert all(isinstance(signature.problem, str) for signature in read(raw))


class Opened(Signatures):
    """As if every signature's hashes fitted: dkimpy writes none that expires."""

    def _verified(self, message: bytes, number: int) -> tuple[str, None]:
        return "", None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "it expires 1 second after"),
        (90, "it expires 1 minute after"),
        (85_799, "it expires 23 hours after"),
        (86_400, ""),
        (604_800, ""),
    ],
)
def test_a_signature_outlasts_a_night_in_a_queue(seconds: int, said: str) -> None:
    evidence = run(ANY, MESSAGE)
    began = int(datetime.fromisoformat(evidence.started).timestamp())
    raw = signed().replace(b"v=1;", b"v=1; x=%d;" % (began + seconds))
    evidence = run(ANY, raw)
    (signature,) = Opened(evidence, evidence.facts).of(evidence.facts.arrivals[0])
    assert signature.problem.startswith(said) if said else signature.problem == ""

"""Key records: which ones receivers can use, and what is wrong with the others."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.dkim import read_key
from tests.kinds.server.dkim.signing import pair
from tests.tables import every

RSA = pair()[1]
ED25519 = pair(256)[1]
PRIVATE_OF_ITS_OWN_FORM = "".join(pair()[0].decode().splitlines()[1:-1])
PRIVATE_OF_EVERY_KIND = base64.b64encode(
    load_pem_private_key(pair()[0], None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
).decode()
"""As openssl genrsa writes them, with -traditional and without."""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"v=DKIM1; h=sha256; k=rsa; p={RSA}", "RSA with 2048 bits"),
        (f"p={RSA}", "RSA with 2048 bits"),
        (f"v=DKIM1; p={RSA[:90]} \t{RSA[90:]};", "RSA with 2048 bits"),
        (f"v=DKIM1; k=rsa; h=sha1:sha256; s=*; t=s; n=a note; x=unknown; p={RSA}", "RSA with 2048 bits"),
        (f"v=DKIM1; s=other:email; p={pair(1024)[1]}", "RSA with 1024 bits"),
        (f"v=DKIM1; k=ed25519; p={ED25519}", "Ed25519"),
    ],
)
def test_keys_that_will_do(text: str, name: str) -> None:
    key = read_key(text.encode())
    assert (key.problem, key.name, key.revoked) == ("", name, False)


def test_a_bare_key_is_right_by_the_letter_and_not_read_by_opendkim() -> None:
    public = load_pem_private_key(pair()[0], None).public_key()
    bare = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    key = read_key(f"v=DKIM1; p={bare}".encode())
    assert (key.fault, "OpenDKIM" in key.problem) == ("not-wrapped", True)
    assert key.span is not None
    assert not read_key(f"v=DKIM1; p={RSA}".encode()).remarks


def test_a_withdrawn_key() -> None:
    assert read_key(b"v=DKIM1; p=").revoked
    assert not read_key(b"v=DKIM1; p=").problem


@every(
    ("text", "problem"),
    [
        ("", "there is no p="),
        ("v=DKIM1", "a semicolon begins a comment"),
        ("v=DKIM1; k=rsa", "there is no p= in it, which is the key"),
        (f"v=DKIM1; k=rsa; P={RSA}", "P= is another tag"),
        (f"v=DKIM1; k=rsa p={RSA}", "a semicolon is missing before it, and it belongs to k="),
        (f"v=DKIM1 p={RSA}", "...': behind DKIM1 a semicolon is missing"),
        (f"k=rsa; v=DKIM1; p={RSA}", "v= must stand first"),
        (f"v=dkim1; p={RSA}", "v= must stand first and be DKIM1, and it is 'dkim1'"),
        (f"v=DKIM1; p={RSA}; p={RSA}", "p= stands in it twice"),
        (f"v=DKIM1; rubbish; p={RSA}", "'rubbish' is no tag=value"),
        (f"v=DKIM1\\; k=rsa\\; p={RSA}", "DKIM1"),
        (f"v=DKIM1; k=dsa; p={RSA}", "k=dsa"),
        (f"v=DKIM1; h=sha1; p={RSA}", "forbids SHA-256"),
        (f"v=DKIM1; p={RSA}==", "more '=' at its end"),
        (f"v=DKIM1; s=tlsrpt; p={RSA}", "not for mail"),
        (f"v=DKIM1; t=s:y; p={RSA}", "only being tested"),
        ("v=DKIM1; p=!!!", "not base64"),
        (f"v=DKIM1; p={RSA[:200]}", "no RSA public key"),
        (f"v=DKIM1; k=ed25519; p={RSA}", "has 32"),
        (f"v=DKIM1; p={PRIVATE_OF_ITS_OWN_FORM}", "p= holds the private key"),
        (f"v=DKIM1; p={PRIVATE_OF_EVERY_KIND}", "p= holds the private key"),
        (f"v=DKIM1; p={base64.b64encode(b'-----BEGIN PUBLIC KEY-----').decode()}", "no RSA public key"),
    ],
)
def test_keys_that_will_not(text: str, problem: str) -> None:
    assert problem in read_key(text.encode()).problem


def test_a_version_is_recommended_and_no_more() -> None:
    assert [remark.split(",")[0] for remark in read_key(f"p={RSA}".encode()).remarks] == [
        "it does not begin with v=DKIM1"
    ]


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda d: b"p=" + base64.b64encode(d))))
def test_any_text_is_a_key_or_has_a_problem(text: bytes) -> None:
    key = read_key(text)
    assert key.problem or key.revoked or key.bits > 0


@every(
    ("text", "said", "marked"),
    [
        ("v=DKIM1; k=rsa; p=“MIIB", "p= is not base64; ““” (left double quotation mark) was copied", "“"),
        ("v=DKIM1; k=rsa; p=MIIB\u2013AB", "(en dash) was copied into it", "\u2013"),
        ('v=DKIM1; k=rsa; p=MIIB"', '“"” (quotation mark) was copied into it', '"'),
        ('"v=DKIM1; k=rsa; p=MIIB', 'no name of a tag; “"” (quotation mark) was copied', '"'),
        ("v=DKIM1\\; k=rsa\\; p=MIIB", "v= must stand first and be DKIM1", "\\"),
        ("v=DKIM1; k=\u2018rsa; p=MIIB", "(left single quotation mark) was copied into it", "\u2018"),
        ("v=DKIM1; k=rsa; p=MI\xadIB", "(soft hyphen) was copied into it", "\xad"),
        ("k=rsa; v=DKIM1; p=MIIB", "v= must stand first, and k= stands before it", "v=DKIM1"),
        ("v=DKIM1; h=sha1:sha512; p=MIIB", "h=sha1:sha512 forbids SHA-256", "h=sha1:sha512"),
        ("v=DKIM1; p=MI*B", "p= is not base64: it holds '*'", "p=MI*B"),
    ],
)
def test_what_spoils_a_key_is_named_and_marked(text: str, said: str, marked: str) -> None:
    key = read_key(text.encode())
    assert said in key.problem
    assert key.span is not None
    assert text.encode()[slice(*key.span)].decode() == marked


def test_an_octet_that_is_no_character_is_told_as_such() -> None:
    assert "the octet 0xff was copied into it" in read_key(b"v=DKIM1; p=MI\xffIB").problem

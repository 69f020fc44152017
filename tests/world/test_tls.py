"""What a server shows in TLS is looked at without trusting it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from grader.labs.certificates import authority
from grader.model.plan import WorldSpec
from grader.world import service
from grader.world.tls import Contexts, Encryption, facts

NAMED = b"SSSSSSSS"


def shaken(
    folder: Path, name: bytes, *, speaks: bool = False
) -> tuple[Encryption, ssl.SSLObject, ssl.MemoryBIO]:
    """A client after a real handshake with a server whose certificate has these octets for a name; the server, and
    what comes in there.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAMED.decode())]), critical=False)
        .sign(key, hashes.SHA256())
    )
    # Nobody looks at a server's own signature, so that any octets may stand in what it signs.
    certificate = ssl.DER_cert_to_PEM_cert(made.public_bytes(Encoding.DER).replace(NAMED, name))
    pair = folder / "pair.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair.write_bytes(certificate.encode() + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    client = Encryption(trusting, None, incoming.write)
    client.handshake()
    for _ in range(10):
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
        if client.handshake(outgoing.read(), speaks=speaks):
            break
    return client, server, incoming


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (NAMED, ["SSSSSSSS", "mail.example.com"]),
        (b"a\0b\0cccc", ["a\0b\0cccc", "mail.example.com"]),
        (b"\xff\xfe\xc3\x28\xff\xff\xff\xff", []),
    ],
)
def test_a_name_that_is_no_text_ends_nothing(tmp_path: Path, name: bytes, names: list[str]) -> None:
    client, _, _ = shaken(tmp_path, name)
    found = facts(client.tls, "self-signed")
    assert (found.names, found.trusted) == (names, False)
    assert found.version.startswith("TLSv1.")


def test_a_client_that_speaks_first_says_it_with_the_end_of_its_handshake(tmp_path: Path) -> None:
    """A server is woken once for both."""
    client, server, incoming = shaken(tmp_path, NAMED, speaks=True)
    assert incoming.pending == 0
    client.encrypt(b"EHLO client.example\r\n")
    server.do_handshake()
    assert server.read(100) == b"EHLO client.example\r\n"


def test_the_end_of_a_handshake_goes_out_at_once_where_the_server_speaks(tmp_path: Path) -> None:
    _, server, incoming = shaken(tmp_path, NAMED)
    assert incoming.pending
    server.do_handshake()


def test_worlds_that_are_forks_of_a_process_find_their_usual_context_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ca = authority().certificate
    service.prepare(ca)
    monkeypatch.setattr(ssl, "SSLContext", None)
    world = WorldSpec(addresses=[], routes=[], nameserver="", zones=[], peers=[], ca=ca)
    assert Contexts(world).context(strict=True, named=True, certificate=False).check_hostname

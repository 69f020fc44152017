"""Certificates of the lab's own authority, made when a name first needs one and kept in the user's cache."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from grader import resources
from grader.labs import cache
from grader.model.errors import GraderError

_FORMAT = b"1"


class KeyPair(Struct, frozen=True):
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


def authority() -> KeyPair:
    """The lab's authority. Raises ``GraderError`` where it is missing."""
    folder = resources.folder("fixtures") / "certificates"
    try:
        return KeyPair((folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes())
    except OSError as error:
        raise GraderError(f"cannot read {error.filename}: {error.strerror}: install smtplab again") from error


def certificate(ca: KeyPair, names: list[str], *, client: bool = False) -> KeyPair:
    """A certificate for these host names, for a server or for a client; the same one as long as the cache keeps it."""
    key = cache.digest([_FORMAT, ca.certificate, str(client).encode(), *(name.encode() for name in names)])
    return cache.cached("certificates", key, KeyPair, lambda: _issue(ca, names, client))


def untrustworthy(ca: KeyPair, names: list[str], fault: Literal["self-signed", "expired"]) -> KeyPair:
    """A server's certificate that no client may trust: signed by itself, or long expired. Made anew each time."""
    return _issue(ca, names, client=False, fault=fault)


def fresh(ca: KeyPair, names: list[str]) -> KeyPair:
    """A server's certificate for names that one run alone has, and that the cache therefore does not keep."""
    return _issue(ca, names, client=False)


def _issue(ca: KeyPair, names: list[str], client: bool, fault: str = "") -> KeyPair:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    issuer = x509.load_pem_x509_certificate(ca.certificate)
    issuer_key = serialization.load_pem_private_key(ca.key, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise GraderError(
            "the lab authority's key in fixtures/certificates is no elliptic-curve key: make it again"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    signer, signer_key = (subject, key) if fault == "self-signed" else (issuer.subject, issuer_key)
    last = datetime(2021 if fault == "expired" else 2119, 1, 1, tzinfo=UTC)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    issued = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # No clock of a machine that runs labs is before the one or after the other.
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False
        )
        .sign(signer_key, hashes.SHA256())
    )
    return KeyPair(
        issued.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )

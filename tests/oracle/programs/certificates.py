"""The certificates of the oracle's servers, right and wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
OTHER_NAME = "mail.third.example"


class Issuer:
    """Who signs them: the authority that the workstation trusts, and one that nobody knows. Both PEM."""

    def __init__(self, certificate: bytes, key: bytes) -> None:
        self._trusted = x509.load_pem_x509_certificate(certificate)
        loaded = serialization.load_pem_private_key(key, None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded
        self._unknown = ec.generate_private_key(ec.SECP256R1())

    def pair(self, host: str, fault: str) -> tuple[str, str]:
        """Certificate, with its chain, and key of a server; ``fault`` is ``right`` or says what is wrong."""
        now = datetime.now(UTC)
        begins, ends = now - 30 * DAY, now + 30 * DAY
        if fault == "expired":
            ends = now - 2 * DAY
        elif fault == "not-yet":
            begins = now + 2 * DAY
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(OTHER_NAME if fault == "other-name" else host)
        issuer, signer = self._trusted.subject, self._key
        if fault == "self-signed":
            issuer, signer = subject, key
        elif fault == "other-authority":
            issuer, signer = _named("Another Authority"), self._unknown
        name = OTHER_NAME if fault == "other-name" else host
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .sign(signer, hashes.SHA256())
        )
        encoding = serialization.Encoding.PEM
        secret = key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        return made.public_bytes(encoding).decode(), secret


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

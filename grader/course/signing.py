"""Signs the results of a class, so that what has been through other hands is known to be what was graded.

Signed is a statement: whose folder it is, and the SHA-256 of every file in it as its bytes are. It stands with its
signature (Ed25519, RFC 8032) in ``result.json.sig`` beside the result. So no file can be changed, and no folder given
to somebody else, without the key. Documents about a class are not signed: they are made again of results.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from grader import disk
from grader.course.results_folder import RESULT, SIGNATURE
from grader.model.errors import UsageError
from grader.model.result import Result

SCHEMA = "smtplab/signature/1"
PUBLIC = ".pub"
"""What the name of a public key has more than that of its signing key."""
LARGEST_KEY = 10_000
LARGEST_SIGNATURE = 1_000_000


class Signature(Struct, frozen=True, kw_only=True):
    """The document ``result.json.sig``; ``key`` is the public key's 32 bytes."""

    schema: str = SCHEMA
    folder: str
    files: dict[str, str]
    key: bytes
    signature: bytes

    @property
    def statement(self) -> bytes:
        """The bytes that are signed."""
        return _statement(self.folder, self.files)


@dataclass(frozen=True)
class Signer:
    """Signs with a private key; ``private`` are its 32 bytes, which travel between processes of one machine."""

    private: bytes

    def sign(self, folder: str, files: Mapping[str, bytes]) -> bytes:
        """The document with the signature of a folder of this name that holds these files."""
        key = Ed25519PrivateKey.from_private_bytes(self.private)
        digests = {name: sha256(data).hexdigest() for name, data in sorted(files.items())}
        signed = key.sign(_statement(folder, digests))
        document = Signature(
            folder=folder, files=digests, key=key.public_key().public_bytes_raw(), signature=signed
        )
        return msgspec.json.format(msgspec.json.encode(document)) + b"\n"

    def signed(self, folder: Path) -> bool:
        """Whether all that lies in a folder of results is as this key signed it."""
        public = Ed25519PrivateKey.from_private_bytes(self.private).public_key()
        return not any(complaints(folder, public)) and (folder / SIGNATURE).is_file()

    def __repr__(self) -> str:
        return "Signer()"


def _statement(folder: str, files: Mapping[str, str]) -> bytes:
    # The first line keeps a signature of anything else from being taken for one of this.
    return SCHEMA.encode() + b"\n" + msgspec.json.encode({"folder": folder, "files": files}, order="sorted")


def complaints(folder: Path, key: Ed25519PublicKey, student: str | None = None) -> Iterator[str]:
    """What speaks against the signature of the results that lie in a folder; nothing where it is right.

    ``student`` is whose they should be. Files that were signed and are gone are not missed.
    """
    yield from _complaints(folder / RESULT, key, student, named=folder.resolve().name)


def complaints_of_file(path: Path, key: Ed25519PublicKey, student: str | None = None) -> Iterator[str]:
    """The same for a result alone, whose signature lies beside it under its name with ``.sig``."""
    yield from _complaints(path, key, student, named=None)


def _complaints(path: Path, key: Ed25519PublicKey, student: str | None, named: str | None) -> Iterator[str]:
    signature = path.with_name(path.name + ".sig")
    if not signature.is_file():
        yield "not signed"
        return
    try:
        with signature.open("rb") as file:
            found = msgspec.json.decode(file.read(LARGEST_SIGNATURE), type=Signature)
        if found.schema != SCHEMA:
            yield f"the signature is of another version of smtplab ({found.schema[:40]!r})"
            return
        key.verify(found.signature, found.statement)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield f"the signature cannot be read ({error})"
        return
    except InvalidSignature:
        other = found.key != key.public_bytes_raw()
        yield "signed with another key" if other else "the signature was changed, or is none of this key"
        return
    if named is not None and found.folder != named:
        yield f"signed as {found.folder!r}, and lies in {named!r}: renamed, or another student's"
    files = {RESULT: path} if named is None else {name: path.with_name(name) for name in found.files}
    for name, place in files.items():
        if (named is None or place.is_file()) and _digest(place) != found.files.get(name):
            yield f"{name} was changed after it was signed"
    if student is not None and (whose := _student(path)) != student:
        yield f"the result of {whose!r}, not of {student!r}"


def _digest(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _student(path: Path) -> str | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result).student
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def new_keys(path: Path) -> tuple[Path, Path]:
    """Make a signing key, and beside it the public key that its signatures are checked with; both in PEM (RFC 8410).

    Raises ``UsageError`` where one of them is there already, or cannot be written.
    """
    public = path.with_name(path.name + PUBLIC)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    open_pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if public.exists():
        raise UsageError(f"{str(public)!r} is there already: name another file")
    try:
        disk.write_new_file(path, pem, 0o600)
        disk.write_new_file(public, open_pem)
    except FileExistsError as error:
        raise UsageError(f"{str(path)!r} is there already: name another file") from error
    except OSError as error:
        raise UsageError(f"cannot write {str(path)!r}: {error.strerror}: name another file") from error
    return path, public


def read_signer(path: Path) -> Signer:
    """The key to sign with. Raises ``UsageError`` where the file holds none."""
    try:
        key = serialization.load_pem_private_key(_pem(path), None)
    except (ValueError, TypeError) as error:
        raise _no_key(path, "signing key", "smtplab course signing-key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "signing key", "smtplab course signing-key")
    return Signer(key.private_bytes_raw())


def read_public(path: Path) -> Ed25519PublicKey:
    """The key to check with. Raises ``UsageError`` where the file holds none."""
    try:
        key = serialization.load_pem_public_key(_pem(path))
    except ValueError as error:
        raise _no_key(path, "public key", f"the file {PUBLIC} beside the signing key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public key", f"the file {PUBLIC} beside the signing key")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """A public key in Base64, as signatures name it."""
    return b64encode(key.public_bytes_raw()).decode()


def _pem(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_KEY)
    except OSError as error:
        raise UsageError(f"cannot read the key {str(path)!r}: {error.strerror}") from error


def _no_key(path: Path, what: str, instead: str) -> UsageError:
    return UsageError(f"{str(path)!r} holds no {what} (Ed25519, in PEM): give the one of {instead!r}")

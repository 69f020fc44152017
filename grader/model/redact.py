"""Takes secrets out of evidence before anybody can store it."""

from __future__ import annotations

import base64

import msgspec

from grader.model.evidence import AnyEvidence

REDACTED = b"[redacted]"


def redact(evidence: AnyEvidence, secrets: list[str], type_: type[AnyEvidence]) -> AnyEvidence:
    """The evidence with every secret replaced, wherever a server, a log or a command repeated it.

    ``type_`` is the type of the document. A secret is also looked for as base64, as AUTH LOGIN sends it (RFC 4954
    section 4). The world has already left out the credentials that it sent itself.
    """
    spoken = [secret.encode() for secret in secrets if secret]
    spoken += [base64.b64encode(secret) for secret in spoken]
    # As they stand in the document: quotation marks and backslashes escaped.
    needles = [msgspec.json.encode(secret.decode("utf-8", "replace"))[1:-1] for secret in spoken]
    document = msgspec.json.encode(evidence)
    if not any(needle in document for needle in needles):
        return evidence
    for needle in needles:
        document = document.replace(needle, REDACTED)
    redacted: AnyEvidence = msgspec.json.decode(document, type=type_)
    return redacted

"""An attempt made once more, elsewhere or at another time: the same, with a token of its own in all that it says."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from grader.model.attempt import Attempt


def copied(template: Attempt, why: str, tokens: set[str]) -> Attempt:
    """A copy for the reason or place ``why``, which its id tells. Its token is none of ``tokens``, and joins them."""
    token, number = template.token, 0
    while token in tokens or token == template.token:
        digits = hashlib.sha256(f"{template.token} {why} {number}".encode()).digest()
        token = f"{template.token[:-4]}{1000 + int.from_bytes(digits[:4]) % 9000}"
        number += 1
    tokens.add(token)

    def own(text: str) -> str:
        return text.replace(template.token, token)

    def raw(data: bytes) -> bytes:
        return data.replace(template.token.encode(), token.encode())

    return replace(
        template,
        id=f"{template.id}@{why}",
        token=token,
        title=own(template.title),
        sender=own(template.sender),
        recipients=[own(text) for text in template.recipients],
        parameters=own(template.parameters),
        rcpt_parameters=own(template.rcpt_parameters),
        script=[[own(text) for text in commands] for commands in template.script],
        message=raw(template.message),
        smuggled=raw(template.smuggled),
        preamble=None if template.preamble is None else own(template.preamble),
        before=[own(text) for text in template.before],
        say=[own(text) for text in template.say],
    )

"""No secret survives in evidence, in any coding that SMTP gives it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grader.kinds.program.facts import ProgramFacts
from grader.kinds.quiz.facts import QuizFacts
from grader.kinds.server.facts import ServerFacts
from grader.kinds.zone.facts import ZoneFacts
from grader.model.evidence import Facts
from grader.model.redact import redact
from tests.judge.builders import check, evidence, facts, lab, outcome, session
from tests.tables import every

SECRET = "Vb7kQmZt2x"


@pytest.mark.parametrize("told", [SECRET, base64.b64encode(SECRET.encode()).decode()])
def test_secret_is_gone_from_lines_and_log(told: str) -> None:
    run = evidence(
        lab(check(arrives="nowhere")),
        [facts()],
        [outcome("rcpt", text=f"550 {told}")],
        sessions=[session(f"220 your password is {told}")],
        log=[f"warning: {told}"],
    )
    document = msgspec.json.encode(redact(run, [SECRET]))
    assert told.encode() not in document
    assert document.count(b"[redacted]") == 3


def test_evidence_without_secrets_stays_as_it_is() -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")])
    assert redact(run, [SECRET]) is run


def test_a_secret_is_found_however_its_characters_are_escaped() -> None:
    secret = 'a "quoted" \\ back ü'
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")], log=[f"password {secret}"])
    assert redact(run, [secret]).facts.log == ["password [redacted]"]


def values(value: object) -> Iterator[object]:
    """Every text and every octet string in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from values(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from values(inner)
    elif isinstance(value, msgspec.Struct):
        yield from values({name: getattr(value, name) for name in value.__struct_fields__})
    else:
        yield value


def spread(type_: object, told: str) -> object:
    """A value of a type in which every text and every octet string tells something."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return spread(arguments[0], told)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, UnionType):
        return spread(next(part for part in arguments if part is not type(None)), told)
    if origin is list:
        return [spread(arguments[0], told)]
    if origin is tuple:
        parts = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return tuple(spread(part, told) for part in parts)
    if origin is dict:
        return {told: spread(arguments[1], told)}
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        hints = get_type_hints(type_, include_extras=True)
        return type_(**{name: spread(hints[name], told) for name in type_.__struct_fields__})
    plain = {str: told, bytes: told.encode(), int: 1, float: 1.0, bool: True, Any: told}
    return plain[type_]  # type: ignore[index]


@every("facts_type", [ServerFacts, ProgramFacts, ZoneFacts, QuizFacts])
@every("around", ["{}", "user {} here", "ü {}"])
@every("coded", [False, True])
def test_no_field_of_evidence_keeps_a_secret(facts_type: type[Facts], around: str, coded: bool) -> None:
    told = around.format(SECRET)
    told = base64.b64encode(f"\0alice\0{told}".encode()).decode() if coded else told
    run = replace(
        evidence(lab(check(arrives="nowhere")), [], []),
        facts=spread(facts_type, told), notes=[told], files=[told], names={told: told}, error=told,
    )  # fmt: skip
    document = msgspec.json.encode(redact(run, [SECRET]))
    read = msgspec.json.decode(document)
    for value in values(read):
        for text in (str(value), decoded(str(value))):
            assert SECRET not in text
            assert SECRET not in decoded(text)
    assert b"[redacted]" in document


def decoded(text: str) -> str:
    """Base64 as what it stands for, at each of the four places where it may begin; anything else as nothing."""
    found = []
    for word in re.findall(r"[A-Za-z0-9+/]{8,}", text):
        for start in range(4):
            part = word[start:]
            found.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("utf-8", "replace"))
    return " ".join(found)


@given(st.text(min_size=8, max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_a_secret_leaves_nothing_wherever_it_stands_in_base64(
    secret: str, before: bytes, after: bytes
) -> None:
    octets = secret.encode("utf-8", "replace")
    told = base64.b64encode(before + octets + after).decode()
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")], log=[told])
    [line] = redact(run, [octets.decode()]).facts.log
    assert line != told
    assert octets.decode() not in decoded(line)

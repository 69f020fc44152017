"""What ``expect.published`` asks for: the records of keys that were handed in, as DNS serves them."""

from __future__ import annotations

from grader.formats.dkim import Key, read_key
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.facts import Published
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.model.diagnostic import Diagnostic
from grader.model.dns import KeyRecord
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer

FOR_OTHERS = ("service", "testing")
"""Faults of a key that mail is signed with, and none of one that is there for something else (RFC 6376 3.6.1)."""


def published(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The records handed in are well-formed, one a name, and at least one holds a key in use (RFC 6376 3.6.1)."""
    handed_in = index.facts.published
    if handed_in is None or not handed_in.files:
        return [broken(None, "No record was handed in, so DNS has none.", [])]
    places = {file.name: number for number, file in enumerate(handed_in.files)}
    findings = [
        broken(
            None,
            f"{_where(c)}: {c.sentence}.",
            [Pointer("file", places[c.file], c.span.line)] if c.span else [],
        )
        for c in handed_in.complaints
        if c.fatal
    ]
    keys: list[tuple[KeyRecord, Key]] = []
    spare: list[Finding] = []
    for entry in handed_in.records:
        pointer = Pointer("file", places[entry.file], max(0, entry.line - 1))
        if entry.type == "CNAME":
            answer = index.signatures.answer(entry.name)
            if "*" not in entry.name and (answer is None or not answer.texts):
                sentence = f"the alias leads to {entry.data[0].decode()}, where DNS has no key"
                findings.append(broken(None, f"{_place(entry.file, entry.line)}: {sentence}.", [pointer]))
            continue
        key = read_key(b"".join(entry.data))
        keys.append((entry, key))
        if key.problem:
            sentence = f"the record of {entry.name} is no usable key: {key.problem}"
            fault = broken(None, f"{_place(entry.file, entry.line)}: {sentence}.", [pointer])
            other = key.fault in FOR_OTHERS and entry.name not in _named_by_signatures(index)
            (spare if other else findings).append(fault)
    if not any(not key.problem and not key.revoked for _, key in keys):
        # A key that is for something else does no harm beside one that is for mail.
        findings += spare or ([] if findings else [broken(None, _no_key(handed_in), [])])
    return findings or [met(None, _published(handed_in, keys))]


def _named_by_signatures(index: ServerIndex) -> set[str]:
    """The names of the keys with which mail that arrived outside was signed."""
    outside = [arrival for arrival in index.facts.arrivals if arrival.place == "outside"]
    return {signature.key_name for arrival in outside for signature in index.signatures.of(arrival)}


def _no_key(handed_in: Published) -> str:
    if handed_in.records:
        return "Every key that was handed in is revoked: p= is empty."
    return "What was handed in for DNS holds no key."


def _what_for(key: Key) -> str:
    if key.problem:
        return "is being tested" if key.fault == "testing" else f"not for mail (s={key.tags.get('s', '')})"
    return "revoked" if key.revoked else key.name


def _published(handed_in: Published, keys: list[tuple[KeyRecord, Key]]) -> str:
    told = [
        f"{entry.name}: {_what_for(key)}" + "".join(f" ({remark})" for remark in key.remarks)
        for entry, key in keys
    ]
    told += [f"{_place(c.file, c.place.line + 1)}: {c.sentence}" for c in handed_in.complaints]
    return ". ".join(told) + "."


def _place(file: str, line: int) -> str:
    return f"{file}, line {line}" if line else file


def _where(complaint: Diagnostic) -> str:
    """The file, and in it the line and column, counted from one."""
    span = complaint.span
    return f"{complaint.file}, line {span.line + 1}, column {span.column + 1}" if span else complaint.file

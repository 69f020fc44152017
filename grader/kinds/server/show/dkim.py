"""What reports show of signatures: which there were, the files handed in for DNS, and what DNS answered.

Imported for labs about signatures alone, whose evidence takes the libraries that verify them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from grader.display.excerpts import Excerpt, ExcerptRow, cut, window
from grader.display.sentences import count, counted, listed
from grader.kinds.server.facts import ServerEvidence, ServerFacts
from grader.kinds.server.judge.dkim.overview import SignatureGroup, kinds
from grader.model.dns import KeyAnswer
from grader.model.pointer import Pointer


class SigningView(Struct, frozen=True):
    """The HTML report's section. Keys and files come with whether a check points to them."""

    kinds: list[SignatureGroup]
    unsigned: int
    keys: list[tuple[str, bool]]
    files: list[tuple[str, str, bool]]


def view(evidence: ServerEvidence, facts: ServerFacts, pointers: Sequence[Pointer]) -> SigningView:
    """Everything about signatures, for the HTML report."""
    found, unsigned = kinds(evidence, facts)
    wanted = {(pointer.kind, pointer.id) for pointer in pointers}
    files = facts.published.files if facts.published else []
    return SigningView(
        kinds=found,
        unsigned=unsigned,
        keys=[(in_words(answer), ("key", n) in wanted) for n, answer in enumerate(facts.keys)],
        files=[(file.name, file.text, ("file", n) in wanted) for n, file in enumerate(files)],
    )


def excerpt(facts: ServerFacts, pointer: Pointer, rows: int) -> Excerpt:
    """Lines of a file of records, a caret at what the complaint about one is about; or an answer of DNS."""
    if pointer.kind == "key":
        return Excerpt(pointer, "what DNS answers", [ExcerptRow(1, "", in_words(facts.keys[pointer.id]))], 1)
    assert facts.published is not None
    file = facts.published.files[pointer.id]
    lines = [("", line) for line in file.text.rstrip("\n").split("\n")]
    decisive = None if pointer.line is None else min(pointer.line, len(lines) - 1)
    shown = range(rows) if decisive is None else window(range(len(lines)), decisive, rows)
    made = cut(pointer, file.name, lines, shown, decisive)
    marks = {
        complaint.place.line + 1: ((complaint.place.column, complaint.place.column + 1),)
        for complaint in facts.published.complaints
        if complaint.file == file.name and complaint.fatal and complaint.span
    }
    marked = [replace(row, marks=marks.get(row.number, ()) if row.decisive else ()) for row in made.rows]
    return replace(made, rows=marked)


def in_words(answer: KeyAnswer) -> str:
    """What DNS answered to the question for a key: ``sel._domainkey.example.com TXT "v=DKIM1; …"``."""
    led = "".join(f" → {alias}" for alias in answer.aliases)
    texts = [
        " ".join('"' + string.decode("ascii", "backslashreplace") + '"' for string in strings)
        for strings in answer.texts
    ]
    said = "; ".join(texts) or ("no such name" if answer.rcode == "NXDOMAIN" else "no record")
    return f"{answer.name}{led} TXT {said}"


def sentences(evidence: ServerEvidence, facts: ServerFacts) -> Iterator[str]:
    """What was signed, with what success, and what was stopped, for the narrative."""
    found, unsigned = kinds(evidence, facts)
    for kind in found:
        tags = kind.first.tags
        bore = count(len(kind.messages), "message")
        signed = f"d={tags.get('d', '')} s={tags.get('s', '')} a={tags.get('a', '')}"
        yield f"{bore} arrived outside with a signature {signed}, which {kind.verdict}."
    if unsigned:
        yield f"{count(unsigned, 'message')} arrived outside unsigned."
    if stopped := [service.name for service in facts.services if service.stopped]:
        tried = sum(bool(attempt.stopped) for attempt in facts.attempts)
        yield f"Then {listed(stopped)} was stopped, and {counted(tried, 'message')} tried without."

"""Reads a student's answers as data: what stands in ``answers.yaml``, whatever it may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from grader.formats.handed import without_mark
from grader.formats.typography import odd_characters

QUOTES = ('"', "'")
LARGEST = 200_000
"""Bytes of a file of answers. Two hundred questions answered in full sentences have a quarter of that."""
MOST_NODES = 5_000
DEEPEST = 5
TOO_MUCH = "there is more, or more deeply nested, than any answers need"
MOST_QUOTED = 50
"""Answers that are taken as they stand, though YAML wants quotation marks around them."""
_SIGN_IN_FRONT = re.compile(r"(?:^|[:,\[-])\s*[`@%]")
_ANSWER = re.compile(r"((?:[a-z0-9]+(?:-[a-z0-9]+)*:|\s*-)[ \t]+)([^\s\"'\[{|>&*!#].*)")
"""A question's line, or one of a list, with an answer in no quotation marks or brackets."""
_NULL = re.compile("~|null|Null|NULL|")


class UnreadableFileError(Exception):
    """A file of answers that cannot be read: a sentence, and the line where known."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


def read_answers(data: bytes) -> dict[str, Any]:
    """A file of answers: question ids with texts, lists or mappings, every scalar as it was typed; ``None`` for none.

    Anchors, aliases, tags, repeated keys and second documents are refused, so that nothing in it means more than it
    says. Raises ``UnreadableFileError``.
    """
    if len(data) > LARGEST:
        raise UnreadableFileError(
            f"the file has {len(data)} bytes, and {LARGEST} are more than any answers need"
        )
    try:
        text = without_mark(data).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(
            f"the byte 0x{data[error.start]:02X} is no UTF-8: save the file as text in UTF-8", line
        ) from None
    if bad := re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", text):
        line = text.count("\n", 0, bad.start()) + 1
        raise UnreadableFileError(f"the character U+{ord(bad[0]):04X} is no text: take it out", line)
    value = _document(text)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableFileError(
            "the file is no list of 'question: answer': write a line for each question, as in the starter file"
        )
    return value


def _document(text: str) -> Any:
    """The value of a text, in which an answer on a line of its own counts as it stands where YAML would not have it.

    A colon or a backtick in one answer says nothing against all others.
    """
    lines = text.split("\n")
    for _ in range(MOST_QUOTED + 1):
        try:
            return _Reader("\n".join(lines)).document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            faulty = lines[mark.line] if mark and mark.line < len(lines) else ""
            quoted = _quoted(faulty)
            if mark is None or quoted is None or not _is_in_an_answer(error, faulty):
                raise UnreadableFileError(_fixed(error, faulty), mark.line + 1 if mark else None) from None
            lines[mark.line] = quoted
        except yaml.YAMLError as error:
            raise UnreadableFileError(f"this is no YAML: {str(error).splitlines()[0]}") from None
    raise UnreadableFileError("more answers than these hold a colon: put them in quotation marks")


def _is_in_an_answer(error: yaml.MarkedYAMLError, line: str) -> bool:
    """Whether what is wrong is a sign in the answer itself: a colon within, or a backtick, ``@`` or ``%`` in front."""
    problem = error.problem or ""
    return "mapping values are not allowed" in problem or bool(_SIGN_IN_FRONT.search(line))


def _quoted(line: str) -> str | None:
    """A line with its answer in quotation marks; ``None`` for one that is no question's, or whose answer has some."""
    found = _ANSWER.fullmatch(line.rstrip())
    if found is None:
        return None
    answer = re.sub(r"\s+#.*$", "", found[2]).replace("'", "''")
    return f"{found[1]}'{answer}'"


def _fixed(error: yaml.MarkedYAMLError, line: str) -> str:
    """What the parser found wrong in a line, in words that help."""
    problem = error.problem or error.context or "this is no YAML"
    if line.lstrip(" ").startswith("\t"):
        return "a tab stands where YAML wants spaces: indent with spaces"
    if "maximum nesting depth" in problem:
        # libyaml itself gives up from 0.2.6 on, and may do so before it tells of what it has read so far.
        return TOO_MUCH
    if (odd := next((one for one in odd_characters(line) if one.plain in QUOTES), None)) is not None:
        return f"column {odd.column + 1}: {odd.said}, and YAML knows no other"
    if "mapping values are not allowed" in problem:
        return "a colon stands inside an answer: put the answer in quotation marks"
    if "escape character" in problem or "hexdecimal" in problem:
        return "a backslash stands inside double quotation marks: use single ones"
    if "mapping keys are not allowed" in problem:
        return "a question mark stands alone: leave an open question empty"
    if _SIGN_IN_FRONT.search(line):
        return "a backtick, '@' or '%' begins an answer: put the answer in quotation marks"
    if "did not find expected key" in problem and line.count("'") % 2:
        return "a single quotation mark stands inside an answer in such marks: use double ones around it"
    return f"{problem}: see that brackets and quotation marks are closed and that lines are indented alike"


class _Reader:
    """Builds a value from the parser's events, which needs no memory beyond the file's own size."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._nodes = 0

    def document(self) -> Any:
        """The one document's value; ``None`` where there is none."""
        value = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise UnreadableFileError(
                        "a second document begins with '---': take that line out", _line(event)
                    )
                value = self._value(next(self._events), 1)
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            raise UnreadableFileError(TOO_MUCH, _line(event))
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            what = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            raise UnreadableFileError(
                f"the {what}{anchor[:40]} stands there: put the answer in quotation marks", _line(event)
            )
        if tag not in (None, "!"):
            raise UnreadableFileError(
                f"the tag {tag[:60]} stands there: put the answer in quotation marks", _line(event)
            )
        if isinstance(event, yaml.ScalarEvent):
            return None if event.implicit[0] and _NULL.fullmatch(event.value) else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(inner, depth + 1) or "" for inner in self._until(yaml.SequenceEndEvent)]
        return self._mapping(depth)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_event in self._until(yaml.MappingEndEvent):
            key = self._value(key_event, depth + 1)
            if not isinstance(key, str):
                raise UnreadableFileError(
                    "a list or a mapping stands before a colon: write 'question: answer'", _line(key_event)
                )
            if key in found:
                raise UnreadableFileError(f"{key[:60]!r} stands twice: leave one of them", _line(key_event))
            found[key] = self._value(next(self._events), depth + 1)
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark else None

"""What YAML's parser says of a broken file, in words for somebody who writes a lab: the line, the fault, the mend."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from grader.display.sentences import count

QUOTES = "put it in quotation marks"
ENTRY = re.compile(r"( *)- ")
KEY = re.compile(r" *(?:- +)*(?:[\"']?)([\w.@{}-]+)[\"']?:(?= )")


def in_our_words(error: yaml.MarkedYAMLError, data: bytes) -> tuple[int | None, str]:
    """The line, counted from one, and a sentence; the parser's own where it says what nobody has met yet."""
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    problem = error.problem or error.context or "this is no YAML"
    if mark is None:
        return None, problem
    text = data.decode("utf-8-sig", "replace").split("\n")
    line = text[mark.line] if mark.line < len(text) else ""
    before, here = line[: mark.column], line[mark.column :]
    if "\t" in before[: len(before) - len(before.lstrip())] or here.startswith("\t"):
        return mark.line + 1, "a tab stands where YAML takes spaces alone: indent with spaces"
    if re.search("[\u201c-\u201f]", line):
        return mark.line + 1, "typographic quotation marks mean nothing to YAML: write \" or '"
    if "mapping values are not allowed" in problem:
        return _colon(text, mark.line, before)
    if "did not find expected key" in problem or "expected '-' indicator" in problem:
        return mark.line + 1, _displaced(text, mark.line, before, here)
    if began is not None and "did not find expected ','" in problem:
        return _unclosed(began.line, mark.line, problem, here)
    if "unexpected end of stream" in problem and began is not None:
        return began.line + 1, "the quotation mark that opens here is never closed: close it"
    if "could not find expected ':'" in problem and began is not None:
        return (
            began.line + 1,
            "a key is followed by a colon and a space, and this line has none: write 'key: value'",
        )
    return mark.line + 1, _of_a_character(problem, here, line)


def _colon(text: Sequence[str], number: int, before: str) -> tuple[int, str]:
    """A colon where none can be: in a text, or after a line that is complete or no key."""
    if (key := KEY.match(before)) is not None:
        return (
            number + 1,
            f"a colon stands in the text of {key[1]!r}, as if another key began there: {QUOTES}",
        )
    above = next((place for place in range(number - 1, -1, -1) if text[place].strip()), number)
    if ":" not in text[above]:
        return (
            above + 1,
            "a key is followed by a colon and a space, and this line has none: write 'key: value'",
        )
    if KEY.match(text[above] + " ") is None:
        return above + 1, "a space is missing after the colon: write 'key: value'"
    spaces = (_indented(text[above]), _indented(text[number]))
    return number + 1, (
        f"this line is indented by {count(spaces[1], 'space')}, and the key above, which has its value already, by "
        f"{spaces[0]}: indent both alike"
    )


def _indented(line: str) -> int:
    """The column of a line's first key, past the dashes of lists."""
    return len(line) - len(line.lstrip(" -"))


def _displaced(text: Sequence[str], number: int, before: str, here: str) -> str:
    """A line that belongs nowhere by its indentation, or that goes on after its value has ended."""
    if (ended := before.strip(" -")) and ended[-1] in "\"'}]":
        if before.count(ended[-1]) % 2 and ended[-1] in "\"'":
            return f"a text that opens with {ended[-1]} in a line above ends here: close it in its own line"
        return (
            f"something follows after {ended[-1]}, with which the value ends: put all of it in quotation marks, and "
            "write a ' within single ones twice"
        )
    column = len(before)
    if here.startswith("- "):
        others = [found for place in range(number - 1, -1, -1) if (found := ENTRY.match(text[place]))]
        first = here.split(":")[0]
        alike = [found for found in others if found.string[found.end(1) :].startswith(first)]
        for found in (*alike, *others):
            if len(found[1]) != column:
                return (
                    f"this entry of a list is indented by {count(column, 'space')}, and the entries above by "
                    f"{len(found[1])}: indent all of a list alike"
                )
    return (
        f"this line is indented by {count(column, 'space')}, and nothing above that it could belong to is: indent it "
        "like the other keys of its entry"
    )


def _unclosed(opened: int, number: int, problem: str, here: str) -> tuple[int, str]:
    """A bracket or brace that does not end, or what cannot stand within."""
    close = problem[-2]
    if number != opened:
        sign = {"}": "{", "]": "["}[close]
        return opened + 1, f"the {sign} that opens in this line is not closed: add {close}"
    if here.startswith("{"):
        return (
            number + 1,
            f'a text within brackets that holds a brace is read as a mapping: {QUOTES}, "alice@{{domain}}"',
        )
    return number + 1, f"a comma or {close} is missing here, or a text holds what YAML reads: {QUOTES}"


def _of_a_character(problem: str, here: str, line: str) -> str:
    """A sign that means something to YAML."""
    if "unknown escape" in problem:
        return "a backslash means something within double quotation marks: write it twice, or use single ones"
    if "expected comment or line break" in problem:
        return "after | or > the text begins on the next line, indented: move it there"
    if "block sequence entries" in problem:
        return "a list begins on a line of its own: move the dash there, indented"
    if "found another document" in problem:
        return "--- begins a second document, and a file holds one: remove it"
    if "undefined alias" in problem:
        return f"{here.split()[0]} refers to a text marked with &, and none is: {QUOTES}"
    if "second occurrence" in problem:
        return "the same & is given twice: give each a name of its own"
    if "constructor for the tag" in problem:
        tag = problem.partition("'")[2].rstrip("'").replace("tag:yaml.org,2002:", "!!")
        return f"the tag {tag} means nothing in a lab: leave it out, or {QUOTES} with its text"
    first = (
        here[:1] if "cannot start any token" in problem or "mapping keys" in problem else line.lstrip()[:1]
    )
    if "expected alphabetic or numeric character" in problem:
        first = "*" if "*" in line else "&"
    if first and first in "@`%*&?!":
        return f"a text cannot begin with {first}: {QUOTES}"
    return problem

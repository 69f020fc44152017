"""Names in braces, in the texts of labs; names between at signs, in the files that labs hand out and install.

Files have their own sign because ``{``, ``}`` and ``$`` mean something to Postfix, and an ``@word@`` nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from grader.model.errors import LabError

_ALONE = re.compile(rb"(?<![\w.])@(?=(\w+)@(?![\w.]))")
"""An ``@word@`` to which nothing is joined; the next may begin with the sign at which this one ends."""
_NAME = re.compile(r"\{\{(\w+)\}\}|\{([a-z][a-z0-9_]*)\}")


def fill(text: str, names: Mapping[str, str], where: str = "") -> str:
    """``text`` with each ``{name}`` replaced; ``{{name}}`` gives a literal ``{name}``.

    Other braces stay as they are. Raises ``LabError`` for an unknown name, which ``where`` helps to find.
    """
    if "{" not in text:
        return text
    pieces = list(_pieces(text))
    try:
        pieces[1::2] = [names[name] for name in pieces[1::2]]
    except KeyError as missing:
        place = f"{where}: " if where else ""
        raise LabError(place + unknown_name(missing.args[0], names)) from None
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[str, ...]:
    """What stands between the names of ``text``, and each name, by turns. Each text of a lab is filled many times."""
    pieces = [""]
    end = 0
    for match in _NAME.finditer(text):
        literal, name = match.groups()
        pieces[-1] += text[end : match.start()]
        if name is None:
            pieces[-1] += "{" + literal + "}"
        else:
            pieces += [name, ""]
        end = match.end()
    pieces[-1] += text[end:]
    return tuple(pieces)


@lru_cache(maxsize=4096)
def names_in(text: str) -> frozenset[str]:
    """The names that ``fill`` would replace. Each text of a lab is asked for once a submission, and more often."""
    return frozenset(match[2] for match in _NAME.finditer(text) if match[2] is not None)


def unknown_name(name: str, known: Iterable[str]) -> str:
    """The sentence about a name in braces that no variant has."""
    return (
        f"there is no name {{{name}}}{nearest('{%s}', name, known)} (for literal braces write {{{{{name}}}}})"
    )


def nearest(form: str, given: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` when some known word is close to the given one, otherwise nothing."""
    from difflib import get_close_matches

    words = list(known)
    close = get_close_matches(given, words, n=1) or get_close_matches(given.lower(), words, n=1)
    return f"; did you mean {form % close[0]}?" if close else ""


def fill_file(data: bytes, names: Mapping[str, str]) -> bytes:
    """``data`` with each ``@name@`` of ``names`` replaced; any other ``@word@`` is left alone."""
    if data.count(b"@") < 2:
        return data
    known = "|".join(map(re.escape, names)).encode()
    return re.sub(b"@(" + known + b")@", lambda match: names[match[1].decode()].encode(), data)


def left_over(files: Mapping[str, bytes], names: Mapping[str, str]) -> list[str]:
    """A sentence about each file in which a lab's ``@name@`` still stands where its value should, the first of each.

    Two addresses side by side can look like one, ``a@host@b``: a name counts only where nothing is joined to it.
    """
    found = []
    for file, data in files.items():
        for place in _ALONE.finditer(data):
            name = place[1].decode("ascii", "replace")
            if name in names:
                line = data.count(b"\n", 0, place.start()) + 1
                found.append(
                    f"{file}, line {line}: @{name}@ stands for a name of the lab; yours is {names[name]}."
                )
                break
    return found

"""Two hand-ins side by side, without what their lab hands out; and the page of all that may point to copying."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from markupsafe import Markup
from msgspec import Struct

from grader import resources
from grader.course.alike import LONGEST, ForeignNames, Likeness, Work, statements
from grader.course.rarefaults import RareFaults
from grader.display.sentences import listed, some
from grader.display.text import visible
from grader.outputs.webpage import content_hash, environment

MOST_ROWS = 500
"""Rows of a file that are shown: a hand-in that was made to be long must not make the page so."""
MOST_PAIRS = 100
_OPTION = re.compile(r"(?<!\S)(--?\w{1,20})")


class Row(Struct, frozen=True):
    """What stands in one place of both; empty where one has nothing there. ``shared``: both say the same."""

    one: str
    other: str
    shared: bool


class File(Struct, frozen=True):
    """A file of both, by its name without the students' own names."""

    name: str
    rows: list[Row]


class Pair(Struct, frozen=True):
    """Two students' works, their files side by side."""

    one: str
    other: str
    share: float
    files: list[File]


def pairs(works: Sequence[Work], alike: Sequence[Likeness]) -> Iterator[Pair]:
    """The works that are alike, side by side, as far as the lab does not explain them.

    Where there are more than ``MOST_PAIRS``, each student is shown beside whoever's work is the most like.
    """
    by_student = {work.student: work for work in works}
    for found in _chosen(alike):
        one, other = _own(by_student[found.one]), _own(by_student[found.other])
        files = [
            File(name, list(_rows(one.get(name, []), other.get(name, [])))) for name in sorted({*one, *other})
        ]
        yield Pair(found.one, found.other, found.share, [file for file in files if file.rows])


def _chosen(alike: Sequence[Likeness]) -> list[Likeness]:
    if len(alike) <= MOST_PAIRS:
        return list(alike)
    seen: set[str] = set()
    chosen = []
    for pair in alike:
        if not seen.issuperset((pair.one, pair.other)):
            chosen.append(pair)
            seen |= {pair.one, pair.other}
    return chosen[:MOST_PAIRS]


def _own(work: Work) -> dict[str, list[str]]:
    """A work's statements by file, without those that were handed out, whichever file they lay in."""
    given = {statement for text in work.given.values() for statement in statements(text, work.names)}
    return {
        _shown_name(name, work.names): [one for one in statements(text, work.names) if one not in given]
        for name, text in work.files.items()
    }


def _shown_name(name: str, names: Mapping[str, str]) -> str:
    return " ".join(statements(name, names)) or name


def _rows(one: Sequence[str], other: Sequence[str]) -> Iterator[Row]:
    """Side by side in the order of both; what stands elsewhere in the other's file is shared all the same."""
    in_both = set(one) & set(other)
    made = 0
    for tag, start, end, from_, to in SequenceMatcher(
        None, one[:MOST_ROWS], other[:MOST_ROWS], False
    ).get_opcodes():
        for left, right in zip_longest(one[start:end], other[from_:to], fillvalue=""):
            if tag == "equal":
                yield Row(left[:LONGEST], right[:LONGEST], True)
            else:
                yield from (
                    Row(a[:LONGEST], b[:LONGEST], (a or b) in in_both)
                    for a, b in ((left, ""), ("", right))
                    if a or b
                )
            made += 1
            if made >= MOST_ROWS:
                return


def statement(text: str) -> Markup:
    """A line of a work, in which no ``-o`` is torn apart: browsers break lines behind each hyphen."""
    parts = [Markup.escape(visible(part)) for part in _OPTION.split(text)]
    return Markup().join(
        Markup('<span class="option">{}</span>').format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def page(
    lab: str,
    found: Sequence[Pair],
    faults: Sequence[RareFaults] | None = None,
    foreign: Sequence[ForeignNames] | None = None,
    *,
    more: int = 0,
) -> bytes:
    """All pointers as one HTML file: names of another's variant, the pairs, and who has rare faults in common.

    ``more`` pairs are not shown. ``faults`` is ``None`` where no results were looked at, ``foreign`` where nobody has
    a variant of their own. Raises ``UsageError`` where smtplab's own templates are missing.
    """
    known = environment(resources.folder("reports") / "alike")
    assert known.loader is not None
    style = "".join(known.loader.get_source(known, name)[0] for name in ("report.css", "alike.css"))
    text = known.get_template("alike.html.j2").render(
        lab=lab,
        pairs=found,
        more=more,
        faults=faults,
        foreign=foreign,
        listed=listed,
        some=some,
        statement=statement,
        style=Markup(style),  # noqa: S704  smtplab's own file
        style_hash=content_hash(style),
    )
    return text.encode()

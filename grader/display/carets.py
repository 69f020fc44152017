"""Lines of a file on a terminal, with the marked characters in colour and carets beneath them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from grader.display.excerpts import ExcerptRow
from grader.display.text import one_line

STYLE = "bold red"
CONTEXT = 0.6
"""The share of a narrow line that shows what stands before the mark."""


def marked(row: ExcerptRow, width: int) -> Iterator[Text]:
    """The line, cut around its first mark where it is too wide, and the carets beneath it if anything is marked."""
    pieces = [(one_line(text.replace("\t", "    ")), is_marked) for text, is_marked in row.parts()]
    whole = sum(cell_len(text) for text, _ in pieces)
    if whole > width:
        pieces = _cut(pieces, width)
    yield Text.assemble(*((text, STYLE if is_marked else "") for text, is_marked in pieces))
    if any(is_marked for _, is_marked in pieces):
        below = "".join(("^" if is_marked else " ") * cell_len(text) for text, is_marked in pieces)
        yield Text(below.rstrip(), STYLE)


def _cut(pieces: list[tuple[str, bool]], width: int) -> list[tuple[str, bool]]:
    """As much of the line as fits around its first mark, with an ellipsis where something is left out."""
    first = next((number for number, (_, is_marked) in enumerate(pieces) if is_marked), len(pieces))
    before = "".join(text for text, _ in pieces[:first])
    room = int(width * CONTEXT) if first < len(pieces) else width
    if cell_len(before) > room:
        before = f"…{before[len(before) - room + 1 :]}" if first < len(pieces) else before
    found = [(before, False)]
    left = width - cell_len(before)
    for text, is_marked in pieces[first:]:
        if cell_len(text) > left:
            found.append((f"{text[: max(0, left - 1)]}…", is_marked))
            return found
        found.append((text, is_marked))
        left -= cell_len(text)
    if left < 0:
        found = [(f"{before[: width - 1]}…", False)]
    return found

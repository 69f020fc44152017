"""Results that an earlier run gave to somebody whose hand-in is another's by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.course.intake.handin import HandIn
from grader.course.intake.names import safe_name
from grader.course.results_folder import RESULT, folder_names, read_row
from grader.display.sentences import listed, some


def of_earlier_owners(out: Path, hand_ins: Iterable[HandIn]) -> Iterator[str]:
    """Sentences on results in ``out`` of whoever has none of these hand-ins, made from one of them.

    A roster, a group or a table of who is who was corrected; or another class's work lay at the same place, which
    nobody but the instructor can tell: so nothing is taken away.
    """
    owners: dict[str, tuple[str, ...]] = {}
    here: set[str] = set()
    for hand_in in hand_ins:
        owners[hand_in.label] = hand_in.students
        here.update(map(hand_in.folder_of, hand_in.students))
    for name in folder_names(out):
        if name in here or (row := read_row(out / name)) is None or row.source not in owners:
            continue
        yield (
            f"{row.student} has an earlier result of {row.source}, which is {listed(owners[row.source])}'s by now: if "
            f"it is {row.student}'s no more, move {str(out / name)!r} away, and grade again with --resume"
        )


def of_missing(out: Path, missing: Iterable[str]) -> Iterator[str]:
    """A sentence on whoever of a roster handed nothing in now, and has a result in ``out``: perhaps work is left out.

    The class's documents tell that result, for a late hand-in may be graded by itself.
    """
    if there := [student for student in missing if (out / safe_name(student) / RESULT).is_file()]:
        yield f"handed nothing in this time, and have an earlier result here, which stays: {some(there, 8)}"

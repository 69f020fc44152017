"""Rare faults in common: hand-ins that fail the same checks in the same unusual way. Pure.

A pointer to copying, and weaker than the same text: two who misread the same page fail alike, too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from msgspec import Struct

from grader.course.alike import LONGEST
from grader.model.result import Result
from grader.outputs.classview import without_names

RARE = 0.1
"""What part of the class may make a fault that is rare; two are never rare among fewer than twenty."""
SHOWN = 5
_BLANKS = re.compile(r"\s+")


class RareFaults(Struct, frozen=True):
    """Students, or groups, who fail the same checks in the same way, and of these faults those that are rare."""

    students: list[str]
    faults: list[str]


def rare_faults(results: Iterable[Result]) -> list[RareFaults]:
    """Whoever has exactly the same faults, one of them rare in the class, the fewest first.

    A fault is a failed check with its advice, without numbers and names, which differ from variant to variant. What
    the grader failed at, or nobody could read, is passed over. A group is one, for it handed in once.
    """
    made: dict[str, dict[tuple[str, str], str]] = {}
    for result in results:
        if not result.final:
            continue
        group = result.handed_in.group if result.handed_in else []
        who = " + ".join(sorted(group)) if group else result.student or ""
        failed = [check for check in result.checks if check.status == "fail"]
        made[who] = {
            (check.code, without_names(check.next)): _BLANKS.sub(" ", f"{check.code}: {check.next}")[:LONGEST]
            for check in failed
        }
    spread = Counter(fault for faults in made.values() for fault in faults)
    rare = {fault for fault, number in spread.items() if number <= len(made) * RARE}
    alike: defaultdict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for who, faults in made.items():
        if rare & faults.keys():
            alike[frozenset(faults)].append(who)
    found = [
        RareFaults(sorted(students), sorted(made[students[0]][fault] for fault in faults & rare)[:SHOWN])
        for faults, students in alike.items()
        if len(students) > 1
    ]
    return sorted(found, key=lambda one: (len(one.students), one.students))

"""What the gradebooks of learning platforms import: one file a platform.

A grade is given where it holds and nobody has to look: an empty cell leaves a gradebook as it is, where a score
without the points that the grader or a person still owes would stand as the student's. Students who are not named get
none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.display.text import csv_cell
from grader.model.result import Person, Result


@dataclass
class Entry:
    """A student's grades, by lab; ``None`` where there is none to give yet. ``person`` is who the roster says it is."""

    person: Person = field(default_factory=Person)
    grades: dict[str, int | None] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)


@dataclass
class Book:
    """Labs by id: titles of their columns, what platforms call them. Students in the order of their first results.

    Of the results themselves their places are kept alone: they are read again when a student's line is made.
    ``unreachable`` are the students whose address the roster does not say.
    """

    results: Sequence[Result]
    titles: dict[str, str] = field(default_factory=dict)
    assignments: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)

    def entries(self, *, feedback: bool = False) -> Iterator[tuple[str, Entry]]:
        """Each student with the grades; of several results of one student in one lab the last counts."""
        for student, places in self.places.items():
            entry = Entry()
            for result in map(self.results.__getitem__, places):
                entry.person = result.person or entry.person
                entry.grades[result.lab] = grade(result)
                if feedback:
                    entry.feedback[result.lab] = words(result)
            yield student, entry


def grade(result: Result) -> int | None:
    """The score where it can be given back."""
    return result.score if result.final and not result.waiting_points else None


def book(results: Sequence[Result]) -> Book:
    """A class's results by student."""
    found = Book(results)
    for place, result in enumerate(results):
        student = result.student or ""
        if not student.strip():
            continue
        found.titles.setdefault(result.lab, column(result))
        found.assignments.setdefault(result.lab, result.assignment)
        found.places.setdefault(student, []).append(place)
        if result.person is not None and result.person.email:
            found.unreachable.discard(student)
        elif result.person is not None or len(found.places[student]) == 1:
            found.unreachable.add(student)
    return found


def column(result: Result) -> str:
    """What the item is called in the gradebook: the lab's title."""
    return csv_cell(result.lab_title).strip() or csv_cell(result.lab)


def words(result: Result) -> str:
    """Feedback in a gradebook: the headline, remarks, and what was not right, as plain text."""
    from grader.outputs.feedback import WORDS, body, points, preface, title

    said = [preface(result)]
    for check in result.checks:
        if check.status != "pass":
            said.append(f"{WORDS[check.status]}: {title(check)} ({points(check)})")
            said.append(body(check))
    return "\n".join(filter(None, said))

"""What there is to give back of each student's result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from grader.labs.cache import digest
from grader.model.result import Person, Result
from grader.outputs.editions import for_student
from grader.outputs.gradebooks import words

State = Literal["grade", "by-hand", "failed", "refused"]
WHY = {
    "by-hand": "a person has yet to decide on points",
    "failed": "the grader failed, which costs nobody a point",
    "refused": "what was handed in could not be read, and was not graded",
}
"""Why there is no score to send."""


class Outgoing(Struct, frozen=True, kw_only=True):
    """One student's grade on its way. ``score`` is ``None`` where it is none, and ``state`` says why.

    ``comment`` is plain text, with nothing in it that the student may not see. ``handed_in`` is the platform's time.
    """

    student: str
    person: Person
    state: State
    score: int | None
    max_score: int
    comment: str
    assignment: dict[str, str]
    handed_in: str = ""

    @property
    def digest(self) -> str:
        """Of all that the student would get: what was sent once is not sent again."""
        return digest([msgspec.json.encode((self.state, self.score, self.max_score, self.comment))])


def outgoing(results: Iterable[Result]) -> Iterator[Outgoing]:
    """What there is to send, in the order of the results; whoever has no id is nobody's."""
    for result in results:
        if not (result.student or "").strip():
            continue
        state = _state(result)
        yield Outgoing(
            student=result.student or "",
            person=result.person or Person(),
            state=state,
            score=result.score if state == "grade" else None,
            max_score=result.max_score,
            comment=words(for_student(result)),
            assignment=result.assignment,
            handed_in=result.handed_in.time if result.handed_in else "",
        )


def _state(result: Result) -> State:
    if result.status == "refused":
        return "refused"
    if not result.final:
        return "failed"
    return "by-hand" if result.waiting_points else "grade"

"""Compares what was handed out with what is about to be graded: student, course key, lab and version.

Every folder that ``smtplab start`` makes says for whom it was made. Where a platform has renamed folders, or the course
key is another one, everybody's names would be wrong, and a perfect solution lost: that is found before the first grade.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from grader import labs
from grader.course.intake.handin import HandIn
from grader.course.intake.names import student_id
from grader.display.sentences import count, some
from grader.labs import Started, Variant, Variants
from grader.model.errors import UsageError
from grader.model.lab import Lab

What = Literal["lab", "student", "key", "version"]


class Disagreement(Struct, frozen=True):
    """A hand-in that was handed out otherwise than it is graded, in the first respect in which it was."""

    what: What
    hand_in: HandIn
    handed_out: Started

    @property
    def sentence(self) -> str:
        """It, for the instructor."""
        mark, label = self.handed_out, self.hand_in.label
        match self.what:
            case "lab":
                return f"{label} was handed out for the lab {mark.lab!r}"
            case "student":
                return (
                    f"{label} was handed out for {mark.student!r}, and handed in by {self.hand_in.student!r}"
                )
            case "key":
                return f"{label} was handed out in another variant than it is graded in ({mark.variant!r})"
            case "version":
                return f"{label} was handed out when the lab was at version {mark.version!r}"


NOTES: dict[What, str] = {
    "lab": "What was handed in was handed out for another lab.",
    "student": "What was handed in was handed out for another student, and has that student's names.",
    "key": "What was handed in was handed out in another variant than it was graded in.",
    "version": "What was handed in was handed out for another version of the lab.",
}
"""What a student's own result says of it; it names nobody else."""
SEVERAL = 3
"""Disagreements that one student's mischief does not explain."""


def prepared(
    hand_ins: Sequence[HandIn],
    lab: Lab,
    *,
    draw: bool,
    key: str | None,
    trust: bool = False,
    decided: bool = False,
) -> list[HandIn]:
    """The hand-ins as they are to be graded, each disagreement in its remarks.

    ``trust`` takes the word of the hand-out for whose a hand-in is and for its variant. ``decided`` says that a roster
    has told whose each is. Raises ``UsageError`` where most of a class were handed out otherwise, and where two
    students' hand-ins were handed out for one and that is to be trusted.
    """
    found: list[Disagreement] = []
    variants = Variants(lab, key)
    marks = [(hand_in, labs.handed_out(lab, hand_in.source)) for hand_in in hand_ins]
    made: list[HandIn] = []
    for given, mark in marks:
        hand_in = given
        if mark is not None and mark.lab == lab.id:
            hand_in = _trusting(given, mark) if trust else _of_group(given, mark)
        wrong = _disagreement(hand_in, mark, lab, variants, draw=draw) if mark is not None else None
        if wrong is not None:
            found.append(wrong)
            hand_in = replace(
                hand_in, remarks=(*hand_in.remarks, wrong.sentence), notes=(*hand_in.notes, NOTES[wrong.what])
            )
        made.append(hand_in)
    if trust:
        _refuse_twice(made)
    made = _same_variant(made, [mark for _, mark in marks])
    told = sum(mark is not None for _, mark in marks)
    serious = [one for one in found if not (trust and one.what == "version")]
    if _most(len(serious), told, len(hand_ins)) and not (
        decided and told == 1 and serious[0].what == "student"
    ):
        raise UsageError(_stopped(serious, told, lab, key))
    return made


def _most(serious: int, told: int, whole: int) -> bool:
    """Whether disagreements stop a class: most of those that say anything, and enough of all.

    Where few hand-ins hold what they were handed out with, one stray or forged word must not stop the others: it takes
    half of the class, or several that are a fifth of it.
    """
    return 2 * serious > told and (2 * serious >= whole or (serious >= SEVERAL and 5 * serious >= whole))


def variant_of(hand_in: HandIn, variants: Variants, *, draw: bool) -> Variant:
    """The variant that a hand-in is graded in: that of whom it was handed out for, as far as that is believed.

    It is without the texts of the lab's own files, as ``Variants.of`` gives it.
    """
    drawn = not hand_in.canonical and (draw or hand_in.seed is not None)
    student = (hand_in.drawn_for or hand_in.student) if drawn else None
    return variants.of(student, seed=hand_in.seed if drawn else None)


def _disagreement(
    hand_in: HandIn, mark: Started, lab: Lab, variants: Variants, *, draw: bool
) -> Disagreement | None:
    if mark.lab != lab.id:
        return Disagreement("lab", hand_in, mark)
    if mark.student is not None and mark.student not in (*hand_in.students, hand_in.group):
        return Disagreement("student", hand_in, mark)
    if mark.variant and mark.variant != variant_of(hand_in, variants, draw=draw).id:
        return Disagreement("key", hand_in, mark)
    if mark.version and mark.version != lab.version:
        return Disagreement("version", hand_in, mark)
    return None


def _of_group(hand_in: HandIn, mark: Started) -> HandIn:
    """A group works in the variant of whichever member, or in that of the group, it was handed out for."""
    mine = mark.student is not None and mark.student in (*hand_in.students, hand_in.group)
    return replace(hand_in, drawn_for=mark.student or "") if mine else hand_in


def _trusting(hand_in: HandIn, mark: Started) -> HandIn:
    """The hand-in as its hand-out has it."""
    if mark.student is None:
        return replace(hand_in, canonical=True)
    trusted = _of_group(replace(hand_in, seed=mark.seed), mark)
    if trusted.drawn_for:
        return trusted
    return replace(trusted, student=student_id(mark.student), others=(), drawn_for=mark.student)


def _refuse_twice(hand_ins: Sequence[HandIn]) -> None:
    owner: dict[str, HandIn] = {}
    for hand_in in hand_ins:
        for student in hand_in.students:
            if (other := owner.get(student)) is not None:
                raise UsageError(
                    f"{other.label} and {hand_in.label} were both handed out for {student!r}, so that the word of the "
                    "hand-outs does not say whose they are: leave one out, or say who is who with --map"
                )
            owner[student] = hand_in


def _same_variant(hand_ins: Sequence[HandIn], marks: Sequence[Started | None]) -> list[HandIn]:
    """Says of each hand-in which others have the same hand-out: one of them is a copy, by whomever."""
    sharing: dict[tuple[str, str], list[HandIn]] = {}
    for hand_in, mark in zip(hand_ins, marks, strict=True):
        if mark is not None and mark.student is not None:
            sharing.setdefault((mark.lab, mark.variant), []).append(hand_in)
    made = []
    for hand_in, mark in zip(hand_ins, marks, strict=True):
        others = sharing.get((mark.lab, mark.variant), []) if mark is not None else []
        others = [other for other in others if other is not hand_in]
        if others:
            shown = some([other.label for other in others], 3)
            said = f"{hand_in.label} has the same hand-out as {shown}"
            hand_in = replace(hand_in, remarks=(*hand_in.remarks, said))
        made.append(hand_in)
    return made


def _stopped(found: Sequence[Disagreement], told: int, lab: Lab, key: str | None) -> str:
    """The sentence for a class that is stopped: what most disagree in, and who may decide."""
    [(what, _)] = Counter(one.what for one in found).most_common(1)
    one = next(one for one in found if one.what == what)
    mark, such = one.handed_out, f"such as {one.hand_in.label}"
    number = f"{count(len(found), 'hand-in')} of the {told:,} that say what they were handed out for"
    trust = "take the word of the hand-outs with --trust-handout"
    if what == "lab":
        return f"{number} were handed out for another lab ({such}, for {mark.lab!r}): name that lab"
    if what == "student":
        return (
            f"{number} were handed out for another student than they are graded as ({such}, for {mark.student!r} "
            f"and not {one.hand_in.student!r}): say who is who with --roster or --map, or {trust}"
        )
    if what == "version":
        return (
            f"{number} were handed out when the lab {lab.id} was at version {mark.version}, and it is at {lab.version} "
            f"({such}): grade them by the lab as it was, or go on with --trust-handout"
        )
    if mark.student is None:
        return (
            f"{number} were handed out in the canonical variant, and would be graded in each student's own ({such}): "
            f"leave the course key out, or {trust}"
        )
    if labs.draw_variant(lab, mark.student, None).id == mark.variant:
        return (
            f"{number} were handed out in a variant of the student's, without a course key ({such}): give "
            f"--student-from folder and no key, or {trust}"
        )
    given = "with another course key than the one given" if key else "with a course key, and none is given"
    return f"{number} were handed out {given} ({such}): give that one with --seed, or {trust}"

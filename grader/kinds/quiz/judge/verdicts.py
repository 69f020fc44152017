"""From the answers of a quiz to its result: each question a check, with points for what is partly right."""

from __future__ import annotations

from collections.abc import Sequence

from grader.kinds.quiz.declare import READABLE, QuizLab
from grader.kinds.quiz.facts import QUOTE, Posed, QuizEvidence
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer, right_answer, shown_answer
from grader.kinds.quiz.judge.marking import Given, Mark, Said, mark
from grader.kinds.quiz.questions import Match, Multiple, OrderItems, Question
from grader.model.finding import Judged
from grader.model.hints import allows
from grader.model.lab import Check
from grader.model.pointer import Pointer
from grader.model.result import CheckResult


class AnswerJudge:
    """Judges the answers of one student. ``hints`` caps what is told to a wrong answer.

    From ``pointer`` on it is told where the answer stands; with ``example``, where the lab tells answers, the right
    answer, unless no answer was given that can be read. What the answer given means is always told.
    """

    def __init__(self, evidence: QuizEvidence, lab: QuizLab, hints: str) -> None:
        facts = evidence.facts
        self._facts = facts
        self._file = lab.submission.required[0]
        self._hints, self._tell = hints, lab.quiz.tell
        questions = {question.id: question for question in lab.quiz.questions}
        # A corrected lab judges by its own question; the letters stay those that the student saw.
        self._posed = {
            posed.question.id: Posed(questions.get(posed.question.id, posed.question), posed.shown)
            for posed in facts.posed
        }

        self._places = {posed.question.id: [place] for place, posed in enumerate(facts.posed)}

    def judge(self, check: Check) -> Judged:
        """See ``grader.kinds.base.Judge``."""
        return self._readable() if check.code == READABLE else self._answered(check)

    def way_open(self, check: Check) -> bool:
        """See ``grader.kinds.base.Judge``: no question controls another."""
        return True

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """See ``grader.kinds.base.Judge``."""
        return []

    def _readable(self) -> Judged:
        if not self._facts.problem:
            return Judged("pass", "All of it was read.")
        where = f"{self._file}, line {self._facts.line}" if self._facts.line else self._file
        return Judged("fail", f"{where}: {self._facts.problem}.")

    def _answered(self, check: Check) -> Judged:
        posed = self._posed[check.code]
        given: Given | None = None
        try:
            given = read_answer(posed, self._facts.answers.get(check.code))
            observed = "No answer was given." if given is None else ""
        except UnreadableError as error:
            observed = _ended(f"The answer counts for nothing: {error}")
        marked = mark(posed.question, given if given is not None else [])
        if given is not None:
            observed = _observed(posed, given, marked)
        expected = _expectation(posed.question)
        if marked.right:
            return Judged("pass", observed, expected=expected)
        told = self._tell and given is not None and allows(self._hints, "example")
        sheets = [name for name in posed.question.see if not name.startswith("RFC ")]
        sheets = sheets if allows(self._hints, "pointer") else []
        return Judged(
            "fail",
            observed,
            points=marked.points(check.points),
            expected=expected,
            why=(_why(marked) if told else "") or None,
            next=_next(posed, list(check.see), sheets, told=told, answered=given is not None),
            references=[*check.see, *(f"sheet {name}" for name in sheets)],
            pointers=[Pointer(QUOTE, place) for place in self._places[check.code] if posed.question.quote],
        )


def _expectation(question: Question) -> str:
    if isinstance(question, Multiple):
        return "All right answers are chosen, and no other."
    if isinstance(question, OrderItems):
        return "All items stand in their order."
    if isinstance(question, Match):
        return "All pairs are put together."
    return "The right answer is given."


def _observed(posed: Posed, given: Given, marked: Mark) -> str:
    """What was answered, how much of it is right, and what there is to say to it."""
    told = [said for said in marked.said if said.tone != "missed"]
    if isinstance(posed.question, Multiple):
        return "\n".join(["You chose:", *(_told(said, named=True) for said in told)])
    parts = [f"You answered: {_ended(shown_answer(posed, given))}"]
    if not marked.right and isinstance(posed.question, OrderItems | Match):
        parts.append(f"{marked.got} of {marked.of} are right.")
    return " ".join([*parts, *(said.text for said in told)])


def _why(marked: Mark) -> str:
    """Why the right answer is right, for each part of it that was missed."""
    missed = [said for said in marked.said if said.tone == "missed"]
    return "\n".join(_told(said, named=len(missed) > 1) for said in missed)


def _next(posed: Posed, sections: list[str], sheets: list[str], *, told: bool, answered: bool) -> str:
    """The right answer, as far as the instructor allows, and where to read about it."""
    first = (
        f"Right is: {_ended(right_answer(posed.question))}"
        if told
        else "Answer again."
        if answered
        else "Answer it."
    )
    if sheets:
        return f"{first} Read about it with `smtplab explain {sheets[0]}`."
    return f"{first} Read {sections[0]}." if sections else first


def _told(said: Said, *, named: bool) -> str:
    return f"{said.about.rstrip('.')}: {said.text}" if named and said.about else said.text


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."

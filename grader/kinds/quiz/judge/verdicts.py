"""From the answers of a quiz to its result: each question a check, with points for what is partly right."""

from __future__ import annotations

from msgspec.structs import replace

from grader.kinds.quiz.declare import READABLE
from grader.kinds.quiz.facts import Posed, QuizFacts
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer, right_answer, shown_answer
from grader.kinds.quiz.judge.marking import Given, Mark, Said, mark
from grader.kinds.quiz.questions import Match, Multiple, Order, Question
from grader.model.evidence import Evidence
from grader.model.lab import Check, Lab
from grader.model.result import CheckResult

HINT_TIERS = ("none", "nudge", "pointer", "example")


def judge_answers(evidence: Evidence, facts: QuizFacts, lab: Lab, hints: str) -> dict[str, CheckResult]:
    """The result of every check of a quiz that was posed, by its code.

    ``hints`` caps what is told to a wrong answer: from ``pointer`` on where the answer stands, with ``example`` the
    answer itself. What the answer given means is always told.
    """
    declared = {check.code: check for check in lab.checks}
    tier = HINT_TIERS.index(hints)
    done: dict[str, CheckResult] = {}
    if READABLE in declared:
        done[READABLE] = _readable(declared[READABLE], evidence, facts, lab)
    questions = {question.id: question for question in lab.quiz.questions} if lab.quiz else {}
    for posed in facts.posed:
        check = declared.get(posed.question.id)
        if check is not None:
            # A corrected lab judges by its own question; the letters stay those that the student saw.
            posed = Posed(questions.get(check.code, posed.question), posed.shown)
            done[check.code] = _answered(check, posed, facts, evidence, lab, tier)
    return done


def _readable(check: Check, evidence: Evidence, facts: QuizFacts, lab: Lab) -> CheckResult:
    where = lab.submission.required[0]
    if facts.line:
        where += f", line {facts.line}"
    return CheckResult(
        code=f"{lab.id}/{check.code}",
        title=check.title,
        status="error" if evidence.error else "fail" if facts.problem else "pass",
        points=0,
        max_points=check.points,
        expected=check.expected or "",
        observed=evidence.error or (f"{where}: {facts.problem}." if facts.problem else "All of it was read."),
        why=check.why,
        next=check.next if facts.problem else "",
        tags=list(check.tags),
    )


def _answered(
    check: Check, posed: Posed, facts: QuizFacts, evidence: Evidence, lab: Lab, tier: int
) -> CheckResult:
    base = CheckResult(
        code=f"{lab.id}/{check.code}",
        title=posed.question.title,
        status="error",
        points=0,
        max_points=check.points,
        expected=_expectation(posed.question),
        why=check.why,
        references=list(check.see),
        tags=list(check.tags),
    )
    if evidence.error:
        return replace(base, observed=evidence.error)
    if facts.problem:
        because = f"{lab.id}/{READABLE}"
        return replace(
            base, status="skipped", because=because, observed=f"Not judged, because {because} failed."
        )
    given: Given | None = None
    try:
        given = read_answer(posed, facts.answers.get(check.code))
        observed = "No answer was given." if given is None else ""
    except UnreadableError as error:
        observed = _ended(f"The answer counts for nothing: {error}")
    marked = mark(posed.question, given if given is not None else [])
    if given is not None:
        observed = _observed(posed, given, marked)
    if marked.right:
        return replace(base, status="pass", points=check.points, observed=observed)
    told = tier >= HINT_TIERS.index("example")
    sheets = [name for name in posed.question.see if not name.startswith("RFC ")]
    sheets = sheets if tier >= HINT_TIERS.index("pointer") else []
    return replace(
        base,
        status="fail",
        points=marked.points(check.points),
        observed=observed,
        why=(_why(marked) if told else "") or check.why,
        next=_next(posed, list(check.see), sheets, told=told),
        references=[*check.see, *(f"sheet {name}" for name in sheets)],
    )


def _expectation(question: Question) -> str:
    if isinstance(question, Multiple):
        return "All right answers are chosen, and no other."
    if isinstance(question, Order):
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
    if not marked.right and isinstance(posed.question, Order | Match):
        parts.append(f"{marked.got} of {marked.of} are right.")
    return " ".join([*parts, *(said.text for said in told)])


def _why(marked: Mark) -> str:
    """Why the right answer is right, for each part of it that was missed."""
    missed = [said for said in marked.said if said.tone == "missed"]
    return "\n".join(_told(said, named=len(missed) > 1) for said in missed)


def _next(posed: Posed, sections: list[str], sheets: list[str], *, told: bool) -> str:
    """The right answer, as far as the instructor allows, and where to read about it."""
    first = f"Right is: {_ended(right_answer(posed.question))}" if told else "Answer again."
    if sheets:
        return f"{first} Read about it with `smtplab explain {sheets[0]}`."
    return f"{first} Read {sections[0]}." if sections else first


def _told(said: Said, *, named: bool) -> str:
    return f"{said.about.rstrip('.')}: {said.text}" if named and said.about else said.text


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."

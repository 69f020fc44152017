"""Completes a lab of kind ``quiz``: its questions are gathered, and each becomes a check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from grader.kinds.quiz import bank
from grader.kinds.quiz import entries as sheets
from grader.kinds.quiz.answer_sheet import QUOTED, asked
from grader.kinds.quiz.declare import READABLE, Quiz, QuizLab
from grader.kinds.quiz.draw import pose
from grader.kinds.quiz.entries import EntryTitle
from grader.kinds.quiz.questions import Question
from grader.labs import cache
from grader.labs.complaints import refusal
from grader.labs.world import program_digest
from grader.labs.yamlfile import read_bytes
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError
from grader.model.lab import Check
from grader.model.templates import nearest
from grader.model.variant import CANONICAL

UNREADABLE = Check(
    code=READABLE,
    title="Your answers can be read",
    points=0,
    why="What cannot be read cannot be marked, so none of the answers counts.",
    next="Fix the file there, and keep to the form of the starter file: each question's name, a colon, the answer.",
    expected="answers.yaml is text in UTF-8 and holds an answer to each question, as the starter file shows.",
    tags=["quiz"],
)


def with_questions(lab: QuizLab, path: Path, data: bytes) -> QuizLab:
    """The lab with all its questions and a check for each. Raises ``LabError``, with a line for each fault."""
    files = bank.question_files(path.parent, lab.quiz.bank)
    if missing := list(_missing(lab.quiz, files)):
        raise refusal(path, data, missing)
    if lab.quiz.topics:
        files += bank.bundled()
    depends = [*files, *sheets.files()]
    parts = [program_digest(), str(path).encode(), data]
    key = cache.digest([*parts, *(read_bytes(file, "file of questions") for file in depends)])
    return cache.cached("quizzes", key, QuizLab, lambda: _completed(lab, lab.quiz, path, data))


def _missing(quiz: Quiz, files: list[Path]) -> Iterator[Diagnostic]:
    """Files of questions that are named and not there."""
    for number, (name, file) in enumerate(zip(quiz.bank, files, strict=True)):
        if not file.exists():
            beside = [other.name for other in file.parent.glob("*.yaml")]
            yield fault_at(
                ("quiz", "bank", number), f"there is no file {name!r} here{nearest('%r', name, beside)}"
            )


def _completed(lab: QuizLab, quiz: Quiz, path: Path, data: bytes) -> QuizLab:
    known = sheets.sheets()
    questions = [*quiz.questions, *bank.read_bank(bank.question_files(path.parent, quiz.bank), known)]
    own = bank.read_bank(bank.bundled(), known) if quiz.topics else []
    questions += [question for question in own if question.topic in quiz.topics]
    if complaints := list(_complaints(quiz, questions, {question.topic for question in own}, known)):
        raise refusal(path, data, complaints)
    if not questions:
        raise LabError(f"{path}: the quiz has no questions: name topics or a bank, or write questions there")
    checks = [UNREADABLE, *(_check(question, quiz.points, known) for question in questions)]
    return replace(lab, checks=checks, quiz=replace(quiz, questions=questions))


def _complaints(
    quiz: Quiz, questions: list[Question], topics: set[str], known: dict[str, EntryTitle]
) -> Iterator[Diagnostic]:
    ids = [question.id for question in questions]
    for number, topic in enumerate(quiz.topics):
        if topic not in topics:
            hint = nearest("%r", topic, topics) or f" (there are {', '.join(sorted(topics))})"
            yield fault_at(("quiz", "topics", number), f"there is no topic {topic!r}{hint}")
    for number, question in enumerate(quiz.questions):
        for fault in bank.question_complaints(question, known):
            yield fault_at(("quiz", "questions", number, *fault.path), fault.sentence)
    for twice in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield fault_at(("quiz",), f"two questions have the id {twice!r}; rename one")
    if quiz.draw and quiz.draw > len(ids):
        yield fault_at(("quiz", "draw"), f"{quiz.draw} questions are to be drawn, and there are {len(ids)}")
    for number, name in enumerate(quiz.canonical):
        if name not in ids:
            yield fault_at(
                ("quiz", "canonical", number), f"there is no question {name!r}{nearest('%r', name, ids)}"
            )
    if quiz.canonical and len(set(quiz.canonical)) != (quiz.draw or len(ids)):
        yield fault_at(
            ("quiz", "canonical"),
            f"{len(set(quiz.canonical))} questions are named, and each student gets {quiz.draw or len(ids)}",
        )


def _check(question: Question, points: int, known: dict[str, EntryTitle]) -> Check:
    """A question as a check. What would tell the answer is left out: the judge adds it to an answer that was given."""
    return Check(
        code=question.id,
        title=_literal(question.title),
        points=points,
        why=why(question),
        next="Answer it in answers.yaml.",
        needs=[READABLE],
        see=rfc_sections(question, known),
        tags=[question.topic],
        explain=_literal(_as_code(asked(pose(question, CANONICAL)))),
    )


def _as_code(lines: Iterator[str]) -> str:
    """Lines as Markdown that is shown as it stands."""
    return "\n".join(f"    {_on_one_line(part)}" if part.strip() else "" for part in lines)


def _on_one_line(part: str) -> str:
    quoted = part.strip()
    return quoted if quoted.startswith(QUOTED.strip()) else " ".join(part.split())


def _literal(text: str) -> str:
    """``text`` for a key in which names in braces are replaced: what looks like one stays as it is."""
    return re.sub(r"\{([a-z][a-z0-9_]*)\}", r"{{\1}}", text)


def why(question: Question) -> str:
    """What a question is about, without telling its answer."""
    depth = ("recall", "understanding", "judgement")[question.difficulty - 1]
    return f"A question of {depth} on {question.topic.replace('-', ' ')}."


def rfc_sections(question: Question, known: dict[str, EntryTitle]) -> list[str]:
    """The RFC sections in which the answer stands: of each entry that a question names the first."""
    found = [known[name].references[0] if name in known else name for name in question.see]
    return list(dict.fromkeys(found))

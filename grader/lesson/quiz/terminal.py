"""The knowledge check in the terminal: a question, an answer, a word on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO

from rich.console import RenderableType
from rich.text import Text

from grader.display.looks import QUIET
from grader.display.screen import Screen, grid, words
from grader.kinds.quiz.draw import pose
from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer, right_answer
from grader.kinds.quiz.judge.marking import Given, Mark, Said, mark
from grader.kinds.quiz.questions import Match, Multiple, OrderItems, Question, Single, letter

POINTS = 10
LEVELS = ("recall", "understanding", "judgement")
LONGEST_ANSWER = 10_000
SIGNS = {"right": ("✓", "+", "green"), "wrong": ("✗", "x", "bold red"), "missed": ("→", ">", "cyan")}


class Interrupted(Exception):
    """The reader has had enough: the input has ended, or Ctrl-C was pressed."""


class PractiseRound:
    """One knowledge check, asked through ``ask``, which shows a prompt and gives a line.

    ``again`` says whether a wrong answer may be fixed, as a person may and a pipe may not; ``command`` asks the same
    questions once more.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        seed: str,
        *,
        ask: Callable[[str], str],
        again: bool,
        screen: Screen,
        command: str,
    ) -> None:
        self.posed = [pose(question, seed) for question in questions]
        self.ask = ask
        self.again = again
        self.screen = screen
        self.command = command
        self.marks: list[Mark] = []

    @property
    def points(self) -> int:
        """The points so far."""
        return sum(marked.points(POINTS) for marked in self.marks)

    @property
    def right(self) -> bool:
        """Whether every question was answered, and rightly."""
        return len(self.marks) == len(self.posed) and all(marked.right for marked in self.marks)

    def run(self) -> None:
        """Ask all questions. Raises ``Interrupted`` where the answers end before the questions do."""
        for number, posed in enumerate(self.posed, 1):
            self.screen.show(*self._question(number, posed))
            self._answer(posed)

    def score(self) -> None:
        """Show the score, as far as the check went."""
        asked, most = len(self.marks), len(self.posed)
        right = sum(marked.right for marked in self.marks)
        line = f"{self.points} of {most * POINTS} points"
        told = f"{right} of {most} right"
        if asked < most:
            told += f", {most - asked} not answered"
        self.screen.show(
            Text(),
            Text.assemble((line, "bold"), "  ", told),
            words(f"The same questions again: {self.command}", QUIET),
        )

    def _question(self, number: int, posed: Posed) -> Iterator[RenderableType]:
        question = posed.question
        about = f"{number} of {len(self.posed)} · {question.topic} · {LEVELS[question.difficulty - 1]}"
        yield Text()
        yield words(about, QUIET, single=True)
        yield words(question.ask, "bold")
        if question.quoted:
            yield words("\n".join(f"  {line}" for line in question.quoted), "cyan")
        table = grid({"width": 2}, {"ratio": 1})
        if isinstance(question, Match):
            for place, pair in enumerate(question.pairs, 1):
                table.add_row(Text(f"{place}.", QUIET), words(pair.left))
        for place, text in enumerate(posed.shown):
            table.add_row(Text(f"{letter(place)})", QUIET), words(text))
        if table.row_count:
            yield table

    def _answer(self, posed: Posed) -> None:
        first: Mark | None = None
        prompt = f"{_task(posed.question)} > "
        while True:
            line = self.ask(prompt)
            if first is not None and not line.strip():
                break
            try:
                given = read_answer(posed, line[:LONGEST_ANSWER])
            except UnreadableError as error:
                self.screen.show(
                    words(f"{str(error)[:1].upper()}{str(error)[1:]}.".replace("?.", "?"), "yellow")
                )
                if self.again:
                    continue
                given = None
            marked = mark(posed.question, given if given is not None else [])
            if first is None:
                first = marked
                self.marks.append(marked)
            last = marked.right or not self.again or given is None
            self.screen.show(*self._verdict(posed, given, marked, first, told=last))
            if last:
                return
            prompt = "Again, or Enter for the solution > "
        self.screen.show(*self._verdict(posed, None, mark(posed.question, []), first, told=True))

    def _verdict(
        self, posed: Posed, given: Given | None, marked: Mark, first: Mark, *, told: bool
    ) -> Iterator[RenderableType]:
        """What an answer is worth and means; what would have been right only where ``told``."""
        question = posed.question
        if given is not None:
            title = "Right" if marked.right else "Partly right" if marked.got else "Not right"
            style = "bold green" if marked.right else "bold yellow" if marked.got else "bold red"
            worth = f"{first.points(POINTS)} of {POINTS} points"
            worth = f": {worth}" if marked is first else f"; the first answer counts: {worth}"
            yield words(f"{title}{worth}.", style)
            if not marked.right and isinstance(question, OrderItems | Match):
                yield words(f"{marked.got} of {marked.of} are right.")
        table = grid({"width": 1}, {"ratio": 1})
        for said in sorted(marked.said, key=lambda said: said.tone == "missed"):
            if told or said.tone != "missed":
                fancy, plain, style = SIGNS[said.tone]
                table.add_row(Text(self.screen.glyph(fancy, plain), style), words(_told(said, question)))
        if table.row_count:
            yield table
        if told and not marked.right and not isinstance(question, Multiple):
            yield words(f"Right is: {right_answer(question)}")
        if told:
            yield words(f"Read: {'; '.join(_reading(name) for name in question.see)}", QUIET)


def _task(question: Question) -> str:
    if isinstance(question, Match):
        return f"Letters for 1 to {len(question.pairs)}, in that order"
    if isinstance(question, Multiple):
        return "One or more are right: letters"
    if isinstance(question, OrderItems):
        return "All letters in order"
    return "A letter" if isinstance(question, Single) else "A word or number"


def _told(said: Said, question: Question) -> str:
    named = said.about and not isinstance(question, Single)
    return f"{said.about.rstrip('.')}: {said.text}" if named else said.text


def _reading(name: str) -> str:
    return name if name.startswith("RFC ") else f"smtplab explain {name}"


def reader(file: IO[str] | None = None) -> tuple[Callable[[str], str], bool]:
    """How answers are read: a function that shows a prompt and gives a line, and whether a person types them.

    Without a terminal each line of the input is an answer, and is shown as if it had been typed. The function raises
    ``Interrupted`` at the end of the input.
    """
    source = file or sys.stdin
    if source.isatty():
        with suppress(ImportError):  # Not every Python has it.
            import readline  # noqa: F401  # lets input() be edited

        return _typed, True

    def piped(prompt: str) -> str:
        line = source.readline(LONGEST_ANSWER + 1)
        if not line:
            raise Interrupted
        from grader.display.text import one_line

        line = line.strip()
        print(f"{prompt}{one_line(line)}", flush=True)
        return line

    return piped, False


def _typed(prompt: str) -> str:
    try:
        return input(prompt)
    except EOFError:
        print()
        raise Interrupted from None

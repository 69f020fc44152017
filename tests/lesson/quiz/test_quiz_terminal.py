"""``smtplab quiz``: from a pipe, by a person at a terminal, and how it ends."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.kinds.quiz.draw import draw, pose
from grader.kinds.quiz.judge.answers import right_answer
from grader.kinds.quiz.questions import Fill, Match, OrderItems, Question, Single, letter
from grader.lesson import library

pytestmark = pytest.mark.slow

QUESTIONS = library().questions
PROGRAM = Path(sys.executable).with_name("smtplab")
SEED = next(seed for seed in map("week-{}".format, range(99)) if isinstance(draw(QUESTIONS, seed)[0], Single))
"""The first of its questions is answered by one letter."""


def quiz(
    *arguments: str, answers: str | bytes = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command with answers from a pipe."""
    data = answers.encode() if isinstance(answers, str) else answers
    variables = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **environment}
    return subprocess.run(
        [PROGRAM, "quiz", *arguments], input=data, capture_output=True, check=False, env=variables
    )


def key(question: Question, seed: str) -> str:
    """The right answer as a line of letters or a word."""
    posed = pose(question, seed)
    if isinstance(question, Fill):
        return right_answer(question)
    if isinstance(question, Match):
        texts = [pair.right for pair in question.pairs]
    elif isinstance(question, OrderItems):
        texts = [item.text for item in question.items]
    else:
        texts = [option.text for option in question.options if option.right]
    return " ".join(letter(posed.shown.index(text)) for text in texts)


def keys(seed: str) -> list[str]:
    return [key(question, seed) for question in draw(QUESTIONS, seed)]


def test_right_answers_from_a_pipe_get_all_points() -> None:
    done = quiz("--seed", SEED, answers="\n".join(keys(SEED)))
    shown = done.stdout.decode()
    assert done.returncode == 0, shown + done.stderr.decode()
    assert "100 of 100 points" in shown
    assert shown.count("Right: 10 of 10 points.") == 10
    assert max(map(len, shown.splitlines())) <= 80
    assert f"smtplab quiz --seed {SEED}" in shown


def test_wrong_answers_are_explained_and_cost_points() -> None:
    lines = keys(SEED)
    lines[0] = next(sign for sign in "abcd" if sign != lines[0])
    done = quiz("--seed", SEED, answers="\n".join(lines))
    shown = " ".join(done.stdout.decode().split())
    first = draw(QUESTIONS, SEED)[0]
    assert done.returncode == 1
    assert "90 of 100 points 9 of 10 right" in shown
    assert "Not right: 0 of 10 points." in shown
    assert f"Right is: {right_answer(first)}" in shown
    assert f"smtplab explain {first.see[0]}" in shown
    assert quiz("--seed", SEED, "--exit-zero", answers="\n".join(lines)).returncode == 0


def test_answers_that_end_early_or_mean_nothing_are_told() -> None:
    done = quiz("--seed", SEED, answers=b"zz\n\xff\xfe\n")
    shown = done.stdout.decode()
    assert done.returncode == 1
    assert "'zz' is neither a letter from a to d nor one of the texts." in shown
    assert "0 of 100 points  0 of 10 right, 8 not answered" in shown
    assert done.stderr == b""


def test_topics_numbers_and_own_banks(tmp_path: Path) -> None:
    shown = quiz("--topic", "ports", "--number", "3", "--seed", "x").stdout.decode()
    assert "3 questions" in shown
    assert "1 of 3 · ports" in shown
    assert "smtplab quiz --seed x --number 3 --topic ports" in shown
    bank = tmp_path / "own.yaml"
    bank.write_text(
        "- {id: two, kind: fill, topic: sums, difficulty: 1, ask: One and one?, wrong: It is 2.,\n"
        "   answers: [{text: '2', right: true, feedback: Yes.}], see: [RFC 5321 section 2]}\n"
    )
    done = quiz("--bank", str(bank), answers="2\n")
    assert done.returncode == 0
    assert b"10 of 10 points" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--topic", "prots"], "there is no topic 'prots'; did you mean 'ports'?"),
        (["--seed", "no seed"], "is not made of 1 to 64 letters"),
        (["--number", "0"], "0 is not in the range"),
        (["--bank", "/nowhere.yaml"], "/nowhere.yaml"),
        (["export"], "Missing option '--format'"),
        (["export", "--format", "moodle", "--out", "/nowhere/at/all.xml"], "/nowhere/at/all.xml"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments: list[str], sentence: str) -> None:
    done = quiz(*arguments)
    assert done.returncode in (2, 3)
    assert sentence in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


class Terminal:
    """A person at a terminal of 80 columns."""

    def __init__(self, *arguments: str) -> None:
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ.update(COLUMNS="80", TERM="dumb", NO_COLOR="1")
            os.execv(PROGRAM, ["smtplab", "quiz", *arguments])
        self.seen = ""

    def until(self, text: str) -> str:
        """What was shown since the last time, up to ``text``."""
        deadline = time.monotonic() + 60
        while text not in self.seen:
            ready, _, _ = select.select([self.end], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was never shown: {self.seen[-500:]!r}"
            self.seen += os.read(self.end, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def type(self, line: str) -> None:
        os.write(self.end, line.encode())

    def finish(self, *, again: str = "") -> tuple[int, str]:
        """The exit code, and what was shown until then; ``again`` is typed whenever 5 seconds pass in silence."""
        shown = self.seen
        deadline = time.monotonic() + 60
        while True:
            assert time.monotonic() < deadline, f"it did not end: {shown[-500:]!r}"
            if not select.select([self.end], [], [], 5)[0]:
                self.type(again)
                continue
            try:
                chunk = os.read(self.end, 65536)
            except OSError:  # Linux tells by an error that nobody is at the other end any more.
                chunk = b""
            if not chunk:
                break
            shown += chunk.decode(errors="replace")
        os.close(self.end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), shown


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    started = Terminal("--seed", SEED)
    yield started
    try:
        os.kill(started.pid, signal.SIGKILL)
        os.waitpid(started.pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def test_a_person_may_try_again_and_ask_for_the_solution(terminal: Terminal) -> None:
    first = draw(QUESTIONS, SEED)[0]
    terminal.until("A letter > ")
    terminal.type("zz\n")
    assert "neither a letter" in terminal.until("A letter > "), "what means nothing does not count"
    wrong = next(sign for sign in "abcd" if sign != key(first, SEED))
    terminal.type(f"{wrong}\n")
    told = terminal.until("Again, or Enter for the solution > ")
    assert "Not right" in told
    assert right_answer(first) not in told.replace("\r\n", " ")
    terminal.type(f"{key(first, SEED)}\n")
    assert "the first answer counts: 0 of 10 points" in terminal.until(" > ")
    terminal.type("\n")
    terminal.until(" > ")
    terminal.type("\x03")
    # Between its prompt and its wait for a key, Python's readline does not notice a signal: a person presses again.
    code, shown = terminal.finish(again="\x03")
    assert code == 130
    assert "0 of 100 points" in shown
    assert "8 not answered" in shown
    assert "Traceback" not in shown


def test_the_end_of_the_input_ends_it(terminal: Terminal) -> None:
    terminal.until("A letter > ")
    terminal.type(f"{key(draw(QUESTIONS, SEED)[0], SEED)}\n")
    terminal.until(" > ")
    terminal.type("\x04")
    code, shown = terminal.finish()
    assert code == 1
    assert "10 of 100 points  1 of 10 right, 9 not answered" in shown


@pytest.mark.parametrize(
    ("kind", "name"), [("moodle", "bank.xml"), ("gift", "bank.txt"), ("qti", "bank.zip")]
)
def test_exports_are_written_whole(tmp_path: Path, kind: str, name: str) -> None:
    done = quiz("export", "--format", kind, "--topic", "ports", "--out", str(tmp_path / name))
    count = sum(question.topic == "ports" for question in QUESTIONS)
    assert done.returncode == 0, done.stderr
    assert f"{count} questions" in done.stdout.decode()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    data = (tmp_path / name).read_bytes()
    if kind == "qti":
        assert zipfile.is_zipfile(tmp_path / name)
    else:
        assert data == quiz("export", "--format", kind, "--topic", "ports").stdout
        ids = re.findall(r"<idnumber>smtplab-|^::", data.decode(), re.MULTILINE)
        assert len(ids) == count

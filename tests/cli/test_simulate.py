"""``smtplab simulate``: from a pipe, at a terminal, and against the real server."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.cli import main
from grader.engines.base import Engine
from grader.model.deadline import Deadline
from tests.chaos.family import MARK, Family
from tests.chaos.machine import groups_left
from tests.conftest import PATIENCE

pytestmark = pytest.mark.slow

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())", "simulate"]
LOGIN = """\
EHLO client.example
STARTTLS
EHLO client.example
AUTH LOGIN
YWxpY2U=
YWxpY2Utc2VjcmV0
MAIL FROM:<alice@example.com>
RCPT TO:<bob@example.com>
DATA
Subject: Meeting

See you at ten.
.
QUIT
"""


def simulate(typed: str | bytes, *arguments: str) -> subprocess.CompletedProcess[str]:
    data = typed.encode() if isinstance(typed, str) else typed
    done = subprocess.run([*SMTPLAB, *arguments], input=data, capture_output=True, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_lines_in_and_a_transcript_out() -> None:
    done = simulate("MAIL FROM:<a@b>\nRCPT TO:<bob@example.com>\nQUIT\nNOOP\n", "--greylisting")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "# smtplab session\n# listener: smtp\n# client: stranger\n# switches: greylisting\n"
        "S: 220 mail.example.com ESMTP Postfix\nC: MAIL FROM:<a@b>\nS: 250 2.1.0 Ok\n"
        "C: RCPT TO:<bob@example.com>\n"
        "S: 450 4.2.0 <bob@example.com>: Recipient address rejected: Greylisted, please try again later\n"
        "C: QUIT\nS: 221 2.0.0 Bye\n* the server hangs up\n"
    )


def test_what_came_out_can_be_played_again(tmp_path: Path) -> None:
    exported = tmp_path / "session.txt"
    first = simulate(LOGIN, "--port", "587", "--explain", "--export", str(exported))
    assert "# User" not in first.stdout
    assert "# From now on the session is alice's" in first.stdout
    assert exported.read_text() == "".join(
        line
        for place, line in enumerate(first.stdout.splitlines(keepends=True))
        if place < 3 or not line.startswith("#")
    )
    again = simulate("", "--play", str(exported))
    assert again.stdout == exported.read_text() + "# The server said what it says in the transcript.\n"
    assert simulate("", "--play", str(exported), "--export", "-").stdout.endswith(exported.read_text())


def test_a_transcript_of_another_server_is_noticed(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("\ufeffS: 220 mail.example.com ESMTP Postfix\nC: NOOP\nS: 250 OK\n")
    assert (
        "# Reply line 2 is another now: '250 2.0.0 Ok' instead of '250 OK'."
        in simulate("", "--play", str(other)).stdout
    )


def test_what_is_played_meets_the_trouble_that_was_asked_for(tmp_path: Path) -> None:
    commands, exported = tmp_path / "commands.txt", tmp_path / "session.txt"
    commands.write_text("EHLO x\nMAIL FROM:<a@third.example>\nRCPT TO:<bob@example.com>\nQUIT\n")
    done = simulate("", "--greylisting", "--play", str(commands), "--export", str(exported))
    assert "# switches: greylisting\n" in done.stdout
    assert "Greylisted" in done.stdout
    assert "Must issue a STARTTLS" in simulate("", "--port", "587", "--play", str(commands)).stdout
    assert "The server said what it says" in simulate("", "--play", str(exported)).stdout
    both = simulate("", "--no-such-user", "--port", "587", "--play", str(exported)).stdout
    assert "# listener: smtp\n# client: stranger\n# switches: greylisting, no-such-user\n" in both
    assert "# Reply line" in both


def test_commands_of_the_program() -> None:
    done = simulate("\ufeff/full-mailbox\n/port 465\n/from office\n/explain\nEHLO x\n//x\n")
    assert done.returncode == 0
    assert "# full-mailbox is on now, in a new connection" in done.stdout
    assert "# listener: submissions\n# client: office\n# switches: full-mailbox\n" in done.stdout
    assert "S: 250-AUTH PLAIN LOGIN\n" in done.stdout
    assert "C: /x\nS: 221 2.7.0 Error: I can break rules, too. Goodbye.\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (["--port", "26"], "", "the server does not listen at '26': choose one of 25, 587, 465"),
        (["--from", "offcie"], "", "--from: there is no client 'offcie'; did you mean 'office'?"),
        (["--play", "nowhere"], "", "cannot read the transcript 'nowhere': No such file or directory"),
        ([], "/exprot x\n", "there is no command /exprot: /help lists them"),
        ([], "/export\n", "/export needs the name of a file"),
        ([], "/export no/where\n", "cannot write 'no/where'"),
    ],
)
def test_a_mistake_gets_one_sentence(
    arguments: list[str], typed: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = simulate(typed, *arguments)
    assert done.stderr.startswith("smtplab: ")
    assert sentence.partition(":")[0] in done.stderr or sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.returncode in (2, 3)


def test_hostile_text_reaches_no_terminal() -> None:
    done = simulate(b"MAIL FROM:<a@b> \x1b[31m\xe2\x80\xae\nVRFY \xff\n")
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "Unsupported option: \\x1b[31m\\u202e" in done.stdout
    assert "S: 500 5.5.2 Error: bad UTF-8 syntax" in done.stdout


WHERE = b"\x1b[6n"
"""How a program asks a terminal where its cursor is."""


class Typist:
    """Somebody at a terminal."""

    def __init__(self, fd: int, family: Family) -> None:
        self.fd = fd
        self.family = family
        self.seen = ""

    def wait(self, text: str) -> None:
        deadline = Deadline(2 * PATIENCE)
        while text not in self.seen:
            assert not deadline.over, self.seen
            assert self.read(), f"it ended: {self.seen}"

    def read(self) -> bool:
        """Look at the screen for a moment; whether there is still one."""
        if select.select([self.fd], [], [], 0.1)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            self.seen += data.decode(errors="replace")
            if WHERE in data:
                self.type("\x1b[1;1R")
        return True

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[tuple[Typist, subprocess.Popen[bytes]]]:
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    mark = uuid.uuid4().hex
    environment = {**os.environ, "TERM": "xterm", MARK: mark}
    with subprocess.Popen(
        [*SMTPLAB, *arguments], stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    ) as process:
        os.close(its)
        typist = Typist(mine, Family(process.pid, mark))
        try:
            yield typist, process
        finally:
            if process.poll() is None:
                process.kill()
            os.close(mine)
            typist.family.close()


def finish(typist: Typist, process: subprocess.Popen[bytes]) -> int:
    """Read on until it ends, so that it is not held up by a full terminal."""
    deadline = Deadline(2 * PATIENCE)
    while process.poll() is None and not deadline.over and typist.read():
        pass
    return process.wait(timeout=PATIENCE)


def test_at_a_terminal() -> None:
    with at_a_terminal() as (typist, process):
        typist.wait("not greeted")
        typist.type("eh")
        typist.type("\t")
        typist.wait("EHLO client.example.org")
        typist.type("\r")
        typist.wait("250 CHUNKING")
        typist.wait("The server lists what it can do here and now")
        typist.type("MAIL FROM:<a@b>\r")
        typist.wait("in a transaction, 0 recipients")
        typist.type("/nosuch\r")
        typist.wait("there is no command /nosuch")
        typist.seen = ""
        typist.type("\x1b[A\x1b[A\r")
        typist.wait("nested MAIL command")
        # Between two prompts the terminal itself would take the key.
        typist.wait("1 error")
        typist.type("\x04")
        assert finish(typist, process) == 0


def test_ctrl_c_ends_it() -> None:
    with at_a_terminal() as (typist, process):
        typist.wait("not greeted")
        typist.type("\x03")
        assert finish(typist, process) == 130
        assert "interrupted" in typist.seen


def test_the_real_server_says_the_same(engine: Engine) -> None:
    arguments = ["--port", "587", "--full-mailbox"]
    real = simulate(LOGIN, *arguments, "--real", "--engine", engine.name)
    assert real.stderr == ""
    simulated = simulate(LOGIN, *arguments)
    assert [line for line in real.stdout.splitlines() if line.startswith(("C", "S"))] == [
        line for line in simulated.stdout.splitlines() if line.startswith(("C", "S"))
    ]
    assert "* TLS begins: TLSv1.3" in real.stdout


@pytest.mark.engines("local")
def test_nothing_is_left_of_the_real_server(engine: Engine) -> None:
    for way in ("\x03", signal.SIGTERM, "\x04"):
        with at_a_terminal("--real", "--engine", engine.name) as (typist, process):
            typist.wait("not greeted")
            assert typist.family.members()["agent"]
            if isinstance(way, str):
                typist.type(way)
            else:
                process.send_signal(way)
            assert finish(typist, process) == (0 if way == "\x04" else 130)
            assert [*typist.family.left(), *groups_left(typist.family)] == []
        assert main(["doctor"]) in (0, 3)

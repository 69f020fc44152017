# ruff: noqa: E501
"""How the program ends: its exit codes, one sentence for every error, and nothing on the wrong stream."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli import main
from grader.cli.commands import labs as labs_command
from grader.model.deadline import Deadline
from grader.model.errors import EngineError

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]


def test_an_interrupt_while_the_program_is_imported_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "grader.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "grader.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert main(["labs"]) == 130
    assert capsys.readouterr().err == "smtplab: interrupted\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["chekc"], 2, "smtplab: No such command 'chekc'. Did you mean 'check'?; see 'smtplab --help'\n"),
        (["lab", "verfy"], 2, "smtplab: No such command 'verfy'. Did you mean 'verify'?; see 'smtplab lab --help'\n"),
        (["check", "--jsn", "x"], 2, "smtplab: No such option '--jsn'. (Did you mean one of: '--json', '--junit'?); see 'smtplab check --help'\n"),
        (["start", "opn-relay"], 2, "smtplab: there is no lab 'opn-relay'; did you mean 'open-relay'? ('smtplab labs' lists them)\n"),
        (["explain", "open-relay/strangr"], 2, "smtplab: there is no check 'open-relay/strangr'; did you mean 'open-relay/stranger'?\n"),
        (["check", "open-relay", ".", "--only", "strangr"], 2, "smtplab: the lab open-relay has no check 'strangr'; did you mean 'stranger'?; it has "),
        (["check", "open-relay", "nowhere"], 2, "smtplab: cannot read the submission nowhere: No such file or directory: name the folder that holds main.cf\n"),
        (["check", "open-relay"], 2, "smtplab: there is no work on open-relay in /"),
        (["check", "elsewhere/"], 2, "smtplab: elsewhere/ holds no lab.yaml: name a lab's id or its folder\n"),
        (["check", "open-relay", ".", "--json", "-", "--html", "-"], 2, "smtplab: only one document can go to standard output: give the others a file\n"),
        (["check", "open-relay", ".", "--json", "."], 2, "smtplab: --json: '.' is a folder: name a file in it\n"),
        (["check", "open-relay", ".", "--json", "no/x"], 2, "smtplab: --json: there is no folder 'no': make it first\n"),
        (["grade", "open-relay", "nobody", "--out", "grades"], 2, "smtplab: there is no submission 'nobody': check the path\n"),
        (["grade", "open-relay", ".", "--out", "g", "-j", "0"], 2, "smtplab: Invalid value for '-j' / '--jobs': give a number from 1 to 1000, or 'auto' for one a processor; see 'smtplab grade --help'\n"),
        (["grade", "open-relay", ".", "--out", "g", "--format", "jsn"], 2, "smtplab: Invalid value for '--format': there is no format 'jsn'; did you mean 'json'?"),
        (["grade", "open-relay"], 2, "smtplab: Missing argument 'SOURCE...'; see 'smtplab grade --help'\n"),
        (["regrade", "nothing.json", "--out", "again"], 2, "smtplab: cannot read the evidence 'nothing.json': No such file or directory\n"),
        (["completion", "tcsh"], 2, "smtplab: Invalid value for '{bash|zsh|fish}': 'tcsh' is not one of 'bash', 'zsh', 'fish'; see "),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_path_is_told_before_an_engine_is_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def sought(lab: object, name: str) -> None:
        raise EngineError("no engine can run here")

    monkeypatch.setattr("grader.cli.engine.engine_for", sought)
    assert main(["grade", "open-relay", str(tmp_path / "nobody"), "--out", str(tmp_path / "grades")]) == 2
    assert "there is no submission" in capsys.readouterr().err


def test_damaged_evidence_gets_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = tmp_path / "evidence.json"
    evidence.write_bytes(b'{"schema": 7\xff')
    assert main(["regrade", str(evidence), "--out", str(tmp_path / "again")]) == 2
    assert capsys.readouterr().err.startswith(f"smtplab: '{evidence}': this is no evidence of smtplab: ")
    assert not (tmp_path / "again").exists()


def test_a_fault_of_the_program_itself_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> int:
        raise ZeroDivisionError("by \x1b[31mnought")

    monkeypatch.setattr(labs_command.labs, "callback", broken)
    assert main(["labs"]) == 3
    said = capsys.readouterr().err
    assert said == (
        "smtplab: a fault in smtplab itself, ZeroDivisionError: by \\x1b[31mnought; '--debug' shows where\n"
    )
    with pytest.raises(ZeroDivisionError):
        main(["labs", "--debug"])


def test_a_reader_that_stops_reading_is_no_fault() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*SMTPLAB, "lab", "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 3


def test_a_full_disk_is_told_in_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*SMTPLAB, "lab", "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b"smtplab: No space left on device\n"
    assert done.returncode == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_through_the_clean_up(number: signal.Signals, tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        # Whoever runs the tests may ignore it, as nohup does, and what is started inherits that.
        f"signal.signal({number:d}, signal.SIG_DFL)\n"
        "from grader.cli import main\n"
        "from grader.cli.commands.labs import labs\n"
        "def callback():\n"
        "    try:\n"
        "        print('begun', flush=True)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('taken down', flush=True)\n"
        "labs.callback = callback\n"
        "sys.exit(main(['labs']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=Deadline(30).left)
    assert out == "taken down\n"
    assert err.strip() == "smtplab: interrupted; everything that was started has been taken down"
    assert process.returncode == 130


@pytest.mark.parametrize(
    ("more", "out", "err"),
    [
        ("", "told\nat exit\n", ""),
        # What Python would take apart, the kernel does.
        (
            "class Loud:\n    def __del__(self): print('gone', flush=True)\nkept = Loud()",
            "told\nat exit\n",
            "",
        ),
        (
            "import threading\n"
            "def late(): threading.main_thread().join(); print('late', flush=True)\n"
            "threading.Thread(target=late).start()",
            "told\nlate\nat exit\n",
            "",
        ),
        ("atexit.register(lambda: sys.stdout.close())", "told\nat exit\n", ""),
    ],
)
def test_the_process_ends_when_all_is_done_and_written(more: str, out: str, err: str) -> None:
    program = (
        "import atexit, sys\n"
        "from grader.cli import run\n"
        "from grader.cli.commands.labs import labs\n"
        f"{more}\n"
        "atexit.register(lambda: sys.stdout.closed or print('at exit'))\n"
        "labs.callback = lambda: print('told') or 1\n"
        "sys.argv[1:] = ['labs']\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (out, err, 1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"_SMTPLAB_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "offered"),
    [("smtplab ch", "plain,check"), ("smtplab start open", "plain,open-relay"), ("smtplab explain open-relay/str", "plain,open-relay/stranger")],
)  # fmt: skip
def test_the_shell_completes_commands_labs_and_codes(words: str, offered: str) -> None:
    variables = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_SMTPLAB_COMPLETE": "bash_complete",
    }
    done = subprocess.run(
        SMTPLAB, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert offered in done.stdout.splitlines()

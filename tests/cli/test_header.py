"""``smtplab header``: a message built and taken apart on the terminal."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.cli import main
from grader.cli.commands.header import ASKED, FIELDS
from grader.formats.message import check_message
from grader.lesson.analyser.examples import examples
from grader.lesson.composer import tables

WHO = ["--from", "Zoë <zoe@example.com>", "--to", "bob@elsewhere.example"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_an_option_for_every_field() -> None:
    assert [*FIELDS, "body"] == [field.id for field in tables().fields]
    assert set(ASKED) <= set(FIELDS)


def test_a_message_is_written_as_it_is_sent(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "text").write_text("Grüße\n")
    command = [
        "header",
        "build",
        *WHO,
        "--bcc",
        "eve@example.org",
        "--subject",
        "Hi",
        "--body",
        "text",
        "-o",
        "m.eml",
    ]
    assert main(command) == 0
    raw = (here / "m.eml").read_bytes()
    assert check_message(raw) == []
    assert b"eve" not in raw
    assert b"\r\n\r\nGr=C3=BC=C3=9Fe\r\n" in raw
    assert "RCPT TO:<eve@example.org>" in capsys.readouterr().err
    (here / "m.eml").write_bytes("\ufeff".encode() + raw)  # as editors on Windows save it
    assert main(["header", "analyse", "m.eml"]) == 0
    assert "Zoë <zoe@example.com>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--to", "bob@example.com"], "From is missing"),
        ([*WHO, "--subject", "x\nBcc: all@example.com"], "header injection"),
        ([*WHO, "--date", "Tue, 21 Feb 2026 10:00:00 -0500"], "that day is a Sat"),
        ([*WHO, "--cc", "bob@bücher.example"], "xn--bcher-kva.example"),
        ([*WHO, "--body", "nowhere"], "cannot read 'nowhere'"),
        ([*WHO, "--body", "latin"], "'latin' is no UTF-8 text from byte 2 on"),
        ([*WHO, "-o", "no/such/folder"], "there is no folder"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    (here / "latin").write_bytes(b"Gr\xfc\xdfe")
    assert main(["header", "build", *given]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_lines_are_explained(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["header", "build", *WHO, "--explain"]) == 0
    out = capsys.readouterr().out
    assert "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.com>\nWho wrote the message." in out


def test_on_a_terminal_it_asks_until_it_can_use_the_answer(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = "zoe\nzoe@example.com\nbob@example.org\n\n\nHi\nHello\nBob\n.\n"
    stdin = io.TextIOWrapper(io.BytesIO(answers.encode()), encoding="utf-8")
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["header", "build", "-o", "m.eml"]) == 0
    assert "'zoe' has no @" in capsys.readouterr().err
    raw = (here / "m.eml").read_bytes()
    assert raw.startswith(b"From: zoe@example.com\r\nTo: bob@example.org\r\nSubject: Hi\r\n")
    assert raw.endswith(b"\r\n\r\nHello\r\nBob\r\n")


def test_a_forged_message_is_told_with_its_faults(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = next(one for one in examples() if one.id == "forged")
    # Saved on Unix, it ends its lines with LF alone: no fault of the message.
    (here / "forged.eml").write_text(forged.message)
    assert main(["header", "analyse", "forged.eml"]) == 1
    out = capsys.readouterr().out
    assert "do not believe it" in out
    assert "30 min 58 s before" in out
    assert "that day is a Sat" in out
    assert "LF alone" not in out
    assert main(["header", "analyse", "forged.eml", "--exit-zero", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["own"] == "elsewhere.example"
    assert [fault["rule"] for fault in found["faults"]] == ["date-weekday", "message-id-local"]


def test_a_hostile_message_is_shown_escaped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (
        b"From: =?utf-8?Q?=1B[31m=E2=80=AE?= <a@example.com>\r\nReceived: from \x1b]0;x\x07 by ::error; x\r\n"
    )
    raw += b"::set-output: \xff\r\nSubject: =?utf-8?Q?=0A=0A::error_x?=\r\n\r\n" + b"\x00" * 1_000_000
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    assert main(["header", "analyse", "-"]) == 1
    out = capsys.readouterr().out
    assert not [char for char in out if (char < " " and char != "\n") or char == "\u202e"]
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]


def test_what_cannot_be_read_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["header", "analyse", "nowhere.eml"]) == 2
    assert (
        capsys.readouterr().err
        == "smtplab: cannot read 'nowhere.eml': No such file or directory; name another file\n"
    )

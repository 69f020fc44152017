"""The page's engine against this one: every session gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader import resources
from grader.lesson.simulator import transcript
from grader.lesson.simulator.session import Session
from grader.lesson.simulator.table import table
from grader.lesson.site.render import embedded
from grader.model.errors import UsageError
from tests import browser as browsing
from tests.lesson.simulator.scripts import Script, rubbish, walks, written

pytestmark = pytest.mark.browser

SCRIPTS = ("base", "simulator-words", "simulator-facts", "simulator-session", "simulator-transcript")
PLAY = """
const table = JSON.parse(document.getElementById("data").textContent);
return JSON.parse(arguments[0]).map(script => {
  const session = new smtplab.Session(table, script.listener, script.client, script.switches);
  const turns = [[session.connect(), session.status()]];
  script.steps.forEach(step => turns.push([session.say(step), session.status()]));
  return JSON.stringify(turns);
});
"""
WALKS = 400


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page with the engine and nothing else."""
    folder = resources.folder("reports") / "lesson" / "js"
    scripts = "".join(f"<script>{(folder / f'{name}.js').read_text()}</script>" for name in SCRIPTS)
    data = f'<script type="application/json" id="data">{embedded(table().data())}</script>'
    path: Path = tmp_path_factory.mktemp("engine") / "engine.html"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><div id="top-tools"></div><main></main>{data}{scripts}'
    )
    with browsing.chromium() as browser:
        yield browsing.show(browser, path.as_uri())


def test_both_engines_say_the_same(page: Any, capsys: pytest.CaptureFixture[str]) -> None:
    scripts = [*written(), *walks(2920, WALKS), *rubbish(822, 300), *_unicode()]
    asked = [
        {
            "listener": script.listener,
            "client": script.client,
            "switches": sorted(script.switches),
            "steps": script.steps,
        }
        for script in scripts
    ]
    answers = page.execute_script(PLAY, json.dumps(asked))
    assert browsing.console(page) == []
    assert len(answers) == len(scripts) > 200
    for script, answer in zip(scripts, answers, strict=True):
        assert answer == _played(script), script
    lines = sum(len(step) for script in scripts for step in script.steps)
    with capsys.disabled():
        print(f"\n{len(scripts)} sessions, {lines} lines: the same in Python and JavaScript, byte for byte")


READ = """
const table = JSON.parse(document.getElementById("data").textContent);
return JSON.parse(arguments[0]).map(text => {
  try {
    const read = smtplab.transcript.read(text, table.server);
    return JSON.stringify([read.scene, read.turns, read.spoken, smtplab.transcript.write(read.scene, read.turns)]);
  } catch (error) {
    return "refused";
  }
});
"""
TEXTS = [
    "NOOP\nHELP\r\n\rS\n",
    "C: NOOP\nC+: HELP\nC:\nS: 250 Ok\nS:\nC+: RSET\n* the end",
    "S: 220 x\n",
    "# Listener: smtp\n#listener:submission \n# switches: , greylisting,size-limit,\nC: x",
    "# client: office\n\n",
    "# client: nobody\nC: x",
    "C: x\nsomething",
    "",
]


def test_both_read_and_write_the_same_transcripts(page: Any) -> None:
    texts = [*TEXTS, *(_transcript(script) for script in [*written(), *walks(3461, 100)])]
    answers = page.execute_script(READ, json.dumps(texts))
    assert browsing.console(page) == []
    for text, answer in zip(texts, answers, strict=True):
        try:
            read = transcript.read(text, table().server)
        except UsageError:
            assert answer == "refused", text
            continue
        again = transcript.write(read.scene, read.turns)
        assert answer == _json([read.scene, read.turns, read.spoken, again]), text


def _transcript(script: Script) -> str:
    session = Session(table(), script.listener, script.client, script.switches)
    turns = [transcript.Turn([], [line for reply in session.connect() for line in reply.lines])]
    for step in script.steps:
        sent = [line.encode("utf-8", "replace").decode() for line in step]
        turns.append(transcript.Turn(sent, [line for reply in session.say(*step) for line in reply.lines]))
    return transcript.write(
        transcript.Scene(script.listener, script.client, tuple(sorted(script.switches))), turns
    )


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))


def _played(script: Script) -> str:
    session = Session(table(), script.listener, script.client, script.switches)
    turns = [[session.connect(), session.status()]]
    turns += [[session.say(*step), session.status()] for step in script.steps]
    return _json(turns)


def _unicode() -> list[Script]:
    """Signs that the two languages count and fold in different ways."""
    # Among them dotted capital I, long s, the Kelvin sign, a byte order mark and a line separator.
    signs = [
        "é",
        "ß",
        "\u0130",
        "\u017f",
        "\u212a",
        "😀",
        "\ufeff",
        "\u2028",
        "\x00",
        "\x7f",
        "\x85",
        "\xa0",
        "ÀÞ",
        "ÿ",
    ]
    lines = [f"{before}{sign}{after}" for sign in signs for before, after in _AROUND]
    return [
        Script(
            f"signs {at}", "office", "smtp", frozenset({"vrfy-off"}), [[line] for line in lines[at : at + 9]]
        )
        for at in range(0, len(lines), 9)
    ]


_AROUND = (
    ("", ""),
    ("MAIL FROM:<", "@third.example>"),
    ("MAIL FROM:<a@", ".example> SMTPUTF8"),
    ("RCPT TO:<", "> NOTIFY=NEVER"),
    ("RSET", ""),
    ("NOOP ", "x"),
    ("ETRN ", ""),
    ("MAIL FROM:<a@b> ", "=1"),
    ("RSET", ""),
)

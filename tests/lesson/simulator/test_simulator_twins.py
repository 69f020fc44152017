"""The page's engine against this one: every session gives the same bytes."""

from __future__ import annotations

import json

import msgspec
import pytest

from grader.lesson.simulator import transcript
from grader.lesson.simulator.session import SimulatedSession
from grader.lesson.simulator.table import table
from grader.lesson.simulator.words import typed
from grader.lesson.site import PAGES
from grader.lesson.site.render import embedded
from grader.model.errors import UsageError
from tests.lesson.embedded import Scripts
from tests.lesson.simulator.grammar import dialogues
from tests.lesson.simulator.scripts import Script, rubbish, walks, written

pytestmark = [pytest.mark.slow, pytest.mark.together("simulator scripts")]

PLAY = """((script) => {
  const session = new smtplab.Session(table, script.listener, script.client, script.switches);
  const turns = [[session.connect(), session.status()]];
  script.steps.forEach((step) => turns.push([session.say(step), session.status()]));
  return JSON.stringify(turns);
})(value)"""
WALKS = 400


@pytest.fixture(scope="module")
def scripts() -> Scripts:
    """The simulator's scripts without its page, and the table that the page embeds."""
    [page] = [page for page in PAGES if page.name == "simulator"]
    loaded = Scripts(page.scripts)
    loaded.run("globalThis.table = JSON.parse(dukpy.text); null", text=str(embedded(table().data())))
    return loaded


def test_both_engines_say_the_same(scripts: Scripts, capsys: pytest.CaptureFixture[str]) -> None:
    plays = [*written(), *walks(2920, WALKS), *rubbish(822, 300), *dialogues("twins", 300), *_unicode()]
    asked = [
        {
            "listener": script.listener,
            "client": script.client,
            "switches": sorted(script.switches),
            "steps": script.steps,
        }
        for script in plays
    ]
    answers = scripts.ask(PLAY, asked)
    assert len(answers) == len(plays) > 200
    for script, answer in zip(plays, answers, strict=True):
        assert answer == _played(script), script
    lines = sum(len(step) for script in plays for step in script.steps)
    with capsys.disabled():
        print(f"\n{len(plays)} sessions, {lines} lines: the same in Python and JavaScript, byte for byte")


READ = """((text) => {
  try {
    const here = {listener: "submission", client: "office", switches: ["size-limit"]};
    const read = smtplab.transcript.read(text, table.server, here);
    return JSON.stringify([read.scene, read.turns, read.spoken, smtplab.transcript.write(read.scene, read.turns)]);
  } catch (error) {
    return "refused";
  }
})(value)"""
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


def test_both_take_the_same_sign_for_a_line_feed(scripts: Scripts) -> None:
    texts = ["a␊.␊b", "␊", "a", "␤"]
    assert scripts.ask("smtplab.words.typed(value)", texts) == [typed(text) for text in texts]


def test_both_read_and_write_the_same_transcripts(scripts: Scripts) -> None:
    here = transcript.Scene("submission", "office", ("size-limit",))
    texts = [*TEXTS, *(_transcript(script) for script in [*written(), *walks(3461, 100)])]
    for text, answer in zip(texts, scripts.ask(READ, texts), strict=True):
        try:
            read = transcript.read(text, table().server, scene=here)
        except UsageError:
            assert answer == "refused", text
            continue
        again = transcript.write(read.scene, read.turns)
        assert answer == _json([read.scene, read.turns, read.spoken, again]), text


def _transcript(script: Script) -> str:
    session = SimulatedSession(table(), script.listener, script.client, script.switches)
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
    session = SimulatedSession(table(), script.listener, script.client, script.switches)
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

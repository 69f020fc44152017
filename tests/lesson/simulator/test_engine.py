# ruff: noqa: E501
"""The table, the engine and the transcript: what holds for any line, and what a broken table is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import resources
from grader.lesson.library import library
from grader.lesson.simulator import transcript
from grader.lesson.simulator.page import data, offered, played
from grader.lesson.simulator.session import SimulatedSession
from grader.lesson.simulator.table import read_table, table
from grader.lesson.site.pages import PAGES, addresses
from grader.model.errors import LabError, UsageError
from tests.conftest import examples
from tests.lesson.simulator.comparing import CODES, QUEUED
from tests.lesson.simulator.phrases import OTHERS, PEOPLE

LISTENERS = [listener.id for listener in table().server.listeners]
SWITCHES = [switch.id for switch in table().server.switches]
VERBS = [stage.verb for stage in table().stages.values() if stage.verb]

lines = st.one_of(
    st.text(max_size=80),
    st.builds("{} {}".format, st.sampled_from(VERBS), st.text(max_size=60)),
    st.builds("MAIL FROM:<{}> {}".format, st.one_of(st.sampled_from(PEOPLE), st.text(max_size=20)), st.text(max_size=20)),
    st.builds("RCPT TO:<{}> {}".format, st.one_of(st.sampled_from(PEOPLE), st.text(max_size=20)), st.text(max_size=20)),
    st.sampled_from([*OTHERS, ".", "MAIL FROM:<a@b>", "RCPT TO:<bob@example.com>"]),
)  # fmt: skip
groups = st.lists(lines, min_size=1, max_size=3)


@settings(max_examples=examples(300))
@given(
    st.sampled_from(LISTENERS),
    st.lists(st.sampled_from(SWITCHES), unique=True),
    st.lists(groups, max_size=12),
)
def test_any_line_gets_well_formed_replies_or_none(
    listener: str, switches: list[str], steps: list[list[str]]
) -> None:
    session = SimulatedSession(table(), listener, "stranger", switches)
    turns = [transcript.Turn([], [line for reply in session.connect() for line in reply.lines])]
    for step in steps:
        before = session.status()
        replies = session.say(*step)
        if not before.connected:
            assert replies == []
            break
        for reply in replies:
            assert all(CODES.match(line) for line in reply.lines)
            assert reply.why
            assert {id_ for id_ in reply.see if id_ not in library().entries} == set()
        if before.mode == "command" and session.status().mode == "command" and session.status().connected:
            assert len(replies) >= 1
        turns.append(transcript.Turn(list(step), [line for reply in replies for line in reply.lines]))
    _round_trip(transcript.Scene(listener, "stranger", tuple(switches)), turns)


def _round_trip(scene: transcript.Scene, turns: list[transcript.Turn]) -> None:
    flat = [
        transcript.Turn(
            [line.replace("\r", " ").replace("\n", " ") for line in turn.sent],
            [line.replace("\r", " ").replace("\n", " ") for line in turn.heard],
        )
        for turn in turns
    ]
    read = transcript.read(transcript.write(scene, flat), table().server)
    assert read.scene == scene
    assert [turn for turn in read.turns if turn.sent] == [turn for turn in flat if turn.sent]


def test_the_same_lines_give_the_same_session() -> None:
    def played() -> list[object]:
        session = SimulatedSession(table())
        return [session.connect(), *(session.say(line) for line in (*OTHERS, *VERBS))]

    assert played() == played()


def test_commands_are_read_without_marks() -> None:
    read = transcript.read("# switches: greylisting\nNOOP\n\nHELP\r\nS\n", table().server)
    assert [turn.sent for turn in read.turns] == [["NOOP"], ["HELP"], ["S"]]
    assert read.scene.switches == ("greylisting",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("C: NOOP\nhello", "session.txt:2: a line begins with 'C:', 'C+:', 'S:', '*' or '#', and this one with 'hello'"),
        ("# listener: imap\nNOOP", "session.txt: there is no listener 'imap': choose one of smtp, submission, submissions"),
        ("# client: ofice\nNOOP", "session.txt: there is no client 'ofice'; did you mean 'office'?"),
        ("# switches: graylisting\nNOOP", "session.txt: there is no switch 'graylisting'; did you mean 'greylisting'?"),
        ("x" * 2_000_000, "session.txt is longer than 1000000 characters, which no session is: choose another"),
    ],
)  # fmt: skip
def test_a_transcript_that_makes_no_sense_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        transcript.read(text, table().server, "session.txt")
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        ("transaction", "- id: mail-nested", "- id: mail-syntax", "the rule 'mail-syntax' is taken; choose another id"),
        ("transaction", "see: [session-order]", "see: [session-ordr]", "there is no entry 'session-ordr'; did you mean 'session-order'?"),
        ("transaction", "uses: [recipient, greylist]", "uses: [recipient, graylist]", "there is no stage 'graylist'; did you mean 'greylist'?"),
        ("transaction", "do: begin", "do: beginn", "'do' is one of "),
        ("session", '      reply: "220 {host} ESMTP Postfix"\n', "", "the rule 'connect-greeting' neither replies nor closes; add 'reply'"),
        ("server", "see: port-25", "see: port-26", "there is no entry 'port-26'"),
        ("server", "port: 25", "port: smtp", "'port' must be a whole number, not 'smtp'"),
    ],
)  # fmt: skip
def test_a_broken_table_is_refused(name: str, before: str, after: str, sentence: str, tmp_path: Path) -> None:
    folder = tmp_path / "simulator"
    shutil.copytree(resources.folder("reports") / "data" / "simulator", folder)
    path = folder / f"{name}.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(LabError) as refused:
        read_table(folder, library())
    assert str(refused.value).startswith(f"{path}:")
    assert sentence in str(refused.value)


def test_a_local_part_of_a_sign_alone_is_nobody_here() -> None:
    """As Postfix has it: what is left of such an address names nobody, not even the server itself."""
    for user in ('"@"', "@", "\\@", '"@@"'):
        for domain in ("example.com", "mail.example.com", "[203.0.113.10]"):
            session = SimulatedSession(table(), "smtp")
            session.connect()
            session.say("MAIL FROM:<a@third.example>")
            (reply,) = session.say(f"RCPT TO:<{user}@{domain}>")
            assert reply.lines == ["501 5.1.3 Bad recipient address syntax"], (user, domain)


def test_a_size_beyond_all_files_is_remembered_as_none() -> None:
    session = SimulatedSession(table(), "smtp")
    session.connect()
    codes = [
        session.say(f"MAIL FROM:<a@third.example>{size}")[0].lines[0][:3]
        for size in (" SIZE=99999999", "", " SIZE=9223372036854775808", "")
    ]
    assert codes == ["552", "552", "552", "250"]


def test_what_is_offered_is_understood() -> None:
    """No quick line is unknown to the server, and each switch and listener is explained by an entry with a page."""
    verbs = {one.line.partition(" ")[0] for one in offered().command}
    assert verbs - set(VERBS) == {"EXPN"}
    links = data(library(), addresses(PAGES, library()))["links"]  # type: ignore[index]
    rules = [rule for stage in table().stages.values() for rule in stage.rules]
    assert {id_ for rule in rules for id_ in rule.see} - set(links) == set()


def test_annotated_sessions_are_what_the_server_says() -> None:
    """All that the lesson shows of a session comes in this order; the list behind EHLO may be shortened there."""
    for one in offered().sessions:
        session = SimulatedSession(table(), one.listener)
        heard = [line for reply in session.connect() for line in reply.lines]
        for turn in transcript.read(played(library(), one), table().server).turns:
            heard += [line for reply in session.say(*turn.sent) for line in reply.lines]
        assert not session.status().connected
        example = library().entries[one.example]
        shown = iter(_plain(line) for line in heard)
        for line in example.lines:  # type: ignore[attr-defined]
            assert line.who != "S" or _plain(line.line) in shown, line.line


def _plain(line: str) -> str:
    return QUEUED.sub(r"\1 …", line.replace("250-", "250 "))

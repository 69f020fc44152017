"""What goes on record of what clients say to a submission server, however much that is."""

from __future__ import annotations

import pytest

from grader.world.submission_server.session_log import FEW_LINES, LONGEST_ON_RECORD, SessionLog
from grader.world.transcript import LONGEST_CUT_LINE, Room

PASSWORD = "correct-horse-battery"


def log(room: Room | None = None) -> SessionLog:
    return SessionLog(lambda: 0.0, "alice", PASSWORD, room or Room())


def test_a_command_without_end_is_on_record_with_its_beginning() -> None:
    """A client that sends a text where commands are due would else fill the record with it, line by line."""
    found = log()
    found.client(b"x" * 60_000 + b"\r\n", credentials=False)
    found.server("500 Command line too long")
    [line, _] = found.lines
    assert line.text == "x" * LONGEST_ON_RECORD + " (58000 more characters)"
    assert found.replies[0].command == line.text


def test_a_line_of_a_message_is_on_record_with_its_beginning() -> None:
    found = log()
    found.message(b"short\r\n" + b"y" * 9_000 + b"\r\n")
    assert [len(line.text) for line in found.lines] == [
        5,
        LONGEST_ON_RECORD + len(" (7000 more characters)"),
        1,
    ]


@pytest.mark.parametrize("before", [LONGEST_ON_RECORD - 5, 0])
def test_a_password_is_taken_out_before_a_line_is_cut(before: int) -> None:
    found = log()
    found.client(b"z" * before + PASSWORD.encode() + b"z" * 9_000 + b"\r\n", credentials=False)
    assert "correct" not in found.lines[0].text


def test_all_sessions_together_say_no_more_than_fits() -> None:
    """Two hundred sessions of two thousand lines each would be more than the world can answer with."""
    room = Room()
    for _ in range(4):
        found = log(room)
        for _ in range(1_000):
            found.client(b"NOOP " + b"x" * 1_900 + b"\r\n", credentials=False)
    assert room.left < 0
    assert len(found.lines) <= FEW_LINES + 2
    assert len(found.lines[0].text) < LONGEST_CUT_LINE + 30
    assert found.lines[-1].text == "What followed was not put on record."


def test_a_session_that_was_long_before_the_room_was_gone_ends_on_record_then() -> None:
    room = Room()
    found = log(room)
    for _ in range(300):
        found.client(b"NOOP\r\n", credentials=False)
    room.left = 0
    found.client(b"QUIT\r\n", credentials=False)
    found.client_gone()
    assert [line.text for line in found.lines[299:]] == ["NOOP", "What followed was not put on record."]

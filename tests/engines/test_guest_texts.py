"""What the agent reads without regular expressions: it reads what these would."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.engines.guest.jsontext import decoded, encoded
from grader.engines.guest.log import AT_A_TIME, REST, SHORT_REST, Log
from grader.engines.guest.loop import Loop
from grader.engines.guest.mail import messages_in
from grader.engines.guest.postfix import maps_in, may_open_map, queued_in
from tests.tables import every

MAP = re.compile(r"\b(hash|btree|lmdb|cdb|dbm|sdbm):(?:\{\s*)?(/[^\s,{}]+)")
BETWEEN = re.compile(rb"\n\n(?=From )|\n(?=From [^\n]{1,400} \d\d:\d\d:\d\d \d{4}\n)")
TABLE = re.compile(r":|\$(?![({]?my(?:hostname|domain|origin|destination)\b)")

WORDS = st.sampled_from(
    [
        "/",
        "$",
        "(",
        "{",
        "}",
        "_",
        "=",
        ":",
        ",",
        "x",
        " ",
        "\n",
        "hash:",
        "dbm:",
        "sdbm:",
        "lmdb:",
        "/etc/a",
        "mydomain",
        "myorigin",
    ]
)


@given(st.lists(WORDS, max_size=12).map("".join))
def test_maps_are_found_as_by_an_expression(text: str) -> None:
    by_expression = set(MAP.findall(text))
    # One more may begin within a path, which is nobody's.
    begun = (MAP.match(text, at) for at in range(len(text)))
    within = {(found[1], found[2]) for found in begun if found}
    assert by_expression <= maps_in(text) <= by_expression | within


@given(st.lists(WORDS, max_size=8).map("".join))
def test_lists_of_domains_are_known_as_by_an_expression(text: str) -> None:
    assert may_open_map(text) == (TABLE.search(text) is not None)


PIECES = st.sampled_from([b"\n", b"From ", b"a@b.example  Mon Nov 30", b" 10:54:22 2026\n", b"From", b"x"])


@given(st.lists(PIECES, max_size=16).map(b"".join))
def test_an_mbox_is_parted_as_by_an_expression(raw: bytes) -> None:
    assert messages_in(raw) == (BETWEEN.split(raw) if raw.startswith(b"From ") else [raw])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_what_pythons_library_makes_of_it(value: object) -> None:
    assert encoded(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert decoded(f" {json.dumps(value)}\n") == value


@every("text", ["", " ", "{", "[1", '{"a":1}}', "nul", "01", '"\n"', "[1] 2"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (it is all that is promised)
        decoded(text)


def test_a_list_of_the_queue_that_makes_no_sense_is_passed_over() -> None:
    assert queued_in("\n[\n" + "[" * 100_000 + '\n{"recipients": 1}\nnull\n') == []


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    # The name of a socket has room for some hundred letters (unix(7)).
    here = Path.cwd()
    os.chdir(tmp_path)
    yield Path("at/log")
    os.chdir(here)


def logged(place: Path, *said: bytes) -> list[str]:
    log = Log(Loop())
    log.listen(str(place))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect(str(place))
        for datagram in said:
            client.send(datagram)
            if len(said) > 9:  # The queue may have room for ten.
                log.whole()
    return [line.partition(" ")[2] for line in log.whole()]


def test_a_line_is_kept_without_what_syslog_puts_before_it(place: Path) -> None:
    assert logged(
        place,
        b"<22>Nov 30 12:00:00 postfix/smtpd[7]: one\n\0",
        b"<22>Nov  3 12:00:00 dovecot: two",
        b"<22>three",
        b"<22>Nov 30 12:00 four",
        b"<x>five",
        b"six > seven",
    ) == ["postfix/smtpd[7]: one", "dovecot: two", "three", "Nov 30 12:00 four", "<x>five", "six > seven"]


def test_all_lines_are_there_however_many_came_at_once(place: Path) -> None:
    said = [f"<22>{number}".encode() for number in range(2 * AT_A_TIME + 1)]
    assert logged(place, *said) == [str(number) for number in range(len(said))]


def test_lines_that_come_while_the_log_rests_are_read_before_it_is_told(place: Path) -> None:
    loop = Loop()
    log = Log(loop)
    log.listen(str(place))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect(str(place))
        client.send(b"<22>one")
        assert loop.turn(1)
        client.send(b"<22>two")
        client.send(b"<22>three")
        assert [line.partition(" ")[2] for line in log.whole()] == ["one", "two", "three"]
        client.send(b"<22>four")
        assert loop.until(lambda: len(log.lines) == 4, 10)
    assert 0 < SHORT_REST < REST < 0.05


def test_a_service_that_prints_its_log_is_read_likewise() -> None:
    loop = Loop()
    log = Log(loop)
    read, write = os.pipe()
    loop.watch(read, log.read_stdout)
    os.write(write, b"Nov 30 12:00:00 mail postfix/master[1]: one\nNov 30 12:00:00 two\nthree\n")
    os.close(write)
    loop.until(lambda: len(log.lines) == 3, 10)
    assert [line.partition(" ")[2] for line in log.lines] == [
        "postfix/master[1]: one",
        "Nov 30 12:00:00 two",
        "three",
    ]


def test_a_file_that_postfix_logs_to_is_read_likewise(tmp_path: Path) -> None:
    log = Log(Loop())
    log.file = str(tmp_path / "postfix.log")
    Path(log.file).write_text(
        "Nov 30 12:00:00 mail postfix/smtpd[7]: NOQUEUE: discard: RCPT\nNov  3 12:00:00 two\n"
    )
    # Each begins with a time in milliseconds, as every line of the log: else nobody finds what a line is about.
    assert log.whole() == ["0 postfix/smtpd[7]: NOQUEUE: discard: RCPT", "0 Nov  3 12:00:00 two"]

"""Reading what servers say, whatever they say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.formats.reply import LONGEST_LINE, MOST_LINES, Heard, ReplyReader, readable


def heard(*chunks: bytes) -> list[Heard]:
    reader = ReplyReader()
    return [reply for chunk in chunks for reply in reader.feed(chunk)]


def test_a_reply_of_several_lines_is_one() -> None:
    assert heard(b"250-one\r\n250-two\r\n250 three\r\n220 next\r\n") == [
        Heard(250, ["250-one", "250-two", "250 three"]),
        Heard(220, ["220 next"]),
    ]


def test_a_bare_code_is_a_reply() -> None:
    assert heard(b"250\r\n354\n") == [Heard(250, ["250"]), Heard(354, ["354"])]


def test_words_that_are_no_reply_have_code_0() -> None:
    assert [reply.code for reply in heard(b"hello\r\n999 x\r\n2500 x\r\n\r\n199 y\r\n")] == [0, 0, 0, 0, 0]


def test_garbage_inside_a_reply_belongs_to_it() -> None:
    assert heard(b"250-a\r\nwhat?\r\n250 b\r\n") == [Heard(250, ["250-a", "what?", "250 b"])]


def test_enhanced_codes_count_only_in_their_own_class() -> None:
    assert Heard(554, ["554 5.7.1 no"]).enhanced == "5.7.1"
    assert Heard(554, ["554-5.7.1 no", "554 go away"]).enhanced == "5.7.1"
    assert Heard(554, ["554 2.0.0 no"]).enhanced is None
    assert Heard(250, ["250 2.1"]).enhanced is None
    assert Heard(250, ["250 1.2.3.4 is my address"]).enhanced is None


@given(st.binary())
def test_readable_loses_nothing_that_is_text_and_escapes_the_rest(line: bytes) -> None:
    text = readable(line)
    try:
        assert text == line.decode()
    except UnicodeDecodeError:
        assert "\\x" in text
    text.encode()


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=40))
def test_how_a_stream_is_cut_into_packets_changes_nothing(stream: bytes, size: int) -> None:
    stream = stream.replace(b"x", b"250-").replace(b"y", b"\r\n250 ") + b"\r\n"
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert heard(*pieces) == heard(stream)


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=20))
def test_every_line_is_in_some_reply(lines: list[bytes]) -> None:
    stream = b"".join(line + b"\r\n" for line in lines) + b"250 end\r\n"
    found = [text for reply in heard(stream) for text in reply.lines]
    assert found == [*(readable(line) for line in lines), "250 end"]


def test_an_endless_line_is_bounded_and_says_what_is_missing() -> None:
    chunks = [b"250 " + b"x" * 10_000] + [b"x" * 10_000] * 20 + [b"\r\n"]
    (reply,) = heard(*chunks)
    total = 4 + 210_000
    assert reply.lines[0].startswith("250 xxx")
    assert reply.lines[0].endswith(f"[{total - LONGEST_LINE} octets more]")
    assert len(reply.lines[0]) < LONGEST_LINE + 40


def test_an_endless_reply_is_cut_into_several() -> None:
    replies = heard(b"250-more\r\n" * (MOST_LINES + 5) + b"250 end\r\n")
    assert [len(reply.lines) for reply in replies] == [MOST_LINES, 6]


def test_what_was_said_of_an_unfinished_reply_is_kept() -> None:
    reader = ReplyReader()
    assert list(reader.feed(b"250-one\r\n250 tw")) == []
    assert reader.remainder() == Heard(0, ["250-one", "250 tw"])
    assert reader.remainder() is None

"""Texts that must not stand in other data are found in whatever dress."""

from __future__ import annotations

import base64
import quopri
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.disguise import SHORTEST, in_base64, of_login, shows, spellings, without

SECRET = b'falcon "river" 47%_+#'
WORDS = base64.encodebytes(b"For your files: " + SECRET + b", as you wished, and some more to fill a line.")


@pytest.mark.parametrize(
    "data",
    [
        SECRET,
        SECRET.hex().encode(),
        SECRET.hex(":").upper().encode(),
        "".join(f"\\x{octet:02x}" for octet in SECRET).encode(),
        "".join(f"={octet:02X}" for octet in SECRET).encode(),
        quote(SECRET, safe="").encode(),
        quopri.encodestring(b"x" * 60 + SECRET),
        b"=?utf-8?Q?" + quopri.encodestring(SECRET, header=True) + b"?=",
        SECRET.replace(b" ", b"\r\n  ", 1),
        WORDS,
        WORDS.replace(b"\n", b"\r\n"),
        base64.b64encode(SECRET),
        # As Python's EmailMessage folds a long word of a field.
        b"=?utf-8?q?"
        + base64.b64encode(SECRET)[:20]
        + b"?=\r\n =?utf-8?q?"
        + base64.b64encode(SECRET)[20:]
        + b"?=",
        base64.urlsafe_b64encode(b"?" + SECRET + b"\xfb\xff"),
        b"=?utf-8?B?"
        + base64.b64encode(b"to:" + SECRET[:9])
        + b"?=\r\n =?utf-8?B?"
        + base64.b64encode(SECRET[9:])
        + b"?=",
    ],
)
def test_a_text_is_found_and_taken_out_in_whatever_dress(data: bytes) -> None:
    around = b"X-Trace: run:" + data + b";end\r\n"
    assert shows(around, SECRET)
    rest = without(around, b"[x]", SECRET)
    assert not shows(rest, SECRET)
    assert rest.startswith(b"X-Trace: run:")
    assert rest.endswith(b";end\r\n")


def test_base64_without_a_text_can_still_be_decoded() -> None:
    rest = base64.b64decode(without(WORDS, b"[x]", SECRET))
    assert rest.startswith(b"For your files: ")
    assert rest.endswith(b", as you wished, and some more to fill a line.")
    assert b"UUUUUU" in rest


@given(st.binary(max_size=5), st.binary(min_size=SHORTEST, max_size=30), st.binary(max_size=5))
def test_base64_shows_a_text_whatever_stands_around_it(before: bytes, text: bytes, behind: bytes) -> None:
    whole = base64.b64encode(before + text + behind)
    assert any(way in whole for way in in_base64(text))


@given(st.binary(max_size=200), st.binary(min_size=SHORTEST, max_size=30))
def test_what_is_taken_out_is_gone(data: bytes, text: bytes) -> None:
    without(data, b"", text)
    shows(data, text)


def test_other_texts_are_left_alone() -> None:
    letter = b"Subject: a falcon by the river 47\r\n\r\n" + base64.encodebytes(b"falcon, river, 47" * 20)
    assert not shows(letter, SECRET)
    assert without(letter, b"[x]", SECRET) == letter


def test_every_spelling_of_a_login_is_found_and_taken_out_of_a_message() -> None:
    texts = of_login("erika", SECRET.decode())
    for spelling in spellings("erika", SECRET.decode()):
        around = b"X-Trace: run:" + spelling.encode() + b";end\r\n"
        assert shows(around, *texts)
        assert not shows(without(around, b"[x]", *texts), *texts)


def dump(data: bytes, style: str) -> bytes:
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        spelt = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        lines.append({
            "xxd": f"{at:08x}: {row.hex(' ', -2):<39}  {spelt}",
            "hexdump": f"{at:08x}  {row[:8].hex(' ')}  {row[8:].hex(' '):<23}  |{spelt}|",
            "curl": f"{at:04x}: {row.hex(' '):<47} {spelt}",
        }[style])  # fmt: skip
    return "\n".join(lines).encode()


@pytest.mark.parametrize("style", ["xxd", "hexdump", "curl"])
def test_a_dump_of_what_went_over_the_wire_tells_the_login(style: str) -> None:
    texts = of_login("erika", SECRET.decode())
    spoken = b"AUTH PLAIN " + base64.b64encode(b"\0erika\0" + SECRET) + b"\r\n"
    for said in (spoken, base64.b64encode(SECRET), b"password " + SECRET):
        printed = b"=> Send data\n" + dump(said, style) + b"\ndone\n"
        assert shows(printed, *texts)
        rest = without(printed, b"[x]", *texts)
        assert not shows(rest, *texts)
        assert rest.startswith(b"=> Send data\n")
        assert rest.endswith(b" [x]\ndone\n")
        # That it was a dump is still to be seen.
        assert b"\n0000" in rest
    assert not shows(dump(b"AUTH PLAIN of the falcon, by the river", style), *texts)
    assert shows(spoken.hex(" ").encode(), *texts)


def test_a_short_password_is_found_in_what_a_client_says_and_by_itself() -> None:
    said = base64.b64encode(b"\0erika\0k4tz")
    assert said.decode() in spellings("erika", "k4tz")
    assert without(b"AUTH PLAIN " + said, b"[x]", *of_login("erika", "k4tz")) != b"AUTH PLAIN " + said
    assert without(b"is it k4tz?", b"[x]", *of_login("erika", "k4tz")) == b"is it [x]?"

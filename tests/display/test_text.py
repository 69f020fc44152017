"""Each reader's escaping holds for every text there is, lone surrogates included."""

from __future__ import annotations

import csv
import io
import re
import sys
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.display.text import (
    csv_cell,
    encodable,
    inert,
    one_line,
    printed,
    printed_line,
    scalars,
    visible,
    xml,
)

ANY = st.text(st.characters(exclude_categories=()))
NASTY = st.one_of(ANY, st.text(st.sampled_from(list("\x00\x1b\x9b\u202e\ufffe\udcff\r\n\t=+-@'\",;|:# []a"))))


@given(NASTY)
def test_nothing_visible_is_obeyed_by_a_terminal(text: str) -> None:
    shown = visible(text)
    assert not [
        c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t"
    ]


@given(NASTY)
@example("plain\n\ttext, and … ü")
@example("… \u115f\n")
@example("\ud83d \x7f…")
def test_a_text_is_shown_as_its_characters_are(text: str) -> None:
    assert visible(text) == "".join(map(visible, text))


@given(NASTY)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    hidden = "\u115f\u1160\u3164\uffa0\u17b4\u17b5"  # letters by their category that show nothing
    assert visible(text) == text or any(c in hidden for c in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("caf\udce9", "caf\\xe9"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u034fb\ufe0fc\u180b", "a\\u034fb\\ufe0fc\\u180b"),
        ("a" + "\u0301" * 8, "a" + "\u0301" * 6 + "\\u0301" * 2),
        (
            "Vie\u0323\u0302t \u05d1\u05bc\u05b0\u0591 \u0e17\u0e35\u0e48",
            "Vie\u0323\u0302t \u05d1\u05bc\u05b0\u0591 \u0e17\u0e35\u0e48",
        ),
        ("\ufffe", "\\ufffe"),
        ("\ud83d", "\\ud83d"),
        ("a\r\nb", "a\\r\nb"),
    ],
)
def test_escapes_are_readable(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(NASTY)
def test_xml_reads_back(text: str) -> None:
    element = ElementTree.Element("failure", {"message": xml(one_line(text))})
    element.text = xml(text)
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (read.text or "") == xml(text)
    assert read.get("message") == xml(one_line(text))
    assert "[[ATTACHMENT" not in xml("[[ATTACHMENT|/etc/passwd]]")


@given(st.lists(NASTY, min_size=1), st.sampled_from([",", ";", "\t", "|"]))
@example(['"@'], ";")
def test_no_cell_is_a_formula_whichever_separator_splits_the_line(texts: list[str], separator: str) -> None:
    cells = [csv_cell(text) for text in texts]
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    assert next(csv.reader(io.StringIO(written.getvalue(), newline=""))) == cells
    for cell in next(csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=separator)):
        assert not re.match(r"[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell), cell


@given(NASTY)
def test_no_line_is_a_command_of_a_ci_server(text: str) -> None:
    assert printed_line(text) == inert(one_line(text))
    for line in printed(text).splitlines():
        assert not re.match(r"\s*::(?!\d|ffff:\d)", line)
        assert not re.search(r"##(\w*)\[", line)


@pytest.mark.parametrize(
    "text", ["2001:db8::1", "fe80::", "a ::b", "# comment", "###", "::1 and 10.0.0.0/8", "  ::ffff:192.0.2.1"]
)
def test_addresses_and_comments_are_no_commands(text: str) -> None:
    assert inert(text) == text


@given(NASTY, st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
def test_every_terminal_can_print_it(text: str, encoding: str) -> None:
    encodable(text, encoding).encode(encoding)


@given(NASTY)
def test_scalars_fit_into_utf_8(text: str) -> None:
    assert scalars(text).encode().decode() == scalars(text)
    assert scalars(text) == text or any(0xD800 <= ord(c) < 0xE000 for c in text)


def test_whatever_unicode_calls_a_control_or_a_format_character_is_made_visible() -> None:
    obeyed = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\t\n"
    ]
    assert [char for char in obeyed if char in visible(char)] == []

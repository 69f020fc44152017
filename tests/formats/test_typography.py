"""Characters that look like those of ASCII and are none."""

from __future__ import annotations

import pytest

from grader.formats.typography import odd_characters


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a “b", '`“` (left double quotation mark, U+201C) stands where `"` belongs'),
        ("it\u2019s", "`\u2019` (right single quotation mark, U+2019) stands where `'` belongs"),
        ("\u2013all", "`\u2013` (en dash, U+2013) stands where `-` belongs"),
        ("a \u2212 b", "`\u2212` (minus sign, U+2212) stands where `-` belongs"),
        ("a\u00a0b", "a no-break space (U+00A0) stands where a blank belongs"),
        (
            "a\ufeffb",
            "a character stands here that nobody sees (byte order mark, U+FEFF), and that belongs nowhere",
        ),
        ("a\uff1db", "`\uff1d` (fullwidth equals sign, U+FF1D) stands where `=` belongs"),
    ],
)
def test_what_a_word_processor_made_is_named(text: str, said: str) -> None:
    [odd] = odd_characters(text)
    assert odd.said == said
    assert text[odd.column] == odd.character


@pytest.mark.parametrize("text", ["Grüße aus Köln", "smtpd_tls_auth_only = yes", "日本語", "½ € é"])
def test_letters_of_other_languages_stand_for_themselves(text: str) -> None:
    assert list(odd_characters(text)) == []

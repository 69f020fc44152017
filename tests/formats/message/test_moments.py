"""Dates of every form: which moment they name, and where they name none for sure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from hypothesis import given
from hypothesis import strategies as st

from grader.formats.message.moments import Reading, find_moment, read_moment
from tests.tables import every

NINE = 1771228802
"""Mon, 16 Feb 2026 08:00:02 UTC."""
DATES: list[tuple[str, int | None, Reading]] = [
    ("Mon, 16 Feb 2026 09:00:02 +0100", NINE, "plain"),
    ("16 Feb 2026 08:00:02 -0000", NINE, "plain"),
    ("Mon, 16 Feb 2026 09:00:02 +0100 (CET (really))", NINE, "plain"),
    ("Mon, 16 Feb 2026 20:45:02 +1245", NINE, "plain"),
    ("Mon, 16 Feb 2026 04:30:02 -0330", NINE, "plain"),
    ("Mon, 16 Feb 2026 13:30:02 +0530 (IST)", NINE, "plain"),
    ("Tue, 17 Feb 2026 00:00:00 +0000", 1771286400, "plain"),
    ("Thu, 31 Dec 1998 23:59:60 +0000", 915148800, "plain"),
    ("Mon, 16 Feb 2026 09:00:02 +0100 id 00000000000A1B2C.1", NINE, "plain"),
    ("Mon, 16 Feb 26 03:00:02 EST", NINE, "lenient"),
    ("Mon, 16 Feb 126 08:00:02 GMT", NINE, "lenient"),
    ("Fri, 16 Feb 98 08:00:02 +0000", 887616002, "lenient"),
    ("mon,16 FEB 2026 8:0:2 UT", NINE, "lenient"),
    ("Mon, 16 Feb 2026 08:00:02 +0000 UTC", NINE, "lenient"),
    ("Mon , 16 Feb 2026 09 : 00 : 02 +0100", NINE, "lenient"),
    ("Mon, 16 Feb 2026 09:00:02 +01:00", NINE, "lenient"),
    ("Mon Feb 16 08:00:02 UTC 2026", NINE, "lenient"),
    ("Mon Feb 16 00:00:02 2026 -0800", NINE, "lenient"),
    ("2026-02-16T08:00:02Z", NINE, "lenient"),
    ("2026-02-16 08:00:02.757045452 +0000 UTC m=+349867.49", NINE, "lenient"),
    ("Monday, 16 February 2026 08:00:02 GMT", NINE, "lenient"),
    ("Mon, 16 Feb 2026 10:00:02 CEST", None, "zone"),
    ("Mon, 16 Feb 2026 10:00:02 A", None, "zone"),
    ("Mon, 16 Feb 2026 10:00:02 +2500", None, "zone"),
    ("Mon, 16 Feb 2026 10:00:02", None, "zone"),
    ("Mon Feb 16 09:00:02 2026", None, "zone"),
    ("2026-02-16T08:00:02", None, "zone"),
    ("Mon, 30 Feb 2026 08:00:02 +0000", None, "impossible"),
    ("Mon, 16 Feb 2026 25:00:02 +0000", None, "impossible"),
    ("2026-13-16T08:00:02Z", None, "impossible"),
    ("yesterday", None, "none"),
    ("", None, "none"),
    ("(Mon, 16 Feb 2026 09:00:02 +0100", None, "none"),
]


@every(("text", "seconds", "reading"), DATES)
def test_a_date_names_its_moment_or_none(text: str, seconds: int | None, reading: Reading) -> None:
    found = read_moment(text)
    assert (found.seconds, found.reading) == (seconds, reading)


@every(("text", "seconds", "reading"), DATES)
def test_where_pythons_email_knows_the_zone_ours_does_too(
    text: str, seconds: int | None, reading: Reading
) -> None:
    try:
        theirs = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return
    # It takes a year of three digits as one of long ago, against RFC 5322 section 4.3.
    if theirs.tzinfo is not None and seconds is not None and theirs.year > 1900:
        assert int(theirs.timestamp()) == seconds


def test_a_date_is_found_without_its_semicolon() -> None:
    line = "by filter01.example with SMTP id f-2026-1 2026-02-16 08:00:02.757 +0000 UTC m=+349867.49"
    place = find_moment(line)
    assert place is not None
    assert read_moment(line[place:]).seconds == NINE
    assert find_moment("by mx.example with SMTP id 4") is None


PIECES = ["Mon, ", "16 ", "Feb ", "2026 ", "8:", "0:", "02 ", "+0100", "(", ")", "EST", "Z", "T", "-"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_raises(text: str) -> None:
    read_moment(text)
    find_moment(text)

"""Received fields: what each system's lines tell, and that nothing makes the reader raise or slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.message.forms import DIALECTS, SHAPES
from grader.formats.message.received import Received, read_received
from tests.formats.message.corpus import TIME, Line, corpus
from tests.tables import every

TLS = {"yes": True, "no": False, "": None}
TEXTS = ("claimed", "name", "either", "address", "by", "protocol", "id", "recipient")


def told(found: Received) -> dict[str, str]:
    """What a line tells, as the corpus says it."""
    said = {name: str(getattr(found, name)) for name in TEXTS}
    return {name: value for name, value in said.items() if value}


@every("line", corpus(), ids=lambda line: f"{line.system}: {line.text[:40]}")
def test_a_line_tells_what_is_known_and_no_more(line: Line) -> None:
    found = read_received(f" {line.text}".replace("\r\n", ""))
    assert told(found) == {name: value for name, value in line.told.items() if name in TEXTS}
    assert found.kind == line.told.get("kind", "hop")
    assert found.moment.seconds == TIME
    assert found.lookup == line.told.get("lookup", "name" if "name" in line.told else "")
    if "tls" in line.told:
        assert found.tls is TLS[line.told["tls"]]


def test_the_corpus_is_wide() -> None:
    assert len(corpus()) >= 80
    assert len({line.system for line in corpus()}) >= 25


def test_every_dialect_and_shape_has_a_line() -> None:
    used = {read_received(line.text.replace("\r\n", "")).dialect for line in corpus()}
    assert {one.id for one in DIALECTS} - used == set()
    assert {shape for one in DIALECTS for shape in one.shapes} == set(SHAPES)


@every("line", corpus(), ids=lambda line: line.system)
def test_a_claim_hides_no_address(line: Line) -> None:
    # Whatever a client says in EHLO, the address is the one that the server saw.
    claimed, address = line.told.get("claimed", ""), line.told.get("address", "")
    both = "HLO" in line.text and claimed == line.told.get("name")
    if not claimed or not address or claimed.strip("[]") in address or both:
        return
    forged = line.text.replace(claimed, "[10.66.66.66]", 1)
    assert read_received(forged.replace("\r\n", "")).address != "10.66.66.66"


PIECES = [
    *(word for line in corpus()[::9] for word in line.text.split(" ")), "(", ")", "[", "]", ";", '"', "\\",
    "from", "by", "with", "id", "for", "via", " ", "  ", "\t", "\udce4", "::1", "300.1.1.1", "\x00", "Mon, ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join) | st.text(max_size=200))
def test_nothing_makes_it_raise(text: str) -> None:
    found = read_received(text)
    assert found.tls in (True, False, None)
    assert len(found.address) <= 80


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "(",
        '"',
        "from ",
        "(a) ",
        "[1.2.3.4] ",
        "a ",
        "; ",
        "Mon, ",
        "(HELO ",
        "1 Jan ",
        "\\(",
        "from (x [1.2.3.4]) by ",
    ],
)
def test_a_line_of_megabytes_takes_time_by_its_length(piece: str) -> None:
    assert read_received(piece * (200_000 // len(piece))).moment.seconds is None

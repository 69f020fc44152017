"""A letter of 8 bits, for servers that offer to take them and for others."""

from __future__ import annotations

import quopri

from msgspec.structs import replace

from grader.labs.messages import as_programs_write
from grader.world.sevenbits import in_seven_bits
from tests.tables import every
from tests.world.bed import Bed, attempt
from tests.world.clock import run

PLAIN = b"From: <b@example.com>\r\nSubject: Lunch\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nDear Ann,\r\n"
LETTER = replace(attempt(), message=as_programs_write(PLAIN), parameters="BODY=8BITMIME")


def test_a_letter_as_programs_write_it() -> None:
    header, _, text = LETTER.message.partition(b"\r\n\r\n")
    assert header.isascii()
    assert not text.isascii()
    assert b"utf-8" in header
    assert b"\r\n " in header, "a field goes over two lines"
    assert 900 < max(map(len, text.split(b"\r\n"))) <= 998, "RFC 5322 section 2.1.1"
    assert text.decode().startswith("Dear Ann,\r\n")


def test_it_is_recoded_for_a_server_that_takes_seven_bits() -> None:
    seven = in_seven_bits(LETTER)
    header, _, text = seven.message.partition(b"\r\n\r\n")
    assert seven.message.isascii()
    assert seven.parameters == ""
    assert b"Content-Transfer-Encoding: quoted-printable" in header
    assert max(map(len, text.split(b"\r\n"))) <= 76, "RFC 2045 section 6.7"
    decoded = quopri.decodestring(text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    assert decoded == LETTER.message.partition(b"\r\n\r\n")[2]


def test_a_letter_in_ascii_goes_as_it_is() -> None:
    plain = replace(attempt(), message=PLAIN)
    assert in_seven_bits(plain) is plain


@every(("seven", "said"), [(False, "BODY=8BITMIME"), (True, ">")])
def test_it_is_announced_where_the_server_takes_it(seven: bool, said: str) -> None:
    async def work() -> list[str]:
        async with Bed() as bed:
            port = await bed.smtp(decode_data=seven)
            sent = replace(LETTER, port=port, recipients=["ann@example.com"])
            (session,), (outcome,) = await bed.probe(sent)
            assert outcome.stage == "accepted"
            return [line.text for line in session.lines if line.text.startswith("MAIL")]

    assert run(work())[0].endswith(said)

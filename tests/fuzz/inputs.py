"""Inputs: words of the format in any order, real examples changed at some places, and octets of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from tests.fuzz.target import Target

ODD = (
    b"\x00", b"\xff", b"\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xc3\xbc",
    b"\x1b[2J", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\\", b'"', b"-1", b"0", b"99999999999999999999",
    b"9" * 5_000, b"\xf0\x9f\x92\xa9", b"\xd9\xa3", b"\xc2\xb2",
)  # fmt: skip
"""Octets that surprise readers of any format: no UTF-8, half a character, marks, endless numbers, other digits."""
LONGEST = 4_000
MOST_CHANGES = 6


def changed(chance: Random, data: bytes, words: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """A copy of an example with some changes: words put in, parts left out, said twice, or taken from another."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((0, 1, 2, 5, 20, 200)))
        match chance.randrange(7):
            case 0:
                data = data[:at] + chance.choice(words) + data[at:]
            case 1:
                data = data[:at] + chance.choice(words) + data[end:]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:at] + data[at:end] * chance.choice((2, 3, 30)) + data[end:]
            case 4:
                data = data[:at] + chance.choice(ODD) + data[end:]
            case 5:
                other = chance.choice(others)
                begin = chance.randint(0, len(other))
                data = data[:at] + other[begin : begin + chance.choice((3, 30, 300))] + data[end:]
            case 6:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    return data


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """What a reader is given."""
    words = [*target.words, *ODD]
    seeds = list(target.seeds())
    made = st.lists(st.sampled_from(words), max_size=25).map(b"".join)
    real = st.builds(
        changed, st.randoms(use_true_random=False), st.sampled_from(seeds), st.just(words), st.just(seeds)
    )
    return st.one_of(real, made, real, st.binary(max_size=300)).map(lambda data: data[: target.largest])

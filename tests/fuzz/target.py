"""What is fuzzed: one reader of strangers' text, as the fuzzers see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.judge.verdicts import FAULT
from grader.model.result import Result

Shape = tuple[bytes, bytes, bytes]
"""What stands before, what is repeated, what stands behind."""

LONGEST_COMPLAINT = 8_000
"""Characters of what is said of an input, all its faults together."""


@dataclass(frozen=True)
class Target:
    """A reader.

    ``read`` gives it the octets, and looks at what it made of them as the program does. ``seeds`` are real examples,
    ``words`` what means something to it. It may raise ``refuses``, each with a sentence for people. ``shapes`` are
    inputs of which only a middle part grows, beside those that the words make; ``frame`` is what stands around those.
    ``more_shapes`` are for ``make fuzz`` alone.
    ``largest`` is how many octets it may be given, where it takes no more or takes long.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    words: tuple[bytes, ...]
    refuses: tuple[type[Exception], ...] = ()
    shapes: tuple[Shape, ...] = ()
    more_shapes: tuple[Shape, ...] = ()
    frame: tuple[bytes, bytes] = (b"", b"")
    largest: int = 32_768
    weight: float = field(default=1.0)
    """How many examples it gets in the suite, compared with the others."""

    def survives(self, data: bytes) -> None:
        """Read the octets. Raises whatever the reader must not raise, and where it refuses without a sentence."""
        try:
            self.read(data)
        except self.refuses as refused:
            said(refused)


def sound(result: Result) -> Result:
    """Hold that no check's judging raised what it should not."""
    faults = [check.observed for check in result.checks if check.observed.startswith(FAULT)]
    assert faults == []
    return result


def said(refused: Exception) -> None:
    """Hold that an error says in a word or two what is wrong, and does not repeat all that it was given."""
    assert 0 < len(str(refused).strip()) < LONGEST_COMPLAINT, f"{refused!r:.200}"

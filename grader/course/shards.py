"""A class graded in shares on several machines, none of which hears of the others.

Each machine is given the whole class, and takes the share that is drawn from its students' names. ``shard.json`` beside
its results says which share of which class they are, and who the whole class is; ``merging`` reads that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from grader import outputs
from grader.course.intake.handin import HandIn
from grader.course.intake.names import SHARD
from grader.course.results_folder import damaged, kept, read_document
from grader.model.errors import UsageError

SCHEMA = "smtplab/shard/1"
MOST = 10_000
"""Into how many shards a class can be cut."""


class Shard(Struct, frozen=True):
    """The share ``number`` of a class that is cut into ``total``; numbers begin with 1."""

    number: Annotated[int, Meta(ge=1, le=MOST)]
    total: Annotated[int, Meta(ge=1, le=MOST)]

    def __str__(self) -> str:
        return f"shard {self.number} of {self.total}"

    def of(self, hand_ins: Sequence[HandIn]) -> list[HandIn]:
        """The hand-ins of this share, in their order."""
        return [hand_in for hand_in in hand_ins if drawn(hand_in, self.total) == self.number]


class Member(Struct, frozen=True, array_like=True):
    """A student of the whole class, the folder of the student's results, and the number of the shard that has it."""

    student: str
    folder: str
    shard: int


class ShardFile(Struct, frozen=True, kw_only=True):
    """The document ``shard.json``.

    ``graded_with`` has a digest of each thing that must be the same for all shards, by its name. ``members`` are the
    whole class in the order of their names, with those of earlier runs into the same folder. ``finished`` is false
    while the shard is graded, and stays so where that is interrupted.
    """

    schema: str = SCHEMA
    shard: Shard
    finished: bool
    graded_with: dict[str, str]
    members: list[Member]


def parsed(text: str) -> Shard:
    """The shard ``K/N``. Raises ``UsageError``."""
    number, _, total = text.partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (number, total)):
        raise UsageError(f"a shard is a number of how many, as in 1/4, not {text[:40]!r}")
    if not 1 <= int(total) <= MOST:
        raise UsageError(f"a class is cut into 1 to {MOST:,} shards, not {int(total):,}")
    if not 1 <= int(number) <= int(total):
        raise UsageError(
            f"of {int(total):,} shards the first is 1/{int(total)} and the last {int(total)}/{int(total)}: "
            f"there is no {text[:40]!r}; where a platform counts from 0, add 1"
        )
    return Shard(int(number), int(total))


def drawn(hand_in: HandIn, total: int) -> int:
    """The number of the shard that a hand-in falls into: the same on every machine, whoever else is in the class.

    A group's is drawn from that member's name which comes first, in whatever order the group is listed.
    """
    name = min(hand_in.students).encode("utf-8", "surrogateescape")
    return int.from_bytes(sha256(name).digest()) % total + 1


def members(hand_ins: Sequence[HandIn], total: int, before: Iterable[Member] = ()) -> list[Member]:
    """The whole class, in the order of their names: with those of an earlier run, whose results lie there still."""
    found = {member.student: member for member in before}
    for hand_in in hand_ins:
        for student in hand_in.students:
            found[student] = Member(student, hand_in.folder_of(student), drawn(hand_in, total))
    return sorted(found.values(), key=lambda member: member.student)


def refuse_other_share(out: Path, shard: Shard | None) -> None:
    """Raises ``UsageError`` where ``out`` holds another share of a class than the one to be graded into it.

    ``None`` stands for the whole class. Where shares lay mixed, nobody could say what is missing.
    """
    there = read_shard(out).shard if (out / SHARD).is_file() else None
    if there is not None and there != shard:
        raise UsageError(f"{str(out)!r} holds {there}: name another folder with --out")
    if there is None and shard is not None and kept(out):
        raise UsageError(f"{str(out)!r} holds results that are no shard: name another folder with --out")


def write_shard(
    out: Path, shard: Shard, hand_ins: Sequence[HandIn], graded_with: Mapping[str, str], *, finished: bool
) -> None:
    """Say which share of which class ``out`` holds: its own class, and whom an earlier run has graded into it.

    Raises ``OutputError``.
    """
    before = read_shard(out).members if (out / SHARD).is_file() else ()
    document = ShardFile(
        shard=shard,
        finished=finished,
        graded_with=dict(graded_with),
        members=members(hand_ins, shard.total, before),
    )
    outputs.write(out / SHARD, msgspec.json.encode(document) + b"\n")


def read_shard(folder: Path) -> ShardFile:
    """What a folder says of the share that it holds. Raises ``UsageError`` where it holds none, ``OutputError``."""
    path = folder / SHARD
    if not path.exists():
        raise UsageError(
            f"{str(folder)!r} is no shard of a class, for it holds no {SHARD}: name folders that "
            "'smtplab grade --shard' wrote"
        )
    remedy = "remove its folder, and grade that shard again"
    found = read_document(path, ShardFile, remedy)
    if found.shard.number > found.shard.total:
        raise damaged(path, f"there is no {found.shard}", remedy)
    if found.schema != SCHEMA:
        raise UsageError(f"{str(path)!r} is of another version of smtplab: merge with the one that graded it")
    return found

"""``make fuzz``: fuzzes as long as it is told to, each reader in a process of its own.

What falls out is printed, and its input kept in a folder: half of the time is for inputs of any kind, half for inputs
that grow. With ``--coverage`` atheris chooses the inputs, led by the lines of the grader that they reach; that takes
``pip install atheris``, which is built for Linux alone.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from tests.fuzz.target import Shape, Target

ONE_INPUT_SECONDS = 20
MEMORY = 3 << 30
SIZE = 32_768
MOST_FINDINGS = 8
"""Of a reader, before the next one has its turn."""


class TooLong(Exception):
    """One input took longer than any may."""


def main() -> int:
    """Fuzz, and say what was found; 1 where something was."""
    given = _arguments()
    if given.one:
        return _coverage(given) if given.coverage else _alone(given)
    from tests.fuzz.targets import TARGETS

    names = [target.name for target in TARGETS if given.target in ("", target.name)]
    if not names:
        known = ", ".join(target.name for target in TARGETS)
        raise SystemExit(f"there is no reader {given.target!r}: choose one of {known}")
    seconds = max(1.0, given.seconds / len(names))
    ended = {}
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz", "--one", name, "--seconds", str(seconds)]
        command += [
            "--seed",
            given.seed,
            "--keep",
            str(given.keep),
            *(["--coverage"] if given.coverage else []),
        ]
        ended[name] = subprocess.run(command, check=False).returncode
    bad = [name for name, code in ended.items() if code]
    print(f"{len(names)} readers, {len(bad)} with findings{': ' if bad else ''}{', '.join(bad)}")
    return 1 if bad else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzz the readers of strangers' text.")
    parser.add_argument("--seconds", type=float, default=300, help="how long, all readers together")
    parser.add_argument("--target", default="", help="one reader alone")
    parser.add_argument("--seed", default=str(time.time_ns()), help="for the same inputs again")
    parser.add_argument(
        "--keep", type=Path, default=Path(".fuzz"), help="where inputs are kept that found something"
    )
    parser.add_argument("--coverage", action="store_true", help="have atheris choose the inputs")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _limited() -> None:
    """No input may take the machine along: memory is bounded, and a crash of the interpreter says where it was."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _ring)


def _ring(number: int, frame: FrameType | None) -> None:
    raise TooLong(f"one input took longer than {ONE_INPUT_SECONDS} seconds")


def _target(name: str) -> Target:
    from tests.fuzz.targets import TARGETS

    return next(target for target in TARGETS if target.name == name)


def _alone(given: argparse.Namespace) -> int:
    """Fuzz one reader in this process."""
    _limited()
    target, chance = _target(given.one), Random(f"{given.seed} {given.one}")
    found: dict[str, bytes] = {}
    count = 0
    end = time.monotonic() + given.seconds / 2
    for data in _inputs(target, chance):
        if time.monotonic() > end or len(found) >= MOST_FINDINGS:
            break
        count += 1
        if said := _tried(target, data):
            found.setdefault(said, data)
    steeper = _steeper(target, chance, time.monotonic() + given.seconds / 2)
    print(
        f"{target.name}: {count} inputs, {steeper.tried} shapes, {len(found) + len(steeper.found)} findings",
        flush=True,
    )
    for number, (said, data) in enumerate(found.items()):
        given.keep.mkdir(exist_ok=True)
        path = given.keep / f"{target.name.replace(' ', '-')}-{number}.bin"
        path.write_bytes(data)
        print(f"  {path}: {said}\n    {data[:300]!r}", flush=True)
    for said in steeper.found:
        print(f"  {said}", flush=True)
    return 1 if found or steeper.found else 0


def _tried(target: Target, data: bytes) -> str:
    """What a reader does of an input that it must not do; empty where nothing."""
    signal.alarm(ONE_INPUT_SECONDS)
    try:
        target.survives(data)
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "/grader/" in frame.filename]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "the target"
        return f"{type(error).__name__} in {place}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return ""


def _inputs(target: Target, chance: Random) -> Iterator[bytes]:
    from tests.fuzz.inputs import ODD, changed

    words, seeds = [*target.words, *ODD], list(target.seeds())
    while True:
        match chance.randrange(4):
            case 0:
                data = b"".join(chance.choice(words) for _ in range(chance.randint(0, 40)))
            case 1:
                data = chance.randbytes(chance.randint(0, 200))
            case _:
                data = changed(chance, chance.choice(seeds), words, seeds)
        yield data[: target.largest]


class _Steep:
    """Shapes that were tried, and what was said of those that grow too steeply."""

    def __init__(self) -> None:
        self.tried = 0
        self.found: dict[str, None] = {}


def _steeper(target: Target, chance: Random, end: float) -> _Steep:
    from tests.fuzz.growth import shapes, steep

    made = _Steep()
    known = [*shapes(target), *target.more_shapes]
    size = min(SIZE, target.largest)
    while time.monotonic() < end and len(made.found) < MOST_FINDINGS:
        shape = known.pop(0) if known else _shape(target, chance)
        made.tried += 1
        signal.alarm(ONE_INPUT_SECONDS * 6)
        try:
            said = steep(target, shape, size)
        except Exception as error:
            said = f"{target.name}: {shape!r}: {type(error).__name__}: {str(error)[:150]}"
        finally:
            signal.alarm(0)
        if said:
            made.found[said] = None
    return made


def _shape(target: Target, chance: Random) -> Shape:
    """A beginning, something that is repeated, and an end, of words and pieces of examples."""
    seed = chance.choice(list(target.seeds()))
    at = chance.randint(0, min(len(seed), 2_000))
    begin = chance.choice((b"", target.frame[0], seed[:at], chance.choice(target.words)))
    piece = b"".join(chance.choice(target.words) for _ in range(chance.randint(1, 3)))
    return begin, piece, chance.choice((b"", target.frame[1], seed[at:][:2_000], chance.choice(target.words)))


def _coverage(given: argparse.Namespace) -> int:
    """Fuzz one reader with inputs that atheris finds."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with atheris.instrument_imports(include=["grader"]):
        target = _target(given.one)
    folder = given.keep / f"{target.name.replace(' ', '-')}-corpus"
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={int(given.seconds)}",
        f"-max_len={target.largest}",
        f"-artifact_prefix={given.keep}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], target.survives)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.oracle LAB [--n N] [--seed SEED] [--only SEED/NUMBER]``; see the package's docstring."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from grader import labs
from grader.engines import select
from grader.model.errors import EngineError, SmtplabError
from tests.oracle import mail, zones
from tests.oracle.dialogues import hunt as dialogues
from tests.oracle.faults import Disagreement
from tests.oracle.programs import hunt as programs
from tests.oracle.signatures import hunt as signatures

MUTANTS = {
    "open-relay": mail.mutant,
    "spf-dmarc": zones.mutant,
    "dkim": signatures.mutant,
    "authenticated-message": programs.mutant,
}
HUNTS = {"open-relay": mail.hunt, "dkim": signatures.hunt, "authenticated-message": programs.hunt}
"""Those that take an engine."""


def main() -> int:
    """Hunt, print, and return the exit status: 1 if there was a disagreement."""
    parser = argparse.ArgumentParser(prog="make oracle", description=__doc__)
    parser.add_argument("lab", nargs="?", default="open-relay", choices=sorted([*MUTANTS, "simulator"]))
    parser.add_argument("--n", type=int, default=20, help="so many mutants (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (default %(default)s)")
    parser.add_argument("--seed", default="oracle", help="draws the mutants (default %(default)s)")
    parser.add_argument("--only", metavar="SEED/NUMBER", help="one mutant again, with its files")
    parser.add_argument("--engine", default="auto", help="local or docker (default: what runs here)")
    parser.add_argument("--quiet", action="store_true", help="print disagreements alone")
    options = parser.parse_args()
    if options.lab == "simulator":
        return dialogues.main(options)
    wrong = 0
    if options.only:
        seed, _, number = options.only.rpartition("/")
        work = [(seed, int(number))]
        _show_files(options.lab, seed, int(number))
    else:
        work = [(options.seed, options.first + number) for number in range(options.n)]
    for seed, number in work:
        wrong += _one(options, seed, number)
    print(f"{len(work)} mutants, {wrong} of them with a disagreement")
    return 1 if wrong else 0


def _show_files(lab: str, seed: str, number: int) -> None:
    submission, _, _ = MUTANTS[lab](labs.find(lab), seed, number)
    for name, data in sorted(submission.files.items()):
        print(f"--- {name}\n{data.decode('utf-8', 'replace')}")


def _one(options: argparse.Namespace, seed: str, number: int) -> int:
    """Try one mutant; once more where the engine failed, as it may on a machine that is busy with other work."""
    for last in (False, True):
        try:
            return _told(options, seed, number)
        except EngineError as error:
            if last:
                print(f"{seed}/{number}\n  ERROR: {error}", flush=True)
    return 1


def _told(options: argparse.Namespace, seed: str, number: int) -> int:
    lines: list[str] = []
    wrong = 0
    try:
        for told in _hunt(options, seed, number):
            if isinstance(told, Disagreement):
                wrong = 1
                lines.append(f"  WRONG {told.wrong.upper()}: {told.what}")
            else:
                lines.append(f"  {told}")
    except EngineError:
        raise
    except SmtplabError as error:
        wrong = 1
        lines.append(f"  ERROR: {error}")
    if wrong or not options.quiet:
        print(f"{seed}/{number}", *lines, sep="\n", flush=True)
        if wrong:
            print(f"  again: make oracle LAB={options.lab} ARGS='--only {seed}/{number}'", flush=True)
    return wrong


def _hunt(options: argparse.Namespace, seed: str, number: int) -> Iterator[str | Disagreement]:
    folder = labs.find(options.lab)
    if options.lab == "spf-dmarc":
        return zones.hunt(folder, seed, number)
    return HUNTS[options.lab](folder, seed, number, select(options.engine))


if __name__ == "__main__":
    sys.exit(main())

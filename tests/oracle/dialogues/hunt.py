"""Plays drawn dialogues to both and tells every reply that differs (``make oracle LAB=simulator``)."""

from __future__ import annotations

import argparse

from grader.engines import select
from grader.lesson.simulator.real import real_server
from grader.lesson.simulator.table import table
from tests.lesson.simulator.comparing import Comparison
from tests.lesson.simulator.grammar import dialogue
from tests.lesson.simulator.scripts import SWITCHES


def main(options: argparse.Namespace) -> int:
    """Hunt, print, and return the exit status: 1 if there was a difference. One server plays all dialogues."""
    if options.only:
        seed, _, number = options.only.rpartition("/")
        work = [(seed, int(number))]
    else:
        work = [(options.seed, options.first + number) for number in range(options.n)]
    with real_server(table().server, select(options.engine), SWITCHES, progress=lambda step: None) as real:
        comparison = Comparison(table(), real)
        for seed, number in work:
            script = dialogue(seed, number)
            if options.only:
                print(script)
            comparison.play(script)
    found = [*comparison.codes, *comparison.texts]
    for difference in found:
        seed_number = difference.script.title.partition(" ")[2]
        print(f"{difference}\n  again: make oracle LAB=simulator ARGS='--only {seed_number}'", flush=True)
    print(f"{len(work)} dialogues, {comparison.lines} lines, {len(found)} differences")
    return 1 if found else 0

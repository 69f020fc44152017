"""``smtplab simulate``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.lesson.simulator.peers import SimulatedPeer
    from grader.lesson.simulator.transcript import Scene


class _WithSwitches(click.Command):
    """Has a flag for every switch of the table, which is read when the command is used and not before."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from grader.lesson.simulator.table import table

        own = super().get_params(ctx)
        switches = [
            click.Option([f"--{switch.id}"], is_flag=True, help=f"{switch.title}.")
            for switch in table().server.switches
        ]
        return [*own[:3], *switches, *own[3:]]


@click.command(cls=_WithSwitches)
@click.option("--port", default="25", show_default=True, help="25, 587 or 465.")
@click.option(
    "--from", "client", default="stranger", show_default=True, help="Who connects: stranger or office."
)
@click.option("--play", metavar="FILE", help="Play a transcript, or a file of commands, first.")
@click.option(
    "--export", metavar="FILE", help="Write the session's transcript at the end; - is standard output."
)
@click.option(
    "--explain/--no-explain", default=None, help="Say why each reply comes; without it, on a terminal alone."
)
@click.option("--real", is_flag=True, help="Talk to a real Postfix in the lab's network instead.")
@options.engine
@options.debug
def simulate(
    port: str,
    client: str,
    play: str | None,
    export: str | None,
    explain: bool | None,
    real: bool,
    engine: str,
    **switches: Any,
) -> int:
    """Talk to a mail server, line by line, and see what it says and why.

    With lines from a pipe it writes a transcript, which --play and the lesson's page play again.
    """
    from grader.cli.files import refuse_impossible
    from grader.lesson.simulator import transcript
    from grader.lesson.simulator.table import table
    from grader.lesson.simulator.terminal import Terminal, listener_of

    refuse_impossible({"--export": export})
    rules = table()
    on = tuple(switch.id for switch in rules.server.switches if switches[switch.id.replace("-", "_")])
    scene = transcript.Scene(listener_of(rules, port), client, on)
    transcript.check_scene(scene, rules.server, "--from")
    typed = sys.stdin.isatty() and sys.stdout.isatty()
    with _peers(real, engine) as connect:
        terminal = Terminal(
            rules, scene, connect, explain=typed if explain is None else explain, plain=not typed
        )
        try:
            _converse(terminal, play, typed=typed)
        finally:
            terminal.stop()
        if export:
            terminal.export(export)
    return 0


def _converse(terminal: Any, play: str | None, *, typed: bool) -> None:
    from grader.lesson.simulator import prompt

    if play:
        terminal.play(play)
    else:
        terminal.start()
    if typed:
        prompt.converse(terminal)
    elif not play:
        prompt.read_lines(terminal)


@contextmanager
def _peers(real: bool, engine: str) -> Iterator[Callable[[Scene], SimulatedPeer]]:
    """Makes peers. The real server is started when it is first needed, and anew for other switches."""
    from grader.lesson.simulator.peers import Real, Simulated
    from grader.lesson.simulator.table import table

    if not real:
        yield lambda scene: Simulated(table(), scene)
        return
    from grader.cli.engine import usable
    from grader.cli.progress import Steps, build_image
    from grader.lesson.simulator.real import SwitchedServer

    chosen = usable(engine)
    build_image(chosen)
    steps = Steps()
    with SwitchedServer(table().server, chosen, steps) as switched:

        def connect(scene: Scene) -> SimulatedPeer:
            server = switched.with_switches(frozenset(scene.switches))
            steps.clear()
            return Real(table(), scene, server)

        yield connect

"""What ``smtplab check`` shows before any lab was started: two of the labs' own submissions, graded for real."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.engine import usable
from grader.cli.progress import Steps, build_image
from grader.cli.typed import command
from grader.model.errors import UsageError

LAB = "open-relay"
FAULT = "trusts-everybody"


def show_example(engine_name: str) -> int:
    """Grade the lab's solution and one of its known faults, show both, and say how to begin."""
    from grader import labs, pipeline
    from grader.outputs import terminal
    from grader.verify import trials

    folder = labs.find(LAB)
    if not (folder / "solution").is_dir():
        raise UsageError(
            f"no lab is under way here, and this smtplab has no worked example to show: {_begin()}"
        )
    lab = labs.load(folder)
    variant = labs.draw_variant(lab)
    engine = usable(engine_name)
    steps = Steps()
    build_image(engine)
    click.echo(f"No lab is under way here. Two submissions to the lab {LAB!r} show how a report reads.\n")
    found = {trial.name: trial for trial in trials(folder)}
    shown = (
        (
            f"wrong/{FAULT}",
            "First one with a mistake: what was expected, what happened, why it matters, what to do.",
        ),
        ("solution", "Now a correct one."),
    )
    for name, remark in shown:
        trial = found[name]
        handed_in = labs.render_submission(trial.folder, variant, base=trial.base, removes=trial.removes)
        run = pipeline.grade(lab, handed_in, engine=engine, variant=variant, progress=steps)
        steps.clear()
        click.secho(f"── {remark}\n", bold=True)
        terminal.show(run.result, run.evidence)
        click.echo()
    click.echo(f"Begin with:  {_begin()}")
    return 0


def _begin() -> str:
    """The command in the form that fits how this one was called."""
    typed = command("start", LAB)
    return f"make start LAB={LAB}    (or: {typed})" if Path("Makefile").is_file() else typed

"""``smtplab check``: the student's command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import click
from msgspec import Struct, field
from msgspec.structs import replace

from grader.cli import options
from grader.cli.complete import CODE, LAB
from grader.cli.progress import Steps, build_image
from grader.cli.standby import Standby
from grader.cli.typed import command, program
from grader.cli.work import Work, find_work, work_on
from grader.model.errors import GraderError, SubmissionError
from grader.model.hints import lower
from grader.outputs import FORMATS, write

OF_COURSE = "of-course.json"
"""In a lab that 'smtplab export' wrote, what its course says of it."""

if TYPE_CHECKING:
    from grader.cli.lastrun import LastRun
    from grader.engines.base import Engine
    from grader.model.course import CourseLab
    from grader.model.evidence import AnyEvidence
    from grader.model.lab import Lab
    from grader.model.result import Result
    from grader.model.variant import Variant


class Request(Struct, frozen=True):
    """What was asked for on the command line, beside the lab and the folder."""

    only: frozenset[str]
    files: dict[str, str]
    verbose: bool
    more: bool
    hints: str
    engine: str
    student: str | None
    key: str | None
    exit_zero: bool
    again: str | None = field(default_factory=lambda: command(*sys.argv[1:]))


def _files(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command an option for every format that there is of one result; help shows those that most people want."""
    for kind in reversed([kind for kind in FORMATS.values() if kind.one]):
        said = f"Write {kind.about} ('-' is standard output)."
        option = click.option(
            f"--{kind.name}", metavar="FILE", type=click.Path(), help=said, hidden=not kind.usual
        )
        command = option(command)
    return command


@click.command(
    epilog="A file for a course platform is written the same way (--gradescope FILE): see 'smtplab formats'."
)
@click.argument("lab", required=False, type=LAB)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path())
@click.option("--watch", is_flag=True, help="Grade again whenever a file is saved, until Ctrl-C.")
@click.option("--only", metavar="CODE", multiple=True, type=CODE, help="Only this check; may be given again.")
@_files
@click.option("-v", "--verbose", is_flag=True, help="Show all failures in full, and what happened.")
@click.option(
    "--more",
    is_flag=True,
    help="Show all the help with what is to be fixed first, a worked example included.",
)
@click.option(
    "--student", metavar="ID", help="Whose variant of the lab; known already after 'smtplab start'."
)
@options.hints
@options.engine
@options.seed
@options.exit_zero
@options.debug
def check(
    lab: str | None,
    folder: str | None,
    watch: bool,
    only: tuple[str, ...],
    verbose: bool,
    more: bool,
    hints: str,
    engine: str,
    student: str | None,
    key: str | None,
    exit_zero: bool,
    **files: str | None,
) -> int:
    """Grade your work on LAB, which lies in work/LAB or in DIR.

    Without LAB it is the one that you started. Before you start any, it grades a worked example, to show how a report
    reads.
    """
    from grader.cli.files import refuse_impossible

    # click makes an identifier of an option's name.
    named = {name.replace("_", "-"): target for name, target in files.items()}
    refuse_impossible({f"--{name}": target for name, target in named.items()})
    wanted = {name: target for name, target in named.items() if target is not None}
    request = Request(frozenset(only), wanted, verbose, more, hints, engine, student, key, exit_zero)
    work = find_work(lab, folder)
    if work is None:
        from grader.cli.example import show_example

        return show_example(request.engine)
    with Standby(engine) as standby:
        if not watch:
            return _check(work, request, standby)
        from grader.cli.watch import watching

        by_itself = replace(request, again=None)
        return watching(work.folder, wanted.values(), lambda: _check(work, by_itself, standby), standby)


def _check(work: Work, request: Request, standby: Standby) -> int:
    """Grade once, write and show what was asked for; the exit code."""
    from grader import kinds, labs

    declared = labs.load(work.lab)
    said = _of_its_course(work)
    if said is not None and said.hints is not None:
        request = replace(request, hints=lower(request.hints, said.hints))
    only = checks_named(declared, request.only)
    variant, student = _variant(declared, work, request)
    try:
        own = labs.own_submission(declared, work.folder, variant)
    except SubmissionError as error:
        _write_ungraded(declared, said, variant, student, request, error)
        raise
    try:
        handed_in = own[0] if own else labs.read_submission(declared, work.folder, variant.names)
    except SubmissionError:
        if request.files:
            told = _told_in_documents(declared, work, variant)
            _write_ungraded(declared, said, variant, student, request, told)
        raise
    with ExitStack() as ready:
        try:
            engine = standby.engine(declared)
            if engine is not None:
                ready.enter_context(engine.prepared(kinds.ahead(declared, variant), soon=True))
            with _steps(engine) as steps:
                # The machines are being made ready meanwhile.
                from grader import pipeline
                from grader.model.result import with_note
                from grader.outputs.editions import for_student, hides

                run = pipeline.grade(
                    declared, handed_in, engine=engine, student=student, variant=variant, only=only,
                    hints=request.hints, progress=steps, overlap=lambda: _get_ready(declared, request),
                )  # fmt: skip
        except GraderError as error:
            _write_ungraded(declared, said, variant, student, request, error)
            raise
        standby.like = run.plan
        result = _as_its_course_says(with_note(run.result, own[1]) if own else run.result, said)
        # The machines are being taken down meanwhile.
        _write(result, run.evidence, request)
        # What happened tells of every check: it is shown whole or not at all.
        _show(for_student(result), None if hides(result) else run.evidence, request, work)
    return exit_code(result, exit_zero=request.exit_zero)


def _told_in_documents(lab: Lab, work: Work, variant: Variant) -> SubmissionError:
    """Why a hand-in is refused, by the names in it: where it lies on this machine is in no document."""
    from grader import labs
    from grader.labs.limits import HAND_IN

    try:
        labs.read_submission(lab, work.folder, variant.names, where=HAND_IN)
    except SubmissionError as error:
        return error
    return SubmissionError(f"{HAND_IN} was being changed while it was read: grade it again")


def _of_its_course(work: Work) -> CourseLab | None:
    """What the course says of a lab that was exported with that."""
    path = work.lab / OF_COURSE
    if not path.is_file():
        return None
    from grader.course.results_folder import read_document
    from grader.model.course import CourseLab

    return read_document(path, CourseLab, "export the lab again")


def _as_its_course_says(result: Result, said: CourseLab | None) -> Result:
    """With when students see its checks."""
    if said is None:
        return result
    from grader.course.coursefile import visibility
    from grader.model.result import of_course

    return of_course(result, visibility(said, result.checks), said.assignment)


def _get_ready(lab: Lab, request: Request) -> None:
    """Import and make what will judge and show the result, while there is nothing to do but wait."""
    from grader import kinds

    import_module("grader.judge")
    import_module("grader.cli.lastrun")
    import_module("grader.outputs.terminal")
    kinds.judge(lab.kind).prepare(lab)
    kinds.show(lab.kind)
    for name in request.files:
        FORMATS[name].make_ready()
    if request.verbose:
        # What lays out long reports takes long to load.
        import_module("grader.display.screen")


@contextmanager
def _steps(engine: Engine | None) -> Iterator[Steps]:
    steps = Steps()
    if engine is not None and not steps.live:
        # A log should hold the minutes of building an image, and nothing of a run's tenths of a second.
        build_image(engine)
    try:
        yield steps
    finally:
        steps.clear()


def _variant(lab: Lab, work: Work, request: Request) -> tuple[Variant, str | None]:
    """The variant that the work was handed out in, unless the command says otherwise."""
    from grader import labs
    from grader.model.variant import composed

    started = work.started if work.started and work.started.lab == lab.id else None
    student = composed(request.student) if request.student else started.student if started else None
    seed = started.seed if started and student == started.student else None
    return labs.draw_variant(lab, student, request.key, seed=seed), student


def checks_named(lab: Lab, codes: frozenset[str]) -> set[str] | None:
    """The checks with these codes, which may carry the lab's id; ``None`` for all.

    Raises ``UsageError`` for an unknown one, with the nearest.
    """
    from grader.model.errors import UsageError
    from grader.model.templates import nearest

    known = [check.code for check in lab.all_checks]
    found = set()
    for code in codes:
        short = code.removeprefix(f"{lab.id}/")
        if short not in known:
            raise UsageError(
                f"the lab {lab.id} has no check {code!r}{nearest('%r', short, known)}; it has {', '.join(known)}"
            )
        found.add(short)
    return found or None


def _write_ungraded(
    lab: Lab,
    said: CourseLab | None,
    variant: Variant,
    student: str | None,
    request: Request,
    error: GraderError | SubmissionError,
) -> None:
    """A platform that reads a file finds there why nothing was graded, and whose fault that is."""
    if not request.files:
        return
    from grader import pipeline
    from grader.judge import judge
    from grader.model.errors import EngineError
    from grader.model.result import refused

    evidence = pipeline.failed(
        lab, EngineError(str(error)), student=student, variant=variant.id, names=variant.names
    )
    result = judge(evidence, hints=request.hints)
    if isinstance(error, SubmissionError):
        _write(_as_its_course_says(refused(result, str(error)), said), None, request)
    else:
        _write(_as_its_course_says(result, said), evidence, request)


def _write(result: Result, evidence: AnyEvidence | None, request: Request) -> None:
    for name, target in request.files.items():
        render = FORMATS[name].one
        assert render is not None
        if evidence is not None or not FORMATS[name].of_evidence:
            write(target, render(result, evidence))


def _show(result: Result, evidence: AnyEvidence | None, request: Request, work: Work) -> None:
    """Print the report against the last one, which it replaces where the work was handed out by ``start``."""
    from grader.cli import lastrun
    from grader.outputs import changes, terminal
    from grader.outputs.files import STANDARD_OUTPUT

    html = request.files.get("html")
    remembers = work.started is not None and work.started.lab == result.lab and result.status == "graded"
    before = lastrun.read(work.folder, result.lab) if remembers else None
    last = lastrun.after(before, result)
    help_with = None
    if remembers:
        for check in lastrun.shown_in_full(result, everything=request.verbose):
            rungs = check.ladder if request.more else check.unasked
            last = lastrun.with_given(last, check, rungs)
        lastrun.keep(work.folder, last)
        help_with = _more_help(last, result, work)
    changed = changes.between(before.result if before else None, result)
    report = html if html != STANDARD_OUTPUT else None
    file = sys.stderr if STANDARD_OUTPUT in request.files.values() else sys.stdout
    terminal.show(
        result,
        evidence,
        verbose=request.verbose,
        more=request.more,
        changes=changed,
        commands=terminal.Commands(
            again=None if result.passed else request.again,
            help=help_with,
            report=report,
            program=program(),
        ),
        file=file,
    )


def _more_help(last: LastRun, result: Result, work: Work) -> str | None:
    """The command that gives the next rung of help with the first failure; ``None`` where all of it was given."""
    first = result.first_failure()
    if first is None or set(first.ladder) <= set(last.given.get(first.code, [])):
        return None
    found = work_on(result.lab)
    elsewhere = found is None or not found.exists() or not found.samefile(work.folder)
    return command("hint", first.code, *([work.folder] if elsewhere else []))


def exit_code(result: Result, *, exit_zero: bool) -> int:
    """The contract's exit code of a result: what the grader failed at is not the student's failure."""
    if result.status == "error":
        return 3
    failed = any(check.status == "fail" for check in result.checks)
    if not failed and any(check.status == "error" for check in result.checks):
        return 3
    return 0 if result.passed or exit_zero else 1

"""What was taken, and what the program told about it."""

from __future__ import annotations

from grader.kinds.program.judge.runs import CLOCKS_APART, JudgedRun, of_runs
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, broken, met, unproven
from grader.model.pointer import Pointer

NOT_FOUND_OR_NOT_RUN = (126, 127)
NO_SUCH_FILE = "No such file or directory"
BYTE_ORDER_MARK = "\ufeff"


@of_runs
def connects(run: JudgedRun) -> Finding:
    """The program can be run, and connects to the server that its environment names."""
    if run.facts.conversations:
        return met(run.case)
    first, name = run.program.first_line, run.name
    if first.endswith("\r") and first.startswith("#!"):
        why = (
            f"The lines of {name} end with CR LF, as Windows writes them: the system looks for a program named "
            f"“{first[2:].strip()}” with a carriage return behind its name. Save the file with Unix line ends (LF)."
        )
    elif first.startswith(BYTE_ORDER_MARK):
        why = f"{name} begins with a byte order mark, before its first line. Save it as UTF-8 without one."
    elif run.command.code in NOT_FOUND_OR_NOT_RUN and not first.startswith("#!"):
        why = f"The system does not know what runs {name}: its first line must be like #!/bin/sh."
    elif asked := _missing_interpreter(run):
        why = f"The first line of {name} asks for {quoted(asked)}, and there is no such program: look for a slip in it."
    else:
        why = run.how_it_ended()
    return broken(run.case, why, run.output)


def _missing_interpreter(run: JudgedRun) -> str:
    """The program that a script's first line names, where the system or env(1) found none; empty otherwise.

    execve(2) tells of the script itself that there is no such file.
    """
    asked, output = run.program.first_line.removeprefix("#!").split(), run.command.output
    if run.command.code not in NOT_FOUND_OR_NOT_RUN or not asked or NO_SUCH_FILE not in output:
        return ""
    if output.startswith(f"./{run.name}: {NO_SUCH_FILE}"):
        return asked[0]
    named = asked[-1]
    return named if asked[0].endswith("/env") and output.startswith("env: ") and named in output else ""


@of_runs
def delivers(run: JudgedRun) -> Finding:
    """The server takes a message (RFC 5321 section 4.2.5)."""
    if run.taken:
        return met(run.case)
    ended = run.how_it_ended()
    if run.server.pieces and run.alike:
        ended = (
            f"Here each reply has several lines and arrives in pieces; where it has one and comes whole, {run.name} "
            f"succeeds. {ended}"
        )
    return broken(run.case, ended, run.pointers())


@of_runs
def tells(run: JudgedRun) -> Finding:
    """The exit status is 0 if the server took the message for every recipient, and only then."""
    if run.facts.late:
        return unproven(run.case, run.how_it_ended())
    worked, claimed = run.all_taken, run.command.code == 0
    if worked and claimed and (line := _taken_too_late(run)):
        return broken(
            run.case,
            f"{run.name} ended with exit status 0 while a process of its own was still at it: the server took the "
            "message afterwards, and had it refused it, nobody would have heard.",
            [line, *run.output],
        )
    if worked == claimed:
        return met(run.case)
    if worked:
        return broken(
            run.case,
            f"The server took the message for everybody, and {run.name} ended with exit status {run.command.code}."
            f"{_refused_besides(run)}{run.printed()}",
            _where(run),
        )
    refused = sorted(run.asked - run.accepted) if run.taken else []
    what = (
        f"the server had refused {', '.join(refused)}" if refused else "the server had not taken the message"
    )
    return broken(run.case, f"{run.name} ended with exit status 0, although {what}.", _where(run))


@of_runs
def ends(run: JudgedRun) -> Finding:
    """The program ends in time, whatever the server does."""
    waited = run.sat_through()
    if not run.facts.late and waited is None:
        return met(run.case)
    seconds = run.seconds if run.facts.late else run.evidence.lab.program.seconds
    return broken(
        run.case,
        f"The server said nothing more, and {run.name}, which was to give up after {run.server.patience} s of silence, "
        f"was still waiting after {seconds:g} seconds."
        if run.server.silent
        else run.how_it_ended(),
        run.pointers(waited),
    )


def _taken_too_late(run: JudgedRun) -> Pointer | None:
    """Where the server took a message when the program had ended; ``None`` where it may have known.

    From a session's beginning to there, no more time has gone by than the program ran, whatever clock it is seen on.
    """
    for conversation, transaction in run.taken if run.facts.left else []:
        lines = run.session(conversation).lines
        went = (lines[transaction.last_line].at - lines[0].at) / 1000
        if went > run.facts.seconds + CLOCKS_APART:
            return Pointer("session", conversation.session, transaction.last_line)
    return None


def _refused_besides(run: JudgedRun) -> str:
    """What was refused though the message was taken, as a sentence with a blank before it; empty where nothing was."""
    last = next(iter([*run.refusals()][::-1]), None)
    if last is None:
        return ""
    nothing = "an empty line" if last.at > last.begun else "the connection"
    said = quoted(last.command) if last.command else nothing
    return f" What the server did refuse was {said}, with {quoted(last.reply)}."


def _where(run: JudgedRun) -> list[Pointer]:
    """The last refusal, where there was one."""
    for refusal in [*run.refusals()][::-1]:
        return [Pointer("session", refusal.session, refusal.line), *run.output]
    return run.pointers()

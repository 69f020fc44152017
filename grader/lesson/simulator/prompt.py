"""The terminal's prompt: history, completion, and the session's state in the bar at the bottom."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory

from grader.display.text import one_line
from grader.formats.handed import without_mark
from grader.lesson.simulator.page import offered
from grader.lesson.simulator.session import Status
from grader.lesson.simulator.terminal import Terminal
from grader.model.errors import SmtplabError

PROMPTS = {"command": "C: ", "message": "C: … ", "login": "C: 334 ", "chunk": "C: … "}
OWN = ("/new", "/port", "/from", "/explain", "/export", "/play", "/help", "/leave")


class Lines(Completer):
    """Completes whole lines: those that fit the session's mode, and commands of the program."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See ``Completer``."""
        typed = document.text_before_cursor
        if typed.startswith("/"):
            switches = [f"/{switch.id}" for switch in self._terminal.table.server.switches]
            known = [(line, "") for line in (*OWN, *switches)]
        else:
            known = [(one.line, one.label) for one in offered().lines(self._terminal.status().mode)]
        for line, label in known:
            if line and line.upper().startswith(typed.upper()):
                yield Completion(line, start_position=-len(typed), display_meta=label)


def converse(terminal: Terminal) -> None:
    """Ask for lines until the user leaves: by /leave, or by the end of input."""
    session: PromptSession[str] = PromptSession(
        history=InMemoryHistory(),
        completer=Lines(terminal),
        complete_while_typing=False,
        bottom_toolbar=lambda: toolbar(terminal.status()),
    )
    while not terminal.leaving:
        try:
            line = session.prompt(lambda: PROMPTS[terminal.status().mode])
        except EOFError:
            return
        _take(terminal, line)


def read_lines(terminal: Terminal) -> None:
    """Take lines from standard input until it ends, or until the server has hung up."""
    for place, raw in enumerate(sys.stdin.buffer):
        line = (raw if place else without_mark(raw)).decode("utf-8", "surrogateescape").rstrip("\r\n")
        if not terminal.status().connected and not line.startswith("/"):
            return
        terminal.take(line)
        if terminal.leaving:
            return


def _take(terminal: Terminal, line: str) -> None:
    try:
        terminal.take(line)
    except SmtplabError as error:
        print(f"smtplab: {one_line(str(error))}", file=sys.stderr)


def toolbar(status: Status) -> str:
    """The state in one line."""
    if not status.connected:
        return "closed · /new connects again, /leave ends"
    parts = [
        "greeted" if status.greeted else "not greeted",
        "encrypted" if status.tls else "in the clear",
        f"logged in as {status.user}" if status.user else "not logged in",
        f"in a transaction, {status.recipients} recipient{'s' * (status.recipients != 1)}"
        if status.transaction
        else "no transaction",
    ]
    if status.errors:
        parts.append(f"{status.errors} error{'s' * (status.errors != 1)}")
    waits = {
        "command": "",
        "message": "waits for the message, up to a line of one dot",
        "login": "waits for an answer in base64, * gives up",
        "chunk": "waits for the rest of the chunk",
    }[status.mode]
    return " · ".join(filter(None, [*parts, waits, "Tab completes, /help"]))

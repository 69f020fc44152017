"""A session as text: written by ``--export`` and the page's download, played again by ``--play`` and the page's import.

::

    # smtplab session
    # listener: smtp
    # client: stranger
    # switches: greylisting, size-limit
    S: 220 mail.example.com ESMTP Postfix
    C: EHLO client.example.org
    S: 250-mail.example.com
    …
    C: MAIL FROM:<a@third.example>
    C+: RCPT TO:<bob@example.com>
    S: 250 2.1.0 Ok
    S: 250 2.1.5 Ok
    * the server hangs up

``C:`` is a line sent by itself, ``C+:`` one sent together with the line before it, without waiting (RFC 2920). Lines
of ``#`` may be missing, in any order, or unknown; ``S:`` and ``*`` are for readers, and for telling whether the server
still says the same. A file without any ``C:`` and ``S:`` is taken for commands, one a line. Where no line of ``#``
names a setting, the session takes place where the reader is.
``simulator-transcript.js`` is the same in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from grader.lesson.simulator.server import SimulatedServer
from grader.model.errors import UsageError
from grader.model.templates import nearest

TITLE = "# smtplab session"
LARGEST = 1_000_000
"""Characters of a transcript."""
SETTING = re.compile(r"#\s*(listener|client|switches)\s*:\s*(.*?)\s*")


class Scene(Struct, frozen=True):
    """Where a session takes place: ids of listener, client and switches."""

    listener: str = "smtp"
    client: str = "stranger"
    switches: tuple[str, ...] = ()


class Turn(Struct, frozen=True):
    """Lines sent at once, and what was heard then: every line of every reply. The greeting is a turn without lines."""

    sent: list[str]
    heard: list[str]
    notes: list[str] = []


class RecordedSession(Struct, frozen=True):
    """A session that was read. ``spoken`` is whether it holds the server's lines as well."""

    scene: Scene
    turns: list[Turn]
    spoken: bool


def write(scene: Scene, turns: Iterable[Turn]) -> str:
    """The transcript of a session. A line's own line ends, if it has any, do not begin new lines."""
    lines = [TITLE, f"# listener: {scene.listener}", f"# client: {scene.client}"]
    if scene.switches:
        lines.append(f"# switches: {', '.join(scene.switches)}")
    for turn in turns:
        for place, line in enumerate(turn.sent):
            lines.append(f"{'C+' if place else 'C'}: {_flat(line)}")
        lines += [f"S: {_flat(line)}" for line in turn.heard]
        lines += [f"* {note}" for note in turn.notes]
    return "\n".join(lines) + "\n"


def _flat(line: str) -> str:
    return re.sub("[\r\n]", " ", line)


def read(
    text: str, server: SimulatedServer, where: str = "the transcript", scene: Scene | None = None
) -> RecordedSession:
    """A transcript from its text; ``scene`` is for one that names none.

    Raises ``UsageError``: which line of ``where`` is wrong, and how to fix it.
    """
    if len(text) > LARGEST:
        raise UsageError(f"{where} is longer than {LARGEST} characters, which no session is: choose another")
    lines = re.split("\r\n|\r|\n", text)
    bare = not any(re.match(r"(?:C\+?|S):", line) for line in lines)
    settings: dict[str, str] = {}
    turns: list[Turn] = []
    spoken = False
    for number, line in enumerate(lines, 1):
        said = line[3:] if line.startswith("S: ") else None
        command = re.match(r"(C\+?):(?: |$)", line)
        if line.startswith("#"):
            if found := SETTING.fullmatch(line):
                settings[found[1]] = found[2]
        elif bare and line:
            turns.append(Turn([line], []))
        elif command:
            rest = line[command.end() :]
            if command[1] == "C+" and turns and turns[-1].sent and not turns[-1].heard:
                turns[-1].sent.append(rest)
            else:
                turns.append(Turn([rest], []))
        elif said is not None or line == "S:":
            spoken = True
            if not turns:
                turns.append(Turn([], []))
            turns[-1].heard.append(said or "")
        elif line and not line.startswith("*"):
            raise UsageError(
                f"{where}:{number}: a line begins with 'C:', 'C+:', 'S:', '*' or '#', and this one with {line[:12]!r}"
            )
    if scene is None or settings:
        scene = _scene(settings, server, where)
    return RecordedSession(scene, turns, spoken)


def _scene(settings: dict[str, str], server: SimulatedServer, where: str) -> Scene:
    switches = [name.strip() for name in settings.get("switches", "").split(",") if name.strip()]
    scene = Scene(settings.get("listener", "smtp"), settings.get("client", "stranger"), tuple(switches))
    check_scene(scene, server, where)
    return scene


def check_scene(scene: Scene, server: SimulatedServer, where: str) -> None:
    """Raise ``UsageError`` where a listener, client or switch is not the server's."""
    for what, given, known in (
        ("listener", [scene.listener], server.listeners),
        ("client", [scene.client], server.clients),
        ("switch", scene.switches, server.switches),
    ):
        _check_known(what, given, [one.id for one in known], where)


def _check_known(what: str, given: Sequence[str], known: list[str], where: str) -> None:
    for name in given:
        if name not in known:
            hint = nearest("%r", name, known) or f": choose one of {', '.join(known)}"
            raise UsageError(f"{where}: there is no {what} {name[:60]!r}{hint}")

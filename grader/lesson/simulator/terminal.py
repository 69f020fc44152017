"""``smtplab simulate``: a session at a terminal, or with lines from a pipe and a transcript out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import IO

from msgspec.structs import replace
from rich.padding import Padding
from rich.text import Text

from grader.display.looks import QUIET
from grader.display.screen import Screen, words
from grader.display.text import one_line
from grader.formats.handed import without_mark
from grader.lesson.library import library
from grader.lesson.simulator import transcript
from grader.lesson.simulator.peers import Responses, SimulatedPeer
from grader.lesson.simulator.session import SimulatedReply, Status
from grader.lesson.simulator.table import Table, codes_seen
from grader.lesson.simulator.transcript import Scene, Turn
from grader.model.errors import UsageError
from grader.outputs import files

QUEUED = re.compile(r"(queued as) [0-9A-Za-z]+")

HELP = """\
Lines are sent to the server as they are. Lines that begin with a slash are for this program:
  /new              a new connection
  /port 25|587|465  another port, in a new connection
  /from CLIENT      connect as another client: {clients}
  /SWITCH           switch trouble on or off, in a new connection: {switches}
  /explain          explain replies, or stop explaining
  /export FILE      write the session so far; /play FILE plays such a file
  /leave            end this program (Ctrl-D does, too)
  //…               a line that itself begins with a slash"""


class Terminal:
    """One user's sessions, one after another.

    ``connect`` makes a peer for a scene. ``plain`` writes transcript lines alone, for pipes; otherwise what the user
    typed stands on the screen already, and replies are laid out for reading.
    """

    def __init__(
        self,
        table: Table,
        scene: Scene,
        connect: Callable[[Scene], SimulatedPeer],
        *,
        explain: bool,
        plain: bool,
        file: IO[str] | None = None,
    ) -> None:
        self.table, self.scene = table, scene
        self.explain, self.plain = explain, plain
        self.screen = Screen(file)
        self.turns: list[Turn] = []
        self.leaving = False
        self._connect = connect
        self._peer: SimulatedPeer | None = None

    # Sessions

    def start(self, scene: Scene | None = None) -> None:
        """Begin a new connection, in another scene if one is given."""
        self.stop()
        self.scene = scene or self.scene
        self.turns = []
        self._peer = self._connect(self.scene)
        if self.plain:
            for line in transcript.write(self.scene, []).splitlines():
                self._put(line)
        else:
            self.screen.show(words(_title(self.table, self.scene), QUIET))
        self._keep([], self._peer.connect())

    def stop(self) -> None:
        """Hang up, if there is a connection."""
        if self._peer is not None and self._peer.status().connected:
            self._peer.hang_up()
        self._peer = None

    def status(self) -> Status:
        """Where the session stands."""
        assert self._peer is not None
        return self._peer.status()

    def say(self, lines: list[str], *, shown: bool = True) -> None:
        """Send lines at once and show what is said to them. ``shown`` is false for what the user typed here."""
        assert self._peer is not None
        if not self.status().connected:
            raise UsageError("the connection is closed: /new opens another")
        if shown:
            self._show_client(lines)
        self._keep(lines, self._peer.say(lines))

    def take(self, line: str) -> None:
        """A line from the user: a command of this program, or one for the server. Raises ``UsageError``."""
        if line.startswith("//"):
            self.say([line[1:]], shown=self.plain)
        elif line.startswith("/"):
            self._command(line[1:])
        else:
            self.say([line], shown=self.plain)

    # Commands of the program

    def _command(self, text: str) -> None:
        name, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        switches = [switch.id for switch in self.table.server.switches]
        if name in switches:
            self._toggle(name)
        elif name == "new":
            self.start()
        elif name == "port":
            self.start(replace(self.scene, listener=listener_of(self.table, rest)))
        elif name == "from":
            self.start(self._checked(replace(self.scene, client=rest)))
        elif name == "explain":
            self.explain = not self.explain
        elif name == "export":
            self.export(rest)
        elif name == "play":
            self.play(rest)
        elif name in ("leave", "quit", "exit"):
            self.leaving = True
        else:
            clients = ", ".join(client.id for client in self.table.server.clients)
            if name != "help":
                raise UsageError(f"there is no command /{name}: /help lists them")
            self._remark(HELP.format(clients=clients, switches=", ".join(switches)))

    def _toggle(self, switch: str) -> None:
        on = [one for one in self.scene.switches if one != switch]
        if switch not in self.scene.switches:
            on.append(switch)
        self._remark(f"{switch} is {'on' if switch in on else 'off'} now, in a new connection")
        self.start(replace(self.scene, switches=tuple(on)))

    def _checked(self, scene: Scene) -> Scene:
        transcript.check_scene(scene, self.table.server, "/from")
        return scene

    def export(self, target: str) -> None:
        """Write the session so far into a file, ``-`` for standard output. Raises ``OutputError``, ``UsageError``."""
        if not target:
            raise UsageError("/export needs the name of a file")
        files.write(target, transcript.write(self.scene, self.turns).encode("utf-8", "backslashreplace"))

    def play(self, source: str) -> None:
        """Play a transcript in a new connection, and say whether the server still says the same.

        Raises ``UsageError`` where there is none, or where it makes no sense.
        """
        if not source:
            raise UsageError("/play needs the name of a file")
        try:
            text = without_mark(Path(source).read_bytes()).decode("utf-8", "surrogateescape")
        except OSError as error:
            raise UsageError(f"cannot read the transcript {source!r}: {error.strerror}") from error
        read = transcript.read(text, self.table.server, source, self.scene)
        # What gives the server trouble here does so in a transcript of quieter days as well.
        switches = dict.fromkeys([*read.scene.switches, *self.scene.switches])
        self.start(replace(read.scene, switches=tuple(switches)))
        for turn in read.turns:
            if turn.sent and self.status().connected:
                self.say(turn.sent)
        if read.spoken:
            self._remark(_compared(read.turns, self.turns))

    # Showing

    def _keep(self, sent: list[str], heard: Responses) -> None:
        lines = [line for reply in heard.replies for line in reply.lines]
        self.turns.append(Turn(sent, lines, heard.notes))
        for reply in heard.replies:
            self._show_reply(reply)
        for note in heard.notes:
            if self.plain:
                self._put(f"* {note}")
            else:
                self.screen.show(words(f"* {note}", QUIET, single=True))

    def _show_client(self, lines: list[str]) -> None:
        for place, line in enumerate(lines):
            mark = "C+" if place else "C"
            if self.plain:
                self._put(f"{mark}: {line}")
            else:
                self.screen.show(words(f"{mark}: {line}", "cyan", single=True))

    def _show_reply(self, reply: SimulatedReply) -> None:
        for line in reply.lines:
            if self.plain:
                self._put(f"S: {line}")
            else:
                self.screen.show(words(f"S: {line}", "green", single=True))
        if self.explain:
            self._show_why(reply)

    def _show_why(self, reply: SimulatedReply) -> None:
        entries = library().entries
        ids = dict.fromkeys([*codes_seen(reply.lines[0] if reply.lines else "", library()), *reply.see])
        titles = "; ".join(entries[id_].title for id_ in ids)
        why = reply.why or next((entries[id_].summary for id_ in ids), "")
        if self.plain:
            for text in filter(None, (why, f"See {titles}" if titles else "")):
                self._put(f"# {text}")
        elif why:
            about = Text.assemble(words(why), "  ", (f"({titles})" if titles else "", QUIET))
            self.screen.show(Padding(about, (0, 0, 0, 3)))

    def _remark(self, text: str) -> None:
        for line in text.splitlines():
            if self.plain:
                self._put(f"# {line}")
            else:
                self.screen.show(words(line))

    def _put(self, line: str) -> None:
        self.screen.file.write(one_line(line) + "\n")
        self.screen.file.flush()


def listener_of(table: Table, given: str) -> str:
    """The listener at a port, or of that name. Raises ``UsageError``."""
    for listener in table.server.listeners:
        if given in (str(listener.port), listener.id):
            return listener.id
    ports = ", ".join(str(listener.port) for listener in table.server.listeners)
    raise UsageError(f"the server does not listen at {given!r}: choose one of {ports}")


def _title(table: Table, scene: Scene) -> str:
    server = table.server
    port = next(one.port for one in server.listeners if one.id == scene.listener)
    client = next(one for one in server.clients if one.id == scene.client)
    trouble = f", {', '.join(scene.switches)}" if scene.switches else ""
    return f"{server.host} port {port}, from {client.name} [{client.address}]{trouble}"


def _compared(recorded: list[Turn], now: list[Turn]) -> str:
    before, after = _replies(recorded), _replies(now)
    if before == after:
        return "The server said what it says in the transcript."
    place = next(
        (at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
        min(len(before), len(after)),
    )
    new = after[place] if place < len(after) else "nothing"
    old = before[place] if place < len(before) else "nothing"
    return f"Reply line {place + 1} is another now: {new!r} instead of {old!r}."


def _replies(turns: list[Turn]) -> list[str]:
    """Every reply line, without the queue's names for messages, which are never the same twice."""
    return [QUEUED.sub(r"\1 …", line) for turn in turns for line in turn.heard]

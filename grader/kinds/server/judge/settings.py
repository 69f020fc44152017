"""What the student's Postfix said of its settings, and which of them holds on a port."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from grader.formats.settings import read_main, read_master
from grader.formats.typography import BYTE_ORDER_MARK
from grader.kinds.server.facts import SettingsFile
from grader.model.diagnostic import FilePlace, Span
from grader.model.latepattern import late_pattern
from grader.model.traffic import Command

SERVICES = {"25": ("smtp",), "465": ("submissions", "smtps"), "587": ("submission",)}
"""How /etc/services calls the ports of mail."""

_MAIN = late_pattern(r"^(\w+) = ?(.*)$", re.MULTILINE)
_OVERRIDE = late_pattern(r"^(\S+)/(inet|unix)/(\w+) = ?(.*)$", re.MULTILINE)
_WORD = late_pattern(r"[\s,]+")


class Setting(Struct, frozen=True):
    """A parameter's value and where it is set: ``main.cf``, or a service of master.cf; empty where it is a default.

    ``place`` is its line of the file that was handed in, if it stands there.
    """

    name: str
    value: str
    where: str = ""
    place: FilePlace | None = None

    @property
    def words(self) -> list[str]:
        """The entries of a list (postconf(5)): separated by white space or commas."""
        return [word for word in _WORD.split(self.value) if word]

    @property
    def shown(self) -> str:
        """Name and value, with the place."""
        if not self.where:
            return f"`{self.name}`"
        file, comma, below = self.where.partition(",")
        line = f", line {self.place.span.line + 1}" if self.place and self.place.span else ""
        return f"`{self.name} = {self.value}` ({file}{line}{comma}{below})"


class PostfixSettings:
    """The settings of one run, as ``postconf -nx`` and ``postconf -P`` printed them, and the files they come from."""

    def __init__(self, commands: Iterable[Command], files: Iterable[SettingsFile] = ()) -> None:
        self._files = {file.path.rpartition("/")[2]: file for file in files}
        self._asked: dict[str, FilePlace] = {}
        self._main: dict[str, str] = {}
        self._overrides: dict[str, dict[str, str]] = {}
        self._within: dict[str, dict[str, str]] = {}
        for command in commands:
            if "-nx" in command.argv:
                self._main |= dict(_MAIN.findall(command.output))
            elif command.argv[0] == "postconf" and {"-P", "-Px"} & set(command.argv):
                for service, kind, name, value in _OVERRIDE.findall(command.output):
                    found = self._overrides if kind == "inet" else self._within
                    found.setdefault(service, {})[name] = value

    def on(self, name: str, listener: str, server: str = "") -> Setting:
        """The parameter as it holds for clients of a listener; an override in master.cf comes before main.cf."""
        port = listener.partition("+")[0]
        names = (port, *SERVICES.get(port, ()))
        hosts = (f"[{server}]", "[::]") if ":" in server else (server, "0.0.0.0")  # noqa: S104 (nothing is bound)
        for service in (*(f"{host}:{known}" for host in hosts for known in names), *names):
            if name in (found := self._overrides.get(service, {})):
                where = f"master.cf, below `{service}`"
                return self._placed(Setting(name, found[name], where, self._overridden.get((service, name))))
        if name in self._main:
            return self._placed(Setting(name, self._main[name], "main.cf", self._set.get(name)))
        return Setting(name, "")

    def all_main(self) -> list[Setting]:
        """All that main.cf sets."""
        return [Setting(name, value, "main.cf", self._set.get(name)) for name, value in self._main.items()]

    def within(self, name: str) -> Setting | None:
        """The parameter of a service that no client connects to, as main.cf sets it or that service in master.cf.

        ``None`` where it is set nowhere, or to nothing.
        """
        if self._main.get(name):
            return self._placed(Setting(name, self._main[name], "main.cf", self._set.get(name)))
        found = ((service, own[name]) for service, own in self._within.items() if own.get(name))
        return next((Setting(name, value, f"master.cf, below `{service}`") for service, value in found), None)

    def place_in(self, text: str) -> FilePlace | None:
        """The line of the setting that a text shows first, of those that were asked for."""
        found = [(text.index(shown), place) for shown, place in self._asked.items() if shown in text]
        return min(found, key=lambda one: one[0])[1] if found else None

    def place_of(self, file: str, line: int) -> FilePlace | None:
        """A line, from zero, of ``main.cf`` or ``master.cf``, where the file that was handed in has so many."""
        known = self._files.get(file)
        return _at(known, line) if known is not None and 0 <= line <= known.text.count("\n") else None

    def _placed(self, setting: Setting) -> Setting:
        if setting.place is not None:
            self._asked[setting.shown] = setting.place
        return setting

    @cached_property
    def _set(self) -> dict[str, FilePlace]:
        """Where main.cf sets each parameter; of several lines the last one counts (postconf(5))."""
        file = self._files.get("main.cf")
        lines = [] if file is None else read_main(file.text.removeprefix(BYTE_ORDER_MARK))
        return {line.name: _at(file, line.line) for line in lines if file is not None}

    @cached_property
    def _overridden(self) -> dict[tuple[str, str], FilePlace]:
        """Where master.cf sets each parameter, by its service (master(5))."""
        file = self._files.get("master.cf")
        options = [] if file is None else read_master(file.text.removeprefix(BYTE_ORDER_MARK))
        return {(one.service, one.name): _at(file, one.line) for one in options if file is not None}


def _at(file: SettingsFile, line: int) -> FilePlace:
    return FilePlace(file.name, Span(line, 0, 0))

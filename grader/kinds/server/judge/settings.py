"""What the student's Postfix said of its settings, and which of them holds on a port."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from grader.model.traffic import Command

SERVICES = {"25": ("smtp",), "465": ("submissions", "smtps"), "587": ("submission",)}
"""How /etc/services calls the ports of mail."""

_MAIN = re.compile(r"^(\w+) = ?(.*)$", re.MULTILINE)
_OVERRIDE = re.compile(r"^(\S+)/inet/(\w+) = ?(.*)$", re.MULTILINE)
_WORD = re.compile(r"[\s,]+")


class Setting(Struct, frozen=True):
    """A parameter's value and where it is set: ``main.cf``, or a service of master.cf; empty where it is a default."""

    name: str
    value: str
    where: str = ""

    @property
    def words(self) -> list[str]:
        """The entries of a list (postconf(5)): separated by white space or commas."""
        return [word for word in _WORD.split(self.value) if word]

    @property
    def shown(self) -> str:
        """Name and value, with the place."""
        return f"`{self.name} = {self.value}` ({self.where})" if self.where else f"`{self.name}`"


class PostfixSettings:
    """The settings of one run, as ``postconf -nx`` and ``postconf -P`` printed them."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._main: dict[str, str] = {}
        self._overrides: dict[str, dict[str, str]] = {}
        for command in commands:
            if "-nx" in command.argv:
                self._main |= dict(_MAIN.findall(command.output))
            elif command.argv[0] == "postconf" and {"-P", "-Px"} & set(command.argv):
                for service, name, value in _OVERRIDE.findall(command.output):
                    self._overrides.setdefault(service, {})[name] = value

    def on(self, name: str, listener: str, server: str = "") -> Setting:
        """The parameter as it holds for clients of a listener; an override in master.cf comes before main.cf."""
        port = listener.partition("+")[0]
        names = (port, *SERVICES.get(port, ()))
        host = f"[{server}]" if ":" in server else server
        for service in (*(f"{host}:{known}" for known in names), *names):
            if name in (found := self._overrides.get(service, {})):
                return Setting(name, found[name], f"master.cf, below `{service}`")
        if name in self._main:
            return Setting(name, self._main[name], "main.cf")
        return Setting(name, "")

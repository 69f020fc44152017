"""Postfix's two files as data that can be changed: settings in order, and services with their overrides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SETTING = re.compile(r"([A-Za-z0-9_]+)\s*=\s*(.*)", re.DOTALL)


def logical_lines(text: str) -> list[str]:
    """Lines with their continuations joined, comments and blank lines left out (postconf(5), master(5))."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return lines


@dataclass
class Service:
    """A line of master.cf: its eight fields, and its overrides (``-o name=value``)."""

    fields: list[str]
    overrides: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    @property
    def listens(self) -> bool:
        """Whether it is an inet service of a program that speaks SMTP."""
        return self.fields[1] == "inet" and self.fields[7] in ("smtpd", "postscreen")

    def copy(self) -> Service:
        """The same, to be changed."""
        return Service(list(self.fields), dict(self.overrides), list(self.arguments))

    def text(self) -> str:
        """As master.cf has it."""
        lines = [" ".join([*self.fields, *self.arguments])]
        for name, value in self.overrides.items():
            # A value with blanks stands in braces (Postfix 3.0 and newer).
            lines.append(f"  -o {{ {name} = {value} }}" if " " in value else f"  -o {name}={value}")
        return "\n".join(lines)


def _service(line: str) -> Service:
    words = re.findall(r"\{[^}]*\}|\S+", line)
    service = Service(words[:8])
    rest = words[8:]
    while rest:
        word = rest.pop(0)
        if word == "-o" and rest:
            name, _, value = rest.pop(0).strip("{} ").partition("=")
            service.overrides[name.strip()] = value.strip()
        else:
            service.arguments.append(word)
    return service


@dataclass
class Configuration:
    """A submission of the lab open-relay: main.cf, master.cf and whatever tables it has."""

    main: list[tuple[str, str]]
    master: list[Service]
    tables: dict[str, bytes]

    @classmethod
    def read(cls, files: dict[str, bytes]) -> Configuration:
        """From files as they are handed in. Without a master.cf there are no services to change."""
        main = []
        for line in logical_lines(files["main.cf"].decode()):
            if found := _SETTING.fullmatch(line):
                main.append((found[1], found[2].strip()))
        master = [_service(line) for line in logical_lines(files.get("master.cf", b"").decode())]
        tables = {name: data for name, data in files.items() if name not in ("main.cf", "master.cf")}
        return cls(main, master, tables)

    def files(self) -> dict[str, bytes]:
        """As files to hand in."""
        main = "".join(f"{name} = {value}\n" for name, value in self.main)
        found = {"main.cf": main.encode(), **self.tables}
        if self.master:
            found["master.cf"] = "".join(f"{service.text()}\n" for service in self.master).encode()
        return found

    def value(self, name: str) -> str | None:
        """The setting that counts: the last of its name."""
        return next((value for known, value in reversed(self.main) if known == name), None)

    def set(self, name: str, value: str) -> None:
        """Change a setting, or add it."""
        for index, (known, _) in enumerate(self.main):
            if known == name:
                self.main[index] = name, value
                return
        self.main.append((name, value))

    def listeners(self) -> list[Service]:
        """Where SMTP is spoken."""
        return [service for service in self.master if service.listens]

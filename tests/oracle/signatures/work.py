"""A submission of the lab dkim as data that can be changed: Postfix's files, OpenDKIM's, and the records."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.postfix import Configuration

CONF = "opendkim/opendkim.conf"
ON_HOST = "/etc/opendkim/"
TABLES = ("refile:", "file:", "csl:")


@dataclass
class Work:
    """Postfix's configuration, the lines of opendkim.conf, and every other file by its name."""

    postfix: Configuration
    conf: list[tuple[str, str]]
    files: dict[str, bytes]

    @classmethod
    def read(cls, files: dict[str, bytes]) -> Work:
        """From files as they are handed in."""
        own = {name[8:]: data for name, data in files.items() if name.startswith("postfix/")}
        conf = []
        for line in files[CONF].decode().splitlines():
            words = line.split(None, 1)
            if words and not words[0].startswith("#"):
                conf.append((words[0], words[1].strip() if len(words) > 1 else ""))
        rest = {
            name: data for name, data in files.items() if not name.startswith("postfix/") and name != CONF
        }
        return cls(Configuration.read(own), conf, rest)

    def written(self) -> dict[str, bytes]:
        """As files to hand in."""
        conf = "".join(f"{name}\t{value}\n" for name, value in self.conf)
        postfix = {f"postfix/{name}": data for name, data in self.postfix.files().items()}
        return {**postfix, CONF: conf.encode(), **self.files}

    def value(self, name: str) -> str | None:
        """The parameter of opendkim.conf that counts: the last of its name, in any case of letters."""
        found = [value for known, value in self.conf if known.lower() == name.lower()]
        return found[-1] if found else None

    def set(self, name: str, value: str) -> None:
        """Change a parameter of opendkim.conf, or add it."""
        self.conf = [(known, old) for known, old in self.conf if known.lower() != name.lower()]
        self.conf.append((name, value))

    def table(self, parameter: str) -> str | None:
        """The file handed in that a parameter names, if it names one."""
        value = self.value(parameter) or ""
        for kind in TABLES:
            value = value.removeprefix(kind)
        name = f"opendkim/{value.removeprefix(ON_HOST)}"
        return name if name in self.files else None

    def lines(self, name: str) -> list[str]:
        """The lines of a file that say something."""
        text = self.files[name].decode("utf-8", "replace")
        return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]

    def write(self, name: str, lines: list[str]) -> None:
        """Put these lines into a file."""
        self.files[name] = "".join(f"{line}\n" for line in lines).encode()

    @property
    def records(self) -> list[str]:
        """The files of records."""
        return sorted(name for name in self.files if name.startswith("dns/"))

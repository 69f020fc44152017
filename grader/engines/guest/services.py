"""The services of the host: what is started, what is waited for, what can be killed."""

from __future__ import annotations

import os
import time
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM, socket

from . import postfix
from .files import RequestRefused, holds, read, text
from .log import Log
from .loop import Loop
from .processes import Process, Processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import ServicesStarted

AUTH_SOCKET = "/var/spool/postfix/private/auth"
OPENDKIM = "/etc/opendkim"
OPENDKIM_OF_THE_IMAGE = "/etc/opendkim.conf"
NOT_DOVECOTS = ("/etc/postfix/", "/etc/opendkim/")
"""Where there are files that Dovecot does not read, unless one of its own says so."""
MILTER_SECONDS = 5.0

# No more than blanks of one line: from each of many empty lines, "\s*" would look at all of them.
_SOCKET = r"(?im)^[ \t]*Socket[ \t]+\"?(?:(\w+):)?([^\s\"]+)"


class Services:
    """Those that were started, by name."""

    def __init__(self, loop: Loop, processes: Processes, log: Log, mta: postfix.Postfix) -> None:
        self._loop = loop
        self._processes = processes
        self._log = log
        self._mta = mta
        self._started: dict[str, Process] = {}
        self._outdated = False

    def expect(self, path: str, data: bytes, mode: int, owner: str) -> None:
        """A file is about to be written: Dovecot, where it runs already, may have read another."""
        if "dovecot" in self._started and not path.startswith(NOT_DOVECOTS):
            self._outdated = self._outdated or not holds(path, data, mode, owner)

    def start(self, services: list[str], config_dir: str, timeout: float) -> ServicesStarted:
        """Start services, and wait until those beside Postfix can be asked. Raises ``RequestRefused``."""
        end = time.monotonic() + timeout
        self._log.begin_listening(postfix.QUEUE_DIRECTORY)
        if "dovecot" in services:
            self._start_dovecot()
        milters = _milters() if "opendkim" in services else {}
        for name, settings in milters.items():
            # -l and -W: it logs, and says of each message why it does not sign it, whatever its file says of that.
            self._started[name] = self._processes.service(["opendkim", "-f", "-l", "-W", "-x", settings])
        commands = self._mta.start(config_dir, end) if "postfix" in services else []
        if "dovecot" in services:
            # A smtpd that finds no authentication service dies, and its client sees a dead server.
            self._loop.until(lambda: _accepts(AUTH_SOCKET), end - time.monotonic(), naps=0.005)
        for name, settings in milters.items():
            # Mail that comes before its milter would be judged by a server that is still starting.
            seconds = min(MILTER_SECONDS, end - time.monotonic())
            self._await_milter(self._started[name], settings, seconds)
        return {
            "commands": commands,
            "queue_directory": self._mta.queue_directory,
            "mta": postfix.version(),
            "running": [name for name, process in self._started.items() if process.code is None],
        }

    def _start_dovecot(self) -> None:
        """Start it, unless it runs since before the run, and as its files have it now."""
        if early := self._started.get("dovecot"):
            if early.code is None and not self._outdated:
                return
            self._processes.end(early)
        self._started["dovecot"] = self._processes.service(["dovecot", "-F"])

    def _await_milter(self, process: Process, settings: str, seconds: float) -> None:
        self._processes.await_(process, lambda: _milter_listens(settings), seconds)

    def halt(self, service: str) -> None:
        """Kill a service, which may have several instances. Raises ``RequestRefused`` where none was started."""
        found = [process for name, process in self._started.items() if name.split("-", 1)[0] == service]
        if not found:
            raise RequestRefused(f"no service {service} was started")
        for process in found:
            self._processes.end(process)


def _accepts(path: str) -> bool:
    try:
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
        try:
            return client.connect_ex(path) == 0
        finally:
            client.close()
    except (OSError, ValueError):  # No path at all: too long, or with a NUL.
        return False


def _milters() -> dict[str, str]:
    """What OpenDKIM is started with, by name: opendkim.conf, and each opendkim-NAME.conf beside it."""
    import re  # few labs have a milter

    try:
        names = sorted(os.listdir(OPENDKIM))
    except OSError:
        names = []
    own = {"opendkim": OPENDKIM_OF_THE_IMAGE}
    found = {
        name[:-5]: f"{OPENDKIM}/{name}"
        for name in names
        if re.match(r"opendkim(-[a-z0-9]{1,20})?\.conf\Z", name)
    }
    return {**own, **found}


def _milter_listens(settings: str) -> bool:
    """Whether OpenDKIM's socket (``Socket`` in opendkim.conf(5)) takes a connection; no where none is set."""
    import re

    try:
        found = re.findall(_SOCKET, text(read(settings)))
    except OSError:
        return False
    if not found:
        return False
    kind, place = found[-1]
    if not kind.startswith("inet"):
        return _accepts(place)
    port, _, host = place.partition("@")
    from socket import create_connection  # few labs have a milter at a port

    try:
        create_connection((host.strip("[]") or "localhost", int(port)), 0.2).close()
    except (OSError, ValueError):
        return False
    return True

"""Postfix on the host: how it is started, whether it lives, what its queue holds."""

from __future__ import annotations

import os
import time

from .files import LARGEST, RequestRefused, read, text, writable, write
from .jsontext import decoded
from .log import Log
from .mail import Mailboxes
from .processes import Process, Processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Command, MasterState, QueueCounts, Queued

VERSIONS = "/usr/share/smtplab/packages.tsv"
QUEUE_DIRECTORY = "/var/spool/postfix"
MASTER = "/usr/lib/postfix/sbin/master"
CHROOT_FILES = ("resolv.conf", "hosts", "services", "nsswitch.conf", "localtime", "host.conf")
LIST_SECONDS = 5.0
WOKEN = ("pickup", "qmgr", "oqmgr", "tlsmgr")
"""Programs that the master may wake when it starts: they look for mail, and find none."""

_DOMAINS = ("fast_flush_domains", "relay_domains", "mydestination")
"""What qmgr(8) reads when it starts: for the first, whose default is the second, whose default may be the third."""
_NAMES = ("myhostname", "mydomain", "myorigin", "mydestination")
"""Parameters that hold names and no map."""
_ALIASES = ("alias_maps", "alias_database")
_KINDS = ("hash", "btree", "lmdb", "cdb", "dbm", "sdbm")
"""Of maps that are compiled (postmap(1))."""
_LONGEST_PATH = 5000
"""More than the system allows."""
_ENDS = str.maketrans(",{}", "   ")


class Postfix:
    """The one Postfix of the host."""

    def __init__(self, processes: Processes, log: Log, mailboxes: Mailboxes) -> None:
        self._processes = processes
        self._log = log
        self._mailboxes = mailboxes
        self._master: Process | None = None
        self.queue_directory = QUEUE_DIRECTORY

    def start(self, config_dir: str, end: float) -> list[Command]:
        """Compile maps, and start the master; the commands that were run, until ``end`` (a monotonic time)."""
        # Nobody reads a map before the first client comes: the master may open its ports meanwhile.
        beside = _begins_without_maps(f"{config_dir}/main.cf") and _wakes_nobody(f"{config_dir}/master.cf")
        if beside:
            self._start_master(config_dir)
        asked = self._ask(config_dir, end)
        settings = dict(_parameters(asked[0]["output"]))
        self.queue_directory = settings.get("queue_directory") or QUEUE_DIRECTORY
        self._log.file = settings.get("maillog_file", "")
        if (base := settings.get("virtual_mailbox_base", "")).startswith("/"):
            self._mailboxes.places.append(base)
        told = asked + self._compile(config_dir, asked, end)
        if not beside:
            if self.queue_directory != QUEUE_DIRECTORY:
                told.append(self._make_queue(config_dir, end))
            self._start_master(config_dir)
        return told

    def _start_master(self, config_dir: str) -> None:
        self._fill_chroot()
        self._let_users_queue()
        self._master = self._processes.service([MASTER, "-c", config_dir, "-d"])

    def _ask(self, config_dir: str, end: float) -> list[Command]:
        # Only what differs from the defaults, whose maps the image has compiled; and overrides of master.cf.
        ask = ["postconf", "-c", config_dir]
        asked = [self._processes.spawn([*ask, "-nx"])]
        if _may_name_maps(f"{config_dir}/master.cf"):
            asked.append(self._processes.spawn([*ask, "-Px"]))
        return [self._processes.wait(process, end - time.monotonic()) for process in asked]

    def _compile(self, config_dir: str, asked: list[Command], end: float) -> list[Command]:
        """Compile the maps that the settings name and that have no compiled form yet."""
        # What postconf warns of, an entry that a later one overrides, names maps that nobody reads.
        parameters = _parameters("\n".join(command["output"] for command in asked))
        settings = "\n".join(value for _, value in parameters)
        # A service of master.cf may have aliases of its own.
        named = (value for name, value in parameters if name.rpartition("/")[2] in _ALIASES)
        aliases = maps_in("\n".join(named))
        compiled = [
            self._processes.spawn(
                ["postalias" if found in aliases else "postmap", "-c", config_dir, ":".join(found)]
            )
            for found in sorted(maps_in(settings))
            if _stale(*found)
        ]
        return [self._processes.wait(process, end - time.monotonic()) for process in compiled]

    def _make_queue(self, config_dir: str, end: float) -> Command:
        """Make the folders of a queue that the image has none of; costs 0.35 s of processor time."""
        if writable(self.queue_directory):
            try:
                os.makedirs(self.queue_directory, exist_ok=True)
            except OSError as error:
                self._log.add(f"smtplab: cannot make {self.queue_directory}: {error.strerror}")
        check = self._processes.spawn(["postfix", "-c", config_dir, "check"])
        told = self._processes.wait(check, end - time.monotonic())
        if not os.access(self.queue_directory, os.W_OK | os.X_OK):
            # What master says of it names neither the parameter nor the folder.
            self._log.add(
                f"smtplab: fatal: {config_dir}/main.cf: queue_directory = {self.queue_directory}: "
                f"no queue can be written there; a folder below /var can hold one"
            )
        return told

    def _let_users_queue(self) -> None:
        """Let users other than root hand over mail by sendmail(1).

        Elsewhere postdrop(1) gains its group by setgid; here no program gains any right by being executed.
        """
        for folder, mode in (("maildrop", 0o1733), ("public", 0o711)):
            try:
                os.chmod(f"{self.queue_directory}/{folder}", mode, follow_symlinks=False)
            except (OSError, NotImplementedError):
                continue

    def _fill_chroot(self) -> None:
        for name in CHROOT_FILES:
            try:
                with open("/etc/" + name, "rb") as file:
                    write(f"{self.queue_directory}/etc/{name}", file.read(), 0o644, "root:root")
            except OSError:
                continue
        if os.path.isdir(self.queue_directory):
            try:
                self._log.listen(self.queue_directory + "/dev/log")
            except RequestRefused as refused:
                # A folder that can be no queue: what Postfix says of it is what counts.
                self._log.add(f"smtplab: {refused}")

    def alive(self) -> MasterState:
        """Whether its master runs, and what it ended with."""
        code = self._master.code if self._master else None
        return {"master": self._master is not None and code is None, "exit": code}

    def counts(self) -> QueueCounts:
        """How many messages each queue holds."""
        # In the order in which a message moves: one that moves meanwhile is counted twice rather than never.
        return {
            "maildrop": self._count("maildrop"),
            "hold": self._count("hold"),
            "incoming": self._count("incoming"),
            "active": self._count("active"),
            "deferred": self._count("deferred"),
            "corrupt": self._count("corrupt"),
        }

    def _count(self, queue: str) -> int:
        return _count(f"{self.queue_directory}/{queue}", 3)

    def queued(self) -> list[Queued]:
        """What is queued, and why, recipient by recipient."""
        answer = self._processes.wait(self._processes.spawn(["postqueue", "-j"]), LIST_SECONDS)
        return queued_in(answer["output"])


def queued_in(output: str) -> list[Queued]:
    """What ``postqueue -j`` printed, recipient by recipient. Lines that make no sense are passed over."""
    entries: list[Queued] = []
    for line in output.splitlines():
        try:
            message = decoded(line)
            entries += [
                {
                    "queue": str(message["queue_name"]),
                    "sender": str(message["sender"]),
                    "recipient": str(recipient["address"]),
                    "reason": str(recipient.get("delay_reason", "")),
                }
                for recipient in message["recipients"]
            ]
        # Whatever the student's host has in place of showq(8) may say whatever it likes.
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return entries


def version() -> str:
    """The mail server's name and version, as the image's list of packages has it (without Debian's revision)."""
    try:
        with open(VERSIONS, "rb") as file:
            _, _, found = file.read().partition(b"\npostfix\t")
    except OSError:
        found = b""
    number = text(found.split(b"\n", 1)[0].split(b"\t", 1)[0].split(b"-", 1)[0])
    return f"Postfix {number}" if number else "Postfix"


def _parameters(output: str) -> list[tuple[str, str]]:
    """The parameters that ``postconf`` printed, each with its value; ``SERVICE/TYPE/NAME`` is one of master.cf's."""
    parted = (line.partition(" = ") for line in output.split("\n"))
    return [(name, value) for name, mark, value in parted if mark and not any(map(str.isspace, name))]


def maps_in(text: str) -> set[tuple[str, str]]:
    """The maps that a text names which have to be compiled, each a kind and the path of its source."""
    found = set()
    for kind in _KINDS:
        begin = text.find(f"{kind}:")
        while begin >= 0:
            end = begin + len(kind) + 1
            named = text[end : end + _LONGEST_PATH]
            if named.startswith("{"):
                named = named[1:].lstrip()
            path = named.translate(_ENDS).split(None, 1)[0] if named.startswith("/") else ""
            if len(path) > 1 and not _is_word(text[max(0, begin - 1) : begin]):
                found.add((kind, path))
            begin = text.find(f"{kind}:", end)
    return found


def _begins_without_maps(path: str) -> bool:
    """Whether a main.cf leaves the queue where the image has it, and qmgr(8) opens no map when it starts."""
    try:
        settings = read(path)
    except OSError:
        return False
    if b"queue_directory" in settings or len(settings) >= LARGEST:
        return False
    parted = (line.partition("=") for line in _logical_lines(text(settings)))
    return not any(name.strip() in _DOMAINS and may_open_map(value) for name, _, value in parted)


def may_open_map(domains: str) -> bool:
    """Whether a list of domains has a map in it, or what may be one."""
    others = (part[1:] if part[:1] in ("(", "{") else part for part in domains.split("$")[1:])
    return ":" in domains or not all(_first_word(part) in _NAMES for part in others)


def _first_word(text: str) -> str:
    end = next((at for at, char in enumerate(text) if not _is_word(char)), len(text))
    return text[:end]


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _wakes_nobody(path: str) -> bool:
    """Whether a master.cf has no service woken when the master starts (master(5)), but those that open no map then."""
    try:
        lines = _logical_lines(text(read(path)))
    except OSError:
        return False
    return all(
        fields[5] in ("-", "0") or fields[5].endswith("?") or fields[7] in WOKEN
        for fields in map(str.split, lines)
        if len(fields) > 7
    )


def _logical_lines(lines: str) -> list[str]:
    """The lines of a main.cf or master.cf, each with those that continue it (postconf(5), master(5))."""
    logical: list[list[str]] = []
    for line in lines.split("\n"):
        if not line or line.isspace() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and logical:
            logical[-1].append(line)
        else:
            logical.append([line])
    return ["".join(pieces) for pieces in logical]


def _may_name_maps(path: str) -> bool:
    """Whether a master.cf could name a map, itself or by a parameter, or says more of milters than main.cf does.

    Asking postconf costs a few milliseconds.
    """
    try:
        lines = text(read(path))
    except OSError:
        return True
    return "$" in lines or "milter" in lines or bool(maps_in(lines))


def _stale(kind: str, source: str) -> bool:
    """Whether a map's source is there and its compiled form is not, or is older."""
    compiled = source + {"hash": ".db", "btree": ".db", "dbm": ".pag", "sdbm": ".pag"}.get(kind, "." + kind)
    try:
        return os.stat(source).st_mtime > os.stat(compiled).st_mtime
    except FileNotFoundError:
        return os.path.isfile(source)
    except OSError:
        return False


def _count(folder: str, depth: int) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    total += 1
                elif depth and entry.is_dir(follow_symlinks=False):
                    total += _count(entry.path, depth - 1)
    except OSError:
        pass
    return total

"""The program that is pid 1 on the student's host, on every engine; only Python's standard library, from the image.

It reads requests from standard input and writes answers to standard output, one JSON object a line:
``{"op": "run", "argv": [...], ...}`` is answered by ``{"ok": true, "value": ...}`` or ``{"ok": false, "error": ...}``.

======== ============================== =====================================================================
op       arguments                      value
======== ============================== =====================================================================
install  files [{path, data (base64),   null; only below the trees of ``WRITABLE``
         mode, owner "user:group"}]
start    services, config_dir,          {commands: [{argv, code, output}], queue_directory, mta, running}; mta is
         timeout                        "Postfix" with its version, running the services that are
halt     service                        null; all processes of the service have ended
run      argv, limit, input (text)      {argv, code, output}; code is -N for signal N, -256 when time was over
alive                                   {master: bool, exit: int or null}
queue                                   {maildrop, hold, incoming, active, deferred, corrupt}: messages in each
queued                                  [{queue, sender, recipient, reason}], one recipient an entry
mail     tokens                         [{path, raw (base64), tokens}]: delivered messages that contain a token
log                                     [str]: "MS program[pid]: text", MS being milliseconds since the first op
learn    source                         null; the ops that this Python source defines can be asked for from now on
stop                                    null; every process but this one has ended
======== ============================== =====================================================================

Everything else on this host is the student's, who may be root here: see ``_become_unreadable``.
"""

from __future__ import annotations

import binascii
import errno
import grp
import json
import os
import pwd
import re
import select
import signal
import socket
import stat
import time

# Known to type checkers by this name; importing typing itself would cost the start of every host some milliseconds.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WRITABLE = (
    "/var", "/run", "/tmp", "/home", "/root", "/etc/postfix", "/etc/dovecot", "/etc/opendkim", "/etc/ssl/lab",
)  # fmt: skip
MAILBOXES = ("/var/mail", "/home", "/root", "/var/vmail", "/var/lib/dovecot", "/srv")
SKELETON = "/usr/share/smtplab/skeleton.tar"
VERSIONS = "/usr/share/smtplab/packages.tsv"
QUEUE_DIRECTORY = "/var/spool/postfix"
MASTER = "/usr/lib/postfix/sbin/master"
AUTH_SOCKET = "/var/spool/postfix/private/auth"
OPENDKIM = "/etc/opendkim"
OPENDKIM_OF_THE_IMAGE = "/etc/opendkim.conf"
CHROOT_FILES = ("resolv.conf", "hosts", "services", "nsswitch.conf", "localtime", "host.conf")
# Postfix re-reads a main.cf younger than about 1.5 s in naps of 0.3 s: an old one starts it at once.
INSTALLED = 1577836800  # 2020-01-01T00:00:00Z

LONGEST_OUTPUT = 1_000_000
LONGEST_LOG = 20_000
LARGEST_MAILBOX = 8_000_000
MOST_MAIL = 32_000_000
MOST_FILES = 5_000
TIMED_OUT = -256
MILTER_SECONDS = 5.0
HALT_SECONDS = 3.0

_MAP = re.compile(r"\b(hash|btree|lmdb|cdb|dbm|sdbm):(?:\{\s*)?(/[^\s,{}]+)")
_MILTER = re.compile(r"opendkim(-[a-z0-9]{1,20})?\.conf\Z")
_SYSLOG = re.compile(rb"^<\d+>(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8} )?")


class Refused(Exception):
    """A request that cannot be carried out, in one sentence."""


class Process:
    """A child in a session of its own, its output kept up to ``LONGEST_OUTPUT`` bytes."""

    def __init__(
        self, argv: list[str], out: int, source: int | None = None, env: dict[str, str] | None = None
    ):
        self.argv = argv
        self.code: int | None = None
        self.output = bytearray()
        self.pid = os.fork()
        if self.pid == 0:
            self._become(argv, out, source, env)

    @staticmethod
    def _become(argv: list[str], out: int, source: int | None, env: dict[str, str] | None) -> None:
        try:
            os.setsid()
            # Whoever takes too much memory is a better victim for the kernel than the agent.
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("300")
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null if source is None else source, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            for number in (signal.SIGINT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.chdir("/")
            os.execvpe(argv[0], argv, env or ENVIRONMENT)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    @property
    def facts(self) -> dict[str, Any]:
        """What the grader is told of it."""
        return {"argv": self.argv, "code": self.code, "output": _text(bytes(self.output))}


ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "TZ": "UTC"}


def _read_some(fd: int) -> bytes | None:
    """What there is to read, ``b""`` at the end, ``None`` where nothing is there now."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


class Agent:
    """Holds the host's processes, its log and what was seen of its mailboxes."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lines: list[str] = []
        self.lost = 0
        self.readers: dict[int, Callable[[int], None]] = {}
        self.poll = select.poll()
        self.processes: dict[int, Process] = {}
        self.master: Process | None = None
        self.services: dict[str, Process] = {}
        self.queue_directory = QUEUE_DIRECTORY
        self.maillog = ""
        self.roots = list(MAILBOXES)
        self.seen: dict[str, tuple[tuple[int, ...], list[bytes]]] = {}
        self.held = 0
        self.traced: Callable[[int, int], bool] | None = None

    # Waiting: everything that may say something is looked at, whatever is waited for.

    def watch(self, fd: int, reader: Callable[[int], None]) -> None:
        os.set_blocking(fd, False)
        self.readers[fd] = reader
        self.poll.register(fd, select.POLLIN)

    def unwatch(self, fd: int) -> None:
        del self.readers[fd]
        self.poll.unregister(fd)
        os.close(fd)

    def turn(self, seconds: float | None) -> None:
        """Wait for something to happen, at most so long, and take note of it."""
        for fd, _ in self.poll.poll(None if seconds is None else max(0, seconds * 1000)):
            if reader := self.readers.get(fd):
                reader(fd)
        self.reap()

    def until(self, done: Callable[[], bool], seconds: float, naps: float = 1.0) -> bool:
        """Wait until ``done``; whether it came true in time. ``naps`` bounds the time between two looks."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(left, naps))
        return True

    def reap(self) -> None:
        # Bounded, so that processes which come and go without end cannot keep the agent from its requests.
        for _ in range(1000):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self.traced and self.traced(pid, status):
                continue
            if process := self.processes.pop(pid, None):
                process.code = os.waitstatus_to_exitcode(status)

    # The log

    def note(self, text: str) -> None:
        if len(self.lines) < LONGEST_LOG:
            self.lines.append(f"{(time.monotonic() - self.began) * 1000:.0f} {text}")
        else:
            self.lost += 1

    def listen(self, path: str) -> None:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            server.bind(path)
            os.chmod(path, 0o666)
        except OSError as error:
            raise Refused(f"cannot listen on {path}: {error.strerror}") from error
        self.watch(server.detach(), self.read_syslog)

    def read_syslog(self, fd: int) -> None:
        # Bounded, so that a flood of log lines cannot keep the agent from its requests.
        for _ in range(200):
            if (datagram := _read_some(fd)) is None:
                return
            self.note(_text(_SYSLOG.sub(b"", datagram, count=1).rstrip(b"\0\n")))

    def read_stdout(self, fd: int) -> None:
        """What a service writes to its standard output, where ``maillog_file = /dev/stdout`` leads too."""
        if not (data := _read_some(fd)):
            if data is not None:
                self.unwatch(fd)
            return
        for line in data.splitlines():
            self.note(_text(re.sub(rb"^[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ ", b"", line)))

    # Processes

    def spawn(self, argv: list[str], source: int | None = None, env: dict[str, str] | None = None) -> Process:
        """Start a command whose output is kept."""
        read, write = os.pipe()
        try:
            process = Process(argv, write, source, env)
        except OSError as error:
            os.close(read)
            raise Refused(f"cannot start {argv[0]}: {error.strerror}") from error
        finally:
            os.close(write)

        def keep(fd: int) -> None:
            # All that is there, so that a command's last words are heard before its end is noticed.
            while (data := _read_some(fd)) is not None:
                if not data:
                    self.unwatch(fd)
                    return
                process.output += data[: max(0, LONGEST_OUTPUT - len(process.output))]

        self.processes[process.pid] = process
        self.watch(read, keep)
        return process

    def service(self, argv: list[str]) -> Process:
        """Start a program that stays; what it prints goes to the log."""
        read, write = os.pipe()
        try:
            process = Process(argv, write)
        except OSError as error:
            raise Refused(f"cannot start {argv[0]}: {error.strerror}") from error
        finally:
            os.close(write)
        self.processes[process.pid] = process
        self.watch(read, self.read_stdout)
        return process

    def wait(self, process: Process, seconds: float) -> dict[str, Any]:
        """Wait for a command's end; when time is over it is killed, with its session."""
        if not self.until(lambda: process.code is not None, seconds):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.until(lambda: process.code is not None, 1.0)
            process.code = TIMED_OUT
        self.turn(0)
        return process.facts

    # The ops

    def op_install(self, files: list[dict[str, Any]]) -> None:
        for file in files:
            path = file["path"]
            if not _writable(path) or not _writable(os.path.realpath(os.path.dirname(path))):
                raise Refused(
                    f"no file may be installed at {path}: choose a folder below {', '.join(WRITABLE)}"
                )
            try:
                _write(path, binascii.a2b_base64(file["data"]), file["mode"], file["owner"])
            except OSError as error:
                raise Refused(f"cannot install {path}: {error.strerror}") from error
            except KeyError as error:
                raise Refused(f"cannot install {path}: no such owner {file['owner']}") from error

    def op_start(self, services: list[str], config_dir: str, timeout: float) -> dict[str, Any]:
        end = time.monotonic() + timeout
        self.listen("/dev/log")
        if "dovecot" in services:
            self.services["dovecot"] = self.service(["dovecot", "-F"])
        if "opendkim" in services:
            for name, settings in _milters().items():
                self.services[name] = self.service(["opendkim", "-f", "-x", settings])
        commands = self._start_postfix(config_dir, end) if "postfix" in services else []
        if "dovecot" in services:
            # A smtpd that finds no authentication service dies, and its client sees a dead server.
            self.until(lambda: _accepts(AUTH_SOCKET), end - time.monotonic(), naps=0.005)
        if "opendkim" in services:
            # Mail that comes before its milter would be judged by a server that is still starting.
            for name, settings in _milters().items():
                self._await_milter(name, settings, min(MILTER_SECONDS, end - time.monotonic()))
        return {
            "commands": commands,
            "queue_directory": self.queue_directory,
            "mta": _mta(),
            "running": [name for name, process in self.services.items() if process.code is None],
        }

    def _await_milter(self, name: str, settings: str, seconds: float) -> None:
        process = self.services[name]
        self.until(lambda: process.code is not None or _milter_listens(settings), seconds, naps=0.005)

    def op_halt(self, service: str) -> None:
        found = [process for name, process in self.services.items() if name.split("-", 1)[0] == service]
        if not found:
            raise Refused(f"no service {service} was started")
        for process in found:
            self._end(process)

    def _end(self, process: Process) -> None:
        try:
            # Its whole session: with AutoRestart, OpenDKIM has a child that does the work. As in a crash; asked to
            # end, it takes some seconds.
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.until(lambda: not _group_lives(process.pid), HALT_SECONDS, naps=0.005)

    def _start_postfix(self, config_dir: str, end: float) -> list[dict[str, Any]]:
        # Only what differs from the defaults, whose maps the image has compiled; and overrides of master.cf.
        ask = ["postconf", "-c", config_dir]
        asked = [self.spawn([*ask, "-nx"])]
        if _may_name_maps(f"{config_dir}/master.cf"):
            asked.append(self.spawn([*ask, "-Px"]))
        answers = [self.wait(process, end - time.monotonic()) for process in asked]
        settings = dict(re.findall(r"^(\w+) = (.*)$", answers[0]["output"], re.M))
        self.queue_directory = settings.get("queue_directory") or QUEUE_DIRECTORY
        self.maillog = settings.get("maillog_file", "")
        if (base := settings.get("virtual_mailbox_base", "")).startswith("/"):
            self.roots.append(base)
        aliases = settings.get("alias_maps", "") + " " + settings.get("alias_database", "")
        compiled = [
            self.spawn(
                [
                    "postalias" if found in _MAP.findall(aliases) else "postmap",
                    "-c",
                    config_dir,
                    ":".join(found),
                ]
            )
            for found in sorted(set(_MAP.findall("\n".join(answer["output"] for answer in answers))))
            if _stale(*found)
        ]
        told = answers + [self.wait(process, end - time.monotonic()) for process in compiled]
        if self.queue_directory != QUEUE_DIRECTORY:
            # Makes the folders of a queue that the image has none of; costs 0.35 s of processor time, so not always.
            if _writable(self.queue_directory):
                os.makedirs(self.queue_directory, exist_ok=True)
            told.append(self.wait(self.spawn(["postfix", "-c", config_dir, "check"]), end - time.monotonic()))
        self._fill_chroot()
        self.master = self.service([MASTER, "-c", config_dir, "-d"])
        return told

    def _fill_chroot(self) -> None:
        for name in CHROOT_FILES:
            try:
                with open("/etc/" + name, "rb") as file:
                    _write(f"{self.queue_directory}/etc/{name}", file.read(), 0o644, "root:root")
            except OSError:
                continue
        if os.path.isdir(self.queue_directory):
            self.listen(self.queue_directory + "/dev/log")

    def op_run(self, argv: list[str], limit: float, input: str | None = None) -> dict[str, Any]:
        if not input:
            return self.wait(self.spawn(argv), limit)
        source = os.memfd_create("input")
        try:
            os.write(source, input.encode())
            os.lseek(source, 0, os.SEEK_SET)
            return self.wait(self.spawn(argv, source), limit)
        finally:
            os.close(source)

    def op_alive(self) -> dict[str, Any]:
        self.turn(0)
        code = self.master.code if self.master else None
        return {"master": self.master is not None and code is None, "exit": code}

    def op_queue(self) -> dict[str, int]:
        # In the order in which a message moves: one that moves meanwhile is counted twice rather than never.
        names = ("maildrop", "hold", "incoming", "active", "deferred", "corrupt")
        return {name: _count(f"{self.queue_directory}/{name}", 3) for name in names}

    def op_queued(self) -> list[dict[str, str]]:
        answer = self.wait(self.spawn(["postqueue", "-j"]), 5.0)
        entries = []
        for line in answer["output"].splitlines():
            try:
                message = json.loads(line)
                for recipient in message["recipients"]:
                    entries.append(
                        {
                            "queue": message["queue_name"],
                            "sender": message["sender"],
                            "recipient": recipient["address"],
                            "reason": recipient.get("delay_reason", ""),
                        }
                    )
            except (ValueError, KeyError, TypeError):
                continue
        return entries

    def op_mail(self, tokens: list[str]) -> list[dict[str, Any]]:
        if not tokens:
            return []
        wanted = re.compile("|".join(sorted(map(re.escape, tokens), key=len, reverse=True)).encode())
        found = []
        for path, messages in self._mailboxes():
            for raw in messages:
                if hits := {hit.decode() for hit in wanted.findall(raw)}:
                    data = binascii.b2a_base64(raw, newline=False).decode()
                    found.append({"path": path, "raw": data, "tokens": sorted(hits)})
        return found

    def _mailboxes(self) -> list[tuple[str, list[bytes]]]:
        found = []
        for path in _files(self.roots):
            try:
                info = os.lstat(path)
                if not stat.S_ISREG(info.st_mode):
                    continue
                state = (info.st_ino, info.st_size, info.st_mtime_ns)
                if path not in self.seen or self.seen[path][0] != state:
                    if self.held > MOST_MAIL:
                        continue
                    raw = _read(path)
                    self.held += len(raw)
                    self.seen[path] = (state, _split(raw))
                found.append((path, self.seen[path][1]))
            except OSError:
                continue
        return found

    def op_log(self) -> list[str]:
        self.turn(0)
        lines = list(self.lines)
        if self.maillog.startswith("/") and not self.maillog.startswith("/dev/"):
            try:
                lines += [_text(line) for line in _read(self.maillog).splitlines()][:LONGEST_LOG]
            except OSError:
                pass
        if self.lost:
            lines.append(f"0 smtplab: {self.lost} more lines were not kept")
        return lines

    def op_learn(self, source: str) -> None:
        # What few labs need is not compiled at every start.
        known = {**globals(), "__name__": "learnt"}
        exec(compile(source, "learnt", "exec"), known)
        for name, value in known.items():
            if name.startswith("op_"):
                setattr(self, name, value.__get__(self))

    def op_stop(self) -> None:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.until(lambda: not _others(), 5.0, naps=0.002)


def _writable(path: str) -> bool:
    return os.path.normpath(path) == path and any(
        path == tree or path.startswith(tree + "/") for tree in WRITABLE
    )


def _write(path: str, data: bytes, mode: int, owner: str) -> None:
    user, _, group = owner.partition(":")
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fchown(fd, pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid)
        os.fchmod(fd, mode)
        os.utime(fd, (INSTALLED, INSTALLED))


def _may_name_maps(path: str) -> bool:
    """Whether a master.cf could name a map, itself or by a parameter; asking postconf costs a few milliseconds."""
    try:
        text = _text(_read(path))
    except OSError:
        return True
    return "$" in text or _MAP.search(text) is not None


def _stale(kind: str, source: str) -> bool:
    """Whether a map's source is there and its compiled form is not, or is older."""
    compiled = source + {"hash": ".db", "btree": ".db", "dbm": ".pag", "sdbm": ".pag"}.get(kind, "." + kind)
    try:
        return os.stat(source).st_mtime > os.stat(compiled).st_mtime
    except FileNotFoundError:
        return os.path.isfile(source)
    except OSError:
        return False


def _accepts(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            return client.connect_ex(path) == 0
    except (OSError, ValueError):  # No path at all: too long, or with a NUL.
        return False


def _milters() -> dict[str, str]:
    """What OpenDKIM is started with, by name: opendkim.conf, and each opendkim-NAME.conf beside it."""
    try:
        names = sorted(os.listdir(OPENDKIM))
    except OSError:
        names = []
    own = {"opendkim": OPENDKIM_OF_THE_IMAGE}
    found = {name[:-5]: f"{OPENDKIM}/{name}" for name in names if _MILTER.match(name)}
    return {**own, **found}


def _milter_listens(settings: str) -> bool:
    """Whether OpenDKIM's socket (``Socket`` in opendkim.conf(5)) takes a connection; no where none is set."""
    try:
        with open(settings, errors="replace") as file:
            found = re.findall(r"^\s*Socket\s+\"?(?:(\w+):)?([^\s\"]+)", file.read(), re.M | re.I)
    except OSError:
        return False
    if not found:
        return False
    kind, place = found[-1]
    if not kind.startswith("inet"):
        return _accepts(place)
    port, _, host = place.partition("@")
    try:
        socket.create_connection((host.strip("[]") or "localhost", int(port)), 0.2).close()
    except (OSError, ValueError):
        return False
    return True


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


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


def _files(roots: list[str]) -> list[str]:
    """Files below the folders, links not followed, at most ``MOST_FILES``."""
    found: list[str] = []
    for root in dict.fromkeys(roots):
        for folder, _, names in os.walk(root):
            # Dovecot's indexes repeat header fields of messages, and are none.
            found += [f"{folder}/{name}" for name in names if not name.startswith(("dovecot.", "dovecot-"))]
            if len(found) > MOST_FILES:
                return found[:MOST_FILES]
    return found


def _read(path: str) -> bytes:
    """A regular file's content, its first ``LARGEST_MAILBOX`` bytes; ``OSError`` for a FIFO, a link and the like."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read(LARGEST_MAILBOX)


def _split(raw: bytes) -> list[bytes]:
    """The messages of an mbox, or the one message of a file."""
    return re.split(rb"\n\n(?=From )", raw) if raw.startswith(b"From ") else [raw]


def _others() -> bool:
    return any(name.isdigit() and name != "1" for name in os.listdir("/proc"))


def _become_unreadable() -> None:
    """Keep others with this user id, capabilities and all, out of ``/proc/1/fd``, ``/proc/1/mem`` and ptrace.

    A change of the effective user makes a process undumpable (prctl(2), PR_SET_DUMPABLE), which only
    CAP_SYS_PTRACE overrides: nobody on this host has that. So answers can be written here alone.
    """
    os.seteuid(65534)
    os.seteuid(0)


def _mta() -> str:
    """The mail server's name and version, as the image's list of packages has it (without Debian's revision)."""
    try:
        with open(VERSIONS) as file:
            found = re.search(r"^postfix\t([^\t-]+)", file.read(), re.M)
    except OSError:
        found = None
    return f"Postfix {found[1]}" if found else "Postfix"


def _unpack() -> None:
    if os.path.exists(SKELETON):
        pid = os.fork()
        if pid == 0:
            os.execv("/usr/bin/tar", ["tar", "-xpf", SKELETON, "--numeric-owner", "-C", "/"])
        if os.waitpid(pid, 0)[1]:
            raise Refused("cannot unpack the host's files: is there room on its file systems?")


def _answer(agent: Agent, line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        operation = getattr(agent, "op_" + str(request.pop("op")), None)
        if operation is None:
            raise Refused("there is no such request")
        return {"ok": True, "value": operation(**request)}
    except Refused as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _forget(fd: int) -> None:
    os.read(fd, 4096)


def _send(data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(ANSWERS, view) :]
        except BlockingIOError:
            select.select([], [ANSWERS], [])


ANSWERS = 1


def main() -> None:
    """Answer requests until standard input ends."""
    global ANSWERS
    _become_unreadable()
    os.umask(0o022)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, ANSWERS = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    agent = Agent()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    agent.watch(wake, _forget)
    pending = bytearray()
    ended = False

    def take(fd: int) -> None:
        nonlocal ended
        data = os.read(fd, 1 << 20)
        ended = not data
        pending.extend(data)

    agent.watch(requests, take)
    try:
        _unpack()
        trouble = None
    except Refused as error:
        trouble = {"ok": False, "error": str(error)}
    while not ended:
        agent.turn(None)
        while (end := pending.find(b"\n")) >= 0:
            line = bytes(pending[:end])
            del pending[: end + 1]
            _send(json.dumps(trouble or _answer(agent, line)).encode() + b"\n")


if __name__ == "__main__":
    main()

"""One run of the program as a user of its own, and where it shows what it was to keep to itself.

Processes are traced (ptrace(2)) for their command lines alone: at each one that is executed, files are looked at too.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import pwd
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

TRACEME, CONT, SETOPTIONS = 0, 7, 0x4200
FORK, VFORK, CLONE, EXEC, EXIT, EXIT_KILL = 0x2, 0x4, 0x8, 0x10, 0x40, 0x100000
EVENT_EXEC, EVENT_EXIT = 4, 6
NEVER_GIVEN = (signal.SIGTRAP, signal.SIGSTOP)
WALL = 0x40000000
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")
MOST_OUTPUT = 20_000
LOOK_SECONDS = 0.01
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
LIBC: Any = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def forms_in(data: bytes, forms: list[bytes]) -> bool:
    """Whether data shows a secret in one of its forms; in digits and base64 also where blanks or lines divide it."""
    dense = data.translate(None, b" \n\r\t:,-\\")
    return any(form in data or (len(form) >= 12 and form in dense) for form in forms)


class Run:
    """A run; ``spec`` says what of. ``report`` is what is told of it."""

    def __init__(self, spec: dict[str, Any], files: list[dict[str, Any]], seconds: float) -> None:
        self.spec, self.seconds = spec, seconds
        self.forms = [base64.b64decode(form) for form in spec["forms"]]
        self.account = pwd.getpwnam(spec["account"])
        self.home = Path("/home") / spec["account"]
        self.output = b""
        self.shown: dict[str, str] = {}
        self._furnish(files)

    def _furnish(self, files: list[dict[str, Any]]) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        given = {self.home / "work" / f["path"]: (f["data"], f["mode"]) for f in files}
        given[Path(self.spec["environment"]["MAIL_BODY_FILE"])] = (self.spec["body"], 0o600)
        for folder in (self.home, self.home / "work", self.home / "tmp"):
            folder.mkdir(mode=0o700)
        for path, (data, mode) in given.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(data))
            path.chmod(mode)
        for place in (self.home, *self.home.rglob("*")):
            os.chown(place, self.account.pw_uid, self.account.pw_gid)
        self.given = set(given)

    def make(self) -> dict[str, Any]:
        """Make the run, to its end or to that of its time, and say what became of it."""
        read, write = os.pipe()
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._become(write)
        os.close(write)
        os.set_blocking(read, False)
        code = self._follow(pid, read, began + self.seconds)
        ended = time.monotonic()
        self._kill()
        self._read(read)
        self._look_at_files()
        if forms_in(self.output, self.forms):
            self.shown["output"] = "what it prints"
        shutil.rmtree(self.home, ignore_errors=True)
        for place in SHARED:
            for path in Path(place).glob("*"):
                if path.lstat().st_uid == self.account.pw_uid:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return {
            "name": self.spec["name"], "code": code, "began": began, "ended": ended,
            "output": self.output.decode("utf-8", "replace"), "shown": sorted(self.shown.items()),
        }  # fmt: skip

    def _become(self, out: int) -> None:
        """Be the program: as its user, with what the handout promises."""
        try:
            os.setsid()
            null = os.open("/dev/null", os.O_RDONLY)
            for fd, place in ((null, 0), (out, 1), (out, 2)):
                os.dup2(fd, place)
            os.closerange(3, 256)
            os.umask(0o022)
            os.setgroups([])
            os.setresgid(*[self.account.pw_gid] * 3)
            os.setresuid(*[self.account.pw_uid] * 3)
            os.chdir(self.home / "work")
            user = self.spec["account"]
            environment = {
                "PATH": PATH, "HOME": str(self.home), "USER": user, "LOGNAME": user, "SHELL": "/bin/sh",
                "TMPDIR": f"{self.home}/tmp", "LC_ALL": "C.UTF-8", "TZ": "UTC", **self.spec["environment"],
            }  # fmt: skip
            for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            LIBC.ptrace(TRACEME, 0, None, None)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execve("./send", ["./send"], environment)
        except OSError as error:
            os.write(2, f"send: {error}\n".encode())
        finally:
            os._exit(126)

    _deaf = False

    def _follow(self, first: int, read: int, deadline: float) -> int | None:
        """Let the program and its children run; its exit status, ``None`` where its time was over."""
        wake, woken = os.pipe()
        for end in (wake, woken):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        code: int | None = None
        begun = False
        looked = 0.0
        while code is None and (now := time.monotonic()) < deadline:
            while code is None:
                try:
                    pid, status = os.waitpid(-1, os.WNOHANG | WALL)
                except ChildProcessError:
                    break
                if not pid:
                    break
                if not os.WIFSTOPPED(status):
                    code = os.waitstatus_to_exitcode(status) if pid == first else code
                    continue
                if pid == first and not begun:
                    begun = True
                    options = FORK | VFORK | CLONE | EXEC | EXIT | EXIT_KILL
                    LIBC.ptrace(SETOPTIONS, pid, None, options)
                self._go_on(pid, status)
            self._read(read)
            if now - looked > LOOK_SECONDS:
                looked = now
                self._look_at_files()
            if code is None:
                select.select([wake, *([] if self._deaf else [read])], [], [], LOOK_SECONDS)
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
        return code

    def _go_on(self, pid: int, status: int) -> None:
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == EVENT_EXEC:
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                line = b""
            if forms_in(line, self.forms):
                self.shown["arguments"] = f"the command line of {line[:40]!r}"
        if event in (EVENT_EXEC, EVENT_EXIT):
            self._look_at_files()
        LIBC.ptrace(CONT, pid, None, 0 if event or number in NEVER_GIVEN else number)

    def _read(self, fd: int) -> None:
        try:
            while data := os.read(fd, 65536):
                self.output = (self.output + data)[:MOST_OUTPUT]
            self._deaf = True
        except BlockingIOError:
            pass

    def _look_at_files(self) -> None:
        """Note files of its user's that others may read, by their permissions and those of the folders it made."""
        for root in (self.home / "work", self.home / "tmp", self.home, *map(Path, SHARED)):
            for folder, folders, names in os.walk(root):
                place = Path(folder)
                if place == self.home:
                    folders[:] = [name for name in folders if name not in ("work", "tmp")]
                folders[:] = [name for name in folders if self._is_open(place / name)]
                for name in names:
                    self._look_at(place / name)

    def _is_open(self, folder: Path) -> bool:
        try:
            info = folder.lstat()
        except OSError:
            return False
        return info.st_uid == self.account.pw_uid and bool(info.st_mode & 0o011)

    def _look_at(self, path: Path) -> None:
        try:
            info = path.lstat()
            if path in self.given or info.st_uid != self.account.pw_uid or not info.st_mode & 0o077:
                return
            if path.is_file() and forms_in(str(path).encode() + b"\n" + path.read_bytes(), self.forms):
                self.shown["file"] = f"the file {path}"
        except OSError:
            return

    def _kill(self) -> None:
        """Kill every process of its user's."""
        pid = os.fork()
        if pid == 0:
            try:
                os.setresuid(*[self.account.pw_uid] * 3)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        while True:
            try:
                pid, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                return
            if os.WIFSTOPPED(status):
                LIBC.ptrace(CONT, pid, None, 0)

"""Files of the host, which are the student's: written where that is allowed, read without walking into a trap."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat

WRITABLE = (
    "/var", "/run", "/tmp", "/home", "/root", "/etc/postfix", "/etc/dovecot", "/etc/opendkim", "/etc/ssl/lab",
)  # fmt: skip
"""The trees of the host that can be written to."""

LARGEST = 8_000_000
"""Bytes of a file that are read."""

LONGEST_LINE = 512
"""Bytes that no line of a table of connections has."""
SMALLEST_PAGE = 4096
"""Bytes of a page of memory on any machine, or fewer: the kernel writes a table by the page."""
USUAL = 1536
"""Bytes in which the table of a host with a few listeners has room, and few other lines."""
LISTENING = (b"0A", b"03")
"""States of the sockets that come first in such a table: they listen, or half a connection to them stands (Linux 4.3
and earlier)."""

# Postfix re-reads a main.cf younger than about 1.5 s in naps of 0.3 s: an old one starts it at once.
INSTALLED = 1577836800  # 2020-01-01T00:00:00Z


class RequestRefused(Exception):
    """A request that cannot be carried out, in one sentence."""


class Broken(RequestRefused):
    """One that shows that this host, or the request, is not as it ought to be, whatever the student did."""


def text(raw: bytes) -> str:
    """Bytes as text; what is not UTF-8 stands as ``\\xNN``."""
    return raw.decode("utf-8", "backslashreplace")


def shown(path: str) -> str:
    """A path as text that can be sent: file names are bytes."""
    return text(os.fsencode(path))


def writable(path: str) -> bool:
    """Whether a path lies in one of the trees of ``WRITABLE``, and has no detours in it."""
    return os.path.normpath(path) == path and any(
        path == tree or path.startswith(tree + "/") for tree in WRITABLE
    )


def write(path: str, data: bytes, mode: int, owner: str) -> None:
    """Write a file of ``user:group``, old as can be. Raises ``OSError``, and ``KeyError`` for an unknown owner."""
    user, _, group = owner.partition(":")
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fchown(fd, pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid)
        os.fchmod(fd, mode)
        os.utime(fd, (INSTALLED, INSTALLED))


def holds(path: str, data: bytes, mode: int, owner: str) -> bool:
    """Whether a file is as ``write`` would have it."""
    user, _, group = owner.partition(":")
    try:
        found = os.lstat(path)
        ids = pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid
        return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (*ids, mode) and read(
            path
        ) == data
    except (OSError, KeyError):
        return False


def read(path: str) -> bytes:
    """A regular file's content, its first ``LARGEST`` bytes; ``OSError`` for a FIFO, a link and the like."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read(LARGEST)


def read_process(pid: int, name: str) -> bytes:
    """A file of a process in /proc, at most its first ``LARGEST`` bytes, which come in pieces. Raises ``OSError``."""
    fd = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        whole = b""
        while len(whole) < LARGEST and (piece := os.read(fd, LARGEST - len(whole))):
            whole += piece
        return whole
    finally:
        os.close(fd)


def read_listening(path: str) -> bytes:
    """A table of the kernel's TCP sockets (proc_net(5)): those that listen, perhaps a few others. Raises ``OSError``.

    Those that listen come first. For all others the kernel looks through every connection of the machine, so no more is
    read after the first line of another kind. A piece that is shorter than it may be is the last one: to be told of the
    end as of a file would take a look through all again.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        whole, size = b"", USUAL
        while len(whole) < LARGEST:
            piece = os.read(fd, size)
            whole += piece
            if len(piece) < size or not _listens(whole):
                break
            size = SMALLEST_PAGE - LONGEST_LINE
        return whole
    finally:
        os.close(fd)


def _listens(table: bytes) -> bool:
    """Whether the last whole line of a table is of a socket that listens, or the first one, which names the columns."""
    lines = table[-3 * LONGEST_LINE :].rpartition(b"\n")[0].rsplit(b"\n", 1)
    fields = lines[-1].split(None, 4)
    return len(fields) < 4 or fields[3] in (*LISTENING, b"st")


def read_some(fd: int) -> bytes | None:
    """What a descriptor has to read, ``b""`` at the end, ``None`` where nothing is there now."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None

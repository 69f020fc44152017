"""The agent's files as byte code: a third of the agent's start goes by without, for compiling them.

It is made by the image's own Python, once for each image and each version of the agent, and kept beside the image. That
is before any submission has been there, and what a host is given of it is a copy.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from grader import disk
from grader.engines import image
from grader.engines.local import rootfs, userns
from grader.engines.machine import LIBRARY, guest_files
from grader.model.errors import EngineError

KEPT = 8
"""Versions of the agent whose byte code is kept."""

_PREFIX = "agent-"
# A file of byte code is a number of Python's, flags and a hash of the source, which is not asked for (PEP 552).
_COMPILE = f"""
import binascii, importlib.util, json, marshal, sys
head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
compiled = {{}}
for name, source in json.load(sys.stdin).items():
    code = compile(source, f"{LIBRARY}/guest/{{name}}", "exec", dont_inherit=True, optimize=2)
    compiled[name + "c"] = binascii.b2a_base64(head + marshal.dumps(code), newline=False).decode()
json.dump(compiled, sys.stdout)
"""


def agent() -> dict[str, bytes]:
    """The agent's files by name: byte code, or the sources where none can be made or kept."""
    sources = guest_files()
    digest = hashlib.sha256(_COMPILE.encode())
    for name, data in sources.items():
        digest.update(f"{name} {len(data)}\n".encode() + data)
    path = image.folder() / f"{_PREFIX}{digest.hexdigest()[:16]}"
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.msgpack.decode(path.read_bytes(), type=dict[str, bytes])
    with suppress(OSError, EngineError, msgspec.DecodeError):
        compiled = _compiled(sources)
        disk.write_file(path, msgspec.msgpack.encode(compiled), mode=0o644)
        _forget_old(path.parent)
        return compiled
    return sources


def _compiled(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Raises ``OSError``, ``EngineError``, and ``msgspec.DecodeError`` where the image's Python fails."""
    given, made = os.memfd_create("sources"), os.memfd_create("compiled")
    try:
        os.write(given, msgspec.json.encode({name: data.decode() for name, data in sources.items()}))
        os.lseek(given, 0, os.SEEK_SET)
        root = rootfs.path()

        def work() -> None:
            os.chdir(root)
            userns.become_root()
            os.chroot(".")
            os.dup2(given, 0)
            os.dup2(made, 1)
            os.execv("/usr/bin/python3", ["python3", "-I", "-S", "-B", "-c", _COMPILE])

        userns.run(work)
        return msgspec.json.decode(os.pread(made, os.fstat(made).st_size, 0), type=dict[str, bytes])
    finally:
        os.close(given)
        os.close(made)


def _forget_old(folder: Path) -> None:
    found = sorted(folder.glob(f"{_PREFIX}*"), key=lambda path: path.stat().st_mtime)
    for path in found[:-KEPT]:
        path.unlink(missing_ok=True)

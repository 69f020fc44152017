"""Templates as the template engine has compiled them, kept for the next report: that takes several times a page.

What is kept is code, and is run. So it is read from a folder alone that nobody but the user can write to, and by its
digest, since Python does not survive damaged code.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from grader import disk, resources
from grader.model.errors import EngineError


class CompiledTemplates(jinja2.BytecodeCache):
    """Keeps what an environment compiles; ``made_from`` are the sources of what its templates call while compiled.

    A file for each template: the digest of what it was made from, that of the code, and the code. Where nothing can be
    read or written, templates are compiled as ever.
    """

    def __init__(self, made_from: Iterable[Path]) -> None:
        self._made_from = list(made_from)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the bucket its code, where it is kept."""
        with suppress(OSError, EngineError), _own_folder() as folder:
            kept = disk.contents(bucket.key, folder=folder)
            head = self._head(bucket)
            code = kept[2 * len(head) :]
            if kept == head + hashlib.sha256(code).digest() + code:
                bucket.code = marshal.loads(code)  # noqa: S302  our own

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a bucket."""
        code = marshal.dumps(bucket.code)
        with suppress(OSError, EngineError), _own_folder():
            disk.write_file(
                _folder() / bucket.key, self._head(bucket) + hashlib.sha256(code).digest() + code, 0o600
            )

    def _head(self, bucket: Bucket) -> bytes:
        return hashlib.sha256(f"{self._program}\0{bucket.checksum}".encode()).digest()

    @cached_property
    def _program(self) -> str:
        total = hashlib.sha256(f"{sys.version}\0{jinja2.__version__}".encode())
        for path in self._made_from:
            total.update(path.read_bytes())
        return total.hexdigest()


def _folder() -> Path:
    return resources.cache_folder() / "templates"


@contextmanager
def _own_folder() -> Iterator[int]:
    """The folder as a descriptor. Raises ``OSError`` where it is another's, or others may write to it."""
    path = _folder()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        about = os.fstat(folder)
        if about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise PermissionError(f"{path} is open to others")
        yield folder
    finally:
        os.close(folder)

"""What a student handed in, read and found harmless to carry on."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct


class Submission(Struct, frozen=True):
    """Files of a submission by their names relative to its folder, with ``/`` between the parts.

    ``executable`` names those that may be executed; ``ignored`` what lay beside them and is no part of the lab.
    ``within`` is where they lay where that was not at the top of what was handed in.
    """

    files: dict[str, bytes]
    executable: frozenset[str] = frozenset()
    ignored: list[str] = []
    within: str = ""

    @property
    def digest(self) -> bytes:
        """SHA-256 over names, contents and permissions."""
        total = sha256()
        for name, data in sorted(self.files.items()):
            encoded = name.encode("utf-8", "surrogateescape")
            total.update(b"%d:%s%d:%d:" % (len(encoded), encoded, name in self.executable, len(data)))
            total.update(data)
        return total.digest()

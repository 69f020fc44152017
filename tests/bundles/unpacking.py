"""A bundle's archive, unpacked as the platform would."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path


def unpack(archive: Path, into: Path) -> Path:
    """``into``, with all that the archive holds."""
    if archive.suffix != ".tar":
        shutil.unpack_archive(archive, into)
        return into
    with tarfile.open(archive) as tar:
        # Newer Pythons ask for it, and 3.11.2 does not have it (PEP 706).
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(into)
    return into

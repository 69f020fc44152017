"""Commands as they can be typed from where the person stands, with and without an activated environment."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "smtplab"


def program() -> str:
    """How a shell finds this program from here: by its name where that leads to this very one, otherwise by a path."""
    own = Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin") / NAME
    found = shutil.which(NAME)
    if not own.exists() or (found is not None and own.samefile(found)):
        return NAME
    try:
        # make runs its commands in the checkout, whose environment lies in it.
        return shlex.quote(str(own.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(own))


def command(*arguments: str | os.PathLike[str]) -> str:
    """A whole command line: ``command("check", "open-relay")`` is ``smtplab check open-relay``."""
    return " ".join([program(), *(shlex.quote(os.fspath(argument)) for argument in arguments)])

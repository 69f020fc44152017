"""Labs in a git repository: what a branch, tag or commit holds, fetched as one archive and never checked out."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence

from grader.labs.limits import LARGEST_ARCHIVE, shown
from grader.model.errors import UsageError

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+|[\w.-]+@[\w.-]+:.+")
PROTOCOLS = "file:git:http:https:ssh"
SECONDS = 300


def is_address(source: str) -> bool:
    """Whether a source is a git address, ``https://…`` or ``git@host:path``, and no file or folder."""
    return ADDRESS.fullmatch(source) is not None


def fetched(address: str, ref: str) -> tuple[bytes, str]:
    """A tar archive (gzip) of what ``ref`` holds in the repository at an address, and the commit's name.

    ``ref`` is a branch, a tag or a commit, ``HEAD`` the repository's own choice. Nothing of it is run: no hook, no
    filter, no submodule. Raises ``UsageError``.
    """
    with tempfile.TemporaryDirectory(prefix="smtplab-git-") as folder:
        _git(folder, address, "init", "--quiet", "--bare")
        _git(folder, address, "fetch", "--quiet", "--depth", "1", "--no-tags", "--", address, ref)
        commit = _git(folder, address, "rev-parse", "FETCH_HEAD").decode().strip()
        data = _archive(folder, commit)
    if len(data) > LARGEST_ARCHIVE:
        raise UsageError(
            f"{shown(address)} holds more than {LARGEST_ARCHIVE} bytes: give labs a repository of their own"
        )
    return data, commit


def _archive(folder: str, commit: str) -> bytes:
    """What a commit holds, but never more than a byte beyond what is read of an archive."""
    command = ["git", "-C", folder, "archive", "--format=tar.gz", commit]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        data = process.stdout.read(LARGEST_ARCHIVE + 1)
        process.kill()
    return data


def _git(folder: str, address: str, *arguments: str) -> bytes:
    command: Sequence[str] = ["git", "-C", folder, "-c", "core.hooksPath=/dev/null", *arguments]
    environment = {
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "LC_ALL": "C",
    }
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"git is needed to fetch {shown(address)}, and is not installed: install it"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{shown(address)} did not answer within {SECONDS} s: try again later") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason was given"]
        raise UsageError(f"git cannot fetch {shown(address)}: {shown(said[0])}: check the address and --ref")
    return done.stdout

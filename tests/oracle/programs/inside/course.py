"""All runs of a mutant: servers first, then the program at each of them, some at a time."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
import zlib
from pathlib import Path
from typing import Any

PLACE = Path("/root/oracle")
ENDING_SECONDS = 2.0
"""In which sessions end whose clients are gone."""


def main(task: dict[str, Any]) -> None:
    """Do the task, and print what became of it: JSON, packed, since the host keeps a million characters of it."""
    PLACE.mkdir(mode=0o700, exist_ok=True)
    ask, told = os.pipe(), os.pipe()
    servers = os.fork()
    if servers == 0:
        _serve(task, ask[0], told[1])
    os.close(told[1])
    if os.read(told[0], 1) != b"!":
        raise SystemExit("the servers do not listen")
    ended = _run_all(task)
    os.write(ask[1], b"!")
    with os.fdopen(told[0], "rb") as file:
        sessions = json.loads(file.read())
    os.waitpid(servers, 0)
    packed = zlib.compress(json.dumps({"runs": ended, "sessions": sessions}).encode(), 9)
    sys.stdout.write(base64.b64encode(packed).decode())


def _serve(task: dict[str, Any], asked: int, tell: int) -> None:
    """Be the process of the servers, until it is asked what they have heard."""
    from tests.oracle.programs.inside.server import Server

    try:
        servers = {spec["run"]: Server(spec) for spec in task["servers"]}
        os.write(tell, b"!")
        os.read(asked, 1)
        # What was under way when the last client was killed; who holds a connection for longer is not waited for.
        until = time.monotonic() + ENDING_SECONDS
        while time.monotonic() < until and any(server.busy() for server in servers.values()):
            time.sleep(0.01)
        with os.fdopen(tell, "wb") as file:
            file.write(json.dumps({run: server.sessions for run, server in servers.items()}).encode())
    except BaseException as error:
        # Nobody hears of it else: this process has a parent that only knows that nothing came.
        print(f"{type(error).__name__}: {error}; ", end="")
    finally:
        sys.stdout.flush()
        os._exit(0)


def _run_all(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Every run: those that may have to wait all at once, the others in turns."""
    waiting = [spec for spec in task["runs"] if spec["waits"]]
    others = [spec for spec in task["runs"] if not spec["waits"]]
    together: int = task["together"]
    running: dict[int, str] = {}
    busy: set[int] = set()
    while waiting or others or running:
        while (waiting and together > 1) or ((waiting or others) and len(busy) < together):
            beside = bool(waiting and together > 1)
            spec = (waiting or others).pop(0)
            pid = _begin(task, spec)
            running[pid] = spec["name"]
            if not beside:
                busy.add(pid)
        pid, _ = os.wait()
        running.pop(pid, None)
        busy.discard(pid)
    found = []
    for spec in task["runs"]:
        path = PLACE / spec["name"]
        if path.exists():
            found.append(json.loads(path.read_text()))
    return found


def _begin(task: dict[str, Any], spec: dict[str, Any]) -> int:
    """A process of its own that makes one run."""
    from tests.oracle.programs.inside.watcher import Run

    pid = os.fork()
    if pid == 0:
        try:
            told = Run(spec, task["files"], task["seconds"]).make()
            (PLACE / spec["name"]).write_text(json.dumps(told))
        finally:
            os._exit(0)
    return pid

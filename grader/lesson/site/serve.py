"""Serves the lesson to its author: the pages in memory, built again and shown anew whenever a file is saved.

The standard library's server is enough: a dictionary of pages, and one stream of events (Server-Sent Events) that tells
open pages to load again. Only pages that are served so carry the script that listens, and may ask their own server.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import jinja2
import watchfiles

from grader import resources
from grader.lesson.library import read_library
from grader.lesson.site.build import render
from grader.model.errors import SmtplabError, UsageError

LISTENING = """"use strict";
new EventSource("/changes?%d").addEventListener("changed", function () { location.reload(); });
"""
"""What a page of that version does: one that was built again before its browser came to ask is shown anew at once."""
HEARTBEAT_SECONDS = 10
"""How often a silent stream says that it lives, which is how the server finds that a page was closed."""
ARMED_MILLISECONDS = 200

Say = Callable[[str], None]


@dataclass
class Pages:
    """The pages as they are now; ``version`` grows with each build."""

    files: dict[str, bytes] = field(default_factory=dict)
    version: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def build(self) -> None:
        """Read everything anew and render it. Raises what reading and rendering raise; the old pages stay then."""
        live = LISTENING % (self.version + 1)
        files = render(read_library(resources.folder("reports") / "data"), live=live)
        with self.changed:
            self.files = files
            self.version += 1
            self.changed.notify_all()

    def wait(self, known: int) -> int:
        """The version that is shown, as soon as it is not ``known``, and at the latest after a heartbeat."""
        with self.changed:
            self.changed.wait_for(lambda: self.version != known, HEARTBEAT_SECONDS)
            return self.version


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
        if path == "changes":
            self._stream()
        elif (data := self.server.pages.files.get(path)) is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(data)

    def _stream(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        asked = urlsplit(self.path).query
        known = int(asked) if asked.isdecimal() else 0
        try:
            while True:
                version = self.server.pages.wait(known)
                self.wfile.write(b": still here\n\n" if version == known else b"event: changed\ndata:\n\n")
                known = version
        except OSError:
            return  # the page was closed

    def log_message(self, format: str, *args: object) -> None:
        """Requests are of no interest to an author."""


class SiteServer(ThreadingHTTPServer):
    """Serves ``pages`` on this machine alone."""

    daemon_threads = True

    def __init__(self, port: int, pages: Pages) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.pages = pages

    @property
    def address(self) -> str:
        """Where a browser finds the first page."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


def serve(port: int, say: Say, stop: threading.Event | None = None) -> None:
    """Build the lesson, serve it on ``port`` (0 takes any), and build it again after every change.

    Ends when ``stop`` is set, or by ``KeyboardInterrupt``. ``say`` is told the address, and what is wrong with a file;
    the pages stay as they were until it is put right. Raises ``UsageError`` where the port is taken, and what the first
    build raises.
    """
    folders = [resources.folder("reports"), *resources.lab_folders()]
    changes = watchfiles.watch(
        *folders, stop_event=stop, rust_timeout=ARMED_MILLISECONDS, yield_on_timeout=True
    )
    # The first turn comes once the watcher is at work: what is saved from here on is not missed.
    next(changes)
    pages = Pages()
    pages.build()
    try:
        server = SiteServer(port, pages)
    except OSError as error:
        raise UsageError(
            f"cannot listen on port {port}: {error.strerror}; choose another with --port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        say(f"serving the lesson on {server.address} (Ctrl-C ends it)")
        for changed in changes:
            if changed:
                _build_again(pages, say)
    finally:
        server.shutdown()
        server.server_close()


def _build_again(pages: Pages, say: Say) -> None:
    try:
        pages.build()
        say("built again")
    except SmtplabError as error:
        say(str(error))
    except jinja2.TemplateSyntaxError as error:
        say(f"{error.filename}:{error.lineno}: {error.message}")
    except jinja2.TemplateError as error:
        say(f"a template cannot be rendered: {error.message}")
    except OSError as error:
        say(f"cannot read {error.filename}: {error.strerror}")

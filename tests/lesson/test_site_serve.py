"""The author's server: pages from memory, shown anew when a file is saved, the old ones kept while one is wrong."""

from __future__ import annotations

import queue
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from grader import resources
from grader.cli import main
from grader.lesson.site.serve import serve
from tests import browser as browsing

pytestmark = pytest.mark.slow

SECONDS = 120


@dataclass
class Served:
    """A running server: its address, the data that it shows, and what it says."""

    address: str
    data: Path
    said: queue.Queue[str]

    def change(self, name: str, old: str, new: str) -> str:
        """Save a change, and what the server says to it."""
        path = self.data / name
        text = path.read_text("utf-8")
        assert old in text
        # At once, so that nobody builds from half a file.
        half = self.data.parent.parent / "half"
        half.write_text(text.replace(old, new, 1), "utf-8")
        half.replace(path)
        return self.said.get(timeout=SECONDS)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    reports = Path(shutil.copytree(resources.folder("reports"), tmp_path / "reports"))
    own = resources.folder
    monkeypatch.setattr(resources, "folder", lambda name: reports if name == "reports" else own(name))
    said: queue.Queue[str] = queue.Queue()
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(0, said.put, stop))
    thread.start()
    # The address is a word of its own: whoever copies it takes nothing along.
    address = said.get(timeout=SECONDS).split()[4]
    yield Served(address, reports / "data", said)
    stop.set()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_pages_come_from_memory_and_nothing_else_does(served: Served) -> None:
    first = requests.get(served.address, timeout=SECONDS)
    assert "How mail travels" in first.text
    assert "connect-src &#39;self&#39;" in first.text
    assert first.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in ("..%2f..%2fetc/passwd", "%2e%2e/data/ports.yaml", "nothing.html", ".smtplab-lesson.json"):
        assert requests.get(served.address + path, timeout=SECONDS).status_code == 404


def test_a_fault_is_said_and_the_old_pages_stay(served: Served) -> None:
    assert "ports.yaml:7: there is no key 'usage' here; did you mean 'use'?" in served.change(
        "ports.yaml", "  use: One", "  usage: One"
    )
    assert "One server hands" in requests.get(f"{served.address}ports.html", timeout=SECONDS).text
    assert served.change("ports.yaml", "  usage: One", "  use: Any") == "built again"
    assert "Any server hands" in requests.get(f"{served.address}ports.html", timeout=SECONDS).text
    template = "../lesson/pages/ports.html.j2"
    assert "ports.html.j2:1: " in served.change(template, "{% extends", "{% extend")


def test_a_page_that_comes_to_ask_after_a_change_is_told(served: Served) -> None:
    page = requests.get(f"{served.address}ports.html", timeout=SECONDS).text
    assert served.change("ports.yaml", "  use: One", "  use: Any") == "built again"
    [asked] = re.findall(r'new EventSource\("/(changes\?[0-9]+)"\)', page)
    with requests.get(f"{served.address}{asked}", stream=True, timeout=SECONDS) as stream:
        assert stream.raw.readline() == b"event: changed\n"


@pytest.mark.browser
def test_an_open_page_shows_what_was_saved(served: Served) -> None:
    with browsing.chromium() as browser:
        page: Any = browsing.show(browser, f"{served.address}ports.html")
        served.change("ports.yaml", "  use: One server", "  use: Every server")
        browsing.until(page, lambda page: "Every server hands" in page.page_source)
        assert browsing.console(page) == []


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["lesson", "serve", "--port", str(port)]) == 2
    assert f"cannot listen on port {port}: Address already in use; choose another" in capsys.readouterr().err

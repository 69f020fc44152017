"""The reference sheets as PDF, printed by a browser.

The browser is Chromium or a relative of it: the print style is written once, for the reader who prints a page and for
the file alike, and every class has such a browser. A library would be a second engine with ideas of its own about the
same style sheet. The PDF is tagged, so that a screen reader finds its headings and tables.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from grader.display.text import one_line
from grader.model.errors import GraderError, UsageError

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
ON_MACS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
SECONDS = 60
"""How long a browser may take for one sheet; it usually takes about one second."""

_LINK_INSIDE = re.compile(rb'(<a\b[^>]*?) href="(?!https:)[^"]*"')


def printed(sheets: Mapping[str, bytes]) -> dict[str, bytes]:
    """PDFs of HTML documents, by the same keys.

    Links within the site are dropped, because a PDF that is handed on has no site around it. Raises ``UsageError``
    where no browser is found, ``GraderError`` where it fails.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="smtplab-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        folders = [Path(folder, str(number)) for number in range(len(sheets))]
        done = pool.map(partial(_print, program), folders, sheets.values())
        return dict(zip(sheets, done, strict=True))


def browser() -> str:
    """The browser that prints: ``SMTPLAB_BROWSER``, or the first of ``BROWSERS`` that is installed."""
    if given := os.environ.get("SMTPLAB_BROWSER"):
        if found := shutil.which(given):
            return found
        raise UsageError(f"SMTPLAB_BROWSER names {given!r}, which is no program: correct or unset it")
    for name in (*BROWSERS, *ON_MACS):
        if found := shutil.which(name):
            return found
    raise UsageError(
        "no browser that can print was found: install Chromium or Chrome, name one in SMTPLAB_BROWSER, "
        "or print the pages from your own browser"
    )


def _print(program: str, folder: Path, page: bytes) -> bytes:
    folder.mkdir()
    source, target = folder / "sheet.html", folder / "sheet.pdf"
    source.write_bytes(_LINK_INSIDE.sub(rb"\1", page))
    command = [
        program, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder / 'profile'}",
        "--no-pdf-header-footer", f"--print-to-pdf={target}", source.as_uri(),
    ]  # fmt: skip
    # Chromium's own sandbox refuses to start as root; what it reads here is smtplab's own page.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        return target.read_bytes()
    except subprocess.TimeoutExpired:
        raise GraderError(f"{program} did not print a sheet within {SECONDS} seconds: try again") from None
    except OSError as error:
        said = one_line(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
        raise GraderError(f"{program} printed no sheet: {said or error}") from error

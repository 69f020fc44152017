"""The built lesson, a browser to look at it, and its scripts without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.lesson import library
from grader.lesson.site import PAGES, build, mail
from grader.lesson.site.pages import addresses
from grader.lesson.site.render import embedded
from tests import browser as browsing
from tests.lesson.embedded import Scripts

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built lesson."""
    folder = tmp_path_factory.mktemp("lesson") / "site"
    build(folder)
    return folder


@pytest.fixture(scope="session")
def header_scripts() -> Scripts:
    """The builder's and the analyser's scripts, with the tables that their pages embed."""
    names = dict.fromkeys((*mail.BUILDER_SCRIPTS, *mail.ANALYSER_SCRIPTS))
    loaded = Scripts(name for name in names if name.startswith("headers/"))
    tables: dict[str, object] = {}
    for made in (mail.analyser_data, mail.builder_data):
        tables.update(msgspec.convert(made(library(), addresses(PAGES, library())), dict[str, object]))
    loaded.run("globalThis.tables = JSON.parse(dukpy.text); null", text=str(embedded(tables)))
    loaded.run("smtplab.words.useCharsets(tables.charsets); null")
    return loaded


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for the module. Mark modules that use it with ``pytest.mark.browser``."""
    with browsing.chromium() as started:
        yield started


@pytest.fixture
def open_page(site: Path, browser: Any) -> Open:
    """Opens a page of the site from its file: ``open_page("glossary", "#mua", width=360, dark=True)``."""
    return browsing.opener(browser, site)

"""The built lesson, and a browser to look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.lesson.site import build
from tests import browser as browsing

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built lesson."""
    folder = tmp_path_factory.mktemp("lesson") / "site"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for the module. Mark modules that use it with ``pytest.mark.browser``."""
    with browsing.chromium() as started:
        yield started


@pytest.fixture
def open_page(site: Path, browser: Any) -> Open:
    """Opens a page of the site from its file: ``open_page("glossary", "#mua", width=360, dark=True)``."""

    def opened(name: str, anchor: str = "", *, width: int = 1280, dark: bool = False) -> Any:
        return browsing.show(browser, f"{(site / name).as_uri()}.html{anchor}", width=width, dark=dark)

    return opened

"""A real, headless Chromium for tests of pages, and what they ask of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from grader.model.deadline import Deadline

SCRIPT_SECONDS = 120
"""How long a script may run in a page: axe takes seconds of a processor, and others may want that, too."""
SECONDS = 60
"""For what a browser does in a moment, on a machine that has others to serve."""
STORED_SECONDS = 15
"""For what a page stores to be found by the next one."""
_AXE = """
const done = arguments[arguments.length - 1], only = arguments[0], contrast = {enabled: arguments[1]};
axe.run(document, {...only, resultTypes: ["violations"], rules: {"color-contrast": contrast}})
  .then(found => done(found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" "))));
"""
_CUT_OFF = """
const shown = [...document.querySelectorAll("select")].filter((one) => one.offsetParent && !one.closest(".pair"));
return shown.flatMap((one) => {
  const style = getComputedStyle(one), pen = document.createElement("canvas").getContext("2d"), arrow = 16;
  pen.font = style.font;
  const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
  return [...one.options].map((choice) => choice.text).filter((text) => pen.measureText(text).width > room);
});
"""
_EVERY_RULE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that keeps its console's messages. Skips the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    started.set_script_timeout(SCRIPT_SECONDS)
    try:
        yield started
    finally:
        started.quit()


def show(browser: Any, address: str, *, width: int = 1280, dark: bool = False) -> Any:
    """Load an address afresh, in a window of that width, in the light or the dark scheme; the browser."""
    emulate(browser, width=width, dark=dark)
    browser.get("about:blank")
    browser.get(address)
    return browser


def emulate(browser: Any, *, width: int = 1280, dark: bool = False) -> None:
    """A window of that width in CSS pixels, and the light or the dark scheme, for the page that is shown."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def until(page: Any, condition: Callable[[Any], Any]) -> None:
    """Wait until that is true of a page.

    The browser follows a link, and runs what a page does when its address changes, after it has answered the driver.
    """
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    # An element of the page that is being left.
    WebDriverWait(page, SECONDS, 0.02, [StaleElementReferenceException]).until(condition)


def computed(page: Any) -> float:
    """Seconds of a processor that the page's scripts have taken; the first call begins to count."""
    page.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    told = page.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    seconds: float = next(one["value"] for one in told if one["name"] == "ScriptDuration")
    return seconds


class Lost(AssertionError):
    """A browser has lost what a page stored."""


def opener(browser: Any, site: Path) -> Callable[..., Any]:
    """Opens pages of a site from their files: ``("glossary", "#mua", width=360, dark=True)``."""

    def opened(name: str, anchor: str = "", *, width: int = 1280, dark: bool = False) -> Any:
        return show(browser, f"{(site / name).as_uri()}.html{anchor}", width=width, dark=dark)

    return opened


def in_fresh_browsers(test: Callable[[Callable[..., Any]], None]) -> Callable[..., None]:
    """A test of what pages store, made anew in a browser of its own where one has lost that: in three at most.

    Under load a browser may do so for good, one in some dozens; a page that stores nothing fails in all.
    """

    def tried(site: Path, open_page: Callable[..., Any]) -> None:
        with suppress(Lost):
            return test(open_page)
        with suppress(Lost), chromium() as another:
            return test(opener(another, site))
        with chromium() as last:
            return test(opener(last, site))

    tried.__name__, tried.__doc__ = test.__name__, test.__doc__
    return tried


def again_until(act: Callable[[], object], arrived: Callable[[], bool]) -> None:
    """Do what makes a page store something, and again where it is not found afterwards.

    Of pages that follow each other in no time the browser may lose what one has stored, for good.
    """
    deadline = Deadline(STORED_SECONDS)
    act()
    while not arrived():
        if deadline.over:
            raise Lost(f"what a page stored was lost each time within {STORED_SECONDS} s")
        act()


def reload_until(page: Any, arrived: Callable[[Any], bool]) -> None:
    """Reload a page until that is true of it.

    What one page stores reaches the next one by way of the browser, which takes its time on a busy machine.
    """
    deadline = Deadline(SECONDS)
    page.refresh()
    while not arrived(page):
        assert not deadline.over, f"what a page stored did not reach the next one within {SECONDS} s"
        page.refresh()


def forget(page: Any, *, empty: str = "localStorage.length === 0") -> None:
    """Empty what pages stored in this browser, and reload the page until it finds that so."""

    def emptied(again: Any) -> bool:
        if again.execute_script(f"return {empty}"):
            return True
        again.execute_script("localStorage.clear()")
        return False

    page.execute_script("localStorage.clear()")
    reload_until(page, emptied)


def store(page: Any, key: str, value: str) -> None:
    """Keep a text in this browser, and reload the page until it finds it: a reload may lose what was just kept."""

    def kept(again: Any) -> bool:
        if again.execute_script("return localStorage.getItem(arguments[0])", key) == value:
            return True
        again.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, value)
        return False

    page.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, value)
    reload_until(page, kept)


def axe(page: Any, *, contrast: bool = True) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice, everything that folds being open.

    Looking at the contrast of a long page takes longer than all else together: it can be left out.
    """
    return _axe(page, _EVERY_RULE, contrast)


def contrast(page: Any) -> list[str]:
    """What axe finds against the contrast of colours alone, where a page was seen to keep all other rules."""
    return _axe(page, _CONTRAST, True)


def accessible(page: Any, looks: Iterable[tuple[int, bool]]) -> None:
    """Hold a page that is open to be accessible and to fit at some widths, each in the light or the dark scheme.

    Colours hang on the scheme and not on the width: contrast is looked at once in each.
    """
    schemes: set[bool] = set()
    for width, dark in looks:
        emulate(page, width=width, dark=dark)
        assert axe(page, contrast=dark not in schemes) == [], (width, dark)
        assert not too_wide(page, width), width
        schemes.add(dark)


def _axe(page: Any, rules: dict[str, Any], contrast: bool) -> list[str]:
    package = pytest.importorskip("axe_playwright_python")
    # The driver runs scripts beside the page's policy, so the page itself stays as it is.
    if not page.execute_script("return typeof axe !== 'undefined'"):
        page.execute_script((Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    page.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    found: list[str] = page.execute_async_script(_AXE, rules, contrast)
    return found


def too_wide(page: Any, width: int) -> bool:
    """Whether one has to scroll sideways."""
    return bool(page.execute_script("return document.documentElement.scrollWidth") > width)


def cut_off(page: Any) -> list[str]:
    """The choices of lists to choose from that are longer than their box; a quiz's, which open in full, left out."""
    found: list[str] = page.execute_script(_CUT_OFF)
    return found


def console(page: Any) -> list[str]:
    """What the console said since the last time: refusals by the policy, errors of scripts."""
    return [entry["message"] for entry in page.get_log("browser")]

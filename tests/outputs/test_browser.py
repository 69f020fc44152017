"""The HTML report in a real browser: accessible, usable by keyboard and link, quiet in the console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import outputs
from tests.outputs.cases import STORIES, case

pytestmark = pytest.mark.browser

AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
  .then(found => done(found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" "))));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ("--headless=new", "--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def load(browser: Any, tmp_path: Path) -> Any:
    def open_page(name: str, anchor: str = "", *, width: int = 1280, dark: bool = False) -> Any:
        path = tmp_path / f"{name}.html"
        path.write_bytes(outputs.html(*case(name)))
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get("about:blank")
        browser.get(f"file://{path}{anchor}")
        return browser

    return open_page


@pytest.mark.parametrize(("width", "dark"), [(360, True), (800, True), (1280, False)])
@pytest.mark.parametrize("name", STORIES)
def test_it_is_accessible(load: Any, name: str, width: int, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python")
    page = load(name, width=width, dark=dark)
    # The driver runs scripts beside the page's policy, so the report itself stays as it is.
    page.execute_script((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    page.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.execute_async_script(AXE) == []
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_refused_loaded_or_run(load: Any, name: str) -> None:
    page = load(name)
    assert page.get_log("browser") == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_a_link_opens_what_it_leads_to(load: Any) -> None:
    page = load("broken", "#session-5-31")
    target = page.find_element("id", "session-5-31")
    assert target.is_displayed()
    assert 0 <= page.execute_script("return arguments[0].getBoundingClientRect().top", target) < 900
    page.find_element("css selector", "a[href='#message-2']").click()
    assert page.find_element("css selector", "#message-2 pre").is_displayed()


def test_the_keyboard_suffices(load: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page = load("broken")
    page.find_element("tag name", "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("href").endswith("#checks")
    summary = page.find_element("css selector", "details.pass > summary")
    summary.send_keys(Keys.ENTER)
    assert page.find_element("css selector", "details.pass").get_attribute("open") is not None


def test_printing_unfolds(load: Any) -> None:
    page = load("broken")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for query in ("details.pass dl.feedback", ".hint .hint .hint p", "#message-0 pre"):
        assert page.execute_script(f"return document.querySelector({query!r}).checkVisibility()"), query
    assert not page.execute_script("return document.querySelector('#other-sessions pre').checkVisibility()")

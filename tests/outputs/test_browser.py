"""The HTML report in a real browser: accessible, usable by keyboard and link, quiet in the console."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import labs, outputs, pipeline
from grader.course import sidebyside
from grader.course.alike import ForeignNames
from grader.course.rarefaults import RareFaults
from grader.course.sidebyside import File, Pair, Row
from grader.outputs import classpage
from tests import browser as browsing
from tests.outputs.attacks import HOSTILE
from tests.outputs.cases import STORIES, case
from tests.outputs.test_classpage import a_class

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing.chromium() as started:
        yield started


@pytest.fixture
def load(browser: Any, tmp_path: Path) -> Any:
    def open_page(name: str, anchor: str = "", *, width: int = 1280, dark: bool = False) -> Any:
        path = tmp_path / f"{name}.html"
        path.write_bytes(outputs.html(*case(name)))
        return browsing.show(browser, f"file://{path}{anchor}", width=width, dark=dark)

    return open_page


@pytest.mark.parametrize("name", STORIES)
def test_it_is_accessible_and_nothing_is_refused_loaded_or_run(load: Any, name: str) -> None:
    page = load(name)
    assert browsing.console(page) == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    browsing.accessible(page, ((360, True), (800, True), (1280, False)))


@pytest.mark.parametrize(
    ("zone", "looks"),
    [("starter", [(360, True), (1280, False)]), ("wrong/string-too-long", [(800, True)])],
    ids=["starter", "string-too-long"],
)
def test_a_zone_is_accessible_too(
    browser: Any, tmp_path: Path, zone: str, looks: list[tuple[int, bool]]
) -> None:
    folder = labs.find("spf-dmarc")
    lab = labs.load(folder)
    handed_in = labs.render_submission(folder / zone, labs.draw_variant(lab))
    run = pipeline.grade(lab, handed_in, engine=None)
    path = tmp_path / "zone.html"
    path.write_bytes(outputs.html(run.result, run.evidence))
    page = browsing.show(browser, f"file://{path}")
    browsing.accessible(page, looks)
    assert browsing.console(page) == []


@pytest.mark.parametrize(
    ("looks", "anonymous"),
    [([(360, True), (800, False), (1280, False)], False), ([(1280, True), (360, False)], True)],
    ids=["named", "anonymous"],
)
def test_the_page_on_a_class_is_accessible_and_quiet(
    browser: Any, tmp_path: Path, looks: list[tuple[int, bool]], anonymous: bool
) -> None:
    path = tmp_path / "class.html"
    path.write_bytes(b"".join(classpage.page(a_class(), anonymous=anonymous)))
    page = browsing.show(browser, f"file://{path}")
    for width, _ in looks:  # before everything that folds is opened
        browsing.emulate(page, width=width)
        assert not browsing.too_wide(page, width), width
    browsing.accessible(page, looks)
    assert browsing.console(page) == []


def test_the_page_of_what_is_alike_is_accessible(browser: Any, tmp_path: Path) -> None:
    shared = f"relayhost = {HOSTILE}"
    pair = Pair("anna", HOSTILE, 0.9, [File("main.cf", [Row(shared, shared, True), Row("x = y", "", False)])])
    faults = [RareFaults(["anna", "bob", "x" * 200], [f"open-relay/{name}: {HOSTILE}" for name in "ab"])]
    path = tmp_path / "alike.html"
    names = [f"{number}.{'x' * 60}.example" for number in range(9)]
    foreign = [ForeignNames(HOSTILE, ["anna", "bob", "x" * 200, "zoe"], [HOSTILE, *names])]
    for some in (False, True):
        found = ([pair], faults, foreign) if some else ([], [], [])
        path.write_bytes(sidebyside.page("open-relay", *found))
        page = browsing.show(browser, f"file://{path}")
        browsing.accessible(page, ((360, True), (800, False), (1280, True)))
        assert browsing.console(page) == []


def test_no_option_of_a_service_is_torn_apart(browser: Any, tmp_path: Path) -> None:
    service = "submission inet n - y - - smtpd " + " ".join(f"-o smtpd_{n}=yes --long" for n in range(30))
    path = tmp_path / "alike.html"
    path.write_bytes(
        sidebyside.page("x", [Pair("a", "b", 1.0, [File("master.cf", [Row(service, service, True)])])])
    )
    page = browsing.show(browser, f"file://{path}")
    # A box for each line that a word is on.
    lines = "return [...document.querySelectorAll('.option')].map(one => one.getClientRects().length)"
    for width in (360, 800, 1280):
        browsing.emulate(page, width=width)
        assert page.execute_script(lines) == [1] * 120, width
        assert not browsing.too_wide(page, width), width


def test_students_are_filtered(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.select import Select

    path = tmp_path / "class.html"
    path.write_bytes(b"".join(classpage.page(a_class())))
    page = browsing.show(browser, f"file://{path}")

    def shown() -> list[str]:
        rows = page.find_elements("css selector", "#students tbody tr")
        return [row.find_element("tag name", "th").text.split()[0] for row in rows if row.is_displayed()]

    state, failed, *_ = (Select(one) for one in page.find_elements("css selector", ".filters select"))
    state.select_by_visible_text("failed something")
    assert shown() == ["bob", "carol"]
    failed.select_by_visible_text("local")
    assert shown() == ["carol"]
    assert page.find_element("css selector", "#students [role=status]").text == "1 of 8 shown"
    state.select_by_visible_text("all")
    failed.select_by_visible_text("all")
    page.find_element("css selector", ".filters input").send_keys("HENRY")
    assert shown() == ["henry"]


def test_a_link_opens_what_it_leads_to(load: Any) -> None:
    page = load("broken", "#session-5-31")
    target = page.find_element("id", "session-5-31")
    browsing.until(page, lambda page: target.is_displayed())
    top = "return arguments[0].getBoundingClientRect().top"
    browsing.until(page, lambda page: 0 <= page.execute_script(top, target) < 900)
    page.find_element("css selector", "a[href='#message-2']").click()
    shown = page.find_element("css selector", "#message-2 pre")
    browsing.until(page, lambda page: shown.is_displayed())


def test_the_keyboard_suffices(load: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page = load("broken")
    page.find_element("tag name", "body").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("href").endswith("#checks")
    summary = page.find_element("css selector", "details.pass > summary")
    summary.send_keys(Keys.ENTER)
    assert page.find_element("css selector", "details.pass").get_attribute("open") is not None


def test_failures_are_printed_in_full_and_the_rest_by_name(load: Any) -> None:
    page = load("broken")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.execute_script("document.querySelector('details.fail').open = false")

    def visible(query: str) -> bool:
        return bool(page.execute_script(f"return document.querySelector({query!r}).checkVisibility()"))

    for query in ("details.fail .next", "details.fail .decisive", "details.pass > summary", ".printed"):
        assert visible(query), query
    for query in ("details.pass .body", ".hint", ".gap", "#message-0", "#other-sessions"):
        assert not visible(query), query
    sheets = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", sheets)) <= 4

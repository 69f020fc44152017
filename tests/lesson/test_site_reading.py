"""What a reader does with the pages: filter, follow links, search, change the light, use the keyboard, print."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from selenium.webdriver.common.keys import Keys

from grader.cli import main
from grader.lesson.site import PAGES, render
from grader.lesson.site.pdf import printed
from tests import browser as browsing
from tests.lesson.conftest import Open

pytestmark = pytest.mark.browser

SHEETS = [page.name for page in PAGES if page.sheet]


def seen(page: Any, selector: str) -> list[str]:
    """The texts of the elements that are to be seen."""
    visible = "[...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility())"
    found: list[str] = page.execute_script(f"return {visible}.map(one => one.innerText)", selector)
    return found


def type_into(page: Any, selector: str, *keys: str) -> None:
    page.find_element("css selector", selector).send_keys(*keys)


def in_view(page: Any, id_: str) -> bool:
    """Whether the head of what has this id is to be seen, and not behind what stays at the top."""
    script = """
        const target = document.getElementById(arguments[0]);
        const head = target.querySelector(".self").getBoundingClientRect();
        const there = document.elementFromPoint(head.left + 3, head.top + 3);
        return there !== null && target.contains(there);
    """
    return bool(page.execute_script(script, id_))


def test_a_filter_leaves_what_holds_the_words(open_page: Open) -> None:
    page = open_page("replies")
    every = len(seen(page, ".entry"))
    type_into(page, "#filter", "login_maps ceo")
    assert seen(page, ".glance tbody th") == ["553"]
    assert [text.splitlines()[0] for text in seen(page, ".entry")] == ["553, mailbox name not allowed"]
    assert seen(page, ".found") == [f"1 of {every} codes"]
    type_into(page, "#filter", Keys.ESCAPE)
    assert len(seen(page, ".entry")) == every


@pytest.mark.parametrize(
    ("name", "anchor"),
    [("commands", "cmd-rcpt"), ("replies", "reply-554"), ("ports", "open-relay"), ("glossary", "mua")],
)
def test_a_deep_link_leads_to_its_entry(open_page: Open, name: str, anchor: str) -> None:
    for width in (360, 800, 1280):
        browsing.until(open_page(name, f"#{anchor}", width=width), lambda page: in_view(page, anchor))


def test_a_link_shows_what_the_filter_hid(open_page: Open) -> None:
    page = open_page("commands")
    type_into(page, "#filter", "etrn")
    assert "EHLO" not in seen(page, ".entry h3 .self")
    page.execute_script("location.hash = '#cmd-ehlo'")
    browsing.until(page, lambda page: "EHLO" in seen(page, ".entry h3 .self"))
    browsing.until(page, lambda page: in_view(page, "cmd-ehlo"))


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("554", "554, refused"),
        ("rcpt", "RCPT TO"),
        ("dmarc", "DMARC"),
        ("mail user agent", "MUA"),
        ("port 25", "Port 25, smtp"),
    ],
)
def test_the_search_finds_the_best_first(open_page: Open, words: str, first: str) -> None:
    page = open_page("search")
    type_into(page, "#q", words)
    assert seen(page, "#results a")[0] == first
    assert seen(page, "#index") == []


def test_every_page_can_search(open_page: Open) -> None:
    page = open_page("commands")
    type_into(page, ".top input", "alignment", Keys.ENTER)
    browsing.until(page, lambda page: "search.html?q=alignment" in page.current_url)
    browsing.until(page, lambda page: seen(page, "#results a")[:1] == ["Alignment"])
    page.switch_to.active_element.send_keys(Keys.ENTER)
    browsing.until(page, lambda page: page.current_url.endswith("glossary.html#alignment"))
    assert browsing.console(page) == []


def test_the_keyboard_suffices_on_a_phone(open_page: Open) -> None:
    page = open_page("commands", width=360)
    assert seen(page, "#menu") == []
    type_into(page, "body", Keys.TAB)
    assert page.switch_to.active_element.get_attribute("href").endswith("#main")
    type_into(page, ".menu-button", Keys.ENTER)
    assert len(seen(page, "#menu")) == 1
    type_into(page, "#menu a[href='glossary.html']", Keys.ENTER)
    browsing.until(page, lambda page: page.current_url.endswith("glossary.html"))


@browsing.in_fresh_browsers
def test_the_light_is_chosen_and_remembered(open_page: Open) -> None:
    def paper(page: Any) -> str:
        return str(page.execute_script("return getComputedStyle(document.body).backgroundColor"))

    light = paper(open_page("index"))
    page = open_page("index", dark=True)
    dark = paper(page)
    assert dark != light

    def choose_light() -> None:
        type_into(page, ".theme", Keys.ENTER)
        assert paper(page) == light

    def light_elsewhere() -> bool:
        page.get(page.current_url.replace("index", "session"))
        return paper(page) == light

    browsing.again_until(choose_light, light_elsewhere)
    type_into(page, ".theme", Keys.ENTER)
    assert paper(page) == dark
    assert page.execute_script("return localStorage.getItem('smtplab-theme')") is None


@browsing.in_fresh_browsers
def test_how_far_one_is_on_the_way_is_kept(open_page: Open) -> None:
    def done(number: int) -> Callable[[Any], bool]:
        return lambda page: bool(seen(page, "#way-count") == [f"{number} of 16 steps done."])

    page = open_page("index")
    browsing.forget(page)
    assert done(0)(open_page("index"))
    browsing.again_until(lambda: open_page("travel"), lambda: seen(open_page("index"), ".seen") == ["opened"])
    browsing.again_until(
        lambda: page.find_element("css selector", "#done-travel").click(), lambda: done(1)(open_page("index"))
    )
    assert seen(page, "#way-next a") == ["Conversations"]
    page.find_element("css selector", "#way-anew").click()
    assert seen(page, "#way-count") == ["0 of 16 steps done."]
    assert browsing.console(page) == []


def test_the_drawing_fits_its_place(open_page: Open) -> None:
    assert len(seen(open_page("travel", width=1280), ".pipeline.wide text")) > 20
    assert seen(open_page("travel", width=360), ".pipeline.wide") == []
    page = open_page("travel", width=360)
    texts = "[...document.querySelectorAll('.pipeline.tall text')]"
    heights = page.execute_script(f"return {texts}.map(one => one.getBoundingClientRect().height)")
    assert min(heights) >= 11


def test_pages_are_whole_without_their_scripts(browser: Any, site: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        for name in ("replies", "search", "travel"):
            page = browsing.show(browser, f"{(site / name).as_uri()}.html", width=360)
            text = page.find_element("tag name", "main").text
            assert len(text) > 5_000
            assert not any(tool.is_displayed() for tool in page.find_elements("css selector", ".tools"))
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_is_printed_on_one_or_two_pages(open_page: Open, name: str) -> None:
    page = open_page(name, dark=True)
    shot = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False})
    pdf = PdfReader(io.BytesIO(base64.b64decode(shot["data"])))
    assert 1 <= len(pdf.pages) <= 2
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]
    text = pdf.pages[0].extract_text()
    assert next(page.title for page in PAGES if page.name == name) in text
    assert f"page 1 of {len(pdf.pages)}" in text


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_sheets_become_tagged_pdf_without_links_to_nowhere() -> None:
    [data] = printed({"commands": render()["commands.html"]}).values()
    pdf = PdfReader(io.BytesIO(data))
    root: Any = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "RCPT TO" in pdf.pages[0].extract_text()
    notes = [note.get_object() for page in pdf.pages for note in page.get("/Annots", [])]
    links = [note["/A"]["/URI"] for note in notes if "/URI" in note.get("/A", {})]
    assert links
    assert all(link.startswith("https://www.rfc-editor.org/") for link in links)


def test_a_missing_browser_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_BROWSER", "no-such-browser")
    assert main(["lesson", "build", "--pdf", str(tmp_path / "lesson")]) == 2
    assert "SMTPLAB_BROWSER names 'no-such-browser', which is no program" in capsys.readouterr().err
    monkeypatch.setenv("SMTPLAB_BROWSER", "false")
    assert main(["lesson", "build", "--pdf", str(tmp_path / "lesson")]) == 3
    assert "false printed no sheet: " in capsys.readouterr().err
    assert not (tmp_path / "lesson").exists()

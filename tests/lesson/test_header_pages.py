"""The header builder and the header analyser in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.formats.message import check_message
from grader.lesson.analyser.examples import examples
from tests import browser as browsing
from tests.lesson.conftest import Open

pytestmark = pytest.mark.browser

DROP = """
const moved = new DataTransfer();
moved.items.add(new File([arguments[0]], "dropped.eml"));
document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: moved, bubbles: true, cancelable: true}));
"""


def text(page: Any, id_: str) -> str:
    found: str = page.find_element("id", id_).get_attribute("textContent")
    return found


def put(page: Any, id_: str, value: str) -> None:
    """Type into a field, as a paste does: with line breaks and all."""
    page.execute_script(
        "arguments[0].focus(); arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input', {bubbles: true})); arguments[0].blur();",
        page.find_element("id", f"field-{id_}"),
        value,
    )


@pytest.fixture
def builder(open_page: Open) -> Any:
    return open_page("header-builder")


def test_a_message_is_built_with_the_keyboard_alone(builder: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    builder.find_element("id", "field-from").click()
    typed = ["Zoë <zoe@example.com>", "bob@elsewhere.example", "", "eve@example.org", "Grüße"]
    ActionChains(builder).send_keys(Keys.TAB.join(typed) + Keys.ENTER).perform()
    assert builder.switch_to.active_element.get_attribute("id") == "field-subject"
    lines = [one.text for one in builder.find_elements("css selector", "#finished pre")]
    assert lines[0] == "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.com>"
    assert lines[1:4] == [
        "To: bob@elsewhere.example",
        "Bcc: eve@example.org",
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=",
    ]
    assert "left out" in builder.find_element("css selector", "#finished .removed .why").text
    assert text(builder, "envelope").splitlines()[1:] == [
        "RCPT TO:<bob@elsewhere.example>",
        "RCPT TO:<eve@example.org>",
    ]
    assert text(builder, "verdict").startswith("Ready")
    message = builder.execute_script(
        "return smtplab.compose(Object.fromEntries(smtplab.data().fields.map(one =>"
        "[one.id, document.getElementById('field-' + one.id).value])), smtplab.data()).message"
    )
    assert check_message(message.encode("latin-1")) == []
    assert "eve@example.org" not in message


def test_an_error_stands_at_its_field_with_an_example_and_is_led_to(builder: Any) -> None:
    put(builder, "from", "Alice alice@example.com")
    put(builder, "in-reply-to", "4711@example.com")
    field = builder.find_element("id", "field-from")
    assert field.get_attribute("aria-invalid") == "true"
    assert "error-from" in field.get_attribute("aria-describedby").split()
    told = text(builder, "error-from")
    assert "white space stands inside the address" in told
    assert "Example: Alice Baker <alice@example.com>" in told
    assert "RFC 5322 section 3.4.1" in told
    assert text(builder, "verdict") == "Not yet: 2 fields to fix."
    for button in ("copy", "download", "hand-over"):
        assert not builder.find_element("id", button).is_enabled()
    builder.find_elements("css selector", "#problems a")[1].click()
    assert builder.switch_to.active_element.get_attribute("id") == "field-in-reply-to"
    put(builder, "from", "Alice <alice@example.com>")
    put(builder, "in-reply-to", "")
    assert field.get_attribute("aria-invalid") is None
    assert text(builder, "error-from") == ""
    assert browsing.axe(builder) == []


@pytest.mark.parametrize(
    "field", ["subject", "from", "to", "comments", "message-id", "list-id", "x-mailer", "date"]
)
def test_a_pasted_line_break_makes_no_field(builder: Any, field: str) -> None:
    builder.find_element("id", "example").click()
    put(
        builder,
        field,
        builder.find_element("id", f"field-{field}").get_property("value") + "\r\nX-Injected: yes",
    )
    assert "header injection" in text(builder, f"error-{field}")
    assert "X-Injected" not in text(builder, "finished")
    assert not builder.find_element("id", "copy").is_enabled()


def test_nobody_is_scolded_in_the_middle_of_a_word(builder: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    field = builder.find_element("id", "field-from")
    for typed in ("", "Alice"):
        field.send_keys(typed)
        assert text(builder, "verdict") == "Still to be completed: From."
        assert "bad" not in builder.find_element("id", "verdict").get_attribute("class").split()
        assert text(builder, "problems") == ""
    assert text(builder, "error-from") == ""
    assert field.get_attribute("aria-invalid") is None
    field.send_keys(Keys.TAB)
    assert "has no @" in text(builder, "error-from")
    assert text(builder, "verdict") == "Not yet: 1 field to fix."
    field.send_keys(" <alice@example.com>")
    assert text(builder, "error-from") == ""


def test_date_and_identifier_are_made_here_and_keep_the_rules(builder: Any) -> None:
    builder.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kathmandu"})
    try:
        put(builder, "from", "alice@example.com")
        put(builder, "to", "bob@example.com")
        before = builder.find_element("id", "field-message-id").get_property("value")
        builder.find_element("id", "new-date").click()
        builder.find_element("id", "new-message-id").click()
        assert builder.find_element("id", "field-date").get_property("value").endswith(" +0545")
        after = builder.find_element("id", "field-message-id").get_property("value")
        assert after != before
        assert after.endswith("@example.com>")
        assert text(builder, "verdict").startswith("Ready")
    finally:
        builder.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_copy_and_download_give_the_message(builder: Any, tmp_path: Path) -> None:
    builder.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    builder.find_element("id", "example").click()
    builder.find_element("id", "download").click()
    file = tmp_path / "message.eml"
    browsing.until(builder, lambda _: file.is_file() and file.stat().st_size)
    raw = file.read_bytes()
    assert check_message(raw) == []
    assert raw.count(b"\r\n") == raw.count(b"\n")
    builder.find_element("id", "copy").click()
    browsing.until(builder, lambda page: text(page, "said") == "Copied")
    builder.find_element("id", "hand-over").click()
    browsing.until(builder, lambda page: "header-analyser" in page.current_url)
    browsing.until(builder, lambda page: "0 faults" in text(page, "said"))
    assert "Alice Bäcker" in text(builder, "summary")


def test_a_message_is_handed_over_where_a_browser_forbids_to_store(browser: Any, open_page: Open) -> None:
    refused = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError'); }});"
    made = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": refused})
    try:
        page = open_page("header-builder")
        page.find_element("id", "example").click()
        page.find_element("id", "hand-over").click()
        browsing.until(page, lambda page: "0 faults" in text(page, "said"))
        assert page.current_url.endswith("header-analyser.html")
        assert "Alice Bäcker" in text(page, "summary")
    finally:
        browser.execute_cdp_cmd(
            "Page.removeScriptToEvaluateOnNewDocument", {"identifier": made["identifier"]}
        )


def test_a_damaged_message_in_the_address_is_told(open_page: Open) -> None:
    page = open_page("header-analyser", "#message=%E4%")
    assert text(page, "said") == "The message in this page's address is damaged: paste it here instead."


def test_each_line_is_explained_and_leads_to_its_sheet(builder: Any) -> None:
    builder.find_element("id", "example").click()
    items = builder.find_elements("css selector", "#finished li")
    assert len(items) == 9
    for item in items:
        assert item.find_element("css selector", ".why a").get_attribute("href")
        assert len(item.find_element("css selector", ".why").text) > 20
    marks = builder.execute_script(
        "return [...document.querySelectorAll('#finished pre span')].map((line) =>"
        " [/^[ \\t]/.test(line.textContent), getComputedStyle(line, '::before').content.startsWith('\"\u21b3')])"
    )
    assert any(folded for folded, _ in marks)
    assert all(folded == marked for folded, marked in marks), "an arrow marks what is folded, and that alone"
    assert builder.find_element("css selector", ".folds").is_displayed()
    builder.find_element("id", "explain").click()
    assert not items[0].find_element("css selector", ".why").is_displayed()


def test_examples_are_analysed_by_their_links(open_page: Open) -> None:
    looks = {"forged": (360, True), "list": (1280, False)}
    for example in examples():
        width, dark = looks.get(example.id, (800, True))
        page = open_page("header-analyser", f"#example-{example.id}", width=width, dark=dark)
        assert len(page.find_elements("css selector", "#results section")) >= 5
        assert not browsing.too_wide(page, width)
        assert browsing.console(page) == []
        if example.id in looks:
            assert browsing.axe(page) == []


def test_the_forged_one_is_seen_through(open_page: Open) -> None:
    page = open_page("header-analyser")
    page.find_element("css selector", "[data-example=forged]").click()
    warned = [one.text for one in page.find_elements("css selector", "#findings .bad, #findings .care")]
    assert any("service@bank.example" in one for one in warned)
    assert any("bear the name of your own server" in one for one in warned)
    assert "30 min 58 s back in time" in text(page, "way")
    assert "weekday" in text(page, "faults")
    # A result that came with the message is told without the colour of success.
    cards = page.find_elements("css selector", "#checked .result-card")
    assert cards[1].find_elements("css selector", ".good") == []
    page.find_element("css selector", ".own summary").click()
    page.find_element("id", "own").send_keys("bank.example")
    browsing.until(page, lambda page: text(page, "own-shown") == "bank.example")
    browsing.until(page, lambda page: "only claimed" in page.find_elements("css selector", ".hop")[2].text)


def test_a_file_is_opened_or_dropped_byte_for_byte(open_page: Open, tmp_path: Path) -> None:
    page = open_page("header-analyser")
    latin = (
        b"From: a@example.com\r\nDate: Sat, 21 Feb 2026 10:00 +0000\r\nSubject: Gr\xfc\xdfe\r\n\r\nHello\r\n"
    )
    (tmp_path / "latin.eml").write_bytes(latin)
    page.find_element("id", "file").send_keys(str(tmp_path / "latin.eml"))
    browsing.until(page, lambda page: "0xFC" in text(page, "results"))
    page.execute_script(DROP, "From: b@example.com\nSubject: dropped\n\nHello\n")
    browsing.until(page, lambda page: "dropped" in text(page, "results"))
    # What has line feeds alone was saved, not sent: no fault of the message.
    assert "LF alone" not in text(page, "faults")


def test_a_hostile_message_is_text_and_does_not_hang(open_page: Open, tmp_path: Path) -> None:
    page = open_page("header-analyser")
    evil = b"<img src=x onerror=alert(1)><script>alert(1)</script>"
    hops = b"".join(
        b"Received: from %d.example (%s [192.0.2.1]) by %s; x\r\n" % (n, evil, evil) for n in range(3000)
    )
    raw = hops + b"From: \xe2\x80\xae" + evil + b"\r\nSubject: " + b"=?utf-8?Q?a?= " * 20000 + b"\r\n"
    raw += b"X: " + b"(" * 100_000 + b'"' * 100_000 + b"\r\n\r\n" + b"\xff" * 300_000
    (tmp_path / "evil.eml").write_bytes(raw)
    assert len(raw) > 1_000_000
    before = browsing.computed(page)
    page.find_element("id", "file").send_keys(str(tmp_path / "evil.eml"))
    browsing.until(page, lambda page: "Analysed in" in text(page, "said"))
    assert 0 < browsing.computed(page) - before < 5
    assert page.find_elements("css selector", "#results img, #results script") == []
    assert "\u202e" not in text(page, "results")
    assert "3000 Received fields" in text(page, "results")


def test_nothing_leaves_the_page(open_page: Open) -> None:
    page = open_page("header-analyser", "#example-good")
    refused = page.execute_async_script(
        "const done = arguments[0];"
        "window['fet' + 'ch']('https://example.com/').then(() => done(false), () => done(true));"
    )
    assert refused
    assert any("connect-src 'none'" in message or "violates" in message for message in browsing.console(page))

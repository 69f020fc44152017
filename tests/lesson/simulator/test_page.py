"""The simulator's page in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.lesson.simulator import transcript
from grader.lesson.simulator.table import table
from tests import browser as browsing
from tests.lesson.conftest import Open

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror=alert(1)> \u202e\x1b[31m "&amp;'


def enter(page: Any, *lines: str) -> None:
    for line in lines:
        page.find_element("id", "line").send_keys(line, "\n")


def log(page: Any) -> list[str]:
    return [one.text for one in page.find_elements("css selector", "#log .line")]


def last_server_line(page: Any) -> str:
    text: str = page.find_elements("css selector", "#log .server .line")[-1].text
    return text


def state(page: Any) -> str:
    text: str = page.find_element("id", "state").text
    return text.replace("\n", ", ")


def held(page: Any) -> str:
    """The transcript as the page would hand it out."""
    page.execute_script(
        "window.got = null; const make = URL.createObjectURL;"
        "URL.createObjectURL = blob => { blob.text().then(text => window.got = text); return make.call(URL, blob); }"
    )
    page.find_element("id", "download").click()
    text: str = page.execute_async_script(
        "const done = arguments[0]; (function look() { window.got ? done(window.got) : setTimeout(look, 5); })()"
    )
    return text


def test_a_message_by_keyboard_alone(open_page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    page = open_page("simulator")
    for _ in range(40):
        if page.switch_to.active_element.get_attribute("id") == "line":
            break
        page.switch_to.active_element.send_keys(Keys.TAB)
    field = page.switch_to.active_element
    field.send_keys("EHLO client.example\n", "MAIL FROM:<a@third.example>\n", "RCPT TO:<bob@example.com>\n")
    assert "in a transaction, 1 recipient" in state(page)
    field.send_keys("DATA\n")
    assert page.find_element("id", "line-label").text == "Line of the message"
    field.send_keys("Subject: x\n", "\n", ".\n")
    assert last_server_line(page).startswith("250 2.0.0 Ok: queued as")
    field.send_keys("QUIT\n")
    assert "closed" in state(page)
    assert page.switch_to.active_element.get_attribute("id") == "restart"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert log(page) == ["220 mail.example.com ESMTP Postfix"]
    assert page.switch_to.active_element.get_attribute("id") == "line"


def test_a_login_by_mouse_alone(open_page: Open) -> None:
    page = open_page("simulator")
    page.find_element("css selector", "#listener option[value=submission]").click()

    def press(label: str) -> None:
        (button,) = (one for one in page.find_elements("css selector", "#quick button") if one.text == label)
        button.click()
        if page.find_element("id", "line").get_attribute("value"):
            page.find_element("id", "send").click()

    offered = ["EHLO", "STARTTLS", "EHLO", "AUTH PLAIN", "MAIL FROM", "RCPT TO", "DATA"]
    for label in offered:
        assert page.find_element("css selector", "#quick .next").text == label
        press(label)
    for label in ("Subject", "Empty line", "Text", "The dot"):
        press(label)
    assert last_server_line(page).startswith("250 2.0.0 Ok: queued as")
    assert "encrypted, logged in as alice" in state(page)
    assert "TLS begins" in log(page)


def test_the_history(open_page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    page = open_page("simulator")
    browsing.forget(page, empty="JSON.parse(localStorage['smtplab-simulator']).history.length === 0")
    enter(page, "NOOP", "HELP")
    field = page.find_element("id", "line")
    seen = []
    field.send_keys("unfinished")
    for key in (Keys.UP, Keys.UP, Keys.UP, Keys.DOWN, Keys.DOWN):
        field.send_keys(key)
        seen.append(field.get_attribute("value"))
    assert seen == ["HELP", "NOOP", "NOOP", "HELP", "unfinished"]


def test_replies_are_explained_with_links_that_lead_somewhere(open_page: Open, site: Path) -> None:
    page = open_page("simulator")
    enter(page, "RCPT TO:<x@elsewhere.example>", "MAIL FROM:<a@b>", "RCPT TO:<x@elsewhere.example>")
    about = page.find_elements("css selector", "#log .about")[-1]
    assert "open relay" in about.text
    links = [one.get_attribute("href") for one in about.find_elements("tag name", "a")]
    assert any(link.endswith("replies.html#reply-554") for link in links)
    for link in links:
        file, _, anchor = link.rpartition("/")[2].partition("#")
        assert f'id="{anchor}"' in (site / file).read_text(encoding="utf-8")
    page.find_element("id", "explain").click()
    assert not about.is_displayed()


@pytest.mark.parametrize(
    ("switch", "lines", "code"),
    [
        ("greylisting", ["MAIL FROM:<a@b>", "RCPT TO:<bob@example.com>"], "450 4.2.0"),
        ("full-mailbox", ["MAIL FROM:<a@b>", "RCPT TO:<bob@example.com>"], "452 4.2.2"),
        ("no-such-user", ["MAIL FROM:<a@b>", "RCPT TO:<bob@example.com>"], "550 5.1.1"),
        ("size-limit", ["MAIL FROM:<a@b> SIZE=2000"], "552 5.3.4"),
    ],
)
def test_the_switches(open_page: Open, switch: str, lines: list[str], code: str) -> None:
    page = open_page("simulator", f"?switches={switch}")
    assert page.find_element("id", f"switch-{switch}").is_selected()
    enter(page, *lines)
    assert last_server_line(page).startswith(code)
    box = page.find_element("id", f"switch-{switch}")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", box)
    box.click()
    enter(page, *lines)
    assert last_server_line(page).startswith("250")


def test_a_transcript_goes_out_and_comes_back(open_page: Open) -> None:
    page = open_page("simulator", "?listener=submissions&switches=full-mailbox")
    enter(page, "EHLO x", "AUTH LOGIN", "YWxpY2U=", "YWxpY2Utc2VjcmV0", "MAIL FROM:<alice@example.com>")
    enter(
        page,
        "RCPT TO:<bob@example.com>",
        "RCPT TO:<alice@example.com>",
        "DATA",
        "Subject: x",
        "",
        ".",
        "QUIT",
    )
    text = held(page)
    read = transcript.read(text, table().server)
    assert read.scene == transcript.Scene("submissions", "stranger", ("full-mailbox",))
    assert transcript.write(read.scene, read.turns) == "\n".join(
        line for line in text.split("\n") if not line.startswith("*")
    )
    before = log(page)
    page = open_page("simulator", "?listener=smtp")
    page.find_element("css selector", "#play summary").click()
    page.execute_script("document.getElementById('transcript').value = arguments[0]", text)
    page.find_element("css selector", "#play-form button").click()
    assert log(page) == before
    assert "The server said what it says in the transcript" in page.find_element("id", "result").text
    assert held(page) == text


def test_a_transcript_of_other_replies_is_noticed_and_a_broken_one_refused(open_page: Open) -> None:
    page = open_page("simulator")
    page.find_element("css selector", "#play summary").click()
    area = page.find_element("id", "transcript")
    for text, told in (
        ("C: NOOP\nhello", "Line 2: a line begins with"),
        ("# listener: imap\nC: NOOP", "There is no listener “imap”"),
        ("", "There is no command in it"),
    ):
        area.clear()
        area.send_keys(text)
        page.find_element("css selector", "#play-form button").click()
        assert told in page.find_element("id", "play-problem").text
        assert area.get_attribute("aria-invalid") == "true"
    area.clear()
    area.send_keys("S: 220 other.example\nC: NOOP\nS: 250 Ok")
    page.find_element("css selector", "#play-form button").click()
    assert "Reply line 1 is another now" in page.find_element("id", "result").text


def test_a_session_of_the_lesson_is_played(open_page: Open) -> None:
    page = open_page("simulator", "?play=session")
    assert last_server_line(page) == "221 2.0.0 Bye"
    assert "encrypted, logged in as alice" in state(page)
    page.find_element("css selector", "#play summary").click()
    page.find_element("css selector", "[data-session=session-refused]").click()
    assert any("Relay access denied" in line for line in log(page))
    assert "in the clear" in state(page)
    links = open_page("session").find_elements("css selector", "a[href='simulator.html?play=session']")
    assert len(links) == 1


def test_a_file_is_opened(open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "session.txt").write_text("NOOP\nHELP\n")
    page = open_page("simulator")
    page.find_element("css selector", "#play summary").click()
    page.find_element("id", "file").send_keys(str(tmp_path / "session.txt"))
    page.execute_async_script(
        "const done = arguments[0], text = document.getElementById('result');"
        "(function look() { text.textContent ? done() : setTimeout(look, 5); })()"
    )
    assert last_server_line(page).startswith("214 2.0.0")


def test_hostile_text_is_shown_and_nothing_else(open_page: Open) -> None:
    page = open_page("simulator")
    browsing.console(page)
    script = "document.getElementById('line').value = arguments[0]; document.getElementById('send').click()"
    for line in (f"MAIL FROM:<a@b> {HOSTILE}", f"VRFY {HOSTILE}", HOSTILE):
        page.execute_script(script, line)
    assert browsing.console(page) == []
    assert not page.find_elements("css selector", "#log img")
    shown = "\n".join(log(page))
    assert "\\x1b[31m" in shown
    assert "\\u202e" in shown
    assert "\u202e" not in shown


def test_a_session_under_way_is_accessible_and_fits(open_page: Open) -> None:
    page = open_page("simulator", "?switches=greylisting", width=360)
    enter(page, "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<" + "x" * 200 + "@example.com>", "FOO", "QUIT")
    browsing.accessible(page, ((360, False), (800, True), (1280, False), (1280, True)))
    assert browsing.console(page) == []

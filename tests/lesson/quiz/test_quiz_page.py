"""The knowledge check in a real browser: each kind of question by mouse and by keyboard, and what is kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader.kinds.quiz.draw import arrange, draw
from grader.kinds.quiz.judge.marking import mark
from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Question, Single, choices
from grader.lesson import library
from tests import browser as browsing
from tests.lesson.conftest import Open

pytestmark = pytest.mark.browser
QUESTIONS = library().questions
ENTER, TAB, SPACE, DOWN = "\ue007", "\ue004", " ", "\ue015"


@pytest.fixture(autouse=True)
def nothing_kept(open_page: Open) -> None:
    """A browser that remembers no answers."""
    # Each page notes that it was opened.
    browsing.forget(open_page("quiz"), empty="localStorage.getItem('smtplab-quiz') === null")


def seed_with(kind: type[Question]) -> tuple[str, int]:
    """A seed whose check has a question of that kind, and at which place."""
    for number in range(200):
        for place, question in enumerate(draw(QUESTIONS, f"k{number}"), 1):
            if isinstance(question, kind):
                return f"k{number}", place
    raise AssertionError(f"no draw has a {kind.__name__}")


def question_at(seed: str, place: int) -> Question:
    return draw(QUESTIONS, seed)[place - 1]


def press(page: Any, *keys: str) -> None:
    """Type keys to whatever has the focus."""
    from selenium.webdriver import ActionChains

    actions = ActionChains(page)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def tab_to(page: Any, wanted: Callable[[Any], bool]) -> Any:
    """Press Tab until an element has the focus; fails where it cannot be reached."""
    for _ in range(40):
        active = page.switch_to.active_element
        if wanted(active):
            return active
        press(page, TAB)
    raise AssertionError("it cannot be reached by Tab")


def card(page: Any, place: int) -> Any:
    return page.find_element("id", f"q{place}")


def verdict(page: Any, place: int) -> str:
    return str(card(page, place).find_element("css selector", ".verdict").text)


def click(element: Any) -> None:
    element.parent.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element
    )
    element.click()


def buttons(page: Any, place: int) -> dict[str, Any]:
    found = card(page, place).find_elements("css selector", ".actions button")
    return {button.text: button for button in found if button.is_displayed()}


def put_right(page: Any, seed: str, place: int, *, wrong: bool = False) -> None:
    """Answer a question by mouse: rightly, or with one mistake."""
    question, form = question_at(seed, place), card(page, place)
    shown = arrange(question, seed)
    if isinstance(question, Single | Multiple):
        for position, at in enumerate(shown):
            box = form.find_element("id", f"q{place}-{position}")
            wanted = question.options[at].right != (wrong and isinstance(question, Single))
            if isinstance(question, Multiple) and wrong and position == shown.index(0):
                wanted = not wanted
            if wanted and not box.is_selected():
                click(box)
    elif isinstance(question, Fill):
        text = "nothing like it" if wrong else next(a.text for a in question.answers if a.right)
        form.find_element("id", f"q{place}-0").send_keys(f" {text.upper()} ")
    elif isinstance(question, Match):
        selects = form.find_elements("css selector", "select")
        for at, select in enumerate(selects):
            value = shown.index((at + wrong) % len(shown))
            page.execute_script("arguments[0].value = String(arguments[1])", select, value)
    else:
        bubble(page, question, place, wrong=wrong)


def bubble(page: Any, question: OrderItems, place: int, *, wrong: bool) -> None:
    """Put items in order with their arrows."""
    texts = [item.text.replace("`", "") for item in question.items]
    wanted = [*texts[1:], texts[0]] if wrong else texts
    for position, text in enumerate(wanted):
        while True:
            rows = [row.text for row in card(page, place).find_elements("css selector", ".order-text")]
            if rows.index(text) == position:
                break
            click(card(page, place).find_element("css selector", f'[aria-label="Move up: {text}"]'))


@pytest.mark.parametrize("kind", [Single, Multiple, OrderItems, Match, Fill])
def test_a_question_is_answered_by_mouse(open_page: Open, kind: type[Question]) -> None:
    seed, place = seed_with(kind)
    page = open_page("quiz", f"#seed={seed}")
    put_right(page, seed, place, wrong=True)
    click(buttons(page, place)["Check the answer"])
    assert "0 of 10 points" in verdict(page, place) or "Partly right" in verdict(page, place)
    assert set(buttons(page, place)) == {"Try again", "Show the solution"}
    missed = [said.text for said in mark(question_at(seed, place), []).said]
    assert not any(text.replace("`", "") in verdict(page, place) for text in missed), (
        "the solution is told too soon"
    )
    read = card(page, place).find_element("css selector", ".verdict .reading")
    assert read.text == "Look it up"
    assert read.find_elements("css selector", "a[href]")
    click(buttons(page, place)["Show the solution"])
    said = mark(question_at(seed, place), []).said
    assert any(one.text.replace("`", "") in verdict(page, place) for one in said)
    assert buttons(page, place) == {}
    assert card(page, place).find_elements("css selector", "a[href]")


def answer_by_keys(page: Any, seed: str, place: int) -> None:
    """Answer a question rightly with the keyboard alone, from the top of its card."""
    question = question_at(seed, place)
    shown = arrange(question, seed)
    page.execute_script(f"document.getElementById('q{place}').querySelector('fieldset').focus()")
    page.execute_script(
        "const first = arguments[0].querySelector('input, select, button:not(:disabled)'); first.focus()",
        card(page, place),
    )
    if isinstance(question, Single):
        position = shown.index(next(at for at, option in enumerate(question.options) if option.right))
        press(page, SPACE, *[DOWN] * position)
    elif isinstance(question, Multiple):
        for at in shown:
            press(page, *([SPACE] if question.options[at].right else []), TAB)
    elif isinstance(question, Fill):
        press(page, next(answer.text for answer in question.answers if answer.right))
    elif isinstance(question, Match):
        for at in range(len(question.pairs)):
            press(page, *[DOWN] * (shown.index(at) + 1), TAB)
    else:
        for position, item in enumerate(question.items):
            label = f"Move up: {item.text}".replace("`", "")
            while True:
                rows = [row.text for row in card(page, place).find_elements("css selector", ".order-text")]
                if rows.index(item.text.replace("`", "")) == position:
                    break
                page.execute_script(
                    "arguments[0].focus()",
                    card(page, place).find_element("css selector", f'[aria-label="{label}"]'),
                )
                press(page, SPACE)
                assert "is now number" in page.find_element("id", "quiz-say").get_attribute("textContent")
    tab_to(page, lambda active: active.text == "Check the answer")
    press(page, ENTER)


@pytest.mark.parametrize("kind", [Single, Multiple, OrderItems, Match, Fill])
def test_a_question_is_answered_by_keyboard(open_page: Open, kind: type[Question]) -> None:
    seed, place = seed_with(kind)
    page = open_page("quiz", f"#seed={seed}")
    answer_by_keys(page, seed, place)
    assert verdict(page, place).startswith("Right. 10 of 10 points."), verdict(page, place)
    active = page.switch_to.active_element
    assert "verdict" in active.get_attribute("class"), "a screen reader is told the verdict by the focus"
    assert page.find_element("id", "quiz-score").text == "1 of 10 answered, 10 of 100 points"


@browsing.in_fresh_browsers
def test_the_first_answer_counts_and_a_later_one_is_noted(open_page: Open) -> None:
    seed, place = seed_with(Fill)
    page = open_page("quiz", f"#seed={seed}")

    def answer_twice() -> None:
        click(buttons(page, place)["Check the answer"])
        assert verdict(page, place).startswith("No answer yet.")
        put_right(page, seed, place, wrong=True)
        press(page, ENTER)
        click(buttons(page, place)["Try again"])
        field = card(page, place).find_element("id", f"q{place}-0")
        assert page.switch_to.active_element == field
        field.clear()
        put_right(page, seed, place)
        press(page, ENTER)
        assert "Your first answer counts: 0 of 10 points." in verdict(page, place)
        assert page.find_element("id", "quiz-score").text == "1 of 10 answered, 0 of 100 points"

    def still_there() -> bool:
        page.refresh()
        return "Your first answer counts" in verdict(page, place)

    browsing.again_until(answer_twice, still_there)
    click(page.find_element("id", "quiz-forget"))
    assert page.find_element("id", "quiz-score").text == "0 of 10 answered, 0 of 100 points"


def test_a_whole_check_gives_a_result_and_a_file(open_page: Open, browser: Any, tmp_path: Path) -> None:
    seed = "whole-1"
    page = open_page("quiz", f"#seed={seed}")
    for place in range(1, 11):
        put_right(page, seed, place, wrong=place == 4)
        click(buttons(page, place)["Check the answer"])
    score = int(page.find_element("css selector", "#quiz-summary .total").text.split()[0])
    question = question_at(seed, 4)
    assert 90 <= score < 100
    assert "9 of 10 right at once." in page.find_element("id", "quiz-summary").text
    assert question.topic in page.find_element("id", "quiz-summary").text
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior",
        {"behavior": "allow", "downloadPath": str(tmp_path), "eventsEnabled": False},
    )
    click(page.find_element("id", "quiz-export"))
    saved = tmp_path / "smtplab-quiz.json"
    browsing.until(page, lambda page: saved.is_file() and saved.stat().st_size)
    document = json.loads(saved.read_text())
    assert document["checks"][0]["seed"] == seed
    assert sum(answer["points"] for answer in document["checks"][0]["answers"]) == score
    assert browsing.console(page) == []
    click(page.find_element("id", "quiz-next"))
    browsing.until(page, lambda page: seed not in page.current_url)
    assert page.find_element("id", "quiz-score").text == "0 of 10 answered, 0 of 100 points"


def test_the_address_holds_the_check(open_page: Open) -> None:
    page = open_page("quiz", "#seed=week-3&topic=ports")
    shown = [one.text for one in page.find_elements("css selector", ".ask")]
    ports = [question for question in QUESTIONS if question.topic == "ports"]
    assert shown == [question.ask.replace("`", "") for question in draw(ports, "week-3")]
    field = page.find_element("id", "quiz-seed")
    field.clear()
    field.send_keys("no/seed", ENTER)
    assert page.find_element("id", "quiz-trouble").is_displayed()
    field.clear()
    field.send_keys("week-4", ENTER)
    browsing.until(page, lambda page: page.current_url.endswith("#seed=week-4&topic=ports"))
    page.back()
    browsing.until(page, lambda page: field.get_attribute("value") == "week-3")
    hostile = open_page("quiz", "#seed=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&topic=%E0%A4%A")
    assert len(hostile.find_elements("css selector", ".question")) == 10
    assert browsing.console(hostile) == []


def test_no_answer_can_be_read_in_the_source(site: Path) -> None:
    source = (site / "quiz.html").read_text()
    told = [text for question in QUESTIONS for text in choices(question) if len(text) > 25]
    told += [said.text for question in QUESTIONS for said in mark(question, []).said if len(said.text) > 25]
    assert len(told) > 200
    assert [text for text in told if text in source] == []
    bank = base64.b64decode(json.loads(source.split('id="data">')[1].split("</script>")[0])["bank"])
    assert json.loads(bank) == json.loads(msgspec.json.encode(QUESTIONS))


@pytest.mark.parametrize(
    "kept", ['"text"', "[1]", '{"s1": 3}', "{broken", '{"s1": {"mx-port": {"given": "25"}}}']
)
def test_damaged_progress_does_no_harm(open_page: Open, kept: str) -> None:
    page = open_page("quiz", "#seed=s1")
    browsing.store(page, "smtplab-quiz", kept)
    assert len(page.find_elements("css selector", ".question")) == 10
    assert browsing.console(page) == []


def test_it_is_accessible_with_every_verdict_shown(open_page: Open) -> None:
    seeds = (f"axe-{number}" for number in range(99))
    seed = next(
        one for one in seeds if any(isinstance(question, Fill) for question in draw(QUESTIONS, one)[:8])
    )
    typed = [
        next(one.text for one in question.answers if one.right) if isinstance(question, Fill) else ""
        for question in draw(QUESTIONS, seed)
    ]
    page = open_page("quiz", f"#seed={seed}")
    page.execute_script(
        """const typed = arguments[0];
        document.querySelectorAll("form.question").forEach((form, place) => {
          form.querySelectorAll("input[type=radio], input[type=checkbox]").forEach((box, at) => at < 2 && box.click());
          form.querySelectorAll("input.typed").forEach(field => { field.value = typed[place]; });
          form.querySelectorAll("select").forEach((field, at) => { field.selectedIndex = at + 1; });
          form.querySelectorAll(".move:not(:disabled)").forEach((button, at) => at || button.click());
          if (place < 8) form.requestSubmit();
          if (place % 2) form.querySelectorAll(".actions button")[2].click();
        })""",
        typed,
    )
    assert {one.get_attribute("class") for one in page.find_elements("css selector", ".verdict")} >= {
        "verdict is-right", "verdict is-wrong", "verdict is-nothing",
    }  # fmt: skip
    browsing.accessible(page, ((360, True), (800, False), (1280, False), (1280, True)))


def test_what_to_read_is_there(site: Path) -> None:
    source = (site / "quiz.html").read_text()
    links = json.loads(source.split('id="data">')[1].split("</script>")[0])["sheets"]
    assert set(links) == {name for question in QUESTIONS for name in question.see}
    pages = {path.name: path.read_text() for path in site.glob("*.html")}
    lost = []
    for name, link in links.items():
        if name.startswith("RFC "):
            assert link["href"].startswith("https://www.rfc-editor.org/rfc/rfc")
            continue
        page, _, anchor = link["href"].partition("#")
        if f'id="{anchor}"' not in pages.get(page, ""):
            lost.append(name)
    assert lost == []


def test_a_browser_that_forbids_storage_only_forgets(open_page: Open, browser: Any) -> None:
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": refuse})
    try:
        page = open_page("quiz", "#seed=k0")
        put_right(page, "k0", 1)
        click(buttons(page, 1)["Check the answer"])
        assert page.find_element("id", "quiz-score").text == "1 of 10 answered, 10 of 100 points"
        assert browsing.console(page) == []
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

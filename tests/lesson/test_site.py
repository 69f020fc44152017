"""The built pages: every entry and link in its place, and a policy that allows what is in them and nothing else."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import html

from grader import resources
from grader.labs import list_labs, new
from grader.lesson import library, read_library
from grader.lesson.path import in_order
from grader.lesson.site import PAGES, render
from grader.lesson.site.handouts import SHEET, handouts, markdown
from grader.lesson.site.pages import homes
from grader.lesson.site.render import embedded
from grader.model.errors import LabError
from grader.outputs.webpage import content_hash

ALL = library()
SOURCES = resources.folder("reports") / "lesson"
OWN = [page.name for page in PAGES]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, html.HtmlElement]:
    """Every built page as a tree, by its file's name."""
    return {path.name: html.fromstring(path.read_text("utf-8")) for path in sorted(site.glob("*.html"))}


def words(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def test_every_entry_is_at_home_on_one_page_and_said_there_whole(pages: dict[str, html.HtmlElement]) -> None:
    at = homes(PAGES, ALL)
    assert set(at) == set(ALL.entries)
    shown = {name: words(page.text_content()) for name, page in pages.items()}
    for id_, entry in ALL.entries.items():
        assert entry.references, id_
        [element] = pages[at[id_].file].xpath("//*[@id=$id]", id=id_)
        own = words(element.text_content())
        texts = [entry.summary, entry.text, entry.remark or "", *getattr(entry, "pitfalls", ())]
        for text in texts:
            assert words(text) in own, id_
        for other in entry.see:
            assert element.xpath(".//a[contains(@href, $target)]", target=f"#{other}"), (id_, other)
        for line in getattr(entry, "lines", ()):
            assert words(line.line) in own
        assert words(entry.title.partition(",")[0]) in shown[at[id_].file], id_


def test_every_rule_and_every_standard_is_shown(pages: dict[str, html.HtmlElement]) -> None:
    for rule in ALL.rules.values():
        [element] = pages["header-rules.html"].xpath("//*[@id=$id]", id=f"rule-{rule.id}")
        assert words(rule.text) in words(element.text_content())
    for document in ALL.documents.values():
        [element] = pages["standards.html"].xpath("//*[@id=$id]", id=f"rfc-{document.number}")
        assert document.title in words(element.text_content())


def test_ids_are_unique(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        twice = [id_ for id_, count in Counter(page.xpath("//@id")).items() if count > 1]
        assert twice == [], name


@pytest.mark.slow
def test_links_lead_somewhere(pages: dict[str, html.HtmlElement]) -> None:
    dead = set()
    for name, page in pages.items():
        for address in page.xpath("//a/@href"):
            if address.startswith("https://www.rfc-editor.org/"):
                continue
            file, _, anchor = re.sub(r"\?[^#]*", "", address).partition("#")
            there = pages.get(file or name)
            if there is None or (anchor and not there.xpath("//*[@id=$id]", id=anchor)):
                dead.add((name, address))
    assert dead == set()


def test_every_sheet_that_a_check_names_has_an_anchor() -> None:
    at = homes(PAGES, ALL)
    named = {
        found[1]
        for entry in list_labs()
        if entry.lab
        for check in entry.lab.all_checks
        for text in check.see
        if (found := SHEET.fullmatch(text))
    }
    assert named
    assert named <= set(at)


def test_the_policy_allows_what_is_there_and_no_more(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
        assert rules["default-src"] == rules["connect-src"] == rules["form-action"] == ["'none'"]
        for element, rule in (("style", "style-src"), ("script[not(@type)]", "script-src")):
            inline = [f"'{content_hash(one.text)}'" for one in page.xpath(f"//{element}")]
            assert inline == rules[rule], name
        assert page.xpath("//@style | //@*[starts-with(name(), 'on')] | //script/@src") == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        loaded = page.xpath(
            "//@src | //@srcset | //link/@href | //object/@data | //@poster | //*[name()='use']/@href"
        )
        assert [address for address in loaded if not address.startswith("data:")] == [], name
        for text in page.xpath("//style/text()"):
            assert not re.search(r"url\((?!\s*[\"']?(?:data:|#))|@import", text), name


def test_scripts_ask_nobody_and_write_no_markup() -> None:
    asking = re.compile(
        r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|eval)\b|\bimport\b|innerHTML|"
        r"outerHTML|insertAdjacentHTML|document\.write|https?://"
    )
    for path in sorted((SOURCES / "js").rglob("*.js")):
        code = re.sub(r"^\s*//.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        assert asking.findall(code) == [], path.name
        assert '"use strict";\n' in code, path.name


def test_files_are_short_enough_to_read() -> None:
    long = {p.name: n for p in SOURCES.rglob("*.*") if (n := len(p.read_text("utf-8").splitlines())) >= 400}
    assert long == {}


def test_handouts_have_the_names_filled_in(pages: dict[str, html.HtmlElement]) -> None:
    for handout in handouts():
        page = pages[f"lab-{handout.lab.id}.html"]
        text = page.text_content()
        assert handout.lab.title in text
        assert not re.search(r"(?<![\w.])@[a-z_0-9]+@(?![\w])", text)
    assert "mail.example.com" in pages["lab-open-relay.html"].text_content()
    assert pages["ports.html"].xpath("//a[@href='lab-open-relay.html'][starts-with(., 'Do the lab')]")


def test_labs_stand_in_the_menu_in_the_order_in_which_they_are_best_done(
    pages: dict[str, html.HtmlElement],
) -> None:
    known = [name for name in pages if name.startswith("lab-")]
    links = pages["index.html"].xpath("//nav//a/@href[starts-with(., 'lab-')]")
    in_menu = list(dict.fromkeys(links))
    assert sorted(in_menu) == sorted(known)
    assert in_menu == [f"lab-{id_}.html" for id_ in in_order([link[4:-5] for link in in_menu])]


def test_a_handout_is_text_and_cannot_bring_markup() -> None:
    made = markdown(
        "# Title\n\n<script>alert(1)</script> [x](javascript:alert(1))\n\n| | |\n|---|---|\n| a | b |\n"
    )
    assert "<script" not in made
    assert "href" not in made
    assert "Title" not in made
    assert "<thead" not in made
    assert "<td>a</td>" in made
    assert '<th scope="col">points</th>' in markdown("| | points |\n|---|---|\n| a | 1 |\n")


def test_embedded_data_cannot_end_its_element() -> None:
    assert "<" not in embedded({"</script><script>": "<!--"})


def test_one_can_read_from_the_first_page_to_the_last(pages: dict[str, html.HtmlElement]) -> None:
    read = ["index.html"]
    while following := pages[read[-1]].xpath("//a[@rel='next']/@href"):
        assert pages[following[0]].xpath("//a[@rel='prev']/@href") == [read[-1]]
        read += following
    assert sorted(read) == sorted(pages)


def test_an_instructors_lab_is_shown_and_cannot_bring_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new("mine", tmp_path)
    lab = tmp_path / "mine" / "lab.yaml"
    text = re.sub(r"(?m)^title: .*$", "title: '<script>alert(1)</script>'", lab.read_text("utf-8"), count=1)
    lab.write_text(text, "utf-8")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path))
    built = render()
    assert "lab-mine.html" in built
    assert b"&lt;script&gt;alert(1)" in built["lab-mine.html"]
    assert not [name for name, page in built.items() if b"<script>alert" in page]
    (tmp_path / "mine" / "handout.md").unlink()
    with pytest.raises(LabError, match=r"handout\.md: .*a lab needs a handout"):
        render()


def test_a_new_topic_has_a_page_without_more_ado(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(resources.folder("reports") / "data", tmp_path / "data"))
    with (folder / "topics.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "- {id: new, title: New, summary: New., text: Quite new., references: [RFC 5321], see: [smtp]}\n"
        )
    assert b'id="new"' in render(read_library(folder))["delivery.html"]

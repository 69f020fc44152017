"""Every page of the lesson in a real browser: accessible, whole at any width, quiet in the console."""

from __future__ import annotations

import pytest

from grader.lesson.site import PAGES
from grader.lesson.site.pages import lab_pages
from tests import browser as browsing
from tests.lesson.conftest import Open

pytestmark = pytest.mark.browser

FEWER = """
document.querySelectorAll(".entry, .glance tr, .term, .index li, .dialogue li").forEach((one, place) => {
  if (one.matches(":nth-of-type(n + 9)")) one.remove();
});
"""
"""Leaves a few of what repeats: those have all the colours that there are."""


@pytest.mark.parametrize("name", [page.name for page in (*PAGES, *lab_pages())])
def test_a_page_is_accessible_fits_and_loads_nothing(open_page: Open, name: str) -> None:
    page = open_page(name, width=800)
    for width in (800, 1280, 360):
        browsing.emulate(page, width=width)
        assert not browsing.too_wide(page, width), width
        assert browsing.cut_off(page) == [], width
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browsing.axe(page, contrast=False) == []
    page.execute_script(FEWER)
    assert browsing.contrast(page) == []
    browsing.emulate(page, width=1280, dark=True)
    assert browsing.axe(page) == []
    assert browsing.console(page) == []

"""The lesson as a static site, which needs neither a server nor the Internet.

A page is a ``Page`` in the registry of ``grader.lesson.site.pages``. To add one called ``NAME``:

1. ``reports/lesson/pages/NAME.html.j2`` begins with ``{% extends "base.html.j2" %}`` and fills the block ``main``. The
   heading, the summary below it and everything around them come from the base. Without its script the page should
   still say what it is for.
2. ``reports/lesson/css/NAME.css`` and ``reports/lesson/js/NAME.js``, where the page needs any; further files are named
   in the page's ``styles`` and ``scripts``. ``base.css`` has colours as variables (each with its dark half), type,
   buttons, fields and tables: use those, and let no page set colours of its own.
3. A function ``(Library) -> dict`` gives what the template shows, as ``values``; another, which is also given where
   each entry stands, gives what the script reads, as ``data``, anything that JSON can hold: ``smtplab.data()``
   returns it in the page.
4. One line in ``PAGES``. The fixture ``open_page`` of ``tests/lesson/conftest.py`` opens the page in a browser.

Style sheets and scripts stand inside each page and are allowed by their hashes, because a browser that opens a page
from a folder takes every other file for a stranger's. The policy allows nothing else: no inline ``style=`` or
``onclick=``, no request to anywhere, and no ``innerHTML``: build elements (``smtplab.make``), and set ``textContent``.
A script is an IIFE without modules, and hangs at most one name on ``window.smtplab``.
"""

from __future__ import annotations

from grader.lesson.site.build import build, render
from grader.lesson.site.pages import PAGES, Page

__all__ = ["PAGES", "Page", "build", "render"]

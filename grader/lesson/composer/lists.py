"""The fields of mailing lists: List-Id (RFC 2919) and List-Unsubscribe (RFC 2369)."""

from __future__ import annotations

import re

from grader.lesson.composer.draft import UnusableText
from grader.lesson.composer.folding import FoldedField
from grader.lesson.composer.typed import DOT_ATOM

_LIST_ID = re.compile(r"([^<>]*)<([^<>]*)>")
_IDENTIFIER = re.compile(DOT_ATOM)
_URLS = re.compile(r"<[^<>]*>(?: *, *<[^<>]*>)*")
_URL = re.compile(r"(?:https://|mailto:)[!-;=?-~]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LONGEST_IDENTIFIER = 255
_LONGEST_URL = 900


def put_list_id(line: FoldedField, text: str) -> None:
    """Write a list's name and identifier. Raises ``UnusableText``."""
    found = _LIST_ID.fullmatch(text)
    if not found or "." not in found[2] or not _IDENTIFIER.fullmatch(found[2]):
        raise UnusableText("list-id-form", text=text)
    if "=?" in found[2]:
        raise UnusableText("encoded-place", text=found[2])
    if len(found[2]) > _LONGEST_IDENTIFIER:
        raise UnusableText("too-long", length=len(found[2]), most=_LONGEST_IDENTIFIER)
    name = found[1].strip(" ")
    if _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", name[1:-1]).strip(" ")
    if name:
        line.phrase(name)
    line.put(f"<{found[2]}>")


def put_urls(line: FoldedField, text: str) -> None:
    """Write addresses in angle brackets, with commas between them. Raises ``UnusableText``."""
    if not _URLS.fullmatch(text):
        raise UnusableText("url-form", text=text)
    urls = re.findall(r"<([^<>]*)>", text)
    for place, url in enumerate(urls):
        if not _URL.fullmatch(url):
            raise UnusableText("url-form", text=url)
        if len(url) > _LONGEST_URL:
            raise UnusableText("too-long", length=len(url), most=_LONGEST_URL)
        line.put(f"<{url}>{',' if place + 1 < len(urls) else ''}")

"""What the header builder and the header analyser show, and what their scripts read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from grader.formats.message import charsets, forms, moments
from grader.formats.message.rules import RULES
from grader.lesson.analyser import wordings
from grader.lesson.analyser.examples import examples
from grader.lesson.composer import tables
from grader.lesson.library import Library
from grader.outputs import references

BUILDER_GROUPS = {
    "people": "People and subject",
    "body": "Text",
    "generated": "Date and identifier",
    "more": "More fields",
}
SCRIPTS = tuple(
    f"headers/{name}" for name in ("text", "lexer", "dates", "parse", "addresses", "words", "mime", "rules")
)
"""The rules for messages, in the order in which one needs the other."""
BUILDER_SCRIPTS = (*SCRIPTS, "headers/folding", "headers/typed", "headers/body", "headers/compose")
ANALYSER_SCRIPTS = (
    *SCRIPTS, "headers/moments", "headers/received", "headers/trace", "headers/authentication", "headers/analyse",
    "header-results",
)  # fmt: skip


def builder_values(library: Library) -> Mapping[str, object]:
    """The form: its groups of fields."""
    fields = tables().fields
    groups = [
        (id_, title, [field for field in fields if field.group == id_])
        for id_, title in BUILDER_GROUPS.items()
    ]
    return {"field_groups": groups, "rule_count": len(RULES)}


def builder_data(library: Library, addresses: Mapping[str, str]) -> object:
    """The builder's tables, the header rules, and what is said about each finished field."""
    own = tables()
    ids = {field.entry for field in own.fields} | {id_ for note in own.notes for id_ in note.see}
    ids |= {"mime-version", "content-type", "content-transfer-encoding", "envelope", "header-injection"}
    return {
        **msgspec.to_builtins(own),
        **rules_data(library),
        "faults": [_linked(fault) for fault in own.faults],
        "entries": _entries(library, ids, addresses),
    }


def analyser_values(library: Library) -> Mapping[str, object]:
    """The messages to try it on."""
    return {"examples": examples(), "rule_count": len(RULES)}


def analyser_data(library: Library, addresses: Mapping[str, str]) -> object:
    """What the analyser says, the header rules, the messages to try, and the entries that it refers to."""
    own = wordings()
    ids = {id_ for one in own.findings for id_ in one.see} | {one.see for one in own.methods}
    return {
        **msgspec.to_builtins(own),
        **rules_data(library),
        "findings": [_linked(one) for one in own.findings],
        "examples": {one.id: one.message for one in examples()},
        "received": {
            "shapes": forms.SHAPES,
            "dialects": msgspec.to_builtins(forms.DIALECTS),
            "none": sorted(forms.NO_NAMES),
            "dates": moments.PATTERNS,
            "begins": moments.BEGINS,
            "zones": moments.ZONES,
        },
        "entries": _entries(library, ids, addresses),
    }


def rules_data(library: Library) -> dict[str, object]:
    """The header rules and the table of charsets, as the page's scripts hold messages against them."""
    return {
        "rules": {
            id_: {**_linked(rule), "title": library.rules[id_].title, "text": library.rules[id_].text}
            for id_, rule in RULES.items()
        },
        "charsets": {
            "forms": charsets.FORMS,
            "patterns": charsets.PATTERNS,
            "controls": sorted(charsets.CONTROLS_ENCODE),
        },
    }


def _linked(text: msgspec.Struct) -> dict[str, object]:
    """A text with the address of its reference, which scripts do not make up."""
    told: dict[str, object] = msgspec.to_builtins(text)
    return {**told, "link": references.link(str(told["reference"]))}


def _entries(library: Library, ids: Iterable[str], addresses: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {
        id_: {
            "title": library.entries[id_].title,
            "summary": library.entries[id_].summary,
            "href": addresses[id_],
        }
        for id_ in sorted(ids)
        if id_ in addresses
    }

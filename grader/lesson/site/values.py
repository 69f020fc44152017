"""What the pages show besides the entries themselves: groups, orders, counts. Each function takes the library."""

from __future__ import annotations

from collections.abc import Mapping

from grader.formats.message.rules import RULES
from grader.labs.loading import list_labs
from grader.lesson import entries
from grader.lesson.entries import LessonEntry
from grader.lesson.fulltext import documents
from grader.lesson.library import Library

HEADER_GROUPS: dict[entries.Group, str] = {
    "originator": "Who wrote it, and when",
    "destination": "For whom",
    "information": "What it is about",
    "identification": "Which message it is",
    "mime": "How its body is to be read",
    "trace": "Which way it came",
    "authentication": "What was proved about its sender",
    "list": "Lists and automatic mail",
    "filter": "What a filter thought of it",
}
SHORT_COUNTS = {"1": "1", "0-1": "0 or 1", "any": "any"}
"""How often a field stands in a message, in short for a table."""
MECHANISM_KINDS = {
    "login": ("Logins", "How a user proves who he is, by AUTH."),
    "domain": ("Domains", "How a domain says which mail is really its own."),
    "transport": (
        "Servers",
        "How one server knows that it speaks to the right other one, and that nobody listens.",
    ),
}
KINDS: dict[type[LessonEntry], str] = {
    entries.Topic: "explained",
    entries.WayStep: "step of delivery",
    entries.Example: "example",
    entries.CommandEntry: "command",
    entries.Extension: "extension",
    entries.Class: "class of replies",
    entries.ReplyEntry: "reply code",
    entries.Enhanced: "enhanced code",
    entries.Port: "port",
    entries.Mechanism: "mechanism",
    entries.Header: "header field",
    entries.Concept: "term",
}
"""What a reader calls an entry of each kind."""

Values = Mapping[str, object]


def overview(library: Library) -> Values:
    """The lesson in four figures, each counted or looked up."""
    required = [command for command in library.of(entries.CommandEntry) if command.status == "required"]
    return {
        "steps": library.of(entries.WayStep),
        "first": min(library.documents.values(), key=lambda document: document.number),
        "required": required,
    }


def replies(library: Library) -> Values:
    """Reply codes by their first digit."""
    return {
        "classes": [
            (kind, [reply for reply in library.of(entries.ReplyEntry) if reply.code // 100 == kind.digit])
            for kind in library.of(entries.Class)
        ],
        "enhanced": library.of(entries.Enhanced),
    }


def ports(library: Library) -> Values:
    """Ports, those of SMTP first."""
    return {"ports": library.of(entries.Port)}


def headers(library: Library) -> Values:
    """Header fields by what they are for."""
    fields = library.of(entries.Header)
    return {
        "field_groups": [
            (title, [field for field in fields if field.group == group])
            for group, title in HEADER_GROUPS.items()
        ],
        "short_counts": SHORT_COUNTS,
    }


def rules(library: Library) -> Values:
    """Header rules, each with what teaches it and what judges by it."""
    return {"rules": [(told, RULES[id_]) for id_, told in library.rules.items()]}


def mechanisms(library: Library) -> Values:
    """Mechanisms by what proves itself."""
    known = library.of(entries.Mechanism)
    return {
        "mechanism_groups": [
            (*titles, [mechanism for mechanism in known if mechanism.kind == kind])
            for kind, titles in MECHANISM_KINDS.items()
        ]
    }


def glossary(library: Library) -> Values:
    """Terms in alphabetical order."""
    return {"terms": sorted(library.of(entries.Concept), key=_alphabetical)}


def standards(library: Library) -> Values:
    """Documents by number, and the entries that refer to each."""
    used: dict[int, list[LessonEntry]] = {number: [] for number in library.documents}
    for entry in library.entries.values():
        for number in dict.fromkeys(int(reference.split()[1]) for reference in entry.references):
            used[number].append(entry)
    return {"documents": [(library.documents[number], used[number]) for number in sorted(library.documents)]}


def index(library: Library) -> Values:
    """Every entry from A to Z, digits first, and the header rules."""
    return {
        "every": sorted(library.entries.values(), key=_alphabetical),
        "kind_names": KINDS,
        "documents": list(library.documents.values()),
        **rules(library),
    }


def search(library: Library, addresses: Mapping[str, str]) -> object:
    """Everything that the page's search looks through."""
    return documents(library, [entry.lab for entry in list_labs() if entry.lab is not None])


def _alphabetical(entry: LessonEntry) -> str:
    return entry.title.casefold()

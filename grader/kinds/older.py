"""Evidence documents of older versions, brought into today's shape. What they say is not touched.

Version 1 had one type for all kinds: every document carried the fields of each, and a lab's ``try`` and ``expect`` the
keys of each. Version 2 keeps what all share apart from what a kind records.
"""

from __future__ import annotations

from typing import Any

from grader.kinds.zone.older import upgraded
from grader.model.evidence import SCHEMA

OLDER = ("smtplab/evidence/1",)
"""Versions that are still read."""

HEAD = (
    "student",
    "variant",
    "names",
    "started",
    "duration",
    "engine",
    "image",
    "mta",
    "files",
    "notes",
    "error",
)
TRAFFIC = ("attempts", "outcomes", "sessions", "arrivals", "queries", "commands", "log", "listening")
FACTS: dict[str, tuple[str, ...]] = {
    "server": (*TRAFFIC, "started_up", "queued", "services", "published", "keys"),
    "program": TRAFFIC,
    "zone": ("attempts", "queries"),
    "quiz": (),
}
LAB = ("id", "title", "version", "summary", "submission", "checks", "kind", "minutes", "teaches")
OF_KIND: dict[str, tuple[str, ...]] = {
    "server": ("host",), "program": ("program",), "zone": ("zone",), "quiz": ("quiz",),
}  # fmt: skip
SERVER_TRY = ("from", "on", "as", "forms", "mail", "say", "unless-arrived", "stopped")
SERVER_EXPECT = (
    "greets", "arrives", "refused", "authenticates", "replies", "alike", "arrivals-at-most", "running", "published",
    "signature", "kept",
)  # fmt: skip
CREDENTIALS, HUNG_UP = "<credentials>", "The client hung up."
"""Lines of version 1 that meant more than they said."""
OF_SERVERS = ("installs", "publishes")
"""Keys of ``submission`` that only a server's lab has."""


def current(document: dict[str, Any]) -> dict[str, Any]:
    """A document of version 1 in the shape of version 2.

    Raises ``LookupError``, ``ValueError``, ``TypeError`` or ``AttributeError`` where it is none.
    """
    kind = document["lab"].get("kind", "server")
    lab = _lab(document["lab"], kind)
    facts: dict[str, Any] = {key: document[key] for key in FACTS[kind] if key in document}
    if kind == "program":
        facts = _program(facts, document.get("program"))
    elif kind == "zone":
        facts = _zone(facts, document.get("zone"))
    elif kind == "server" and facts.get("published"):
        facts["published"] = _published(facts["published"])
    elif kind == "quiz":
        facts = document.get("quiz") or {"posed": [], "answers": {}}
    made: dict[str, Any] = {key: document[key] for key in HEAD if key in document}
    made |= {"schema": SCHEMA, "lab": lab, "facts": {"kind": kind, **facts}}
    if kind != "quiz" and not document.get("error"):
        made["checks"] = _tried(document, lab)
    return made


def _tried(document: dict[str, Any], lab: dict[str, Any]) -> list[str] | None:
    """The checks that were tried, where those that could be were not all: a run of some checks alone."""
    planned = {attempt["check"] for attempt in document.get("attempts", [])}
    codes = [check["code"] for check in lab["checks"]]
    tried = [check["code"] for check in lab["checks"] if not check.get("try") or check["code"] in planned]
    return None if tried == codes else tried


def _lab(lab: dict[str, Any], kind: str) -> dict[str, Any]:
    made = {key: lab[key] for key in (*LAB, *OF_KIND[kind]) if lab.get(key) is not None}
    if kind != "server":
        made["submission"] = {key: value for key, value in lab["submission"].items() if key not in OF_SERVERS}
    made["checks"] = [_check(check, kind) for check in lab.get("checks", [])]
    return made | {"kind": kind}


def _check(check: dict[str, Any], kind: str) -> dict[str, Any]:
    made = {key: value for key, value in check.items() if key not in ("try", "expect")}
    tries, expect = check.get("try", []), check.get("expect", {})
    if kind == "server":
        made["try"] = [{key: entry[key] for key in SERVER_TRY if key in entry} for entry in tries]
        made["expect"] = {key: expect[key] for key in SERVER_EXPECT if key in expect}
    elif kind == "program":
        made["try"] = [{"meets": entry["meets"], "sends": entry["sends"]} for entry in tries]
        made["expect"] = {"program": expect["program"]}
    elif kind == "zone":
        made["try"] = [entry["zone"] for entry in tries if entry.get("zone")]
        made["expect"] = expect.get("zone") or {}
    return made


def _program(facts: dict[str, Any], program: dict[str, Any] | None) -> dict[str, Any]:
    if program is None:
        return facts
    own = {key: program[key] for key in ("program", "first_line", "executable")}
    lines = {session["id"]: session["lines"] for session in facts.get("sessions", [])}
    runs = [
        run | {"conversations": [_conversation(c, lines[c["session"]]) for c in run.get("conversations", [])]}
        for run in program["runs"]
    ]
    return facts | own | {"runs": runs, "run_of": program["attempts"]}


def _conversation(conversation: dict[str, Any], lines: list[list[Any]]) -> dict[str, Any]:
    """With what version 1 told by the words of a line alone: credentials, replies, and that the client went away."""
    credentials, replies, hung_up, command, begins = [], [], None, "", 0
    for number, (_, who, text) in enumerate(lines):
        if who == "C" and text == CREDENTIALS:
            credentials.append(number)
        elif who == "C":
            command = text
        elif who == "*" and text == HUNG_UP:
            hung_up = number
        if who != "S":
            begins = number + 1
        elif text[:3].isdigit() and text[3:4] != "-":
            whole = "\n".join(line[2] for line in lines[begins : number + 1])
            replies.append({"command": command, "code": int(text[:3]), "text": whole, "line": number})
            begins = number + 1
    return conversation | {"credentials": credentials, "replies": replies, "hung_up": hung_up}


def _zone(facts: dict[str, Any], zone: dict[str, Any] | None) -> dict[str, Any]:
    if zone is None:
        return {"file": "", "origin": "", "lines": []}
    shared = ("id", "check", "title", "source")
    attempts = [{key: tried[key] for key in shared} for tried in facts.get("attempts", [])]
    faults = [{"sentence": fault["sentence"], "span": fault["place"]} for fault in zone.get("faults", [])]
    return facts | upgraded(zone) | {"attempts": attempts, "faults": faults}


def _published(published: dict[str, Any]) -> dict[str, Any]:
    """Lines and columns counted from one in version 1, and a line 0 was the file as a whole."""
    complaints = [
        {
            "sentence": complaint["sentence"],
            "file": complaint["file"],
            "fatal": complaint.get("fatal", True),
            "span": {"line": complaint["line"] - 1, "column": max(0, complaint["column"] - 1)}
            if complaint["line"]
            else None,
        }
        for complaint in published["complaints"]
    ]
    return published | {"complaints": complaints}

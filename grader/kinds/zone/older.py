"""Facts of a zone as version 1 of the evidence had them: what a sentence said there is a field today."""

from __future__ import annotations

from typing import Any

from grader.formats.dmarc import read_record

LIMITS = {
    "Too many DNS lookups": "lookups",
    "More than 2 DNS look-ups find nothing": "voids",
    "More than 10 MX records": "mx",
}
"""How pyspf, and the evaluation around it, began to say that a limit was met."""
SEVERAL = "Two or more type TXT spf records found"
MISSING = ("No valid SPF record for included domain", "redirect domain has no SPF record")


def upgraded(zone: dict[str, Any]) -> dict[str, Any]:
    """The facts with fields in place of sentences."""
    return zone | {
        "receptions": [one | {"spf": _spf(one["spf"])} for one in zone.get("receptions", [])],
        "measured": [_measured(one) for one in zone.get("measured", [])],
        "published": [_published(one) for one in zone.get("published", [])],
    }


def _spf(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("trouble") or found["result"] not in ("permerror", "temperror"):
        return found
    return found | _trouble(
        found["result"], found.get("explanation", ""), found.get("holder") or found["domain"]
    )


def _trouble(result: str, sentence: str, holder: str) -> dict[str, Any]:
    said = sentence.partition(" Error: ")[2] or sentence
    for begins, limit in LIMITS.items():
        if said.startswith(begins):
            return {"trouble": "limit", "limit": limit, "explanation": ""}
    trouble = "syntax"
    if result == "temperror" or said.startswith("DNS: "):
        trouble = "no-answer"
    elif said.startswith(SEVERAL):
        trouble = "several"
    elif said.startswith(MISSING):
        trouble = "missing"
    return {"trouble": trouble, "about": "" if trouble == "syntax" else holder, "explanation": ""}


def _measured(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("verdict") or not found.get("problem"):
        return found
    holder = found.get("holder") or found["domain"]
    result = "temperror" if found["problem"].startswith(("DNS: ", "no answer", "the time")) else "permerror"
    verdict = {"result": result, "domain": found["domain"], "term": found.get("term", ""), "holder": holder}
    return found | {"verdict": verdict | _trouble(result, found["problem"], holder)}


def _published(found: dict[str, Any]) -> dict[str, Any]:
    if found.get("fault") or not found.get("problem"):
        return found
    records = found["records"]
    if not records:
        return found | {"fault": "none" if found["problem"] == "no policy record" else "no-answer"}
    record = read_record(records[0])
    if len(records) > 1 or record is None:
        return found | {"fault": "several"}
    return found | {"fault": record.fault, "tag": record.wrong_tag}

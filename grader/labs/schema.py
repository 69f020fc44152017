"""The published JSON Schemas (2020-12), made from the very types that read and write what they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import cleandoc
from types import MappingProxyType
from typing import Any

import msgspec

from grader import kinds
from grader.kinds.base import Words
from grader.model.attempt import Mail
from grader.model.course import Course
from grader.model.lab import Wrong
from grader.model.result import Result

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def lab_schema() -> dict[str, Any]:
    """The schema of ``lab.yaml``."""
    made = _published(
        "lab", "A lab of smtplab (lab.yaml)", *(kinds.declare(name).LAB for name in kinds.names())
    )
    for variant in made["$defs"].values():
        tag = variant.get("properties", {}).get("kind", {})
        # A lab that does not say its kind is of the default one, which msgspec cannot know of a tag.
        if tag.get("enum") == [kinds.DEFAULT] and "kind" in variant.get("required", ()):
            variant["required"].remove("kind")
            tag["default"] = kinds.DEFAULT
    for name in kinds.names():
        for sort in kinds.author(name).vocabulary():
            for type_, key in sort.places:
                _tell(made["$defs"][type_]["properties"][key], sort)
    return made


def _tell(part: dict[str, Any], sort: Words) -> None:
    """Say in a key's schema which words it takes and what they mean, for editors to complete and to show.

    ``enumDescriptions`` is no keyword of JSON Schema; editors know it, and everybody else passes over it.
    """
    inner = [part, *(part[key] for key in ("items", "propertyNames") if key in part), *part.get("anyOf", ())]
    listed = [place for place in inner if "enum" in place]
    for place in listed:
        place["enumDescriptions"] = [sort.words[str(word)] for word in place["enum"]]
    if listed:
        return
    place = part["items"] if "items" in part else next(p for p in inner if p.get("type") == "string")
    words = [int(word) if word.isdigit() else word for word in sort.words]
    named = {"enum": words, "enumDescriptions": list(sort.words.values())}
    other = dict(place)
    place.clear()
    place.update(named if sort.closed else {"anyOf": [named, other]})


def wrong_schema() -> dict[str, Any]:
    """The schema of ``wrong/<fault>/expect.yaml``."""
    return _published("wrong", "What a wrong submission must lose (expect.yaml)", Wrong)


def course_schema() -> dict[str, Any]:
    """The schema of ``course.yaml``."""
    return _published("course", "A course of smtplab (course.yaml)", Course)


def forms_schema() -> dict[str, Any]:
    """The schema of ``fixtures/forms/*.yaml``."""
    return _published("forms", "A list of mails to attempt", list[Mail])


def result_schema() -> dict[str, Any]:
    """The schema of a result document (``smtplab check --json``)."""
    return _published("result", "A result of smtplab", Result)


def evidence_schema() -> dict[str, Any]:
    """The schema of an evidence document (``smtplab check --evidence``)."""
    types = [kinds.judge(name).EVIDENCE for name in kinds.names()]
    return _published("evidence", "The evidence of one run of smtplab", *types, version=2)


def schema_of(*types: Any) -> dict[str, Any]:
    """The schema of a type that msgspec knows; of several, that a value fits one of them."""
    made: dict[str, Any] = msgspec.json.decode(_made(types))
    return {**made, "$schema": DIALECT}


@cache
def _made(types: tuple[Any, ...]) -> bytes:
    """As JSON: each call of ``schema_of`` gets one of its own to add to. To walk through all types takes long."""
    found, parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    schema = dict(found[0]) if len(found) == 1 else {"anyOf": list(found)}
    return msgspec.json.encode(_flush({**schema, "$defs": parts} if parts else schema))


def _flush(part: Any) -> Any:
    """With descriptions that are the same whether or not Python leaves docstrings their indentation (3.13 does not)."""
    if isinstance(part, list):
        return [_flush(inner) for inner in part]
    if isinstance(part, dict):
        return {
            key: cleandoc(inner) if key == "description" and isinstance(inner, str) else _flush(inner)
            for key, inner in part.items()
        }
    return part


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType(
    {
        "lab": lab_schema,
        "wrong": wrong_schema,
        "forms": forms_schema,
        "course": course_schema,
        "result": result_schema,
        "evidence": evidence_schema,
    }
)
"""Every published schema, by the name that ``smtplab lab schema`` knows it by."""


def rendered(name: str) -> bytes:
    """The document of the schema of that name, indented for people. Raises ``KeyError`` where there is none."""
    return msgspec.json.format(msgspec.json.encode(SCHEMAS[name]()), indent=2) + b"\n"


def _published(name: str, title: str, *types: Any, version: int = 1) -> dict[str, Any]:
    made = schema_of(*types)
    return {"$schema": DIALECT, "$id": f"urn:smtplab:schema:{name}:{version}", "title": title, **made}

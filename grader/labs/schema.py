"""The published JSON Schemas (2020-12), made from the very types that read and write what they describe."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from grader.model.attempt import Mail
from grader.model.evidence import Evidence
from grader.model.lab import Lab, Wrong
from grader.model.result import Result

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def lab_schema() -> dict[str, Any]:
    """The schema of ``lab.yaml``."""
    return _published("lab", "A lab of smtplab (lab.yaml)", Lab)


def wrong_schema() -> dict[str, Any]:
    """The schema of ``wrong/<fault>/expect.yaml``."""
    return _published("wrong", "What a wrong submission must lose (expect.yaml)", Wrong)


def forms_schema() -> dict[str, Any]:
    """The schema of ``fixtures/forms/*.yaml``."""
    return _published("forms", "A list of mails to attempt", list[Mail])


def result_schema() -> dict[str, Any]:
    """The schema of a result document (``smtplab check --json``)."""
    return _published("result", "A result of smtplab", Result)


def evidence_schema() -> dict[str, Any]:
    """The schema of an evidence document (``smtplab check --evidence``)."""
    return _published("evidence", "The evidence of one run of smtplab", Evidence)


def schema_of(type_: Any) -> dict[str, Any]:
    """The schema of any type that msgspec knows."""
    schema: dict[str, Any] = _flush(msgspec.json.schema(type_))
    schema["$schema"] = DIALECT
    return schema


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


def _published(name: str, title: str, type_: Any) -> dict[str, Any]:
    made = schema_of(type_)
    return {"$schema": DIALECT, "$id": f"urn:smtplab:schema:{name}:1", "title": title, **made}

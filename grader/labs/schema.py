"""The published JSON Schemas (2020-12) of what lab authors write, made from the types that the loader uses."""

from __future__ import annotations

from typing import Any

import msgspec

from grader.model.lab import Lab, Mail, Wrong

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


def schema_of(type_: Any) -> dict[str, Any]:
    """The schema of any type that msgspec knows."""
    schema = msgspec.json.schema(type_)
    schema["$schema"] = DIALECT
    return schema


def _published(name: str, title: str, type_: Any) -> dict[str, Any]:
    made = schema_of(type_)
    return {"$schema": DIALECT, "$id": f"urn:smtplab:schema:{name}:1", "title": title, **made}

"""The schemas in docs/schemas are those that the program prints, and real documents fit them."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from grader import labs, outputs
from grader.judge import judge
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("kind", ["result", "evidence"])
def test_published_schema_is_the_programs_own(kind: str) -> None:
    published = msgspec.json.decode((PUBLISHED / f"{kind}.json").read_bytes())
    assert published == msgspec.json.decode(msgspec.json.encode(getattr(labs, f"{kind}_schema")()))


@pytest.mark.parametrize("kind", ["result", "evidence"])
def test_documents_fit_their_schema_and_a_spoilt_one_does_not(kind: str) -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("accepted")], [arrival()])
    document = msgspec.json.decode(outputs.document(run if kind == "evidence" else judge(run)))
    schema = getattr(labs, f"{kind}_schema")()
    jsonschema.validate(document, schema)
    del document["lab"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)

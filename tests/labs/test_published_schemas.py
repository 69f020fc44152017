"""The schemas in docs/schemas are those that the program prints, and real documents fit them."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from docs.publish_schemas import PLACES, ROOT
from grader import outputs
from grader.judge import judge
from grader.labs.schema import SCHEMAS, rendered
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome


@pytest.mark.parametrize("name", PLACES)
def test_published_schema_is_the_programs_own(name: str) -> None:
    assert (ROOT / PLACES[name]).read_bytes() == rendered(name), "run 'make schemas'"


@pytest.mark.parametrize("kind", ["result", "evidence"])
def test_documents_fit_their_schema_and_a_spoilt_one_does_not(kind: str) -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("accepted")], [arrival()])
    document = msgspec.json.decode(outputs.document(run if kind == "evidence" else judge(run)))
    schema = SCHEMAS[kind]()
    jsonschema.validate(document, schema)
    del document["lab"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)

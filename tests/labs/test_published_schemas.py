"""The schemas in docs/schemas are those that the program prints, and real documents fit them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest

from docs.publish_schemas import PLACES, ROOT, WORDS
from grader import kinds, outputs
from grader.judge import judge
from grader.labs import vocabulary
from grader.labs.schema import SCHEMAS, lab_schema, rendered
from grader.labs.yamlfile import value_of
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


def test_the_page_of_words_is_the_program_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTPLAB_LABS", raising=False)
    assert WORDS.read_text() == vocabulary.page(), "run 'make schemas'"


def choices(part: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema that lists more than one word, with where it stands."""
    if isinstance(part, dict):
        if len(part.get("enum", ())) > 1:
            yield place, part
        for key, inner in part.items():
            yield from choices(inner, f"{place}/{key}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from choices(inner, f"{place}/{number}")


def test_every_word_that_an_editor_offers_is_described() -> None:
    found = dict(choices(lab_schema()))
    assert [
        place for place, part in found.items() if len(part.get("enumDescriptions", ())) != len(part["enum"])
    ] == []
    assert "$defs/Try/properties/from/items" in {place.lstrip("/") for place in found}
    assert not any(about == "" for part in found.values() for about in part["enumDescriptions"])


@pytest.mark.parametrize("kind", kinds.names())
def test_every_word_has_a_meaning_and_no_word_is_left_out(kind: str) -> None:
    sorts = [*vocabulary.common(), *vocabulary.of_kind(kind)]
    assert [(sort.title, word) for sort in sorts for word, about in sort.words.items() if not about] == []
    schema = lab_schema()["$defs"]
    for sort in sorts:
        for type_, key in sort.places:
            [*_, part] = [part for _, part in choices(schema[type_]["properties"][key])]
            assert {str(word) for word in part["enum"]} == set(sort.words), (type_, key)


def test_the_labs_that_come_with_smtplab_fit_the_schema() -> None:
    schema = jsonschema.Draft202012Validator(SCHEMAS["lab"]())
    for path in sorted((ROOT / "labs").glob("*/lab.yaml")):
        assert [error.message for error in schema.iter_errors(value_of(path.read_bytes(), path))] == []

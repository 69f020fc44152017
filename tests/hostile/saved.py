"""Evidence that was changed by its student before it is judged again, and hand-ins that are no honest folder."""

from __future__ import annotations

import copy
import json
import os
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from grader import labs, outputs, pipeline
from grader.model.errors import SmtplabError
from grader.pipeline import Graded
from tests.hostile.written import faults

LAB = "knowledge-check"
NASTY = (
    "</title></td><script>alert(1)</script>\x1b[2J\x07\0\u202e::error::x ##vso[x] =cmd|' /C calc'!A0 \ud800"
)
LONGEST_SENTENCE = 500
MOST_POINTS = 100
"""Of the lab's, that an honest and right sheet gets."""


@cache
def _honest() -> dict[str, Any]:
    folder = labs.find(LAB)
    lab = labs.load(folder)
    handed_in = labs.render_submission(folder / "solution", labs.draw_variant(lab))
    told: dict[str, Any] = json.loads(outputs.document(pipeline.grade(lab, handed_in, engine=None).evidence))
    return told


def _with(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = copy.deepcopy(_honest())
    change(document)
    return json.dumps(document).encode()


def _every(place: str, value: object) -> bytes:
    """The evidence with a value at a place, ``lab.title``; ``*`` stands for each of a list or mapping."""
    *way, last = place.split(".")

    def change(node: Any) -> None:
        nodes = [node]
        for step in way:
            nodes = [inner for one in nodes for inner in (_inner(one) if step == "*" else [one[step]])]
        for one in nodes:
            for key in (list(one) if isinstance(one, dict) else range(len(one))) if last == "*" else [last]:
                one[key] = value

    return _with(change)


def _inner(node: Any) -> list[Any]:
    return list(node.values() if isinstance(node, dict) else node)


PLACES = (
    "student", "variant", "started", "engine", "image", "mta", "error", "names.*", "schema", "lab.id", "lab.title",
    "lab.version", "lab.summary", "lab.kind", "lab.checks.*.code", "lab.checks.*.title", "lab.checks.*.why",
    "lab.checks.*.next", "lab.checks.*.expected", "facts.kind", "duration", "lab.checks.*.points", "checks", "notes",
    "files", "facts", "lab", "names",
)  # fmt: skip
VALUES: dict[str, object] = {
    "markup": NASTY,
    "length": "x" * 50_000,
    "template": "{nobody} {{x}} {",
    "path": "../../../../tmp/evil",
    "list": [NASTY] * 3,
    "number": 10**40,
    "below-nothing": -5,
    "nothing": None,
    "true": True,
    "mapping": {"a": {"b": NASTY}},
}


def documents() -> Iterator[tuple[str, bytes]]:
    """The name of each attack and the evidence that it hands over."""
    for place in PLACES:
        for name, value in VALUES.items():
            yield f"{place}-{name}", _every(place, value)
    checks = copy.deepcopy(_honest())["lab"]["checks"]
    code = checks[0]["code"]
    yield "checks-that-need-themselves", _every("lab.checks.*.needs", [code])
    yield "checks-that-control-themselves", _every("lab.checks.*.control", [code])
    yield "nan", _every("duration", float("nan"))
    yield "deep", b'{"schema": "smtplab/evidence/2", "lab": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    yield "older-than-it-is", _every("schema", "smtplab/evidence/1")
    yield "cut-off", _with(bool)[:-100]
    yield "twice-the-keys", _with(bool).replace(b'"student"', b'"student": "a", "student"', 1)
    yield "no-utf-8", _with(bool).replace(b'"student"', b'"\xff\xfe\xed\xa0\x80": 1, "student"', 1)
    yield "empty", b""
    yield "zeros", b"\0" * 100_000


def judged(document: bytes) -> list[str]:
    """What is wrong about how changed evidence is judged again and shown, or refused."""
    try:
        evidence = pipeline.read_evidence(document)
        result = pipeline.regrade(document)
    except SmtplabError as error:
        sentence = str(error)
        whole = sentence.isprintable() and len(sentence) <= LONGEST_SENTENCE
        return [] if whole else [f"the refusal is no sentence: {sentence[:600]!r}"]
    outputs.gradebook_csv([result]).decode()
    found = faults(Graded(evidence, result), megabytes=16)
    if result.score > result.max_score:
        found.append(f"it got {result.score} of {result.max_score} points")
    return found


def hand_ins(folder: Path) -> dict[str, str]:
    """Make hand-ins of a class in an empty folder; the names of those that are attacks, and how they must end."""
    lab = labs.find(LAB)
    right = labs.render_submission(lab / "solution", labs.draw_variant(labs.load(lab))).files["answers.yaml"]

    def made(name: str, **files: bytes) -> Path:
        place = folder / name
        place.mkdir()
        for inner, data in files.items():
            (place / inner.replace("_", ".")).write_bytes(data)
        return place

    made("honest", answers_yaml=right)
    (made("link") / "answers.yaml").symlink_to("../honest/answers.yaml")
    (made("link-out") / "answers.yaml").symlink_to("/etc/passwd")
    os.mkfifo(made("pipe") / "answers.yaml")
    os.mkfifo(made("pipe-beside", answers_yaml=b"") / "notes.txt")
    with socket.socket(socket.AF_UNIX) as one:
        place = made("socket")
        here = Path.cwd()
        os.chdir(place)
        try:
            one.bind("answers.yaml")
        finally:
            os.chdir(here)
    made("name", answers_yaml=b"", **{"a\n::error::b\x1b[2J": b""})
    (made("folder") / "answers.yaml").mkdir()
    forged = b'{"student": "forged", "score": 10, "max_score": 10, "ending": "graded", "passed": true}'
    made("forged", answers_yaml=b"", result_json=forged, row_json=forged, evidence_json=_with(bool))
    loop = made("loop", answers_yaml=b"")
    (loop / "again").symlink_to(".")
    return {
        "honest": "graded", "link": "refused", "link-out": "refused", "pipe": "refused", "pipe-beside": "graded",
        "socket": "refused", "name": "refused", "folder": "refused", "forged": "graded",
        "loop": "graded",
    }  # fmt: skip

"""``python -m tests.outputs.starters`` records them anew, on the engine that runs here."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from grader import engines, labs, pipeline
from grader.model.evidence import AnyEvidence
from grader.model.pointer import parse
from grader.model.result import Result

LABS = ("open-relay", "dkim", "authenticated-message")


def needed(result: Result, evidence: AnyEvidence) -> AnyEvidence:
    """The evidence without the sessions and messages that the first failure does not point to."""
    first = result.first_failure()
    assert first is not None
    pointed = [pointer for text in first.evidence if (pointer := parse(text))]
    wanted = {
        kind: {pointer.id for pointer in pointed if pointer.kind == kind} for kind in ("session", "message")
    }
    facts = evidence.facts
    kept = {"sessions": [one for one in facts.sessions if one.id in wanted["session"]][:1]}
    if hasattr(facts, "arrivals"):
        kept["arrivals"] = [one for one in facts.arrivals if one.id in wanted["message"]][:1]
    empty: dict[str, list[object]] = {
        name: []
        for name in ("attempts", "outcomes", "log", "queries", "commands", "runs")
        if hasattr(facts, name)
    }
    lab = replace(evidence.lab, checks=evidence.lab.checks[:1])
    return replace(evidence, lab=lab, facts=replace(facts, **empty, **kept))


def main() -> None:
    """Grade each starter and write what its report needs."""
    for name in LABS:
        folder = labs.find(name)
        lab = labs.load(folder)
        variant = labs.draw_variant(lab)
        starter = labs.render_submission(folder / "starter", variant)
        run = pipeline.grade(lab, starter, engine=engines.select("auto"), variant=variant)
        document = {"result": run.result, "evidence": needed(run.result, run.evidence)}
        Path(__file__).with_name(f"{name}.json").write_bytes(msgspec.json.encode(document) + b"\n")


main()

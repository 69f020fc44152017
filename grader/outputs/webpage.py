"""The HTML report: one file that loads nothing, works without its script, and obeys no stranger.

Text is made visible by the template engine's ``finalize``, then escaped by its autoescape: no value can slip past both.
The style sheet and the script are allowed by their hashes alone (Content Security Policy): nothing injected would run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from grader import resources
from grader.display.excerpts import Excerpt, Excerpts, Pointer, parse
from grader.display.text import visible
from grader.kinds.narrative import count, narrative
from grader.kinds.server.show.dialogue import annotated, exemplary
from grader.model.evidence import Evidence
from grader.model.result import CheckResult, Result, Status
from grader.outputs import references
from grader.outputs.webparts import EvidenceView, evidence_view

if TYPE_CHECKING:
    from grader.kinds.server.show.dkim import SigningView
    from grader.kinds.zone.show.parts import ZoneView

EXCERPT_ROWS = 16
ORDER: tuple[Status, ...] = ("fail", "error", "skipped", "manual", "pass")
WORDS: dict[Status, tuple[str, str]] = {
    "pass": ("passed", "✓"),
    "fail": ("failed", "✗"),
    "skipped": ("skipped", "↷"),
    "error": ("error", "▲"),
    "manual": ("manual", "◆"),
}


@dataclass(frozen=True)
class CheckView:
    """A check with what the template needs to show it."""

    check: CheckResult
    anchor: str
    word: str
    sign: str
    references: list[tuple[str, str]]
    excerpts: list[Excerpt] = field(default_factory=list)
    pointers: list[Pointer] = field(default_factory=list)


def document(result: Result, evidence: Evidence | None) -> bytes:
    """See ``grader.outputs.html``."""
    excerpts_of = Excerpts(evidence)
    style, script = _asset("report.css"), _asset("report.js")
    if evidence is not None and (evidence.zone is not None or evidence.published is not None):
        style += _asset("zone.css")
    checks = list(_checks(result, excerpts_of))
    first = result.first_failure()
    text = (
        _environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            checks=checks,
            anchors={view.check.code: view.anchor for view in reversed(checks)},
            first=next((view for view in checks if view.check is first), None),
            tally=_tally(result),
            happened=list(narrative(evidence)) if evidence else [],
            evidence=_evidence(result, evidence, excerpts_of),
            dialogue=annotated(session) if evidence and (session := exemplary(evidence)) else [],
            runs=evidence is not None and evidence.program is not None,
            zone=_zone(result, evidence, excerpts_of),
            signing=_signing(result, evidence, excerpts_of),
            style=Markup(style),  # noqa: S704  smtplab's own file
            script=Markup(script),  # noqa: S704  smtplab's own file
            style_hash=content_hash(style),
            script_hash=content_hash(script),
        )
    )
    return text.encode()


def _checks(result: Result, excerpts_of: Excerpts) -> Iterator[CheckView]:
    taken: Counter[str] = Counter()
    for status in ORDER:
        for check in result.checks:
            if check.status == status:
                word, sign = WORDS[status]
                anchor = re.sub(r"[^A-Za-z0-9/_.-]+", "-", check.code) or "check"
                taken[anchor] += 1
                if taken[anchor] > 1:
                    anchor += f"-{taken[anchor]}"
                excerpts, _ = excerpts_of.excerpts(check, rows=EXCERPT_ROWS)
                pointers = [
                    found for text in check.evidence if (found := parse(text)) and excerpts_of.holds(found)
                ]
                links = [(references.readable(text), references.link(text)) for text in check.references]
                yield CheckView(check, anchor, word, sign, links, excerpts, pointers)


def _evidence(result: Result, evidence: Evidence | None, excerpts_of: Excerpts) -> EvidenceView | None:
    if evidence is None or not next(narrative(evidence), None):
        return None
    return evidence_view(evidence, excerpts_of, excerpts_of.pointed(result))


def _zone(result: Result, evidence: Evidence | None, excerpts_of: Excerpts) -> ZoneView | None:
    if evidence is None or evidence.zone is None:
        return None
    from grader.kinds.zone.show.parts import view

    return view(evidence, excerpts_of.pointed(result))


def _signing(result: Result, evidence: Evidence | None, excerpts_of: Excerpts) -> SigningView | None:
    if evidence is None or evidence.published is None:
        return None
    from grader.kinds.server.show import dkim as signparts

    return signparts.view(evidence, excerpts_of.pointed(result))


def _tally(result: Result) -> list[tuple[Status, str, str, int]]:
    numbers = Counter(check.status for check in result.checks)
    order: tuple[Status, ...] = ("pass", "fail", "skipped", "error", "manual")
    return [(status, *WORDS[status], numbers[status]) for status in order if numbers[status]]


def prose(text: str) -> Markup:
    """A lab author's sentence, its words in backticks as code; everything in it escaped."""
    parts = [Markup.escape(_shown(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return Markup("`").join(parts)
    return Markup().join(Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("reports") / "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=4,
    )
    environment.globals["count"] = count
    environment.filters["prose"] = prose
    return environment


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _asset(name: str) -> str:
    return (resources.folder("reports") / "report" / name).read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """The hash by which a Content Security Policy allows an inline script or style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

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
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from msgspec import Struct

from grader import resources
from grader.display import text as display_text
from grader.display.excerpts import Excerpt
from grader.display.sentences import count
from grader.display.text import visible
from grader.model.evidence import AnyEvidence
from grader.model.pointer import Pointer
from grader.model.result import CheckResult, Result, Status
from grader.outputs import references
from grader.outputs.compiled import CompiledTemplates
from grader.outputs.evidence import EvidenceView
from grader.outputs.feedback import handed_in_at, lateness

EXCERPT_ROWS = 16
ORDER: tuple[Status, ...] = ("fail", "error", "skipped", "manual", "pass")
WORDS: dict[Status, tuple[str, str]] = {
    "pass": ("passed", "✓"),
    "fail": ("failed", "✗"),
    "skipped": ("skipped", "↷"),
    "error": ("error", "▲"),
    "manual": ("manual", "◆"),
}


class CheckView(Struct, frozen=True):
    """A check with what the template needs to show it."""

    check: CheckResult
    anchor: str
    word: str
    sign: str
    references: list[tuple[str, str]]
    excerpts: list[Excerpt] = []
    pointers: list[Pointer] = []


def prepare() -> None:
    """See ``grader.outputs.Format.make_ready``: templates are compiled, which takes several times as long as a page."""
    templates = environment(None)
    for name in templates.list_templates(extensions=["j2"]):
        templates.get_template(name)


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """See ``grader.outputs.html``."""
    known = EvidenceView(evidence)
    folder = known.show.TEMPLATES if known.show else None
    templates = environment(folder)
    sections = known.sections(result)
    style, script = _asset("report.css"), _asset("report.js")
    for name in dict.fromkeys(section.style for section in sections if section.style):
        style += templates.loader.get_source(templates, name)[0] if templates.loader else ""
    checks = list(_checks(result, known))
    first = result.first_failure()
    report = templates.get_template("report.html.j2")
    context = report.new_context(
        {
            "result": result,
            "checks": checks,
            "anchors": {view.check.code: view.anchor for view in reversed(checks)},
            "first": next((view for view in checks if view.check is first), None),
            "tally": _tally(result),
            "late": lateness(result),
            "handed_in_at": handed_in_at(result),
            "happened": known.narrative,
            "files": evidence.files if evidence else [],
            "style": Markup(style),  # noqa: S704  smtplab's own file
            "script": Markup(script),  # noqa: S704  smtplab's own file
            "style_hash": content_hash(style),
            "script_hash": content_hash(script),
        }
    )
    # Drawn by the same environment, which escapes everything in them too.
    drawn = (templates.get_template(section.template).generate(**section.values) for section in sections)
    context.blocks["sections"] = [lambda _: chain.from_iterable(drawn)]
    # Most pieces are plain ASCII, which one text of them all, with a sign or two that are not, would not be.
    return b"".join(map(str.encode, report.root_render_func(context)))


def _checks(result: Result, known: EvidenceView) -> Iterator[CheckView]:
    taken: Counter[str] = Counter()
    for status in ORDER:
        for check in result.checks:
            if check.status == status:
                word, sign = WORDS[status]
                anchor = re.sub(r"[^A-Za-z0-9/_.-]+", "-", check.code) or "check"
                taken[anchor] += 1
                if taken[anchor] > 1:
                    anchor += f"-{taken[anchor]}"
                excerpts, _ = known.excerpts(check, rows=EXCERPT_ROWS)
                links = [(references.readable(text), references.link(text)) for text in check.references]
                yield CheckView(check, anchor, word, sign, links, excerpts, known.pointers(check))


def _tally(result: Result) -> list[tuple[Status, str, str, int]]:
    numbers = Counter(check.status for check in result.checks)
    order: tuple[Status, ...] = ("pass", "fail", "skipped", "error", "manual")
    return [(status, *WORDS[status], numbers[status]) for status in order if numbers[status]]


@lru_cache(maxsize=512)
def prose(text: str) -> Markup:
    """A lab author's sentence, its words in backticks as code; everything in it escaped."""
    parts = [Markup.escape(_shown(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return Markup("`").join(parts)
    return Markup().join(Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))


@cache
def environment(further: Path | None) -> jinja2.Environment:
    """The template engine of reports, in which every value is escaped; ``further`` is a folder of more templates."""
    folders = [resources.folder("reports") / "report", *([further] if further else [])]
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=CompiledTemplates([Path(__file__), Path(display_text.__file__)]),
    )
    made.globals["count"] = count
    made.filters["prose"] = prose
    return made


def _shown(value: Any) -> Any:
    # By the thousand, and nearly all of them plain text.
    return visible(value) if type(value) is not Markup and isinstance(value, str) else value


@cache
def _asset(name: str) -> str:
    return (resources.folder("reports") / "report" / name).read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """The hash by which a Content Security Policy allows an inline script or style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""All scripts for browsers are ES2020. Oxlint (``make lint``) holds their style; newer syntax it would let through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dukpy
import pytest

from grader import resources
from tests.browser import chromium

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.together("typescript")]

SCRIPTS = sorted(resources.folder("reports").rglob("*.js"))
COMPILED = "return ts.transpile(arguments[0], {target: ts.ScriptTarget[arguments[1]], newLine: 1})"


@pytest.fixture(scope="module")
def typescript() -> Iterator[Any]:
    """The TypeScript compiler that comes with the embedded engine, in a browser: there it is eight times as fast."""
    compiler = Path(dukpy.__file__).parent / "jsmodules" / "typescriptServices.js"
    with chromium() as browser:
        browser.execute_script(f"{compiler.read_text(encoding='utf-8')}\nwindow.ts = ts;")
        yield browser


def is_es2020(typescript: Any, script: str) -> bool:
    """Whether a compiler has nothing to rewrite for engines of 2020."""
    old, new = (typescript.execute_script(COMPILED, script, target) for target in ("ES2020", "ESNext"))
    return bool(old == new)


def test_no_script_has_newer_syntax(typescript: Any) -> None:
    assert len(SCRIPTS) > 25
    scripts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS}
    # One after the other takes twice as long, and is done only to find a culprit.
    old = is_es2020(typescript, "".join(f"{{\n{script}\n}}\n" for script in scripts.values()))
    assert old, [name for name, script in scripts.items() if not is_es2020(typescript, script)]


@pytest.mark.parametrize(
    "script", ["a ??= b;", "class A { #x = 1; }", "class A { static { f(); } }", "const n = 1_000;"]
)
def test_newer_syntax_is_seen(typescript: Any, script: str) -> None:
    assert is_es2020(typescript, "const a = b?.c ?? 1n; async () => { for await (const d of e) f(...d); };")
    assert not is_es2020(typescript, script)

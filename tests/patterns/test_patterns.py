"""No regular expression of the program can match a text in a number of ways that doubles with each piece of it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.patterns.ambiguity import doubling
from tests.tables import every

ROOT = Path(__file__).parent.parent.parent
COMPILING = ("re.compile", "late_pattern")
FUNCTIONS = (
    *COMPILING,
    *(
        f"re.{name}"
        for name in ["match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"]
    ),
)


@every(
    "pattern, doubles",
    [
        (r"(a+)+b", True),
        (r"(?:[ \t]|\n[ \t]+)+x", True),
        (rb"(?:a|ba+)+x", True),
        (r"(a?b?)*x", True),
        (r"(a*)*", True),
        (r"(?:ab|AB)+x", False),
        (r"(?i:ab|AB)+x", True),
        (r"(?:\w+\s*)+:", True),
        (r"(?>(?:a|a)+)x", True),
        (r"(?:\w+\s+)+:", False),
        (r"(?:\w++\s*)+:", False),
        (r"(?:a{1,2}b)+x", False),
        (r"(?:a(?:b|$))+x", False),
        (r"(?:a|b)*x", False),
    ],
)
def test_what_doubles_is_told_from_what_does_not(pattern: str | bytes, doubles: bool) -> None:
    assert bool(doubling(pattern)) is doubles


def test_no_expression_doubles() -> None:
    found = dict(_expressions())
    # Hundreds are there to be found; those that functions put together are not.
    assert len(found) > 500
    assert {where: piece for (p, flags), where in found.items() if (piece := doubling(p, flags))} == {}


def _expressions() -> Iterator[tuple[tuple[str | bytes, int], str]]:
    for path in sorted((ROOT / "grader").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(name)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not isinstance(node, ast.Call) or (called := ast.unparse(node.func)) not in FUNCTIONS:
                continue
            flags = [word.value for word in node.keywords if word.arg == "flags"]
            flags += node.args[1:2] if called in COMPILING else []
            expression, known = _value(node.args[0], module), _value(flags[0], module) if flags else 0
            if isinstance(expression, (str, bytes)) and isinstance(known, int):
                yield (expression, int(known)), f"{path.relative_to(ROOT)}:{node.lineno}"


def _value(node: ast.expr, module: ModuleType) -> Any:
    """What an expression of Python's comes to in its module; ``None`` where it takes what only a function knows."""
    try:
        return eval(compile(ast.Expression(node), "<pattern>", "eval"), vars(module))
    except (NameError, SyntaxError):
        return None

"""What the modules of a package import, read from their source: plain imports, and modules named in strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_NAMED = re.compile(r"[a-z_]\w*(?:\.\w+)+(?::\w+)?")
"""A string that may name a module, as ``import_module`` and tables of lazy names take it, or an attribute of one."""


def modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its full name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path], *, typing: bool = True) -> Iterator[str]:
    """The modules among ``known`` that a file imports anywhere in it, in functions too, or names in a string.

    ``typing`` says whether those count that are imported for a type checker alone.
    """
    tree = ast.parse(path.read_bytes())
    left_out = set() if typing else {id(node) for node in _for_type_checkers(tree)}
    own = next((name for name, place in known.items() if place == path), "")
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        for name in _named(node, own if path.name == "__init__.py" else own.rpartition(".")[0]):
            # "from package import name" imports a module of that name where there is one.
            module = name if name in known else name.rpartition(".")[0]
            if module in known:
                yield module


def _named(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        around = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        yield from (".".join([*around, *filter(None, [node.module]), alias.name]) for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAMED.fullmatch(node.value):
        yield node.value.partition(":")[0]


def _for_type_checkers(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and for_type_checkers(node):
            for statement in node.body:
                yield from ast.walk(statement)


def for_type_checkers(node: ast.If) -> bool:
    """Whether it is ``if TYPE_CHECKING`` or ``if typing.TYPE_CHECKING``."""
    test = node.test
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def circles(package: Path) -> list[list[str]]:
    """Modules of a package that import each other, directly or by others: each such group, sorted.

    Type checkers' imports aside. That a package is imported with each of its modules does not count.
    """
    graph = _graph(package)
    reached = {name: _reached(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in graph
        if name in reached[name]
    }
    return sorted(list(group) for group in groups)


def needed(package: Path, start: str) -> set[Path]:
    """The files that may be read when the module ``start`` runs: all that it imports, and the packages around those."""
    known = modules(package)
    names = {start} | _reached(_graph(package), start)
    around = {
        ".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)
    }
    return {known[name] for name in around}


@cache
def _graph(package: Path) -> dict[str, set[str]]:
    known = modules(package)
    return {name: set(imported(path, known, typing=False)) - {name} for name, path in known.items()}


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += graph[name]
    return found

"""The house's own rules: who may import whom, how long a file may be, and that the linters are content."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = [
    "model", "resources", "labs", "engines", "world", "probes", "judge", "pipeline", "verify",
    "outputs", "course", "lesson", "cli",
]  # fmt: skip
"""Each imports from those before it alone."""
NEVER = {
    "judge": {"engines", "world", "probes"},
    "outputs": {"engines", "world", "probes", "pipeline", "verify"},
    "labs": {"engines"},
}
"""What the order would allow and the house does not: probing and judging never meet, rendering is pure."""
EXCEPTIONS = {("grader/engines/local/sandbox.py", "grader.world")}
"""On the local engine the world is a fork of the grader's own process: it is entered, not started."""
LONGEST = 400
LONGER = {"grader/engines/agent.py", "grader/engines/programs.py"}
"""Given to the student's host as one file each, which can import nothing of the grader's."""
SOURCES = sorted(path for room in ("grader", "tests") for path in (ROOT / room).rglob("*.py"))


def room_of(module: str) -> str:
    """``labs`` for ``grader.labs.loading``; empty for ``grader`` itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[str]:
    """Every module of ``grader`` that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "grader")
        elif isinstance(node, ast.ImportFrom) and node.module == "grader":
            yield from (f"grader.{alias.name}" for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("grader."):
            yield node.module


def forbidden(importer: str, imported: str) -> bool:
    """Whether one room may not import another."""
    return ORDER.index(imported) > ORDER.index(importer) or imported in NEVER.get(importer, set())


def test_rooms_import_only_from_those_before_them() -> None:
    wrong = []
    for path in SOURCES:
        module = path.relative_to(ROOT).with_suffix("").parts
        if module[0] != "grader" or module[1] == "__init__":
            continue
        for imported in imports(path):
            name = str(path.relative_to(ROOT))
            if not room_of(imported) or (name, imported) in EXCEPTIONS:
                continue
            if forbidden(module[1], room_of(imported)):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("judge", "probes"), ("labs", "cli"), ("outputs", "pipeline"), ("world", "judge")],
)
def test_the_rule_about_imports_forbids(importer: str, imported: str) -> None:
    assert forbidden(importer, imported)


def test_no_file_is_too_long_to_read() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in SOURCES}
    assert {
        name: length for name, length in lengths.items() if length >= LONGEST and name not in LONGER
    } == {}


def test_every_module_and_public_function_says_what_it_is_for() -> None:
    silent = []
    for path in (path for path in SOURCES if path.is_relative_to(ROOT / "grader")):
        tree = ast.parse(path.read_bytes())
        if tree.body and ast.get_docstring(tree) is None:
            silent.append(str(path.relative_to(ROOT)))
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if not node.name.startswith("_") and ast.get_docstring(node) is None:
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


def test_lists_of_public_names_are_sorted() -> None:
    unsorted = []
    for path in SOURCES:
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets):
                names = ast.literal_eval(node.value)
                if names != sorted(names):
                    unsorted.append(str(path.relative_to(ROOT)))
    assert unsorted == []


def test_nothing_names_the_place_where_it_was_written() -> None:
    # Spelt so that this file does not name it either.
    places = re.compile(
        "/work/" + r"(?:shared|main)|(?<!/var)/tmp/(?:pv|proto|smtp" + "lab)|" + r"\bpiece " + r"[A-G]\b"
    )
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    named = [
        name
        for name in tracked.decode().split("\0")
        if name and (ROOT / name).is_file() and places.search((ROOT / name).read_text(errors="replace"))
    ]
    assert named == []


def test_locks_name_no_index_and_pin_everything_by_hash() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock"):
        text = lock.read_text()
        assert "://" not in text
        requirements = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
        assert requirements
        for requirement in requirements:
            assert re.match(r"[\w.-]+==\S+", requirement), requirement
            assert "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.slow),
        ["oxlint", "--deny-warnings", "reports"],
        ["shellcheck", "fixtures/setup/setup", ".ci/run"],
    ],
    ids=" ".join,
)
def test_linters_are_content(command: list[str]) -> None:
    program = Path(sys.executable).with_name(command[0])
    found = str(program) if program.exists() else shutil.which(command[0])
    if found is None:
        pytest.skip(f"{command[0]} is not installed here")
    done = subprocess.run(
        [found, *command[1:]], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""The house's own rules: who may import whom, how long a file may be, and that the linters are content."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from grader.kinds import BUILT_IN
from tests.imports import for_type_checkers

ROOT = Path(__file__).parent.parent
ORDER = [
    "model", "disk", "interruption", "resources", "formats", "display", "kinds.table", "labs", "engines",
    "schedule", "world", "kinds", "judge", "pipeline", "verify", "outputs", "course", "bundles", "lesson", "cli",
]  # fmt: skip
"""Each imports from those before it alone. ``kinds.table`` is the table of kinds; it opens their doors when asked."""
TABLE = ("grader.kinds", "grader.kinds.base")
KINDS = {row.package for row in BUILT_IN.values()}
READS_OLD = "grader.kinds.older"
"""Of what lies in kinds, the pipeline may know the reader of older evidence."""
NEVER = {
    "judge": {"engines", "world", "kinds"},
    "outputs": {"engines", "world", "kinds", "pipeline", "verify"},
    "labs": {"engines"},
    "pipeline": {"kinds"},
    "verify": {"kinds"},
    "course": {"kinds"},
    "bundles": {"kinds", "engines", "world", "pipeline", "course"},
    "cli": {"kinds"},
}
"""What the order would allow and the house does not: probing and judging never meet, rendering is pure, and nobody
knows a kind of lab by name but the kinds themselves, and the lesson, whose quiz is one."""
PURE = ("judge", "show")
"""Doors of a kind that import nothing that acts: no engine, nothing of the world, no ``run`` of any kind."""
EXCEPTIONS = {
    ("grader/engines/local/sandbox.py", "grader.world.service"),
    ("grader/engines/local/sandbox.py", "grader.world.dns.asking"),
    ("grader/engines/local/sandbox.py", "grader.world.dns.unusual"),
    ("grader/engines/local/sandbox.py", "grader.world.submission_server.servers"),
}
"""On the local engine the world is a fork of the grader's own process: it is entered, not started."""
OTHER_MEANING = {
    ("grader.cli.app", "quiz"),
    ("grader.cli.commands.quiz", "quiz"),
    ("grader.labs.world", "server"),
}
"""Words that name a kind of lab and here something else: the command for practice, the name for an address."""
LONGEST = 400
NAME = re.compile(r"grader(\.[a-z_]\w*)+(:\w+)?\Z")
"""A module of the grader's, or something in one, named in a string."""
SOURCES = sorted(path for room in ("grader", "tests") for path in (ROOT / room).rglob("*.py"))


def room_of(module: str) -> str:
    """``labs`` for ``grader.labs.loading``; empty for ``grader`` itself."""
    parts = module.split(".")
    if module in TABLE:
        return "kinds.table"
    return parts[1] if len(parts) > 1 else ""


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module of ``grader`` that a file imports, by whatever means, anywhere in it but for types alone."""
    return tuple(of_tree(ast.parse(path.read_bytes()), path.relative_to(ROOT).parts))


def of_tree(tree: ast.AST, place: tuple[str, ...] = ()) -> Iterator[str]:
    """The modules that a piece of code imports; of ``from grader.labs import cache`` it is ``grader.labs.cache``.

    A string that names a module is an import too: something will import it by that name. ``place`` is the code's path,
    for what it imports relatively.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and for_type_checkers(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "grader")
        elif isinstance(node, ast.ImportFrom):
            module = ".".join((*(place[: -node.level] if node.level else ()), *filter(None, [node.module])))
            for alias in node.names if module.partition(".")[0] == "grader" else ():
                inner = f"{module}.{alias.name}"
                yield inner if inner in MODULES else module
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.match(node.value):
            yield node.value.partition(":")[0]
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            # Of a name that is put together, the room at least must stand there.
            begin = str(node.values[0].value)
            if begin.startswith("grader."):
                yield begin.rpartition(".")[0] if begin.count(".") > 1 else begin + "?"
        yield from of_tree(node, place)


def forbidden(importer: str, imported: str) -> bool:
    """Whether one room may not import another."""
    return ORDER.index(imported) > ORDER.index(importer) or imported in NEVER.get(importer, set())


def module_of(path: Path) -> str:
    """``grader.labs.loading`` for its file; a package's own name for its ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PROGRAM = [path for path in SOURCES if path.is_relative_to(ROOT / "grader")]
MODULES = {module_of(path) for path in PROGRAM}


def test_rooms_import_only_from_those_before_them() -> None:
    wrong = []
    for path in PROGRAM:
        module = module_of(path)
        for imported in imports(path):
            name = str(path.relative_to(ROOT))
            if not room_of(imported) or not room_of(module) or (name, imported) in EXCEPTIONS:
                continue
            if imported == READS_OLD and room_of(module) == "pipeline":
                continue
            if module == TABLE[0] and imported in KINDS:
                continue
            if forbidden(room_of(module), room_of(imported)):
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_what_judges_and_shows_imports_nothing_that_acts() -> None:
    wrong = []
    for path in PROGRAM:
        parts = module_of(path).split(".")
        if parts[1:2] != ["kinds"] or not set(PURE) & set(parts):
            continue
        for imported in imports(path):
            acts = room_of(imported) in ("engines", "world") or (
                ".kinds." in imported and "run" in imported.split(".")
            )
            if acts:
                wrong.append(f"{module_of(path)} imports {imported}")
    assert wrong == []


@pytest.mark.parametrize("kind", sorted(BUILT_IN))
def test_every_kind_has_the_same_doors(kind: str) -> None:
    from grader import kinds

    doors = {
        "declare": (kinds.declare(kind), ("LAB",)),
        "author": (kinds.author(kind), ("complaints", "completed", "texts", "vocabulary")),
        "plan": (kinds.plan(kind), ("make",)),
        "run": (kinds.run(kind), ("act", "nothing")),
        "judge": (kinds.judge(kind), ("EVIDENCE", "judge", "checks", "prepare")),
        "show": (
            kinds.show(kind),
            ("TEMPLATES", "narrative", "holds", "place", "excerpts", "sections", "screen"),
        ),
    }
    missing = [
        f"{door}.{name}"
        for door, (module, names) in doors.items()
        for name in names
        if not hasattr(module, name)
    ]
    assert missing == []


def test_no_room_but_their_own_names_a_kind() -> None:
    """As a word in quotation marks, which is how a lab.yaml and the table name it."""
    words = re.compile(rf"""["'](?:{"|".join(BUILT_IN)})["']""")
    rooms = ("labs", "judge", "outputs", "pipeline", "verify", "cli", "course", "bundles")
    named = [
        f"{module_of(path)}: {line.strip()}"
        for path in PROGRAM
        if room_of(module_of(path)) in rooms
        for line in path.read_text().splitlines()
        if words.search(line) and (module_of(path), words.search(line)[0].strip("\"'")) not in OTHER_MEANING  # type: ignore[index]
    ]
    assert named == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("judge", "kinds"), ("labs", "cli"), ("outputs", "pipeline"), ("world", "judge"), ("cli", "kinds")],
)
def test_the_rule_about_imports_forbids(importer: str, imported: str) -> None:
    assert forbidden(importer, imported)


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import_module('grader.cli.app')", "grader.cli.app"),
        ("TABLE = {'a': 'grader.outputs.junitxml:junit'}", "grader.outputs.junitxml"),
        ("import_module(f'grader.lesson.quiz.export.{kind}')", "grader.lesson.quiz.export"),
        ("import_module(f'grader.{room}')", "grader.?"),
        ("def f():\n    from ..cli import app", "grader.cli.app"),
    ],
)
def test_an_import_by_string_or_by_a_detour_is_seen(
    code: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    source = tmp_path / "grader" / "world" / "service.py"
    source.parent.mkdir(parents=True)
    source.write_text(code)
    assert list(imports(source)) == [module]


def test_every_module_that_is_imported_is_there() -> None:
    missing = []
    for path in (path for path in SOURCES if path.is_relative_to(ROOT / "grader")):
        for imported in imports(path):
            place = ROOT / imported.replace(".", "/")
            if not (place.is_dir() or place.with_suffix(".py").is_file()):
                missing.append(f"{path.relative_to(ROOT)} imports {imported}")
    assert missing == []


def test_no_file_is_too_long_to_read() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_bytes().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length >= LONGEST} == {}


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
        source = path.read_bytes()
        for node in ast.parse(source).body if b"__all__" in source else ():
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

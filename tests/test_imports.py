"""No modules of the grader import each other in a circle, and no import hides in a string."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.engines.docker import images
from tests.imports import circles, imported, modules, needed

GRADER = Path(__file__).parent.parent / "grader"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(GRADER) == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"a": "import p.b", "b": "from p import a"}, [["p.a", "p.b"]]),
        ({"a": "from p.b import x", "b": "def f():\n    from p.a import y"}, [["p.a", "p.b"]]),
        ({"a": "from p.b import x", "b": "from p.c import y", "c": "import p.a"}, [["p.a", "p.b", "p.c"]]),
        ({"a": "from .b import x", "b": "from . import a"}, [["p.a", "p.b"]]),
        ({"a": "import p.b", "b": "import_module('p.a')"}, [["p.a", "p.b"]]),
        ({"a": "LAZY = {'f': 'p.b:f'}", "b": "import p.a"}, [["p.a", "p.b"]]),
        ({"a": "LAZY = {'f': 'p.b.f'}", "b": "import p.a"}, [["p.a", "p.b"]]),
        ({"a": "from p.b import x", "b": "if TYPE_CHECKING:\n    from p.a import y"}, []),
        ({"a": "from p.b import x", "b": "'''See p.a for more.'''"}, []),
        ({"a": "from p.c import x", "b": "from p.c import x", "c": "import os"}, []),
    ],
)
def test_a_circle_would_be_found(tmp_path: Path, sources: dict[str, str], expected: list[list[str]]) -> None:
    package = tmp_path / "p"
    package.mkdir()
    for name, text in {"__init__": "", **sources}.items():
        (package / f"{name}.py").write_text(text)
    assert circles(package) == expected


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("grader.cli.app", "grader.cli.commands.check"),
        ("grader.labs", "grader.labs.loading"),
        ("grader.outputs", "grader.outputs.webpage"),
    ],
)
def test_a_module_named_in_a_string_is_an_import(module: str, names: str) -> None:
    known = modules(GRADER)
    assert names in set(imported(known[module], known, typing=False))


def test_docker_s_image_has_all_that_the_world_imports() -> None:
    programs = {GRADER.parent / name for name, _ in images._programs() if name.startswith("grader/")}
    assert needed(GRADER, "grader.world.__main__") - programs == set()

"""Patterns that wait for their first use behave as others do, and each of the program's is a good one."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from grader.model.latepattern import late_pattern
from tests.imports import modules

GRADER = Path(__file__).parent.parent.parent / "grader"


def test_it_is_compiled_when_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    compile_ = re.compile

    def noted(pattern: str, flags: int) -> re.Pattern[str]:
        compiled.append(pattern)
        return compile_(pattern, flags)

    monkeypatch.setattr(re, "compile", noted)
    pattern = late_pattern(r"^b(.)$", re.IGNORECASE | re.MULTILINE)
    assert not compiled
    assert pattern.findall("a\nBx\nby") == ["x", "y"]
    assert pattern.findall("bz") == ["z"]
    assert (len(compiled), pattern.pattern, pattern.groups) == (1, r"^b(.)$", 1)


def test_it_takes_octets() -> None:
    assert late_pattern(rb"(\d+)").sub(rb"<\1>", b"a1b22") == b"a<1>b<22>"


def test_each_of_the_program_s_compiles() -> None:
    naming = [name for name, path in modules(GRADER).items() if " = late_pattern(" in path.read_text()]
    kind = type(late_pattern(""))
    late = [value for name in naming for value in vars(import_module(name)).values() if type(value) is kind]
    assert len(late) >= len(naming) > 0
    assert all(isinstance(value.pattern, str | bytes) for value in late)

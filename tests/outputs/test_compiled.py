"""Compiled templates that are kept: the next process compiles none, and runs nothing that others could have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from grader.outputs.compiled import CompiledTemplates

Compilations = Callable[[], int]


@pytest.fixture
def compilations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compilations:
    """Renders a template as a new process would, and says how often it was compiled."""
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "cache"))
    template = tmp_path / "page.j2"
    template.write_text("{{ 6 * 7 }} and all", encoding="ascii")
    (tmp_path / "source.py").write_text("first version", encoding="ascii")

    def render() -> int:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(tmp_path),
            autoescape=True,
            bytecode_cache=CompiledTemplates([tmp_path / "source.py"]),
        )
        count = 0
        compile_ = environment.compile

        def counting(*arguments: object, **named: object) -> object:
            nonlocal count
            count += 1
            return compile_(*arguments, **named)  # type: ignore[call-overload]

        monkeypatch.setattr(environment, "compile", counting)
        assert environment.get_template("page.j2").render() == "42 and all"
        return count

    return render


def kept(tmp_path: Path) -> Path:
    (entry,) = (tmp_path / "cache" / "templates").iterdir()
    return entry


def test_a_template_is_compiled_once_for_all_processes(compilations: Compilations, tmp_path: Path) -> None:
    assert [compilations(), compilations()] == [1, 0]
    assert kept(tmp_path).stat().st_mode & 0o077 == 0
    (tmp_path / "source.py").write_text("second version", encoding="ascii")
    assert [compilations(), compilations()] == [1, 0], "what it calls while compiled may do another thing"


def test_what_is_damaged_is_compiled_again(compilations: Compilations, tmp_path: Path) -> None:
    compilations()
    whole = kept(tmp_path).read_bytes()
    flipped = bytes([*whole[:-1], whole[-1] ^ 1])
    for damaged in (b"", whole[:40], whole[:-1], flipped, whole + b"\0"):
        kept(tmp_path).write_bytes(damaged)
        assert [compilations(), compilations()] == [1, 0]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_code_from_a_folder_that_is_open_to_others_is_not_run(
    mode: int, compilations: Compilations, tmp_path: Path
) -> None:
    compilations()
    kept(tmp_path).parent.chmod(mode)
    assert [compilations(), compilations()] == [1, 1]


def test_code_from_another_s_folder_is_not_run(
    compilations: Compilations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilations()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert compilations() == 1


def test_a_link_to_another_folder_is_not_followed(compilations: Compilations, tmp_path: Path) -> None:
    compilations()
    folder = kept(tmp_path).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert compilations() == 1


def test_without_a_place_to_keep_them_templates_are_compiled(
    compilations: Compilations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "file"))
    assert compilations() == 1
    monkeypatch.delenv("SMTPLAB_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    assert compilations() == 1

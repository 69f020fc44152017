"""The command starts fast: a command pays for what it uses and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"rich", "msgspec", "yaml", "docker", "jinja2", "jsonschema", "asyncio", "watchfiles", "cryptography"}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], set()),
        (["--help"], {"msgspec"}),
        (["check", "--help"], {"msgspec"}),
        (["labs"], {"msgspec", "yaml"}),
        (["check", "no-such-lab"], {"msgspec", "yaml"}),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], allowed: set[str]) -> None:
    program = (
        "import sys; from grader.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stderr.rsplit("\n", 2)[-2].split()}
    assert loaded & HEAVY <= allowed

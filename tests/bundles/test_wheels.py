"""The wheel in a bundle, which students may read: it holds no solution, pip takes it, and it grades."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.cli import main
from tests.bundles.conftest import ROOT
from tests.bundles.test_bundles import solve

SUBMISSIONS = {"solution", "correct", "wrong"}


def solutions(names: list[str]) -> list[str]:
    return [name for name in names if "labs" in name and SUBMISSIONS & set(Path(name).parts)]


@pytest.mark.slow
@pytest.mark.together("wheel")
def test_a_bundle_s_wheel_grades_and_holds_no_solution(here: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(here / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = (here / "dist").glob("*.whl")
    with zipfile.ZipFile(built) as given:
        before = given.namelist()
    assert solutions(before)
    assert main(["export", "github", "spf-dmarc", "--out", "out", "--wheel", str(built)]) == 0
    with zipfile.ZipFile(here / "out" / built.name) as kept:
        names = kept.namelist()
        contents = {name: kept.read(name) for name in names}
        modes = {entry.filename: entry.external_attr for entry in kept.infolist()}
    assert solutions(names) == []
    assert set(names) == set(before) - set(solutions(before))
    with zipfile.ZipFile(built) as given:
        assert modes.items() <= {entry.filename: entry.external_attr for entry in given.infolist()}.items()
    [record] = [name for name in names if name.endswith(".dist-info/RECORD")]
    rows = list(csv.reader(io.StringIO(contents[record].decode())))
    assert sorted(row[0] for row in rows) == sorted(names)
    for name, digest, size in rows:
        if name != record:
            made = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={made}", len(contents[name]))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", "installed", here / "out" / built.name], cwd=here, check=True)
    assert solutions([str(path) for path in (here / "installed").rglob("*")]) == []
    solve(here / "work")
    program = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main(sys.argv[1:]))"]
    grade = [*program, "check", "out/labs/spf-dmarc", "work"]
    told = {**os.environ, "PYTHONPATH": str(here / "installed"), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(grade, cwd=here, env=told, check=False, capture_output=True, text=True)
    assert (done.returncode, "100 of 100 points" in done.stdout) == (0, True), done.stderr
    example = subprocess.run(
        [*program, "check"], cwd=here, env=told, check=False, capture_output=True, text=True
    )
    assert example.returncode == 2
    assert "no worked example to show" in example.stderr

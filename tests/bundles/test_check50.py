"""check50's bundle, run by check50 itself as who writes checks tries them (``--dev``)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.cli import main
from tests.bundles.test_bundles import ADDRESS, CASES, handed_in

pytestmark = pytest.mark.slow


def checked(slug: Path, work: Path) -> dict[str, dict[str, Any]]:
    """What check50 says of each check, by the name that it has there."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("check50"),
            "--dev",
            slug,
            "--output",
            "json",
            "--output-file",
            "said.json",
        ],
        cwd=work,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (work / "said.json").is_file(), done.stderr
    return {one["name"]: one for one in json.loads((work / "said.json").read_text())["results"]}


@pytest.mark.parametrize("case", [*CASES, "wrong"])
def test_check50_says_of_each_check_what_became_of_it(case: str, here: Path) -> None:
    assert main(["export", "check50", "spf-dmarc", "--out", "slug", "--from", ADDRESS]) == 0
    handed_in(here / "work", here / "slug/labs/spf-dmarc", case)
    # Nobody's hand-in is in the way of what grades.
    (here / "work/json.py").write_text("raise SystemExit('mine')\n")
    (here / "work/grader.py").write_text("raise SystemExit('mine')\n")
    if case == "wrong":
        zone = here / "work/example.com.zone"
        zone.write_text(zone.read_text().replace("-all", "+all"))
    said = checked(here / "slug", here / "work")
    declared = labs.load(labs.find("spf-dmarc")).all_checks
    assert len(said) == 1 + len(declared)
    passed = {name: one["passed"] for name, one in said.items()}
    rest = {name: value for name, value in passed.items() if name != "graded"}
    if case == "right":
        assert set(passed.values()) == {True}
        assert sum(one["data"]["points"] for name, one in said.items() if name != "graded") == 100
    elif case == "empty":
        assert passed["graded"] is False
        assert "holds no example.com.zone" in said["graded"]["cause"]["rationale"]
        assert set(rest.values()) == {None}
    elif case == "broken":
        assert set(passed.values()) == {None}, "nobody has failed where the grader did"
        assert said["graded"]["cause"]["error"]["type"] == "GraderFailed"
    else:
        assert (passed["graded"], passed["spf_record"], passed["strangers"]) == (True, True, False)
        assert said["strangers"]["description"] == "Nobody else passes SPF"
        assert "SPF for example.com is pass" in said["strangers"]["cause"]["rationale"]
        assert "because spf-dmarc/strangers failed" in said["strength"]["cause"]["rationale"]

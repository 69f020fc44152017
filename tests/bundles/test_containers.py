"""Bundles of platforms that build and grade in a container of the course's own, run in one without a network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from junitparser import JUnitXml

from grader.cli import main
from tests.bundles.conftest import Run
from tests.bundles.test_bundles import ADDRESS, CASES, handed_in

pytestmark = [pytest.mark.slow, pytest.mark.engines("docker")]


@pytest.mark.parametrize("case", CASES)
def test_exercism_s_runner_writes_results_or_ends_with_1(case: str, contained: Run, here: Path) -> None:
    """By the command of Exercism's docs (building/tooling/test-runners/docker.md)."""
    assert main(["export", "exercism", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    recipe = (here / "out/Dockerfile").read_text()
    assert 'ENTRYPOINT ["/opt/test-runner/bin/run.sh"]' in recipe
    handed_in(here / "solution", here / "out/labs/spf-dmarc", case)
    (here / "solution/.meta").mkdir()
    (here / "solution/.meta/config.json").write_text("{}\n")
    (here / "output").mkdir()
    code = contained(
        "cd /opt/test-runner && bin/run.sh spf-dmarc /solution/ /output/",
        {here / "out": "/opt/test-runner", here / "solution": "/solution:ro", here / "output": "/output"},
    )
    assert (code == 0) is CASES[case][1]
    if code:
        assert not (here / "output/results.json").exists()
        return
    made = json.loads((here / "output/results.json").read_text())
    assert made["status"] == ("pass" if case == "right" else "error")
    assert case == "right" or "example.com.zone" in made["message"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tests", ["tests", "."])
def test_artemis_s_build_leaves_results_or_fails(case: str, tests: str, contained: Run, here: Path) -> None:
    """In the folder of a build, with both repositories checked out (LOCALCI_WORKING_DIRECTORY)."""
    assert main(["export", "artemis", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    build = here / "testing-dir"
    handed_in(build / "assignment", here / "out/labs/spf-dmarc", case)
    shutil.copytree(here / "out/labs", build / tests / "labs")
    shutil.copy(here / "out/build.sh", build)
    code = contained("cd /var/tmp/testing-dir && bash build.sh", {build: "/var/tmp/testing-dir"})
    assert (code == 0) is CASES[case][1]
    results = build / "results/smtplab.xml"
    assert results.exists() is CASES[case][1]
    if code:
        return
    (suite,) = JUnitXml.fromfile(str(results))
    assert {one.name: one.is_passed for one in suite}["strangers"] is (case == "right")
    readme = (here / "out/README.md").read_text()
    assert [one.name for one in suite if f"{one.name} " not in readme] == []


@pytest.mark.parametrize("case", CASES)
def test_codegrade_s_steps_print_a_number_and_show_the_feedback(
    case: str, contained: Run, here: Path
) -> None:
    assert main(["export", "codegrade", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    shutil.unpack_archive("out/fixtures.zip", here / "fixtures")
    handed_in(here / "work", here / "fixtures/labs/spf-dmarc", case)
    (here / "said").mkdir()
    contained(
        "mkdir -p $HOME/.smtplab && ln -s /opt/smtplab/bin $HOME/.smtplab/bin && cd /submission && "
        "bash /fixtures/points.sh >/said/points; bash /fixtures/feedback.sh",
        {here / "fixtures": "/fixtures:ro", here / "work": "/submission:ro", here / "said": "/said"},
        HOME="/tmp/home", CG_JUNIT_XML_LOCATION="/said/junit.xml",
    )  # fmt: skip
    said = (here / "said/points").read_text()
    assert said.startswith(
        {"right": "1.0000\n", "empty": "What was handed in cannot be read", "broken": "smtplab"}[case]
    )
    assert any(character.isdigit() for character in said) is (case == "right")
    assert (here / "said/junit.xml").is_file() is CASES[case][1]

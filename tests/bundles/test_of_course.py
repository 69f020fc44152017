"""What a course says of a lab holds where its bundle grades it, and what is set up by a bundle's README fits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from junitparser import JUnitXml

from grader.cli import main
from tests.bundles.test_bundles import ADDRESS, solve
from tests.bundles.unpacking import unpack

LAB = "spf-dmarc"


def exported(platform: str, here: Path, said: str) -> Path:
    (here / "course.yaml").write_text(f"title: Mail\nlabs: {{{LAB}: {{{said}}}}}\n")
    assert main(["export", platform, LAB, "--out", "out", "--from", ADDRESS]) == 0
    if platform == "autolab":
        return unpack(Path("out/autograde.tar"), here / "unpacked") / "labs" / LAB
    return here / "out/labs" / LAB


@pytest.mark.parametrize("platform", ["autolab", "artemis"])
@pytest.mark.parametrize("said", ["never", "after-due"])
def test_a_readme_names_checks_as_documents_do(said: str, platform: str, here: Path) -> None:
    """What is seen after the due date, which is over, has its own name."""
    due = "due: '2001-01-01T00:00+00:00', "
    lab = exported(platform, here, f"{due}visibility: {{newsletter: {said}, spf-record: {said}}}")
    readme = (here / "out/README.md").read_text()
    solve(here / "work")
    main(["check", str(lab), "work", "--autolab", "scores", "--junit-artemis", "junit.xml", "--exit-zero"])
    scores: dict[str, int] = json.loads((here / "scores").read_text().rstrip().splitlines()[-1])["scores"]
    assert {"newsletter", "spf-record"}.isdisjoint(scores) is (said == "never")
    assert ", ".join(f"{name} {points}" for name, points in scores.items()) in readme
    (suite,) = JUnitXml.fromfile(str(here / "junit.xml"))
    assert {case.name for case in suite} <= set(re.findall(r"[\w-]+", readme))


@pytest.mark.parametrize("platform", ["autolab", "artemis"])
def test_names_that_would_change_are_refused(
    platform: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "{due: '2999-01-01T00:00+00:00', visibility: {newsletter: after-due}}"
    (here / "course.yaml").write_text(f"title: Mail\nlabs: {{{LAB}: {said}}}\n")
    assert main(["export", platform, LAB, "--out", "out", "--from", ADDRESS]) == 2
    assert "write 'never' for 'after-due'" in capsys.readouterr().err
    assert main(["export", "vpl", LAB, "--out", "out", "--from", ADDRESS]) == 0


@pytest.mark.parametrize(("asked", "given"), [([], "none"), (["--hints", "example"], "none")])
def test_the_course_s_cap_of_hints_holds(asked: list[str], given: str, here: Path) -> None:
    lab = exported("exercism", here, f"hints: {given}, overrides: course.yaml")
    solve(here / "work")
    zone = here / "work/example.com.zone"
    zone.write_text(zone.read_text().replace("-all", "+all"))
    assert main(["check", str(lab), "work", "--json", "capped.json", *asked]) == 1
    assert main(["check", LAB, "work", "--json", "open.json"]) == 1
    capped, free = (
        [check for check in json.loads((here / name).read_text())["checks"] if check["status"] == "fail"]
        for name in ("capped.json", "open.json")
    )
    assert len(capped) == len(free) > 0
    assert all(check["next"] for check in free)
    assert not any(check["next"] or any((check.get("hints") or {}).values()) for check in capped)
    assert 'overrides":null' in (lab / "of-course.json").read_text()


def test_a_lower_cap_that_was_asked_for_holds_too(here: Path) -> None:
    lab = exported("exercism", here, "hints: example")
    solve(here / "work")
    zone = here / "work/example.com.zone"
    zone.write_text(zone.read_text().replace("-all", "+all"))
    assert main(["check", str(lab), "work", "--json", "made.json", "--hints", "none"]) == 1
    checks = json.loads((here / "made.json").read_text())["checks"]
    assert not any(check["next"] for check in checks)

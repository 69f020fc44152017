"""INGInious's bundle, where INGInious runs it: as user 4242, without a network, told by a file what was handed in.

The files and users are those of ``base-containers/base/bin/INGInious`` and ``inginious/agent/docker_agent``, the keys
of a task those of ``inginious/frontend/tasks.py``, ``environment_types`` and ``inginious/common/tasks_problems.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from grader.cli import main
from tests.bundles.conftest import Run
from tests.bundles.test_bundles import ADDRESS, CASES, handed_in

WORKER = 4242


def test_a_task_asks_for_the_lab_s_files(here: Path) -> None:
    assert main(["export", "inginious", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    task = yaml.safe_load((here / "out/task/task.yaml").read_text())
    assert (task["environment_type"], task["environment_id"]) == ("docker", "smtplab")
    assert 'org.inginious.grading.name="smtplab"' in (here / "out/Dockerfile").read_text()
    assert task["environment_parameters"]["network_grading"] is False
    [(problem, asked)] = task["problems"].items()
    assert problem.isalnum()
    assert (asked["type"], asked["name"], asked["allowed_exts"]) == ("file", "example.com.zone", [".zone"])
    assert json.loads((here / "out/task/files.json").read_text()) == {problem: "example.com.zone"}


@pytest.mark.slow
@pytest.mark.engines("docker")
@pytest.mark.parametrize("case", CASES)
def test_inginious_s_runs_in_a_plain_container(case: str, contained: Run, here: Path) -> None:
    assert main(["export", "inginious", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    task = here / "out/task"
    handed_in(here / "handed in", task / "labs/spf-dmarc", case)
    told, output = here / "input", here / "output"
    told.mkdir()
    output.mkdir()
    # The agent makes the file before anything runs, and lets the worker write.
    (output / "__feedback.json").touch()
    output.chmod(0o777)
    (output / "__feedback.json").chmod(0o777)
    given = {"@username": "alice", "@lang": "en"}
    for path in (here / "handed in").iterdir():
        (told / "__inputfile_0").write_bytes(path.read_bytes())
        given["file1"] = {"filename": "mine.zone", "value": "/.__input/__inputfile_0"}  # type: ignore[assignment]
    (told / "__inputdata.json").write_text(json.dumps({"input": given}))
    # It starts as root there, too, and what it runs as its worker. Here, the interpreter may lie in root's home.
    command = f"chmod 755 /root && cd /task && setpriv --reuid={WORKER} --regid={WORKER} --clear-groups ./run"
    contained(command, {task: "/task", told: "/.__input", output: "/.__output"})
    said = (output / "__feedback.json").read_text()
    if not CASES[case][1]:
        assert said == "", "no feedback is a crash"
        return
    made = json.loads(said)
    assert made["result"] == ("success" if case == "right" else "failed")
    assert made.get("grade") == CASES[case][0]
    assert isinstance(made.get("grade", 0.0), float), "its agent takes no other number"

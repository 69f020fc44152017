"""What the lab authenticated-message promises beside what every lab does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grader import labs
from grader.kinds.program.declare import ProgramLab
from grader.model.lab import Check
from tests.tables import every

FOLDER = labs.find("authenticated-message")
LOADED = labs.load(FOLDER)
assert isinstance(LOADED, ProgramLab)
LAB: ProgramLab = LOADED
WRONG = sorted(path.parent for path in FOLDER.glob("wrong/*/expect.yaml"))
PROGRAMS = sorted(FOLDER.glob("*/send")) + sorted(FOLDER.glob("*/*/send"))

each_check = pytest.mark.parametrize("check", LAB.all_checks, ids=lambda check: check.code)


@each_check
def test_only_the_next_step_and_the_hints_name_a_tools_options(check: Check) -> None:
    named = re.compile(r"--\w|smtplib|SSL_verify_mode|create_default_context")
    for text in (check.title, check.expected or "", check.why):
        assert not named.search(text)
    assert "`" in check.next


def test_the_handout_announces_every_check_with_its_points_in_order() -> None:
    handout = (FOLDER / "handout.md").read_text(encoding="utf-8")
    announced = re.findall(r"^\| (.*) \| (\d+) \|$", handout, re.MULTILINE)
    assert announced == [(check.title, str(check.points)) for check in LAB.all_checks]


def test_the_handout_names_every_variable() -> None:
    handout = (FOLDER / "handout.md").read_text(encoding="utf-8")
    assert [name for name in LAB.program.environment if f"`{name}`" not in handout] == []


def test_there_are_many_ways_to_do_it_right_and_wrong() -> None:
    assert len([*FOLDER.glob("correct/*")]) >= 8
    assert len(WRONG) >= 30
    first_lines = {path.read_bytes().split(b"\n", 1)[0] for path in FOLDER.glob("correct/*/send")}
    assert {b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/perl", b"#!/usr/bin/env python3"} <= first_lines


@every("program", PROGRAMS, ids=lambda path: str(path.relative_to(FOLDER).parent))
def test_programs_may_be_executed(program: Path) -> None:
    assert os.access(program, os.X_OK)

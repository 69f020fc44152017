"""Whoever is interrupted gives no grade, whatever a library made of the interrupt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dns.rdata
import pytest

from grader import interruption, labs, pipeline
from grader.course import grading


@pytest.fixture(autouse=True)
def over() -> Iterator[None]:
    yield
    interruption.begin()


def test_an_interrupt_that_a_library_takes_for_a_fault_of_the_zone_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*given: Any, **more: Any) -> None:
        try:  # as dnspython's ExceptionWrapper does
            interruption.interrupt()
        except KeyboardInterrupt as error:
            raise ValueError("taken for a fault of the zone") from error

    folder = labs.find("spf-dmarc")
    lab = labs.load(folder)
    solution = labs.render_submission(folder / "solution", labs.draw_variant(lab, None, None))
    monkeypatch.setattr(dns.rdata, "from_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pipeline.grade(lab, solution, engine=None)


def test_nothing_is_written_after_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt):
        interruption.interrupt()
    with pytest.raises(KeyboardInterrupt):
        grading.write(None, [])  # type: ignore[arg-type]


def test_a_command_that_begins_knows_of_no_interrupt_before() -> None:
    with pytest.raises(KeyboardInterrupt):
        interruption.interrupt()
    interruption.begin()
    interruption.end_if_interrupted()

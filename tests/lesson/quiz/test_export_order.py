"""Exports show choices in an order drawn by a seed, so that no place tells which is right."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from grader.kinds.quiz.questions import Match, OrderItems, Single
from grader.lesson.quiz.export import prepared
from grader.lesson.quiz.export.gift import gift
from grader.lesson.quiz.export.moodle import moodle
from grader.lesson.quiz.export.qti import qti
from tests.lesson.quiz.readers import read_gift
from tests.lesson.quiz.test_exports import KNOWN, NS, QUESTIONS, items_of, right_in


def test_no_export_tells_answers_by_their_order() -> None:
    made = prepared(QUESTIONS, KNOWN)
    gifts = {one.name: one for one in read_gift(gift(made).decode())}
    items = items_of(qti(made))
    elements = {one.findtext("name/text"): one for one in etree.fromstring(moodle(made))}
    places: dict[str, Counter[int]] = {"gift": Counter(), "qti": Counter(), "moodle": Counter()}
    for question in QUESTIONS:
        if isinstance(question, Single):
            weights = [weight for _, weight, _ in gifts[question.id].answers]
            places["gift"][weights.index(100.0)] += 1
            idents = [one.get("ident") for one in items[question.id].iter(f"{NS}response_label")]
            places["qti"][[right_in(items[question.id], ident) for ident in idents].index(True)] += 1
            shares = [answer.get("fraction") for answer in elements[question.id].findall("answer")]
            places["moodle"][shares.index("100")] += 1
        elif isinstance(question, OrderItems):
            assert [right for _, right in gifts[question.id].pairs] != [
                str(place + 1) for place in range(len(question.items))
            ]
            responses = [one.get("ident") for one in items[question.id].iter(f"{NS}response_lid")]
            assert responses != sorted(responses)
        elif isinstance(question, Match):
            lid = next(items[question.id].iter(f"{NS}response_lid"))
            labels = [one.get("ident") for one in lid.iter(f"{NS}response_label")]
            assert labels != sorted(labels)
    for found in places.values():
        assert set(found) == {0, 1, 2, 3}
        assert max(found.values()) <= 0.4 * sum(found.values())


def test_a_seed_gives_an_order_and_another_seed_another() -> None:
    assert gift(prepared(QUESTIONS, KNOWN, "autumn")) == gift(prepared(QUESTIONS, KNOWN, "autumn"))
    assert gift(prepared(QUESTIONS, KNOWN, "autumn")) != gift(prepared(QUESTIONS, KNOWN, "spring"))

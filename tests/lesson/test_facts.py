"""What the lesson says agrees with itself, with the registries, and with RFC 5321's lists. The tests print counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grader import resources
from grader.formats.message.rules import RULES
from grader.lesson import entries, library, look_up
from grader.lesson.sheets import SHEETS
from grader.lesson.simulator.table import table
from tests.lesson import texts
from tests.tables import every

ALL = library()
SAID = texts.lesson(ALL)
REPLIES = {reply.code: reply for reply in ALL.of(entries.ReplyEntry)}
ENHANCED = {entry.code for entry in ALL.of(entries.Enhanced)}
REGISTRIES = resources.folder("fixtures") / "registries"

ANY = {421, 500, 501}
"""What every command may be answered (RFC 5321 section 4.3.2)."""
SEQUENCES = {
    "EHLO": {250, 504, 550, 502},
    "HELO": {250, 504, 550, 502},
    "MAIL": {250, 552, 451, 452, 550, 553, 503, 455, 555},
    "RCPT": {250, 251, 550, 551, 552, 553, 450, 451, 452, 503, 455, 555},
    "DATA": {354, 250, 552, 554, 451, 452, 450, 550, 503},
    "RSET": {250},
    "VRFY": {250, 251, 252, 550, 551, 553, 502, 504},
    "EXPN": {250, 252, 550, 500, 502, 504},
    "HELP": {211, 214, 502, 504},
    "NOOP": {250},
    "QUIT": {221},
    "ETRN": {250, 251, 252, 253, 458, 459, 500, 501},
    "AUTH": {235, 334, 432, 454, 500, 501, 503, 504, 534, 535, 538},
    "STARTTLS": {220, 501, 454},
}
"""RFC 5321 section 4.3.2; RFC 1985 section 5.1, RFC 4954 section 4 and 6, RFC 3207 section 4."""

SECTION = re.compile(
    r"(?:sections?|§|appendix) ?[A-Z0-9.]+(?:(?:,| and|, and| to) [0-9][0-9.]*)*", re.IGNORECASE
)
CODE = re.compile(r"(?<![\w.:/-])[245X]\.[0-9]{1,3}\.[0-9]{1,3}(?![\w.]\w|\w)")
PAIR = re.compile(r"(?<![\w.])([245][0-9]{2})[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![\w.]\w)")


def told(name: str) -> object:
    return yaml.safe_load((REGISTRIES / f"{name}.yaml").read_text(encoding="utf-8"))


def everything() -> Iterator[tuple[str, str]]:
    """Every text that says something about mail: the lesson, the simulator, messages, and the labs' own texts."""
    for id_, said in SAID.items():
        yield from ((id_, text) for text in said)
    data = resources.folder("reports") / "data"
    files: list[Path] = [*(data / "simulator").glob("*.yaml"), data / "messages.yaml", data / "analyser.yaml"]
    files += [*resources.folder("labs").glob("*/lab.yaml"), *resources.folder("labs").glob("*/*.md")]
    for path in files:
        yield path.name, path.read_text(encoding="utf-8")


def test_every_enhanced_code_that_is_said_has_an_entry(capsys: pytest.CaptureFixture[str]) -> None:
    said = {(place, code) for place, text in everything() for code in CODE.findall(SECTION.sub("", text))}
    with capsys.disabled():
        print(
            f"\n{len({code for _, code in said})} enhanced codes are said in {len({p for p, _ in said})} places"
        )
    assert len(said) > 200
    assert sorted((place, code) for place, code in said if f"X{code[1:]}" not in ENHANCED) == []


def test_an_enhanced_code_said_with_a_reply_is_among_that_replys(capsys: pytest.CaptureFixture[str]) -> None:
    said = {(place, int(code), finer) for place, text in everything() for code, finer in PAIR.findall(text)}
    with capsys.disabled():
        print(f"\n{len({one[1:] for one in said})} pairs of reply and enhanced code")
    assert len(said) > 100
    missing = {one for one in said if one[1] not in REPLIES or one[2] not in REPLIES[one[1]].enhanced}
    assert sorted(missing) == []


def test_enhanced_codes_are_those_of_the_registry_and_the_rest_is_said_to_be_left_out() -> None:
    registered = told("enhanced-codes")
    assert isinstance(registered, dict)
    left_out = {name for name in SHEETS["replies"].left_out if name.startswith("X.")}
    assert ENHANCED | left_out == set(registered)
    assert ENHANCED & left_out == set()


def test_nothing_that_is_said_to_be_left_out_has_an_entry() -> None:
    names = {str(code) for code in REPLIES} | {one.keyword for one in ALL.of(entries.Extension)}
    names |= {one.verb for one in ALL.of(entries.CommandEntry)}
    names |= {name for one in ALL.of(entries.Header) for name in [one.name, *one.aliases]}
    names |= {str(one.port) for one in ALL.of(entries.Port)}
    left_out = {word for sheet in SHEETS.values() for name in sheet.left_out for word in name.split()[:1]}
    assert left_out & names - {"EXPN"} == set()


def test_every_sheet_says_that_it_is_a_selection() -> None:
    assert [name for name, sheet in SHEETS.items() if not sheet.selection.startswith("A selection: ")] == []
    kinds = [sheet for sheet in SHEETS.values() if sheet.kinds and sheet.name != "glossary"]
    assert all(sheet.left_out for sheet in kinds)


@every("command", ALL.of(entries.CommandEntry), ids=lambda command: command.verb)
def test_a_commands_replies_agree_with_its_lines_and_with_the_standard(command: entries.CommandEntry) -> None:
    listed = {int(id_.removeprefix("reply-")) for id_ in command.replies}
    assert SEQUENCES.get(command.verb, set()) <= listed
    assert {int(said.line[:3]) for said in command.postfix} <= listed | ANY
    answers = [
        int(answer[3:6])
        for asked, answer in zip(command.example, command.example[1:], strict=False)
        if asked.startswith(f"C: {command.verb}") and answer.startswith("S: ")
    ]
    assert answers
    assert set(answers) <= listed
    stages = [stage for stage in table().stages.values() if stage.verb == command.verb]
    simulated = {int(rule.reply[:3]) for stage in stages for rule in stage.rules if rule.reply}
    assert simulated <= listed | ANY


def test_every_document_is_referred_to_and_has_the_relations_of_the_index(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index = told("rfc-index")
    assert isinstance(index, dict)
    assert set(index) == set(ALL.documents)
    for number, document in ALL.documents.items():
        known = index[number]
        assert (document.year, document.status) == (known["year"], known["status"]), number
        assert document.obsoleted == known.get("obsoleted-by", []), number
        assert document.updated == [one for one in known.get("updated-by", []) if one in index], number
    named = {
        number for document in ALL.documents.values() for number in (*document.obsoleted, *document.updated)
    }
    for text in [*(text for _, text in everything()), *(rule.reference for rule in RULES.values())]:
        for group in re.findall(r"RFCs? ([0-9]+(?:(?:,| and|, and| to) [0-9]{3,5})*)", text):
            named |= {int(number) for number in re.findall("[0-9]+", group)}
    with capsys.disabled():
        print(
            f"\n{len(index)} RFCs, {sum(bool(one.obsoleted) for one in ALL.documents.values())} of them obsoleted"
        )
    assert sorted(set(index) - named) == []


def test_what_is_in_force_is_found_by_way_of_what_was_obsoleted() -> None:
    assert ALL.documents[821].obsoleted == [2821]
    assert {number: ALL.today(number) for number in (821, 822, 974, 1869, 2476, 7489)} == {
        821: [5321],
        822: [5322],
        974: [5321],
        1869: [5321],
        2476: [6409],
        7489: [9989, 9990, 9991],
    }
    assert ALL.today(5321) == [5321]


def test_every_parameter_that_is_named_is_told_with_its_default() -> None:
    """Words with an underline in backticks are parameters, restrictions, or one of a few others."""
    known = {name for entry in ALL.entries.values() for name in entry.defaults}
    restriction = re.compile("(permit|reject|defer|check|warn)_[a-z0-9_]+")
    words = {
        (id_, word)
        for id_, said in SAID.items()
        for text in said
        for quoted in re.findall("`([^`]+)`", text)
        for word in re.findall(r"(?<![\w.-])[a-z0-9]+(?:_[a-z0-9]+)+(?![\w.-])", quoted)
    }
    unknown = {(id_, word) for id_, word in words if word not in known and not restriction.fullmatch(word)}
    assert {word for _, word in unknown} <= {"s_client"}, unknown


def test_who_looks_for_telnet_is_told_why_not() -> None:
    entry = look_up("telnet")
    assert entry is not None
    for tool in ("TLS", "openssl s_client", "swaks", "nc -C"):
        assert tool in entry.text

"""The lesson's data is whole, says each thing once, and is refused with file and line where it is not."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from grader import resources
from grader.formats.message import check_message
from grader.formats.message.rules import RULES
from grader.lesson import entries, library, look_up, near_matches, read_library
from grader.lesson.entries import LessonEntry
from grader.lesson.library import FILES
from grader.model.errors import LabError
from tests.tables import every

DATA = resources.folder("reports") / "data"
ALL = library()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def spoil(folder: Path, name: str, old: str, new: str) -> str:
    """Change a file of the data, and the sentences with which it is then refused."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LabError) as caught:
        read_library(folder)
    return str(caught.value).replace(f"{folder}/", "")


@every("kind", FILES.values())
def test_every_kind_of_entry_is_there(kind: type[LessonEntry]) -> None:
    assert ALL.of(kind)


def test_every_entry_can_be_reached_from_another() -> None:
    reached = {id_ for entry in ALL.entries.values() for id_ in entry.see}
    reached |= {id_ for entry in ALL.entries.values() for id_ in getattr(entry, "replies", ())}
    reached |= {id_ for example in ALL.of(entries.Example) for line in example.lines for id_ in line.see}
    reached |= {id_ for rule in ALL.rules.values() for id_ in rule.see}
    reached |= {id_ for question in ALL.questions for id_ in question.see}
    reached |= {entry.id for entry in ALL.of(entries.ReplyEntry) + ALL.of(entries.Enhanced)}
    assert sorted(set(ALL.entries) - reached) == []


def test_texts_are_said_once() -> None:
    texts = Counter(text for entry in ALL.entries.values() for text in (entry.text, entry.summary))
    assert [text for text, count in texts.items() if count > 1] == []


def test_texts_end_as_sentences_do() -> None:
    unfinished = [e.id for e in ALL.entries.values() if not re.search(r"[.?!…)>`=]$|\.>$", e.text.strip())]
    assert unfinished == []


def test_codes_and_classes_fit() -> None:
    classes = {entry.digit for entry in ALL.of(entries.Class)}
    for reply in ALL.of(entries.ReplyEntry):
        assert reply.code // 100 in classes
        assert {int(code[0]) for code in reply.enhanced} <= {reply.code // 100}
        for said in reply.postfix:
            assert said.line.startswith(str(reply.code))


def test_commands_and_their_extensions_name_each_other() -> None:
    for command in ALL.of(entries.CommandEntry):
        assert (command.extension is not None) == (command.status == "extension")
        if command.extension:
            extension = ALL.entries[command.extension]
            assert isinstance(extension, entries.Extension)
            assert command.verb in extension.adds


def test_what_postfix_says_to_a_command_is_a_reply_that_the_command_may_get() -> None:
    for command in ALL.of(entries.CommandEntry):
        codes = {int(id_.removeprefix("reply-")) for id_ in command.replies}
        said = {int(said.line[:3]) for said in command.postfix}
        # 504 to HELO and EHLO is a choice of Postfix's restrictions, which the standard does not list.
        assert said - codes <= {504}, command.id


def test_the_same_situation_has_the_same_line_everywhere() -> None:
    lines = [said for entry in ALL.of(entries.CommandEntry) for said in entry.postfix]
    lines += [said for entry in ALL.of(entries.ReplyEntry) for said in entry.postfix]
    by_when: dict[str, set[str]] = {}
    for said in lines:
        by_when.setdefault(said.when.lower(), set()).add(said.line)
    shared = {when: said for when, said in by_when.items() if len(said) > 1}
    # The condition leaves the command open in these; each stands at its own.
    assert set(shared) <= {
        "taken",
        "always",
        "with an argument",
        "without a name",
        "ready",
        "right",
        "nobody of that name",
    }


def test_the_examples_of_header_fields_keep_the_header_rules() -> None:
    for header in ALL.of(entries.Header):
        name = header.example.partition(":")[0].lower()
        base = [
            field
            for field in ALL.sample.partition("\n\n")[0].splitlines()
            if not field.lower().startswith(f"{name}:")
        ]
        if name == "resent-from":
            base.append("Resent-Date: Sat, 21 Feb 2026 11:00:00 -0500")
        raw = "\r\n".join([*base, header.example, "", "Hello", ""]).encode("ascii", "replace")
        found = {fault.rule for fault in check_message(raw)} - {"line-long"}
        assert found <= ({"bcc-left"} if name == "bcc" else set()), header.id


def test_every_rule_belongs_to_an_entry_of_the_sheets() -> None:
    assert set(ALL.rules) == set(RULES)


def test_the_sessions_message_and_dates_are_true() -> None:
    session, trace = ALL.entries["session"], ALL.entries["trace"]
    assert isinstance(session, entries.Example)
    assert isinstance(trace, entries.Example)
    lines = [line.line for line in session.lines if line.who == "C"]
    start = lines.index("DATA") + 1
    assert check_message("\r\n".join([*lines[start : lines.index(".")], ""]).encode()) == []
    raw = "\r\n".join([*(line.line for line in trace.lines), "From: a@example.com", "", ""]).encode()
    assert {fault.rule for fault in check_message(raw)} <= {"line-long", "missing-message-id"}


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("ports.yaml", "  use: One", "  usage: One", "there is no key 'usage' here; did you mean 'use'?"),
        ("ports.yaml", "port: 25\n", "port: 70000\n", "'port' must be at most 65535"),
        ("commands.yaml", "see: [cmd-helo,", "see: [cmd-hello,", "no entry 'cmd-hello'; did you mean 'cmd-helo'?"),
        ("commands.yaml", "[reply-250, reply-500", "[reply-299, reply-500", "there is no entry 'reply-299'"),
        ("commands.yaml", "extension: starttls", "extension: startls", "did you mean 'starttls'?"),
        ("commands.yaml", "id: cmd-helo", "id: cmd-ehlo", "the id 'cmd-ehlo' is taken"),
        ("headers.yaml", "references: [RFC 5322 section 3.6.2]", "references: []", "must not be empty"),
        ("headers.yaml", "references: [RFC 5322", "references: [RFC 2822", "RFC 2822 is replaced by RFC 5322"),
        ("headers.yaml", "references: [RFC 5322", "references: [RFC 7777", "documents.yaml does not list RFC 7777"),
        ("headers.yaml", "references: [RFC 5322 section 3.6.2]", "references: [rfc5322]", "must be text that fits"),
        ("headers.yaml", "rules: [missing-field,", "rules: [missing-fields,", "did you mean 'missing-field'?"),
        ("replies.yaml", "enhanced: [2.7.0]", "enhanced: [2.99.0]", "enhanced.yaml has no code 2.99.0"),
        ("examples.yaml", "see: [cmd-ehlo]", "see: [cmd-elho]", "there is no entry 'cmd-elho'"),
        ("header-rules.yaml", "id: bare-cr", "id: bare-rc", "no rule is called 'bare-rc'; did you mean 'bare-cr'?"),
        ("header-rules.yaml", "see: [crlf]", "see: [crfl]", "there is no entry 'crfl'"),
        ("quiz/ports.yaml", "kind: match", "kind: mach", "match, fill, not 'mach'; did you mean 'match'?"),
        ("quiz/ports.yaml", "see: [port-25]", "see: [port-26]", "'port-26' is neither an entry of the lesson"),
        ("quiz/headers.yaml", "      right: true\n", "", "0 options are right; a single choice has exactly one"),
        ("quiz/headers.yaml", "difficulty: 1", "difficulty: 4", "'difficulty' must be at most 3"),
        ("quiz/headers.yaml", "  ask:", "  asks:", "there is no key 'asks' here; did you mean 'ask'?"),
    ],
)  # fmt: skip
def test_a_fault_in_the_data_is_refused_with_its_place(
    copy: Path, file: str, old: str, new: str, sentence: str
) -> None:
    refused = spoil(copy, file, old, new)
    assert sentence in refused
    assert re.match(rf"{re.escape(file)}:\d+: ", refused)


def test_a_fault_is_told_with_its_line(copy: Path) -> None:
    line = 1 + (DATA / "commands.yaml").read_text().partition("see: [cmd-helo,")[0].count("\n")
    assert spoil(copy, "commands.yaml", "see: [cmd-helo,", "see: [nowhere,").startswith(
        f"commands.yaml:{line}: "
    )


@every(
    ("term", "id_"),
    [
        ("554", "reply-554"),
        ("RCPT", "cmd-rcpt"),
        ("rcpt to", "cmd-rcpt"),
        ("SPF", "spf"),
        ("dkim", "dkim"),
        ("5.7.1", "code-x.7.1"),
        ("4.2.2", "code-x.2.2"),
        ("X.7.1", "code-x.7.1"),
        ("5xx", "class-5"),
        ("25", "port-25"),
        ("port 465", "port-465"),
        ("smtps", "port-465"),
        ("Message-ID:", "message-id"),
        ("header From", "from"),
        ("STARTTLS", "cmd-starttls"),
        ("8bitmime", "8bitmime"),
        ("open relay", "open-relay"),
        ("NDR", "bounce"),
        ("MX", "mx"),
        ("oauth2", "oauthbearer"),
    ],
)
def test_terms_are_found_as_readers_type_them(term: str, id_: str) -> None:
    entry = look_up(term)
    assert entry is not None
    assert entry.id == id_


def test_every_entry_is_found_by_its_id() -> None:
    wrong = [id_ for id_ in ALL.entries if (found := look_up(id_)) is None or found.id != id_]
    # Where a command and its extension share a name, the command comes first; the extension's title finds it.
    assert set(wrong) <= {"starttls", "auth", "vrfy", "etrn"}
    assert [look_up(ALL.entries[id_].title) for id_ in wrong] == [ALL.entries[id_] for id_ in wrong]


def test_an_unknown_term_has_near_matches_that_can_be_looked_up() -> None:
    assert look_up("STARTLS") is None
    near = near_matches("STARTLS")
    assert near[0] == "STARTTLS"
    assert all(look_up(title) for title in near)
    assert near_matches("zzzzzzzz") == []

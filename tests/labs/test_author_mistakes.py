"""Mistakes that authors make in a new lab of each kind, and what loading and verifying it says of each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import labs, verify
from grader.labs.inspection import inspected
from grader.model.errors import LabError, SmtplabError

TABLE = Path(__file__).with_suffix(".txt")
"""``== NAME``, and what is said of that mistake; ``FOLDER`` stands for the lab's folder."""


@dataclass(frozen=True)
class Mistake:
    """What is done to a new lab of a kind."""

    name: str
    kind: str
    make: Callable[[Path], object]


def change(old: str, new: str, file: str = "lab.yaml") -> Callable[[Path], None]:
    """Put ``new`` in the place of the first ``old`` in a file, which must be there."""

    def make(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return make


def remove(name: str) -> Callable[[Path], None]:
    """Remove a file or a folder of the lab."""
    return lambda folder: (
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    )


def add(name: str, data: bytes = b"x\n") -> Callable[[Path], None]:
    """Add a file to the lab."""

    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    return make


MISTAKES = (
    Mistake("tab", "server", change(" title: Your", "\ttitle: Your")),
    Mistake(
        "brace-unquoted",
        "server",
        change("title: Mail for {domain} reaches", "title: {domain}: mail reaches"),
    ),
    Mistake(
        "name-unquoted", "server", change("title: Mail for {domain} reaches its users", "title: {domain}")
    ),
    Mistake("address-unquoted", "server", change('"alice@{domain}"', "alice@{domain}")),
    Mistake("colon-in-text", "server", change("summary: Configure a server", "summary: Your task: a server")),
    Mistake("entry-indented-otherwise", "server", change("- code: local", "  - code: local")),
    Mistake("key-indented-otherwise", "server", change("  points: 40", "   points: 40")),
    Mistake("brace-left-open", "server", change("expect: {greets: true}", "expect: {greets: true")),
    Mistake("quotation-mark-left-open", "zone", change('origin: "{domain}"', 'origin: "{domain}')),
    Mistake("key-twice", "server", change("  points: 40", "  points: 40\n  title: Again")),
    Mistake("no-space-after-colon", "server", change("minutes: 30", "minutes:30")),
    Mistake("key-misspelt", "server", change(" points: 10", " point: 10")),
    Mistake("kind-misspelt", "zone", change("kind: zone", "kind: zones")),
    Mistake("key-of-another-kind", "server", change("checks:", "zone: {}\nchecks:")),
    Mistake("source-misspelt", "server", change("stranger-v6,", "strangr-v6,")),
    Mistake("listener-unknown", "server", change("on: [25]", "on: [2525]")),
    Mistake("name-misspelt", "server", change("Mail for {domain} reaches", "Mail for {domian} reaches")),
    Mistake("expectation-misspelt", "server", change("arrives: outside", "arrives: outsde")),
    Mistake("needs-nobody", "server", change("control: [office]", "control: [ofice]")),
    Mistake("needs-in-a-circle", "server", change("  points: 10\n", "  points: 10\n  needs: [local]\n")),
    Mistake("expects-what-is-not-tried", "zone", change("expect: {spf: [pass]}", "expect: {reported: true}")),
    Mistake("spf-result-misspelt", "zone", change("spf: [pass]", "spf: [passes]")),
    Mistake("meets-nobody", "program", change("meets: [good, full]", "meets: [good, ful]")),
    Mistake("runs-what-is-not-handed-in", "program", change("run: send", "run: sendmail")),
    Mistake("no-right-answer", "quiz", change("      right: true\n", "", "questions.yaml")),
    Mistake("bank-missing", "quiz", change("questions.yaml", "question.yaml")),
    Mistake("id-with-capitals", "server", change("id: mine", "id: Mine")),
    Mistake(
        "one-for-a-list", "server", change("see: [RFC 5321 section 4.3.1]", "see: RFC 5321 section 4.3.1")
    ),
    Mistake("text-that-is-a-comment", "server", change("title: Your server", "title: #1 Your server")),
    Mistake(
        "typographic-quotes", "server", change('to: ["alice@{domain}"]', "to: [\u201calice@{domain}\u201d]")
    ),
    Mistake("no-such-moment", "program", change("{mail: 452", "{mial: 452")),
    Mistake("no-reply", "program", change("452 4.3.1 Insufficient system storage", "busy")),
    Mistake("value-for-a-name", "zone", change('["{domain}.zone"]', '["example.com.zone"]')),
    Mistake("value-in-the-handout", "server", change("@domain@", "example.com", "handout.md")),
    Mistake("handout-missing", "server", remove("handout.md")),
    Mistake("handout-in-latin-1", "server", add("handout.md", "Für alle\n".encode("latin-1"))),
    Mistake("name-in-the-handout-misspelt", "server", change("@domain@", "@domian@", "handout.md")),
    Mistake("braces-in-the-handout", "server", change("@domain@", "{domain}", "handout.md")),
    Mistake("no-such-name-in-the-starter", "server", change("@host@", "@nope@", "starter/main.cf")),
    Mistake(
        "at-signs-in-a-title", "server", change("Mail for {domain} reaches", "Mail for @domain@ reaches")
    ),
    Mistake(
        "name-in-the-lab's-title",
        "server",
        change("title: Mail for your own domain", "title: Mail for {domain}"),
    ),
    Mistake("emphasis-in-why", "zone", change("why: What does not pass", "why: What does *not* pass")),
    Mistake("no-such-sheet", "zone", change("sheet spf", "sheet spff")),
    Mistake("no-wrong", "zone", remove("wrong")),
    Mistake("wrong-misnamed", "zone", lambda folder: (folder / "wrong").rename(folder / "wrongs")),
    Mistake("installed-elsewhere", "server", change("installs: /etc/postfix", "installs: /etc")),
    Mistake(
        "installed-nowhere", "server", change("installs: /etc/postfix", "installs: {postfix: /etc/postfix}")
    ),
    Mistake(
        "covers-misspelt",
        "server",
        change("{arrives: outside}", "{arrives: outside, signature: {covers: [form, body]}}"),
    ),
    Mistake(
        "refused-and-arrives", "server", change("{arrives: outside}", "{arrives: outside, refused: true}")
    ),
    Mistake("no-login", "server", change("{arrives: outside}", "{authenticates: true}")),
    Mistake("value-in-what-is-tried", "server", change('"alice@{domain}"', '"alice@example.com"')),
    Mistake("value-in-the-solution", "server", change("@host@", "mail.example.com", "solution/main.cf")),
    Mistake(
        "removes-misspelt",
        "server",
        change("about:", "removes: [mian.cf]\nabout:", "wrong/not-our-domain/expect.yaml"),
    ),
    Mistake("file-where-a-folder-belongs", "server", add("wrong/main.cf")),
    Mistake("required-misspelt", "server", change("required: [main.cf]", "required: [maim.cf]")),
    Mistake("solution-not-all-taken", "quiz", add("solution/notes.txt")),
    Mistake("solution-missing", "zone", remove("solution")),
    Mistake("larger-than-the-limit", "zone", change("  required: [", "  max-bytes: 100\n  required: [")),
    Mistake("expect.yaml-missing", "zone", remove("wrong/no-ipv6/expect.yaml")),
    Mistake(
        "expect.yaml-names-no-check",
        "zone",
        change("fails: [own]", "fails: [ownn]", "wrong/no-ipv6/expect.yaml"),
    ),
    Mistake("fault-costs-more", "zone", change("skips: [forged]\n", "", "wrong/no-ipv6/expect.yaml")),
    Mistake(
        "fault-costs-nothing",
        "zone",
        change("v=spf1 ip4:@host_v4@ -all", "v=spf1 mx -all", "wrong/no-ipv6/@domain@.zone"),
    ),
    Mistake("nothing-loses-a-check", "zone", remove("wrong/no-ipv6")),
    Mistake(
        "starter-has-full-marks",
        "zone",
        lambda folder: shutil.copytree(folder / "solution", folder / "starter", dirs_exist_ok=True),
    ),
)
"""In the order of the table."""


def said_of(folder: Path) -> list[str]:
    """What an author is told of a lab, as far as no machine has to run for it."""
    try:
        lab = labs.load(folder)
    except LabError as error:
        return str(error).splitlines()
    told = inspected(folder)
    tried = []
    for trial in verify.trials(folder):
        if trial.fault or not lab.needs_engine or not _can_be_handed_in(folder, trial):
            tried.append(verify.try_one(folder, trial, None, None))
    told += [f"{one.trial}: {one.problem}" for one in tried if one.problem]
    if not lab.needs_engine and (folder / "wrong").is_dir() and (unproved := verify.unproved(tried)):
        told.append(f"no submission in wrong/ loses: {', '.join(unproved)}")
    return told


def _can_be_handed_in(folder: Path, trial: verify.Trial) -> bool:
    try:
        return not verify.hand_in(folder, trial, None).ignored
    except SmtplabError:
        return False


def expected() -> dict[str, list[str]]:
    """The table: what is said of each mistake."""
    parts = re.split(r"^== (\S+)\n", TABLE.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.strip().splitlines() for name, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_an_author_s_mistake_is_told_with_its_place_and_mend(mistake: Mistake, tmp_path: Path) -> None:
    folder = labs.new("mine", tmp_path, mistake.kind)
    mistake.make(folder)
    said = "\n".join(said_of(folder)).replace(str(folder), "FOLDER").splitlines()
    assert said == expected()[mistake.name]
    assert said


def test_the_table_has_enough_and_of_every_kind() -> None:
    assert [mistake.name for mistake in MISTAKES] == list(expected())
    assert len(MISTAKES) >= 35
    assert {mistake.kind for mistake in MISTAKES} == {"server", "zone", "program", "quiz"}


@pytest.mark.parametrize("kind", ["server", "zone", "program", "quiz"])
def test_nothing_is_said_of_a_new_lab(kind: str, tmp_path: Path) -> None:
    assert said_of(labs.new("mine", tmp_path, kind)) == []

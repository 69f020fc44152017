"""What students hand in: archives, Postfix's configuration, answers; and what authors and instructors write."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from grader import kinds, labs
from grader.course.alike import Work, foreign_names, likenesses
from grader.course.intake.layouts import LAYOUTS
from grader.course.intake.layouts.gradescope import METADATA
from grader.course.intake.listing import Asked, Listing
from grader.course.intake.names import SHARD
from grader.course.intake.roster import rows
from grader.course.overrides import Worth, decisions
from grader.course.shards import read_shard
from grader.kinds.quiz.answers_file import UnreadableFileError, read_answers
from grader.kinds.quiz.draw import posed
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer, shown_answer
from grader.kinds.quiz.judge.marking import mark
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.plan.expand import searched
from grader.kinds.server.plan.lookalikes import around_addresses, around_names, recipients, senders
from grader.kinds.server.plan.mentions import find_mentions
from grader.kinds.server.plan.patterns import patterns_in, samples
from grader.labs import packing
from grader.labs.loading import _parsed
from grader.model.errors import LabError, OutputError, SubmissionError, UsageError
from grader.model.submission import Submission
from grader.model.templates import fill, fill_file, left_over, names_in
from tests.fuzz.target import Target, said

ROOT = Path(__file__).parents[3]
CONFIGURATION = (
    b"mynetworks = ", b"myhostname = mail.example.com\n", b"10.20.30.0/24", b"[::1]/128", b"2001:db8::/32",
    b"$", b"${", b"}", b"$mydomain", b"\n", b"\n  ", b"#", b" ", b"=", b"example.org OK\n",
    b"alice@example.com alice\n", b"/^(.*)@x$/ OK\n", b"/", b"(", b")", b"[", b"]", b"{5}", b"*", b"+", b"|",
    b"\\.", b"\\", b"^", b"[[:digit:]]", b"{", b",", b"hash:/etc/postfix/a", b"smtp inet n - n - - smtpd\n",
    b"  -o smtpd_tls=yes\n", b"REJECT\n", b"root: alice\n", b"a.b.c.d", b"1.2.3.4", b"192.168", b":", b"::",
    b"a = $a$a\n", b"(?i)", b"(a{5}", b"){5}", b"a{2,4294967295}", b"(?:", b"\\1", b"a@b.example",
)  # fmt: skip
YAML = (
    b"- ", b": ", b"\n", b"  ", b"{", b"}", b"[", b"]", b",", b"&a ", b"*a", b"!!python/object:os.system ",
    b"!x ", b"|\n", b">\n", b"'", b'"', b"\\", b"#", b"---\n", b"...\n", b"? ", b"<<: ", b"%YAML 1.1\n",
    b"\t", b"a: ", b"null", b"~", b"0x", b"1e9", b"- - ", b"[[", b"{a: ", b"@", b"`", b"id: ", b"checks:\n",
    b"0", b".inf", b"2026-01-01", b"\xc2\x85", b"a, b", b"b) ", b"->",
)  # fmt: skip
CELLS = (
    b",",
    b";",
    b"\t",
    b'"',
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"=1+1",
    b"'",
    b"id",
    b"email",
    b"Participant 7",
)
WORTH = Worth("relay", {"relay/starts": 10})
ASKED = Asked("open-relay", ["main.cf"])
NAMES = (b"@domain@", b"@", b"{domain}", b"{{", b"}}", b"{", b"}", b"@host@", b"{nobody}", b"a")


def _mentions(data: bytes) -> None:
    find_mentions({"main.cf": data, "master.cf": data, "aliases": data}, ("example.com", "mail.example.com"))


@cache
def _conditions() -> frozenset[str]:
    loaded = (labs.load(path) for path in sorted((ROOT / "labs").iterdir()) if path.is_dir())
    tries = (
        entry
        for lab in loaded
        if isinstance(lab, ServerLab)
        for check in lab.checks
        for entry in check.attempts
    )
    return frozenset(entry.if_files for entry in tries if entry.if_files is not None)


def _if_files(data: bytes) -> None:
    text = searched([data])
    for condition in _conditions():
        re.search(condition, text, re.IGNORECASE | re.MULTILINE)


def _patterns(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    made = [sample for pattern in [text, *patterns_in(text)] for sample in samples(pattern)]
    names = {
        "domain": "example.com",
        "host": "mail.example.com",
        "outside": "out.example",
        "third": "third.example",
    }
    around_names(["example.com"], made)
    around_addresses("10.20.30.0/24", made)
    recipients(names, made)
    senders("alice", names, made)


def _plan(data: bytes) -> None:
    for lab in map(labs.load, ("open-relay", "dkim")):
        files = {"main.cf": data, "master.cf": data, "maps": data, "key.txt": data}
        kinds.plan(lab.kind).make(
            lab, Submission(files), labs.draw_variant(lab, None, None), student=None, only=None
        )


def _answers(data: bytes) -> None:
    quiz = labs.load("knowledge-check").quiz  # type: ignore[attr-defined]
    given = read_answers(data)
    text = data.decode("utf-8", "replace")[:2_000]
    for one in posed(quiz, "canonical"):
        for value in (given.get(one.question.id), text, next(iter(given.values()), None)):
            try:
                answer = read_answer(one, value)
            except UnreadableError as error:
                said(error)
                continue
            if answer is not None:
                _ = mark(one.question, answer), shown_answer(one, answer)


def _one_answer(data: bytes) -> None:
    quiz = labs.load("knowledge-check").quiz  # type: ignore[attr-defined]
    text = data.decode("utf-8", "replace")
    kinds_seen = {one.question.kind: one for one in posed(quiz, "canonical")}
    for one in kinds_seen.values():
        try:
            read_answer(one, text)
        except UnreadableError as error:
            said(error)


def _lab(data: bytes) -> None:
    _parsed(Path("/labs/open-relay/lab.yaml"), data)


def _shard(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / SHARD).write_bytes(data)
        read_shard(Path(folder))


def _alike(data: bytes) -> None:
    names = {"domain": "example.com", "host": "mail.example.com"}
    files = {"main.cf": data.decode(errors="backslashreplace")}
    works = [Work(student=student, files=files, given={}, names=names, own=True) for student in ("a", "b")]
    foreign_names(works)
    likenesses(works)


def _archive(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        labs.read_submission(labs.load("open-relay"), file.name)


def _packed(data: bytes) -> None:
    for package in packing.of_archive(data, "lab.zip"):
        assert packing.of_archive(packing.packed(package), "again.zip") == [package]


@cache
def _packages() -> list[bytes]:
    files = {
        "x/lab.yaml": b'id: x\nversion: "1"\nforms: [ours]\n',
        "x/handout.md": b"# x\n",
        "forms/ours.yaml": b"[]\n",
    }
    made = {name: packing.PackedFile(data) for name, data in files.items()}
    return [packing.packed(packing.Package("x", "1", made)), *_archives()]


def _metadata(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / METADATA).write_bytes(data)
        found = Listing(Path(folder), {METADATA: None, "submission_12/main.cf": None})
        LAYOUTS["gradescope"].read(found, ASKED)


def _names(data: bytes) -> None:
    found = Listing(Path("download"), dict.fromkeys(data.decode("utf-8", "replace").split("\n"), None))
    for layout in LAYOUTS.values():
        layout.recognises(found, ASKED)
        if layout.name != "gradescope":
            layout.read(found, ASKED)


def _templates(data: bytes) -> None:
    names = {"domain": "example.com", "host": "mail.example.com"}
    fill_file(data, names)
    left_over({"main.cf": data}, names)
    names_in(data.decode("latin-1"))
    fill(data.decode("latin-1"), names, "lab")


@cache
def _files() -> dict[str, bytes]:
    folder = ROOT / "labs/open-relay/solution"
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes().replace(b"@domain@", b"example.com") for name, path in found.items()}


@cache
def _archives() -> list[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _files().items():
            archive.writestr(f"work/{name}", data)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as files:
        for name, data in _files().items():
            info = tarfile.TarInfo(f"work/{name}")
            info.size = len(data)
            files.addfile(info, io.BytesIO(data))
    plain = tar.getvalue()
    return [packed.getvalue(), plain, gzip.compress(plain), bz2.compress(plain), lzma.compress(plain)]


def _configurations() -> list[bytes]:
    return [*_files().values(), b"/^(.*)@example\\.com$/ OK\n"]


def _sheets() -> list[bytes]:
    return [
        (ROOT / "labs/knowledge-check/solution/answers.yaml").read_bytes(),
        b"a: [b, c]\n",
        b"a: {b: c}\n",
    ]


def _labs() -> list[bytes]:
    return [(ROOT / "labs/open-relay/lab.yaml").read_bytes(), (ROOT / "labs/dkim/lab.yaml").read_bytes()]


TARGETS = (
    Target("mentions", _mentions, _configurations, CONFIGURATION, refuses=(SubmissionError,)),
    Target(
        "patterns", _patterns, _configurations, CONFIGURATION, shapes=((b"/", b"(", b"/ OK"),), largest=2_000
    ),
    Target(
        "server plan",
        _plan,
        _configurations,
        CONFIGURATION,
        refuses=(SubmissionError,),
        weight=0.2,
        largest=4_096,
    ),
    Target(
        "if-files",
        _if_files,
        _configurations,
        CONFIGURATION,
        shapes=tuple(
            (word, blank, b"x") for word in (b"-o", b"a:b", b"") for blank in (b" ", b"\t", b"\n", b"\n ")
        ),
    ),
    Target("alike", _alike, _configurations, CONFIGURATION, shapes=((b"a", b"\n b", b""), (b"", b"a.", b""))),
    Target("answers file", _answers, _sheets, YAML, refuses=(UnreadableFileError,), weight=0.5),
    Target(
        "one answer",
        _one_answer,
        lambda: [b"a", b"b, c", b"EHLO -> MAIL -> RCPT"],
        (b" ", b",", b"a", b"a,", b"->", b"and ", b"\n", b"x", b"a) ", b"\xe2\x86\x92", b"\xef\xac\x83"),
        shapes=((b"a", b" ", b"b"), (b"x", b"\n", b"y"), (b"", b"a, ", b""), (b"", b"x; ", b"")),
    ),
    Target("lab.yaml", _lab, _labs, YAML, refuses=(LabError,), weight=0.5),
    Target(
        "archive",
        _archive,
        _archives,
        (
            b"PK\x01\x02",
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"../",
            b"/etc/passwd",
            b"main.cf",
            b"\x00" * 512,
            b"ustar\x0000",
            b"\x1f\x8b\x08",
            b"GNU.sparse.map=1,2",
            b"30 path=a\n",
        ),
        refuses=(SubmissionError,),
        largest=65_536,
    ),
    Target(
        "packed lab",
        _packed,
        _packages,
        (
            b"lab.yaml",
            b"smtplab-lab.json",
            b'"digest": "',
            b"forms/",
            b"keys/",
            b"../",
            b"id: x",
            b"PK\x01\x02",
        ),
        refuses=(LabError,),
        largest=65_536,
    ),
    Target(
        "roster",
        lambda data: rows(data, "class.csv"),
        lambda: [b"id,email,canvas,group\r\n1001,jane@example.edu,555,red\r\n", b"Student,ID,SIS Login ID\n"],
        CELLS,
        refuses=(UsageError,),
    ),
    Target(
        "overrides",
        lambda data: decisions(data, "overrides.csv", WORTH),
        lambda: [b"student,check,points,why,by\nalice,starts,7,because,me\n"],
        (b"manual", b"relay/starts", b"-1", b"1e3", b"99999", *CELLS),
        refuses=(UsageError,),
    ),
    Target(
        "shard.json",
        _shard,
        lambda: [
            b'{"schema":"smtplab/shard/1","shard":{"number":2,"total":4},"finished":true,"graded_with":{"the lab":"0"},'
            b'"members":[["alice","alice",2]]}'
        ],
        (b"[", b"{", b'"', b"null", b",", b":", b"0", b"1e9", b"-1", b"99999999999999999999", b'"shard":'),
        refuses=(UsageError, OutputError),
    ),
    Target(
        "gradescope's list",
        _metadata,
        lambda: [
            b"submission_12:\n  :submitters:\n  - :name: Jane\n    :sid: '1'\n    :email: a@b.example\n"
            b"  :created_at: 2026-03-02 10:15:00.123456000 Z\n"
        ],
        (b"!ruby/object:Time ", b":submitters:", b":sid: ", b"submission_1: ", *YAML),
        refuses=(UsageError,),
        weight=0.5,
    ),
    Target(
        "names of a download",
        _names,
        lambda: [
            b"doejane_LATE_1001_555_main.cf\nJane Doe_3101_assignsubmission_file_/main.cf\na@b.example_main.cf",
            b"x/submission_metadata.yml\nx/submission_12/main.cf\nopen-relay-anna/main.cf",
        ],
        (
            b"_1001_555_",
            b"_3101_assignsubmission_file_",
            b"anon_",
            b"LATE_",
            b"/",
            b"\n",
            b"@",
            b".zip",
            b"submission_1/",
        ),
        refuses=(UsageError,),
    ),
    Target("templates", _templates, lambda: [b"relay = @domain@ {domain} {{x}}"], NAMES, refuses=(LabError,)),
)

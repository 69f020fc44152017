"""YAML that is to be more than it says, to run something, or to take for ever: a quiz's answers, strangers' labs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.hostile.paper import PaperAttack

LAB = "knowledge-check"
DEEP = 20_000


def _laid(data: bytes, name: str, folder: Path) -> Path:
    (folder / name).write_bytes(data)
    return folder


def _billion(levels: int = 30) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def _merged(levels: int = 30) -> str:
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n  k{n}: v" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


TEXTS = {
    "aliases-by-the-billion": _billion(),
    "aliases-where-texts-belong": _billion(9) + "teaches: [*a8]\nminutes: *a8\nsubmission: {required: *a8}\n",
    "merged-keys": _merged(),
    "alias-of-itself": "a: &a [*a]\n? *a\n: *a\n",
    "merge-of-itself": "a: &a\n  <<: *a\n",
    "lists-in-lists": "a: " + "[" * DEEP + "]" * DEEP + "\n",
    "mappings-in-mappings": "a: " + "{a: " * DEEP + "}" * DEEP + "\n",
    "lines-in-lines": "".join(" " * n + "a:\n" for n in range(600)),
    "dashes-in-dashes": "a:\n  " + "- " * DEEP + "x\n",
    "questions-in-questions": "? " * DEEP + "x\n",
    "integer-of-190000-digits": "a: " + "9" * 190_000 + "\nehlo-first: 0x" + "f" * 5000 + "\n",
    "numbers-beyond-all": "a: 1e999999999\nb: -.inf\nc: .nan\nd: 0o7777777777777777777777\ne: 1_0:59:59:59\n",
    "dates-beyond-all": "a: 99999-99-99\nb: 2026-13-45T99:99:99Z\n",
    "tag-of-python": "a: !!python/object/apply:os.system ['touch evil']\n",
    "tag-of-python-by-name": "!<tag:yaml.org,2002:python/name:os.system> a: b\n",
    "tag-directive": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.abort []\n",
    "tag-binary": "a: !!binary " + "A" * 100_000 + "\n",
    "tags-of-collections": "a: !!set {b, c}\nd: !!omap [{e: f}]\ng: !!pairs [{h: i}]\nj: !!timestamp x\n",
    "key-twice": "a: b\na: c\n",
    "keys-that-are-lists": "? [a, b]\n: c\n? {d: e}\n: f\n",
    "keys-by-the-ten-thousand": "".join(f"k{n}: v\n" for n in range(15_000)),
    "key-of-190000": "k" * 190_000 + ": v\n",
    "many-documents": "--- a: b\n" * 15_000,
    "texts-without-end": 'a: "' + "\\\n" * 60_000 + '"\n',
    "text-never-closed": 'a: "' + "x" * 190_000,
    "comments-alone": "# " + "x" * 190_000 + "\n",
    "tabs": "a:\n\t- b\n",
    "markup-as-answer": "session-begins: \"</script><script>alert(1)</script>\\e[2J\\0\\u202e::error::x\"\n",
    "markup-as-question": "\"<img src=x onerror=alert(1)>\\e[2J\": x\n",
    "byte-order-marks": "\ufeff" * 1000 + "a: b\n",
    "spaces-in-a-plain-text": "a: x" + " " * 190_000 + "y\n",
    "colons": "a" + ": " * 60_000 + "\n",
    "brackets-and-commas": "a: [" + "," * 100_000 + "]\n",
}  # fmt: skip
RAW = {
    "nul": b"a: b\0c\n",
    "no-utf-8": b"a: \xff\xfe\xed\xa0\x80\n",
    "utf-16": "a: b\n".encode("utf-16"),
    "utf-32": "a: b\n".encode("utf-32"),
    "controls": bytes(range(1, 32)) + b": x\n",
    "empty": b"",
    "one-colon": b":",
    "no-mapping": b"- a\n- b\n",
}


def _attacks() -> Iterator[PaperAttack]:
    for name, data in {**{name: text.encode() for name, text in TEXTS.items()}, **RAW}.items():
        yield PaperAttack(f"answers/{name}", LAB, partial(_laid, data, "answers.yaml"), points=1, seconds=5)
        lab = b"id: mine\ntitle: Mine\nkind: quiz\nversion: '1'\nsummary: x\n" + data
        yield PaperAttack(f"lab/{name}", "", partial(_laid, lab, "lab.yaml"), refused="lab.yaml", seconds=5)


ATTACKS = tuple(_attacks())

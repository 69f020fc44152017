"""Broken labs and what is said of them: bad/NAME.yaml, and in bad/NAME.txt ``line: sentence`` for each fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import labs
from grader.labs.yamlfile import parse
from grader.model.errors import LabError
from grader.model.lab import Lab
from tests.conftest import examples

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))


def placed(text: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "lab" / "lab.yaml"
    path.parent.mkdir()
    path.write_bytes(text)
    return path


def test_there_are_cases() -> None:
    assert len(BAD) > 30


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.stem)
def test_a_broken_lab_is_refused_with_file_and_line(case: Path, tmp_path: Path) -> None:
    path = placed(case.read_bytes(), tmp_path)
    with pytest.raises(LabError) as refusal:
        labs.load(path)
    said = str(refusal.value).splitlines()
    expected = case.with_suffix(".txt").read_text().splitlines()
    assert len(said) == len(expected)
    for sentence in expected:
        assert any(line.startswith(f"{path}:{sentence}") for line in said), said


def test_the_lab_that_they_are_made_from_is_good(tmp_path: Path) -> None:
    path = placed((HERE / "good.yaml").read_bytes(), tmp_path)
    assert [check.code for check in labs.load(path).all_checks] == ["starts", "relay"]


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    text = b"".join(b"wrong%d: 1\n" % number for number in range(40))
    with pytest.raises(LabError) as refusal:
        labs.load(placed(text, tmp_path))
    assert str(refusal.value).endswith("31 more faults like these")


@pytest.mark.parametrize("text", [b"- " * 20_000, b"[" * 20_000, b"{a: " * 20_000], ids=["-", "[", "{"])
def test_what_is_nested_too_deeply_is_refused_in_one_sentence(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(LabError) as refusal:
        labs.load(placed(text, tmp_path))
    assert len(str(refusal.value).splitlines()) == 1
    assert "write it flatter" in str(refusal.value)


ALIASES = "\n".join(["a0: &a0 [x, x, x]", *(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 12))])
MERGES = "\n".join(["a0: &a0 {x: y}", *(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 40))])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"{ALIASES}\nteaches: [*a11]\n",
            "6: this is more than 200000 values once its aliases (*) are written out",
        ),
        (f"{MERGES}\n", "17: this is more than 200000 values once its aliases (*) are written out"),
        ("a: &a [*a]\n", "1: the alias (*) leads to what it stands in: write out what is meant"),
        ("a: &a\n  <<: *a\n", "1: the alias (*) leads to what it stands in: write out what is meant"),
        ("a: !!timestamp x\n", "1: what stands here cannot be read as 'timestamp'"),
        ("a: !!bool x\n", "1: what stands here cannot be read as 'bool'"),
        (f"a: {'9' * 5000}\n", "1: what stands here cannot be read as 'int'"),
    ],
    ids=["aliases", "merges", "itself", "merged-into-itself", "timestamp", "bool", "digits"],
)
def test_what_says_more_than_it_holds_is_refused_with_its_line(
    text: str, sentence: str, tmp_path: Path
) -> None:
    path = placed(text.encode(), tmp_path)
    with pytest.raises(LabError) as refusal:
        labs.load(path)
    assert str(refusal.value).startswith(f"{path}:{sentence}")


@pytest.mark.timeout(30)
def test_thousands_of_unknown_keys_are_refused_at_once(tmp_path: Path) -> None:
    text = b"kind: quiz\n" + b"".join(b"wrong%d: 1\n" % number for number in range(10_000))
    with pytest.raises(LabError) as refusal:
        labs.load(placed(text, tmp_path))
    assert str(refusal.value).endswith("at least 985 more faults like these")


def test_words_of_yaml_1_2_are_words(tmp_path: Path) -> None:
    text = (HERE / "good.yaml").read_bytes().replace(b"title: A lab", b"title: on")
    assert labs.load(placed(text, tmp_path)).title == "on"


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(alphabet=":-[]{}#&*!|>'\"% \n\tabc1", max_size=80).map(str.encode))
def test_whatever_a_file_holds_the_loader_says_so_in_its_own_words(data: bytes) -> None:
    with pytest.raises(LabError):
        parse(data, Path("lab.yaml"), Lab)


LINES = (HERE / "good.yaml").read_text().splitlines(keepends=True)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(range(len(LINES))), st.text(alphabet="abz:-[]{}!&*'\"#, 0", max_size=12))
def test_a_line_gone_wrong_never_ends_in_a_traceback(number: int, text: str) -> None:
    lines = [*LINES[:number], text + "\n", *LINES[number + 1 :]]
    sentence = ""
    try:
        parse("".join(lines).encode(), Path("lab.yaml"), Lab)
    except LabError as error:
        sentence = str(error)
    assert sentence.startswith("lab.yaml") or not sentence

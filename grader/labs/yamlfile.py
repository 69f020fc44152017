"""YAML files of labs: read with the C parser, held against their type, refused with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from grader.labs.complaints import refusal, schema_complaints
from grader.labs.yamlwords import in_our_words
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError

T = TypeVar("T")

LARGEST = 4_000_000
DEEPEST = 100
"""Mappings and lists within each other. No lab has ten."""
TOO_DEEP = f"more than {DEEPEST} mappings and lists stand in each other: write it flatter"

MOST_NODES = 200_000
"""Values of a file, each as often as aliases repeat it. The largest lab has some thousands."""


class _Loader(yaml.CSafeLoader):
    """The safe loader with the plain values of YAML 1.2: ``on`` is a word, not a truth value; a date is text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key {key.value!r} stands twice in one mapping; remove one",
                    key.start_mark,
                )
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, KeyError, AttributeError, OverflowError) as error:
            # A tag that was written out (!!timestamp), or an integer with thousands of digits.
            kind = node.tag.rpartition(":")[2]
            problem = f"what stands here cannot be read as {kind!r}; leave the tag out, or put it in quotation marks"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _expanded(node, {})
        return node


def _shallow(data: bytes) -> None:
    """Look how deeply a file is nested, before the parser does, which ends the process where its own stack does.

    Raises ``ComposerError`` beyond ``DEEPEST``.
    """
    depth = 0
    for event in yaml.parse(data, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark: Any = event.start_mark
                raise yaml.composer.ComposerError(None, None, TOO_DEEP, mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _expanded(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """How many values a node stands for once every alias in it is written out; ``known`` are those counted before.

    A dozen lines can mean billions. Raises ``ConstructorError`` for more than ``MOST_NODES``, or no end of them.
    """
    if node in known:
        if not known[node]:
            raise _refused(node, "the alias (*) leads to what it stands in: write out what is meant")
        return known[node]
    known[node] = 0
    parts = node.value if isinstance(node, yaml.CollectionNode) else []
    inner = (part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,)))
    known[node] = 1 + sum(_expanded(part, known) for part in inner)
    if known[node] > MOST_NODES:
        raise _refused(node, f"this is more than {MOST_NODES} values once its aliases (*) are written out")
    return known[node]


def _refused(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?)", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read_bytes(path: Path, what: str) -> bytes:
    """A file's content. Raises ``LabError`` naming ``what`` it was to be."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise LabError(f"cannot read {what} {path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise LabError(f"{path} is larger than {LARGEST} bytes, which no {what} needs")
    return data


def parse(data: bytes, path: Path, type_: type[T]) -> T:
    """The file's content as a value of ``type_``.

    Raises ``LabError`` of one line for each fault: ``file:line: what is wrong; the nearest valid key``.
    """
    return convert(value_of(data, path), data, path, type_)


def convert(
    value: Any,
    data: bytes,
    path: Path,
    type_: type[T],
    *,
    explained: Callable[[Diagnostic], Diagnostic] = lambda found: found,
) -> T:
    """``value``, which a file of these ``data`` holds, as one of ``type_``. Raises ``LabError`` as ``parse`` does.

    ``explained`` may add to what is said of a fault.
    """
    try:
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            found = schema_complaints(value, type_) or [fault_at((), str(error))]
            raise refusal(path, data, [explained(fault) for fault in found]) from error
    except RecursionError as error:
        raise LabError(f"{path}: it is nested too deeply") from error


def value_of(data: bytes, path: Path) -> Any:
    """The file's content as mappings, lists and scalars. Raises ``LabError`` where it is no YAML."""
    try:
        _shallow(data)
        return yaml.load(data, _Loader)  # noqa: S506  # a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        # libyaml itself gives up from 0.2.6 on, and may do so before it tells of what it has read so far.
        too_deep = "maximum nesting depth" in (error.problem or "")
        line, sentence = in_our_words(error, data)
        place = f"{path}:{line}" if line else str(path)
        raise LabError(f"{place}: {TOO_DEEP if too_deep else sentence}") from error
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        raise LabError(f"{path}:{line}: {error.reason}: save the file as UTF-8 text") from error
    except RecursionError as error:
        raise LabError(f"{path}: it is nested too deeply") from error
    except ValueError as error:
        raise LabError(f"{path}: {error}") from error

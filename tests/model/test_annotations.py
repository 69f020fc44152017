"""Values that a check reads say their types as types, not as text that would be compiled when they are first read."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import get_annotations
from typing import Any, get_origin

import msgspec
from msgspec.inspect import StructType, type_info

from grader.engines.local.orders import StartOrder
from grader.kinds.server.declare import ServerLab
from grader.labs.world import LabWorld
from grader.model.protocol import Operation, Told, answer_type, host, world
from grader.model.protocol.world import WorldOperation
from grader.model.result import Result
from tests.tables import every

ANSWERS = [
    answer_type(operation)
    for module in (host, world)
    for operation in vars(module).values()
    if isinstance(operation, type) and issubclass(operation, Operation) and operation is not Operation
]


def parts(found: Any) -> Iterator[type[msgspec.Struct]]:
    """The structs that a described type consists of."""
    if isinstance(found, StructType):
        whole = get_origin(found.cls) or found.cls
        yield from (cls for cls in whole.__mro__ if issubclass(cls, msgspec.Struct))
    if isinstance(found, msgspec.Struct):
        found = [getattr(found, name) for name in found.__struct_fields__]
    if isinstance(found, list | tuple):
        for part in found:
            yield from parts(part)


@every("read", [ServerLab, LabWorld, Result, StartOrder, WorldOperation, Told, *ANSWERS], ids=str)
def test_what_a_check_reads_says_its_types_as_types(read: Any) -> None:
    found = type_info(read)
    told = {
        f"{cls.__module__}.{cls.__name__}.{name}": type_
        for cls in parts(found)
        for name, type_ in get_annotations(cls).items()
    }
    assert [name for name, type_ in told.items() if isinstance(type_, str)] == []

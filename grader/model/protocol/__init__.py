"""What can be asked of the two machines of a run: an operation is a struct, and each has its one type of answer.

``host`` has the operations of the student's host, ``world`` those of everything around it. On the wire a request is one
line of JSON, ``{"op": …, …}``, answered by ``{"ok": true, "value": …}`` or ``{"ok": false, "error": …}``. With the
latter, ``"broken": true`` says that the machine is not as it was to be built, which is nobody's fault but the grader's.
"""

from functools import cache
from typing import Any, Generic, TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Operation(Struct, Generic[T_co], frozen=True, tag_field="op"):
    """A request that is answered by a ``T_co``; the struct's tag is the operation's name on the wire."""


class Told(Struct, Generic[T]):
    """An answer on the wire. What answers nothing may leave its value out."""

    ok: bool
    value: T | UnsetType = UNSET
    error: str = ""
    broken: bool = False


def name_of(operation: Operation[Any]) -> str:
    """The operation's name on the wire."""
    return str(operation.__struct_config__.tag)


@cache
def answer_type(operation: type[Operation[Any]]) -> Any:
    """The type that a kind of operation is answered by: the ``T`` of the ``Operation[T]`` that it is derived from."""
    (base,) = operation.__orig_bases__  # type: ignore[attr-defined]  # typing sets it on generic bases
    return get_args(base)[0]

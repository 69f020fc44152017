"""The results of a class, of which none is held: a large class needs no more memory than a small one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

from grader.model.result import Result

Source = TypeVar("Source")


class Results(Sequence[Result], Generic[Source]):
    """A result for each of ``sources``, made of it whenever it is asked for; errors are those of ``make``."""

    def __init__(self, sources: Sequence[Source], make: Callable[[Source], Result]) -> None:
        self._sources = sources
        self._make = make

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, place: int) -> Result: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Result]: ...
    def __getitem__(self, place: int | slice) -> Result | Sequence[Result]:
        if isinstance(place, slice):
            return Results(self._sources[place], self._make)
        return self._make(self._sources[place])

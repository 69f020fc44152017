"""A sequence of which nothing is held: a large class needs no more memory than a small one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

Source = TypeVar("Source")
Made = TypeVar("Made", covariant=True)


class OnDemand(Sequence[Made], Generic[Source, Made]):
    """For each of ``sources`` what is made of it, whenever that is asked for. Raises what the making does."""

    def __init__(self, sources: Sequence[Source], make: Callable[[Source], Made]) -> None:
        self._sources = sources
        self._make = make

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, place: int) -> Made: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Made]: ...
    def __getitem__(self, place: int | slice) -> Made | Sequence[Made]:
        if isinstance(place, slice):
            return OnDemand(self._sources[place], self._make)
        return self._make(self._sources[place])

"""Tests are dealt to workers: each once, and each worker begins with its share of the long ones."""

from __future__ import annotations

from typing import cast

import pytest

from tests.conftest import dealt


class Item:
    """As much of a test as dealing looks at."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_closest_marker(self, name: str) -> object:
        return self.name if self.name.startswith(name) else None


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize(("slow", "quick"), [(0, 9), (3, 9), (9, 3), (5, 0), (4, 21), (1, 1)])
def test_each_test_is_dealt_once_and_long_ones_first(workers: int, slow: int, quick: int) -> None:
    items = [Item(f"quick {n}") for n in range(quick)] + [Item(f"slow {n}") for n in range(slow)]
    order = [item.name for item in cast(list[Item], dealt(cast(list[pytest.Item], items), workers))]
    assert sorted(order) == sorted(item.name for item in items)
    assert [name for name in order if name.startswith("quick")] == [f"quick {n}" for n in range(quick)]
    if workers > 1 and quick > slow:
        shares = [order[len(order) * n // workers : len(order) * (n + 1) // workers] for n in range(workers)]
        assert all(
            share == sorted(share, key=lambda name: not name.startswith("slow")) for share in shares[:-1]
        )
        assert {sum(name.startswith("slow") for name in share) for share in shares} <= {
            slow // workers,
            -(-slow // workers),
        }

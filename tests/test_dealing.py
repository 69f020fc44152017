"""Tests are dealt to workers: each once, and each worker begins with its share of the long ones."""

from __future__ import annotations

from typing import cast

import pytest

from tests.conftest import dealt
from tests.tables import every


class Item:
    """As much of a test as dealing looks at."""

    def __init__(self, name: str, shared: str = "") -> None:
        self.name = name
        self.shared = shared

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        if name == "together":
            return pytest.mark.together(self.shared).mark if self.shared else None
        return pytest.mark.slow.mark if self.name.startswith(name) else None


def order(items: list[Item], workers: int) -> list[str]:
    return [item.name for item in cast(list[Item], dealt(cast(list[pytest.Item], items), workers))]


@every("workers", [1, 2, 3, 4])
@every(("slow", "quick"), [(0, 9), (3, 9), (9, 3), (5, 0), (4, 21), (1, 1)])
def test_each_test_is_dealt_once_and_long_ones_first(workers: int, slow: int, quick: int) -> None:
    items = [Item(f"quick {n}") for n in range(quick)] + [Item(f"slow {n}") for n in range(slow)]
    dealt_out = order(items, workers)
    assert sorted(dealt_out) == sorted(item.name for item in items)
    assert [name for name in dealt_out if name.startswith("quick")] == [f"quick {n}" for n in range(quick)]
    if workers > 1 and quick > slow:
        shares = [
            dealt_out[len(items) * n // workers : len(items) * (n + 1) // workers] for n in range(workers)
        ]
        assert all(
            share == sorted(share, key=lambda name: not name.startswith("slow")) for share in shares[:-1]
        )
        assert {sum(name.startswith("slow") for name in share) for share in shares} <= {
            slow // workers,
            -(-slow // workers),
        }


def test_long_ones_that_share_something_are_dealt_to_one_worker() -> None:
    items = [
        Item(f"slow {n}", shared)
        for n, shared in enumerate(["", "server", "", "server", "site", "server", "site"])
    ]
    items += [Item(f"quick {n}", "server") for n in range(13)]
    dealt_out = order(items, 2)
    assert dealt_out[:4] == ["slow 0", "slow 2", *["quick 0", "quick 1"]]
    assert dealt_out[10:15] == ["slow 1", "slow 3", "slow 5", "slow 4", "slow 6"]

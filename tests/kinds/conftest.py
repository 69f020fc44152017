"""Kinds of lab are tried on the labs' own pattern, with the cache of the labs' tests."""

from __future__ import annotations

from tests.labs.conftest import cache, lab, lab_folder, own_cache

__all__ = ["cache", "lab", "lab_folder", "own_cache"]

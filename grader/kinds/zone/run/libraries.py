"""dkimpy, imported without the resolver that it brings along.

It imports dnspython's resolver, in order to ask DNS by itself, which it does not do here; and that takes as long as all
the rest of a check. While it is imported an empty module stands in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import dns.exception
import dns.rdatatype

_RESOLVER = "dns.resolver"


@contextmanager
def _without_resolver() -> Iterator[None]:
    if _RESOLVER in sys.modules:
        yield
        return
    sys.modules[_RESOLVER] = ModuleType(_RESOLVER)
    try:
        yield
    finally:
        del sys.modules[_RESOLVER]


with _without_resolver():
    import dkim

__all__ = ["dkim", "dns"]

"""dnspython, imported without what it looks for in vain.

As soon as it is imported it asks which version of a library for international names is installed, and finding that out
takes as long as all the rest of it. No name in a zone needs that library, so here it is told that there is none.
"""

from __future__ import annotations

import sys
from types import ModuleType

_METADATA = "importlib.metadata"

if _METADATA in sys.modules:
    import dns.name
else:
    sys.modules[_METADATA] = ModuleType(_METADATA)
    try:
        import dns.name
    finally:
        del sys.modules[_METADATA]

__all__ = ["dns"]

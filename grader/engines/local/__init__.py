"""The local engine: namespaces, runc and an image made by mmdebstrap; no daemon, as root or as an ordinary user."""

from __future__ import annotations

from grader.engines.local.engine import LocalEngine

__all__ = ["LocalEngine"]

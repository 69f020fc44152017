"""Secrets that showed."""

from typing import Literal

from msgspec import Struct


class Exposure(Struct, frozen=True):
    """A place where others could read the password. ``what`` is what stood there, the password left out."""

    where: Literal["process list", "output", "log", "file", "message"]
    what: str

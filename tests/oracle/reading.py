"""What anybody can read in a configuration: names, addresses, networks and keys of tables, as a scanner takes them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_NAME = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:example|com)\b")
_ADDRESS = re.compile(r"\b([a-z0-9._+-]+)@((?:[a-z0-9-]+\.)+(?:example|com))\b")
_NETWORK = re.compile(r"(?<![\w.:])\[?([0-9a-f:]*:[0-9a-f:]+|\d+\.\d+\.\d+\.\d+)\]?(?:/(\d+))?(?![\w.:])")
_BEGINNING = re.compile(r"(?:^|[\s{,^])(\d{1,3}(?:\.\d{1,3}){0,2})(?=[\s=])", re.MULTILINE)
_KEY = re.compile(r"(?:^|[{,\s])([a-z][a-z0-9]{2,15})(?:@[a-z.]+)?\s*(?:=|:|\s)\s*(?=\S)", re.MULTILINE)
MOST = 4
USERS = ("alice", "bob")


@dataclass(frozen=True)
class Read:
    """Foreign names, foreign addresses, networks, and words that may be local parts; a few of each."""

    names: list[str]
    addresses: list[str]
    networks: list[str]
    words: list[str]
    shared: list[str]
    """Addresses of the own domain that are not a user's alone."""


def read(files: dict[str, bytes], own: tuple[str, ...]) -> Read:
    """What the files hold; ``own`` are the student's own names."""
    texts = [data.decode("utf-8", "replace").casefold().replace("\\.", ".") for data in files.values()]
    text = "\n".join(texts)
    tables = "\n".join(
        texts[place] for place, name in enumerate(files) if name not in ("main.cf", "master.cf")
    )
    names = dict.fromkeys(name for name in _NAME.findall(text) if name not in own)
    addresses = dict.fromkeys(f"{a}@{d}" for a, d in _ADDRESS.findall(text) if d not in own)
    words = dict.fromkeys(_KEY.findall(tables))
    ours = dict.fromkeys(f"{a}@{d}" for a, d in _ADDRESS.findall(text) if d in own and a not in USERS)
    return Read(
        list(names)[:MOST],
        list(addresses)[:MOST],
        list(_networks(text))[:12],
        list(words)[:MOST],
        list(ours)[:MOST],
    )


def _networks(text: str) -> dict[str, None]:
    found: dict[str, None] = {}
    texts = [f"{address}/{length}" if length else address for address, length in _NETWORK.findall(text)]
    for beginning in _BEGINNING.findall(text):
        octets = beginning.split(".")
        texts.append(".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}")
    for written in texts:
        try:
            found[str(ipaddress.ip_network(written, strict=False))] = None
        except ValueError:
            continue
    return found

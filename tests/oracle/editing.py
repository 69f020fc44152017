"""How a configuration is changed: names filled in, lists of restrictions taken apart and put back."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.oracle.postfix import Configuration, Service
from tests.oracle.vocabulary import LISTS

Operator = Callable[[Random, Configuration, dict[str, str]], str]
"""Changes a configuration and says what it did, or returns ``""`` where there is nothing of its kind."""


def fill(text: str, names: dict[str, str]) -> str:
    """A value with the variant's names in it."""
    return (
        re.sub(r"@(\w+)@", lambda found: names.get(found[1], found[0]), text)
        .replace("{{", "{")
        .replace("}}", "}")
    )


def split(value: str) -> list[str]:
    """The elements of a list of restrictions or networks, each table with the keyword that it belongs to."""
    words = re.findall(r"(?:[^\s,{]|\{(?:[^{}]|\{[^{}]*\})*\})+", value)
    elements: list[str] = []
    for word in words:
        if elements and (":" in word and elements[-1].startswith("check_") and " " not in elements[-1]):
            elements[-1] += f" {word}"
        else:
            elements.append(word)
    return elements


def lists_in(config: Configuration) -> list[tuple[Service | None, str, str]]:
    """Every list of restrictions and where it stands: main.cf, or a service."""
    found: list[tuple[Service | None, str, str]] = [
        (None, name, value) for name, value in config.main if name in LISTS or name == "mynetworks"
    ]
    for service in config.listeners():
        found += [(service, n, v) for n, v in service.overrides.items() if n in LISTS or n == "mynetworks"]
    return found


def put(config: Configuration, service: Service | None, name: str, elements: list[str]) -> str:
    value = ", ".join(elements)
    if service is None:
        config.set(name, value)
        return f"main.cf: {name} = {value}"
    service.overrides[name] = value
    return f"master.cf, {service.fields[0]}: {name} = {value}"

"""The table that drives both simulators: stages of a session with their rules, read and proved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, to_builtins
from msgspec.structs import replace

from grader import resources
from grader.labs.complaints import refusal
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson.entries import Id, Text
from grader.lesson.library import Library, library
from grader.lesson.simulator.parameters import Parameter
from grader.lesson.simulator.server import SimulatedServer
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.templates import nearest

Value = bool | int | str
Conditions = dict[str, Value | list[Value]]
"""Facts by name, each with the value or values that it must have."""

Action = Literal[
    "close",
    "greet",
    "greet-esmtp",
    "encrypt",
    "ask",
    "log-in",
    "reset",
    "begin",
    "add",
    "remember",
    "receive",
    "skip",
    "take",
    "accept",
]

FILES = ("session", "greeting", "transaction", "questions")


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the answer to EHLO."""

    line: Text
    when: Conditions = {}


class DecisionRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Under these conditions this reply, this action, for this reason. ``see`` names entries that explain it."""

    id: Id
    why: Text
    when: Conditions = {}
    reply: Annotated[
        str, Meta(description="The line said, empty for none; names in braces are filled in.")
    ] = ""
    do: Action | None = None
    see: list[Id] = []


class Stage(Struct, frozen=True, forbid_unknown_fields=True):
    """A command, or something else that asks for a reply. ``see`` is what every rule of it refers to as well."""

    id: Id
    rules: Annotated[list[DecisionRule], Meta(min_length=1)]
    see: list[Id]
    uses: Annotated[list[Id], Meta(description="Stages whose rules come before the last one.")] = []
    verb: Annotated[str, Meta(pattern="^([A-Z]+)?$")] = ""
    flags: list[Literal["before-tls", "idle", "last"]] = []


class DeclaredTable(SimulatedServer, frozen=True, forbid_unknown_fields=True):
    """``server.yaml`` as it is written."""

    offers: list[Offer]
    parameters: dict[str, list[Parameter]]
    foreign: list[str]


class Table(Struct, frozen=True):
    """The whole table: ``stages`` by id, each with the rules that it uses from others already in their place."""

    server: DeclaredTable
    stages: dict[str, Stage]

    def data(self) -> object:
        """The table in plain values, as the page embeds it in JSON."""
        return to_builtins(self)


@cache
def table() -> Table:
    """smtplab's own table. Raises ``LabError`` as ``read_table`` does."""
    return read_table(resources.folder("reports") / "data" / "simulator", library())


def read_table(folder: Path, among: Library) -> Table:
    """The table in a folder. Raises ``LabError``: a line for each fault, with file, line and how to fix it."""
    path = folder / "server.yaml"
    data = read_bytes(path, "the simulator's server")
    server = parse(data, path, DeclaredTable)
    complaints = [
        complaint
        for key in ("listeners", "switches")
        for place, one in enumerate(getattr(server, key))
        for complaint in _unknown((key, place, "see"), [one.see], among.entries, "entry")
    ]
    if complaints:
        raise refusal(path, data, complaints)
    stages: dict[str, Stage] = {}
    for name in FILES:
        _read_stages(folder / f"{name}.yaml", stages, among)
    return Table(server, {id_: _spliced(stage, stages) for id_, stage in stages.items()})


def _read_stages(path: Path, stages: dict[str, Stage], among: Library) -> None:
    data = read_bytes(path, "the simulator's table")
    complaints: list[Diagnostic] = []
    taken = {rule.id for stage in stages.values() for rule in stage.rules}
    listed = parse(data, path, list[Stage])
    for place, stage in enumerate(listed):
        if stage.id in stages:
            complaints.append(fault_at((place, "id"), f"the stage {stage.id!r} is taken; choose another id"))
        stages[stage.id] = stage
        for number, rule in enumerate(stage.rules):
            at = (place, "rules", number)
            if rule.id in taken:
                complaints.append(fault_at((*at, "id"), f"the rule {rule.id!r} is taken; choose another id"))
            taken.add(rule.id)
            if not rule.reply and rule.do != "close":
                complaints.append(
                    fault_at(at, f"the rule {rule.id!r} neither replies nor closes; add 'reply'")
                )
            complaints += _unknown((*at, "see"), rule.see, among.entries, "entry")
        complaints += _unknown((place, "see"), stage.see, among.entries, "entry")
    for place, stage in enumerate(listed):
        complaints += _unknown((place, "uses"), stage.uses, stages, "stage")
    if complaints:
        raise refusal(path, data, complaints)


def _unknown(
    at: tuple[str | int, ...], ids: list[str], known: Collection[str], what: str
) -> Iterator[Diagnostic]:
    for number, id_ in enumerate(ids):
        if id_ not in known:
            yield fault_at((*at, number), f"there is no {what} {id_!r}{nearest('%r', id_, known)}")


def _spliced(stage: Stage, stages: dict[str, Stage]) -> Stage:
    used = [rule for id_ in stage.uses for rule in stages[id_].rules]
    return replace(stage, rules=[*stage.rules[:-1], *used, stage.rules[-1]])


def codes_seen(reply: str, among: Library) -> list[str]:
    """Ids of the entries that explain a reply's codes: the reply code, and the enhanced one where it is listed."""
    found = re.match(r"([2-5][0-9][0-9])[- ]?(?:([245])(\.[0-9]{1,3}\.[0-9]{1,3}))?", reply)
    if found is None:
        return []
    ids = [f"reply-{found[1]}"]
    if found[2]:
        ids += [f"code-{found[2]}{found[3]}", f"code-x{found[3]}"]
    return [id_ for id_ in ids if id_ in among.entries]

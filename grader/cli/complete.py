"""What a shell completes beyond commands and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _item(value: str, **about: str) -> CompletionItem:
    # Every command has the types that stand here, and few are asked to complete anything.
    from click.shell_completion import CompletionItem

    return CompletionItem(value, **about)


class _Lab(click.ParamType[str]):
    """A lab's id, or a folder; completes the ids."""

    name = "lab"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids that begin so, and folders."""
        from grader import resources

        names = {path.parent.name for folder in resources.lab_folders() for path in folder.glob("*/lab.yaml")}
        ids = [_item(name) for name in sorted(names) if name.startswith(incomplete)]
        return [*ids, _item(incomplete, type="dir")]


class _Code(click.ParamType[str]):
    """A check's code, with or without its lab's id; completes those of all labs."""

    name = "code"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Codes that begin so."""
        from grader import labs

        codes = [
            (f"{entry.lab.id}/{check.code}", check.title)
            for entry in labs.list_labs()
            if entry.lab
            for check in entry.lab.all_checks
        ]
        return [_item(code, help=title) for code, title in codes if code.startswith(incomplete)]


class _Kind(click.ParamType[str]):
    """A kind of lab; completes those that are installed."""

    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, once there is such a kind."""
        from grader import kinds

        return kinds.kind(value).name

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """What help shows: the kinds."""
        from grader import kinds

        return f"[{'|'.join(kinds.names())}]"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Kinds that begin so."""
        from grader import kinds

        rows = [kinds.kind(name) for name in kinds.names() if name.startswith(incomplete)]
        return [_item(row.name, help=row.about) for row in rows]


LAB = _Lab()
KIND = _Kind()
CODE = _Code()

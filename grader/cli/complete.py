"""What a shell completes beyond commands and options."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class _Lab(click.ParamType[str]):
    """A lab's id, or a folder; completes the ids."""

    name = "lab"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Ids that begin so, and folders."""
        from grader import resources

        names = {path.parent.name for folder in resources.lab_folders() for path in folder.glob("*/lab.yaml")}
        ids = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
        return [*ids, CompletionItem(incomplete, type="dir")]


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
            for check in entry.lab.checks
        ]
        return [CompletionItem(code, help=title) for code, title in codes if code.startswith(incomplete)]


LAB = _Lab()
CODE = _Code()

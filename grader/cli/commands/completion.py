"""``smtplab completion``."""

from __future__ import annotations

import click

from grader.cli import options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@options.debug
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print what makes SHELL complete commands, labs and codes.

    \b
    bash:  echo 'eval "$(smtplab completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(smtplab completion zsh)"' >> ~/.zshrc
    fish:  smtplab completion fish > ~/.config/fish/completions/smtplab.fish
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(ctx.find_root().command, {}, "smtplab", "_SMTPLAB_COMPLETE").source())
    return 0

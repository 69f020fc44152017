"""Which folders of a submission go where on the student's host, and where anything may go there."""

from __future__ import annotations

from posixpath import normpath

from grader.kinds.server.declare import InstallTarget, ServerSubmission

INSTALLABLE = (
    "/var", "/run", "/tmp", "/home", "/root",  # noqa: S108 - of a host of its own
    "/etc/postfix", "/etc/dovecot", "/etc/opendkim", "/etc/ssl/lab",
)  # fmt: skip
"""The trees of the host that can be written to: those of ``grader.engines.guest.files``, and a test says so."""


def installable(folder: str) -> bool:
    """Whether files may be put into a folder of the host."""
    path = normpath(folder)
    return any(path == tree or path.startswith(f"{tree}/") for tree in INSTALLABLE)


def places(rules: ServerSubmission) -> dict[str, InstallTarget]:
    """The place of each folder of a submission, without a slash at either end; ``""`` is the submission itself."""
    if isinstance(rules.installs, str):
        return {"": InstallTarget(rules.installs)}
    return {
        folder.strip("/"): place if isinstance(place, InstallTarget) else InstallTarget(place)
        for folder, place in rules.installs.items()
    }


def folder_of(name: str, rules: ServerSubmission) -> str | None:
    """The folder of ``installs`` or ``publishes`` that a file belongs to, ``None`` where it belongs to none."""
    folders = [*places(rules), *([rules.publishes.strip("/")] if rules.publishes else [])]
    holding = [folder for folder in folders if not folder or name.startswith(folder + "/")]
    return max(holding, key=len, default=None)

"""Where each file of a submission goes: onto the student's host, into DNS, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import join

from grader.kinds.server.declare import ServerSubmission
from grader.kinds.server.places import folder_of, places
from grader.model.plan import File
from grader.model.submission import Submission

POSTFIX = "/etc/postfix"


def config_dir(rules: ServerSubmission) -> str:
    """The folder on the host from which Postfix reads its configuration."""
    if isinstance(rules.installs, str):
        return rules.installs
    found = [place.to for place in places(rules).values()]
    return POSTFIX if POSTFIX in found else next((to for to in found if "postfix" in to), POSTFIX)


def installed(rules: ServerSubmission, submission: Submission) -> Iterator[tuple[str, File]]:
    """Each file that goes to the host, with its name in the submission."""
    known = places(rules)
    for name, data in submission.files.items():
        folder = folder_of(name, rules)
        if folder is None or folder not in known:
            continue
        place = known[folder]
        path = join(place.to, name.removeprefix(folder).lstrip("/"))
        mode = int(place.mode, 8)
        if name in submission.executable:
            mode |= (mode & 0o444) >> 2
        yield name, File(path, data, mode, place.owner)


def published(rules: ServerSubmission, submission: Submission) -> dict[str, bytes]:
    """The files that go into DNS, by their names in the submission."""
    if rules.publishes is None:
        return {}
    folder = rules.publishes.strip("/")
    return {name: data for name, data in submission.files.items() if folder_of(name, rules) == folder}

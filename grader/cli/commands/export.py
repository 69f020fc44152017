"""``smtplab export``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.cli.complete import LAB


@click.command()
@click.argument("platform")
@click.argument("lab", type=LAB)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the bundle, a new one.  [default: LAB-PLATFORM]",
)
@click.option(
    "--wheel",
    type=click.Path(path_type=Path),
    help="A wheel of smtplab that goes into the bundle, without the labs' solutions, and is installed from there.",
)
@click.option(
    "--from",
    "address",
    metavar="ADDRESS",
    help="Where pip finds smtplab, if there is no wheel: git+https://HOST/PATH@VERSION, or the address of a wheel.",
)
@click.option(
    "--offline",
    is_flag=True,
    help="Only collect the work there; you download, grade and give back the grades.",
)
@options.course
@options.debug
def export(
    platform: str,
    lab: str,
    out: Path | None,
    wheel: Path | None,
    address: str | None,
    offline: bool,
    course: Path | None,
) -> int:
    """Make the autograder of LAB for a course PLATFORM (gradescope, prairielearn, autolab, inginious, vpl, codegrade,
    artemis, xqueue, exercism, check50 or classroom50) or for CI (github, gitlab or jenkins).

    Its README.md says in five lines what to do with it. A lab that the platform's container cannot run is refused;
    with --offline, Gradescope collects it.
    """
    from grader import bundles, labs
    from grader.course.coursefile import find_course, visibility
    from grader.display.text import printed_line
    from grader.model.errors import UsageError
    from grader.model.templates import nearest

    known = bundles.PLATFORMS.get(platform)
    if platform in bundles.WITHOUT:
        raise UsageError(f"there is no bundle for {platform!r}: {bundles.WITHOUT[platform]}")
    if known is None:
        hint = nearest("%r", platform, bundles.PLATFORMS)
        raise UsageError(
            f"there is no bundle for {platform!r}{hint}; there are {', '.join(bundles.PLATFORMS)}; what others "
            "read is listed by 'smtplab formats'"
        )
    folder = labs.find(lab)
    declared = labs.load(folder)
    if wheel is not None and address is not None:
        raise UsageError("--wheel and --from both say where smtplab comes from: keep one")
    target = out or Path(f"{declared.id}-{platform}")
    if offline:
        if wheel is not None or address is not None:
            raise UsageError("a bundle that only collects installs nothing: leave --wheel and --from out")
        made = bundles.export_collector(known, declared, target)
    else:
        found = find_course(course)
        said = found.lab(declared.id) if found else None
        seen_when = visibility(said, declared.all_checks) if said else {}
        made = bundles.export(known, folder, declared, target, wheel, address, said, seen_when)
    for name in made:
        click.echo(printed_line(str(target / name)))
    return 0

"""What a platform has beside its grader: a question, a task, a problem, the names of checks."""

from __future__ import annotations

import json
import keyword
import re
import uuid
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape, quoteattr

from grader import labs
from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.templates import fill
from grader.model.variant import Variant


def files_asked_for(lab: Lab, variant: Variant) -> list[str]:
    """The files that students of a variant hand in at least."""
    return [fill(name, variant.names) for name in lab.submission.required]


def prairielearn(lab: Lab, folder: Path, variant: Variant) -> dict[str, bytes]:
    """PrairieLearn's question: its settings, what is handed out, and the upload of the files that the lab asks for."""
    info = {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"smtplab:{lab.id}")),
        "title": lab.title,
        "topic": "Mail servers",
        "type": "v3",
        "gradingMethod": "External",
        "externalGradingOptions": {
            "enabled": True,
            "image": "smtplab",
            "entrypoint": "/grade/serverFilesCourse/smtplab/run",
            "serverFilesCourse": ["smtplab/"],
            "timeout": 120,
            "enableNetworking": False,
        },
    }
    given = labs.handed_out_files(folder, variant)
    downloads = "".join(
        f"  <p><pl-file-download file-name={quoteattr(name)}></pl-file-download></p>\n" for name in given
    )
    upload = quoteattr(", ".join(files_asked_for(lab, variant)))
    page = (
        f"<pl-question-panel>\n{downloads}</pl-question-panel>\n"
        f"<pl-file-upload file-names={upload}></pl-file-upload>\n"
        "<pl-submission-panel><pl-external-grader-results></pl-external-grader-results></pl-submission-panel>\n"
    )
    question = f"questions/{lab.id}"
    return {
        f"{question}/info.json": json.dumps(info, indent=2).encode() + b"\n",
        f"{question}/question.html": page.encode(),
        **{f"{question}/clientFilesQuestion/{name}": data for name, data in given.items()},
    }


def inginious(lab: Lab, folder: Path, variant: Variant) -> dict[str, bytes]:
    """INGInious's task, whose problems are the uploads of the lab's files, and which file each of them is.

    Its texts are reStructuredText, in which INGInious lets raw HTML through: a title stands in a literal block.
    """
    names = {f"file{number}": name for number, name in enumerate(files_asked_for(lab, variant), 1)}
    task = {
        "name": lab.title,
        "author": "",
        "context": f"Read the handout of this lab, and upload what it asks for.\n\n::\n\n    {lab.title}\n",
        "environment_type": "docker",
        "environment_id": "smtplab",
        "environment_parameters": {
            "network_grading": False,
            "limits": {"time": 60, "hard_time": 120, "memory": 512, "disk": 100},
        },
        "problems": {
            problem: {
                "type": "file",
                "name": name,
                "header": "",
                "allowed_exts": [PurePosixPath(name).suffix or PurePosixPath(name).name],
            }
            for problem, name in names.items()
        },
    }
    # JSON is YAML, too.
    return {
        "task/task.yaml": json.dumps(task, indent=2).encode() + b"\n",
        "task/files.json": json.dumps(names, indent=2).encode() + b"\n",
    }


def check50(lab: Lab, folder: Path, variant: Variant) -> dict[str, bytes]:
    """What check50 calls the lab's checks: each is a function of Python's there, beside ``graded``, which grades."""
    taken = {"graded"}
    named = []
    for check in lab.all_checks:
        name = re.sub(r"\W", "_", check.code, flags=re.ASCII)
        while not name.isidentifier() or keyword.iskeyword(name) or name in taken:
            name = f"_{name}"
        taken.add(name)
        named.append({"code": check.code, "name": name, "title": fill(check.title, variant.names)})
    return {"checks.json": json.dumps(named, indent=2).encode() + b"\n"}


XQUEUE_LABS = "/opt/smtplab/labs"
"""Where the watcher finds labs; its README says so, too."""


def xqueue(lab: Lab, folder: Path, variant: Variant) -> dict[str, bytes]:
    """Open edX's problem, a box for the one file that the lab asks for, and its queue for the watcher.

    Raises ``UsageError`` for a lab that asks for more files: the box takes one text.
    """
    names = files_asked_for(lab, variant)
    if len(names) != 1:
        raise UsageError(
            f"Open edX hands a grader one text, and the lab {lab.id} asks for {len(names)} files: {', '.join(names)}"
        )
    given = labs.handed_out_files(folder, variant).get(names[0], b"").decode(errors="replace")
    payload = json.dumps({"lab": lab.id})
    problem = (
        f"<problem display_name={quoteattr(lab.title)}>\n"
        f"  <p>Read the handout of this lab, and paste {escape(names[0])} as it shall be.</p>\n"
        f"  <coderesponse queuename={quoteattr(lab.id)}>\n"
        '    <textbox rows="25" cols="80" mode="text" hidden="" tabsize="8"/>\n'
        f"    <codeparam>\n      <initial_display>{escape(given)}</initial_display>\n      <answer_display/>\n"
        f"      <grader_payload>{escape(payload)}</grader_payload>\n    </codeparam>\n"
        "  </coderesponse>\n</problem>\n"
    )
    told = {"lab": f"{XQUEUE_LABS}/{lab.id}", "file": names[0]}
    handler = {"HANDLER": "smtplab_watcher.Handler", "KWARGS": told}
    queue = {lab.id: {"SERVER_REF": "default", "CONNECTIONS": 1, "HANDLERS": [handler]}}
    return {
        "problem.xml": problem.encode(),
        f"conf.d/{lab.id}.json": json.dumps(queue, indent=2).encode() + b"\n",
    }

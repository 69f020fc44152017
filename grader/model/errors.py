"""The errors a user can see, each one sentence: what, where, how to fix it.

- ``SmtplabError``
  - ``UsageError``    the command, the lab or the submission's form is wrong: exit code 2
    - ``LabError``      a lab is broken
    - ``SubmissionError``  a submission cannot be read
  - ``GraderError``   the grader or its environment failed: exit code 3
    - ``EngineError``   no engine, or the engine failed
    - ``OutputError``   a result cannot be written
"""


class SmtplabError(Exception):
    """An error with one clear sentence. ``exit_code`` is the process's."""

    exit_code = 3


class UsageError(SmtplabError):
    """The command, the lab or the submission cannot be used as given."""

    exit_code = 2


class LabError(UsageError):
    """A lab's declaration is broken."""


class SubmissionError(UsageError):
    """A submission cannot be read."""


class GraderError(SmtplabError):
    """The grader or its environment failed; never the student's fault."""


class EngineError(GraderError):
    """No engine can run, or the engine failed."""


class OutputError(GraderError):
    """A result could not be written."""

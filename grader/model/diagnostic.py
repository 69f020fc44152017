"""What is wrong, or odd, in something that people wrote: where, in one sentence."""

from msgspec import Struct

Path = tuple[str | int, ...]
"""The keys and positions that lead to a value from the top of a document."""


class Span(Struct, frozen=True):
    """Some characters of a file. Lines and columns count from zero, columns in characters."""

    line: int
    column: int
    length: int = 1


class FilePlace(Struct, frozen=True):
    """A place in a file that was handed in, which is named as in the submission; without ``span`` all of it."""

    file: str
    span: Span | None = None


class Diagnostic(Struct, frozen=True):
    """A fault or a remark: where it lies, and a sentence.

    In a document of keys and values ``path`` says where; in a file of lines ``file`` and ``span``, which is missing
    where the file as a whole is meant. One that is not ``fatal`` is a remark. ``code`` names its sort for programs.
    """

    sentence: str
    path: Path = ()
    file: str = ""
    span: Span | None = None
    fatal: bool = True
    code: str = ""

    @property
    def place(self) -> Span:
        """The characters that are meant; nothing at the beginning of a file that is meant as a whole."""
        return self.span or Span(0, 0, 0)


def fault_at(path: Path, sentence: str) -> Diagnostic:
    """A fault of the value that ``path`` leads to."""
    return Diagnostic(sentence, path)


def fault_in(span: Span, sentence: str) -> Diagnostic:
    """A fault of some characters of a file."""
    return Diagnostic(sentence, span=span)

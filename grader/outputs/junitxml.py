"""JUnit XML in dialects. The plain one is what every consumer takes: GitLab, Jenkins' lenient and strict readers, Ant.

No document serves all of them best: what one shows, another drops or refuses. A ``Dialect`` says how a document differs
from the plain one; those of single consumers are among ``grader.outputs.platforms``.

The junit-xml library builds the document; this module gives it only text that XML can carry, and then fixes what strict
schemas refuse in what it builds: ``disabled``, ``type`` of what was skipped, the order of a suite's parts, its times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import junit_xml
from msgspec import Struct
from msgspec.structs import replace

from grader.display.sentences import count
from grader.display.text import one_line, xml
from grader.model.diagnostic import FilePlace
from grader.model.errors import OutputError
from grader.model.evidence import AnyEvidence
from grader.model.result import CheckResult, Result
from grader.outputs.feedback import feedback, handed_in_at, lateness

UNKNOWN_TIME = "1970-01-01T00:00:00"
_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
REFUSED = "What was handed in cannot be read."
MEND = "Next: Hand in what the lab asks for, and grade it again."
_EMPTY_TIME = "0.000"


class Dialect(Struct, frozen=True):
    """How a document differs from the plain one, whose defaults stand here.

    ``codes_only``: a case is named by its code, so that its name is the same for every student. ``worth``: its name
    says how many points it is worth. ``outputs``: every case has its points and feedback as its own output.
    ``messages``: failures have the attribute ``message``. ``skips``: what was not judged is ``skipped``, not failed.
    ``errors``: what the grader failed at is an ``error``; else it is ``skipped``.
    """

    codes_only: bool = False
    worth: bool = False
    outputs: bool = False
    messages: bool = True
    skips: bool = True
    errors: bool = True


PLAIN = Dialect()
Places = Callable[[CheckResult], FilePlace | None]
"""Where in the submission's files a check points to."""


def one(result: Result, evidence: AnyEvidence | None) -> bytes:
    """One result: a document of one suite."""
    return b"".join(many([result]))


def many(results: Iterable[Result]) -> Iterator[bytes]:
    """See ``grader.outputs.junit``."""
    return document(results, PLAIN)


def document(results: Iterable[Result], dialect: Dialect, places: Places | None = None) -> Iterator[bytes]:
    """A suite a result, in a dialect. With ``places`` a case says where in the submission's files it points to."""
    taken = _Names()
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>'
    for number, result in enumerate(results):
        yield b"\n  " + _written(_suite(result, taken, number, dialect, places))
    yield b"\n</testsuites>\n"


def _written(suite: _Suite) -> bytes:
    # Not the library's own writer: it deletes the characters that it cannot write, and leaves the rest of a sequence.
    tree = _fixed(suite.build_xml_doc(), suite.seconds)
    ElementTree.indent(tree, level=1)
    # As text first: ElementTree encodes each name and each text by itself, which takes a sixth of the whole.
    data: bytes = ElementTree.tostring(tree, encoding="unicode").encode()
    _read_back(data, tree)
    return data


class _Suite(junit_xml.TestSuite):  # type: ignore[misc]
    """The library's suite with the run's duration, which its cases do not add up to."""

    seconds = 0.0


class _Names:
    """Names made unique: GitLab drops a case whose class name and name were there before."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, name: str) -> str:
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return name if count == 1 else self.unique(f"{name} ({count})")


def _suite(result: Result, taken: _Names, number: int, dialect: Dialect, places: Places | None) -> _Suite:
    # Readers take what stands before the last dot for a package, and some show the rest alone.
    title = result.lab if result.student is None else f"{result.lab}.{result.student.replace('.', '_')}"
    # Schemas compare these as xs:token, in which outer and doubled blanks do not count.
    classname = taken.unique(_token(title))
    names = _Names()
    suite = _Suite(
        classname,
        [
            *_handed_in(result, classname, names, dialect),
            *(
                _case(check, classname, names.unique(_name(check, dialect)), dialect, places)
                for check in _with_reason(result, dialect)
            ),
        ],
        hostname="localhost",
        id=str(number),
        package=_token(result.lab),
        timestamp=found[0] if (found := _SECONDS.match(result.started)) else UNKNOWN_TIME,
        properties=_properties(result),
        stdout=xml("\n".join(_summary(result))),
        stderr=xml(result.error or ""),
    )
    suite.seconds = result.duration
    return suite


def _properties(result: Result) -> dict[str, str]:
    facts = {
        "status": result.status,
        "score": str(result.score),
        "max_score": str(result.max_score),
        "lab_version": result.lab_version,
        "student": result.student or "",
        "variant": result.variant,
        "engine": result.engine.name,
        "image": result.engine.image,
        "mta": result.engine.mta,
    }
    if at := handed_in_at(result):
        facts["handed_in"] = at
    if lateness(result):
        facts["late"] = "yes"
    for check in result.checks:
        facts[f"points:{check.code}"] = f"{check.points}/{check.max_points}"
    return {_token(name): _attribute(value) for name, value in facts.items()}


def _handed_in(
    result: Result, classname: str, names: _Names, dialect: Dialect
) -> Iterator[junit_xml.TestCase]:
    """The case that fails where what was handed in was refused: skipped checks alone would show as green."""
    if result.status == "refused" and dialect.skips:
        case = junit_xml.TestCase(names.unique("handed-in: What was handed in can be read"), classname)
        case.add_failure_info(
            _attribute(result.error or REFUSED), xml(f"{result.error or REFUSED}\n{MEND}"), "refused"
        )
        yield case


def _with_reason(result: Result, dialect: Dialect) -> list[CheckResult]:
    """The checks; where what was skipped fails, each with the reason why all of them were."""
    if result.status != "refused" or dialect.skips:
        return result.checks
    return [replace(check, observed=result.error or REFUSED) for check in result.checks]


def _name(check: CheckResult, dialect: Dialect) -> str:
    short = check.code.rpartition("/")[2]
    if dialect.codes_only:
        return _token(short)
    worth = f" [{count(check.max_points, 'point')}]" if dialect.worth else ""
    return _token(f"{short}: {check.title}{worth}")


def _case(
    check: CheckResult, classname: str, name: str, dialect: Dialect, places: Places | None
) -> junit_xml.TestCase:
    case = junit_xml.TestCase(name, classname)
    if places is not None and (place := places(check)) is not None:
        case.file = _attribute(place.file)
        case.line = place.span.line + 1 if place.span else 1
    said = xml("\n".join(_feedback(check)))
    if dialect.outputs:
        case.stdout = said
    message = (_attribute(check.observed) or _attribute(check.title)) if dialect.messages else None
    if check.status == "fail" or (check.status == "skipped" and not dialect.skips):
        case.add_failure_info(message, said, "fail")
    elif check.status == "error" and dialect.errors:
        case.add_error_info(message, said, "error")
    elif check.status == "error":
        case.add_skipped_info("the grader failed")
    elif check.status == "skipped":
        reason = f"because {check.because} failed" if check.because else check.observed
        case.add_skipped_info(_attribute(reason) or "not judged")
    elif check.status == "manual":
        case.add_skipped_info("to be judged by a person")
    return case


def _feedback(check: CheckResult) -> Iterator[str]:
    yield check.title
    yield f"{check.code}, {check.points} of {check.max_points} points"
    yield from feedback(check)
    if check.evidence and check.status != "pass":
        yield f"Evidence: {', '.join(check.evidence)}"


def _summary(result: Result) -> Iterator[str]:
    yield f"{result.score} of {result.max_score} points"
    for check in result.checks:
        yield f"{check.status}: {check.title} ({check.code}, {check.points} of {check.max_points} points)"
    yield from result.notes


def _fixed(suite: Element, seconds: float) -> Element:
    suite.attrib.pop("disabled", None)
    suite.set("time", f"{max(0.0, seconds):.3f}")
    for case in suite.iter("testcase"):
        case.set("time", _EMPTY_TIME)
        for skipped in case.iter("skipped"):
            skipped.attrib.pop("type", None)
    parts = {name: suite.findall(name) for name in ("properties", "testcase", "system-out", "system-err")}
    for part in list(suite):
        suite.remove(part)
    for name, found in parts.items():
        # The Ant schema wants both streams and the properties, be they empty.
        suite.extend(found or ([] if name == "testcase" else [Element(name)]))
    return suite


def _attribute(text: str) -> str:
    return xml(one_line(text))


def _token(text: str) -> str:
    return " ".join(_attribute(text).split()) or "unnamed"


def _read_back(data: bytes, root: Element) -> None:
    """Prove that a parser reads what was meant. Raises ``OutputError``, which would be a defect of this module."""
    try:
        read = ElementTree.fromstring(data)  # noqa: S314  our own document, without a DTD
    except ElementTree.ParseError as error:
        raise OutputError(
            f"the JUnit document cannot be read back ({error}): report this as a defect"
        ) from error
    meant = [(e.tag, e.attrib, e.text or "") for e in root.iter()]
    if [(e.tag, e.attrib, e.text or "") for e in read.iter()] != meant:
        raise OutputError("the JUnit document reads back differently: report this as a defect of smtplab")

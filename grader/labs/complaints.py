"""Where in a YAML file a fault lies, and what to say of it. Used only once a file has been found wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError
from grader.model.templates import nearest

if TYPE_CHECKING:
    import yaml
    from jsonschema import ValidationError

MOST = 10
MOST_FOUND = 1000
"""Faults of one file after which no more are looked for."""
UNKNOWN_KEY = "unknown-key"
PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "small letters and digits, joined by single hyphens",
    r"^\d+(\.\d+)*$": 'numbers joined by dots, such as "1.2"',
    "^/": "an absolute path, which begins with /",
    r"^[2-5][0-9][0-9] \S": 'a reply, such as "452 4.3.1 no room"',
    "^[2-5][0-9]{0,2}$": 'a reply code or its beginning, such as "5" or "452"',
    r"^[A-Z][A-Z0-9_]*$": "capital letters, digits and _",
    "^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$": "a user and a group, such as root:root",
    "^0[0-7]{3}$": 'permissions in octal, such as "0644"',
    r"^(?:[!-9;-~]+: \S[ -~]*|\{\w+\})$": "a header field, such as 'Reply-To: x@example.com'",
    r"^[^/\0]+$": "a file's name without a folder",
    r"^[ -~]*$": "one line in ASCII",
}
"""What the patterns of the types ask for, in words."""
QUOTED = "a text that begins with a brace stands in quotation marks"

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
    "boolean": "true or false",
    "null": "nothing",
}


def refusal(path: Path, data: bytes, complaints: Sequence[Diagnostic]) -> LabError:
    """The error for all complaints about a file, a line each, in the file's order."""
    import yaml

    top = yaml.compose(data, yaml.CSafeLoader)
    text = data.decode("utf-8", "replace").splitlines()
    found = {(_line(top, complaint.path), complaint.sentence) for complaint in complaints}
    lines = sorted((line, _commented(sentence, text[line - 1 : line])) for line, sentence in found)
    shown = [f"{path}:{line}: {sentence}" for line, sentence in lines[:MOST]]
    if len(lines) > MOST:
        least = "at least " if len(complaints) >= MOST_FOUND else ""
        shown.append(f"{path}: {least}{len(lines) - MOST} more faults like these")
    return LabError("\n".join(shown))


def _commented(sentence: str, line: Sequence[str]) -> str:
    """The sentence with a word on a value that is none because it begins with ``#``."""
    if sentence.endswith("not nothing") and any(": #" in text for text in line):
        return f"{sentence}: what follows # is a comment; put the text in quotation marks"
    return sentence


def _line(node: yaml.Node | None, path: tuple[str | int, ...]) -> int:
    """The line, counted from one, of the value at ``path``, or of the last of its parents that is there."""
    import yaml

    line = node.start_mark.line if node else 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1


def schema_complaints(value: Any, type_: Any) -> list[Diagnostic]:
    """What the JSON Schema of ``type_`` finds wrong with ``value``; empty where it finds nothing."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    from grader.labs.schema import schema_of

    # JSON Schema takes 10.0 for a whole number, and the types do not.
    whole = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, found: type(found) is int)
    validator = _any(extend)(Draft202012Validator, type_checker=whole)
    errors = validator(schema_of(type_)).iter_errors(value)
    found = (complaint for error in errors for complaint in _complaints(error))
    return list(islice(found, MOST_FOUND))


def _complaints(error: ValidationError) -> Iterator[Diagnostic]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = _any(error.schema)["properties"]
        for key in _any(error.instance):
            if key not in known:
                sentence = f"there is no key {key!r} here{_hint(str(key), known)}"
                yield Diagnostic(sentence, (*path, key), code=UNKNOWN_KEY)
    elif error.validator in ("anyOf", "oneOf"):
        yield from _of_alternatives(error, path)
    else:
        yield fault_at(path, _sentence(error, path))


def _of_alternatives(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Diagnostic]:
    """Of several alternatives that all fail, the one that comes nearest: whose type at least is right."""
    by_alternative: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        by_alternative.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [found for found in by_alternative.values() if not any(_is_type(e, path) for e in found)]
    if fitting:
        for inner in fitting[0]:
            yield from _complaints(inner)
        return
    wanted = [
        _TYPES[_any(inner.validator_value)]
        for inner in error.context or ()
        if inner.validator == "type" and inner.validator_value != "null"
    ]
    quoted = f": {QUOTED}" if "text" in wanted and _is_name(error.instance) else ""
    yield fault_at(
        path, f"{_what(path)} must be {' or '.join(wanted) or 'something else'}{_not(error.instance)}{quoted}"
    )


def _is_name(value: Any) -> bool:
    """Whether a mapping is what YAML makes of a name in braces that is not in quotation marks: ``{domain}``."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) is None


def _any(value: Any) -> Any:
    """A part of an error as what it is; jsonschema's types allow for one that was never set."""
    return value


def _is_type(error: ValidationError, path: tuple[str | int, ...]) -> bool:
    return error.validator == "type" and tuple(error.absolute_path) == path


def _sentence(error: ValidationError, path: tuple[str | int, ...]) -> str:
    what, limit, instance = _what(path), _any(error.validator_value), _any(error.instance)
    if "propertyNames" in error.absolute_schema_path:
        what = f"a key of {what}"
    match error.validator:
        case "type":
            return f"{what} must be {_TYPES.get(limit, limit)}{_not(instance)}{_rewritten(limit, instance)}"
        case "required":
            missing = [key for key in limit if key not in instance]
            return f"{what} needs the key {' and '.join(repr(key) for key in missing)}"
        case "enum":
            words = [str(word) for word in limit]
            return f"{what} is one of {', '.join(words)}{_not(instance)}{_hint(str(instance), words)}"
        case "pattern":
            return f"{what} must be {PATTERNS.get(limit, f'text that fits {limit}')}{_not(instance)}"
        case "minLength" | "minItems":
            return f"{what} must not be empty" if limit == 1 else f"{what} must have at least {limit}"
        case "maxLength" | "maxItems":
            return f"{what} is longer than {limit}"
        case "minimum":
            return f"{what} must be at least {limit}{_not(instance)}"
        case "maximum":
            return f"{what} must be at most {limit}{_not(instance)}"
        case _:
            return f"{what}: {error.message}"


def _rewritten(wanted: str, given: object) -> str:
    """How a value of another type may have been meant."""
    numeric = isinstance(given, int | float) and not isinstance(given, bool)
    match wanted:
        case "string" if _is_name(given):
            return f": {QUOTED}"
        case "string" if numeric:
            return f': write it in quotes, "{given}"'
        case "integer" | "number" if isinstance(given, str) and given.strip().isdigit():
            return ": write it without quotes"
        case "array" if numeric:
            return f": write [{given}]"
        case "array" if isinstance(given, str):
            return ": put [ and ] around it"
        case "array" if isinstance(given, dict):
            return ": put [ and ] around it, or a dash and a space before it"
        case _:
            return ""


def _what(path: tuple[str | int, ...]) -> str:
    match path:
        case []:
            return "the file"
        case [*_, str(key)]:
            return repr(key)
        case [*_, str(key), int(number)]:
            return f"entry {number + 1} of {key!r}"
        case _:
            return f"entry {int(path[-1]) + 1}"


def _not(value: object) -> str:
    shown = "nothing" if value is None else repr(value) if isinstance(value, str | int | float) else ""
    shown = shown if shown.isprintable() else ascii(value)
    return f", not {shown[:60]}" if shown else ""


def _hint(given: str, known: Any) -> str:
    return nearest("%r", given, [str(word) for word in known])

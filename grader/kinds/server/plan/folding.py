"""Words that a program puts together, where that can be seen without running it: ``"ceo" + "@" + host``, a text read
backwards, in Base64, as numbers.

Nothing of a submission is run for it. What is not understood is left out: these words only choose what is tried.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from grader.model.latepattern import late_pattern

LONGEST = 300
"""Characters of a word that is put together."""
MOST_ITEMS = 200
DEEPEST = 40
MOST_NODES = 20_000
MOST_WORDS = 60

_WORD = late_pattern(r"[ -~]{3,60}")
_BASE64 = late_pattern(
    r"(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|[A-Za-z0-9+/]{6}=="
)
_HEX = late_pattern(r"(?:[0-9A-Fa-f]{2}){3,}")
_NUMBERED = late_pattern(r"(?:\\(?:x[0-9A-Fa-f]{2}|[0-7]{3})){3,}")
_ONE_NUMBERED = late_pattern(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{3}))")
_BACKWARDS = late_pattern(r"\[::-1\]|\brev(?:erse[d]?)?\b")
_ROT13 = late_pattern(r"rot_?13|n-za-m|N-ZA-M")
_TOKEN = late_pattern(r"[A-Za-z0-9+/=@._-]{6,80}")
_PLAIN_FORMAT = late_pattern(r"(?:[^%]|%[sdc%])*")
_PLAIN_BRACES = late_pattern(r"(?:[^{}]|\{\d?\})*")
_VARIABLE = late_pattern(r"\$\{?([A-Za-z_]\w*)\}?")
_SET = late_pattern(
    r"(?:\A|[\n;]|\bmy\s)[ \t]*\$?([A-Za-z_]\w*)[ \t]*=[ \t]*[\"']?([\w.@+-]{1,60})[\"']?[ \t]*(?=[;\n]|\Z)"
)
_PIECES = late_pattern(
    r"(?:\"[^\"\\\n]{0,60}\"|'[^'\\\n]{0,60}')(?:[ \t]*(?:[.+][ \t]*)?(?:\"[^\"\\\n]{0,60}\"|'[^'\\\n]{0,60}')){1,12}"
)
_PIECE = late_pattern(r"\"([^\"\\\n]*)\"|'([^'\\\n]*)'")
_TIED = late_pattern(r"\bjoin\s*\(?\s*[\"']([^\"'\n]{0,3})[\"']\s*,\s*(?:\(|qw\W)([^()\n]{3,120})\)")

Value = str | bytes | int | list["Value"]

_METHODS = frozenset(
    {"lower", "upper", "swapcase", "title", "capitalize", "casefold", "strip", "lstrip", "rstrip", "replace", "split",
     "removeprefix", "removesuffix", "encode", "decode", "hex"}
)  # fmt: skip
_DECODERS: Mapping[str, Callable[[Value], Value]] = MappingProxyType(
    {
        "b64decode": lambda value: base64.b64decode(_octets(value)),
        "urlsafe_b64decode": lambda value: base64.urlsafe_b64decode(_octets(value)),
        "b32decode": lambda value: base64.b32decode(_octets(value)),
        "b16decode": lambda value: base64.b16decode(_octets(value), casefold=True),
        "unhexlify": lambda value: binascii.unhexlify(_octets(value)),
        "fromhex": lambda value: bytes.fromhex(_text(value)),
    }
)
_BUILT_IN: Mapping[str, Callable[[Value], Value]] = MappingProxyType(
    {
        "chr": lambda value: chr(value) if isinstance(value, int) else "",
        "ord": lambda value: ord(value) if isinstance(value, str | bytes) else 0,
        "str": lambda value: str(value) if isinstance(value, str | int) else "",
        "bytes": lambda value: bytes(_numbers(value)),
        "bytearray": lambda value: bytes(_numbers(value)),
        "list": lambda value: list(_items(value)),
        "tuple": lambda value: list(_items(value)),
        "reversed": lambda value: list(_items(value))[::-1],
    }
)
_TROUBLE = (ArithmeticError, AttributeError, IndexError, LookupError, TypeError, ValueError, RecursionError)


def assembled(text: str, quotations: Iterable[str], tree: ast.Module | None) -> list[str]:
    """The words that a program's text, which quotes these, puts together; ``tree`` is its syntax if that is Python."""
    found: dict[str, None] = {}
    if tree is not None:
        found |= dict.fromkeys(_of_python(tree))
    else:
        found |= dict.fromkeys(_joined(text))
    for numbered in _NUMBERED.findall(text):
        word = _ONE_NUMBERED.sub(
            lambda one: chr(int(one[1], 16) if one[1] else int(one[2], 8) % 256), numbered
        )
        found[word] = None
    tokens = [*quotations, *([] if tree is not None else _TOKEN.findall(text))]
    backwards, turned = _BACKWARDS.search(text) is not None, _ROT13.search(text) is not None
    for token in [*tokens, *found]:
        found |= dict.fromkeys(_decoded(token, backwards=backwards, turned=turned))
    told = (word for word in found if _WORD.fullmatch(word) and "$" not in word)
    return list(islice(told, MOST_WORDS))


def syntax(text: str) -> ast.Module | None:
    """A program's syntax, if it is Python of today."""
    try:
        with warnings.catch_warnings():
            # Of what is odd in it, a backslash before a letter that it changes nothing of, nobody here wants to hear.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _decoded(token: str, *, backwards: bool, turned: bool) -> Iterator[str]:
    """What a text may stand for. ``backwards`` and ``turned`` (by ROT13) are what the program looks like doing."""
    for pattern, decode in ((_BASE64, _DECODERS["b64decode"]), (_HEX, _DECODERS["unhexlify"])):
        if pattern.fullmatch(token):
            try:
                yield _text(decode(token))
            except ValueError:
                continue
    if any(sign in token for sign in "@."):
        if backwards:
            yield token[::-1]
        if turned:
            yield codecs.decode(token, "rot13")


def _joined(text: str) -> Iterator[str]:
    """Pieces in quotation marks beside each other, a list that is joined, and names in a text with what they hold."""
    for match in _PIECES.finditer(text):
        yield "".join(one or other for one, other in _PIECE.findall(match[0]))
    for between, words in _TIED.findall(text):
        yield between.join(re.findall(r"[^\s\"',]+", words))
    held = dict(_SET.findall(text))
    for one, other in _PIECE.findall(text):
        piece = one or other
        if _VARIABLE.search(piece) and len(piece) <= LONGEST:
            yield _VARIABLE.sub(lambda name: held.get(name[1], name[0]), piece)


def _of_python(tree: ast.Module) -> Iterator[str]:
    constants = _constants(tree)
    for node in islice(ast.walk(tree), MOST_NODES):
        if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call | ast.Subscript | ast.List | ast.Tuple):
            value = fold(node, constants)
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str | bytes):
                    yield _text(word)


def _constants(tree: ast.Module) -> dict[str, Value]:
    """What names at the top of a module stand for, where that is told once and for all."""
    found: dict[str, Value] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], fold(statement.value, found)
            if isinstance(target, ast.Name) and value is not None:
                found[target.id] = value
    return found


def fold(node: ast.expr, names: Mapping[str, Value], depth: int = DEEPEST) -> Value | None:
    """The value of an expression that is made of constants; ``None`` where it is not, or is too large."""
    try:
        value = _fold(node, names, depth)
    except _TROUBLE:
        return None
    return value if not isinstance(value, str | bytes | list) or len(value) <= LONGEST else None


def _fold(node: ast.AST, names: Mapping[str, Value], depth: int) -> Value:
    if depth <= 0:
        raise RecursionError

    def of(part: ast.AST) -> Value:
        value = _fold(part, names, depth - 1)
        if isinstance(value, str | bytes | list) and len(value) > LONGEST:
            raise ValueError("too long")
        return value

    match node:
        case ast.Constant(value=str() | bytes() | int() as value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return [of(part) for part in parts[:MOST_ITEMS]]
        case ast.JoinedStr(values=parts):
            return "".join(_text(of(part)) for part in parts[:MOST_ITEMS])
        case ast.FormattedValue(value=part, format_spec=None):
            inner = of(part)
            return str(inner) if isinstance(inner, int) else _text(inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(of(left), of(right))
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            return _formatted(_text(of(left)), of(right))
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -_number(of(part))
        case ast.Subscript(value=whole, slice=ast.Slice() as cut):
            bounds = [
                None if bound is None else _number(of(bound)) for bound in (cut.lower, cut.upper, cut.step)
            ]
            return _sequence(of(whole))[slice(*bounds)]
        case ast.Subscript(value=whole, slice=place):
            return _sequence(of(whole))[_number(of(place))]
        case ast.GeneratorExp(elt=each, generators=[only]) | ast.ListComp(elt=each, generators=[only]):
            return _each(each, only, of(only.iter), names, depth)
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _call(function, [*map(of, arguments)] if not _maps(function) else arguments, of)
    raise LookupError


def _maps(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "map"


def _each(
    each: ast.expr, only: ast.comprehension, of: Value, names: Mapping[str, Value], depth: int
) -> Value:
    if not isinstance(only.target, ast.Name) or only.ifs:
        raise LookupError
    return [_fold(each, {**names, only.target.id: item}, depth - 1) for item in _items(of)[:MOST_ITEMS]]


def _call(function: ast.expr, given: list[Value] | list[ast.expr], of: Callable[[ast.AST], Value]) -> Value:
    # Of a ``map`` alone the arguments are expressions, which mypy cannot tell of the patterns behind it.
    match function, given:
        case ast.Name(id="map"), [ast.Name(id=name), ast.expr() as over]:
            return [_BUILT_IN[name](item) for item in _items(of(over))[:MOST_ITEMS]]
        case ast.Name(id=name), [argument, *_]:
            return _BUILT_IN[name](argument)  # type: ignore[arg-type]
        case ast.Attribute(attr="join", value=whole), [list() as parts]:
            return _text(of(whole)).join(map(_text, parts))
        case ast.Attribute(attr="format", value=whole), [*parts]:
            shape = _text(of(whole))
            return shape.format(*parts) if _PLAIN_BRACES.fullmatch(shape) else ""
        case ast.Attribute(attr="decode" | "encode", value=ast.Name(id="codecs")), [
            str() as text,
            str() as code,
            *_,
        ]:
            return codecs.decode(text, "rot13") if "13" in code else _DECODERS["unhexlify"](text)
        case ast.Attribute(attr=name), [argument, *_] if name in _DECODERS:
            return _DECODERS[name](argument)  # type: ignore[arg-type]
        case ast.Attribute(attr=name, value=whole), _ if name in _METHODS:
            called: Value = getattr(of(whole), name)(*given)
            return called
    raise LookupError


def _formatted(shape: str, values: Value) -> str:
    if not _PLAIN_FORMAT.fullmatch(shape):
        raise ValueError("a width may be any")
    return shape % (tuple(values) if isinstance(values, list) else values)


def _sum(one: Value, other: Value) -> Value:
    if isinstance(one, str) and isinstance(other, str):
        return one + other
    if isinstance(one, bytes) and isinstance(other, bytes):
        return one + other
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    raise TypeError


def _number(value: Value) -> int:
    if not isinstance(value, int) or abs(value) > LONGEST:
        raise TypeError
    return value


def _numbers(value: Value) -> list[int]:
    return [_number(item) for item in value] if isinstance(value, list) else list(_octets(value))


def _sequence(value: Value) -> str | bytes | list[Value]:
    if isinstance(value, int):
        raise TypeError
    return value


def _items(value: Value) -> list[Value]:
    return list(_sequence(value))


def _octets(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode("latin-1", "replace")
    if isinstance(value, bytes):
        return value
    raise TypeError


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError

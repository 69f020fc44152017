"""The host's end of the protocol, which knows no msgspec, says the same as the grader's, field by field."""

from __future__ import annotations

import ast
import inspect
import os
import resource
import socket
import subprocess
import sys
import types
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
import pytest

from grader.engines import machine
from grader.engines.guest import operations, shapes, tracing, trees
from grader.engines.guest.exposing import AROUND, Exposures, without
from grader.engines.guest.files import read_listening
from grader.engines.guest.mail import Mailboxes, messages_in
from grader.engines.guest.run import RunOfProgram
from grader.model.protocol import Operation, answer_type
from grader.model.protocol.host import HostOperation
from tests.tables import every

OPERATIONS: dict[str, type[Operation[Any]]] = {
    str(operation.__struct_config__.tag): operation for operation in get_args(HostOperation)
}


def same(told: Any, expected: Any) -> bool:
    """Whether what the host's side calls a type is what the grader's side expects, as JSON."""
    if expected is bytes or get_origin(expected) is Literal:
        return told is str
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        return is_typeddict(told) and told.__name__ == expected.__name__ and same_fields(told, expected)
    if get_args(expected) and get_origin(expected) is not types.UnionType:
        pairs = zip(get_args(told), get_args(expected), strict=True)
        return get_origin(told) is get_origin(expected) and all(same(*pair) for pair in pairs)
    return bool(told == expected)


def same_fields(told: type, expected: type[msgspec.Struct]) -> bool:
    """Whether a dictionary has the struct's fields; those with defaults may be the grader's own business."""
    hints, fields = get_type_hints(told), {field.name: field for field in msgspec.structs.fields(expected)}
    needed = {name for name, field in fields.items() if field.required}
    known = set(hints) <= set(fields) and needed <= set(hints)
    return known and all(same(hint, fields[name].type) for name, hint in hints.items())


def test_the_host_has_exactly_the_operations_of_the_protocol() -> None:
    assert sorted(operations.OPERATIONS) == sorted(OPERATIONS)


@every("name", OPERATIONS)
def test_an_operation_takes_and_gives_the_same_at_both_ends(name: str) -> None:
    operation, function = OPERATIONS[name], operations.OPERATIONS[name]
    hints = get_type_hints(function, localns=vars(shapes))
    assert same(hints.pop("return"), answer_type(operation) or type(None))
    assert hints.pop("host") is operations.Host
    fields = {field.name: field for field in msgspec.structs.fields(operation)}
    assert list(hints) == list(fields)
    assert [each for each in hints if not same(hints[each], fields[each].type)] == []
    defaults = {
        each: parameter.default
        for each, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    assert defaults == {each: field.default for each, field in fields.items() if not field.required}


@pytest.mark.parametrize(
    ("age", "times", "over"),
    [
        (1.9, [], False),
        (2.1, [], True),
        (5.0, [(0.1, 3.5)], False),
        (8.1, [(0.1, 8.0)], True),
        # Sixteen share what one processor gives, and then what two give: each has waited for nearly all the time.
        (2.1, [(0.12, 1.98)] * 16, False),
        (2.1, [(0.26, 1.84)] * 16, True),
    ],
)
def test_waiting_for_a_processor_gains_time_and_processes_without_number_do_not(
    age: float, times: list[tuple[float, float]], over: bool
) -> None:
    run = object.__new__(RunOfProgram)
    run.began, run.limit = 100.0, 2.0
    run._times = dict(enumerate(times))
    run._agent_waited = tracing.times(os.getpid())[1]
    assert run.over(100.0 + age) == over


@every(
    ("times", "held_up"),
    [
        ([(0.5, 4.0)], 3.5),
        ([(0.1, 0.2), (0.4, 3.0)], 2.5),
        # A crowd of its own makes each of its processes wait, and waits for nobody else.
        ([(0.5, 9.5)] * 20, 0.0),
        ([], 0.0),
    ],
)
def test_no_run_is_held_up_by_processes_of_its_own(times: list[tuple[float, float]], held_up: float) -> None:
    run = object.__new__(RunOfProgram)
    run._times = dict(enumerate(times))
    assert run._held_up() == pytest.approx(held_up)


class Wider(msgspec.Struct):
    a: int
    b: bytes


@pytest.mark.parametrize(
    "hints", [{"a": int}, {"a": int, "b": int}, {"a": int, "b": str, "c": str}, {"a": "str", "b": "str"}]
)
def test_a_difference_would_be_seen(hints: dict[str, Any]) -> None:
    told = types.new_class("Wider", (dict,))
    told.__annotations__ = hints
    assert not same_fields(told, Wider)


@every("name", machine.guest_files())
def test_the_agent_imports_itself_and_the_standard_library_alone(name: str) -> None:
    tree = ast.parse(machine.guest_files()[name])
    skipped = [node for node in tree.body if isinstance(node, ast.If)]
    tree.body = [node for node in tree.body if node not in skipped]
    assert all(ast.unparse(node.test) == "TYPE_CHECKING" for node in skipped)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name.partition(".")[0] in sys.stdlib_module_names for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1
            assert node.module is None or f"{node.module}.py" in machine.guest_files()
        elif isinstance(node, ast.ImportFrom):
            assert str(node.module).partition(".")[0] in sys.stdlib_module_names


SLOW = {
    "socket",
    "typing",
    "pathlib",
    "shutil",
    "dataclasses",
    "ctypes",
    "subprocess",
    "inspect",
    "json",
    "re",
    "enum",
    "signal",
    "guest.programs",
}


def test_the_agent_starts_without_what_takes_long(tmp_path: Path) -> None:
    folder = tmp_path / "guest"
    folder.mkdir()
    for name, data in machine.guest_files().items():
        (folder / name).write_bytes(data)
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import guest.main; print(*sys.modules)"
    argv = [sys.executable, "-I", "-S", "-B", "-c", code]
    loaded = set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    assert "guest.operations" in loaded
    assert loaded & SLOW == set()


LONG = "d" * 200


def nest(top: Path, depth: int) -> None:
    """Folders in folders, deeper than a path can name, each with a file and a link in it."""
    here = os.open(".", os.O_RDONLY)
    top.mkdir()
    os.chdir(top)
    for _ in range(depth):
        Path("file").write_text("x")
        Path("link").symlink_to("/")
        Path(LONG).mkdir()
        os.chdir(LONG)
    os.fchdir(here)
    os.close(here)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_tree_is_removed_with_few_descriptors_however_deep_it_is(tmp_path: Path) -> None:
    nest(tmp_path / "one", 60)
    nest(tmp_path / "two", 20)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(names(Path("/proc/self/fd"))) + 10, limits[1]))
    try:
        trees.remove(str(tmp_path / "one"))
        assert names(tmp_path) == ["two"]
        trees.remove_owned(str(tmp_path), os.getuid() + 1)
        assert names(tmp_path) == ["two"]
        trees.remove_owned(str(tmp_path), os.getuid())
        assert names(tmp_path) == []
        trees.remove(str(tmp_path / "never-was"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"nothing", None),
        (b"-p hunter22!", b"-p <password>"),
        (b"x aHVudGVyMjIh y", b"x <password in base64> y"),
        (b"AGFsaWNlAGh1bnRlcjIyIQ", b"<password in base64>"),
    ],
)
def test_a_secret_is_seen_plain_and_within_base64(line: bytes, shown: bytes | None) -> None:
    assert without(line, [b"hunter22!"]) == shown


def test_of_a_line_of_millions_what_stands_around_the_secret_is_kept() -> None:
    exposures = Exposures([b"teapot"])
    exposures.search("process list", b"send " + b"x" * 2_000_000 + b" -p teapot " + b"y" * 2_000_000)
    (found,) = exposures.found
    assert " -p <password> " in found["what"]
    assert len(found["what"]) < 3 * AROUND
    exposures.search("process list", b"send -p teapot")
    assert exposures.found[1]["what"] == "send -p <password>"


@pytest.mark.parametrize("count", [0, 22, 23, 24, 25, 26, 27, 28, 60, 300])
def test_a_table_of_the_kernels_has_all_that_listens_whatever_its_length(count: int) -> None:
    with ExitStack() as opened:
        ports = {
            opened.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for _ in range(count)
        }
        lines = read_listening("/proc/self/net/tcp").decode().splitlines()
    assert ports <= {int(line.split()[1].partition(":")[2], 16) for line in lines[1:] if len(line) > 40}


def test_connections_are_not_looked_for_where_listeners_are_asked_for() -> None:
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=400))
        for _ in range(300):
            opened.enter_context(socket.create_connection(server.getsockname()))
        found = read_listening("/proc/self/net/tcp")
        states = [line.split()[3] for line in found.splitlines()[1:] if line.count(b" ") > 10]
    assert states.count(b"0A") >= 1
    assert len(states) - states.count(b"0A") < 30


def test_mail_is_found_by_whole_tokens(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text(
        "From a\nTo: ada.lund12@x\n\nFrom b\nTo: ida.ada.lund12@x, ada.lund123@x\n\nFrom c\nTo: nobody@x\n"
    )
    mailboxes = Mailboxes()
    mailboxes.places = [str(tmp_path)]
    found = mailboxes.find(["ada.lund12", "ada.lund123", "ida.ada.lund12", "else"])
    assert [message["tokens"] for message in found] == [["ada.lund12"], ["ada.lund123", "ida.ada.lund12"]]


def test_an_mbox_that_a_command_has_filled_is_read_as_readers_of_mail_do() -> None:
    """``mailbox_command = cat >>$HOME/mbox``: nothing but the line with sender and date stands between messages."""
    dated = b"From a@b.example  Mon Nov 30 10:54:22 2026\n"
    first, second = dated + b"Subject: 1\n\nText\nFrom here on: nothing", dated + b"Subject: 2\n\n\n"
    assert messages_in(first + b"\n" + second) == [first, second]
    assert messages_in(first + b"\n\n" + second) == [first, second]

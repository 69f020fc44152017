"""Tables of cases that one test goes through: where hundreds take a moment each, a test apiece would cost the most."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def every(
    names: str | Sequence[str],
    cases: Iterable[Any],
    *,
    ids: Callable[[Any], object] | Iterable[object] | None = None,
) -> Callable[[Test], Test]:
    """What ``pytest.mark.parametrize`` does, in one test: each case is tried, and all that fail are named.

    Cases share the test's fixtures, so what a case writes or changes there must not meet the next one. ``ids`` are the
    cases' names, or make one of a case. A case must not be skipped: a table proves nothing of what it leaves out.
    """
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = list(cases)
    assert table, "a table without cases proves nothing"
    called = (
        [repr(case) for case in table] if ids is None else list(map(ids, table) if callable(ids) else ids)
    )

    def decorated(test: Test) -> Test:
        @functools.wraps(test)
        def all_of_them(**fixtures: Any) -> None:
            failed: list[Exception] = []
            named: list[str] = []
            for case, name in zip(table, map(str, called), strict=True):
                values = [case] if len(keys) == 1 else case
                try:
                    test(**fixtures, **dict(zip(keys, values, strict=True)))
                except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
                    error.add_note(f"The case was {name[:1000]}.")
                    failed.append(error if isinstance(error, Exception) else AssertionError(str(error)))
                    named.append(name[:100])
            if failed:
                # The first one is shown whole; of many that fail for one reason the rest would only hide it.
                raise AssertionError(f"{len(failed)} of {len(table)} fail: {'; '.join(named)}") from failed[0]

        parameters = inspect.signature(test).parameters
        left = [parameter for name, parameter in parameters.items() if name not in keys]
        # pytest asks for the fixtures by it; types know of no such attribute of a function.
        all_of_them.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
        return all_of_them

    return decorated

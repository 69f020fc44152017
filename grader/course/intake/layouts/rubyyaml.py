"""YAML as Ruby writes it, in which values may be of classes of its own."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.CSafeLoader):
    """The safe loader, to which Ruby's own tags (``!ruby/object:…``) say nothing."""


def _plain(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _plain)


def load(data: bytes) -> Any:
    """The value of a document. Raises ``ValueError`` for one that cannot be read."""
    try:
        return yaml.load(data, _Loader)  # noqa: S506  # a subclass of the safe loader
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error

"""``python -m tests.outputs.cases`` writes the cases' inputs anew; ``UPDATE_GOLDEN=1 pytest`` the rest."""

from __future__ import annotations

import msgspec

from tests.outputs.cases import CASES, STORIES


def main() -> None:
    """Write ``result.json`` and ``evidence.json`` of every case."""
    for name, story in STORIES.items():
        folder = CASES / name
        folder.mkdir(exist_ok=True)
        for file, value in zip(("result.json", "evidence.json"), story(), strict=True):
            (folder / file).write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")


main()

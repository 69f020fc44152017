"""Labs whose students hand in a text: it must hold some words and lack others. As small as a kind can be."""

from __future__ import annotations

from pathlib import Path

from grader.kinds.base import Kind

KIND = Kind("text", "smtplab_text", about="a text", template="pattern", files=Path(__file__).parent)

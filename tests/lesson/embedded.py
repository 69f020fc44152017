"""The lesson's scripts in an engine inside this process (QuickJS), as they stand in the pages, without any page.

What browsers give to scripts beside the language itself is supplied here as far as the twins use it. How bytes of a
charset and domains beyond ASCII are read is Python's here; ``test_header_tables.py`` compares that with a browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import dukpy
import idna

from grader import resources
from grader.lesson.analyser.encoded import WEB

_BROWSER = """
"use strict";
globalThis.window = globalThis;
window.smtplab = {};
window.TextEncoder = class {
  encode(text) {
    const bytes = unescape(encodeURIComponent(text.toWellFormed()));
    return Uint8Array.from(bytes, (char) => char.charCodeAt(0));
  }
};
window.TextDecoder = class {
  constructor(label, { fatal = false, ignoreBOM = false } = {}) {
    if (!ignoreBOM) throw new RangeError("a decoder that eats the byte order mark is not supplied here");
    this.label = label;
    this.fatal = fatal;
  }
  decode(array) {
    const bytes = Array.from(array, (byte) => String.fromCharCode(byte)).join("");
    if (/^[\\x00-\\x7f]*$/.test(bytes) && this.label === "utf-8") return bytes;
    const text = call_python("decoded", bytes, this.label, this.fatal);
    if (typeof text !== "string") throw new TypeError("these bytes are no text");
    return text;
  }
};
window.URL = class {
  constructor(address) {
    this.hostname = call_python("host_name", address);
    if (typeof this.hostname !== "string") throw new TypeError("no host name");
  }
};
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
window.btoa = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const three = [0, 1, 2].map((place) => bytes.charCodeAt(at + place) || 0);
    if (three.some((byte) => byte > 255)) throw new RangeError("no byte");
    const bits = (three[0] << 16) | (three[1] << 8) | three[2];
    const four = [18, 12, 6, 0].map((shift) => LETTERS[(bits >> shift) & 63]).join("");
    text += four.slice(0, bytes.length - at + 1).padEnd(4, "=");
  }
  return text;
};
window.atob = (text) => {
  const plain = text.replace(/[ \\t\\n\\f\\r]/g, "").replace(/={1,2}$/, "");
  if (plain.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(plain)) throw new RangeError("no base64");
  let bytes = "", bits = 0, held = 0;
  for (const letter of plain) {
    bits = (bits << 6) | LETTERS.indexOf(letter);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += String.fromCharCode((bits >> held) & 255);
    }
  }
  return bytes;
};
null;
"""


class Scripts:
    """An engine that has run some of the lesson's scripts, named as in the list of pages: ``headers/text``."""

    def __init__(self, names: Iterable[str]) -> None:
        self._engine = dukpy.JSInterpreter()
        self._engine.export_function("decoded", _decoded)
        self._engine.export_function("host_name", _host_name)
        self.run(_BROWSER)
        folder = resources.folder("reports") / "lesson" / "js"
        for name in names:
            self.run(f"{(folder / f'{name}.js').read_text(encoding='utf-8')}\nnull;")

    def run(self, code: str, **given: object) -> Any:
        """What a piece of code gives, as JSON; the values ``given`` are properties of ``dukpy`` in it."""
        return self._engine.evaljs(code, **given)

    def ask(self, call: str, values: list[Any]) -> list[Any]:
        """What a call gives for each ``value``; as JSON both ways, so that halves of characters get through."""
        given = json.dumps(json.dumps(values))
        answered: list[Any] = json.loads(
            self.run(f"JSON.stringify(JSON.parse({given}).map((value) => {call}))")
        )
        return answered


def _decoded(data: str, label: str, fatal: bool) -> str | None:
    try:
        return data.encode("latin-1").decode(WEB.get(label, label), "strict" if fatal else "replace")
    except (LookupError, ValueError):
        return None


def _host_name(address: str) -> str | None:
    host = address.partition(":")[2]
    try:
        return idna.encode(host, uts46=True).decode() if host else None
    except (idna.IDNAError, UnicodeError):
        return None

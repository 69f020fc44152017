/* Strings and bytes for the scripts about messages. A message is a "byte string": one character, U+0000 to U+00FF, a byte. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const encoder = new TextEncoder();
  const LONGEST_SHOWN = 60;
  const LONGEST_QUOTE = 60;

  /** The UTF-8 of a text as a byte string. */
  function utf8(text) {
    return fromBytes(encoder.encode(text));
  }

  /** Bytes as a byte string; in pieces, because a call takes only so many arguments. */
  function fromBytes(bytes) {
    const pieces = [];
    for (let start = 0; start < bytes.length; start += 8192) {
      pieces.push(String.fromCharCode(...bytes.subarray(start, start + 8192)));
    }
    return pieces.join("");
  }

  /** The bytes of a text file without its byte order mark; one in UTF-16 becomes UTF-8. */
  function withoutMark(bytes) {
    const wide = { "\xff\xfe": "utf-16le", "\xfe\xff": "utf-16be" }[bytes.slice(0, 2)];
    if (!wide || bytes.length < 3) return bytes.startsWith("\xef\xbb\xbf") ? bytes.slice(3) : bytes;
    try {
      return utf8(new TextDecoder(wide, { fatal: true, ignoreBOM: true }).decode(toBytes(bytes.slice(2))));
    } catch {
      return bytes;
    }
  }

  function toBytes(text) {
    return Uint8Array.from(text, (char) => char.charCodeAt(0));
  }

  /** How many bytes of UTF-8 a code point takes. */
  function width(char) {
    const code = char.codePointAt(0);
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }

  const hex = (code, digits = 2) => code.toString(16).padStart(digits, "0");
  const HEX = (code, digits = 2) => hex(code, digits).toUpperCase();
  const codePoint = (char) => `U+${HEX(char.codePointAt(0), 4)}`;

  /** A byte string for a sentence: escaped to printable ASCII, and cut. */
  function shown(text) {
    const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    const safe = text.replace(/[^ -[\]-~]/g, (char) => short[char] || `\\x${hex(char.charCodeAt(0))}`);
    return safe.length <= LONGEST_SHOWN ? safe : `${safe.slice(0, LONGEST_SHOWN - 3)}...`;
  }

  /** Typed text for a sentence, cut by characters. */
  function brief(text, most = LONGEST_QUOTE) {
    const chars = Array.from(text);
    return chars.length <= most ? text : `${chars.slice(0, most - 1).join("")}…`;
  }

  /** A sentence with its braces filled. */
  function fill(sentence, values) {
    return sentence.replace(/\{([a-z]+)\}/g, (_, name) => String(values[name]));
  }

  /** Lower case as header fields compare it: of ASCII alone. */
  function lower(text) {
    return text.replace(/[A-Z]+/g, (found) => found.toLowerCase());
  }

  /** Python's str.strip for byte strings: white space includes the four information separators. */
  function strip(text) {
    return text.replace(/^[\t-\r\x1c-\x20]+/, "").replace(/[\t-\r\x1c-\x20]+$/, "");
  }

  function trimSpaces(text) {
    let start = 0, end = text.length;
    while (start < end && text[start] === " ") start += 1;
    while (end > start && text[end - 1] === " ") end -= 1;
    return text.slice(start, end);
  }

  smtplab.text = { utf8, fromBytes, toBytes, width, HEX, hex, codePoint, shown, brief, fill, lower, strip, trimSpaces, withoutMark };
})();

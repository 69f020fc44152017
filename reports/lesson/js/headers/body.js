/* Makes bytes of a body's text (RFC 2045 section 6). */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { utf8, HEX, codePoint } = smtplab.text;
  const { Refused } = smtplab.typed;
  const LONGEST_LINE = 998;
  const LONGEST_SHOWN = 78;
  const LONGEST_ENCODED = 76;
  const PLAIN = /^[\t\n -~]*$/;
  const ASCII = /^[\x00-\x7f]*$/;
  const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/;

  /** `text` in UTF-8 and `encoding`, or for "automatic" in the plainest that does: {data, encoding}. Throws Refused. */
  function encodeBody(typed, wanted) {
    let text = typed.replace(/\r\n|\r|\n/g, "\n");
    if (text && !text.endsWith("\n")) text += "\n";
    const encoding = wanted === "automatic" ? plainest(text) : wanted;
    if (encoding === "base64") return { data: base64(text), encoding };
    if (encoding === "quoted-printable") return { data: quotedPrintable(text), encoding };
    refuse(`not-${encoding}`, encoding === "7bit" ? not7bit(text) : not8bit(text));
    return { data: utf8(text.replace(/\n/g, "\r\n")), encoding };
  }

  function plainest(text) {
    const risky = (line) => line.startsWith("From ") || /[ \t]$/.test(line) || line.length > LONGEST_SHOWN;
    if (PLAIN.test(text) && !text.split("\n").some(risky)) return "7bit";
    let escaped = 0, count = 0;
    for (const char of text) {
      count += 1;
      if (char !== "\n" && quotedChar(char).length > 1) escaped += 1;
    }
    return 3 * escaped <= count ? "quoted-printable" : "base64";
  }

  function refuse(rule, what) {
    if (what) throw new Refused(rule, { what });
  }

  function not7bit(text) {
    return ASCII.test(text) ? not8bit(text) : "it holds characters beyond ASCII";
  }

  function not8bit(text) {
    const control = CONTROL.exec(text);
    if (control) return `it holds the control character ${codePoint(control[0])}`;
    const longest = text.split("\n").reduce((most, line) => Math.max(most, utf8(line).length), 0);
    return longest > LONGEST_LINE ? `a line has ${longest} bytes, and ${LONGEST_LINE} is the most` : "";
  }

  function base64(text) {
    const data = btoa(utf8(text.replace(/\n/g, "\r\n")));
    return data.replace(new RegExp(`.{1,${LONGEST_ENCODED}}`, "g"), "$&\r\n");
  }

  function quotedPrintable(text) {
    return text.split("\n").slice(0, -1).map((line) => `${quotedLine(line)}\r\n`).join("");
  }

  /** A line with soft breaks (RFC 2045 section 6.7 (5)), none of them inside a character. */
  function quotedLine(line) {
    const pieces = Array.from(line, quotedChar);
    if (line.startsWith("From ") || line === ".") pieces[0] = `=${HEX(line.charCodeAt(0))}`;
    if (/[ \t]$/.test(line)) pieces[pieces.length - 1] = `=${HEX(line.charCodeAt(line.length - 1))}`;
    const rows = [];
    let row = "";
    pieces.forEach((piece, place) => {
      // The sign of a soft break needs a place itself, except at the end.
      const room = place === pieces.length - 1 ? LONGEST_ENCODED : LONGEST_ENCODED - 1;
      if (row.length + piece.length > room) {
        rows.push(`${row}=`);
        row = "";
      }
      row += piece;
    });
    return [...rows, row].join("\r\n");
  }

  function quotedChar(char) {
    if (char !== "=" && ((char >= " " && char <= "~" && char.length === 1) || char === "\t")) return char;
    return Array.from(utf8(char), (byte) => `=${HEX(byte.charCodeAt(0))}`).join("");
  }

  smtplab.body = { encodeBody };
})();

/* Encoded words in header fields (RFC 2047): their form, their place and what they decode to. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { lower, toBytes } = smtplab.text;
  const { SPACES, ENCODED_WORD, ONLY_ENCODED_WORD, at, attempt, tokens, withoutComments } = smtplab.lexer;
  const LONGEST = 75;
  const OF_LIBRARIES = 78;
  const PARTING = /[()<>@,;:\\"[\]]/;
  const START = new RegExp(`=\\?[^?=${SPACES}]+\\?[^?${SPACES}]?\\?`, "g");
  const WORD = new RegExp(`=\\?([^?${SPACES}]+)\\?([^?${SPACES}])\\?([^?${SPACES}]*)\\?=`, "y");
  const Q = /^(?:[!-<>@-~]|=[0-9A-Fa-f]{2})*$/;
  const B = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
  const compiled = new Map();
  let charsets = { forms: {}, patterns: {}, controls: [] };

  /** Take over the table of charsets: forms by name, patterns by form, forms whose control characters encode. */
  function useCharsets(table) {
    charsets = table;
    compiled.clear();
  }

  const knownCharset = (name) => Object.prototype.hasOwnProperty.call(charsets.forms, lower(name));

  /** Whether the bytes are whole characters of a known charset. */
  function fits(data, charset) {
    const form = charsets.forms[lower(charset)];
    // A few thousand characters at a time: one pattern over all of a long text would need too much of a stack.
    if (!compiled.has(form)) compiled.set(form, new RegExp(`(?:${charsets.patterns[form]}){1,4000}`, "y"));
    let position = 0;
    while (position < data.length) {
      const found = at(compiled.get(form), data, position);
      if (!found) return false;
      position += found[0].length;
    }
    return true;
  }

  function hidesControl(data, charset) {
    return !charsets.controls.includes(charsets.forms[lower(charset)]) && CONTROL.test(data);
  }

  function checkText(field, report) {
    checkWords(field, " \t\r\n", report);
  }

  /** Hold the encoded words of an address field, whose display names may hold some, against RFC 2047. */
  function checkPhrases(field, report) {
    const found = attempt(() => tokens(field.text), () => null);
    if (!found) return;
    if (found.some((token) => ["quoted", "literal"].includes(token.kind) && ENCODED_WORD.test(token.text))) {
      report.add("encoded-word-place", field.offset, field.name, { where: "a quoted string" });
      return;
    }
    for (let place = 0; place < found.length; place += 1) {
      const beside = [found[place - 1], found[place + 1]].some((token) => token && token.kind === "@");
      if (beside && ONLY_ENCODED_WORD.test(found[place].text)) {
        report.add("encoded-word-place", field.offset, field.name, { where: "an address" });
        return;
      }
      const word = at(WORD, found[place].text, 0);
      const whole = word && word[0] === found[place].text && "qQ".includes(word[2]);
      const sign = whole && PARTING.exec(word[3]);
      if (sign) {
        const code = smtplab.text.hex(sign[0].charCodeAt(0)).toUpperCase();
        report.add("encoded-word-phrase", field.offset, field.name, { sign: sign[0], code });
        return;
      }
    }
    checkWords(field, " \t\r\n()", report);
  }

  /** Report encoded words in a structured field that has no phrases; comments may hold some. */
  function checkAbsent(field, report) {
    const plain = attempt(() => withoutComments(field.text), () => null);
    if (plain !== null && ENCODED_WORD.test(plain)) {
      report.add("encoded-word-place", field.offset, field.name, { where: "a structured field" });
    }
  }

  function checkWords(field, apart, report) {
    const told = new Set();
    const text = field.text;
    let position = 0;
    for (;;) {
      START.lastIndex = position;
      const start = START.exec(text);
      if (!start) return;
      const found = at(WORD, text, start.index);
      const [rule, values] = wrong(text, start, found, apart);
      if (rule && !told.has(rule)) {
        told.add(rule);
        report.add(rule, field.offset, field.name, values);
      }
      position = start.index + (found || start)[0].length;
    }
  }

  function wrong(text, start, found, apart) {
    if (!found) {
      const shown = text.slice(start.index, start.index + 40);
      return ["encoded-word-syntax", { text: shown, what: "it has no end, or a space or '?' inside" }];
    }
    const before = text.slice(Math.max(0, found.index - 1), found.index);
    const after = text[found.index + found[0].length] || "";
    if ((before && !apart.includes(before)) || (after && !apart.includes(after))) return ["encoded-word-joined", {}];
    const { length } = found[0];
    if (length > OF_LIBRARIES) return ["encoded-word-length", { length }];
    const charset = found[1].split("*")[0];
    if (!knownCharset(charset)) return ["charset-unknown", { text: charset }];
    const data = decode(found[2], found[3]);
    if (data.fault) return ["encoded-word-syntax", { text: found[0], what: data.fault }];
    if (!fits(data.bytes, charset)) return ["encoded-word-charset", { charset }];
    if (hidesControl(data.bytes, charset)) return ["encoded-word-control", {}];
    return length > LONGEST ? ["encoded-word-limit", { length }] : ["", {}];
  }

  /** The bytes of an encoded word, or what is wrong with it. */
  function decode(encoding, text) {
    if ("qQ".includes(encoding)) {
      if (!Q.test(text)) return { fault: "'=' must be followed by two hexadecimal digits" };
      return { bytes: fromQ(text) };
    }
    if ("bB".includes(encoding)) return B.test(text) ? { bytes: atob(text) } : { fault: "the text is not base64" };
    return { fault: `the encoding is ${encoding}, neither Q nor B` };
  }

  function fromQ(text) {
    return text.replace(/_/g, " ").replace(/=([0-9A-Fa-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  }

  /** Bytes as readable text; what no charset explains stands as \xNN. */
  function readable(bytes, charset) {
    try {
      return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(toBytes(bytes));
    } catch {
      return bytes.replace(/[\x80-\xff]/g, (char) => `\\x${smtplab.text.hex(char.charCodeAt(0))}`);
    }
  }

  const PAIR = new RegExp(`(=\\?[^?${SPACES}]+\\?[^?${SPACES}]\\?[^?${SPACES}]*\\?=)[${SPACES}]+(?==\\?[^?${SPACES}]+\\?[bBqQ]\\?[^?${SPACES}]*\\?=)`, "g");
  const EACH = new RegExp(`=\\?([^?${SPACES}]+)\\?([bBqQ])\\?([^?${SPACES}]*)\\?=`, "g");

  /** A field's text as a reader sees it (RFC 2047 section 6.2). Words that break the form stay as they are. */
  function decodeWords(text) {
    let plain = "", last = 0;
    const source = text.replace(PAIR, "$1");
    for (const found of source.matchAll(EACH)) {
      const charset = lower(found[1].split("*")[0]);
      const data = knownCharset(charset) ? decode(found[2], found[3]) : { fault: "unknown charset" };
      plain += readable(source.slice(last, found.index), "utf-8");
      plain += data.fault ? readable(found[0], "utf-8") : readable(data.bytes, charset === "iso646-us" ? "us-ascii" : charset);
      last = found.index + found[0].length;
    }
    return plain + readable(source.slice(last), "utf-8");
  }

  smtplab.words = { checkAbsent, checkPhrases, checkText, decodeWords, fits, knownCharset, readable, useCharsets };
})();

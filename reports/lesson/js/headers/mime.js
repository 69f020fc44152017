/* The rules of MIME: that a body is what its Content-Type and Content-Transfer-Encoding say it is (RFC 2045, 2046, 2231). */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { HEX, lower, strip } = smtplab.text;
  const { SPACES, Malformed, at, attempt, withoutComments } = smtplab.lexer;
  const { parse, unended } = smtplab.parse;
  const { fits, knownCharset } = smtplab.words;
  const DEEPEST = 20;
  const MOST_PARTS = 500;
  const LONGEST_ENCODED_LINE = 76;
  const MIME_FIELDS = ["content-type", "content-transfer-encoding"];
  const ENCODINGS = ["7bit", "8bit", "binary", "quoted-printable", "base64"];
  const NO_TOKEN = `()<>@,;:\\\\"/\\[\\]?=\\x00-\\x1f\\x7f${SPACES}`;
  const WORD = `[^${NO_TOKEN}]+`;
  const TOKEN = new RegExp(`^${WORD}$`);
  const TYPE = new RegExp(`[${SPACES}]*(${WORD})[${SPACES}]*/[${SPACES}]*(${WORD})[${SPACES}]*`, "y");
  const PARAMETER = new RegExp(
    `;[${SPACES}]*(${WORD})[${SPACES}]*=[${SPACES}]*(?:(${WORD})|"([^"\\\\]*(?:\\\\[^][^"\\\\]*)*)")[${SPACES}]*`, "y");
  const SECTION = /^([^]+?)(?:\*([0-9]{1,3}))?(\*)?$/;
  const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]*$/;
  const EIGHT_BIT = /[\x80-\xff]/;
  const QP_LINE = /^(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?$/;
  const PLAIN = { name: "text/plain", main: "text", parameters: {} };
  const RFC822 = { name: "message/rfc822", main: "message", parameters: {} };
  const byte = (found) => `0x${HEX(found[0].charCodeAt(0))}`;

  /** The type and parameters in a field's body: {name, main, parameters}. Throws Malformed. */
  function parseContentType(text) {
    const plain = withoutComments(text);
    const found = at(TYPE, plain, 0);
    if (!found) throw new Malformed("no type/subtype begins it", 0);
    const parameters = new Map();
    let position = found[0].length;
    while (position < plain.length) {
      const parameter = at(PARAMETER, plain, position);
      if (!parameter) throw new Malformed(parameterFault(plain.slice(position)), position);
      const key = lower(parameter[1]);
      if (parameters.has(key)) throw new Malformed(`the parameter ${key} stands twice`, position);
      parameters.set(key, parameter[2] || (parameter[3] || "").replace(/\\([^])/g, "$1"));
      position += parameter[0].length;
    }
    return { name: lower(`${found[1]}/${found[2]}`), main: lower(found[1]), parameters: joined(parameters) };
  }

  function parameterFault(rest) {
    if (!rest.startsWith(";")) return "a semicolon is missing before a parameter";
    if (!strip(rest.slice(1))) return "nothing stands behind the last semicolon";
    const equals = rest.indexOf("=", 1);
    if (equals < 0 || !strip(rest.slice(1, equals))) return "a parameter has no name=value";
    return strip(rest.slice(equals + 1))[0] === '"'
      ? "a quotation mark is not closed" : "a parameter's value needs quotation marks";
  }

  /** Parameters in sections put together, and extended ones decoded (RFC 2231 sections 3 and 4). */
  function joined(parameters) {
    const sections = new Map(), values = {};
    for (const [key, value] of parameters) {
      const found = SECTION.exec(key);
      if (!found || (found[2] === undefined && found[3] === undefined)) {
        values[key] = value;
        continue;
      }
      const place = Number(found[2] || 0);
      const text = found[3] ? decoded(value, place === 0) : value;
      if (!sections.has(found[1])) sections.set(found[1], []);
      sections.get(found[1]).push([place, text]);
    }
    for (const [key, found] of sections) {
      found.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
      values[key] = found.map(([, text]) => text).join("");
    }
    return values;
  }

  function decoded(value, first) {
    const text = first ? value.replace(/[^']*'[^']*'/, "") : value;
    return text.replace(/%([0-9A-Fa-f]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  }

  function boundaryFault(boundary) {
    if (boundary.length > 70) return "is longer than 70 characters";
    if (boundary.endsWith(" ")) return "ends with a space";
    return BOUNDARY.test(boundary) ? "" : "holds a character that no boundary may have";
  }

  /** Hold a message's MIME fields and all its parts against the rules. */
  function checkMime(message, report) {
    const version = message.first("mime-version");
    const described = message.fields.find((field) => MIME_FIELDS.includes(field.key));
    if (version) {
      const plain = attempt(() => withoutComments(version.text), () => "").replace(new RegExp(`[${SPACES}]+`, "g"), "");
      if (plain !== "1.0") report.add("mime-version-value", version.offset, "MIME-Version", { text: strip(version.text) });
    } else if (described) {
      report.add("mime-version-missing", described.offset, described.name);
    }
    new Checker(report).check(message, 0, PLAIN);
  }

  /** Walks a message's parts, at most MOST_PARTS of them and DEEPEST deep. */
  class Checker {
    constructor(report) {
      this.report = report;
      this.parts = 0;
    }

    check(part, depth, byDefault) {
      this.parts += 1;
      if (depth > DEEPEST || this.parts > MOST_PARTS) {
        if (!this.report.faults.some((fault) => fault.rule === "mime-nesting")) this.report.add("mime-nesting", part.offset);
        return;
      }
      const type = this.type(part, byDefault);
      const encoding = this.encoding(part);
      if (type === null || encoding === null) return;
      const encoded = ["quoted-printable", "base64"].includes(encoding);
      const composite = type.main === "multipart" || type.name === "message/rfc822" ||
        (type.name === "message/global" && !encoded);
      if (composite) this.composite(part, type, encoding, depth);
      else this.leaf(part, type, encoding);
    }

    type(part, byDefault) {
      const field = part.first("content-type");
      if (!field) return byDefault;
      return attempt(() => parseContentType(field.text), (error) => {
        this.report.add("content-type-syntax", field.offset, field.name, { text: strip(field.text), what: error.what });
        return null;
      });
    }

    encoding(part) {
      const field = part.first("content-transfer-encoding");
      if (!field) return "";
      const name = lower(strip(attempt(() => withoutComments(field.text), () => "")));
      if (!ENCODINGS.includes(name) && !(name.startsWith("x-") && TOKEN.test(name))) {
        this.report.add("encoding-unknown", field.offset, field.name, { text: strip(field.text) });
        return null;
      }
      if (name === "binary") this.report.add("encoding-binary", field.offset, field.name);
      return name;
    }

    composite(part, type, encoding, depth) {
      if (["quoted-printable", "base64"].includes(encoding)) {
        this.report.add("encoding-composite", part.offset, "Content-Type", { type: type.name, encoding });
        return;
      }
      const before = this.report.faults.length;
      if (type.main === "multipart") this.multipart(part, type, depth);
      else this.check(parse(part.body, this.report, part.bodyOffset), depth + 1, PLAIN);
      const told = this.report.faults.slice(before).some((one) => ["body-8bit", "multipart-8bit"].includes(one.rule));
      const eight = EIGHT_BIT.exec(part.body);
      if (eight && ["", "7bit"].includes(encoding) && !told) {
        this.report.add("multipart-8bit", part.bodyOffset + eight.index, "", { type: type.name });
      }
    }

    multipart(part, type, depth) {
      const boundary = type.parameters.boundary || "";
      if (!boundary) {
        this.report.add("boundary-missing", part.offset, "Content-Type", { type: type.name });
        return;
      }
      const fault = boundaryFault(boundary);
      if (fault) {
        this.report.add("boundary-syntax", part.offset, "Content-Type", { text: boundary, what: fault });
        return;
      }
      const escaped = boundary.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
      const found = [...part.body.matchAll(new RegExp(`(?:^|(?<=\\n))--${escaped}(--)?[ \\t]*(?:\\r?\\n|$)`, "g"))];
      if (!found.length || found[0][1]) {
        this.report.add("boundary-absent", part.offset, "Content-Type", { text: boundary });
        return;
      }
      const byDefault = type.name === "multipart/digest" ? RFC822 : PLAIN;
      for (let place = 0; place < found.length; place += 1) {
        if (found[place][1]) return;
        const start = found[place].index + found[place][0].length;
        const end = place + 1 < found.length ? found[place + 1].index : part.body.length;
        // The line end before a delimiter belongs to the delimiter.
        const data = part.body.slice(start, Math.max(start, end)).replace(/\n$/, "").replace(/\r$/, "");
        this.check(parse(data, this.report, part.bodyOffset + start), depth + 1, byDefault);
      }
      this.report.add("boundary-unclosed", part.offset, "Content-Type", { text: boundary });
    }

    leaf(part, type, encoding) {
      const eight = ["", "7bit"].includes(encoding) && EIGHT_BIT.exec(part.body);
      if (eight) {
        const values = { byte: byte(eight), default: encoding ? "" : " (the default)" };
        this.report.add("body-8bit", part.bodyOffset + eight.index, "", values);
        return;
      }
      const decode = { base64: fromBase64, "quoted-printable": fromQuotedPrintable }[encoding];
      const data = decode ? decode(part, this.report) : part.body;
      if (data !== null && type.main === "text") this.charset(part, type, data);
    }

    charset(part, type, data) {
      const charset = type.parameters.charset;
      if (charset === undefined) {
        if (EIGHT_BIT.test(data)) this.report.add("charset-missing", part.bodyOffset);
      } else if (!knownCharset(charset)) {
        this.report.add("charset-unknown", part.offset, "Content-Type", { text: charset });
      } else if (!fits(data, charset)) {
        this.report.add("charset-mismatch", part.bodyOffset, "", { charset });
      }
    }
  }

  /** The body decoded; null after a fault (RFC 2045 section 6.8). */
  function fromBase64(part, report) {
    const strange = /[^A-Za-z0-9+/=\r\n]/.exec(part.body);
    if (strange) {
      report.add("base64-broken", part.bodyOffset + strange.index, "", { what: `it holds the byte ${byte(strange)}` });
      return null;
    }
    checkLengths(part, "base64", report);
    const text = part.body.replace(/[\r\n]+/g, "");
    const what = base64Fault(text);
    if (what) {
      report.add("base64-broken", part.bodyOffset, "", { what });
      return null;
    }
    return atob(text);
  }

  function base64Fault(text) {
    const plain = text.replace(/=+$/, "");
    if (plain.includes("=")) return "it goes on behind the = that ends it";
    if (text.length % 4 || text.length - plain.length > 2) return "its letters and signs do not come out even at four";
    return "";
  }

  /** The body decoded; null after a fault (RFC 2045 section 6.7). */
  function fromQuotedPrintable(part, report) {
    let position = part.bodyOffset;
    for (const line of part.body.split("\n")) {
      const what = quotedPrintableFault(unended(line));
      if (what) {
        report.add("quoted-printable-broken", position, "", { what });
        return null;
      }
      position += line.length + 1;
    }
    checkLengths(part, "quoted-printable", report);
    return part.body.replace(/=\r?\n|=$/g, "")
      .replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  }

  function quotedPrintableFault(line) {
    if (/[ \t]$/.test(line)) return "a line ends with white space, which gets lost on the way";
    if (QP_LINE.test(line)) return "";
    const eight = EIGHT_BIT.exec(line);
    if (eight) return `it holds the byte ${byte(eight)}`;
    return "'=' must be followed by two capital hexadecimal digits or the end of the line";
  }

  function checkLengths(part, encoding, report) {
    let position = part.bodyOffset;
    for (const line of part.body.split("\n")) {
      const length = unended(line).length;
      if (length > LONGEST_ENCODED_LINE) {
        report.add("encoded-line-length", position, "", { encoding, length });
        return;
      }
      position += line.length + 1;
    }
  }

  smtplab.mime = { checkMime, parseContentType };
})();

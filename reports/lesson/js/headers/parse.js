/* Takes a message apart into header fields and body, and gathers the faults that are found. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { fill, lower, shown } = smtplab.text;
  const { at } = smtplab.lexer;
  const FIELD = /([^\x00-\x20:]+)([ \t]*):/y;
  const NAME = /^[!-9;-~]+$/;

  /** Gathers the faults of one message. `rules` holds each rule's severity, reference and sentence. */
  class Report {
    constructor(raw, rules) {
      this.rules = rules;
      this.faults = [];
      this.starts = [0];
      for (let place = raw.indexOf("\n"); place >= 0; place = raw.indexOf("\n", place + 1)) this.starts.push(place + 1);
    }

    /** Note that `rule` is broken at `offset`. `values` fill the braces of its sentence. */
    add(rule, offset, name = "", values = {}) {
      const { severity, reference, sentence } = this.rules[rule];
      const field = shown(name);
      const words = { field };
      for (const [key, value] of Object.entries(values)) words[key] = typeof value === "string" ? shown(value) : value;
      this.faults.push({ rule, severity, field, offset, line: this.line(offset), sentence: fill(sentence, words), reference });
    }

    line(offset) {
      let low = 0, high = this.starts.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.starts[middle] <= offset) low = middle + 1;
        else high = middle;
      }
      return low;
    }
  }

  /** A message, or a part of one: fields {name, key, text, offset}, body, and where both begin in the whole. */
  class Part {
    constructor(fields, body, offset, bodyOffset) {
      Object.assign(this, { fields, body, offset, bodyOffset });
    }

    all(key) {
      return this.fields.filter((field) => field.key === key);
    }

    first(key) {
      return this.fields.find((field) => field.key === key);
    }
  }

  const unended = (line) => line.replace(/\r$/, "");

  /** Each line as [beginning, text without its end]. A bare LF ends a line too. */
  function* lines(data) {
    let start = 0;
    while (start < data.length) {
      const newline = data.indexOf("\n", start);
      const end = newline < 0 ? data.length : newline;
      yield [start, unended(data.slice(start, end))];
      start = end + 1;
    }
  }

  /** `data` as fields and body (RFC 5322 section 2.1). `offset` is where it begins in the whole message. */
  function parse(data, report, offset = 0) {
    const fields = [];
    let pending = null, end = data.length, body = data.length;
    for (const [start, line] of lines(data)) {
      if (!line) {
        const newline = data.indexOf("\n", start);
        end = start;
        body = newline >= 0 ? newline + 1 : data.length;
        break;
      }
      if (line[0] === " " || line[0] === "\t") {
        continued(line, start + offset, pending, report);
        continue;
      }
      const found = at(FIELD, line, 0);
      if (!found && start === 0 && line.startsWith("From ")) {
        report.add("mbox-from", offset);
        continue;
      }
      if (!found) {
        report.add("missing-separator", start + offset, "", { text: line });
        end = body = start;
        break;
      }
      if (pending) fields.push(makeField(data, pending, start, offset));
      if (!NAME.test(found[1])) report.add("field-name", start + offset, "", { text: found[1] });
      else if (found[2]) report.add("space-before-colon", start + offset, found[1]);
      pending = { name: found[1], start, value: start + found[0].length };
    }
    if (pending) fields.push(makeField(data, pending, end, offset));
    return new Part(fields, data.slice(body), offset, body + offset);
  }

  function continued(line, offset, pending, report) {
    if (!pending) report.add("continuation-first", offset);
    else if (!/[^ \t]/.test(line)) report.add("fold-blank", offset, pending.name);
  }

  function makeField(data, pending, end, offset) {
    const text = data.slice(pending.value, end).replace(/\n$/, "").replace(/\r$/, "");
    const { name, start } = pending;
    return { name, key: lower(name), text: text.replace(/\r?\n(?=[ \t])/g, ""), offset: start + offset };
  }

  smtplab.parse = { Part, Report, lines, parse, unended };
})();

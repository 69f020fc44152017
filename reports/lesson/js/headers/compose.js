/* Fields as they were typed become a message, or complaints that say how to fix them. The twin of grader/lesson/composer. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { brief, codePoint, fill, shown, trimSpaces, utf8 } = smtplab.text;
  const { Field } = smtplab.folding;
  const { Refused, readAddresses, DOT_ATOM } = smtplab.typed;
  const { encodeBody } = smtplab.body;
  const { dateFault } = smtplab.dates;
  const REQUIRED = ["from", "date"];
  const LINE_BREAK = /[\n\r\x0b\x0c\x85\u2028\u2029]/;
  const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
  const HALF = /[\ud800-\udfff]/u;
  const HIDDEN = /[\xad\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff]/;
  const IDENTIFIER = new RegExp(`^<${DOT_ATOM}@(${DOT_ATOM}|\\[[!-Z^-~]*\\])>$`);
  const NOT_UNIQUE = /^(?:localhost(?:\.localdomain)?|local|\[127\..*\])$/i;
  const LIST_ID = /^([^<>]*)<([^<>]*)>$/;
  const LABELS = new RegExp(`^${DOT_ATOM}$`);
  const URLS = /^<[^<>]*>(?: *, *<[^<>]*>)*$/;
  const URL_FORM = /^(?:https:\/\/|mailto:)[!-;=?-~]+$/;
  const QUOTED = /^"(?:[^"\\]|\\.)*"$/;
  const LONGEST_IDENTIFIER = 250;
  const LONGEST_LIST_ID = 255;
  const LONGEST_URL = 900;
  const BODY_FIELDS = ["content-type", "content-transfer-encoding", "body"];

  /** The message that `values`, by the ids of the fields, make. `tables` holds fields, faults and rules. Throws nothing. */
  function compose(values, tables) {
    const work = new Work(values, tables);
    for (const field of tables.fields) if (!BODY_FIELDS.includes(field.id)) work.add(field);
    work.checkSenders();
    work.checkLists();
    work.addBody();
    return work.draft();
  }

  class Work {
    constructor(values, tables) {
      this.values = values;
      this.tables = tables;
      this.fields = [];
      this.complaints = [];
      this.people = {};
      this.body = null;
    }

    typed(id) {
      return trimSpaces(this.values[id] || "");
    }

    field(id) {
      return this.tables.fields.find((field) => field.id === id);
    }

    add(field) {
      const text = this.typed(field.id);
      if (!text) {
        if (REQUIRED.includes(field.id)) this.complain(field, "missing");
        return;
      }
      const line = new Field(field.label);
      if (!this.attempt(field, () => { checkCharacters(text); PUT[field.kind](this, field, line, text); })) return;
      const hidden = HIDDEN.exec(text);
      if (hidden) this.complain(field, "hidden", { code: codePoint(hidden[0]) });
      if (field.id !== "bcc") this.finish(field.label, line.lines, field.entry, line.notes);
    }

    finish(name, lines, entry, notes) {
      this.fields.push({ name, lines, entry, notes });
    }

    /** Whether a step succeeded; what it refuses becomes a complaint about the field. */
    attempt(field, step) {
      try {
        step();
      } catch (refused) {
        if (!(refused instanceof Refused)) throw refused;
        this.complain(field, refused.rule, refused.values);
        return false;
      }
      return true;
    }

    complain(field, rule, values = {}) {
      const known = this.tables.rules[rule] || this.tables.faults.find((fault) => fault.id === rule);
      const show = rule in this.tables.rules ? (text) => shown(utf8(text)) : (text) => brief(text);
      const words = { field: field.label };
      for (const [name, value] of Object.entries(values)) words[name] = typeof value === "string" ? show(value) : value;
      const { severity, reference } = known;
      this.complaints.push({ field: field.id, rule, severity, sentence: fill(known.sentence, words), reference });
    }

    checkSenders() {
      const authors = this.people.from || [], sender = this.people.sender || [];
      const field = this.field("sender");
      if (authors.length > 1 && !this.typed("sender")) this.complain(field, "sender-needed", { count: authors.length });
      if (authors.length === 1 && sender.length && sender[0].address === authors[0].address) {
        this.complain(field, "sender-repeats");
      }
      const failed = this.complaints.filter((one) => one.severity === "error").map((one) => one.field);
      if (!this.recipients().length && !["to", "cc", "bcc"].some((id) => failed.includes(id))) {
        this.complain(this.field("to"), "nobody");
      }
    }

    checkLists() {
      const field = this.field("list-unsubscribe-post");
      if (this.typed(field.id) && !/<https:\/\//.test(this.values["list-unsubscribe"] || "")) {
        this.complain(field, "one-click-https");
      }
    }

    addBody() {
      const [media, encoding] = BODY_FIELDS.slice(0, 2).map((id) => this.choice(this.field(id)));
      const text = this.values.body || "";
      const done = this.attempt(this.field("body"), () => {
        const half = HALF.exec(text);
        if (half) throw new Refused("half-character", { code: codePoint(half[0]) });
        this.body = encodeBody(text, encoding);
      });
      if (!done) return;
      if (this.body.encoding === "8bit" && /[\x80-\xff]/.test(this.body.data)) {
        this.complain(this.field("content-transfer-encoding"), "needs-8bitmime");
      }
      this.finish("MIME-Version", ["MIME-Version: 1.0"], "mime-version", []);
      this.finish("Content-Type", [`Content-Type: ${media}; charset=utf-8`], "content-type", []);
      const name = "Content-Transfer-Encoding";
      this.finish(name, [`${name}: ${this.body.encoding}`], "content-transfer-encoding", [this.body.encoding]);
    }

    draft() {
      const broken = this.complaints.some((one) => one.severity === "error");
      const first = (this.people.sender || this.people.from || [{ address: "" }])[0];
      let message = null;
      if (this.body && !broken) {
        const header = this.fields.flatMap((field) => field.lines).map((line) => `${line}\r\n`).join("");
        message = `${header}\r\n${this.body.data}`;
      }
      return {
        fields: this.fields, complaints: this.complaints, message,
        body_notes: this.body ? [this.body.encoding] : [],
        sender: first.address, recipients: this.recipients(),
      };
    }

    recipients() {
      const every = ["to", "cc", "bcc"].flatMap((id) => (this.people[id] || []).map((box) => box.address));
      return [...new Set(every)];
    }

    choice(field) {
      const value = this.typed(field.id) || field.choices[0];
      if (field.choices.includes(value)) return value;
      this.complain(field, "choice", { text: value });
      return field.choices[0];
    }
  }

  function checkCharacters(text) {
    if (LINE_BREAK.test(text)) throw new Refused("line-break");
    for (const [rule, pattern] of [["control", CONTROL], ["half-character", HALF]]) {
      const found = pattern.exec(text);
      if (found) throw new Refused(rule, { code: codePoint(found[0]) });
    }
  }

  function putDate(work, field, line, typed) {
    const text = typed.replace(/ +/g, " ");
    const fault = text.includes("(") ? ["date-syntax", { text }] : dateFault(text);
    if (fault) throw new Refused(...fault);
    line.put(text);
  }

  function putIdentifiers(work, field, line, text) {
    const found = text.split(" ").filter((piece) => piece);
    if (field.kind === "identifier" && found.length > 1) throw new Refused("identifier-many", { count: found.length });
    for (const piece of found) {
      const right = identifier(piece);
      line.put(piece);
      if (field.kind === "identifier" && NOT_UNIQUE.test(right)) work.complain(field, "identifier-local", { text: right });
    }
  }

  function identifier(piece) {
    if (piece.includes(",")) throw new Refused("identifier-comma");
    if (piece.includes("=?")) throw new Refused("encoded-place", { text: piece });
    const found = IDENTIFIER.exec(piece);
    if (!found) throw new Refused("identifier-form", { text: piece });
    if (piece.length > LONGEST_IDENTIFIER) {
      throw new Refused("too-long", { length: piece.length, most: LONGEST_IDENTIFIER });
    }
    return found[1];
  }

  function putAddresses(work, field, line, text) {
    const listed = readAddresses(text);
    if (field.kind !== "addresses" && listed.some((one) => one.mailboxes)) throw new Refused("group-refused");
    const boxes = listed.flatMap((one) => one.mailboxes || [one]);
    if (field.kind === "mailbox" && boxes.length !== 1) throw new Refused("one-mailbox", { count: boxes.length });
    listed.forEach((one, place) => putAddress(line, one, place + 1 < listed.length ? "," : ""));
    work.people[field.id] = boxes;
    const short = boxes.map((box) => box.address.slice(box.address.lastIndexOf("@") + 1))
      .find((domain) => !domain.includes(".") && !domain.startsWith("["));
    if (short !== undefined) work.complain(field, "domain-short", { text: short });
  }

  function putAddress(line, one, tail) {
    if (!one.mailboxes) {
      if (one.name) line.phrase(one.name);
      line.put((one.name ? `<${one.address}>` : one.address) + tail);
      return;
    }
    line.phrase(one.name, one.mailboxes.length ? ":" : `:;${tail}`);
    one.mailboxes.forEach((box, place) => putAddress(line, box, place + 1 < one.mailboxes.length ? "," : `;${tail}`));
  }

  function putListId(work, field, line, text) {
    const found = LIST_ID.exec(text);
    if (!found || !found[2].includes(".") || !LABELS.test(found[2])) throw new Refused("list-id-form", { text });
    if (found[2].includes("=?")) throw new Refused("encoded-place", { text: found[2] });
    if (found[2].length > LONGEST_LIST_ID) {
      throw new Refused("too-long", { length: found[2].length, most: LONGEST_LIST_ID });
    }
    let name = trimSpaces(found[1]);
    if (QUOTED.test(name)) name = trimSpaces(name.slice(1, -1).replace(/\\(.)/gu, "$1"));
    if (name) line.phrase(name);
    line.put(`<${found[2]}>`);
  }

  function putUrls(work, field, line, text) {
    if (!URLS.test(text)) throw new Refused("url-form", { text });
    const urls = Array.from(text.matchAll(/<([^<>]*)>/g), (found) => found[1]);
    urls.forEach((url, place) => {
      if (!URL_FORM.test(url)) throw new Refused("url-form", { text: url });
      if (url.length > LONGEST_URL) throw new Refused("too-long", { length: url.length, most: LONGEST_URL });
      line.put(`<${url}>${place + 1 < urls.length ? "," : ""}`);
    });
  }

  const PUT = {
    authors: putAddresses, mailbox: putAddresses, addresses: putAddresses, date: putDate,
    identifier: putIdentifiers, identifiers: putIdentifiers, "list-id": putListId, urls: putUrls,
    text: (work, field, line, text) => line.text(text),
    choice: (work, field, line, text) => {
      if (!field.choices.includes(text)) throw new Refused("choice", { text });
      line.put(text);
    },
  };

  smtplab.compose = compose;
})();

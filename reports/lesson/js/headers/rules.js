/* Whether a message keeps the rules of RFC 5322 and MIME: the twin of grader/formats/message, held to it by a test. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { HEX, strip } = smtplab.text;
  const { SPACES, ENCODED_WORD, at, attempt, commentEnd, withoutComments } = smtplab.lexer;
  const { Report, lines, parse } = smtplab.parse;
  const { parseAddresses } = smtplab.addresses;
  const { dateFault } = smtplab.dates;
  const words = smtplab.words;
  const { checkMime } = smtplab.mime;
  const LONGEST_LINE = 998;
  const LONGEST_COMFORTABLE_LINE = 78;
  const REQUIRED = ["Date", "From"];
  const SINGLE = [
    "Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject",
    "Return-Path", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-ID", "Content-Description",
    "Content-Disposition",
  ];
  const ADDRESSES = [
    "from", "sender", "reply-to", "to", "cc", "resent-from", "resent-sender", "resent-to", "resent-cc",
  ];
  const IDENTIFIERS = ["message-id", "in-reply-to", "references", "resent-message-id", "content-id"];
  const UNSTRUCTURED = ["subject", "comments", "content-description"];
  const STRUCTURED = [
    "date", "resent-date", "received", "message-id", "in-reply-to", "references", "mime-version", "content-type",
    "content-transfer-encoding", "content-disposition", "content-id",
  ];
  const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-\\x80-\\xff]+";
  const DOTTED = `${ATOM}(?:\\.${ATOM})*`;
  const IDENTIFIER = new RegExp(`<${DOTTED}@(?<right>${DOTTED}|\\[[^\\[\\]\\\\${SPACES}]*\\])>`, "y");
  const NOT_UNIQUE = /^(?:localhost(?:\.localdomain)?|local|\[127\..*\])$/i;

  /** What is wrong with a message, a byte string, in the order of the bytes. Throws nothing. */
  function checkMessage(raw, rules, smtputf8 = false) {
    const report = new Report(raw, rules);
    checkLines(raw, report);
    const message = parse(raw, report);
    checkCharacters(raw, message, report, smtputf8);
    checkPresence(message, report);
    for (const field of message.fields) checkField(field, report);
    checkAuthors(message, report);
    checkMime(message, report);
    return report.faults.sort((a, b) => a.offset - b.offset);
  }

  function checkField(field, report) {
    const key = field.key;
    if (ADDRESSES.includes(key)) {
      checkAddresses(field, report);
      words.checkPhrases(field, report);
    } else if (UNSTRUCTURED.includes(key)) {
      words.checkText(field, report);
    } else if (STRUCTURED.includes(key)) {
      words.checkAbsent(field, report);
    }
    if (key === "date" || key === "resent-date") checkDate(field.text, field, report);
    else if (key === "received") checkReceived(field, report);
    else if (IDENTIFIERS.includes(key)) checkIdentifiers(field, report);
  }

  function checkDate(text, field, report) {
    const fault = dateFault(text);
    if (fault) report.add(fault[0], field.offset, field.name, fault[1]);
  }

  function checkLines(raw, report) {
    for (const [rule, pattern] of [["bare-cr", /\r(?!\n)/g], ["bare-lf", /(?<!\r)\n/g], ["nul", /\x00/g]]) {
      let first = -1, count = 0;
      for (const found of raw.matchAll(pattern)) {
        if (!count) first = found.index;
        count += 1;
      }
      if (count) report.add(rule, first, "", { count });
    }
    const tooLong = [], long = [];
    for (const [start, line] of lines(raw)) {
      if (line.length > LONGEST_LINE) {
        tooLong.push([start, line.length]);
      } else if (line.length > LONGEST_COMFORTABLE_LINE) {
        // The shorter limit is about what a reader sees, so it counts characters.
        const characters = line.replace(/[\x80-\xbf]/g, "").length;
        if (characters > LONGEST_COMFORTABLE_LINE) long.push([start, characters]);
      }
    }
    for (const [rule, found] of [["line-too-long", tooLong], ["line-long", long]]) {
      if (found.length) report.add(rule, found[0][0], "", { length: found[0][1], count: found.length });
    }
  }

  function checkCharacters(raw, message, report, smtputf8) {
    const control = /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(raw.slice(0, message.bodyOffset));
    if (control) report.add("control-character", control.index, "", { code: `0x${HEX(control[0].charCodeAt(0))}` });
    for (const field of message.fields) {
      const eight = /[\x80-\xff]/.exec(field.text);
      if (!eight) continue;
      if (!smtputf8) {
        report.add("header-8bit", field.offset, field.name, { byte: `0x${HEX(eight[0].charCodeAt(0))}` });
      } else if (!words.fits(field.text, "utf-8")) {
        report.add("header-not-utf8", field.offset, field.name);
      }
    }
  }

  function checkPresence(message, report) {
    for (const name of REQUIRED) if (!message.first(name.toLowerCase())) report.add("missing-field", 0, name);
    if (!message.first("message-id")) report.add("missing-message-id", 0, "Message-ID");
    for (const name of SINGLE) {
      const same = message.all(name.toLowerCase());
      if (same.length > 1) report.add("repeated-field", same[1].offset, name, { count: same.length });
    }
    for (const bcc of [...message.all("bcc"), ...message.all("resent-bcc")]) {
      if (strip(bcc.text)) report.add("bcc-left", bcc.offset, bcc.name);
    }
    const resent = message.fields.find((field) => field.key.startsWith("resent-"));
    const missing = ["Resent-Date", "Resent-From"].find((name) => resent && !message.first(name.toLowerCase()));
    if (missing) report.add("resent-incomplete", resent.offset, resent.name, { missing });
  }

  function checkAuthors(message, report) {
    const author = message.first("from");
    if (!author || message.first("sender")) return;
    const found = attempt(() => parseAddresses(author.text), () => null);
    if (found && found.mailboxes.length > 1) {
      report.add("sender-missing", author.offset, "From", { count: found.mailboxes.length });
    }
  }

  function checkAddresses(field, report) {
    const found = attempt(() => parseAddresses(field.text), (error) => {
      const near = strip(field.text.slice(Math.max(0, error.position - 10), error.position + 20));
      report.add("address-syntax", field.offset, field.name, { what: error.what, text: near || strip(field.text) });
      return null;
    });
    if (!found) return;
    const dotted = found.mailboxes.find((mailbox) => mailbox.dotted);
    if (dotted) report.add("display-name-dot", field.offset, field.name, { text: dotted.name });
    const short = found.mailboxes.find(({ domain }) => !domain.includes(".") && !domain.startsWith("["));
    if (short) report.add("address-unqualified", field.offset, field.name, { text: short.domain });
    if (["sender", "resent-sender"].includes(field.key) && found.count !== 1) {
      report.add("one-address", field.offset, field.name, { count: found.count });
    } else if (["from", "sender", "resent-from", "resent-sender"].includes(field.key) && found.groups.length) {
      report.add("from-group", field.offset, field.name);
    }
  }

  function checkReceived(field, report) {
    const plain = attempt(() => withoutComments(field.text), () => field.text);
    const semicolon = plain.lastIndexOf(";");
    // Before the semicolon a comment is enough, as in qmail's own lines, or nothing (RFC 5322, erratum 3979).
    if (semicolon >= 0) checkDate(plain.slice(semicolon + 1), field, report);
    else report.add("received-syntax", field.offset, field.name);
  }

  function checkIdentifiers(field, report) {
    if (ENCODED_WORD.test(field.text)) return;
    let count = 0;
    for (const [text, right] of identifiers(field.text)) {
      if (right === null) {
        report.add("message-id-syntax", field.offset, field.name, { text, what: whatIsWrong(text) });
        return;
      }
      count += 1;
      if (NOT_UNIQUE.test(right) && field.key.endsWith("message-id")) {
        report.add("message-id-local", field.offset, field.name, { text: right });
      }
    }
    if (count === 0 || (count > 1 && !["in-reply-to", "references"].includes(field.key))) {
      const what = count === 0 ? "it is empty" : "it holds more than one identifier";
      report.add("message-id-syntax", field.offset, field.name, { text: strip(field.text), what });
    }
  }

  /** Each identifier's text and right side; null for the first that is none, which ends it. */
  function* identifiers(text) {
    let position = 0;
    while (position < text.length) {
      if (" \t\r\n".includes(text[position])) {
        position += 1;
        continue;
      }
      if (text[position] === "(") {
        const from = position;
        position = attempt(() => commentEnd(text, from), () => -1);
        if (position < 0) {
          yield [text.slice(from), null];
          return;
        }
        continue;
      }
      const found = at(IDENTIFIER, text, position);
      if (!found) {
        yield [strip(text.slice(position)), null];
        return;
      }
      yield [found[0], found.groups.right];
      position += found[0].length;
    }
  }

  function whatIsWrong(text) {
    if (!text.startsWith("<")) return "no angle bracket begins it";
    const end = text.indexOf(">");
    if (end < 0) return "no angle bracket ends it";
    const inside = text.slice(1, end);
    if (new RegExp(`[${SPACES}]`).test(inside)) return "it holds white space";
    if (inside.split("@").length !== 2) return "it needs exactly one @";
    return "a side of the @ is no row of words with single dots between them";
  }

  smtplab.rules = { checkMessage };
})();

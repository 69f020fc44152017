/* Received fields, whichever mail system wrote them. Twin of formats/message/received.py; the table of dialects is one. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { lower, trimSpaces } = smtplab.text;
  const { at, attempt, commentEnd } = smtplab.lexer;
  const { findMoment, readMoment, useDates } = smtplab.moments;
  const KEYWORDS = ["from", "by", "via", "with", "id", "for"];
  const LONGEST = 600;
  const PROTOCOL = /^(?:utf8)?(?:e?smtp|lmtp|https?|pop3|imap|qmqp|qmtp|mmdf|uucp|bsmtp|local)/i;
  const SECURE_PROTOCOL = /^(?:utf8)?(?:e?smtp|lmtp)sa?$/i;
  // Names of hosts, which may hold any word.
  const NAMES = new RegExp("^[^ ]+|\\b(?:by|[Hh][Ee][Ll][Oo]|[Ee][Hh][Ll][Oo])[= ]\\[?[^ ,;)\\]]+"
    + "|(?:[A-Za-z0-9_-]{1,63}\\.)+[A-Za-z]{2,63}(?![A-Za-z0-9_-])", "g");
  const SECURED = /TLS|SSL|[Cc]ipher|encrypted|E?SMTPS|STARTTLS|[Ss]ecur/;
  const IPV4 = /^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/;
  const MAPPED = /^::[Ff]{4}:([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/;
  const BY_ADDRESS = /[[(](?:IPv6:)?([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f]{0,4})[\])]/;
  // A second address in parentheses: the client may have written the first one into its greeting.
  const ANOTHER = / \([^()]{0,300}\[(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f.:]{3,45}\]\)/;
  const WORD = /(?:"[^"]*"|[^ \t\r\n();"]|")+/y;
  let taken = null, dialects = [], noNames = new Set();

  /** Take the table of dialects, whose patterns are Python's. */
  function useForms(table) {
    if (table === taken) return;
    taken = table;
    const shapes = {};
    for (const [name, shape] of Object.entries(table.shapes)) {
      shapes[name] = new RegExp(`^(?:${shape.replace(/\(\?P</g, "(?<")})(?![^ ,])`);
    }
    dialects = table.dialects.map((one) => ({ ...one, sign: new RegExp(one.mark), shapes: one.shapes.map((name) => shapes[name]) }));
    noNames = new Set(table.none);
    useDates(table);
  }

  function readReceived(text) {
    const items = itemsOf(text);
    const { body, tail, moment } = dated(text, items);
    const clauses = clausesOf(body, items.filter((item) => item.end <= body.length));
    const source = flat(clauseText(body, clauses, "from"));
    const rest = `${flat(clauses.from ? body.slice(clauses.from[1]) : body)}; ${flat(tail)}`;
    const { dialect, parts } = matched(source, rest);
    const name = nameOf(parts.name || ""), unsure = nameOf(parts.unsure || ""), address = addressOf(parts.address || "");
    let lookup = name ? "name" : "";
    if (!name && address && (unsure || "none" in parts || (dialect.unnamed && source))) lookup = "none";
    const words = Object.fromEntries(KEYWORDS.map((keyword) => [keyword, firstWord(body, clauses, keyword)]));
    const protocol = protocolOf(body, clauses);
    return {
      dialect: dialect.id, kind: dialect.kind, claimed: claimedBy(dialect, parts, source).replace(/\.+$/, ""), name,
      either: nameOf(parts.either || ""), address, lookup,
      by: words.by.replace(/[,.]+$/, "").replace(/^[<>]+/, "").replace(/[<>]+$/, ""), by_address: byAddress(body, clauses),
      protocol, id: bare(words.id || behind(tail, "id")), recipient: bare(words.for || behind(tail, "for")).split(">")[0],
      moment, tls: encrypted(dialect, protocol, `${source} ${rest}`),
    };
  }

  const bare = (word) => word.replace(/^[<>,]+/, "").replace(/[<>,]+$/, "");

  /** Words, comments and semicolons. A comment that is not closed goes to the end. */
  function itemsOf(text) {
    const items = [];
    let position = 0, closes = true;
    while (position < text.length) {
      const sign = text[position], start = position;
      if (sign === "(") {
        position = closes ? attempt(() => commentEnd(text, start), () => { closes = false; return text.length; }) : text.length;
        items.push({ kind: "(", word: text.slice(start, position), start, end: position });
      } else if (sign === ";") {
        position += 1;
        items.push({ kind: ";", word: sign, start, end: position });
      } else {
        const found = at(WORD, text, position);
        position += found ? found[0].length : 1;
        if (found) items.push({ kind: "word", word: found[0], start, end: position });
      }
    }
    return items;
  }

  function dated(text, items) {
    for (let place = items.length - 1; place >= 0; place -= 1) {
      const { kind, start, end } = items[place];
      if (kind === ";") return { body: text.slice(0, start), tail: text.slice(end), moment: readMoment(text.slice(end)) };
    }
    const place = findMoment(text);
    if (place === null) return { body: text, tail: "", moment: readMoment("") };
    return { body: text.slice(0, place), tail: text.slice(place), moment: readMoment(text.slice(place)) };
  }

  /** Where what belongs to each keyword begins and ends. A keyword right behind another is that one's value. */
  function clausesOf(body, items) {
    const begins = [], found = {};
    let expecting = false;
    for (const { kind, word, start, end } of items) {
      const keyword = lower(word);
      const fresh = kind === "word" && !expecting && KEYWORDS.includes(keyword) && !begins.some((one) => one.keyword === keyword);
      if (fresh) begins.push({ keyword, start, end });
      expecting = fresh;
    }
    begins.forEach(({ keyword, end }, place) => {
      found[keyword] = [end, place + 1 < begins.length ? begins[place + 1].start : body.length];
    });
    return found;
  }

  const clauseText = (body, clauses, keyword) => (clauses[keyword] ? body.slice(...clauses[keyword]) : "");
  const flat = (text) => trimSpaces(text.slice(0, 2 * LONGEST).replace(/[ \t\r\n]+/g, " ")).slice(0, LONGEST);

  /** What the client called itself; of a form that is not known the first word. */
  function claimedBy(dialect, parts, source) {
    if (dialect.id) return parts.claimed || "";
    return (/^[^ ()]{1,255}/.exec(source) || [""])[0];
  }

  function matched(source, rest) {
    for (const dialect of dialects) {
      if (!dialect.sign.test(rest)) continue;
      if (!source && dialect.mark) return { dialect, parts: {} };
      if (!source) continue;
      for (const shape of dialect.shapes) {
        const found = shape.exec(source);
        if (!found || ANOTHER.test(source.slice(found[0].length))) continue;
        const parts = {};
        for (const [name, part] of Object.entries(found.groups || {})) if (part !== undefined) parts[name] = part;
        return { dialect, parts };
      }
    }
    return { dialect: { id: "", kind: "hop", tls: false, unnamed: false }, parts: {} };
  }

  /** A host's name without the final dot of DNS. An address is never a name. */
  function nameOf(text) {
    const name = text.replace(/\.+$/, "");
    return noNames.has(lower(name)) || IPV4.test(name) || name.includes(":") ? "" : name;
  }

  function addressOf(text) {
    const plain = lower(text.slice(0, 5)) === "ipv6:" ? text.slice(5) : text;
    const mapped = MAPPED.exec(plain);
    return mapped ? mapped[1] : plain;
  }

  const wordsOf = (text) => itemsOf(text.slice(0, LONGEST)).filter((item) => item.kind === "word").map((item) => item.word);

  function firstWord(body, clauses, keyword) {
    return wordsOf(clauseText(body, clauses, keyword)).find((word) => ![",", "<", ">"].includes(word)) || "";
  }

  function byAddress(body, clauses) {
    const found = BY_ADDRESS.exec(clauseText(body, clauses, "by").slice(0, LONGEST));
    return found ? found[1] : "";
  }

  /** The protocol's word, or the words that stand in its place. */
  function protocolOf(body, clauses) {
    for (const keyword of ["with", "via"]) {
      const said = wordsOf(clauseText(body, clauses, keyword));
      if (!said.length) continue;
      if (said[0] === "Microsoft" || said[0].startsWith("[")) {
        return said.slice(0, 4).join(" ").replace(/^[[\]]+/, "").replace(/[[\]]+$/, "");
      }
      return said.find((word) => PROTOCOL.test(word)) || said.slice(0, 4).join(" ");
    }
    return "";
  }

  /** What some servers write behind the date. */
  function behind(tail, keyword) {
    const words = wordsOf(tail);
    const place = words.findIndex((word, index) => index + 1 < words.length && lower(word) === keyword);
    return place < 0 ? "" : words[place + 1];
  }

  function encrypted(dialect, protocol, line) {
    if (SECURED.test(line.replace(NAMES, "")) || SECURE_PROTOCOL.test(protocol)) return true;
    return dialect.tls && PROTOCOL.test(protocol) ? false : null;
  }

  smtplab.received = { readReceived, useForms };
})();

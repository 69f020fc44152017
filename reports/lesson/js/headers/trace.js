/* The way of a message: its Received fields as hops, the oldest first (RFC 5321 section 4.4). Twin of analyser/trace.py. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { fill, lower, trimSpaces } = smtplab.text;
  const { at, attempt, commentEnd } = smtplab.lexer;
  const { moment } = smtplab.dates;
  const { readable } = smtplab.words;
  const MOST_HOPS = 100;
  const SLOW = 300;
  const LONGEST_QUOTE = 80;
  const KEYWORDS = ["from", "by", "via", "with", "id", "for"];
  const ADDRESS = /\[(?:IPv6:)?([0-9A-Fa-f.:]{3,45})\]/;
  const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.[A-Za-z0-9-]+$/;
  const WORD = /(?:"[^"]*"|[^();" \t\r\n]|")+/y;
  const PRIVATE =
    /^(?:10\..*|127\..*|192\.168\..*|172\.(?:1[6-9]|2[0-9]|3[01])\..*|169\.254\..*|f[cd].*|fe80.*|::1)$/i;
  const SECOND_LEVEL = ["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"];
  const utf8 = (text) => readable(text, "utf-8");
  // White space of header fields; other kinds, of other alphabets, part nothing there.
  const trim = (text) => text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");

  /** A maker of findings in the words of the table; values of text are cut. */
  function maker(findings) {
    return (rule, values = {}, hop = 0) => {
      const { grave, sentence, reference, see } = findings.find((one) => one.id === rule);
      const words = { hop };
      for (const [name, value] of Object.entries(values)) {
        words[name] = typeof value === "string" ? smtplab.text.brief(value, LONGEST_QUOTE) : value;
      }
      return { rule, grave, sentence: fill(sentence, words), reference, see, hop };
    };
  }

  /** A span of time in the two largest units that say something. */
  function duration(seconds) {
    let left = Math.abs(seconds);
    const parts = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
      if (left < size) continue;
      parts.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
    return parts.slice(0, 2).join(" ") || "0 s";
  }

  /** The domain that an organisation registered, as far as the name alone shows it; DMARC asks DNS instead. */
  function organisation(domain) {
    const labels = lower(domain).replace(/\.+$/, "").split(".").filter((label) => label);
    const [second, top] = labels.slice(-2);
    const keep = labels.length > 2 && top.length === 2 && SECOND_LEVEL.includes(second) ? 3 : 2;
    return labels.slice(-keep).join(".");
  }

  const related = (one, other) => Boolean(one) && Boolean(other) && organisation(one) === organisation(other);

  function readHops(fields, written) {
    const received = fields.filter((field) => field.key === "received").slice(0, MOST_HOPS).reverse();
    let before = written;
    return received.map((field, place) => {
      const hop = makeHop(place + 1, field, before);
      if (hop.time !== null) before = hop.time;
      return hop;
    });
  }

  function makeHop(number, field, before) {
    const { words, comments, date } = split(utf8(field.text));
    const said = Object.fromEntries(KEYWORDS.map((keyword) => [keyword, words[keyword] || ""]));
    const comment = comments.from || "";
    const found = ADDRESS.exec(`${said.from} ${comment}`);
    const first = comment.replace(/^[ (]+/, "").replace(/[ (]+$/, "").split(" ")[0];
    const time = moment(date);
    return {
      number, source: said.from, host: HOST.test(first) ? first : "", address: found ? found[1] : "",
      private: Boolean(found && PRIVATE.test(found[1])), by: said.by, protocol: said.with, id: said.id,
      recipient: said.for, date, time, delay: time !== null && before !== null ? time - before : null,
      offset: field.offset,
    };
  }

  function split(text) {
    const items = [...itemsOf(text)];
    let last = items.length;
    for (let place = items.length - 1; place >= 0 && last === items.length; place -= 1) {
      if (items[place].kind === ";") last = place;
    }
    const date = last < items.length ? trim(text.slice(items[last].position + 1)) : "";
    const words = {}, comments = {};
    let keyword = "", expecting = false;
    for (const { kind, word } of items.slice(0, last)) {
      const name = lower(word);
      if (kind === "(") {
        comments[keyword] = trim(`${comments[keyword] || ""} ${word}`);
      } else if (kind === "word" && !expecting && KEYWORDS.includes(name) && !(name in words)) {
        keyword = name;
        expecting = true;
      } else if (kind === "word" && expecting) {
        words[keyword] = word;
        expecting = false;
      }
    }
    return { words, comments, date };
  }

  function* itemsOf(text) {
    let position = 0;
    while (position < text.length) {
      const sign = text[position];
      if (sign === "(") {
        const start = position;
        position = attempt(() => commentEnd(text, start), () => text.length);
        const word = trimSpaces(text.slice(start, position).replace(/^\(/, "").replace(/\)$/, ""));
        yield { kind: "(", word, position: start };
      } else if (sign === ";") {
        yield { kind: ";", word: sign, position };
        position += 1;
      } else {
        const found = at(WORD, text, position);
        if (found) yield { kind: "word", word: found[0], position };
        position += found ? found[0].length : 1;
      }
    }
  }

  /** What the hops themselves show. `total` is how many Received fields there are. */
  function* hopFindings(hops, total, written, make) {
    if (!hops.length) yield make("no-hops");
    if (total > hops.length) yield make("too-many-hops", { count: total, shown: hops.length });
    if (hops.length && written !== null && hops[0].delay !== null) {
      const time = duration(hops[0].delay);
      if (hops[0].delay < -60) yield make("written-later", { time }, 1);
      else if (hops[0].delay > 86400) yield make("written-earlier", { time }, 1);
    }
    for (let place = 0; place < hops.length; place += 1) {
      const hop = hops[place];
      yield* timeFindings(hop, place === 0, make);
      yield* nameFindings(hop, make);
      if (place && !continues(hops[place - 1], hop)) {
        yield make("gap", { source: hop.host || hop.source || hop.address, by: hops[place - 1].by }, hop.number);
      }
    }
  }

  function* timeFindings(hop, first, make) {
    if (hop.time === null) {
      yield make("no-time", {}, hop.number);
    } else if (hop.delay !== null && !first) {
      const values = { by: hop.by, time: duration(hop.delay) };
      if (hop.delay < 0) yield make("clock", values, hop.number);
      else if (hop.delay >= SLOW) yield make("slow", values, hop.number);
    }
  }

  function* nameFindings(hop, make) {
    if (hop.host && HOST.test(hop.source) && !related(hop.host, hop.source)) {
      yield make("name-differs", { claimed: hop.source, found: hop.host }, hop.number);
    }
    if (!hop.address || hop.private) return;
    if (!hop.host && hop.source) yield make("no-name", { claimed: hop.source, address: hop.address }, hop.number);
    if (["SMTP", "ESMTP", "ESMTPA", "UTF8SMTP"].includes(hop.protocol.toUpperCase())) {
      yield make("plain-hop", { by: hop.by }, hop.number);
    }
  }

  function continues(before, hop) {
    if (!before.by || !(hop.host || hop.source) || hop.private) return true;
    return [hop.host, hop.source].some((name) => related(before.by, name) || lower(before.by) === lower(name));
  }

  smtplab.trace = { HOST, duration, hopFindings, maker, organisation, readHops, related, trim, utf8 };
})();

"use strict";
// The simulator's knowledge of words and addresses. Each function is the one of the same name in
// grader/lesson/simulator/{words,addresses}.py; a test holds the two against each other.
(() => {
  const SPACE = " \t\n\v\f\r";
  const OPERATORS = "|%!()<>@,;:.[]";
  const ADDRESS_SPACE = " \t\r\n";
  const LABEL = /^[0-9A-Za-z_\x80-\xff](?:[0-9A-Za-z_\x80-\xff-]{0,61}[0-9A-Za-z_\x80-\xff])?$/;

  const ATOM = "[^\\x00-\\x20\\x7f()<>@,;:\\\\\"\\[\\].]+";
  const DOT_STRING = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);

  // The words of a line: [{text, broken}, …].
  function split(line) {
    const words = [];
    let text = "", broken = false, place = 0;
    function end() {
      if (text) words.push({text, broken});
      text = "";
      broken = false;
    }
    while (place < line.length) {
      const char = line[place];
      if (SPACE.includes(char)) {
        end();
        place += 1;
      } else if (char === "<" || char === '"') {
        const found = closing(line, place);
        text += line.slice(place, found.end);
        broken = broken || !found.closed;
        place = found.end;
      } else if (char === ":") {
        text += char;
        place += 1;
        if ("to:".startsWith(text.toLowerCase()) || "from:".startsWith(text.toLowerCase())) end();
      } else {
        const length = char === "\\" ? 2 : 1;
        text += line.slice(place, place + length);
        place += length;
      }
    }
    end();
    return words;
  }

  function closing(line, start) {
    const wanted = [line[start] === "<" ? ">" : '"'];
    let place = start + 1;
    while (place < line.length) {
      const char = line[place];
      place += 1;
      if (char === "\\") {
        place = Math.min(place + 1, line.length);
      } else if (char === wanted[wanted.length - 1]) {
        wanted.pop();
        if (!wanted.length) return {end: place, closed: true};
      } else if (char === '"') {
        wanted.push('"');
      } else if (char === "<" && wanted[wanted.length - 1] === ">") {
        wanted.push(">");
      }
    }
    return {end: place, closed: false};
  }

  // The address in a word: {address, parts, others}.
  function extract(word) {
    let text = word.length > 1 && word.startsWith("<") && word.endsWith(">") ? word.slice(1, -1) : word;
    if (text.startsWith("@") && text.includes(":")) text = text.slice(text.indexOf(":") + 1);
    const scanned = scan(text), grouped = group(scanned.tokens);
    const last = grouped.addresses.length ? grouped.addresses[grouped.addresses.length - 1] : [];
    return {address: last.map((token) => token.text).join(""), parts: grouped.addresses.length, others: grouped.others + scanned.comments};
  }

  function scan(text) {
    const tokens = [];
    let comments = 0, place = 0, found;
    while (place < text.length) {
      const char = text[place];
      if (ADDRESS_SPACE.includes(char)) {
        place += 1;
      } else if (char === "(") {
        place = afterComment(text, place + 1);
        comments += 1;
      } else if (char === "[") {
        found = collect(text, place + 1, "]");
        tokens.push({kind: "word", text: `[${found.text}]`});
        place = found.place + 1;
      } else if (char === '"') {
        found = collect(text, place + 1, '"');
        tokens.push({kind: "word", text: found.text});
        place = found.place + 1;
      } else if (OPERATORS.includes(char)) {
        tokens.push({kind: char, text: char});
        place += 1;
      } else {
        found = collect(text, place, `${ADDRESS_SPACE + OPERATORS}"`);
        tokens.push({kind: "word", text: found.text});
        place = found.place;
      }
    }
    return {tokens, comments};
  }

  function collect(text, place, ends) {
    let collected = "";
    while (place < text.length && !ends.includes(text[place])) {
      if (text[place] === "\\") {
        place += 1;
        if (place === text.length) break;
      }
      collected += ADDRESS_SPACE.includes(text[place]) ? " " : text[place];
      place += 1;
    }
    return {text: collected, place};
  }

  function afterComment(text, place) {
    let depth = 1;
    while (place < text.length && depth) {
      if (text[place] === "\\") place += 1;
      else if (text[place] === "(") depth += 1;
      else if (text[place] === ")") depth -= 1;
      place += 1;
    }
    return place;
  }

  function group(tokens) {
    const addresses = [];
    let others = 0, current = [], wordFits = true, inGroup = false, place = tokens.length - 1;
    while (place >= 0) {
      const token = tokens[place], kind = token.kind, startsGroup = kind === ":" && inGroup;
      if (kind === ">" || kind === "," || kind === ";" || startsGroup) {
        if (current.length) {
          addresses.push(current);
          current = [];
          if (kind === ">" || kind === ";") others += 1;
        }
        if (kind !== ">") others += 1;
        wordFits = true;
        inGroup = inGroup || kind === ";";
        if (kind === ">") {
          const inside = [];
          place -= 1;
          while (place >= 0 && tokens[place].kind !== "<") inside.unshift(tokens[place--]);
          if (inside.length) addresses.push(inside);
        }
        if (kind === ">" || startsGroup) {
          const ends = startsGroup ? "," : ">;,:";
          if (startsGroup) place -= 1;
          while (place >= 0 && (tokens[place].kind === "word" || !ends.includes(tokens[place].kind))) {
            if (tokens[place].kind !== "<") others += 1;
            place -= 1;
          }
          if (place >= 0 && tokens[place].kind === ":" && !inGroup) {
            others += 1;
            place -= 1;
          }
          continue;
        }
      } else if (kind === "word") {
        if (!wordFits) {
          addresses.push(current);
          current = [];
          others += 1;
        }
        wordFits = false;
        current.unshift(token);
      } else {
        wordFits = true;
        current.unshift(token);
      }
      place -= 1;
    }
    if (current.length) addresses.push(current);
    return {addresses: addresses.reverse(), others};
  }

  // Where an address leads: {kind, user, domain}.
  function resolve(server, address) {
    let text = rewritten(server, address), domain = "", stripped = false;
    for (let turn = 0; turn < address.length + 100; turn += 1) {
      if (text.includes("@")) text = withoutDot(text);
      const at = text.lastIndexOf("@");
      if (at >= 0) {
        domain = plain(text.slice(at + 1));
        text = text.slice(0, at);
        stripped = true;
        if (domain && !isOwn(server, domain)) return checked("outside", text, domain);
      }
      if (text.includes("!") && stripped) text = unquoted(text);
      if (/[@%]/.test(text) || swapped(text)) text = rewritten(server, text);
      else if (!text) text = server.system[0];
      else if (stripped) return checked(text.includes("!") ? "routed" : "local", text, domain);
      else text += `@${server.host}`;
    }
    return {kind: "invalid", user: text, domain};
  }

  function opened(text) {
    const percent = text.lastIndexOf("%");
    if (text.includes("@") || percent < 0 || DOT_STRING.test(text)) return text;
    return `${text.slice(0, percent)}@${text.slice(percent + 1)}`;
  }

  // host!user as user@host; empty where no sign parts a host: in brackets, quotes and comments none does.
  function swapped(text) {
    const tokens = scan(text).tokens, bang = tokens.findIndex((token) => token.kind === "!");
    return bang >= 0 ? `${joined(tokens.slice(bang + 1))}@${joined(tokens.slice(0, bang))}` : "";
  }

  // Tokens as text, a space between words that no operator parts.
  function joined(tokens) {
    return tokens.map((token, place) => {
      return token.kind === "word" && place && tokens[place - 1].kind === "word" ? ` ${token.text}` : token.text;
    }).join("");
  }

  // A domain as Postfix reads it out of an address: without quotes, and without spaces around it.
  function plain(domain) {
    const {tokens, comments} = scan(domain);
    return comments ? domain : joined(tokens);
  }

  // What stands in quotes, if nothing stands beside them; otherwise the text.
  function unquoted(text) {
    const {tokens, comments} = scan(text);
    return text.startsWith("\"") && tokens.length === 1 && !comments ? tokens[0].text : text;
  }

  function rewritten(server, text) {
    if (text === "" || text === "@") return text;
    text = opened(text);
    if (text.startsWith("@") && text.includes(":")) {
      const colon = text.indexOf(":"), route = text.slice(0, colon), rest = text.slice(colon + 1);
      // Postfix takes the first half of an IPv6 address for a route, and what follows for a name to be quoted.
      if (route.lastIndexOf("[") > route.lastIndexOf("]")) return `${route}:"${rest}"`;
      text = rest;
    }
    if (!text.includes("@")) {
      const route = swapped(text), percent = text.lastIndexOf("%");
      if (route) text = route;
      else if (percent >= 0) text = `${text.slice(0, percent)}@${text.slice(percent + 1)}`;
      else text += `@${server.domain}`;
    }
    return withoutDot(text);
  }

  function withoutDot(text) {
    return text.endsWith(".") && !text.endsWith("..") && !text.endsWith("@.") ? text.slice(0, -1) : text;
  }

  function checked(kind, user, domain) {
    const valid = domain.startsWith("[") ? isLiteral(domain) : isHostname(domain);
    return {kind: valid && !user.startsWith("-") ? kind : "invalid", user, domain};
  }

  function isOwn(server, domain) {
    const lower = domain.toLowerCase(), value = literalValue(lower);
    return server.domains.includes(lower) ||
      (value !== "" && server.addresses.some((own) => literalValue(`[${own}]`) === value));
  }

  function isHostname(name) {
    return name.length <= 255 && !/^[0-9.]*$/.test(name) && name.split(".").every((label) => {
      return LABEL.test(label);
    });
  }

  function isLiteral(text) {
    if (!(text.startsWith("[") && text.endsWith("]"))) return false;
    const inside = text.slice(1, -1);
    return inside.toLowerCase().startsWith("ipv6:") ? isV6(inside.slice(5)) : isV4(inside);
  }

  function isV4(text) {
    if (!/^[0-9]+(?:\.[0-9]+){3}$/.test(text)) return false;
    const octets = text.split(".").map(Number);
    return Math.max(...octets) <= 255 && (octets[0] !== 0 || /^[0.]*$/.test(text));
  }

  // As Postfix reads it, from the left; it does not count the groups.
  function isV6(text) {
    let field = 0, nullField = 0, length = 0, place = 0;
    while (place < text.length) {
      if (text[place] === ".") return field >= 2 && field <= 6 && isV4(text.slice(place - length));
      if (text[place] === ":") {
        const following = text.slice(place + 1, place + 2);
        field += 1;
        if ((place === 0 && /^[0-9A-Za-z]$/.test(following)) || field > 7) return false;
        place += 1;
        length = 0;
        if (following === ":") {
          if (nullField) return false;
          nullField = field;
        }
      } else {
        length = /^[0-9A-Fa-f]*/.exec(text.slice(place))[0].length;
        if (length < 1 || length > 4) return false;
        place += length;
      }
    }
    return field >= 2 && (length > 0 || nullField === field - 1);
  }

  // An address in brackets in one spelling; empty where it is none, or where the system's library reads none.
  function literalValue(text) {
    if (!isLiteral(text)) return "";
    const inside = text.slice(1, -1);
    if (!inside.toLowerCase().startsWith("ipv6:")) {
      const octets = inside.split(".").map(octetValue);
      return octets.includes(null) ? "" : octets.join(".");
    }
    return groups(inside.slice(5)).map((group) => group.toString(16)).join(":");
  }

  function octetValue(octet) {
    if (!octet.startsWith("0") || octet === "0") return Number(octet);
    return /^[0-7]+$/.test(octet) ? parseInt(octet, 8) : null;
  }

  function groups(text) {
    const colon = text.lastIndexOf(":"), last = text.slice(colon + 1);
    if (last.includes(".")) {
      const octets = last.split(".");
      if (!octets.every((octet) => /^(?:0|[1-9][0-9]*)$/.test(octet))) return [];
      const [a, b, c, d] = octets.map(Number);
      text = `${text.slice(0, colon)}:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
    }
    const halves = text.split("::").map((half) => (half ? half.split(":").map((group) => parseInt(group, 16)) : []));
    const room = 8 - halves.reduce((sum, half) => sum + half.length, 0);
    if (halves.length === 1) return room === 0 ? halves[0] : [];
    return room > 0 ? [...halves[0], ...Array(room).fill(0), ...halves[1]] : [];
  }

  // A line as it is sent, from what a person typed: the sign for a line feed is one alone.
  function typed(line) {
    return line.replace(/␊/g, "\n");
  }

  function untilNul(line) {
    return line.split("\0")[0];
  }

  window.smtplab.words = {split, typed, untilNul, extract, resolve, isHostname, isLiteral, literalValue};
})();

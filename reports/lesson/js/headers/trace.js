/* The way of a message: its Received fields as hops, the oldest first (RFC 5321 section 4.4). Twin of analyser/trace.py. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { fill, lower } = smtplab.text;
  const { readReceived } = smtplab.received;
  const { readable } = smtplab.words;
  const MOST_HOPS = 100;
  const SLOW = 300;
  const LONGEST_QUOTE = 80;
  const DAY = 86400;
  const LOOP = 50;
  const ROUNDS = 3;
  const HOST = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*$/;
  // Last labels of names that organisations give their hosts for themselves (RFC 6762 appendix G).
  const INNER = ["internal", "intranet", "private", "corp", "home", "lan", "local", "localdomain"];
  const PRIVATE = new RegExp("^(?:10\\..*|127\\..*|192\\.168\\..*|172\\.(?:1[6-9]|2[0-9]|3[01])\\..*|169\\.254\\..*" +
    "|100\\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\..*|0\\.0\\.0\\.0|f[cd].*|fe[89ab].*|::1?)$", "i");
  const LOOPBACK = /^(?:127\..*|::1|localhost(?:\..*)?)$/i;
  const IPV4 = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/;
  // Dialects of servers that write the name of an address as its owner gave it, without looking the name up.
  const UNCONFIRMED = ["qmail", "helo-word"];
  const LOGGED_IN = /^(?:(?:utf8)?(?:esmtp|lmtp)s?a|asmtp|https?.*)$/i;
  const SECOND_LEVEL = ["ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"];
  const OF_COUNTRIES = new Map(Object.entries({
    ar: "gob", au: "asn id", br: "adv eng ind", cl: "gob", es: "gob nom", id: "my sch web",
    in: "firm gen ind nic res", jp: "ad ed gr lg", kr: "re", mx: "gob", nz: "govt school", pe: "gob",
    th: "in", tr: "bel gen k12", tw: "idv", uk: "ltd me nhs plc police sch", za: "law web",
  }));
  // Large providers whose servers and mailboxes have names of several domains.
  const PROVIDER_OF = new Map(Object.entries({
    "google.com": "gmail.com googlemail.com", "outlook.com": "exchangelabs.com hotmail.com live.com msn.com office365.com",
    "yahoo.com": "aol.com rocketmail.com yahoodns.net ymail.com", "icloud.com": "apple.com mac.com me.com",
    "protonmail.ch": "pm.me proton.me protonmail.com", "messagingengine.com": "fastmail.com fastmail.fm",
    "yandex.net": "ya.ru yandex.com yandex.ru", "zoho.com": "zoho.eu zohomail.com zohomail.eu",
    "gmx.net": "gmx.com gmx.de", "aliyun.com": "aliyun-inc.com",
  }).flatMap(([name, domains]) => domains.split(" ").map((domain) => [domain, name])));
  const utf8 = (text) => readable(text, "utf-8");
  // White space of header fields; other kinds, of other alphabets, part nothing there.
  const trim = (text) => text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");

  /** A maker of findings in the words of the table; values of text are cut. */
  function maker(findings) {
    return (rule, values = {}, hop = 0, offset = -1) => {
      const { grave, sentence, reference, see } = findings.find((one) => one.id === rule);
      const words = { hop };
      for (const [name, value] of Object.entries(values)) {
        words[name] = typeof value === "string" ? smtplab.text.brief(value, LONGEST_QUOTE) : value;
      }
      return { rule, grave, sentence: fill(sentence, words), reference, see, hop, offset, line: 0 };
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
    const shared = labels.length > 2 && top.length === 2
      && (SECOND_LEVEL.includes(second) || (OF_COUNTRIES.get(top) || "").split(" ").includes(second));
    return labels.slice(shared ? -3 : -2).join(".");
  }

  const related = (one, other) => Boolean(one) && Boolean(other) && organisation(one) === organisation(other);

  /** Who runs the mail servers of a domain, as far as its name shows it: its organisation, or a large provider. */
  function provider(domain) {
    const name = organisation(domain);
    return PROVIDER_OF.get(name) || name;
  }

  /** Whether two hosts are of one organisation or provider, as far as their names show it. */
  const neighbours = (one, other) => Boolean(one) && Boolean(other) && provider(one) === provider(other);

  /** Whether a host is of one of these providers. */
  const owned = (name, owners) => Boolean(name) && owners.includes(provider(name));

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
    const told = readReceived(field.text);
    const time = told.moment.seconds;
    const local = told.kind === "hop" && LOOPBACK.test(told.address || told.name || told.claimed || told.either);
    return {
      number, source: utf8(told.claimed || told.either), host: utf8(told.name), address: told.address,
      private: PRIVATE.test(told.address), lookup: told.lookup, by: utf8(told.by), by_address: told.by_address,
      protocol: utf8(told.protocol), tls: told.tls, id: utf8(told.id), recipient: utf8(told.recipient),
      date: utf8(told.moment.text), reading: told.moment.reading, time,
      delay: time !== null && before !== null ? time - before : null, kind: local ? "local" : told.kind,
      dialect: told.dialect, offset: field.offset,
    };
  }

  /** What the hops themselves show. `total` is how many Received fields there are. */
  function* hopFindings(hops, total, written, make) {
    if (!hops.length) {
      yield make("no-hops");
      return;
    }
    yield* loopFindings(hops, total, make);
    yield* writtenFindings(hops[0], written, make);
    for (let place = 0; place < hops.length; place += 1) {
      const hop = hops[place];
      yield* timeFindings(hop, place === 0, make);
      yield* nameFindings(hop, make);
      if (place && !continues(hops[place - 1], hop)) {
        yield make("gap", { source: hop.host || hop.source, by: hops[place - 1].by }, hop.number, hop.offset);
      }
    }
  }

  function* loopFindings(hops, total, make) {
    if (total > hops.length) yield make("too-many-hops", { count: total, shown: hops.length });
    if (total >= LOOP) yield make("loop", { count: total, limit: LOOP });
    const counted = new Map();
    let last = "";
    for (const hop of hops) {
      const { by, recipient } = hop;
      if (hop.kind === "hop" && HOST.test(by) && !neighbours(by, last)) {
        const key = `${lower(by)} ${recipient}`;
        counted.set(key, (counted.get(key) || 0) + 1);
        if (recipient && counted.get(key) === ROUNDS) {
          yield make("circle", { by, recipient, count: ROUNDS }, hop.number, hop.offset);
        }
      }
      if (HOST.test(by)) last = by;
    }
  }

  function* writtenFindings(hop, written, make) {
    if (written === null || hop.delay === null) return;
    const values = { time: duration(hop.delay) };
    if (hop.delay < -DAY) yield make("written-days", values, 1, hop.offset);
    else if (hop.delay < -60) yield make("written-later", values, 1, hop.offset);
    else if (hop.delay > DAY) yield make("written-earlier", values, 1, hop.offset);
  }

  function* timeFindings(hop, first, make) {
    const { number, offset, delay, date } = hop;
    const rule = { none: "no-time", impossible: "impossible-time", zone: "unknown-zone", lenient: "lenient-time" }[hop.reading];
    if (rule) yield make(rule, rule === "no-time" ? {} : { date }, number, offset);
    if (delay === null || first || hop.kind === "fetched") return;
    const values = { by: hop.by || "an unnamed host", time: duration(delay) };
    if (delay < -DAY) yield make("clock-days", values, number, offset);
    else if (delay < 0) yield make("clock", values, number, offset);
    else if (delay >= SLOW) yield make("slow", values, number, offset);
  }

  function* nameFindings(hop, make) {
    const { number, offset, address } = hop;
    if (address && !possible(address)) {
      yield make("impossible-address", { address }, number, offset);
      return;
    }
    if (hop.private || hop.kind !== "hop") return;
    if (hop.lookup === "name" && HOST.test(hop.host) && HOST.test(hop.source) && !neighbours(hop.host, hop.source)) {
      yield make("name-differs", { claimed: hop.source, found: hop.host }, number, offset);
    }
    if (hop.lookup === "none" && hop.source && address && !LOGGED_IN.test(hop.protocol)) {
      yield make("no-name", { claimed: hop.source, address }, number, offset);
    }
    if (address && hop.tls === false) yield make("plain-hop", { by: hop.by || "an unnamed host" }, number, offset);
  }

  function possible(address) {
    if (address.includes(":")) return true;
    const found = IPV4.exec(address);
    return Boolean(found) && found.slice(1).every((part) => Number(part) < 256) && Number(found[1]) < 224;
  }

  function continues(before, hop) {
    const names = [hop.host, hop.source].filter((name) => HOST.test(name));
    if (hop.kind !== "hop" || hop.private || !names.length || !HOST.test(before.by)) return true;
    if (inner(before.by) || LOOPBACK.test(before.by) || neighbours(before.by, hop.by)) return true;
    if (before.by_address && before.by_address === hop.address) return true;
    return names.some((name) => neighbours(before.by, name)) || sameHost(hop, before.by);
  }

  /** Whether a host's name means something to its own organisation alone, and so does not tell which that is. */
  function inner(name) {
    return INNER.includes(lower(name.slice(name.lastIndexOf(".") + 1)));
  }

  /** Whether a line tells of a client with a public address, which some servers write in the place of its name. */
  function fromElsewhere(hop) {
    const source = hop.source.replace(/^[[\]]+/, "").replace(/[[\]]+$/, "");
    const address = hop.address || (IPV4.test(source) || source.includes(":") ? source : "");
    return hop.kind === "hop" && Boolean(address) && !PRIVATE.test(address);
  }

  /** Whether a client is in the network of the server, as far as their addresses tell; see the Python twin. */
  function besideServer(hop) {
    const network = (address) => address.split(".").slice(0, 2).join(".");
    // Exchange tells its own address wherever strangers come in, so a line of Exchange without one is of an inner server.
    if (!hop.by_address) return hop.dialect === "exchange";
    if (!hop.address.includes(":")) return network(hop.address) === network(hop.by_address);
    return network6(hop.address) === network6(hop.by_address);
  }

  /** The first 24 bits of an IPv6 address, in hexadecimal. Microsoft's servers are in two networks. */
  function network6(address) {
    const [first, second = ""] = lower(address).split(":");
    const groups = first.padStart(4, "0") + second.padStart(4, "0");
    return groups === "2a010111" ? "260310" : groups.slice(0, 6);
  }

  /** Whether the client of a hop is the host of this name, or has this private address, as far as the line tells. */
  function isClient(hop, name) {
    return sameHost(hop, name) || (hop.private && hop.address === name);
  }

  /** Whether a hop's client and a name are one host in two domains, as those of large providers are. */
  function sameHost(hop, name) {
    const label = lower(name).split(".")[0];
    return Array.from(label).length > 4 && [hop.host, hop.source].some((one) => lower(one).split(".")[0] === label);
  }

  smtplab.trace = {
    HOST, UNCONFIRMED, besideServer, duration, fromElsewhere, hopFindings, inner, isClient, maker, organisation, owned,
    provider, readHops, related, trim, utf8,
  };
})();

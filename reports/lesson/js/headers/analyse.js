/* Everything that a message's header tells about its way and its authors. Twin of grader/lesson/analyser. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { lower } = smtplab.text;
  const { attempt } = smtplab.lexer;
  const { Report, parse } = smtplab.parse;
  const { parseAddresses } = smtplab.addresses;
  const { readMoment } = smtplab.moments;
  const { useForms } = smtplab.received;
  const { decodeWords } = smtplab.words;
  const {
    HOST, UNCONFIRMED, besideServer, fromElsewhere, hopFindings, inner, isClient, maker, organisation, owned, provider,
    readHops, related, trim, utf8,
  } = smtplab.trace;
  const {
    MOST_FIELDS, arcFindings, near, readArc, readResults, readSignature, readSpf, signatureFindings, tag,
  } = smtplab.authentication;
  const LONGEST_TEXT = 300;
  const SHOWN = ["From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID"];
  const PEOPLE = ["From", "Sender", "Reply-To", "Return-Path"];
  const LISTS = ["list-id", "list-post", "mailing-list", "x-original-from"];
  const SAME_MAILBOXES = new Map([["googlemail.com", "gmail.com"], ["mac.com", "icloud.com"], ["me.com", "icloud.com"]]);
  const ANGLE = /<([^<> \t\r\n]*@[^<> \t\r\n]*)>/;
  const BARE = /[^ \t\r\n<>,;:"()]+@[^ \t\r\n<>,;:"()]+/;
  const ADDRESS_SHOWN = /[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/;

  /** Read a message's header: see the Python twin. `tables` holds rules and findings; `own` is the reader's domain. */
  function analyse(handed, tables, typedOwn = "") {
    const raw = smtplab.text.withoutMark(handed);
    const make = maker(tables.findings);
    useForms(tables.received);
    const report = new Report(raw, tables.rules);
    const message = parse(raw, report);
    const date = message.first("date");
    const written = date ? readMoment(date.text).seconds : null;
    const hops = readHops(message.fields, written);
    const typed = domainsOf(typedOwn), domains = typed.length ? typed : domainsOf(newestHost(hops));
    const owners = domains.map(provider);
    const trusted = trustedHops(hops, owners);
    const border = makeBorder(hops, trusted, owners);
    const arrived = trusted ? hops[hops.length - trusted].time : null;
    const people = readPeople(message);
    const author = people.length && people[0].field === "From" ? people[0].domain : "";
    const results = readAllResults(message, border);
    const signatures = message.all("dkim-signature").slice(0, MOST_FIELDS).map((field) => readSignature(field, author));
    const arc = readArc(message.fields);
    const findings = [
      ...peopleFindings(people, LISTS.some((key) => message.first(key)), make),
      ...resultFindings(results, border, hops, author, arc, make),
      ...signatures.flatMap((one) => [...signatureFindings(one, arrived, make)]),
      ...(signatures.length ? [] : [make("unsigned")]),
      ...arcFindings(arc, make),
      ...hopFindings(hops, message.all("received").length, written, make),
    ];
    for (const one of findings) if (one.offset >= 0) one.line = report.line(one.offset);
    return { shown: shownFields(message), hops, own: domains.join(", "), trusted, results, signatures, arc, people, findings };
  }

  /** An address in small letters, its domain as the provider that has several names for the same mailbox prefers. */
  function mailbox(address) {
    const at = address.lastIndexOf("@"), domain = address.slice(at + 1).toLowerCase();
    return `${address.slice(0, Math.max(at, 0)).toLowerCase()}@${SAME_MAILBOXES.get(domain) || domain}`;
  }

  /** The domains in what a person typed, who may have several, or have typed an address. */
  function domainsOf(typed) {
    const words = typed.split(/[ \t\r\n,;]+/).map((word) => word.slice(word.lastIndexOf("@") + 1));
    return [...new Set(words.filter((word) => word.replace(/\./g, "")).map(organisation))];
  }

  /** The host of the newest hop that names one, unless a client from elsewhere comes first; see the Python twin. */
  function newestHost(hops) {
    let found = "";
    for (const hop of hops.filter(({ kind }) => kind !== "fetched").reverse()) {
      if (HOST.test(hop.by)) {
        if (!inner(hop.by)) return hop.by;
        found = found || hop.by;
      }
      if (fromElsewhere(hop) || (found && hop.kind === "hop" && !hop.private)) break;
    }
    return found;
  }

  /** How many hops from the newest the reader's own servers wrote; see the Python twin. */
  function trustedHops(hops, own) {
    let count = 0;
    for (let place = 1; place <= hops.length; place += 1) {
      const hop = hops[hops.length - place];
      const beside = place > 1 && count === place - 1 && isClient(hops[hops.length - place + 1], hop.by);
      const unnamed = !HOST.test(hop.by) || inner(hop.by);
      if (owned(hop.by, own) || beside || (!own.length && unnamed && hop.kind !== "fetched")) count = place;
      else if (!unnamed && hop.kind !== "fetched") break;
      if (!ownClient(hop, own)) break;
    }
    return count;
  }

  function ownClient(hop, own) {
    if (hop.kind !== "hop" || hop.private) return true;
    if (hop.lookup === "name") return owned(hop.host, own) && (!UNCONFIRMED.includes(hop.dialect) || besideServer(hop));
    if (hop.lookup === "none" || (hop.address && !hop.source)) return false;
    if (owned(hop.source, own)) return besideServer(hop) || (!hop.address && /^lmtp/i.test(hop.protocol));
    return !(fromElsewhere(hop) || HOST.test(hop.source));
  }

  function makeBorder(hops, trusted, own) {
    if (!trusted) return { own, last: null, below: null };
    const before = hops[hops.length - trusted - 1];
    return { own, last: hops[hops.length - trusted].offset, below: before ? before.offset : null };
  }

  function readAllResults(message, border) {
    const fields = message.fields.filter((field) => ["authentication-results", "received-spf"].includes(field.key));
    const sealed = sealedResults(message, border);
    const found = fields.slice(0, MOST_FIELDS)
      .map((field) => (field.key === "received-spf" ? readSpf(field, border) : readResults(field, border)))
      .map((one) => (one.standing === "unsure" && repeats(one, sealed) ? { ...one, standing: "own" } : one));
    // A server that writes above its own line is not likely to write below it, too: nothing there is believed. What
    // stands above a newer line, another one wrote, such as a filter behind it.
    const lines = message.all("received").map(({ offset }) => offset).filter((offset) => offset < (border.last || 0));
    const newer = Math.max(-1, ...lines);
    const above = found.filter((one) => one.standing === "own" && one.offset > newer).map((one) => one.field);
    return found.map((one) => (one.standing === "unsure" && above.includes(one.field) ? { ...one, standing: "foreign" } : one));
  }

  /** What the reader's own servers wrote into ARC fields; see the Python twin. */
  function sealedResults(message, border) {
    const fields = message.all("arc-authentication-results").slice(0, MOST_FIELDS);
    return fields.filter(({ offset }) => border.last !== null && offset < border.last)
      .map((field) => readArc([field]).pop()).filter((set) => set);
  }

  /** Whether results say nothing but what the same server sealed. */
  function repeats(one, sealed) {
    return one.outcomes.length > 0 && sealed.some((written) => {
      const known = new Set(written.outcomes.map((said) => JSON.stringify(said)));
      return lower(one.server) === lower(written.server) && one.outcomes.every((said) => known.has(JSON.stringify(said)));
    });
  }

  function shownFields(message) {
    return SHOWN.map((name) => [name, message.first(lower(name))]).filter(([, field]) => field).map(([name, field]) => {
      // Long fields are cut before they are decoded: a subject of a megabyte costs no more than another.
      const words = decodeWords(field.text.slice(0, 20 * LONGEST_TEXT)).split(/[ \t\r\n]+/).filter((word) => word);
      return { name, text: smtplab.text.brief(words.join(" "), LONGEST_TEXT) };
    });
  }

  function readPeople(message) {
    const found = [];
    for (const label of PEOPLE) {
      const field = message.first(lower(label));
      if (!field) continue;
      const [name, address] = firstAddress(field);
      const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
      const author = found.length && found[0].field === "From" ? found[0].domain : domain;
      found.push({ field: label, name, address, domain, related: related(domain, author), offset: field.offset });
    }
    return found;
  }

  /** A field's first display name and address, however broken the field is. */
  function firstAddress(field) {
    const box = attempt(() => parseAddresses(field.text).mailboxes[0], () => null);
    if (box) {
      const name = box.name.includes('"') ? box.name.replace(/"/g, "").replace(/\\([^\n])/g, "$1") : box.name;
      return [decodeWords(name), utf8(`${box.local}@${box.domain}`)];
    }
    const text = utf8(field.text);
    const found = ANGLE.exec(text) || BARE.exec(text);
    if (!found) return [trim(decodeWords(field.text)), ""];
    const name = decodeWords(field.text).split("<")[0].replace(/^[ "]+/, "").replace(/[ "]+$/, "");
    return [text.includes("<") ? name : "", found[1] === undefined ? found[0] : found[1]];
  }

  function* peopleFindings(people, listed, make) {
    const named = Object.fromEntries(people.map((one) => [one.field, one]));
    const author = named.From, reply = named["Reply-To"], path = named["Return-Path"];
    if (!author) return;
    // Signs that look like those of an address stand for them.
    const shown = ADDRESS_SHOWN.exec(author.name.replace(/[＠﹫]/g, "@").replace(/[．｡。]/g, "."));
    if (shown && author.address && mailbox(shown[0]) !== mailbox(author.address)) {
      // Lists and services that send for somebody name that person, whom answers go to or whose domain it is.
      const forAnother = listed || author.name.includes(" via ") || related(shown[0].slice(shown[0].indexOf("@") + 1), author.domain);
      const answered = reply && reply.address.toLowerCase() === shown[0].toLowerCase();
      yield make(forAnother || answered ? "from-another" : "from-hidden", { shown: shown[0], address: author.address }, 0, author.offset);
    }
    const strange = author.domain.split(".").some((label) => label.startsWith("xn--"));
    if (strange || /[^\x00-\x7f]/.test(author.domain)) yield make("from-idn", { domain: author.domain }, 0, author.offset);
    if (reply && reply.domain && !reply.related) {
      yield make("reply-elsewhere", { reply: reply.address, domain: author.domain }, 0, reply.offset);
    }
    if (path && !path.domain) yield make("bounce", {}, 0, path.offset);
    else if (path && !path.related) yield make("envelope-elsewhere", { sender: path.address, domain: author.domain }, 0, path.offset);
  }

  function* resultFindings(results, border, hops, author, arc, make) {
    const told = new Set();
    const own = results.filter((one) => one.standing === "own" && one.field === "Authentication-Results");
    for (const one of results) {
      if (one.standing === "own") {
        if (one.field === "Authentication-Results") yield* verdicts(one, author, arc, make);
        continue;
      }
      const rule = doubt(one, border, hops, own);
      // Of a provider that has a name for each check, one is told for all.
      const server = rule === "beside-results" ? organisation(one.server) : one.server;
      if (told.has(`${rule} ${server}`)) continue;
      told.add(`${rule} ${server}`);
      yield make(rule, { server: server || "an unnamed server" }, 0, one.offset);
    }
    // What stands at the header's end may be of the reader's server: nobody can say that it wrote nothing.
    const perhaps = [...told].some((key) => /^(?:appended-results|own-results-below) /.test(key));
    if (!perhaps && results.every((one) => one.standing === "foreign")) yield make("no-results");
  }

  /** Why a field of results is not simply believed; see the Python twin. */
  function doubt(one, border, hops, own) {
    if (near(border, one.offset, one.field === "Authentication-Results" ? one.server : null)) {
      return contradicts(one, own) ? "forged-results" : "unsure-results";
    }
    if (one.field === "Received-SPF") return "spf-untrusted";
    // Some providers' filters have names of a domain of their own.
    if (one.standing === "unsure") return "beside-results";
    // Where no line is of the reader's servers, nothing tells where theirs begin.
    if (border.last === null || !owned(one.server, border.own)) return "untrusted-results";
    const older = hops.filter((hop) => hop.offset > one.offset);
    // A forwarder or a list that takes older lines away still names whom it got the message from.
    const brought = hops.filter((hop) => hop.offset > border.last);
    if (older.some((hop) => owned(hop.by, border.own))
      || brought.some((hop) => owned(hop.host || hop.source, border.own))) return "returned-results";
    if (older.length || contradicts(one, own)) return "forged-results";
    // What an ACL of Exim's adds stands at the header's end, unless it says otherwise.
    const exim = hops.some((hop) => hop.offset === border.last && hop.dialect.startsWith("exim"));
    return exim ? "appended-results" : "own-results-below";
  }

  /** Whether a field says that a check passed which the same server says above did not. */
  function contradicts(one, own) {
    if (!one.server) return false;
    const failed = own.filter((above) => lower(above.server) === lower(one.server))
      .flatMap((above) => above.outcomes.filter(({ result }) => ["fail", "hardfail"].includes(result)).map(({ method }) => method));
    // There may be several signatures, and so several results of DKIM.
    return one.outcomes.some(({ method, result }) => result === "pass" && ["dmarc", "spf"].includes(method) && failed.includes(method));
  }

  function* verdicts(one, author, arc, make) {
    const last = arc[arc.length - 1], server = one.server || "Your server";
    const sealed = one.outcomes.some((found) => found.method === "arc" && found.result === "pass");
    for (const { method, result, properties } of one.outcomes) {
      if (method === "dmarc" && ["pass", "fail"].includes(result)) {
        const rule = result === "pass" ? "dmarc-passed" : sealed ? "dmarc-sealed" : "dmarc-failed";
        const domain = tag(properties, "header.from") || author;
        // What was checked is not what people see: nothing answers for that.
        if (result === "pass" && author && !related(domain, author)) continue;
        yield make(rule, { server, domain }, 0, one.offset);
      } else if (method === "arc" && result === "pass" && last && last.outcomes.length) {
        const outcomes = last.outcomes.map((found) => `${found.method}=${found.result}`).join(", ");
        yield make("arc-passed", { server, domain: last.domain, outcomes }, 0, one.offset);
      }
    }
  }

  smtplab.analyse = analyse;
})();

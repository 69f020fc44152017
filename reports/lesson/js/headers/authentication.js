/* What servers wrote down about a message, and what domains signed: RFC 8601, 7208, 6376 and 8617. Twin of analyser/authentication.py. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { lower } = smtplab.text;
  const { attempt, withoutComments } = smtplab.lexer;
  const { owned, related, trim, utf8 } = smtplab.trace;
  const MOST_FIELDS = 50;
  const PIECE = /(?:"[^"\\]*(?:\\[^][^"\\]*)*"|[^;"]|")+/g;
  const PAIR = /([A-Za-z0-9_./-]+)[ \t\r\n]*=[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*"|[^; \t\r\n]+)/g;
  const NUMBER = /^[0-9]{1,15}$/;
  const ARC_FIELDS = {
    "arc-authentication-results": "ARC-Authentication-Results",
    "arc-message-signature": "ARC-Message-Signature",
    "arc-seal": "ARC-Seal",
  };

  const plain = (field) => utf8(attempt(() => withoutComments(field.text), () => field.text));
  // An empty piece in front stands for a server that did not write its name.
  const pieces = (field) => {
    const text = plain(field);
    return [...(text.startsWith(";") || !text ? [""] : []), ...(text.match(PIECE) || [])].map(trim);
  };
  const pairs = (text) => Array.from(text.matchAll(PAIR), (found) => ({ name: found[1], value: unquoted(found[2]) }));

  function unquoted(value) {
    return value[0] === '"' && value.length > 1 ? value.slice(1, -1).replace(/\\([^])/gu, "$1") : value;
  }

  /** Whose a field is: "own", "unsure" or "foreign". See Border in the Python twin. */
  function standing(border, offset) {
    if (border.last === null) return "foreign";
    if (offset < border.last) return "own";
    return near(border, offset, null) ? "unsure" : "foreign";
  }

  /** Whether a milter of the reader's may have written a field: right below the lowest line of the reader's.
   *  `server` is the name that it bears, which is to be of the reader's servers; null where it does not matter. */
  function near(border, offset, server) {
    if (border.last === null || offset < border.last || (border.below !== null && offset > border.below)) return false;
    return !server || !border.own.length || owned(server, border.own);
  }

  /** The authserv-id, which may be a quoted string, and whether the piece is one (RFC 8601 section 2.2). */
  function serverOf(piece) {
    const quoted = /^"[^"\\]*(?:\\[^][^"\\]*)*"/.exec(piece);
    if (quoted) return [trim(unquoted(quoted[0])), true];
    const first = piece.split(" ")[0];
    return first.includes("=") ? ["", false] : [first, true];
  }

  /** An Authentication-Results field. Some servers leave out their name, against RFC 8601 section 2.2. */
  function readResults(field, border) {
    const found = pieces(field);
    const [server, named] = serverOf(found.length ? found[0] : "");
    return {
      field: "Authentication-Results", server, standing: standing(border, field.offset),
      outcomes: outcomes(named ? found.slice(1) : found), offset: field.offset,
    };
  }

  function outcomes(found) {
    return found.slice(0, MOST_FIELDS).map(pairs).filter((named) => named.length).map(([first, ...properties]) => ({
      method: lower(first.name.split("/")[0]), result: first.value.toLowerCase(),
      properties: properties.slice(0, MOST_FIELDS - 1),
    }));
  }

  /** A Received-SPF field, which names its server only in a comment or in "receiver". */
  function readSpf(field, border) {
    const text = trim(plain(field));
    const properties = pairs(text).slice(0, MOST_FIELDS);
    const receiver = properties.find((pair) => pair.name === "receiver");
    const result = text.split(" ")[0].split(";")[0].toLowerCase();
    return {
      field: "Received-SPF", server: receiver ? receiver.value : "", standing: standing(border, field.offset),
      outcomes: [{ method: "spf", result, properties }], offset: field.offset,
    };
  }

  /** The tags of a signature (RFC 6376 section 3.2), white space inside their values taken out. */
  function readTags(field) {
    return utf8(field.text).split(";").slice(0, MOST_FIELDS).filter((piece) => piece.includes("=")).map((piece) => {
      const equals = piece.indexOf("=");
      return { name: trim(piece.slice(0, equals)), value: piece.slice(equals + 1).replace(/[ \t\r\n]+/g, "") };
    });
  }

  function tag(tags, name) {
    const found = tags.find((pair) => pair.name === name);
    return found ? found.value : "";
  }

  function readSignature(field, author) {
    const tags = readTags(field);
    const domain = tag(tags, "d");
    return {
      domain, selector: tag(tags, "s"), algorithm: tag(tags, "a"), aligned: related(domain, author), tags,
      offset: field.offset,
    };
  }

  function* signatureFindings(signature, arrived, make) {
    const { domain, tags, offset } = signature;
    const lacking = ["v", "a", "b", "bh", "d", "h", "s"].find((name) => !tag(tags, name));
    if (lacking) {
      yield make("signature-broken", { field: "DKIM-Signature", domain: domain || "?", tag: lacking }, 0, offset);
      return;
    }
    if (!tag(tags, "h").toLowerCase().split(":").includes("from")) yield make("signature-from", { domain }, 0, offset);
    if (signature.algorithm.toLowerCase() === "rsa-sha1") yield make("signature-sha1", { domain, algorithm: "rsa-sha1" }, 0, offset);
    if (NUMBER.test(tag(tags, "l"))) yield make("signature-length", { domain, length: Number(tag(tags, "l")) }, 0, offset);
    const ends = tag(tags, "x");
    if (arrived !== null && NUMBER.test(ends) && Number(ends) < arrived) yield make("signature-expired", { domain }, 0, offset);
    yield make(signature.aligned ? "signature-aligned" : "signature-other", { domain }, 0, offset);
  }

  /** The ARC sets, the first forwarder's first. Fields without a number are left out. */
  function readArc(fields) {
    const sets = new Map();
    for (const field of fields.filter((one) => one.key in ARC_FIELDS).slice(0, MOST_FIELDS)) {
      const number = tag(readTags(field), "i");
      if (!NUMBER.test(number) || Number(number) < 1 || Number(number) > MOST_FIELDS) continue;
      if (!sets.has(Number(number))) sets.set(Number(number), {});
      const found = sets.get(Number(number));
      if (!found[field.key]) found[field.key] = field;
    }
    const highest = Math.max(0, ...sets.keys());
    return Array.from({ length: highest }, (_, place) => arcSet(place + 1, sets.get(place + 1) || {}));
  }

  function arcSet(instance, found) {
    const seal = found["arc-seal"] ? readTags(found["arc-seal"]) : [];
    const said = found["arc-authentication-results"] ? pieces(found["arc-authentication-results"]) : [];
    const [server, named] = serverOf(said.length > 1 ? said[1] : "");
    const offsets = Object.values(found).map((field) => field.offset);
    return {
      instance, domain: tag(seal, "d"), cv: tag(seal, "cv").toLowerCase(),
      server, outcomes: outcomes(said.slice(named ? 2 : 1)),
      missing: Object.keys(ARC_FIELDS).filter((key) => !found[key]).map((key) => ARC_FIELDS[key]),
      offset: offsets.length ? Math.min(...offsets) : -1,
    };
  }

  function* arcFindings(sets, make) {
    for (const { instance, missing, cv, domain, offset } of sets) {
      const expected = instance === 1 ? "none" : "pass";
      if (missing.length) yield make("arc-incomplete", { instance, missing: missing.join(", ") }, 0, offset);
      else if (cv === "fail") yield make("arc-failed", { instance, domain }, 0, offset);
      else if (cv !== expected) yield make("arc-chain", { instance, cv, expected }, 0, offset);
    }
  }

  smtplab.authentication = {
    MOST_FIELDS, arcFindings, near, readArc, readResults, readSignature, readSpf, signatureFindings, tag,
  };
})();

"use strict";
// Turns a command into facts, as grader/lesson/simulator/{parameters,logins,facts}.py do.
(() => {
  const words = window.smtplab.words;
  const LARGEST_FILE = "9223372036854775807";
  const LARGEST_EXACT = 1000000000000000;
  const NOTIFY = ["NEVER", "SUCCESS", "FAILURE", "DELAY"];
  const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  const USER = /^[A-Za-z0-9._-][A-Za-z0-9._@-]*$/;

  function upper(text) {
    return text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  }

  function lower(text) {
    return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  }

  // What stands before and behind the first sign: [before, sign or "", behind].
  function partition(text, sign) {
    const place = text.indexOf(sign);
    return place < 0 ? [text, "", ""] : [text.slice(0, place), sign, text.slice(place + sign.length)];
  }

  function isAscii(text) {
    return /^[\x00-\x7f]*$/.test(text);
  }

  // Parameters of MAIL and RCPT

  function readParameters(options, known, submitter) {
    const seen = [];
    let declared = null;
    function read(fault, text) {
      return {fault, text, declared, submitter};
    }
    for (let place = 0; place < options.length; place += 1) {
      const word = options[place], parts = partition(word, "="), value = parts[2];
      const parameter = known.find((one) => one.name === upper(parts[0]));
      if (!parameter || Boolean(parts[1]) === (parameter.form === "flag")) return read("unknown", word);
      const id = lower(parameter.name);
      if (parameter.once && seen.includes(id)) return read(`${id}-again`, word);
      seen.push(id);
      if (parameter.form === "submitter") {
        if (submitter) return read(`${id}-again`, word);
        submitter = value !== "<>";
      } else if (!fitsForm(parameter, value)) {
        return read(parameter.strict ? `${id}-bad` : "unknown", word);
      } else if (parameter.form === "number") {
        // What no file can hold is remembered as nothing, also after a number that was too large for the server.
        const beyond = isBeyond(value, LARGEST_FILE);
        declared = beyond ? 0 : number(value);
        if (beyond) return read(`${id}-over`, word);
      }
    }
    return read("", "");
  }

  function fitsForm(parameter, value) {
    switch (parameter.form) {
    case "values": return parameter.values.includes(upper(value));
    case "number": return /^[0-9]+$/.test(value);
    case "xtext": return Boolean(xtext(value)) && /^[ -~]*$/.test(xtext(value));
    case "notify": return fitsNotify(value);
    case "recipient":
      const parts = partition(value, ";");
      if (!parts[0] || !parts[1]) return false;
      return lower(parts[0]) === "utf-8" ? isUnicodeXtext(parts[2]) : xtext(parts[2]) !== null;
    default: return true;
    }
  }

  function fitsNotify(value) {
    const names = value.split(/[, \t\r\n]+/).filter(Boolean).map(upper);
    return names.length > 0 && names.every((name) => NOTIFY.includes(name)) &&
      (!names.includes("NEVER") || names.every((name) => name === "NEVER"));
  }

  function xtext(text) {
    if (/\+(?![0-9A-Fa-f]{2})/.test(text)) return null;
    return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  }

  function isUnicodeXtext(text) {
    return text.split(/\\x\{/).slice(1).every((start) => {
      const found = /^([0-9A-Fa-f]*)}/.exec(start);
      return found !== null && parseInt(found[1] || "0", 16) <= 0x10ffff;
    });
  }

  function isBeyond(digits, limit) {
    const plain = digits.replace(/^0+/, "");
    return plain.length > limit.length || (plain.length === limit.length && plain > limit);
  }

  function number(digits) {
    return isBeyond(digits, String(LARGEST_EXACT)) ? LARGEST_EXACT : Number(digits);
  }

  // AUTH: a step is {result, user}.

  function step(result, user) {
    return {result, user: user || ""};
  }

  function begin(mechanism, response, users) {
    const name = upper(mechanism), first = step(name === "PLAIN" ? "response" : "name");
    if (name !== "PLAIN" && name !== "LOGIN") return step("unknown");
    if (response === null || (response === "=" && name === "LOGIN")) return first;
    return response === "=" ? step("wrong") : goOn(first, response, users);
  }

  function goOn(before, response, users) {
    if (!BASE64.test(response)) return step("bad");
    const text = atob(response);
    if (before.result === "response") {
      const parts = text.split("\0");
      if (parts.length !== 3) return step("wrong");
      const user = plainName(parts[1]);
      return parts[0] === "" || parts[0] === user ? judged(user, parts[2], users) : step("wrong");
    }
    if (before.result === "name") return USER.test(text) ? step("password", plainName(text)) : step("wrong");
    return judged(before.user, text, users);
  }

  function plainName(name) {
    return lower(partition(name, "@")[0]);
  }

  function judged(user, password, users) {
    return Object.prototype.hasOwnProperty.call(users, user) && users[user] === password ? step("right", user) : step("wrong");
  }

  // Facts: each function gives {facts, names}.

  function isForeign(state, verb) {
    return state.server.foreign.includes(verb) || /^[^A-Za-z]/.test(verb) || /^[!-9;-~]+[ \t]*:/.test(verb);
  }

  function ofCommand(state, verb, parts) {
    switch (verb) {
    case "MAIL":
    case "RCPT": return ofEnvelope(state, verb, parts);
    case "AUTH": return ofAuth(state, parts);
    case "BDAT": return ofChunk(state, parts);
    case "VRFY": return ofVrfy(state, parts);
    case "ETRN": return ofEtrn(parts);
    default: return {facts: {}, names: {}};
    }
  }

  function ofEnvelope(state, verb, parts) {
    const mail = state.mail;
    if (verb === "MAIL") mail.utf8 = false;
    if (parts.length < 3 || upper(parts[1].text) !== (verb === "MAIL" ? "FROM:" : "TO:")) {
      return {facts: {syntax: false}, names: {}};
    }
    const options = parts.slice(3).map((part) => part.text);
    if (verb === "MAIL" && !mail.open) mail.utf8 = options.some((one) => upper(one) === "SMTPUTF8");
    const found = address(state, parts[2], mail.utf8, verb === "MAIL", state.switches.includes("strict-addresses"));
    const read = readParameters(options, state.server.parameters[verb], verb === "MAIL" && mail.submitter);
    const facts = {syntax: true, address: found.good ? "good" : "bad", parameter: read.fault};
    if (verb === "MAIL") {
      if (found.good && !mail.open && mail.chunking === "none") {
        mail.submitter = read.submitter;
        if (read.declared !== null) mail.declared = read.declared;
      }
      facts.size = mail.declared > state.limit ? "over" : "fits";
    } else {
      facts["recipients-full"] = mail.recipients >= state.server.limits.recipients;
      Object.assign(facts, ofRecipient(state, found.address));
    }
    return {facts, names: {address: found.address, parameter: read.text}};
  }

  function address(state, word, utf8, empty, strict) {
    const found = words.extract(word.text);
    let bad = word.broken || found.parts > 1 || (!found.address && !empty);
    if (strict) bad = bad || found.others > 0 || !word.text.startsWith("<") || found.address.startsWith("@");
    if (found.address && !bad) {
      const place = words.resolve(state.server, found.address);
      bad = place.kind === "invalid" || !(utf8 || isAscii(place.domain));
    }
    return {address: found.address, good: !bad};
  }

  function ofRecipient(state, recipient) {
    const sender = words.resolve(state.server, state.mail.sender);
    const owner = (`${base(state, sender.user)}@${sender.domain}`).toLowerCase();
    const key = greylistKey(state, recipient);
    const met = state.met.has(key) ? state.met.get(key) : state.transactions;
    return {
      recipient: kind(state, recipient),
      "seen-before": met !== state.transactions,
      "sender-foreign": state.user !== "" && state.mail.sender !== "" && owner !== `${state.user}@${state.server.domain}`
    };
  }

  function greylistKey(state, recipient) {
    return (`${state.mail.sender}\n${recipient}`).toLowerCase();
  }

  function kind(state, recipient) {
    if (recipient.toLowerCase() === "postmaster") return "postmaster";
    const place = words.resolve(state.server, recipient), server = state.server;
    if (place.kind !== "local") return place.kind === "routed" ? "routed" : "outside";
    const user = base(state, place.user).toLowerCase();
    const gone = state.switches.includes("no-such-user") ? "bob" : "";
    const known = Object.keys(server.users).concat(server.aliases, server.system).includes(user);
    if (user === gone || !known) return "unknown";
    return user === "bob" && server.domains.includes(place.domain.toLowerCase()) ? "bob" : "known";
  }

  function base(state, user) {
    return partition(user, state.server.extension)[0] || user;
  }

  function ofVrfy(state, parts) {
    const texts = parts.slice(1).map((part) => part.text);
    const utf8 = texts.length > 0 && upper(texts[texts.length - 1]) === "SMTPUTF8";
    if (utf8) texts.pop();
    const argument = texts.join(" ");
    const found = address(state, {text: argument, broken: false}, utf8, false, false);
    const facts = {syntax: texts.length > 0, address: found.good ? "good" : "bad"};
    if (found.good) Object.assign(facts, ofRecipient(state, found.address));
    return {facts, names: {address: found.address, argument}};
  }

  function ofEtrn(parts) {
    let domain = parts.length > 1 ? parts[1].text : "";
    if (domain.startsWith("@") || domain.startsWith("#")) domain = domain.slice(1);
    const valid = (isAscii(domain) && words.isHostname(domain)) || words.isLiteral(domain);
    return {facts: {"domain-valid": valid}, names: {argument: domain}};
  }

  function ofAuth(state, parts) {
    if (parts.length < 2 || parts.length > 3) return {facts: {}, names: {}};
    state.mechanism = parts[1].text;
    state.step = begin(state.mechanism, parts.length === 3 ? parts[2].text : null, state.server.users);
    return {facts: {login: state.step.result}, names: {mechanism: state.mechanism, user: state.step.user}};
  }

  function ofAnswer(state, line) {
    const long = line.length >= state.server.limits.response;
    line = words.untilNul(line);
    if (long) state.step = step("long");
    else if (line === "*") state.step = step("aborted");
    else state.step = goOn(state.step, line, state.server.users);
    return {facts: {login: state.step.result}, names: {user: state.step.user}};
  }

  function ofChunk(state, parts) {
    const size = parts.length > 1 ? parts[1].text : "";
    const final = parts.length === 3 && upper(parts[2].text) === "LAST";
    const bad = parts.length > 3 || (parts.length === 3 && !final) || !/^[0-9]+$/.test(size);
    if (bad || isBeyond(size, LARGEST_FILE)) return {facts: {chunk: "bad"}, names: {}};
    const length = number(size);
    state.coming = {length, final};
    const large = state.mail.size > state.limit - length;
    return {facts: {chunk: !length && !final ? "empty" : large ? "large" : "good"}, names: {}};
  }

  window.smtplab.facts = {ofCommand, ofAnswer, isForeign, greylistKey, upper};
})();

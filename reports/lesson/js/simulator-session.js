"use strict";
// A session with the simulated server, as grader/lesson/simulator/{state,mailing,session}.py play it: lines in, replies
// out. Which facts lead to which reply stands in the table that the page embeds.
(() => {
  const words = window.smtplab.words, facts = window.smtplab.facts;
  const FIELD = /^[!-9;-~]+[ \t]*:/;
  const PREFIX = "X-Mailbox-Line: ".length;

  // Octets are characters below 256, so that lengths are those of the wire.
  function octets(line) {
    let text = "";
    Array.from(line).forEach((char) => {
      const code = char.codePointAt(0);
      if (code >= 0xdc80 && code < 0xdd00) text += String.fromCharCode(code - 0xdc00);
      else new TextEncoder().encode(char).forEach((octet) => { text += String.fromCharCode(octet); });
    });
    return text;
  }

  function decoded(text, strict) {
    const array = Uint8Array.from(text, (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", {fatal: strict, ignoreBOM: true}).decode(array);
  }

  function isUtf8(text) {
    if (/^[\x00-\x7f]*$/.test(text)) return true;
    try {
      decoded(text, true);
      return true;
    } catch {
      return false;
    }
  }

  // Size and hops of a message; the server's own Received field is a hop as well.
  class Text {
    constructor(size) {
      this.size = size || 0;
      this.hops = 1;
      this.lines = 0;
      this.inHeader = true;
      this.bare = false;
    }

    add(line, piece) {
      this.lines += 1;
      this.size += line.length + 2 * Math.max(1, Math.ceil(line.length / piece));
      if (this.inHeader && !/^[ \t]/.test(line)) {
        this.inHeader = FIELD.test(line);
        if (/^received[ \t]*:/i.test(line)) this.hops += 1;
      }
    }
  }

  // A line without the carriage return before its line feed, or where Postfix is lenient without all of them.
  function withoutReturn(line, lenient) {
    return line.replace(lenient ? /\r+$/ : /\r$/, "");
  }

  function transaction() {
    return {
      open: false, sender: "", utf8: false, submitter: false, declared: 0, recipients: 0, overshoot: 0,
      chunking: "none", size: 0, text: null, rest: ""
    };
  }

  function byId(list, id) {
    return list.find((one) => one.id === id);
  }

  class Session {
    constructor(table, listener, client, switches) {
      const server = table.server, chosen = byId(server.listeners, listener);
      const limits = server.limits, on = Array.from(switches);
      this.table = table;
      this.state = {
        server, listener: chosen, client: byId(server.clients, client), switches: on,
        tls: chosen.tls === "implicit", connected: true, helo: false, esmtp: false, user: "", errors: 0, idle: 0,
        queued: 0, transactions: 0, met: new Map(), mail: transaction(), message: null, chunk: null,
        coming: {length: 0, final: false}, step: {result: "", user: ""}, mechanism: "", asked: false,
        // For clients in mynetworks Postfix looks away (smtpd_forbid_bare_newline_exclusions).
        lenient: byId(server.clients, client).trusted,
        limit: on.includes("size-limit") ? limits["small-message"] : limits.message
      };
      this.input = "";
      this.replies = [];
      this.stages = {};
      Object.values(table.stages).forEach((stage) => {
        if (stage.verb) this.stages[stage.verb] = stage;
      });
    }

    // The greeting; like all replies a list of {lines, rule, why, see}.
    connect() {
      this.apply("connect", {}, {});
      return this.spoken();
    }

    // Send lines at once and hear what the server says.
    say(lines) {
      this.input = lines.map((line) => `${octets(line)}\r\n`).join("");
      while (this.input && this.state.connected) this.next();
      this.input = "";
      return this.spoken();
    }

    status() {
      const state = this.state;
      return {
        connected: state.connected, greeted: state.helo, tls: state.tls, user: state.user,
        transaction: state.mail.open, recipients: state.mail.recipients, mode: this.mode(), errors: state.errors
      };
    }

    mode() {
      const state = this.state;
      return state.chunk ? "chunk" : state.message ? "message" : state.asked ? "login" : "command";
    }

    next() {
      const state = this.state;
      if (state.chunk) {
        const taken = this.input.slice(0, state.chunk.missing);
        this.input = this.input.slice(state.chunk.missing);
        state.chunk.text += taken;
        state.chunk.missing -= taken.length;
        if (!state.chunk.missing) this.endChunk(state.chunk);
      } else {
        const end = this.input.indexOf("\n"), line = this.input.slice(0, end);
        this.input = this.input.slice(end + 1);
        this.line(withoutReturn(line, state.lenient), !(state.lenient || line.endsWith("\r")));
      }
      if (state.connected && this.mode() === "command") {
        this.apply("limit", {"errors-full": state.errors >= state.server.limits.errors}, {});
      }
    }

    // A line without its end; bare says that the end was a line feed alone, which is held against it.
    line(line, bare) {
      const state = this.state, limits = state.server.limits;
      let longest = limits.line;
      if (state.message) {
        // Only CR LF before and behind a dot makes an end of it; any other is dropped.
        const loose = bare || state.message.bare;
        state.message.bare = bare;
        if (line === ".") {
          if (loose) return;
          const message = state.message;
          state.message = null;
          this.finishMessage(message.size, message.hops);
        } else {
          if (!state.message.lines && /^>*From /.test(line)) state.message.size += PREFIX;
          state.message.add(line.startsWith(".") ? line.slice(1) : line, limits.line);
        }
        return;
      }
      if (state.asked) {
        longest = limits.response;
        state.asked = false;
        const found = facts.ofAnswer(state, line);
        this.apply("login", found.facts, found.names);
        state.asked = state.step.result === "password";
      } else {
        this.command(line, longest);
      }
      if (isEndless(line, longest)) state.connected = false;
    }

    command(line, longest) {
      const state = this.state, text = words.untilNul(line), parts = words.split(text.slice(0, longest));
      const verb = parts.length ? facts.upper(parts[0].text) : "";
      const stage = Object.prototype.hasOwnProperty.call(this.stages, verb) ? this.stages[verb] : null, flags = stage ? stage.flags : [];
      const known = {
        utf8: isUtf8(text), words: Math.min(parts.length, 4), known: stage !== null,
        foreign: stage === null && facts.isForeign(state, verb), "before-tls": flags.includes("before-tls"),
        pending: this.input !== "" || isEndless(line, longest), "pipelining-allowed": state.esmtp && !flags.includes("last")
      };
      if (this.apply("line", known, {}) || stage === null) return;
      const found = facts.ofCommand(state, verb, parts);
      this.apply(stage.id, Object.assign(known, found.facts), found.names);
      if (flags.includes("idle")) {
        state.idle += 1;
        if (state.idle > state.server.limits["idle-commands"] + 1) state.errors += 1;
      }
    }

    awaitChunk(rule) {
      const state = this.state, length = state.coming.length;
      state.chunk = {rule, length, missing: length, final: state.coming.final, text: ""};
      if (rule.do === "skip" && (state.mail.size + length) * 2 > state.limit * 3) {
        this.endChunk(state.chunk);
        state.connected = false;
      } else if (!length) {
        this.endChunk(state.chunk);
      }
    }

    endChunk(chunk) {
      const state = this.state, names = {bytes: String(chunk.length)};
      state.chunk = null;
      if (chunk.rule.do === "skip") {
        this.reply(chunk.rule, "bdat", names);
        const size = state.mail.size + chunk.length;
        if (chunk.final) {
          state.mail = transaction();
        } else {
          state.mail.chunking = "failed";
          state.mail.size = size;
        }
        return;
      }
      state.mail.chunking = "taken";
      this.addChunk(chunk);
      if (!chunk.final && state.mail.size <= state.limit) {
        this.reply(chunk.rule, "bdat", names);
        return;
      }
      this.finishMessage(state.mail.size, state.mail.text.hops);
      if (!chunk.final) state.mail.chunking = "failed";
    }

    addChunk(chunk) {
      const mail = this.state.mail, piece = this.state.server.limits.line;
      mail.text = mail.text || new Text(mail.size);
      const lines = (mail.rest + chunk.text).split("\n");
      mail.rest = lines.pop();
      lines.forEach((line) => { mail.text.add(withoutReturn(line, this.state.lenient), piece); });
      if (chunk.final && mail.rest) mail.text.add(mail.rest, piece);
      mail.size = mail.text.size;
    }

    finishMessage(size, hops) {
      const state = this.state;
      const known = {"message-large": size > state.limit, "hops-full": hops >= state.server.limits.hops};
      this.apply("message", known, {total: String(size), queue: queueId(state.queued)});
    }

    apply(stage, more, names) {
      const everything = Object.assign(this.facts(), more);
      const rule = this.table.stages[stage].rules.find((one) => fits(one.when, everything));
      if (!rule) return false;
      if (rule.do === "skip" || rule.do === "take") {
        this.awaitChunk(rule);
      } else {
        this.reply(rule, stage, names);
        this.act(rule, names);
      }
      return true;
    }

    facts() {
      const state = this.state, knowsLogins = state.listener.tls !== "none", known = {};
      state.server.switches.forEach((one) => { known[one.id] = state.switches.includes(one.id); });
      return Object.assign(known, {
        "tls-implicit": state.listener.tls === "implicit", "tls-demanded": state.listener.tls === "starttls",
        tls: state.tls, logins: knowsLogins, helo: state.helo, user: state.user !== "",
        "may-relay": state.client.trusted || state.user !== "", "client-refused": knowsLogins && state.user === "",
        transaction: state.mail.open, recipients: state.mail.recipients > 0, chunking: state.mail.chunking
      });
    }

    reply(rule, stage, names) {
      const state = this.state, server = state.server, all = Object.assign({
        host: server.host, client: `${state.client.name}[${state.client.address}]`, user: state.user,
        sender: state.mail.sender, limit: String(state.limit)
      }, names);
      Object.keys(all).forEach((name) => { all[name] = decoded(all[name], false); });
      const text = filled(rule.reply, all), known = this.facts();
      let lines = text ? [text] : [];
      if (rule.do === "greet-esmtp") {
        lines = [text.slice(4)];
        server.offers.forEach((one) => {
          if (fits(one.when, known)) lines.push(filled(one.line, all));
        });
        lines = lines.map((line, place) => (place < lines.length - 1 ? "250-" : "250 ") + line);
      }
      this.replies.push({
        lines, rule: rule.id, why: filled(rule.why, all), see: this.table.stages[stage].see.concat(rule.see)
      });
      const forgiven = rule.id === "rcpt-many" && state.mail.overshoot < server.limits["recipients-over"];
      if (rule.id === "rcpt-many") state.mail.overshoot += 1;
      if ((text[0] === "4" || text[0] === "5") && !forgiven) state.errors += 1;
    }

    act(rule, names) {
      const state = this.state;
      switch (rule.do) {
      case "close":
        state.connected = false;
        break;
      case "greet":
      case "greet-esmtp":
        state.mail = transaction();
        state.helo = true;
        state.esmtp = state.esmtp || rule.do === "greet-esmtp";
        break;
      case "encrypt":
        state.mail = transaction();
        state.tls = true;
        state.helo = false;
        this.input = "";
        break;
      case "ask":
        state.asked = true;
        break;
      case "log-in":
        state.user = state.step.user;
        break;
      case "reset":
        state.mail = transaction();
        break;
      case "begin":
        state.transactions += 1;
        state.mail.open = true;
        state.mail.sender = names.address;
        break;
      case "add":
        state.mail.recipients += 1;
        break;
      case "remember":
        const key = facts.greylistKey(state, names.address);
        if (!state.met.has(key)) state.met.set(key, state.transactions);
        break;
      case "receive":
        state.message = new Text();
        break;
      case "accept":
        state.queued += 1;
        state.errors = state.idle = 0;
        state.mail = transaction();
        break;
      }
    }

    spoken() {
      const spoken = this.replies;
      this.replies = [];
      return spoken;
    }
  }

  function fits(when, known) {
    return Object.keys(when).every((name) => {
      return Array.isArray(when[name]) ? when[name].includes(known[name]) : known[name] === when[name];
    });
  }

  function filled(text, names) {
    return text.replace(/\{([a-z]+)\}/g, (_, name) => Object.prototype.hasOwnProperty.call(names, name) ? names[name] : "");
  }

  function isEndless(line, longest) {
    return line.length > 2 * longest - 2;
  }

  function queueId(number) {
    function part(start, step) {
      return ((start + number * step) % 0x100000).toString(16).toUpperCase().padStart(5, "0");
    }
    return part(0x717f5, 0x1b3d5) + part(0xd21a0, 0x0a7c9);
  }

  window.smtplab.Session = Session;
})();

/* Reads addresses as people type them: names beyond ASCII, and with dots and parentheses, need no quotation marks. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { brief, trimSpaces } = smtplab.text;
  const { ATOM } = smtplab.folding;
  const DOT_ATOM = `${ATOM}(?:\\.${ATOM})*`;
  const LOCAL = new RegExp(`^${DOT_ATOM}$`);
  const QUOTED_LOCAL = /^"(?:[ !#-[\]-~]|\\[ -~])*"$/;
  const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
  const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
  const BYTE = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
  const LITERAL = new RegExp(`^\\[(?:${BYTE}(?:\\.${BYTE}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\\]$`);
  const NOT_ATEXT = /[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/;
  const ASCII = /^[\x00-\x7f]*$/;
  const LONGEST_LOCAL = 64;
  const LONGEST_DOMAIN = 255;

  /** Text that cannot be made a field: the fault's id, and what fills its sentence. */
  class Refused extends Error {
    constructor(rule, values = {}) {
      super(rule);
      this.rule = rule;
      this.values = values;
    }
  }

  /** The addresses in a typed list: {name, address}, and groups {name, mailboxes}. Throws Refused. */
  function readAddresses(text) {
    return new Reader(text).addresses();
  }

  class Reader {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }

    addresses() {
      const found = [];
      for (;;) {
        const [name, spec, sign] = this.item();
        if (sign === ":") {
          found.push(this.group(name));
        } else if (sign === ";") {
          throw new Refused("group", { what: "a semicolon stands there without a group before it" });
        } else {
          found.push(this.mailbox(name, spec, found.length));
          this.at -= sign.length;
        }
        if (this.end()) return found;
        this.comma();
      }
    }

    end() {
      this.spaces();
      return this.at >= this.text.length;
    }

    comma() {
      if (this.text[this.at] !== ",") throw new Refused("after-address", { text: this.text.slice(this.at) });
      this.at += 1;
    }

    spaces() {
      while (this.text[this.at] === " ") this.at += 1;
    }

    group(name) {
      if (!name) throw new Refused("group", { what: "a colon stands there without a group's name before it" });
      const mailboxes = [];
      for (;;) {
        const [inner, spec, sign] = this.item();
        if (sign === ":") throw new Refused("group", { what: "a colon stands inside a group, which can hold no other" });
        if (inner || spec || sign === "," || mailboxes.length) {
          mailboxes.push(this.mailbox(inner, spec, mailboxes.length));
        }
        if (sign === ";") return { name, mailboxes };
        if (sign !== ",") {
          throw new Refused("group", { what: `the group '${brief(name, 30)}' is not closed by a semicolon` });
        }
      }
    }

    mailbox(name, spec, place) {
      if (!spec) {
        if (name) throw new Refused("at-missing", { text: name });
        const where = place ? "behind a comma" : trimSpaces(this.text) ? "before a comma" : "";
        throw new Refused("address-missing", { where });
      }
      checkAddress(spec);
      return { name, address: spec };
    }

    /** A display name, an address, and the sign behind them, which is taken too; each may be empty. */
    item() {
      const start = this.at;
      let name = "";
      while (this.at < this.text.length) {
        const sign = this.text[this.at];
        if (sign === '"') name += this.quoted();
        else if (sign === "[") name += this.literal();
        else if (sign === "<") return this.bracketed(displayName(name, this.text.slice(start, this.at)));
        else if (sign === ">") throw new Refused("bracket-stray");
        else if (",;:".includes(sign)) break;
        else {
          name += sign;
          this.at += 1;
        }
      }
      const source = trimSpaces(this.text.slice(start, this.at));
      const sign = this.text.slice(this.at, this.at + 1);
      this.at += sign.length;
      if (sign === ":") return [displayName(name, source), "", sign];
      return source.includes("@") ? ["", source, sign] : [trimSpaces(name), "", sign];
    }

    bracketed(name) {
      const end = this.text.indexOf(">", this.at);
      if (end < 0) throw new Refused("bracket-open");
      const spec = trimSpaces(this.text.slice(this.at + 1, end));
      if (!spec) throw new Refused("address-missing", { where: "between the angle brackets" });
      this.at = end + 1;
      this.spaces();
      const sign = this.text.slice(this.at, this.at + 1);
      if (sign && !",;".includes(sign)) throw new Refused("after-address", { text: this.text.slice(this.at) });
      this.at += sign.length;
      return [name, spec, sign];
    }

    /** The content of the quoted string that begins here. */
    quoted() {
      let kept = "";
      this.at += 1;
      while (this.at < this.text.length) {
        let sign = this.text[this.at];
        if (sign === '"') {
          this.at += 1;
          return kept;
        }
        if (sign === "\\" && this.at + 1 < this.text.length) {
          this.at += 1;
          sign = this.text[this.at];
        }
        kept += sign;
        this.at += 1;
      }
      throw new Refused("quote-open");
    }

    /** An address literal, which holds colons; a bracket that is none is taken by itself. */
    literal() {
      const end = this.text.indexOf("]", this.at);
      const literal = this.text.slice(this.at, end + 1);
      const kept = end > 0 && LITERAL.test(literal) ? literal : "[";
      this.at += kept.length;
      return kept;
    }
  }

  function displayName(name, source) {
    const outside = source.replace(/"(?:[^"\\]|\\[^])*"/g, "");
    if (outside.includes("@")) throw new Refused("name-needs-quotes", { text: trimSpaces(source), sign: "@" });
    return trimSpaces(name);
  }

  /** Hold an address against RFC 5321 section 4.1.2. Throws Refused. */
  function checkAddress(spec) {
    const at = spec.lastIndexOf("@");
    if (at < 0) throw new Refused("at-missing", { text: spec });
    const local = spec.slice(0, at), domain = spec.slice(at + 1);
    if (!local) throw new Refused("local-missing", { text: spec });
    if (!domain) throw new Refused("domain-missing", { text: spec });
    checkLocal(local, spec);
    checkDomain(domain, spec);
  }

  function checkLocal(local, spec) {
    if (!ASCII.test(local)) throw new Refused("local-utf8", { text: spec });
    if (local.includes("=?")) throw new Refused("encoded-place", { text: spec });
    if (!LOCAL.test(local) && !QUOTED_LOCAL.test(local)) {
      if (local.includes(" ")) throw new Refused("address-space", { text: spec });
      const strange = NOT_ATEXT.exec(local);
      if (strange) throw new Refused("local-characters", { text: spec, sign: strange[0] });
      throw new Refused("local-dots", { text: spec });
    }
    if (local.length > LONGEST_LOCAL) throw new Refused("local-length", { length: local.length });
  }

  function checkDomain(domain, spec) {
    if (domain.includes(" ")) throw new Refused("address-space", { text: spec });
    if (!ASCII.test(domain)) throw new Refused("domain-idn", { text: spec, label: aLabel(domain) });
    if (LITERAL.test(domain)) return;
    if (!DOMAIN.test(domain) || domain.length > LONGEST_DOMAIN) throw new Refused("domain-form", { text: domain });
  }

  /** A hint of how a domain beyond ASCII is written; empty where the browser has none. */
  function aLabel(domain) {
    let host = "";
    try {
      host = new URL(`http:${domain}`).hostname;
    } catch {
      return "";
    }
    return DOMAIN.test(host) && host.includes("xn--") ? `, ${host}` : "";
  }

  smtplab.typed = { Refused, readAddresses, DOT_ATOM };
})();

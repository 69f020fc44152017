/* Address lists (RFC 5322 section 3.4) without the obsolete forms of its section 4.4, which may not be written. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { Malformed, tokens } = smtplab.lexer;
  const END = { kind: "", text: "", position: -1, spaced: false };

  /** The addresses in a field's body: {mailboxes: [{name, local, domain, dotted}], groups, count}. Throws Malformed. */
  function parseAddresses(text) {
    return new Parser(text).addresses();
  }

  class Parser {
    constructor(text) {
      this.length = text.length;
      this.tokens = tokens(text);
      this.next = 0;
    }

    addresses() {
      const mailboxes = [], groups = [];
      for (let count = 1; ; count += 1) {
        this.address(mailboxes, groups);
        if (this.peek() === END) return { mailboxes, groups, count };
        this.take(",", "a comma is missing between two addresses");
      }
    }

    peek() {
      return this.tokens[this.next] || END;
    }

    pop() {
      const token = this.peek();
      this.next += 1;
      return token;
    }

    wrong(what) {
      const token = this.peek();
      return new Malformed(what, token === END ? this.length : token.position);
    }

    take(kind, otherwise) {
      if (this.peek().kind !== kind) throw this.wrong(otherwise);
      return this.pop();
    }

    address(mailboxes, groups) {
      const words = this.words();
      if (this.peek().kind === ":" && words.length) {
        this.pop();
        groups.push(joined(words));
        this.group(mailboxes);
      } else {
        mailboxes.push(this.mailbox(words));
      }
    }

    group(mailboxes) {
      while (this.peek().kind !== ";") {
        mailboxes.push(this.mailbox(this.words()));
        if (this.peek().kind !== ";") this.take(",", "the group is not closed by a semicolon");
      }
      this.pop();
    }

    words() {
      const words = [];
      while (["atom", "quoted", "."].includes(this.peek().kind)) words.push(this.pop());
      return words;
    }

    mailbox(words) {
      if (this.peek().kind !== "<") return this.addressSpec(words, "", false);
      this.pop();
      if (words.length && words[0].kind === ".") throw new Malformed("a display name begins with a dot", words[0].position);
      const isDotted = words.some((word) => word.kind === ".");
      if (this.peek().kind === "@") {
        throw this.wrong("a source route, which is no longer used, stands before the address");
      }
      const mailbox = this.addressSpec(this.words(), joined(words), isDotted);
      this.take(">", "the angle bracket is not closed");
      return mailbox;
    }

    addressSpec(words, name, isDotted) {
      if (this.peek().kind !== "@") throw this.wrong(words.length ? "an address has no @" : "an address is missing");
      if (!words.length) throw this.wrong("nothing stands before the @");
      const local = dotted(words, "before the @");
      const sign = this.pop();
      if (sign.spaced) throw new Malformed("white space stands before the @", sign.position);
      return { name, local, domain: this.domain(), dotted: isDotted };
    }

    domain() {
      const token = this.peek();
      if (token.spaced) throw this.wrong("white space stands behind the @");
      if (token.kind === "literal") return this.pop().text;
      const labels = [];
      // A word after white space is no part of the domain: it is what follows the address.
      while (["atom", "."].includes(this.peek().kind) && !this.peek().spaced) labels.push(this.pop());
      if (!labels.length) throw this.wrong("no domain stands behind the @");
      return dotted(labels, "in the domain");
    }
  }

  function joined(words) {
    return words.map((word, place) => (word.spaced && place ? " " : "") + word.text).join("");
  }

  function dotted(words, where) {
    if (words.length > 1 && words.some((word) => word.kind === "quoted")) {
      throw new Malformed(`a quoted string and other words are mixed ${where}`, words[0].position);
    }
    words.forEach((word, place) => {
      if ((word.kind === ".") !== (place % 2 === 1)) {
        const what = word.kind === "." ? "a dot has no word beside it" : "two words stand side by side";
        throw new Malformed(`${what} ${where}`, word.position);
      }
      if (place && word.spaced) throw new Malformed(`white space stands ${where}`, word.position);
    });
    const last = words[words.length - 1];
    if (last.kind === ".") throw new Malformed(`a dot has no word beside it ${where}`, last.position);
    return words.map((word) => word.text).join("");
  }

  smtplab.addresses = { parseAddresses };
})();

/* Writes header fields: folded at 78 characters (RFC 5322 section 2.2.3), with encoded words (RFC 2047). */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { utf8, width, HEX } = smtplab.text;
  const WIDEST = 78;
  const LONGEST_WORD = 75;
  const FRAME = "=?utf-8?Q??=".length;
  const LONGEST_ATOM = 70;
  const LONGEST_QUOTED = 74;
  const SAFE = /^[A-Za-z0-9!*+\-/]$/;
  const PLAIN_WORD = /^[!-~]+$/;
  const PRINTABLE = /^[ -~]*$/;
  const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const ATOMS = new RegExp(`^${ATOM}(?: ${ATOM})*$`);

  /** A header field that grows word by word. */
  class Field {
    constructor(name) {
      this.name = name;
      this.finished = [];
      this.current = `${name}:`;
      this.notes = [];
    }

    get lines() {
      return [...this.finished, this.current];
    }

    /** Whether nothing stands behind the name yet. */
    get begins() {
      return !this.finished.length && this.current === `${this.name}:`;
    }

    /** Add what may not be folded inside, with a space before it. */
    put(token) {
      if (this.current.length + 1 + token.length > WIDEST && !(this.begins && 1 + token.length > WIDEST)) this.fold();
      this.current += ` ${token}`;
    }

    /** Add free text: words as they are, and those that need it as encoded words. */
    text(text) {
      const [words, encoded] = sortWords(text);
      let place = 0;
      while (place < words.length) {
        if (!encoded[place]) {
          this.put(words[place]);
          place += 1;
          continue;
        }
        let end = place;
        while (end < words.length && encoded[end]) end += 1;
        this.encoded(words.slice(place, end).join(" "));
        place = end;
      }
    }

    /** Add a display name: atoms, a quoted string or encoded words, and `tail` behind it. */
    phrase(name, tail = "") {
      const long = name.split(" ").some((word) => word.length > LONGEST_ATOM);
      const quoted = `"${name.replace(/(["\\])/g, "\\$1")}"`;
      if (!PRINTABLE.test(name) || name.includes("=?") || long) {
        this.encodedPhrase(name, tail);
      } else if (ATOMS.test(name)) {
        for (const word of (name + tail).split(" ")) this.put(word);
      } else if (quoted.length <= LONGEST_QUOTED) {
        this.note("quoted-string");
        this.put(quoted + tail);
      } else {
        this.encodedPhrase(name, tail);
      }
    }

    encodedPhrase(name, tail) {
      this.encoded(name);
      // White space parts an encoded word from a special (RFC 2047 section 5 (3)).
      if (tail) this.put(tail);
    }

    /** Add text as encoded words, each of whole characters and short enough for its line. */
    encoded(text) {
      this.note("encoded-words");
      const letter = bestLetter(text);
      let room = Math.min(LONGEST_WORD, WIDEST - this.current.length - 1) - FRAME;
      const whole = letter === "Q" ? qSize(text) : bSize(byteLength(text));
      // What fits into one word is not torn apart; but some readers lose a field whose first line is empty.
      if (room < whole && whole <= LONGEST_WORD - FRAME && !this.begins) {
        this.fold();
        room = LONGEST_WORD - FRAME;
      }
      let pending = "", size = 0;
      for (const char of text) {
        const step = letter === "Q" ? qSize(char) : width(char);
        if ((letter === "Q" ? size + step : bSize(size + step)) > room) {
          if (pending) this.current += ` ${word(letter, pending)}`;
          this.fold();
          pending = "";
          size = 0;
          room = LONGEST_WORD - FRAME;
        }
        pending += char;
        size += step;
      }
      this.current += ` ${word(letter, pending)}`;
    }

    fold() {
      this.note("folded");
      this.finished.push(this.current);
      this.current = "";
    }

    note(id) {
      if (!this.notes.includes(id)) this.notes.push(id);
    }
  }

  /** The words of a text, and which of them have to be encoded: see the Python twin. */
  function sortWords(text) {
    const words = text.split(" ");
    const encoded = words.map((word) => !PLAIN_WORD.test(word) || word.includes("=?") || word.length >= WIDEST);
    words.forEach((word, place) => {
      if (word) return;
      if (place > 0) encoded[place - 1] = true;
      if (place + 1 < words.length) encoded[place + 1] = true;
    });
    return [words, encoded];
  }

  function bestLetter(text) {
    let escaped = 0, count = 0;
    for (const char of text) {
      count += 1;
      if (qSize(char) > 1) escaped += 1;
    }
    return 2 * escaped <= count ? "Q" : "B";
  }

  function qSize(text) {
    let size = 0;
    for (const char of text) size += SAFE.test(char) || char === " " ? 1 : 3 * width(char);
    return size;
  }

  const bSize = (count) => 4 * Math.floor((count + 2) / 3);

  function byteLength(text) {
    let count = 0;
    for (const char of text) count += width(char);
    return count;
  }

  function word(letter, text) {
    if (letter === "B") return `=?utf-8?B?${btoa(utf8(text))}?=`;
    return `=?utf-8?Q?${Array.from(text, q).join("")}?=`;
  }

  function q(char) {
    if (SAFE.test(char)) return char;
    return char === " " ? "_" : Array.from(utf8(char), (byte) => `=${HEX(byte.charCodeAt(0))}`).join("");
  }

  smtplab.folding = { Field, ATOM };
})();

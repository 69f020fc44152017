/* The words of structured header fields (RFC 5322 section 3.2): atoms, quoted strings, literals, comments. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  // What Python's \s is for bytes, which is more than JavaScript's in one place and less in another.
  const SPACES = "\\t-\\r\\x1c-\\x20";
  const ENCODED = `=\\?[^?${SPACES}]*\\?[^?${SPACES}]*\\?[^?${SPACES}]*\\?=`;
  const ENCODED_WORD = new RegExp(ENCODED);
  const ONLY_ENCODED_WORD = new RegExp(`^${ENCODED}$`);
  const SPACE = /[ \t\r\n]+/y;
  const QUOTED = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
  const TOKEN = new RegExp(
    `(?<atom>${ENCODED}|[^ \\t\\r\\n()<>\\[\\]:;@\\\\,."]+)|(?<quoted>"[^"\\\\]*(?:\\\\[^][^"\\\\]*)*")` +
    "|(?<literal>\\[[^\\[\\]\\\\]*(?:\\\\[^][^\\[\\]\\\\]*)*\\])|(?<special>[^])", "y");

  /** Text that breaks a grammar: what is wrong, and where in the text. */
  class Malformed extends Error {
    constructor(what, position) {
      super(what);
      this.what = what;
      this.position = position;
    }
  }

  /** Match a sticky pattern at a place. */
  function at(pattern, text, position) {
    pattern.lastIndex = position;
    return pattern.exec(text);
  }

  /** The text's words {kind, text, position, spaced} without white space and comments. Throws Malformed. */
  function tokens(text) {
    const found = [];
    let position = 0, spaced = false;
    while (position < text.length) {
      const space = at(SPACE, text, position);
      if (space) {
        position += space[0].length;
        spaced = true;
      } else if (text[position] === "(") {
        position = commentEnd(text, position);
        spaced = true;
      } else {
        const token = tokenAt(text, position, spaced);
        found.push(token);
        position += token.text.length;
        spaced = false;
      }
    }
    return found;
  }

  function tokenAt(text, position, spaced) {
    const found = at(TOKEN, text, position);
    for (const kind of ["atom", "quoted", "literal"]) {
      if (found.groups[kind] !== undefined) return { kind, text: found[0], position, spaced };
    }
    if (found[0] === '"') throw new Malformed("a quotation mark is not closed", position);
    if (found[0] === "[") throw new Malformed("a bracket is not closed", position);
    return { kind: found[0], text: found[0], position, spaced };
  }

  /** The position behind the comment that begins at `start`; comments nest. Throws Malformed. */
  function commentEnd(text, start) {
    let depth = 0;
    for (let position = start; position < text.length; position += 1) {
      const char = text[position];
      if (char === "\\") position += 1;
      else if (char === "(") depth += 1;
      else if (char === ")") {
        depth -= 1;
        if (depth === 0) return position + 1;
      }
    }
    throw new Malformed("a comment is not closed", start);
  }

  /** The text with a space in each comment's place. Throws Malformed. */
  function withoutComments(text) {
    if (!text.includes("(")) return text;
    const kept = [];
    let position = 0;
    while (position < text.length) {
      if (text[position] === "(") {
        position = commentEnd(text, position);
        kept.push(" ");
      } else if (text[position] === '"') {
        const quoted = at(QUOTED, text, position);
        if (!quoted) throw new Malformed("a quotation mark is not closed", position);
        kept.push(quoted[0]);
        position += quoted[0].length;
      } else {
        kept.push(text[position]);
        position += 1;
      }
    }
    return kept.join("");
  }

  /** What a step gives, or `otherwise` where the text is malformed. */
  function attempt(step, otherwise) {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      return otherwise(error);
    }
  }

  smtplab.lexer = { SPACES, ENCODED_WORD, ONLY_ENCODED_WORD, Malformed, at, attempt, commentEnd, tokens, withoutComments };
})();

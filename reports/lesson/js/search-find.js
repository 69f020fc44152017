"use strict";
// Finds what the sheets say about words that somebody types. grader/lesson/finding.py is the same, function by function.
(() => {
  const smtplab = window.smtplab;
  const WORD = /[a-z0-9\u00c0-\u024f]+(?:[._-][a-z0-9\u00c0-\u024f]+)*/g;
  const ADDRESS = /<[^<> @]*@[^<> ]*>/g;
  const CONTINUED = /(^|[^a-z0-9._-])([2-5][0-9][0-9])-(?=[a-z0-9])/g;
  const OWN = /^(?:[0-9]+(?:\.[0-9]+){3}|.*\.[a-z_-]+)$/;
  const NUMBERS = /^[0-9.]+$/;
  const ASKED = /^ *(?:what|how|why|who|where|when) (?:is|are|was|does|do|did|can|should|to) (?:(?:an?|the|i|my|you) )?/i;
  const MEANS = / means?[ ?]*$/i;
  const MOST = 30;
  const MOST_WORDS = 24;
  const LONGEST = 400;
  const SHORT = 3;
  const LONG = 8;

  // The words of a text in small letters with a blank around each; "RFC 5321" is one word, "<a@b>" is none.
  function normal(text) {
    const small = text.replace(ADDRESS, " ").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const words = small.replace(CONTINUED, "$1$2 ").match(WORD) || [];
    return ` ${words.join(" ")} `.replace(/ rfc (?=[0-9])/g, " rfc");
  }

  // What a question is about: "what does 550 mean?" is about 550.
  function about(query) {
    const asked = ASKED.exec(query);
    return asked ? query.slice(asked[0].length).replace(MEANS, "") : query;
  }

  function wordsOf(text) {
    return text.split(" ").filter(Boolean);
  }

  // Letters wrong, missing, too many or changed over; most + 1 where they are more.
  function distance(one, other, most) {
    let before = [];
    let last = Array.from({length: other.length + 1}, (_, place) => place);
    for (let i = 1; i <= one.length; i += 1) {
      const row = [i];
      for (let j = 1; j <= other.length; j += 1) {
        const change = one[i - 1] === other[j - 1] ? 0 : 1;
        let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) cost = Math.min(cost, before[j - 2] + 1);
        row.push(cost);
      }
      if (Math.min(...row) > most) return most + 1;
      before = last;
      last = row;
    }
    return last[other.length];
  }

  function prepared([id, title, names, about, lines]) {
    return {id, title: normal(title), names: normal(names), about: normal(about), text: lines.map(normal).join(""), lines};
  }

  // How well a word fits: the beginning of a title counts most, a mention in the text least.
  function fit(one, word) {
    const begun = ` ${word}`;
    if (one.title.startsWith(begun)) return 16;
    if (one.title.includes(begun)) return 12;
    if (one.names.includes(`${begun} `)) return 10;
    if (one.names.includes(begun)) return 8;
    if (one.title.includes(word)) return 6;
    if (one.about.includes(word)) return 4;
    if (one.text.includes(`${begun} `)) return 3;
    return one.text.includes(word) ? 1 : 0;
  }

  // What more it counts that several words stand side by side, as they were typed.
  function asAWhole(one, phrase, words) {
    if (words < 2) return 0;
    if (one.title.includes(phrase) || one.names.includes(phrase)) return 40;
    return one.text.includes(phrase) || one.about.includes(phrase) ? 30 : 0;
  }

  // The first of the lines with most of the words, where title and summary lack some of them.
  function bestLine(one, words) {
    if (words.every((word) => one.title.includes(word) || one.about.includes(word))) return "";
    const phrase = ` ${words.join(" ")} `;
    let best = "";
    let most = 0;
    for (const line of one.lines) {
      const plain = normal(line);
      const score = words.filter((word) => plain.includes(word)).length + (plain.includes(phrase) ? 1 : 0);
      if (score > most) [best, most] = [line, score];
    }
    return best;
  }

  function rank(all, words) {
    const fits = all.map((one) => ({one, fits: words.map((word) => fit(one, word))}));
    const many = (hit) => hit.fits.filter(Boolean).length;
    let whole = words.length ? fits.filter((hit) => hit.fits.every(Boolean)) : [];
    const partly = !whole.length && words.length > 0;
    if (partly) {
      const most = Math.max(...fits.map(many));
      whole = fits.filter((hit) => many(hit) === most);
    }
    const phrase = ` ${words.join(" ")} `;
    const scored = whole.map((hit) => ({
      one: hit.one,
      score: hit.fits.reduce((sum, one) => sum + one, 0) + asAWhole(hit.one, phrase, words.length)
    }));
    scored.sort((a, b) => b.score - a.score || a.one.title.length - b.one.title.length);
    return {ranked: scored.slice(0, MOST).map((hit) => hit.one), partly};
  }

  function before(a, b) {
    return a.far - b.far || b.count - a.count || (a.word < b.word ? -1 : 1);
  }

  // smtplab.searching(documents).find("relay denied"): the best first, and what the words were taken for.
  smtplab.searching = (documents) => {
    const all = documents.map(prepared);
    const count = new Map();
    for (const one of all) {
      const words = new Set(wordsOf(one.title + one.names + one.about + one.text));
      words.forEach((word) => count.set(word, (count.get(word) || 0) + 1));
    }

    // The word of the sheets that is nearest, the most frequent of several; empty where none is near.
    function near(word) {
      const allowed = word.length <= SHORT || NUMBERS.test(word) ? 0 : word.length < LONG ? 1 : 2;
      let best = null;
      if (!allowed) return "";
      for (const [known, times] of count) {
        if (Math.abs(known.length - word.length) > allowed) continue;
        const one = {word: known, far: distance(word, known, allowed), count: times};
        if (one.far <= allowed && (!best || before(one, best) < 0)) best = one;
      }
      return best ? best.word : "";
    }

    function find(query) {
      const asked = [...new Set(wordsOf(normal(about(query.slice(0, LONGEST)))))].slice(0, MOST_WORDS);
      const known = [];
      const instead = [];
      for (const word of asked) {
        if (all.some((one) => fit(one, word))) {
          known.push(word);
          continue;
        }
        const own = OWN.test(word);
        let other = near(word);
        if (own && !other.includes(".")) other = "";
        if (other || !own) instead.push([word, other]);
        if (other && !known.includes(other)) known.push(other);
      }
      const {ranked, partly} = rank(all, known);
      return {hits: ranked.map((one) => ({id: one.id, line: bestLine(one, known)})), instead, partly};
    }
    return {find};
  };
})();

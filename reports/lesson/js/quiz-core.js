"use strict";
// Draws a check and marks answers, by the rules of grader/kinds/quiz/draw.py and grader/kinds/quiz/judge/marking.py. A test
// holds both sides against each other.
(() => {
  const core = (window.smtplab.quiz = {});

  // A seed is 1 to 64 letters, digits, dots and dashes of ASCII.
  core.validSeed = (seed) => {
    return typeof seed === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(seed);
  };

  // A number of 32 bits for a thing under a seed: FNV-1a over the words, stirred as MurmurHash3 ends.
  core.rank = (...words) => {
    const bytes = new TextEncoder().encode(words.join("\0"));
    let number = 0x811c9dc5;
    for (let place = 0; place < bytes.length; place += 1) number = Math.imul(number ^ bytes[place], 0x01000193);
    number = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
    number = Math.imul(number ^ (number >>> 13), 0xc2b2ae35);
    return (number ^ (number >>> 16)) >>> 0;
  };

  // Compares two lists place by place; strings by their characters' codes.
  function order(one, other) {
    for (let place = 0; place < one.length; place += 1) {
      if (one[place] < other[place]) return -1;
      if (one[place] > other[place]) return 1;
    }
    return 0;
  }
  function sorted(things, key) {
    return things
      .map((thing) => ({thing, key: key(thing)}))
      .sort((one, other) => order(one.key, other.key))
      .map((pair) => pair.thing);
  }

  core.draw = (questions, seed, number) => {
    const left = sorted(questions, (question) => {
      return [core.rank(seed, "question", question.id), question.id];
    });
    const drawn = [], topics = {}, difficulties = {};
    let singles = 0;
    while (left.length && drawn.length < number) {
      let best = null, bestKey = null;
      left.forEach((question) => {
        const key = [
          topics[question.topic] || 0,
          core.rank(seed, "topic", question.topic),
          question.topic,
          question.kind === "single" && singles * 2 >= number ? 1 : 0,
          difficulties[question.difficulty] || 0,
        ];
        if (best === null || order(key, bestKey) < 0) { best = question; bestKey = key; }
      });
      left.splice(left.indexOf(best), 1);
      drawn.push(best);
      topics[best.topic] = (topics[best.topic] || 0) + 1;
      difficulties[best.difficulty] = (difficulties[best.difficulty] || 0) + 1;
      if (best.kind === "single") singles += 1;
    }
    return sorted(drawn, (question) => {
      return [question.difficulty, core.rank(seed, "place", question.id)];
    });
  };

  core.choices = (question) => {
    if (question.options) return question.options.map((option) => option.text);
    if (question.items) return question.items.map((item) => item.text);
    if (question.pairs) return question.pairs.map((pair) => pair.right);
    return [];
  };

  // The order in which choices are shown, as their places in the bank; never one that gives an order or pairs away.
  core.arrange = (question, seed) => {
    const places = core.choices(question).map((_, place) => place);
    const shown = sorted(places, (place) => {
      return [core.rank(seed, "choice", question.id, String(place)), place];
    });
    const tells = question.kind === "order" || question.kind === "match";
    const same = shown.every((place, position) => place === position);
    return tells && same ? shown.slice(1).concat(shown[0]) : shown;
  };

  // A text as answers are compared.
  const QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"};
  core.joined = (text) => trimmed(text.normalize("NFKC").replace(/[ \t\n\v\f\r\u00a0]+/g, " "));
  core.plain = (text, exact) => {
    text = core.joined(text);
    if (text.length > 2 && QUOTES[text[0]] === text[text.length - 1]) text = trimmed(text.slice(1, -1));
    if (text.length > 1 && text.endsWith(".") && !text.endsWith("..")) text = text.slice(0, -1).replace(/ +$/, "");
    return exact ? text : text.toLowerCase();
  };
  function trimmed(text) { return text.replace(/^ +| +$/g, ""); }

  // What an answer is worth, and what there is to say to it: {got, of, said: [{tone, text, about}]}. An answer is the
  // text filled in, or places in the bank: options chosen, items in the order given, for each left side its right one.
  core.mark = (question, given) => {
    if (question.kind === "fill") return filled(question, typeof given === "string" ? given : "");
    const places = Array.isArray(given) ? given : [];
    if (question.kind === "single") return chosen(question, places.slice(0, 1), 1);
    if (question.kind === "multiple") {
      return chosen(question, places, question.options.filter((option) => option.right).length);
    }
    return question.kind === "order" ? ordered(question, places) : matched(question, places);
  };

  core.right = (marked) => marked.got === marked.of;
  core.points = (marked, most) => Math.floor((most * marked.got) / marked.of);

  function said(tone, text, about) { return {tone, text, about: about || ""}; }

  // Numbers in words, as grader/kinds/quiz/judge/spelled.py reads them.
  const VALUES = {};
  ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    + "eighteen nineteen").split(" ").forEach((word, value) => { VALUES[word] = value; });
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").forEach((word, tens) => {
    VALUES[word] = 10 * (tens + 2);
  });
  const WORD = Object.keys(VALUES).sort((one, other) => other.length - one.length).concat("hundred", "thousand").join("|");
  const RUN = new RegExp(`(^|[^A-Za-z0-9_-])((?:${WORD})(?:(?: and |[ -])(?:${WORD}))*)(?![A-Za-z0-9_-])`, "gi");

  core.withDigits = (text) => {
    if (Array.from(text).length > 200) return text;
    return text.replace(RUN, (_, before, run) => before + spelled(run, run === text));
  };

  function spelled(run, alone) {
    const named = run.toLowerCase().split(/ and |[ -]/);
    if (named.length === 1 && named[0] === "one" && !alone) return run;
    const values = named.map((word) => (word in VALUES ? VALUES[word] : -1));
    if (values.length > 1 && values.every((value) => value >= 0 && value < 10)) return values.join("");
    if ((values.length === 2 || values.length === 3) && values[0] > 0 && values[0] < 10 && values[1] >= 10) {
      const rest = sumOf(named.slice(1));
      return rest === null || rest > 99 ? run : String(100 * values[0] + rest);
    }
    const total = sumOf(named);
    return total === null ? run : String(total);
  }

  function sumOf(named) {
    let total = 0, current = 0, room = 1000;
    for (let place = 0; place < named.length; place += 1) {
      const word = named[place];
      if (word === "thousand") {
        if (total) return null;
        total = 1000 * Math.max(current, 1);
        current = 0;
        room = 1000;
      } else if (word === "hundred") {
        if (current >= 100) return null;
        current = 100 * Math.max(current, 1);
        room = 100;
      } else {
        const value = VALUES[word];
        if (value >= room || (current && !value)) return null;
        current += value;
        room = value >= 20 ? 10 : 1;
      }
    }
    return total + current;
  }

  function filled(question, text) {
    const forms = core.forms(question, text);
    const known = new Map(question.answers.map((answer) => [core.plain(answer.text, question.exact), answer]));
    const found = known.get(forms.find((form) => known.has(form)));
    if (found && found.right) return {got: 1, of: 1, said: [said("right", found.feedback)]};
    const wrong = found ? [said("wrong", found.feedback)] : [];
    return {got: 0, of: 1, said: wrong.concat(said("missed", question.wrong))};
  }

  function chosen(question, places, right) {
    const wrong = question.options.length - right, told = [];
    let hits = 0, slips = 0;
    question.options.forEach((option, place) => {
      if (places.includes(place)) {
        told.push(said(option.right ? "right" : "wrong", option.feedback, option.text));
        if (option.right) hits += 1;
        else slips += 1;
      } else if (option.right) told.push(said("missed", option.missed, option.text));
    });
    const got = Math.max(0, hits * wrong - slips * right), of = right * wrong, divisor = common(got, of);
    return {got: got / divisor, of: of / divisor, said: told};
  }
  function common(one, other) { return other ? common(other, one % other) : one; }

  function ordered(question, places) {
    return parts(question.items, "text", (place) => {
      const position = places.lastIndexOf(place);
      return position >= 0 && (position ? places[position - 1] : -1) === place - 1;
    });
  }

  function matched(question, places) {
    return parts(question.pairs, "left", (place) => places[place] === place);
  }

  function parts(things, name, isRight) {
    const told = [];
    things.forEach((thing, place) => {
      if (!isRight(place)) told.push(said("missed", thing.feedback, thing[name]));
    });
    return {got: things.length - told.length, of: things.length, said: told};
  }
})();

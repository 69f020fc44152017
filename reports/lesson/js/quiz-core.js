"use strict";
// Draws a check and marks answers, by the rules of grader/kinds/quiz/draw.py and grader/kinds/quiz/judge/marking.py. A test
// holds both sides against each other.
(function () {
  var core = (window.smtplab.quiz = {});

  // A seed is 1 to 64 letters, digits, dots and dashes of ASCII.
  core.validSeed = function (seed) {
    return typeof seed === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(seed);
  };

  // A number of 32 bits for a thing under a seed: FNV-1a over the words, stirred as MurmurHash3 ends.
  core.rank = function () {
    var bytes = new TextEncoder().encode(Array.prototype.join.call(arguments, "\0"));
    var number = 0x811c9dc5;
    for (var place = 0; place < bytes.length; place += 1) number = Math.imul(number ^ bytes[place], 0x01000193);
    number = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
    number = Math.imul(number ^ (number >>> 13), 0xc2b2ae35);
    return (number ^ (number >>> 16)) >>> 0;
  };

  // Compares two lists place by place; strings by their characters' codes.
  function order(one, other) {
    for (var place = 0; place < one.length; place += 1) {
      if (one[place] < other[place]) return -1;
      if (one[place] > other[place]) return 1;
    }
    return 0;
  }
  function sorted(things, key) {
    return things
      .map(function (thing) { return {thing: thing, key: key(thing)}; })
      .sort(function (one, other) { return order(one.key, other.key); })
      .map(function (pair) { return pair.thing; });
  }

  core.draw = function (questions, seed, number) {
    var left = sorted(questions, function (question) {
      return [core.rank(seed, "question", question.id), question.id];
    });
    var drawn = [], topics = {}, difficulties = {}, singles = 0;
    while (left.length && drawn.length < number) {
      var best = null, bestKey = null;
      left.forEach(function (question) {
        var key = [
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
    return sorted(drawn, function (question) {
      return [question.difficulty, core.rank(seed, "place", question.id)];
    });
  };

  core.choices = function (question) {
    if (question.options) return question.options.map(function (option) { return option.text; });
    if (question.items) return question.items.map(function (item) { return item.text; });
    if (question.pairs) return question.pairs.map(function (pair) { return pair.right; });
    return [];
  };

  // The order in which choices are shown, as their places in the bank; never one that gives an order or pairs away.
  core.arrange = function (question, seed) {
    var places = core.choices(question).map(function (_, place) { return place; });
    var shown = sorted(places, function (place) {
      return [core.rank(seed, "choice", question.id, String(place)), place];
    });
    var tells = question.kind === "order" || question.kind === "match";
    var same = shown.every(function (place, position) { return place === position; });
    return tells && same ? shown.slice(1).concat(shown[0]) : shown;
  };

  // A text as answers are compared.
  var QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"};
  core.plain = function (text, exact) {
    text = trimmed(text.normalize("NFKC").replace(/[ \t\n\v\f\r\u00a0]+/g, " "));
    if (text.length > 2 && QUOTES[text[0]] === text[text.length - 1]) text = trimmed(text.slice(1, -1));
    if (text.length > 1 && text.endsWith(".")) text = text.slice(0, -1).replace(/ +$/, "");
    return exact ? text : text.toLowerCase();
  };
  function trimmed(text) { return text.replace(/^ +| +$/g, ""); }

  // What an answer is worth, and what there is to say to it: {got, of, said: [{tone, text, about}]}. An answer is the
  // text filled in, or places in the bank: options chosen, items in the order given, for each left side its right one.
  core.mark = function (question, given) {
    if (question.kind === "fill") return filled(question, typeof given === "string" ? given : "");
    var places = Array.isArray(given) ? given : [];
    if (question.kind === "single") return chosen(question, places.slice(0, 1), 1);
    if (question.kind === "multiple") {
      return chosen(question, places, question.options.filter(function (option) { return option.right; }).length);
    }
    return question.kind === "order" ? ordered(question, places) : matched(question, places);
  };

  core.right = function (marked) { return marked.got === marked.of; };
  core.points = function (marked, most) { return Math.floor((most * marked.got) / marked.of); };

  function said(tone, text, about) { return {tone: tone, text: text, about: about || ""}; }

  function filled(question, text) {
    var numbers = text.match(/[0-9]+/g) || [];
    var typed = [core.plain(text, question.exact)];
    // "port 25" and "25/tcp" mean 25.
    if (numbers.length === 1) typed.push(numbers[0]);
    var found = question.answers.find(function (answer) {
      return typed.includes(core.plain(answer.text, question.exact));
    });
    if (found && found.right) return {got: 1, of: 1, said: [said("right", found.feedback)]};
    var wrong = found ? [said("wrong", found.feedback)] : [];
    return {got: 0, of: 1, said: wrong.concat(said("missed", question.wrong))};
  }

  function chosen(question, places, right) {
    var wrong = question.options.length - right, hits = 0, slips = 0, told = [];
    question.options.forEach(function (option, place) {
      if (places.includes(place)) {
        told.push(said(option.right ? "right" : "wrong", option.feedback, option.text));
        if (option.right) hits += 1;
        else slips += 1;
      } else if (option.right) told.push(said("missed", option.missed, option.text));
    });
    var got = Math.max(0, hits * wrong - slips * right), of = right * wrong, divisor = common(got, of);
    return {got: got / divisor, of: of / divisor, said: told};
  }
  function common(one, other) { return other ? common(other, one % other) : one; }

  function ordered(question, places) {
    return parts(question.items, "text", function (place) {
      var position = places.lastIndexOf(place);
      return position >= 0 && (position ? places[position - 1] : -1) === place - 1;
    });
  }

  function matched(question, places) {
    return parts(question.pairs, "left", function (place) { return places[place] === place; });
  }

  function parts(things, name, isRight) {
    var told = [];
    things.forEach(function (thing, place) {
      if (!isRight(place)) told.push(said("missed", thing.feedback, thing[name]));
    });
    return {got: things.length - told.length, of: things.length, said: told};
  }
})();

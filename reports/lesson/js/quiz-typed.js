"use strict";
// What a typed answer may mean, as grader/kinds/quiz/judge/typed.py, wrapping.py and measures.py read it. A test holds both
// sides against each other.
(() => {
  const core = window.smtplab.quiz;
  const LONGEST = 300;

  const WRAPPED = [
    /^\$([^$]+)\$$/,
    /^\\\((.+)\\\)$/,
    /^\\(?:text|mathrm|mathbf|math)(?:bf|it|tt|rm)?\{([^{}]+)\}$/,
    /^\*{1,2}([^*]+)\*{1,2}$/,
    /^\(([^()]+)\)$/,
  ];
  const PROMPT = /^(?:[cs]\+?: ?|\$ |<-+ |-+> |[a-z0-9_.-]+@[a-z0-9.-]+:[^ ]*[#$] )(.+)$/;
  const NUMERO = "\u2116";
  const SURE = /([a-z0-9])[!?]+$/;
  const REPLY = /^[2-5][0-9][0-9][ -]([a-z].*)$/;
  const AROUND = /^(?:an?|the) |(?!^) ?[:;,=]$/g;
  const NOUN = "(?:(?:user|host|domain|port|reply)(?: ?name| number| code)?|field|header|line|command|tag|label|word|mechanism"
    + "|extension|protocol|parameter|address|result|term|code|name|number|character|sign|option)";
  const FRONT = new RegExp(`^(?:(?:an?|the|one|single) )*(?:${NOUN}(?: ?[:=] ?| is | )|)(?=.)`);
  const BEHIND = new RegExp(`(?!^)(?: ?[:=])? ${NOUN}$`);
  const ASIDE = /^([^()]+?) ?\(([^()]*)\)$/;
  const CHOICE = /(?:^|[^a-z])(?:or|oder|and|und)(?:[^a-z]|$)|\//;
  const EITHER = / or | oder | - |[/,;:=]/;
  const ARGUMENT = /:? ?<.*$/;
  const GAP = /_{4,}/;
  const ADDRESS = /(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9/]|\.[0-9a-z])/g;
  const WHOLE_ADDRESS = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/;

  const BESIDE = new RegExp("(?:rfc ?[0-9]+|section [0-9.]+|(?:ip ?v|tls ?v?|ssl ?v?|version |v)[0-9](?:\\.[0-9]+)*"
    + "|(?<![0-9.])[245]\\.[0-9]{1,3}\\.[0-9]{1,3}(?![0-9.]))(?![0-9])", "g");
  const REFUSED = new RegExp("[,;(]? ?(?:and |but )?(?:not|never|instead of|rather than) (?:port |code |number )?[0-9]+\\)?"
    + "(?:,? but| rather)?", "g");
  const ZEROS = /(?<![0-9.,])([0-9]+)[.,]0{1,2}(?![0-9.,])/g;
  const REACHED = /^[^=]*[0-9][^=]*[-+*\u2212\u00d7][^=]*= ?([0-9]+ ?[a-z]*)$/;
  const SIGN = /(?:<=|\u2264) ?(?=[0-9])/g;
  const LIMIT = new RegExp("(?:not? more than|at most|up to|max(?:imum|\\.)?(?: of)?) ?(?=[0-9])"
    + "|(?<=[0-9]) (?:at most|max(?:imum|\\.)?)$", "g");
  const ASKS_LIMIT = /at most|maxim|how many|limit|allowed/;
  const ASKS_ONE = /\b(?:port|code)\b/;
  const ANOTHER_NUMBER = new RegExp(
    "^[^a-z0-9_]*[-\u2212\u2013][0-9]|!=|![ ]?[0-9]|[\u2260\u2264\u2265~]|[<>]=? ?[0-9]+ ?$|[0-9] ?\\+"
    + "|\\b(?:not|isn['\u2019]?t|never|no|non|neither|without|but|except|other than|(?:more|less|fewer|greater) than"
    + "|over|under|above|below|at least|min(?:imum|\\.)?)"
    + "[ -](?:(?:an?|the|on|at|by|of|tcp|port|code|number|reply)[ -])*[0-9]"
    + "|[0-9] (?:each\\b|per [a-z])|^[^<]*[0-9] ?[<>]$"
    + "|[0-9] (?:or|and) (?:more|less|so|above|below|up)\\b|\\bfrom (?:port )?[0-9]+ (?:on|up)"
    + "|[0-9] ?(?:is |are |was )?(?:not|isn['\u2019]?t|no)\\b|\\b(?:wrong|false|incorrect)\\b");

  const UNIT_OF = {};
  Object.entries({
    ns: "ns nanosecond nanoseconds",
    us: "us \u00b5s \u03bcs microsecond microseconds",
    ms: "ms msec msecs millisecond milliseconds millisekunden milisegundos",
    s: "s sec secs second seconds sekunde sekunden segundo segundos seg",
    min: "m min mins minute minutes minuten minuto minutos ' \u2032",
    h: "h hr hrs hour hours std stunde stunden hora horas",
    d: "d day days tag tage d\u00eda d\u00edas dia dias",
    week: "week weeks woche wochen semana semanas",
    month: "month months monat monate mes meses",
    year: "year years jahr jahre a\u00f1o a\u00f1os",
    bit: "bit bits",
    byte: "b byte bytes octet octets oktett oktette octeto octetos character characters char chars zeichen",
    kilo: "k kb kib kilobyte kilobytes",
    mega: "mb mib megabyte megabytes",
    giga: "gb gib gigabyte gigabytes",
    percent: "% \u2030 percent prozent pct",
  }).forEach(([unit, words]) => words.split(" ").forEach((word) => { UNIT_OF[word] = unit; }));
  const UNIT = /([0-9]+) ?(%|\u2030|'|\u2032|[a-z\u00b5\u03bc\u00ed\u00f1]+)/g;
  const WORD = /[a-z\u00ed\u00f1]{3,}|%|(?:\((?:in )?|\bin )[a-z\u00b5]{1,2}\b/g;

  // All that a text may mean, the nearest first.
  core.forms = (question, text) => {
    const typed = core.plain(text, question.exact), digits = core.withDigits(typed);
    if (Array.from(text).length > LONGEST) return [typed];
    if (question.exact) return [typed, digits, onlyNumber(question, core.withDigits(typed.toLowerCase()))];
    return [typed, typed.replace(AROUND, ""), digits].concat(unwrapped(question, text));
  };

  function unwrapped(question, text) {
    const whole = core.joined(text.split(NUMERO).join(" ")).toLowerCase(), bare = bared(whole), named = core.plain(bare);
    const forms = [named, onlyAddress(question, whole)];
    forms.push(...inGap(question, [core.plain(whole), whole, named, bare]));
    if (question.ask.toLowerCase().includes("command")) forms.push(core.plain(bare.replace(ARGUMENT, "")));
    if (/[a-z]-[a-z]/.test(named)) forms.push(named.replace(/-/g, " "));
    const reply = REPLY.exec(named);
    if (reply) forms.push(core.plain(reply[1]));
    forms.push(withoutNoun(named), onlyNumber(question, core.withDigits(bare)));
    const aside = ASIDE.exec(bare);
    if (aside && !CHOICE.test(aside[2]) && !knownWrong(question, aside[2])) {
      forms.push(core.plain(aside[1]), withoutNoun(core.plain(aside[1])));
    }
    forms.push(anyOf(question, bare));
    return forms;
  }

  function bared(text) {
    text = takenOut(text.replace(SURE, "$1"));
    const found = PROMPT.exec(text);
    return found ? takenOut(found[1]) : text;
  }

  function takenOut(text) {
    for (let time = 0; time < 3; time += 1) {
      WRAPPED.forEach((pattern) => {
        const found = pattern.exec(text);
        if (found) text = found[1].replace(/^ +| +$/g, "");
      });
    }
    return text;
  }

  function withoutNoun(text) {
    for (let time = 0; time < 2; time += 1) text = core.plain(text.replace(FRONT, "")).replace(BEHIND, "");
    return core.plain(text).replace(AROUND, "");
  }

  function knownWrong(question, text) {
    return question.answers.some((answer) => !answer.right && core.plain(answer.text) === core.plain(text));
  }

  function anyOf(question, text) {
    const parts = text.split(EITHER).map((part) => core.plain(part));
    const right = question.answers.filter((answer) => answer.right).map((answer) => core.plain(answer.text));
    return parts.length > 1 && parts.every((part) => right.includes(part)) ? parts[0] : "";
  }

  function inGap(question, texts) {
    const inAsk = question.ask.match(/`([^`]*)`/g) || [], found = [];
    const lines = (question.quote || "").split("\n").concat(inAsk.map((code) => code.slice(1, -1)));
    const around = lines.map((line) => line.split(GAP).map((side) => tight(side.toLowerCase())))
      .filter((sides) => sides.length === 2)
      .map((sides) => [sides[0].replace(/ +$/, ""), sides[1]]);
    question.answers.forEach((answer) => {
      const inner = tight(core.plain(answer.text));
      texts.map(tight).forEach((text) => {
        for (let at = text.indexOf(inner); at >= 0; at = text.indexOf(inner, at + 1)) {
          const front = text.slice(0, at).replace(/ +$/, ""), behind = text.slice(at + inner.length);
          if (around.some(([before, after]) => before.endsWith(front) && after.startsWith(behind))) {
            found.push(core.plain(answer.text));
          }
        }
      });
    });
    return found;
  }

  function tight(text) { return text.replace(/[ \t]+/g, " ").replace(/ *= */g, "="); }

  function onlyAddress(question, text) {
    if (!question.answers.some((answer) => answer.right && WHOLE_ADDRESS.test(answer.text))) return "";
    const found = new Set(text.match(ADDRESS) || []);
    return found.size === 1 && !/\b(?:not|no|but|or)\b/.test(text) ? Array.from(found)[0] : "";
  }

  function onlyNumber(question, text) {
    text = text.replace(BESIDE, "");
    const less = text.replace(REFUSED, " "), asked = question.ask.toLowerCase();
    if (/[0-9]/.test(less)) text = less;
    text = text.replace(ZEROS, "$1").replace(/[. ]+$/, "").replace(REACHED, "$1");
    if (ASKS_LIMIT.test(asked)) text = text.replace(SIGN, "");
    if (!ASKS_ONE.test(asked)) text = text.replace(LIMIT, "");
    else if (text.search(LIMIT) >= 0) return "";
    const found = new Set(text.match(/(?<![a-z0-9])[0-9]+/g) || text.match(/[0-9]+/g) || []);
    if (found.size !== 1 || ANOTHER_NUMBER.test(text)) return "";
    const [number] = found;
    return measuredOtherwise(question, text, number) ? "" : number;
  }

  function measuredOtherwise(question, text, number) {
    const known = [question.ask].concat(question.answers.filter((answer) => answer.right).map((answer) => answer.text));
    const words = known.flatMap((said) => said.toLowerCase().match(WORD) || [])
      .map((word) => word.replace(/^\(/, "").replace(/^in /, ""));
    const named = words.filter((word) => word !== "second").map((word) => UNIT_OF[word]).filter(Boolean);
    const asked = named.length ? named : ["byte", "s"];
    return Array.from(text.matchAll(UNIT)).some((found) => {
      const unit = UNIT_OF[found[2]];
      return found[1] === number && unit && !asked.includes(unit);
    });
  }
})();

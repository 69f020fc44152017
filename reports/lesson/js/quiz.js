"use strict";
// The knowledge check: ten questions drawn by a seed, each answered by itself. The first answer counts; after a wrong one
// the reader may try again or see the solution. Progress stays in this browser.
(() => {
  const smtplab = window.smtplab, make = smtplab.make, prose = smtplab.prose, core = smtplab.quiz;
  const KEY = "smtplab-quiz", KEPT = 20, NUMBER = 10, POINTS = 10;
  const LEVELS = ["", "recall", "understanding", "judgement"];
  const data = smtplab.data();
  // The bank is encoded, so that neither a look at the source nor a search in the page shows an answer by chance.
  const bank = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(data.bank), (sign) => {
    return sign.charCodeAt(0);
  })));
  const at = {};
  ["seed", "topic", "open", "new", "score", "map", "questions", "result", "say", "trouble"].forEach((name) => {
    at[name] = document.getElementById(`quiz-${name}`);
  });
  let check = null;

  // Progress: {"seed topic": {question id: {given, got, of, tries, shown}}}, the newest check last.
  function progress() {
    const kept = smtplab.recall(KEY);
    return kept && typeof kept === "object" && !Array.isArray(kept) ? kept : {};
  }
  function keep() {
    const kept = progress();
    delete kept[check.name];
    kept[check.name] = check.done;
    Object.keys(kept).slice(0, -KEPT).forEach((name) => { delete kept[name]; });
    smtplab.remember(KEY, kept);
  }

  function fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    const topic = given.get("topic") || "";
    return {
      seed: given.get("seed") || "",
      topic: bank.some((question) => question.topic === topic) ? topic : "",
    };
  }
  function address(seed, topic) {
    return `#seed=${encodeURIComponent(seed)}${topic ? `&topic=${topic}` : ""}`;
  }
  function newSeed() {
    const letters = "abcdefghjkmnpqrstuvwxyz23456789", bytes = new Uint8Array(6);
    crypto.getRandomValues(bytes);
    return Array.from(bytes, (byte) => letters[byte % letters.length]).join("");
  }

  function open(seed, topic) {
    const questions = bank.filter((question) => !topic || question.topic === topic);
    const name = topic ? `${seed} ${topic}` : seed;
    const done = progress()[name];
    check = {name, seed, topic, done: done && typeof done === "object" ? done : {}, cards: []};
    at.seed.value = seed;
    at.topic.value = topic;
    at.seed.removeAttribute("aria-invalid");
    at.trouble.hidden = true;
    at.map.replaceChildren();
    at.questions.replaceChildren();
    core.draw(questions, seed, NUMBER).forEach((question, place) => { add(question, place); });
    tell();
  }

  function add(question, place) {
    const name = `q${place + 1}`, shown = core.arrange(question, check.seed);
    const fields = smtplab.quizFields(question, shown, name, (text) => { at.say.textContent = text; });
    const verdict = make("div", {className: "verdict", tabIndex: -1, hidden: true});
    const submit = make("button", {type: "submit", className: "primary"}, "Check the answer");
    const again = make("button", {type: "button", hidden: true}, "Try again");
    const reveal = make("button", {type: "button"}, "Show the solution");
    const fieldset = make("fieldset", {},
      make("legend", {}, make("span", {className: "number"}, `Question ${place + 1}`), prose(make("span", {className: "ask"}), question.ask)),
      ...(question.quote ? [make("pre", {className: "quote", tabIndex: 0}, question.quote.replace(/^\n+|\n+$/g, ""))] : []),
      make("p", {className: "task quiet"}, data.tasks[question.kind]), fields.element);
    const form = make("form", {className: "card question", id: name, noValidate: true}, fieldset, verdict,
      make("p", {className: "actions"}, submit, again, reveal),
      make("p", {className: "about quiet"}, `${question.topic} · ${LEVELS[question.difficulty]}`));
    const jump = make("button", {type: "button"}, String(place + 1));
    const card = {
      question, fields, form, fieldset, verdict, submit, again,
      reveal, jump, place,
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); answer(card); });
    again.addEventListener("click", () => { retry(card); });
    reveal.addEventListener("click", () => { solve(card); });
    jump.addEventListener("click", () => {
      form.scrollIntoView({block: "start"});
      (fieldset.disabled ? verdict : fields).focus();
    });
    check.cards.push(card);
    at.questions.append(make("li", {}, form));
    at.map.append(make("li", {}, jump));
    const before = check.done[question.id];
    if (before) {
      fields.show(before.given);
      present(card, core.mark(question, before.given), before);
    }
  }

  function answer(card) {
    const given = card.fields.given();
    if (!given.length) {
      show(card, "nothing", "No answer yet.", [make("p", {}, "Answer the question first, or show its solution.")]);
      card.verdict.focus();
      return;
    }
    const marked = core.mark(card.question, given);
    let record = check.done[card.question.id];
    if (record) {
      record.tries += 1;
      record.given = given;
      record.fixed = record.fixed || core.right(marked);
    } else record = {given, got: marked.got, of: marked.of, tries: 1, shown: false, fixed: false};
    settle(card, marked, record);
  }

  function retry(card) {
    card.verdict.hidden = true;
    card.fieldset.disabled = false;
    card.submit.hidden = false;
    card.again.hidden = true;
    card.fields.focus();
  }

  function solve(card) {
    const given = card.fields.given();
    let record = check.done[card.question.id];
    if (!record) {
      record = {given, got: 0, of: 1, tries: 0, shown: true, fixed: false};
    }
    record.shown = true;
    record.given = given;
    settle(card, core.mark(card.question, given), record);
  }

  function settle(card, marked, record) {
    check.done[card.question.id] = record;
    keep();
    present(card, marked, record);
    card.verdict.focus();
    tell();
  }

  // Shows what an answer is worth, and what there is to say to it; what was missed only with the solution.
  function present(card, marked, record) {
    const right = core.right(marked), question = card.question;
    const title = !record.tries ? "The solution." : right ? "Right." : marked.got ? "Partly right." : "Not right.";
    const lines = [];
    if (record.tries > 1 || (record.shown && !record.tries)) {
      lines.push(make("p", {}, record.tries ? `Your first answer counts: ${worth(record)}.` : "Seen before it was answered: no points."));
    }
    if (!right && record.tries) lines.push(...share(question, marked, record));
    const told = marked.said.filter((said) => said.tone !== "missed" || record.shown);
    if (told.length) lines.push(make("ul", {className: "said"}, ...told.map((said) => saying(question, said))));
    lines.push(right || record.shown ? reading(question) : hint(question));
    show(card, !record.tries ? "nothing" : right ? "right" : marked.got ? "partly" : "wrong",
      title + (record.tries === 1 ? ` ${worth(record)}.` : ""), lines);
    card.fieldset.disabled = true;
    card.submit.hidden = true;
    card.again.hidden = right || record.shown;
    card.reveal.hidden = right || record.shown;
    if ((record.shown || (right && question.options)) && !card.revealed) {
      card.revealed = true;
      card.fields.reveal(record.given);
    }
    const first = record.got === record.of ? "right" : record.got ? "partly" : "wrong";
    card.jump.className = `is-${first}`;
    card.jump.setAttribute("aria-label", `Question ${card.place + 1}, ${{right: "right", partly: "partly right", wrong: "not right"}[first]}`);
  }
  function worth(record) {
    const points = Math.floor((POINTS * record.got) / record.of);
    return `${points} of ${POINTS} points`;
  }
  function share(question, marked, record) {
    if (question.kind === "order" || question.kind === "match") {
      return [make("p", {}, `${marked.got} of ${marked.of}${question.kind === "order" ? " follow what they belong behind." : " pairs are right."}`)];
    }
    const missed = marked.said.filter((said) => said.tone === "missed").length;
    if (question.kind !== "multiple" || record.shown || !missed) return [];
    return [make("p", {}, missed === 1 ? "One right answer is not chosen." : `${missed} right answers are not chosen.`)];
  }
  function saying(question, said) {
    const element = make("li", {className: `said-${said.tone}`});
    if (said.about && question.kind !== "single") {
      element.append(prose(make("strong", {}), `${said.about.replace(/[.]$/, "")}:`), " ");
    }
    element.append(prose(make("span", {}), said.text));
    return element;
  }
  function reading(question) {
    const links = question.see.map((name) => data.sheets[name] || {text: name});
    const parts = ["Read: "];
    links.forEach((link, place) => {
      if (place) parts.push(", ");
      parts.push(link.href ? make("a", {href: link.href}, link.text) : link.text);
    });
    return make("p", {className: "reading"}, ...parts);
  }
  // Where it stands, without its name: that may be the answer.
  function hint(question) {
    const first = data.sheets[question.see[0]] || {};
    return make("p", {className: "reading"}, first.href ? make("a", {href: first.href}, "Look it up") : "Look it up in the sheets.");
  }
  function show(card, tone, title, lines) {
    card.verdict.className = `verdict is-${tone}`;
    card.verdict.hidden = false;
    card.verdict.replaceChildren(make("p", {className: "verdict-title"}, title), ...lines);
  }

  function points() {
    return check.cards.reduce((sum, card) => {
      const record = check.done[card.question.id];
      return sum + (record ? Math.floor((POINTS * record.got) / record.of) : 0);
    }, 0);
  }
  function answered() {
    return check.cards.filter((card) => check.done[card.question.id]);
  }

  // The score so far, and at the end the whole result.
  function tell() {
    const count = check.cards.length, done = answered().length;
    at.score.textContent = `${done} of ${count} answered, ${points()} of ${POINTS * count} points`;
    at.result.hidden = done < count;
    if (done < count) return;
    const right = check.cards.filter((card) => {
      const record = check.done[card.question.id];
      return record.got === record.of;
    }).length;
    const fixed = check.cards.filter((card) => check.done[card.question.id].fixed).length;
    const weak = {};
    check.cards.forEach((card) => {
      const record = check.done[card.question.id];
      if (record.got < record.of) weak[card.question.topic] = true;
    });
    const lines = [make("p", {className: "total"}, `${points()} of ${POINTS * count} points`)];
    lines.push(make("p", {}, `${right} of ${count} right at once${  fixed ? `, ${fixed} right at a later attempt.` : "."}`));
    const topics = Object.keys(weak).sort();
    if (topics.length) lines.push(make("p", {}, `Worth another look: ${topics.join(", ")}.`));
    document.getElementById("quiz-summary").replaceChildren(...lines);
  }

  // A file with all checks that this browser remembers.
  function exported() {
    const kept = progress();
    const checks = Object.keys(kept).map((name) => {
      const parts = name.split(" ");
      return {
        seed: parts[0], topic: parts[1] || null,
        answers: Object.keys(kept[name]).map((id) => {
          const record = kept[name][id];
          return {question: id, points: Math.floor((POINTS * record.got) / record.of), tries: record.tries, solution: record.shown, fixed: record.fixed};
        }),
      };
    });
    return `${JSON.stringify({schema: "smtplab/quiz-progress/1", points: POINTS, checks}, null, 1)  }\n`;
  }
  function download() {
    const url = URL.createObjectURL(new Blob([exported()], {type: "application/json"}));
    const link = make("a", {href: url, download: "smtplab-quiz.json"});
    document.body.append(link);
    link.click();
    link.remove();
    URL.revokeObjectURL(url);
  }

  function go(seed, topic) {
    if (!core.validSeed(seed)) {
      at.seed.setAttribute("aria-invalid", "true");
      at.trouble.hidden = false;
      at.seed.focus();
      return;
    }
    const there = address(seed, topic);
    if (location.hash === there) open(seed, topic);
    else location.hash = there;
  }

  document.getElementById("quiz-form").addEventListener("submit", (event) => {
    event.preventDefault();
    go(at.seed.value.trim(), at.topic.value);
  });
  at.topic.addEventListener("change", () => { go(check.seed, at.topic.value); });
  at.new.addEventListener("click", () => { go(newSeed(), at.topic.value); });
  document.getElementById("quiz-next").addEventListener("click", () => {
    go(newSeed(), at.topic.value);
    at.score.scrollIntoView();
  });
  document.getElementById("quiz-export").addEventListener("click", download);
  document.getElementById("quiz-forget").addEventListener("click", () => {
    smtplab.remember(KEY, null);
    open(check.seed, check.topic);
  });
  function arrive() {
    const wanted = fromAddress();
    const latest = Object.keys(progress()).pop() || "";
    let seed = wanted.seed || latest.split(" ")[0] || newSeed();
    if (!core.validSeed(seed)) seed = newSeed();
    const topic = wanted.seed ? wanted.topic : wanted.topic || latest.split(" ")[1] || "";
    try { history.replaceState(null, "", address(seed, topic)); } catch { /* some browsers refuse it for files */ }
    open(seed, topic);
  }
  window.addEventListener("hashchange", () => {
    const wanted = fromAddress();
    if (core.validSeed(wanted.seed) && (wanted.seed !== check.seed || wanted.topic !== check.topic)) open(wanted.seed, wanted.topic);
  });
  document.getElementById("quiz").hidden = false;
  document.getElementById("quiz-kept").hidden = false;
  arrive();
})();

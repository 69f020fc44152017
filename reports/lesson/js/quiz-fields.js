"use strict";
// The fields of a question, by its kind: native controls, all of them usable by keyboard. fields(question, shown, name,
// say) gives {element, given(), show(given), focus(), reveal()}.
(() => {
  const make = window.smtplab.make, prose = window.smtplab.prose, core = window.smtplab.quiz;

  window.smtplab.quizFields = (question, shown, name, say) => {
    return {single: choice, multiple: choice, order, match, fill}[question.kind](
      question, shown, name, say
    );
  };

  function choice(question, shown, name) {
    const type = question.kind === "single" ? "radio" : "checkbox";
    const inputs = shown.map((_, position) => {
      return make("input", {type, name, value: String(position), id: `${name}-${position}`});
    });
    const rows = shown.map((place, position) => {
      const text = prose(make("span", {}), question.options[place].text);
      return make("label", {className: "choice", htmlFor: inputs[position].id}, inputs[position], text);
    });
    return {
      element: make("div", {className: "choices"}, ...rows),
      given() { return shown.filter((_, position) => inputs[position].checked); },
      show(given) {
        shown.forEach((place, position) => { inputs[position].checked = given.includes(place); });
      },
      focus() { inputs[0].focus(); },
      reveal(given) {
        shown.forEach((place, position) => {
          const right = question.options[place].right, chosen = given.includes(place);
          if (!right && !chosen) return;
          rows[position].classList.add(right ? "is-right" : "is-wrong");
          rows[position].append(make("span", {className: "sign"}, right ? "✓ right" : "✗ not right"));
        });
      },
    };
  }

  function order(question, shown, name, say) {
    let places = shown.slice();
    let touched = false;
    const list = make("ol", {className: "order"});
    const rows = new Map(shown.map((place) => [place, row(place)]));

    function row(place) {
      const text = question.items[place].text;
      const plain = text.replace(/`/g, "");
      const up = make("button", {type: "button", className: "move", "aria-label": `Move up: ${plain}`}, "↑");
      const down = make("button", {type: "button", className: "move", "aria-label": `Move down: ${plain}`}, "↓");
      up.addEventListener("click", () => { move(place, -1, up, down); });
      down.addEventListener("click", () => { move(place, 1, down, up); });
      const element = make("li", {}, prose(make("span", {className: "order-text"}), text),
        make("span", {className: "moves"}, up, down));
      return {element, up, down};
    }
    function move(place, step, used, other) {
      const from = places.indexOf(place), to = from + step;
      places[from] = places[to];
      places[to] = place;
      touched = true;
      draw();
      (used.disabled ? other : used).focus();
      say(`${question.items[place].text.replace(/`/g, "")  } is now number ${to + 1} of ${places.length}`);
    }
    function draw() {
      list.replaceChildren(...places.map((place) => rows.get(place).element));
      places.forEach((place, position) => {
        rows.get(place).up.disabled = position === 0;
        rows.get(place).down.disabled = position === places.length - 1;
      });
    }
    draw();
    return {
      element: list,
      given() { return touched ? places.slice() : []; },
      show(given) { if (given.length) { places = given.slice(); touched = true; draw(); } },
      focus() { rows.get(places[0]).down.focus(); },
      reveal() {
        const right = question.items.map((item) => prose(make("li", {}), item.text));
        list.after(solution(make("ol", {}, ...right)));
      },
    };
  }

  function match(question, shown, name) {
    const texts = core.choices(question);
    const fields = question.pairs.map((pair, position) => {
      const options = shown.map((place) => {
        return make("option", {value: String(shown.indexOf(place))}, texts[place].replace(/`/g, ""));
      });
      const id = `${name}-${position}`;
      const select = make("select", {id}, make("option", {value: ""}, "Choose …"), ...options);
      return {select, row: make("div", {className: "pair"}, prose(make("label", {htmlFor: id}), pair.left), select)};
    });
    // On paper nobody can open a list of choices.
    const paper = make("ol", {className: "on-paper", type: "a"}, ...shown.map((place) => prose(make("li", {}), texts[place])));
    return {
      element: make("div", {className: "pairs"}, ...fields.map((field) => field.row), paper),
      given() {
        const given = fields.map((field) => field.select.value === "" ? null : shown[+field.select.value]);
        return given.every((place) => place === null) ? [] : given;
      },
      show(given) {
        given.forEach((place, position) => {
          fields[position].select.value = place === null ? "" : String(shown.indexOf(place));
        });
      },
      focus() { fields[0].select.focus(); },
      reveal() {
        const rows = [];
        question.pairs.forEach((pair) => {
          rows.push(prose(make("dt", {}), pair.left), prose(make("dd", {}), pair.right));
        });
        fields[fields.length - 1].row.after(solution(make("dl", {}, ...rows)));
      },
    };
  }

  function fill(question, shown, name) {
    const input = make("input", {
      type: "text", id: `${name}-0`, className: "typed", autocomplete: "off", autocapitalize: "off", spellcheck: false,
    });
    const element = make("div", {className: "fill"}, make("label", {htmlFor: input.id}, "Your answer"), input);
    return {
      element,
      given() { return input.value.trim() ? input.value : []; },
      show(given) { if (typeof given === "string") input.value = given; },
      focus() { input.focus(); },
      reveal() {
        const right = question.answers.find((answer) => answer.right);
        element.append(solution(make("p", {}, make("code", {}, right.text))));
      },
    };
  }

  function solution(content) {
    return make("div", {className: "solution"}, make("p", {className: "solution-title"}, "Right is:"), content);
  }
})();

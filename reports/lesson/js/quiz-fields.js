"use strict";
// The fields of a question, by its kind: native controls, all of them usable by keyboard. fields(question, shown, name,
// say) gives {element, given(), show(given), focus(), reveal()}.
(function () {
  var make = window.smtplab.make, prose = window.smtplab.prose, core = window.smtplab.quiz;

  window.smtplab.quizFields = function (question, shown, name, say) {
    return {single: choice, multiple: choice, order: order, match: match, fill: fill}[question.kind](
      question, shown, name, say
    );
  };

  function choice(question, shown, name) {
    var type = question.kind === "single" ? "radio" : "checkbox";
    var inputs = shown.map(function (_, position) {
      return make("input", {type: type, name: name, value: String(position), id: name + "-" + position});
    });
    var rows = shown.map(function (place, position) {
      var text = prose(make("span", {}), question.options[place].text);
      return make("label", {className: "choice", htmlFor: inputs[position].id}, inputs[position], text);
    });
    return {
      element: make.apply(null, ["div", {className: "choices"}].concat(rows)),
      given: function () { return shown.filter(function (_, position) { return inputs[position].checked; }); },
      show: function (given) {
        shown.forEach(function (place, position) { inputs[position].checked = given.includes(place); });
      },
      focus: function () { inputs[0].focus(); },
      reveal: function (given) {
        shown.forEach(function (place, position) {
          var right = question.options[place].right, chosen = given.includes(place);
          if (!right && !chosen) return;
          rows[position].classList.add(right ? "is-right" : "is-wrong");
          rows[position].append(make("span", {className: "sign"}, right ? "✓ right" : "✗ not right"));
        });
      },
    };
  }

  function order(question, shown, name, say) {
    var places = shown.slice();
    var touched = false;
    var list = make("ol", {className: "order"});
    var rows = new Map(shown.map(function (place) { return [place, row(place)]; }));

    function row(place) {
      var text = question.items[place].text;
      var plain = text.replace(/`/g, "");
      var up = make("button", {type: "button", className: "move", "aria-label": "Move up: " + plain}, "↑");
      var down = make("button", {type: "button", className: "move", "aria-label": "Move down: " + plain}, "↓");
      up.addEventListener("click", function () { move(place, -1, up, down); });
      down.addEventListener("click", function () { move(place, 1, down, up); });
      var element = make("li", {}, prose(make("span", {className: "order-text"}), text),
        make("span", {className: "moves"}, up, down));
      return {element: element, up: up, down: down};
    }
    function move(place, step, used, other) {
      var from = places.indexOf(place), to = from + step;
      places[from] = places[to];
      places[to] = place;
      touched = true;
      draw();
      (used.disabled ? other : used).focus();
      say(question.items[place].text.replace(/`/g, "") + " is now number " + (to + 1) + " of " + places.length);
    }
    function draw() {
      list.replaceChildren.apply(list, places.map(function (place) { return rows.get(place).element; }));
      places.forEach(function (place, position) {
        rows.get(place).up.disabled = position === 0;
        rows.get(place).down.disabled = position === places.length - 1;
      });
    }
    draw();
    return {
      element: list,
      given: function () { return touched ? places.slice() : []; },
      show: function (given) { if (given.length) { places = given.slice(); touched = true; draw(); } },
      focus: function () { rows.get(places[0]).down.focus(); },
      reveal: function () {
        var right = question.items.map(function (item) { return prose(make("li", {}), item.text); });
        list.after(solution(make.apply(null, ["ol", {}].concat(right))));
      },
    };
  }

  function match(question, shown, name) {
    var texts = core.choices(question);
    var fields = question.pairs.map(function (pair, position) {
      var options = shown.map(function (place) {
        return make("option", {value: String(shown.indexOf(place))}, texts[place].replace(/`/g, ""));
      });
      var id = name + "-" + position;
      var select = make.apply(null, ["select", {id: id}, make("option", {value: ""}, "Choose …")].concat(options));
      return {select: select, row: make("div", {className: "pair"}, prose(make("label", {htmlFor: id}), pair.left), select)};
    });
    return {
      element: make.apply(null, ["div", {className: "pairs"}].concat(fields.map(function (field) { return field.row; }))),
      given: function () {
        var given = fields.map(function (field) { return field.select.value === "" ? null : shown[+field.select.value]; });
        return given.every(function (place) { return place === null; }) ? [] : given;
      },
      show: function (given) {
        given.forEach(function (place, position) {
          fields[position].select.value = place === null ? "" : String(shown.indexOf(place));
        });
      },
      focus: function () { fields[0].select.focus(); },
      reveal: function () {
        var rows = [];
        question.pairs.forEach(function (pair) {
          rows.push(prose(make("dt", {}), pair.left), prose(make("dd", {}), pair.right));
        });
        fields[fields.length - 1].row.after(solution(make.apply(null, ["dl", {}].concat(rows))));
      },
    };
  }

  function fill(question, shown, name) {
    var input = make("input", {
      type: "text", id: name + "-0", className: "typed", autocomplete: "off", autocapitalize: "off", spellcheck: false,
    });
    var element = make("div", {className: "fill"}, make("label", {htmlFor: input.id}, "Your answer"), input);
    return {
      element: element,
      given: function () { return input.value.trim() ? input.value : []; },
      show: function (given) { if (typeof given === "string") input.value = given; },
      focus: function () { input.focus(); },
      reveal: function () {
        var right = question.answers.find(function (answer) { return answer.right; });
        element.append(solution(make("p", {}, make("code", {}, right.text))));
      },
    };
  }

  function solution(content) {
    return make("div", {className: "solution"}, make("p", {className: "solution-title"}, "Right is:"), content);
  }
})();

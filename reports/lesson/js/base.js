"use strict";
// What all pages share. A page is whole without it: this adds the search field and the choice of light or dark.
(function () {
  var smtplab = (window.smtplab = {});
  var KEY = "smtplab-theme";

  // What the builder embedded for this page's script, or null.
  smtplab.data = function () {
    var element = document.getElementById("data");
    return element && JSON.parse(element.textContent);
  };

  // A browser may forbid storage, for pages opened from a folder above all; then nothing is remembered.
  smtplab.remember = function (key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch (error) { /* see above */ }
  };
  smtplab.recall = function (key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch (error) { return null; }
  };

  // smtplab.make("p", {className: "note"}, "text", otherElement): an element with properties and children.
  smtplab.make = function (name, properties) {
    var made = document.createElement(name);
    Object.keys(properties || {}).forEach(function (key) {
      if (key in made) made[key] = properties[key];
      else made.setAttribute(key, properties[key]);
    });
    made.append.apply(made, Array.prototype.slice.call(arguments, 2));
    return made;
  };

  // smtplab.prose(element, "text with `code`"): fills an element, what stands in backticks as code.
  smtplab.prose = function (element, text) {
    var parts = text.split("`");
    element.replaceChildren.apply(element, parts.length % 2 ? parts.map(function (part, place) {
      return place % 2 ? smtplab.make("code", {}, part) : part;
    }) : [text]);
    return element;
  };

  function show(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  function themeButton() {
    var dark = matchMedia("(prefers-color-scheme: dark)");
    var button = smtplab.make("button", {type: "button", className: "theme"});
    function current() {
      return document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
    }
    function label() { button.textContent = current() === "dark" ? "Light" : "Dark"; }
    button.addEventListener("click", function () {
      var other = current() === "dark" ? "light" : "dark";
      var chosen = other === (dark.matches ? "dark" : "light") ? null : other;
      show(chosen);
      smtplab.remember(KEY, chosen);
      label();
    });
    dark.addEventListener("change", label);
    label();
    return button;
  }

  function searchField() {
    var field = smtplab.make("input", {type: "search", name: "q", placeholder: "Find a word", ariaLabel: "Find a word", autocomplete: "off"});
    var form = smtplab.make("form", {className: "search"}, field);
    form.setAttribute("role", "search");
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      location.href = "search.html?q=" + encodeURIComponent(field.value);
    });
    return form;
  }

  show(smtplab.recall(KEY));
  document.addEventListener("DOMContentLoaded", function () {
    var tools = document.getElementById("top-tools");
    if (!document.querySelector("main.page-search")) tools.append(searchField());
    tools.append(themeButton());
  });
})();

"use strict";
// What all pages share. A page is whole without it: this adds the search field and the choice of light or dark.
(() => {
  const smtplab = (window.smtplab = {});
  const KEY = "smtplab-theme";
  // Names of the pages that were opened, for the way through the lesson.
  smtplab.OPENED = "smtplab-opened";

  // What the builder embedded for this page's script, or null.
  smtplab.data = () => {
    const element = document.getElementById("data");
    return element && JSON.parse(element.textContent);
  };

  // A browser may forbid storage, for pages opened from a folder above all; then nothing is remembered.
  smtplab.remember = (key, value) => {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch { /* see above */ }
  };
  smtplab.recall = (key) => {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  };

  // smtplab.make("p", {className: "note"}, "text", otherElement): an element with properties and children.
  smtplab.make = (name, properties, ...children) => {
    const made = document.createElement(name);
    Object.keys(properties || {}).forEach((key) => {
      if (key in made) made[key] = properties[key];
      else made.setAttribute(key, properties[key]);
    });
    made.append(...children);
    return made;
  };

  // smtplab.prose(element, "text with `code`"): fills an element, what stands in backticks as code.
  smtplab.prose = (element, text) => {
    const parts = text.split("`");
    const marked = parts.map((part, place) => (place % 2 ? smtplab.make("code", {}, part) : part));
    element.replaceChildren(...(parts.length % 2 ? marked : [text]));
    return element;
  };

  function noteOpened() {
    const found = /([a-z0-9.-]+)\.html$/.exec(location.pathname);
    const known = smtplab.recall(smtplab.OPENED);
    const names = Array.isArray(known) ? known : [];
    if (found && found[1] !== "index" && !names.includes(found[1])) smtplab.remember(smtplab.OPENED, [...names, found[1]]);
  }

  function show(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  function themeButton() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const button = smtplab.make("button", {type: "button", className: "theme"});
    function current() {
      return document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
    }
    function label() { button.textContent = current() === "dark" ? "Light" : "Dark"; }
    button.addEventListener("click", () => {
      const other = current() === "dark" ? "light" : "dark";
      const chosen = other === (dark.matches ? "dark" : "light") ? null : other;
      show(chosen);
      smtplab.remember(KEY, chosen);
      label();
    });
    dark.addEventListener("change", label);
    label();
    return button;
  }

  function searchField() {
    const field = smtplab.make("input", {type: "search", name: "q", placeholder: "Find a word (/)", ariaLabel: "Find a word", ariaKeyShortcuts: "/", autocomplete: "off"});
    const form = smtplab.make("form", {className: "search"}, field);
    form.setAttribute("role", "search");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      location.href = `search.html?q=${encodeURIComponent(field.value)}`;
    });
    return form;
  }

  // "/" leads to the search field from everywhere but a field that one types in.
  function searchKey(event) {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || typing) return;
    const field = document.getElementById("q") || document.querySelector("form.search input");
    event.preventDefault();
    field.focus();
    field.select();
  }

  show(smtplab.recall(KEY));
  document.addEventListener("keydown", searchKey);
  document.addEventListener("DOMContentLoaded", () => {
    const tools = document.getElementById("top-tools");
    if (!document.querySelector("main.page-search")) tools.append(searchField());
    tools.append(themeButton());
    noteOpened();
  });
})();

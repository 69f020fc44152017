"use strict";
// A sheet's filter: rows of the tables and the entries below show what holds all the words that were typed.
(() => {
  const tools = document.querySelector(".tools");
  if (!tools) return;
  const field = tools.querySelector("input");
  const found = tools.querySelector(".found");
  const what = tools.dataset.filter;
  // A row of a table and the article it leads to are one: they appear and disappear together.
  const parts = {};
  document.querySelectorAll("[data-entry], .entry").forEach((element) => {
    const id = element.dataset.entry || element.id;
    const part = (parts[id] = parts[id] || {elements: [], text: id});
    part.elements.push(element);
    part.text += ` ${element.textContent.toLowerCase()}`;
  });
  const ids = Object.keys(parts);
  const wholes = document.querySelectorAll(".glance tbody, .glance, .entries");

  function filter() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    ids.forEach((id) => {
      const fits = words.every((word) => parts[id].text.includes(word));
      shown += fits;
      parts[id].elements.forEach((element) => { element.hidden = !fits; });
    });
    wholes.forEach((whole) => {
      const members = whole.querySelectorAll("[data-entry], .entry");
      whole.hidden = members.length > 0 && !whole.querySelector("[data-entry]:not([hidden]), .entry:not([hidden])");
    });
    found.textContent = words.length ? `${shown} of ${ids.length} ${what}` : "";
  }

  // Whoever follows a link wants to see where it leads, whatever the filter hides.
  function reveal() {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (target && target.closest("[hidden]")) {
      field.value = "";
      filter();
      target.scrollIntoView();
    }
  }

  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { field.value = ""; filter(); }
  });
  tools.querySelector(".print").addEventListener("click", () => { print(); });
  addEventListener("hashchange", reveal);
  tools.hidden = false;
  filter();
})();

"use strict";
// A sheet's filter: rows of the tables and the entries below show what holds all the words that were typed.
(function () {
  var tools = document.querySelector(".tools");
  if (!tools) return;
  var field = tools.querySelector("input");
  var found = tools.querySelector(".found");
  var what = tools.dataset.filter;
  // A row of a table and the article it leads to are one: they appear and disappear together.
  var parts = {};
  document.querySelectorAll("[data-entry], .entry").forEach(function (element) {
    var id = element.dataset.entry || element.id;
    var part = (parts[id] = parts[id] || {elements: [], text: id});
    part.elements.push(element);
    part.text += " " + element.textContent.toLowerCase();
  });
  var ids = Object.keys(parts);
  var wholes = document.querySelectorAll(".glance tbody, .glance, .entries");

  function filter() {
    var words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    ids.forEach(function (id) {
      var fits = words.every(function (word) { return parts[id].text.includes(word); });
      shown += fits;
      parts[id].elements.forEach(function (element) { element.hidden = !fits; });
    });
    wholes.forEach(function (whole) {
      var members = whole.querySelectorAll("[data-entry], .entry");
      whole.hidden = members.length > 0 && !whole.querySelector("[data-entry]:not([hidden]), .entry:not([hidden])");
    });
    found.textContent = words.length ? shown + " of " + ids.length + " " + what : "";
  }

  // Whoever follows a link wants to see where it leads, whatever the filter hides.
  function reveal() {
    var id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch (error) { return; }
    var target = id && document.getElementById(id);
    if (target && target.closest("[hidden]")) {
      field.value = "";
      filter();
      target.scrollIntoView();
    }
  }

  field.addEventListener("input", filter);
  field.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { field.value = ""; filter(); }
  });
  tools.querySelector(".print").addEventListener("click", function () { print(); });
  addEventListener("hashchange", reveal);
  tools.hidden = false;
  filter();
})();

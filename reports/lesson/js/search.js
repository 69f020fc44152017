"use strict";
// Finds entries by title, other names, summary and text, the best first. The list from A to Z stands without it.
(function () {
  var form = document.getElementById("search-form");
  var field = document.getElementById("q");
  var found = document.getElementById("found");
  var results = document.getElementById("results");
  var index = document.getElementById("index");
  var MOST = 30;
  var more = smtplab.data();
  var entries = Array.prototype.map.call(index.querySelectorAll("li"), function (item) {
    var link = item.querySelector("a");
    var extra = more[item.dataset.entry] || ["", ""];
    return {
      item: item,
      title: link.textContent.toLowerCase(),
      names: extra[0].toLowerCase(),
      about: (item.querySelector(".about") || {textContent: ""}).textContent.toLowerCase(),
      text: extra[1].toLowerCase()
    };
  });

  // How well one word fits: the beginning of a title counts most, a mention in the text least.
  function fit(entry, word) {
    if (entry.title.startsWith(word)) return 16;
    if ((" " + entry.title).includes(" " + word)) return 12;
    if ((" " + entry.names).includes(" " + word)) return 8;
    if (entry.title.includes(word)) return 6;
    if (entry.about.includes(word)) return 4;
    return entry.text.includes(word) ? 1 : 0;
  }

  function rank(entry, words) {
    var sum = 0;
    for (var i = 0; i < words.length; i += 1) {
      var one = fit(entry, words[i]);
      if (!one) return 0;
      sum += one;
    }
    return sum;
  }

  function search() {
    var words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    var hits = words.length ? entries.map(function (entry) {
      return {entry: entry, rank: rank(entry, words)};
    }).filter(function (hit) { return hit.rank; }) : [];
    hits.sort(function (a, b) { return b.rank - a.rank || a.entry.title.length - b.entry.title.length; });
    results.replaceChildren.apply(results, hits.slice(0, MOST).map(function (hit) {
      return hit.entry.item.cloneNode(true);
    }));
    results.hidden = !hits.length;
    index.hidden = words.length > 0 && hits.length > 0;
    found.textContent = !words.length ? "" : !hits.length ? "Nothing has all these words; look through the list below."
      : hits.length > MOST ? "The best " + MOST + " of " + hits.length : hits.length === 1 ? "1 entry" : hits.length + " entries";
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var first = results.querySelector("a");
    if (first && !results.hidden) first.click();
  });
  field.addEventListener("input", search);
  form.hidden = false;
  field.value = new URLSearchParams(location.search).get("q") || "";
  search();
  if (!location.hash) field.focus();
})();

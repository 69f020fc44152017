"use strict";
// Finds entries by title, other names, summary and text, the best first. The list from A to Z stands without it.
(() => {
  const form = document.getElementById("search-form");
  const field = document.getElementById("q");
  const found = document.getElementById("found");
  const results = document.getElementById("results");
  const index = document.getElementById("index");
  const MOST = 30;
  const more = window.smtplab.data();
  const entries = Array.from(index.querySelectorAll("li"), (item) => {
    const link = item.querySelector("a");
    const extra = more[item.dataset.entry] || ["", ""];
    return {
      item,
      title: link.textContent.toLowerCase(),
      names: extra[0].toLowerCase(),
      about: (item.querySelector(".about") || {textContent: ""}).textContent.toLowerCase(),
      text: extra[1].toLowerCase()
    };
  });

  // How well one word fits: the beginning of a title counts most, a mention in the text least.
  function fit(entry, word) {
    if (entry.title.startsWith(word)) return 16;
    if ((` ${entry.title}`).includes(` ${word}`)) return 12;
    if ((` ${entry.names}`).includes(` ${word}`)) return 8;
    if (entry.title.includes(word)) return 6;
    if (entry.about.includes(word)) return 4;
    return entry.text.includes(word) ? 1 : 0;
  }

  function rank(entry, words) {
    let sum = 0;
    for (let i = 0; i < words.length; i += 1) {
      const one = fit(entry, words[i]);
      if (!one) return 0;
      sum += one;
    }
    return sum;
  }

  function search() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hits = words.length ? entries.map((entry) => ({entry, rank: rank(entry, words)})).filter((hit) => hit.rank) : [];
    hits.sort((a, b) => b.rank - a.rank || a.entry.title.length - b.entry.title.length);
    results.replaceChildren(...hits.slice(0, MOST).map((hit) => hit.entry.item.cloneNode(true)));
    results.hidden = !hits.length;
    index.hidden = words.length > 0 && hits.length > 0;
    found.textContent = !words.length ? "" : !hits.length ? "Nothing has all these words; look through the list below."
      : hits.length > MOST ? `The best ${MOST} of ${hits.length}` : hits.length === 1 ? "1 entry" : `${hits.length} entries`;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = results.querySelector("a");
    if (first && !results.hidden) first.click();
  });
  field.addEventListener("input", search);
  form.hidden = false;
  field.value = new URLSearchParams(location.search).get("q") || "";
  search();
  if (!location.hash) field.focus();
})();

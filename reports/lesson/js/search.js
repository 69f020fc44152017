"use strict";
// Shows what was found, the best first, with the line that holds the words. The list from A to Z stands without it.
(() => {
  const smtplab = window.smtplab;
  const form = document.getElementById("search-form");
  const field = document.getElementById("q");
  const said = document.getElementById("found");
  const results = document.getElementById("results");
  const index = document.getElementById("index");
  const MOST = 30;
  const items = new Map();
  index.querySelectorAll("li[data-entry]").forEach((item) => items.set(item.dataset.entry, item));
  const pages = Array.from(index.querySelectorAll("li[data-page]"), (item) => {
    const id = `page-${item.dataset.page}`;
    items.set(id, item);
    const about = (item.querySelector(".about") || {textContent: ""}).textContent;
    return [id, item.querySelector("a").textContent, item.dataset.page.replace(/\.html$/, ""), about, []];
  });
  const {find} = smtplab.searching([...smtplab.data(), ...pages]);

  function shown({id, line}) {
    const item = items.get(id).cloneNode(true);
    if (line) item.append(smtplab.prose(smtplab.make("span", {className: "hit"}), line));
    return item;
  }

  // What became of words that stand nowhere.
  function instead([word, other]) {
    return other ? `“${word}” is nowhere; “${other}” is meant, perhaps. ` : `“${word}” is nowhere. `;
  }

  function sum(found) {
    const number = found.hits.length;
    if (!number) return "Look through the list below.";
    if (found.partly) return "Nothing has all these words; these have most of them.";
    return number === MOST ? `The best ${MOST}` : number === 1 ? "1 entry" : `${number} entries`;
  }

  function search() {
    const asked = field.value.trim();
    const found = find(asked);
    results.replaceChildren(...found.hits.map(shown));
    results.hidden = !found.hits.length;
    index.hidden = !results.hidden;
    said.textContent = asked ? found.instead.map(instead).join("") + sum(found) : "";
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

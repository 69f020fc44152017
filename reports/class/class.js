"use strict";
// The page is whole without this: it adds filters to the table of students.
(() => {
  const section = document.getElementById("students");
  const heading = section && section.querySelector("h2");
  const rows = section ? Array.from(section.querySelectorAll("tbody tr")) : [];
  if (rows.length < 2) return;

  const STATES = {
    passed: "passed everything", failed: "failed something", waiting: "waits for a person", refused: "refused",
    error: "grader failed", missing: "nothing handed in", late: "handed in late", decided: "a person has decided",
    remarks: "with remarks for you",
  };
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const bar = document.createElement("div");
  bar.className = "filters";
  const told = document.createElement("p");
  told.className = "quiet";
  told.setAttribute("role", "status");

  function labelled(name, control) {
    const label = document.createElement("label");
    label.append(name, control);
    bar.append(label);
    return control;
  }

  function choice(name, options) {
    if (!options.length) return null;
    const select = document.createElement("select");
    select.append(new Option("all", ""));
    options.forEach(([value, text]) => { select.append(new Option(text, value)); });
    select.addEventListener("change", apply);
    return labelled(name, select);
  }

  function values(key) {
    const found = new Set(rows.map((row) => row.dataset[key]).filter(Boolean));
    return Array.from(found).sort().map((value) => [value, value]);
  }

  const search = document.createElement("input");
  search.type = "search";
  search.autocomplete = "off";
  search.addEventListener("input", apply);
  labelled("Find", search);
  const held = new Set(rows.flatMap((row) => row.dataset.is.split(" ")));
  const state = choice("State", Object.entries(STATES).filter(([key]) => held.has(key)));
  const codes = Array.from(document.querySelectorAll("#checks tbody .code"), (code) => code.textContent);
  const lost = new Set(rows.flatMap((row) => row.dataset.failed.split(" ")));
  const failed = choice(
    "Failed check", codes.map((code, place) => [String(place), code]).filter(([place]) => lost.has(place))
  );
  const group = choice("Group", values("group"));
  const part = choice("Section", values("section"));

  function holds(select, words) {
    return !select || !select.value || words.includes(select.value);
  }

  function apply() {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, place) => {
      const { is, failed: lostHere, group: of, section: within } = row.dataset;
      const fits = texts[place].includes(wanted) && holds(state, is.split(" ")) &&
        holds(failed, lostHere.split(" ")) && holds(group, [of]) && holds(part, [within]);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    told.textContent = `${shown} of ${rows.length} shown`;
  }

  heading.after(bar, told);
  apply();
})();

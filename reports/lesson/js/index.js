"use strict";
// How far one is on the way through the lesson: kept in this browser, and nowhere else.
(() => {
  const smtplab = window.smtplab;
  const KEY = "smtplab-done";
  const state = document.getElementById("way-state");
  const count = document.getElementById("way-count");
  const next = document.getElementById("way-next");
  const steps = Array.from(document.querySelectorAll("[data-step]"), (item) => ({
    item,
    name: item.dataset.step,
    box: item.querySelector("input"),
    link: item.querySelector("a"),
    seen: item.querySelector(".seen")
  }));

  function recalled(key) {
    const names = smtplab.recall(key);
    return new Set(Array.isArray(names) ? names : []);
  }

  function show() {
    const opened = recalled(smtplab.OPENED);
    const done = steps.filter((step) => step.box.checked);
    const first = steps.find((step) => !step.box.checked);
    steps.forEach((step) => {
      step.item.classList.toggle("done", step.box.checked);
      step.seen.hidden = step.box.checked || !opened.has(step.name);
    });
    document.getElementById("way-bar").value = done.length;
    document.getElementById("way-anew").hidden = !done.length;
    count.textContent = `${done.length} of ${steps.length} steps done.`;
    if (first) next.replaceChildren("Go on with ", smtplab.make("a", {href: first.link.getAttribute("href")}, first.link.textContent));
    else next.textContent = "That is all there is.";
  }

  function changed() {
    smtplab.remember(KEY, steps.filter((step) => step.box.checked).map((step) => step.name));
    show();
  }

  const done = recalled(KEY);
  steps.forEach((step) => {
    step.box.hidden = false;
    step.box.checked = done.has(step.name);
    step.box.addEventListener("change", changed);
  });
  document.getElementById("way-anew").addEventListener("click", () => {
    steps.forEach((step) => { step.box.checked = false; });
    smtplab.remember(smtplab.OPENED, null);
    changed();
  });
  state.hidden = false;
  show();
})();

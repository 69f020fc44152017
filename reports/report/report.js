"use strict";
// The report is whole without this: it opens what a link leads to, offers to open everything, and prints every failure in full.
(() => {
  function details(root) {
    return Array.from(root.querySelectorAll("details"));
  }

  function reveal() {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  }

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  function tools(section) {
    const all = details(section);
    const heading = section && section.querySelector("h2");
    if (!heading || all.length < 2) return;
    const bar = document.createElement("p");
    bar.className = "tools";
    bar.append(
      button("Open all", () => { all.forEach((one) => { one.open = true; }); }),
      button("Close all", () => { all.forEach((one) => { one.open = false; }); })
    );
    heading.after(bar);
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll(".check.fail:not([open])"));
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    closed.forEach((one) => { one.open = false; });
  });

  ["checks", "evidence"].forEach((id) => {
    const section = document.getElementById(id);
    if (section) tools(section);
  });
  addEventListener("hashchange", reveal);
  reveal();
})();

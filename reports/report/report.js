"use strict";
// The report is whole without this: it opens what a link leads to, offers to open everything, and unfolds for printing.
(function () {
  function details(root) {
    return Array.prototype.slice.call(root.querySelectorAll("details"));
  }

  function reveal() {
    var id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch (error) { return; }
    var target = id && document.getElementById(id);
    if (!target) return;
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  }

  function button(text, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  function tools(section) {
    var all = details(section);
    var heading = section && section.querySelector("h2");
    if (!heading || all.length < 2) return;
    var bar = document.createElement("p");
    bar.className = "tools";
    bar.append(
      button("Open all", function () { all.forEach(function (one) { one.open = true; }); }),
      button("Close all", function () { all.forEach(function (one) { one.open = false; }); })
    );
    heading.after(bar);
  }

  var closed = [];
  addEventListener("beforeprint", function () {
    closed = details(document).filter(function (one) { return !one.open && !one.closest("#other-sessions"); });
    closed.forEach(function (one) { one.open = true; });
  });
  addEventListener("afterprint", function () {
    closed.forEach(function (one) { one.open = false; });
  });

  ["checks", "evidence"].forEach(function (id) {
    var section = document.getElementById(id);
    if (section) tools(section);
  });
  addEventListener("hashchange", reveal);
  reveal();
})();

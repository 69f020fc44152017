/* The header analyser's page: a message comes in by paste, file, drop or example, and is taken apart here. */
(() => {
  "use strict";
  const smtplab = window.smtplab;
  const data = smtplab.data();
  const find = (id) => document.getElementById(id);
  const LARGEST = 8 * 1024 * 1024;
  const LONGEST_SHOWN = 2 * 1024 * 1024;
  let raw = "";
  let waiting = 0;
  smtplab.words.useCharsets(data.charsets);

  const say = (text) => { find("said").textContent = text; };

  function analyse() {
    const results = find("results");
    if (!raw.trim()) {
      results.hidden = true;
      results.replaceChildren();
      find("own-shown").textContent = "found from the message";
      say("");
      return;
    }
    const began = performance.now();
    const found = smtplab.analyse(raw, data, find("own").value);
    const broken = smtplab.rules.checkMessage(raw, data.rules);
    results.replaceChildren(...smtplab.results.sections(found, broken, data));
    results.hidden = false;
    find("own-shown").textContent = found.own || "unknown";
    const { plural } = smtplab.results;
    const took = Math.round(performance.now() - began);
    say(`Analysed in ${took} ms: ${plural(found.hops.length, "hop")}, ${plural(found.findings.length, "finding")}, ${plural(broken.length, "fault")}.`);
  }

  /* Typing is followed after a pause, so that a long message does not hold up the keyboard. */
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(analyse, 250);
  }

  /* What is saved on Unix ends its lines with LF alone; on the wire they end with CR LF. */
  const ended = (bytes) => (bytes.includes("\r") ? bytes : bytes.replace(/\n/g, "\r\n"));

  function takeText(text) {
    raw = ended(smtplab.text.withoutMark(smtplab.text.utf8(text)));
  }

  function show(text) {
    find("message").value = text;
    takeText(text);
    analyse();
  }

  async function takeFile(file) {
    if (file.size > LARGEST) {
      say(`${file.name} is larger than 8 MB: cut off its attachments, or use smtplab header analyse.`);
      return;
    }
    try {
      const bytes = smtplab.text.withoutMark(smtplab.text.fromBytes(new Uint8Array(await file.arrayBuffer())));
      raw = ended(bytes);
      // A text area turns CR LF into LF, so the bytes of the file are what is analysed.
      find("message").value = smtplab.words.readable(bytes.slice(0, LONGEST_SHOWN), "utf-8");
      analyse();
    } catch {
      say(`${file.name} cannot be read: choose it once more.`);
    }
  }

  function example(id) {
    if (!Object.prototype.hasOwnProperty.call(data.examples, id)) return;
    find("own").value = "";
    show(data.examples[id]);
  }

  /* The header builder's message comes in the address, which is then made short again. */
  function handedOver(encoded) {
    try {
      show(decodeURIComponent(encoded));
    } catch {
      say("The message in this page's address is damaged: paste it here instead.");
    }
    history.replaceState(null, "", location.pathname);
  }

  function follow() {
    const anchor = location.hash.slice(1);
    if (anchor.startsWith("example-")) example(anchor.slice("example-".length));
    if (anchor.startsWith("message=")) handedOver(anchor.slice("message=".length));
  }

  function listen() {
    const form = find("source");
    find("message").addEventListener("input", () => { takeText(find("message").value); soon(); });
    find("own").addEventListener("input", soon);
    find("file").addEventListener("change", (event) => {
      if (event.target.files.length) takeFile(event.target.files[0]);
      event.target.value = "";
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); analyse(); });
    for (const button of form.querySelectorAll("[data-example]")) {
      button.addEventListener("click", () => {
        history.replaceState(null, "", `#example-${button.dataset.example}`);
        example(button.dataset.example);
      });
    }
    // A file that misses the form would otherwise take the page's place.
    document.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("dropping"); });
    document.addEventListener("dragleave", () => form.classList.remove("dropping"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("dropping");
      const [file] = event.dataTransfer.files;
      const text = event.dataTransfer.getData("text/plain");
      if (file) takeFile(file);
      else if (text) show(text);
    });
    addEventListener("hashchange", follow);
  }

  listen();
  follow();
})();

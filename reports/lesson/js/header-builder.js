/* The header builder's page: what is typed becomes a message, complaints stand at their fields, lines are explained. */
(() => {
  "use strict";
  const smtplab = window.smtplab;
  const { make } = smtplab;
  const data = smtplab.data();
  const fields = new Map(data.fields.map((field) => [field.id, field]));
  const find = (id) => document.getElementById(id);
  const control = (id) => find(`field-${id}`);
  const touched = new Set();
  let draft = null;
  smtplab.words.useCharsets(data.charsets);

  const AT_ONCE = ["line-break", "control", "half-character", "hidden"];

  const EXAMPLE = {
    from: "Alice Bäcker <alice@example.com>",
    to: 'Bob <bob@elsewhere.example>, "Chen, Li" <li@elsewhere.example>',
    bcc: "Dave <dave@example.com>",
    subject: "Grüße aus Zürich: können wir uns morgen um zehn im kleinen Saal treffen?",
    body: "Hello Bob,\n\ncan we meet at ten tomorrow?\n\nAlice\n",
  };

  function values() {
    return Object.fromEntries(data.fields.map((field) => [field.id, control(field.id).value]));
  }

  function update() {
    draft = smtplab.compose(values(), data);
    showComplaints();
    showVerdict();
    showFields();
    showEnvelope();
  }

  /* A field's complaints are told when it is left, so that nobody is scolded in the middle of a word; what can only
     have been pasted is told at once. Until one is told, the verdict says what is still open, and is no reproach; from then on
     the list below it has all errors. */
  function showComplaints() {
    for (const field of data.fields) {
      const own = draft.complaints.filter((one) => one.field === field.id);
      const shown = own.filter(isTold);
      control(field.id).toggleAttribute("aria-invalid", false);
      if (shown.some((one) => one.severity === "error")) control(field.id).setAttribute("aria-invalid", "true");
      const told = shown.map((one) => complaint(one, field));
      const place = find(`error-${field.id}`);
      if (place.textContent !== told.map((one) => one.textContent).join("")) place.replaceChildren(...told);
    }
  }

  function isTold(one) {
    return touched.has(one.field) || AT_ONCE.includes(one.rule);
  }

  function complaint(one, field) {
    const rule = data.rules[one.rule] || data.faults.find((fault) => fault.id === one.rule);
    const parts = [one.sentence, " "];
    if (one.severity === "error") parts.push("Example: ", make("code", {}, field.example), ". ");
    parts.push(make("a", { href: rule.link, rel: "external noreferrer" }, one.reference));
    return make("p", { className: one.severity }, ...parts);
  }

  function showVerdict() {
    const errors = draft.complaints.filter((one) => one.severity === "error");
    const verdict = find("verdict");
    const faults = draft.message === null ? [] : smtplab.rules.checkMessage(draft.message, data.rules);
    let text = `Ready: it keeps all ${Object.keys(data.rules).length} rules.`;
    const told = errors.some(isTold);
    if (told) text = `Not yet: ${count(errors.length, "field")} to fix.`;
    else if (errors.length) text = `Still to be completed: ${errors.map((one) => fields.get(one.field).label).join(", ")}.`;
    else if (faults.length) text = `Ready, with ${count(faults.length, "remark")}.`;
    if (verdict.textContent !== text) verdict.textContent = text;
    verdict.classList.toggle("bad", told);
    verdict.classList.toggle("open", errors.length > 0 && !told);
    for (const id of ["copy", "download", "hand-over"]) find(id).disabled = draft.message === null;
    find("problems").replaceChildren(...(told ? errors.map(problem) : []), ...faults.map(remark));
  }

  function problem(one) {
    const link = make("a", { href: `#field-${one.field}` }, one.sentence);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      touched.add(one.field);
      if (fields.get(one.field).group === "more") find("more").open = true;
      control(one.field).focus();
      update();
    });
    return make("li", {}, link);
  }

  function remark(fault) {
    const link = make("a", { href: `header-rules.html#rule-${fault.rule}` }, data.rules[fault.rule].title);
    return make("li", {}, link, `: ${fault.sentence}`);
  }

  function showFields() {
    const items = draft.fields.map((field) => finished(field));
    const bcc = control("bcc").value.trim();
    const labels = data.fields.map((field) => field.label);
    const behind = draft.fields.filter((field) => labels.slice(0, labels.indexOf("Bcc")).includes(field.name)).length;
    if (bcc) items.splice(behind, 0, removed(bcc));
    find("finished").replaceChildren(...items);
    const message = draft.message || "";
    const body = message.slice(message.indexOf("\r\n\r\n") + 4);
    find("body").textContent = draft.message === null ? "" : smtplab.words.readable(body, "utf-8").replace(/\r\n/g, "\n");
  }

  function finished(field) {
    const about = data.entries[field.entry];
    const why = make("p", { className: "why" });
    if (about) why.append(make("a", { href: about.href }, about.title), ": ", about.summary, " ");
    for (const id of field.notes) {
      const note = data.notes.find((one) => one.id === id);
      why.append(note.text, " ");
      for (const other of note.see) {
        if (data.entries[other] && other !== field.entry) {
          why.append(make("a", { href: data.entries[other].href }, data.entries[other].title), ". ");
        }
      }
    }
    return make("li", {}, make("pre", {}, ...field.lines.map((line) => make("span", {}, `${line}\n`))), why);
  }

  function removed(text) {
    const about = data.entries.bcc;
    const line = make("pre", {}, make("s", {}, `Bcc: ${text}`));
    const why = make("p", { className: "why" }, make("a", { href: about.href }, about.title),
      ": left out. Its recipients stand in the envelope; in the message everybody could read them.");
    return make("li", { className: "removed" }, line, why);
  }

  function showEnvelope() {
    const lines = [`MAIL FROM:<${draft.sender}>`, ...draft.recipients.map((address) => `RCPT TO:<${address}>`)];
    find("size").textContent = draft.message === null ? "" : count(draft.message.length, "byte");
    find("envelope").textContent = draft.sender || draft.recipients.length ? lines.join("\n") : "";
  }

  const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  function say(text) {
    find("said").textContent = text;
  }

  /* The clipboard's newer interface is closed to pages that are opened from a folder in some browsers. */
  async function copy() {
    const text = smtplab.words.readable(draft.message, "utf-8");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { value: text, className: "unseen" });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      find("copy").focus();
    }
    flash("copy", "Copied");
  }

  function download() {
    const blob = new Blob([smtplab.text.toBytes(draft.message)], { type: "message/rfc822" });
    const link = make("a", { href: URL.createObjectURL(blob), download: "message.eml" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    flash("download", "Saved as message.eml");
  }

  function flash(id, text) {
    const button = find(id), before = button.dataset.label || button.textContent;
    button.dataset.label = before;
    button.textContent = text;
    say(text);
    setTimeout(() => { button.textContent = before; }, 2000);
  }

  function handOver() {
    // In the address, as no server sees this part of it: what a page stores may reach the next one late, or be forbidden.
    const message = encodeURIComponent(smtplab.words.readable(draft.message, "utf-8"));
    location.href = `header-analyser.html#message=${message}`;
  }

  function stamp(id) {
    const people = draft ? draft.sender : "";
    control(id).value = id === "date" ? smtplab.dates.dateNow() : smtplab.dates.freshIdentifier(people);
  }

  function fill(given) {
    for (const [id, value] of Object.entries(given)) control(id).value = value;
    update();
    for (const id of ["date", "message-id"]) stamp(id);
    update();
  }

  function clear() {
    touched.clear();
    for (const field of data.fields) control(field.id).value = field.choices.length ? field.choices[0] : "";
    fill({});
  }

  function listen() {
    const form = find("form");
    form.addEventListener("input", update);
    form.addEventListener("focusout", (event) => {
      const id = (event.target.id || "").replace(/^field-/, "");
      if (!fields.has(id)) return;
      touched.add(id);
      update();
    });
    // A line break that is typed would be a mistake; one that is pasted is worth a word about header injection.
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing && event.target.classList.contains("one-line")) event.preventDefault();
    });
    form.addEventListener("reset", (event) => { event.preventDefault(); clear(); say("Cleared"); });
    form.addEventListener("submit", (event) => event.preventDefault());
    find("example").addEventListener("click", () => { fill(EXAMPLE); say("Example filled in"); });
    for (const id of ["date", "message-id"]) find(`new-${id}`).addEventListener("click", () => { stamp(id); update(); });
    find("copy").addEventListener("click", copy);
    find("download").addEventListener("click", download);
    find("hand-over").addEventListener("click", handOver);
    find("explain").addEventListener("change", (event) => {
      find("finished").classList.toggle("unexplained", !event.target.checked);
    });
  }

  listen();
  clear();
})();

"use strict";
// The simulator's page: a terminal of native elements around smtplab.Session.
(() => {
  const { smtplab } = window;
  const data = smtplab.data(), server = data.table.server, make = smtplab.make;
  const KEY = "smtplab-simulator", MOST_REMEMBERED = 50;
  const element = {};
  ["simulator", "scene", "listener", "listener-about", "client", "trouble", "trouble-count", "state", "restart", "log", "frame",
    "say", "line", "line-label", "send", "quick", "explain", "copy", "download", "play", "play-form", "transcript",
    "play-problem", "file", "result"].forEach((id) => { element[id] = document.getElementById(id); });
  const boxes = Array.from(element.trouble.querySelectorAll("input"));

  let session, turns;
  const kept = smtplab.recall(KEY) || {};
  const history = Array.isArray(kept.history) ? kept.history : [];
  let place = history.length, draft = "";

  // The scene: port, client, switches

  function byId(list, id) {
    return list.find((one) => one.id === id);
  }

  function chosen() {
    return {
      listener: element.listener.value,
      client: element.client.value,
      switches: boxes.filter((box) => box.checked).map((box) => box.value)
    };
  }

  function choose(scene) {
    if (byId(server.listeners, scene.listener)) element.listener.value = scene.listener;
    if (byId(server.clients, scene.client)) element.client.value = scene.client;
    boxes.forEach((box) => { box.checked = (scene.switches || []).includes(box.value); });
  }

  // A link may choose the scene, simulator.html?listener=submission&switches=greylisting,size-limit, or a session of
  // the lesson to be played: simulator.html?play=session
  function linked() {
    const query = new URLSearchParams(location.search);
    if (!["listener", "client", "switches"].some((name) => query.has(name))) return null;
    return {
      listener: query.get("listener"), client: query.get("client"),
      switches: (query.get("switches") || "").split(",")
    };
  }

  function save() {
    smtplab.remember(KEY, {
      scene: chosen(), explain: element.explain.checked, history: history.slice(-MOST_REMEMBERED)
    });
  }

  // The log

  // Signs that are obeyed or unseen instead of shown stand as an escape.
  function visible(text) {
    return text.replace(/[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (sign) => {
      const code = sign.charCodeAt(0);
      return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    });
  }

  function item(kind, who, text) {
    const line = make("span", {className: "line"}, visible(text) || "\u00a0");
    return make("li", {className: kind}, make("span", {className: "who"}, who), line);
  }

  function replyItems(reply) {
    const items = reply.lines.map((line) => item("server", "S", line));
    if (items.length) items[items.length - 1].append(about(reply));
    return items;
  }

  function about(reply) {
    const links = codes(reply.lines[0]).concat(reply.see).filter((id, at, all) => {
      return Object.prototype.hasOwnProperty.call(data.links, id) && all.indexOf(id) === at;
    });
    const text = smtplab.prose(make("span", {}), reply.why), told = make("div", {className: "about"}, text);
    if (links.length) {
      const list = make("span", {className: "more"});
      links.forEach((id, at) => {
        list.append(at ? ", " : "", make("a", {href: data.links[id][1]}, data.links[id][0]));
      });
      told.append(" ", list);
    }
    return told;
  }

  // Entries of a reply's code and enhanced code.
  function codes(line) {
    const found = /^([2-5][0-9][0-9])[- ]?(?:([245])(\.[0-9]{1,3}\.[0-9]{1,3}))?/.exec(line);
    if (!found) return [];
    const ids = [`reply-${found[1]}`];
    return found[2] ? ids.concat(`code-${found[2]}${found[3]}`, `code-x${found[3]}`) : ids;
  }

  function record(sent, replies) {
    const last = replies[replies.length - 1], notes = [];
    let items = [];
    if (last && last.rule === "starttls-ready") notes.push("TLS begins");
    if (!session.state.connected) notes.push("the server hangs up");
    turns.push({
      sent, notes,
      heard: replies.reduce((lines, reply) => lines.concat(reply.lines), [])
    });
    sent.forEach((line, at) => { items.push(item("client", at ? "C+" : "C", line)); });
    replies.forEach((reply) => {
      items = items.concat(replyItems(reply));
      if (!reply.lines.length) items.push(make("li", {className: "silent"}, about(reply)));
    });
    notes.forEach((note) => { items.push(item("event", "*", note)); });
    element.log.append(...items);
    element.frame.scrollTop = element.frame.scrollHeight;
  }

  // The session

  function connect(scene) {
    choose(scene);
    session = new smtplab.Session(data.table, scene.listener, scene.client, scene.switches);
    turns = [];
    element.log.replaceChildren();
    element.result.textContent = "";
    record([], session.connect());
    refresh();
    save();
  }

  function say(lines) {
    record(lines, session.say(lines.map(smtplab.words.typed)));
    refresh();
  }

  const WAITS = {
    command: ["Command", "a command"], message: ["Line of the message", "the message, up to a line of one dot"],
    login: ["Answer to the login", "an answer in base64"], chunk: ["Part of the chunk", "the rest of the chunk"]
  };

  function refresh() {
    const status = session.status(), on = session.state.switches, waits = WAITS[status.mode];
    badges([
      status.connected ? ["on", "connected"] : ["bad", "closed"],
      [status.greeted, status.greeted ? "greeted" : "not greeted"],
      [status.tls, status.tls ? "encrypted" : "in the clear"],
      [status.user, status.user ? `logged in as ${status.user}` : "not logged in"],
      [status.transaction, status.transaction
        ? `in a transaction, ${status.recipients}${status.recipients === 1 ? " recipient" : " recipients"}`
        : "no transaction"],
      status.errors ? ["care", status.errors + (status.errors === 1 ? " error" : " errors")] : null,
      status.connected ? ["wait", `waits for ${waits[1]}`] : null
    ]);
    element["line-label"].textContent = waits[0];
    element.line.disabled = element.send.disabled = !status.connected;
    const client = byId(server.clients, element.client.value);
    element["listener-about"].textContent = `${byId(server.listeners, element.listener.value).about} You come from ${client.address}.`;
    element["trouble-count"].textContent = on.length || "none";
    element.trouble.classList.toggle("active", on.length > 0);
    element.restart.classList.toggle("primary", !status.connected);
    quick(status);
  }

  function badges(list) {
    element.state.replaceChildren(...list.filter(Boolean).map((one) => {
      return make("li", {className: `badge ${typeof one[0] === "string" && WAY[one[0]] ? one[0] : one[0] ? "on" : "off"}`}, one[1]);
    }));
  }
  const WAY = {on: true, bad: true, care: true, wait: true};

  function quick(status) {
    const next = suggested(status), disabled = !status.connected;
    element.quick.replaceChildren(...data.quick[status.mode].map((one) => {
      const button = make("button", {type: "button", className: one.label === next ? "next" : "", disabled, title: one.line || "an empty line"}, one.label);
      button.addEventListener("click", () => {
        element.line.value = one.line;
        element.line.focus();
        if (!one.line) send();
      });
      return button;
    }));
  }

  // The command that leads on towards a message.
  function suggested(status) {
    const listener = session.state.listener;
    if (status.mode !== "command") return "";
    if (!status.greeted) return "EHLO";
    if (listener.tls === "starttls" && !status.tls) return "STARTTLS";
    if (listener.tls !== "none" && !status.user) return "AUTH PLAIN";
    if (!status.transaction) return turns.some(isQueued) ? "QUIT" : "MAIL FROM";
    return status.recipients ? "DATA" : "RCPT TO";
  }

  function isQueued(turn) {
    return turn.heard.some((line) => line.includes("queued as"));
  }

  function send() {
    const line = element.line.value;
    if (!session.state.connected) return;
    if (line && history[history.length - 1] !== line) history.push(line);
    place = history.length;
    draft = "";
    element.line.value = "";
    say([line]);
    save();
    if (!session.state.connected) element.restart.focus();
  }

  element.say.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  element.line.addEventListener("keydown", (event) => {
    if ((event.key !== "ArrowUp" && event.key !== "ArrowDown") || event.isComposing || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    if (place === history.length) draft = element.line.value;
    place = Math.max(0, Math.min(history.length, place + (event.key === "ArrowUp" ? -1 : 1)));
    element.line.value = place === history.length ? draft : history[place];
    element.line.setSelectionRange(element.line.value.length, element.line.value.length);
  });

  // Several lines that are pasted are sent one after the other, as in a terminal; the last stays to be finished.
  element.line.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/\r\n|\r|\n/);
    if (lines.length < 2) return;
    event.preventDefault();
    lines.forEach((line, at) => {
      element.line.value = at ? line : element.line.value + line;
      if (at < lines.length - 1) send();
    });
  });

  element.restart.addEventListener("click", () => {
    connect(chosen());
    element.line.focus();
  });
  element.scene.addEventListener("change", () => { connect(chosen()); });
  element.scene.addEventListener("submit", (event) => { event.preventDefault(); });
  element.explain.addEventListener("change", () => {
    element.frame.classList.toggle("terse", !element.explain.checked);
    save();
  });

  // Transcripts

  function transcript() {
    return smtplab.transcript.write(
      {listener: session.state.listener.id, client: session.state.client.id, switches: session.state.switches}, turns);
  }

  element.copy.addEventListener("click", () => {
    const area = make("textarea", {value: transcript(), className: "unseen"});
    document.body.append(area);
    area.select();
    // The clipboard's newer interface is not there for pages that were opened from a folder.
    const done = document.execCommand("copy");
    area.remove();
    element.copy.focus();
    element.result.textContent = done ? "The transcript is in the clipboard." : "This browser does not let the page copy: download it instead.";
  });

  element.download.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([transcript()], {type: "text/plain;charset=utf-8"}));
    make("a", {href: address, download: "smtp-session.txt"}).click();
    setTimeout(() => { URL.revokeObjectURL(address); }, 0);
    element.result.textContent = "The transcript was given to the browser as smtp-session.txt.";
  });

  function play(text) {
    let read;
    element["play-problem"].textContent = "";
    element.transcript.removeAttribute("aria-invalid");
    try {
      read = smtplab.transcript.read(text, server, chosen());
      if (!read.turns.some((turn) => turn.sent.length)) throw new Error("There is no command in it.");
    } catch (error) {
      element["play-problem"].textContent = error.message;
      element.transcript.setAttribute("aria-invalid", "true");
      element.transcript.focus();
      return;
    }
    connect(read.scene);
    let sent = 0;
    read.turns.forEach((turn) => {
      if (!turn.sent.length || !session.state.connected) return;
      record(turn.sent, session.say(turn.sent.map(smtplab.words.typed)));
      sent += turn.sent.length;
    });
    refresh();
    element.result.textContent = told(read, sent);
    element.play.open = false;
    element.frame.focus();
  }

  function told(read, sent) {
    const start = sent === 1 ? "1 line played. " : `${sent} lines played. `;
    if (!read.spoken) return start;
    const recorded = heard(read.turns), now = heard(turns);
    let at = recorded.findIndex((line, number) => line !== now[number]);
    if (at < 0 && recorded.length === now.length) return `${start}The server said what it says in the transcript.`;
    if (at < 0) at = recorded.length;
    return `${start}Reply line ${at + 1} is another now: “${visible(now[at] || "nothing")}” instead of “${visible(recorded[at] || "nothing")}”.`;
  }

  function heard(list) {
    // The queue's names for messages are never the same twice on a real server.
    return list.reduce((lines, turn) => lines.concat(turn.heard), []).map((line) => {
      return line.replace(/(queued as) [0-9A-Za-z]+/, "$1 …");
    });
  }

  element.play.querySelectorAll("[data-session]").forEach((button) => {
    button.addEventListener("click", () => { play(data.sessions[button.dataset.session]); });
  });
  element["play-form"].addEventListener("submit", (event) => {
    event.preventDefault();
    play(element.transcript.value);
  });
  element.file.addEventListener("change", () => {
    const file = element.file.files[0];
    if (!file) return;
    file.text().then((text) => {
      element.transcript.value = text;
      element.file.value = "";
      play(text);
    });
  });

  element.explain.checked = kept.explain !== false;
  element.frame.classList.toggle("terse", !element.explain.checked);
  choose(linked() || kept.scene || {});
  element.trouble.open = boxes.some((box) => box.checked);
  element.simulator.hidden = false;
  connect(chosen());
  const wanted = new URLSearchParams(location.search).get("play");
  if (wanted && Object.prototype.hasOwnProperty.call(data.sessions, wanted)) play(data.sessions[wanted]);
})();

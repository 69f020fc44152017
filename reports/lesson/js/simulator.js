"use strict";
// The simulator's page: a terminal of native elements around smtplab.Session.
(function () {
  var data = smtplab.data(), server = data.table.server, make = smtplab.make;
  var KEY = "smtplab-simulator", MOST_REMEMBERED = 50;
  var element = {};
  ["simulator", "scene", "listener", "listener-about", "client", "trouble", "trouble-count", "state", "restart", "log", "frame",
    "say", "line", "line-label", "send", "quick", "explain", "copy", "download", "play", "play-form", "transcript",
    "play-problem", "file", "result"].forEach(function (id) { element[id] = document.getElementById(id); });
  var boxes = Array.from(element.trouble.querySelectorAll("input"));

  var session, turns;
  var kept = smtplab.recall(KEY) || {};
  var history = Array.isArray(kept.history) ? kept.history : [], place = history.length, draft = "";

  // The scene: port, client, switches

  function byId(list, id) {
    return list.find(function (one) { return one.id === id; });
  }

  function chosen() {
    return {
      listener: element.listener.value,
      client: element.client.value,
      switches: boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; })
    };
  }

  function choose(scene) {
    if (byId(server.listeners, scene.listener)) element.listener.value = scene.listener;
    if (byId(server.clients, scene.client)) element.client.value = scene.client;
    boxes.forEach(function (box) { box.checked = (scene.switches || []).includes(box.value); });
  }

  // A link may choose the scene, simulator.html?listener=submission&switches=greylisting,size-limit, or a session of
  // the lesson to be played: simulator.html?play=session
  function linked() {
    var query = new URLSearchParams(location.search);
    if (!["listener", "client", "switches"].some(function (name) { return query.has(name); })) return null;
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
    return text.replace(/[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, function (sign) {
      var code = sign.charCodeAt(0);
      return code < 256 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16).padStart(4, "0");
    });
  }

  function item(kind, who, text) {
    var line = make("span", {className: "line"}, visible(text) || "\u00a0");
    return make("li", {className: kind}, make("span", {className: "who"}, who), line);
  }

  function replyItems(reply) {
    var items = reply.lines.map(function (line) { return item("server", "S", line); });
    if (items.length) items[items.length - 1].append(about(reply));
    return items;
  }

  function about(reply) {
    var links = codes(reply.lines[0]).concat(reply.see).filter(function (id, at, all) {
      return Object.hasOwn(data.links, id) && all.indexOf(id) === at;
    });
    var text = smtplab.prose(make("span", {}), reply.why), told = make("div", {className: "about"}, text);
    if (links.length) {
      var list = make("span", {className: "more"});
      links.forEach(function (id, at) {
        list.append(at ? ", " : "", make("a", {href: data.links[id][1]}, data.links[id][0]));
      });
      told.append(" ", list);
    }
    return told;
  }

  // Entries of a reply's code and enhanced code.
  function codes(line) {
    var found = /^([2-5][0-9][0-9])[- ]?(?:([245])(\.[0-9]{1,3}\.[0-9]{1,3}))?/.exec(line);
    if (!found) return [];
    var ids = ["reply-" + found[1]];
    return found[2] ? ids.concat("code-" + found[2] + found[3], "code-x" + found[3]) : ids;
  }

  function record(sent, replies) {
    var last = replies[replies.length - 1], notes = [], items = [];
    if (last && last.rule === "starttls-ready") notes.push("TLS begins");
    if (!session.state.connected) notes.push("the server hangs up");
    turns.push({
      sent: sent, notes: notes,
      heard: replies.reduce(function (lines, reply) { return lines.concat(reply.lines); }, [])
    });
    sent.forEach(function (line, at) { items.push(item("client", at ? "C+" : "C", line)); });
    replies.forEach(function (reply) {
      items = items.concat(replyItems(reply));
      if (!reply.lines.length) items.push(make("li", {className: "silent"}, about(reply)));
    });
    notes.forEach(function (note) { items.push(item("event", "*", note)); });
    element.log.append.apply(element.log, items);
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
    record(lines, session.say(lines));
    refresh();
  }

  var WAITS = {
    command: ["Command", "a command"], message: ["Line of the message", "the message, up to a line of one dot"],
    login: ["Answer to the login", "an answer in base64"], chunk: ["Part of the chunk", "the rest of the chunk"]
  };

  function refresh() {
    var status = session.status(), on = session.state.switches, waits = WAITS[status.mode];
    badges([
      status.connected ? ["on", "connected"] : ["bad", "closed"],
      [status.greeted, status.greeted ? "greeted" : "not greeted"],
      [status.tls, status.tls ? "encrypted" : "in the clear"],
      [status.user, status.user ? "logged in as " + status.user : "not logged in"],
      [status.transaction, status.transaction
        ? "in a transaction, " + status.recipients + (status.recipients === 1 ? " recipient" : " recipients")
        : "no transaction"],
      status.errors ? ["care", status.errors + (status.errors === 1 ? " error" : " errors")] : null,
      status.connected ? ["wait", "waits for " + waits[1]] : null
    ]);
    element["line-label"].textContent = waits[0];
    element.line.disabled = element.send.disabled = !status.connected;
    element["listener-about"].textContent = byId(server.listeners, element.listener.value).about;
    element["trouble-count"].textContent = on.length || "none";
    element.trouble.classList.toggle("active", on.length > 0);
    element.restart.classList.toggle("primary", !status.connected);
    quick(status);
  }

  function badges(list) {
    element.state.replaceChildren.apply(element.state, list.filter(Boolean).map(function (one) {
      return make("li", {className: "badge " + (typeof one[0] === "string" && WAY[one[0]] ? one[0] : one[0] ? "on" : "off")}, one[1]);
    }));
  }
  var WAY = {on: true, bad: true, care: true, wait: true};

  function quick(status) {
    var next = suggested(status), disabled = !status.connected;
    element.quick.replaceChildren.apply(element.quick, data.quick[status.mode].map(function (one) {
      var button = make("button", {type: "button", className: one.label === next ? "next" : "", disabled: disabled, title: one.line || "an empty line"}, one.label);
      button.addEventListener("click", function () {
        element.line.value = one.line;
        element.line.focus();
        if (!one.line) send();
      });
      return button;
    }));
  }

  // The command that leads on towards a message.
  function suggested(status) {
    var listener = session.state.listener;
    if (status.mode !== "command") return "";
    if (!status.greeted) return "EHLO";
    if (listener.tls === "starttls" && !status.tls) return "STARTTLS";
    if (listener.tls !== "none" && !status.user) return "AUTH PLAIN";
    if (!status.transaction) return turns.some(isQueued) ? "QUIT" : "MAIL FROM";
    return status.recipients ? "DATA" : "RCPT TO";
  }

  function isQueued(turn) {
    return turn.heard.some(function (line) { return line.includes("queued as"); });
  }

  function send() {
    var line = element.line.value;
    if (!session.state.connected) return;
    if (line && history[history.length - 1] !== line) history.push(line);
    place = history.length;
    draft = "";
    element.line.value = "";
    say([line]);
    save();
    if (!session.state.connected) element.restart.focus();
  }

  element.say.addEventListener("submit", function (event) {
    event.preventDefault();
    send();
  });

  element.line.addEventListener("keydown", function (event) {
    if ((event.key !== "ArrowUp" && event.key !== "ArrowDown") || event.isComposing || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    if (place === history.length) draft = element.line.value;
    place = Math.max(0, Math.min(history.length, place + (event.key === "ArrowUp" ? -1 : 1)));
    element.line.value = place === history.length ? draft : history[place];
    element.line.setSelectionRange(element.line.value.length, element.line.value.length);
  });

  // Several lines that are pasted are sent one after the other, as in a terminal; the last stays to be finished.
  element.line.addEventListener("paste", function (event) {
    var lines = event.clipboardData.getData("text").split(/\r\n|\r|\n/);
    if (lines.length < 2) return;
    event.preventDefault();
    lines.forEach(function (line, at) {
      element.line.value = at ? line : element.line.value + line;
      if (at < lines.length - 1) send();
    });
  });

  element.restart.addEventListener("click", function () {
    connect(chosen());
    element.line.focus();
  });
  element.scene.addEventListener("change", function () { connect(chosen()); });
  element.scene.addEventListener("submit", function (event) { event.preventDefault(); });
  element.explain.addEventListener("change", function () {
    element.frame.classList.toggle("terse", !element.explain.checked);
    save();
  });

  // Transcripts

  function transcript() {
    return smtplab.transcript.write(
      {listener: session.state.listener.id, client: session.state.client.id, switches: session.state.switches}, turns);
  }

  element.copy.addEventListener("click", function () {
    var area = make("textarea", {value: transcript(), className: "unseen"});
    document.body.append(area);
    area.select();
    // The clipboard's newer interface is not there for pages that were opened from a folder.
    var done = document.execCommand("copy");
    area.remove();
    element.copy.focus();
    element.result.textContent = done ? "The transcript is in the clipboard." : "This browser does not let the page copy: download it instead.";
  });

  element.download.addEventListener("click", function () {
    var address = URL.createObjectURL(new Blob([transcript()], {type: "text/plain;charset=utf-8"}));
    make("a", {href: address, download: "smtp-session.txt"}).click();
    setTimeout(function () { URL.revokeObjectURL(address); }, 0);
    element.result.textContent = "The transcript was given to the browser as smtp-session.txt.";
  });

  function play(text) {
    var read;
    element["play-problem"].textContent = "";
    element.transcript.removeAttribute("aria-invalid");
    try {
      read = smtplab.transcript.read(text, server);
      if (!read.turns.some(function (turn) { return turn.sent.length; })) throw new Error("There is no command in it.");
    } catch (error) {
      element["play-problem"].textContent = error.message;
      element.transcript.setAttribute("aria-invalid", "true");
      element.transcript.focus();
      return;
    }
    connect(read.scene);
    var sent = 0;
    read.turns.forEach(function (turn) {
      if (!turn.sent.length || !session.state.connected) return;
      record(turn.sent, session.say(turn.sent));
      sent += turn.sent.length;
    });
    refresh();
    element.result.textContent = told(read, sent);
    element.play.open = false;
    element.frame.focus();
  }

  function told(read, sent) {
    var start = sent === 1 ? "1 line played. " : sent + " lines played. ";
    if (!read.spoken) return start;
    var recorded = heard(read.turns), now = heard(turns);
    var at = recorded.findIndex(function (line, number) { return line !== now[number]; });
    if (at < 0 && recorded.length === now.length) return start + "The server said what it says in the transcript.";
    if (at < 0) at = recorded.length;
    return start + "Reply line " + (at + 1) + " is another now: “" + visible(now[at] || "nothing") + "” instead of “" + visible(recorded[at] || "nothing") + "”.";
  }

  function heard(list) {
    // The queue's names for messages are never the same twice on a real server.
    return list.reduce(function (lines, turn) { return lines.concat(turn.heard); }, []).map(function (line) {
      return line.replace(/(queued as) [0-9A-Za-z]+/, "$1 …");
    });
  }

  element.play.querySelectorAll("[data-session]").forEach(function (button) {
    button.addEventListener("click", function () { play(data.sessions[button.dataset.session]); });
  });
  element["play-form"].addEventListener("submit", function (event) {
    event.preventDefault();
    play(element.transcript.value);
  });
  element.file.addEventListener("change", function () {
    var file = element.file.files[0];
    if (!file) return;
    file.text().then(function (text) {
      element.transcript.value = text;
      element.file.value = "";
      play(text);
    });
  });

  element.explain.checked = kept.explain !== false;
  element.frame.classList.toggle("terse", !element.explain.checked);
  choose(linked() || kept.scene || {});
  element.trouble.open = boxes.some(function (box) { return box.checked; });
  element.simulator.hidden = false;
  connect(chosen());
  var wanted = new URLSearchParams(location.search).get("play");
  if (wanted && Object.hasOwn(data.sessions, wanted)) play(data.sessions[wanted]);
})();

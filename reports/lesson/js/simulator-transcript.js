"use strict";
// Sessions as text, as grader/lesson/simulator/transcript.py writes and reads them; its docstring describes the format.
(function () {
  var LARGEST = 1000000;

  function flat(line) {
    return line.replace(/[\r\n]/g, " ");
  }

  // scene: {listener, client, switches}; turns: [{sent, heard, notes}, …].
  function write(scene, turns) {
    var lines = ["# smtplab session", "# listener: " + scene.listener, "# client: " + scene.client];
    if (scene.switches.length) lines.push("# switches: " + scene.switches.join(", "));
    turns.forEach(function (turn) {
      turn.sent.forEach(function (line, place) { lines.push((place ? "C+: " : "C: ") + flat(line)); });
      turn.heard.forEach(function (line) { lines.push("S: " + flat(line)); });
      turn.notes.forEach(function (note) { lines.push("* " + note); });
    });
    return lines.join("\n") + "\n";
  }

  // {scene, turns, spoken}; throws an Error whose message says what is wrong and where.
  function read(text, server) {
    if (text.length > LARGEST) throw new Error("This is longer than " + LARGEST + " characters, which no session is.");
    var lines = text.split(/\r\n|\r|\n/);
    var bare = !lines.some(function (line) { return /^(?:C\+?|S):/.test(line); });
    var settings = {}, turns = [], spoken = false;
    lines.forEach(function (line, place) {
      var command = /^(C\+?):(?: |$)/.exec(line), last = turns[turns.length - 1];
      if (line.startsWith("#")) {
        var found = /^#\s*(listener|client|switches)\s*:\s*(.*?)\s*$/.exec(line);
        if (found) settings[found[1]] = found[2];
      } else if (bare && line) {
        turns.push({sent: [line], heard: [], notes: []});
      } else if (command) {
        var rest = line.slice(command[0].length);
        if (command[1] === "C+" && last && last.sent.length && !last.heard.length) last.sent.push(rest);
        else turns.push({sent: [rest], heard: [], notes: []});
      } else if (line.startsWith("S: ") || line === "S:") {
        spoken = true;
        if (!last) turns.push(last = {sent: [], heard: [], notes: []});
        last.heard.push(line.slice(3));
      } else if (line && !line.startsWith("*")) {
        throw new Error("Line " + (place + 1) + ": a line begins with C:, C+:, S:, * or #, and this one with “" + line.slice(0, 12) + "”.");
      }
    });
    return {scene: scene(settings, server), turns: turns, spoken: spoken};
  }

  function scene(settings, server) {
    var made = {
      listener: settings.listener || "smtp", client: settings.client || "stranger",
      switches: (settings.switches || "").split(",").map(function (name) { return name.trim(); }).filter(Boolean)
    };
    check("listener", [made.listener], server.listeners);
    check("client", [made.client], server.clients);
    check("switch", made.switches, server.switches);
    return made;
  }

  function check(what, given, known) {
    var ids = known.map(function (one) { return one.id; });
    given.forEach(function (name) {
      if (!ids.includes(name)) throw new Error("There is no " + what + " “" + name + "”: choose one of " + ids.join(", ") + ".");
    });
  }

  window.smtplab.transcript = {write: write, read: read};
})();

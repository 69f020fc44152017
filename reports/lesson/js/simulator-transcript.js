"use strict";
// Sessions as text, as grader/lesson/simulator/transcript.py writes and reads them; its docstring describes the format.
(() => {
  const LARGEST = 1000000;

  function flat(line) {
    return line.replace(/[\r\n]/g, " ");
  }

  // scene: {listener, client, switches}; turns: [{sent, heard, notes}, …].
  function write(scene, turns) {
    const lines = ["# smtplab session", `# listener: ${scene.listener}`, `# client: ${scene.client}`];
    if (scene.switches.length) lines.push(`# switches: ${scene.switches.join(", ")}`);
    turns.forEach((turn) => {
      turn.sent.forEach((line, place) => { lines.push((place ? "C+: " : "C: ") + flat(line)); });
      turn.heard.forEach((line) => { lines.push(`S: ${flat(line)}`); });
      turn.notes.forEach((note) => { lines.push(`* ${note}`); });
    });
    return `${lines.join("\n")}\n`;
  }

  // {scene, turns, spoken}; "current" is the scene for a text that names none. Throws an Error that says what is wrong.
  function read(text, server, current) {
    if (text.length > LARGEST) throw new Error(`This is longer than ${LARGEST} characters, which no session is.`);
    const lines = text.split(/\r\n|\r|\n/);
    const bare = !lines.some((line) => /^(?:C\+?|S):/.test(line));
    const settings = {}, turns = [];
    let spoken = false;
    lines.forEach((line, place) => {
      const command = /^(C\+?):(?: |$)/.exec(line);
      let last = turns[turns.length - 1];
      if (line.startsWith("#")) {
        const found = /^#\s*(listener|client|switches)\s*:\s*(.*?)\s*$/.exec(line);
        if (found) settings[found[1]] = found[2];
      } else if (bare && line) {
        turns.push({sent: [line], heard: [], notes: []});
      } else if (command) {
        const rest = line.slice(command[0].length);
        if (command[1] === "C+" && last && last.sent.length && !last.heard.length) last.sent.push(rest);
        else turns.push({sent: [rest], heard: [], notes: []});
      } else if (line.startsWith("S: ") || line === "S:") {
        spoken = true;
        if (!last) turns.push(last = {sent: [], heard: [], notes: []});
        last.heard.push(line.slice(3));
      } else if (line && !line.startsWith("*")) {
        throw new Error(`Line ${place + 1}: a line begins with C:, C+:, S:, * or #, and this one with “${line.slice(0, 12)}”.`);
      }
    });
    const named = !current || Object.keys(settings).length > 0;
    return {scene: named ? scene(settings, server) : current, turns, spoken};
  }

  function scene(settings, server) {
    const made = {
      listener: settings.listener || "smtp", client: settings.client || "stranger",
      switches: (settings.switches || "").split(",").map((name) => name.trim()).filter(Boolean)
    };
    check("listener", [made.listener], server.listeners);
    check("client", [made.client], server.clients);
    check("switch", made.switches, server.switches);
    return made;
  }

  function check(what, given, known) {
    const ids = known.map((one) => one.id);
    given.forEach((name) => {
      if (!ids.includes(name)) throw new Error(`There is no ${what} “${name}”: choose one of ${ids.join(", ")}.`);
    });
  }

  window.smtplab.transcript = {write, read};
})();

/* What the analyser found, as elements of the page. Strange text goes in as text alone. */
(() => {
  "use strict";
  const smtplab = window.smtplab;
  const { make } = smtplab;
  const MOST_SHOWN = 100;
  const GRAVE = { bad: "Do not believe it.", care: "Look closer.", note: "Note.", good: "Good." };
  const STANDINGS = { own: "your server", unsure: "your server, or it came along", foreign: "came with the message" };
  const ORDER = ["bad", "care", "good", "note"];

  // Marks that turn the direction of writing, and other signs that are not seen, are shown as what they are.
  const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const visible = (text) => text.replace(HIDDEN, (char) => `\\u${smtplab.text.hex(char.charCodeAt(0), 4)}`);
  const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

  function section(id, title, ...content) {
    return make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...content);
  }

  function table(className, head, rows) {
    const top = make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)));
    const body = rows.map((row) => make("tr", {}, ...row.map((cell, place) => {
      const element = make("td", {}, ...(Array.isArray(cell) ? cell : [cell]));
      if (place) element.dataset.label = head[place];
      return element;
    })));
    return make("table", { className: `stacks ${className}` }, make("thead", {}, top), make("tbody", {}, ...body));
  }

  function links(one, data) {
    const parts = one.see.filter((id) => data.entries[id]).map((id) => make("a", { href: data.entries[id].href }, data.entries[id].title));
    const known = data.findings.find((finding) => finding.id === one.rule);
    parts.push(make("a", { href: known.link, rel: "external noreferrer" }, one.reference));
    if (one.line) parts.push(`line ${one.line}`);
    return make("p", { className: "links" }, ...parts.flatMap((part, place) => (place ? [" · ", part] : [part])));
  }

  function summary(found) {
    const facts = found.shown.flatMap((one) => [make("dt", {}, one.name), make("dd", {}, visible(one.text) || "(empty)")]);
    return section("summary", "As a reader sees it", make("dl", { className: "facts-shown" }, ...facts));
  }

  function findings(found, data) {
    const sorted = [...found.findings].sort((a, b) => ORDER.indexOf(a.grave) - ORDER.indexOf(b.grave));
    const items = sorted.slice(0, MOST_SHOWN).map((one) => make("li", { className: one.grave },
      make("strong", {}, GRAVE[one.grave]), visible(one.sentence), links(one, data)));
    const rest = sorted.length - items.length;
    return section("findings", "What stands out", make("ul", { className: "findings" }, ...items),
      ...(rest > 0 ? [make("p", {}, `${plural(rest, "more finding")} of this kind.`)] : []));
  }

  function way(found, data) {
    if (!found.hops.length) return section("way", "The way", make("p", {}, "There is no Received field."));
    const longest = Math.max(1, ...found.hops.map((hop) => hop.delay || 0));
    const border = found.hops.length - found.trusted;
    const items = [];
    found.hops.forEach((hop, place) => {
      if (place === border && border > 0) items.push(make("li", { className: "border" }, borderText(found)));
      items.push(hopItem(hop, place >= border, longest, data));
    });
    const times = found.hops.map((hop) => hop.time).filter((time) => time !== null);
    return section("way", "The way", make("p", {}, `${plural(found.hops.length, "hop")}${span(times)}. The oldest is first.`),
      make("ol", { className: "hops" }, ...items));
  }

  function span(times) {
    if (times.length < 2) return "";
    const seconds = times[times.length - 1] - times[0];
    const text = smtplab.trace.duration(seconds);
    return seconds < 0 ? `; the last is dated ${text} before the first` : `, ${text} from the first to the last`;
  }

  const borderText = (found) => `From here on the lines are of ${found.own ? visible(found.own) : "the server that has the message now"}, which you trust. What stands above came with the message, and its sender may have invented it.`;

  function hopItem(hop, own, longest, data) {
    const protocol = data.protocols.find((one) => one.name.toUpperCase() === hop.protocol.toUpperCase());
    const from = hop.source && hop.host && hop.host !== hop.source ? `${hop.source} (really ${hop.host})` : hop.source || hop.host || "an unnamed client";
    const address = hop.address ? ` at ${hop.address}${hop.private ? ", a private address" : ""}` : "";
    const said = protocol ? `${hop.protocol}: ${protocol.text}` : hop.protocol;
    const known = said && hop.tls !== null && !said.includes("TLS");
    const how = known ? `${said}, ${hop.tls ? "encrypted with TLS" : "not encrypted"}` : said;
    const when = hop.time === null ? hop.date || "no date" : `${hop.date} (${new Date(hop.time * 1000).toISOString().replace(".000Z", "Z")})`;
    return make("li", { className: own ? "hop own" : "hop" },
      make("span", { className: "number" }, make("span", { className: "unseen" }, "Hop "), String(hop.number)),
      make("h3", {}, visible(hop.by || "(no name)"), " ", make("span", { className: own ? "word own" : "word" }, own ? "your server" : "only claimed")),
      make("p", {}, visible(`from ${from}${address}`)),
      ...(how ? [make("p", {}, visible(how))] : []),
      make("p", { className: "quiet" }, visible(when)),
      delay(hop, longest));
  }

  function delay(hop, longest) {
    if (hop.delay === null) return make("p", { className: "quiet" }, "Delay unknown");
    const text = hop.delay < 0 ? `${smtplab.trace.duration(hop.delay)} back in time` : `after ${smtplab.trace.duration(hop.delay)}`;
    const slow = hop.delay >= 300;
    const bar = make("span", { className: slow ? "bar slow" : "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(0, (100 * hop.delay) / longest)}%`;
    return make("p", { className: "delay" }, make("span", { className: hop.delay < 0 ? "back" : slow ? "late" : "" }, text), make("span", {}, bar));
  }

  function people(found) {
    if (!found.people.length) return null;
    const rows = found.people.map((one) => [
      make("code", {}, one.field), visible(one.name) || "–", visible(one.address) || "(empty)",
      one.field === "From" ? "–" : !one.domain ? "nobody" : one.related ? "yes" : make("span", { className: "word care" }, "no"),
    ]);
    return section("people", "Who it is from", table("people", ["Field", "Name", "Address", "Organisation of From"], rows),
      make("p", { className: "help" }, "The organisation is guessed from the name: its last two labels, or three under a country's second level. DMARC asks DNS instead."));
  }

  /* A result is coloured only where one's own server wrote it: a green word that came with the message would lie. */
  function outcomes(list, trusted, data) {
    return make("ul", {}, ...list.map((one) => {
      const result = data.results.find((known) => known.name === one.result);
      const method = data.methods.find((known) => known.name === one.method);
      const about = method && data.entries[method.see];
      const name = about ? make("a", { href: about.href }, one.method) : one.method;
      const said = one.properties.map((pair) => `${pair.name}=${pair.value}`).join(" ");
      return make("li", {}, name, " ", make("span", { className: `word ${result && trusted ? result.mood : ""}` }, visible(one.result)),
        visible(` ${method ? `${method.text}: ` : ""}${result ? result.text : "a result of this server's own"}. `), said ? make("code", {}, visible(said)) : "");
    }));
  }

  function checked(found, data) {
    const cards = found.results.map((one) => make("div", { className: "result-card" },
      make("h3", {}, one.field, one.server ? ` of ${visible(one.server)} ` : " ",
        make("span", { className: one.standing === "own" ? "word own" : "word care" }, STANDINGS[one.standing])),
      one.outcomes.length ? outcomes(one.outcomes, one.standing === "own", data) : make("p", {}, "No results.")));
    const sets = found.arc.map((set) => make("div", { className: "result-card" },
      make("h3", {}, `ARC set ${set.instance}`, set.domain ? `, sealed by ${visible(set.domain)}` : ""),
      make("p", {}, visible(`Of the chain before it says cv=${set.cv || "?"}. ${set.server ? `${set.server} had found:` : ""}`)),
      outcomes(set.outcomes, false, data)));
    const none = make("p", {}, "No server wrote down what it checked.");
    return section("checked", "What was checked", ...(cards.length || sets.length ? [...cards, ...sets] : [none]));
  }

  function signatures(found, data) {
    if (!found.signatures.length) return null;
    const cards = found.signatures.map((one) => {
      const rows = one.tags.map((pair) => {
        const known = data.tags.find((tag) => tag.name === pair.name);
        const time = ["t", "x"].includes(pair.name) && /^[0-9]{1,11}$/.test(pair.value) ? ` (${new Date(Number(pair.value) * 1000).toISOString().slice(0, 19)}Z)` : "";
        return [visible(pair.name), visible(smtplab.text.brief(pair.value, 400)), (known ? known.text : "unknown, so ignored") + time];
      });
      return make("details", { className: "result-card" }, make("summary", {}, make("strong", {}, visible(one.domain) || "(no domain)"), " ",
        make("span", { className: one.aligned ? "word own" : "word care" }, one.aligned ? "aligned with From" : "not aligned with From")),
      table("tag-table", ["Tag", "Value", "Meaning"], rows));
    });
    return section("signatures", "DKIM signatures", ...cards);
  }

  function faults(list, data) {
    if (!list.length) {
      return section("faults", "Faults", make("p", {}, `It keeps all ${Object.keys(data.rules).length} rules.`));
    }
    const rows = list.slice(0, MOST_SHOWN).map((one) => [
      String(one.line), make("span", { className: `word severity ${one.severity === "error" ? "bad" : "care"}` }, one.severity),
      [one.sentence, " ", make("a", { href: `header-rules.html#rule-${one.rule}` }, data.rules[one.rule].title)],
      make("a", { href: data.rules[one.rule].link, rel: "external noreferrer" }, one.reference),
    ]);
    const rest = list.length - rows.length;
    return section("faults", "Faults", table("faults", ["Line", "Severity", "What is wrong", "Standard"], rows),
      ...(rest > 0 ? [make("p", {}, `${plural(rest, "more fault")}.`)] : []));
  }

  /** All sections about a message: what `smtplab.analyse` and `smtplab.rules.checkMessage` found. */
  function sections(found, broken, data) {
    return [
      summary(found), findings(found, data), way(found, data), people(found), checked(found, data),
      signatures(found, data), faults(broken, data),
    ].filter((one) => one);
  }

  smtplab.results = { plural, sections };
})();

/* Dates of every form that servers write, read leniently (RFC 5322 section 4.3). Twin of formats/message/moments.py. */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { lower, trimSpaces } = smtplab.text;
  const { attempt, withoutComments } = smtplab.lexer;
  const LONGEST = 200;
  const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
  const STRICT = /^(?:[A-Za-z]{3}, ?)?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? [+-][0-9]{4}$/;
  const BEHIND = /^(?:|;[^]*| (?:id|for|envelope-from) [^]*)$/;
  let patterns = [], begins = null, zones = {};

  /** Take the patterns from the table of dialects, which are Python's. */
  function useDates(table) {
    patterns = table.dates.map((pattern) => new RegExp(`^(?:${pattern.replace(/\(\?P</g, "(?<")})`));
    begins = new RegExp(table.begins, "g");
    zones = table.zones;
  }

  /** The moment that a date at the text's beginning names: {seconds, reading, text}. */
  function readMoment(text) {
    const written = plain(text);
    const folded = lower(written);
    const found = patterns.map((pattern) => pattern.exec(folded)).find((one) => one);
    if (!found) return { seconds: null, reading: "none", text: written };
    const shown = written.slice(0, found[0].length);
    const seconds = secondsOf(found.groups);
    if (seconds === null) return { seconds: null, reading: "impossible", text: shown };
    const minutes = minutesOf(found.groups.zone || found.groups.before || "");
    if (minutes === null) return { seconds: null, reading: "zone", text: shown };
    const strict = STRICT.test(shown) && BEHIND.test(written.slice(shown.length));
    return { seconds: seconds - minutes * 60, reading: strict ? "plain" : "lenient", text: shown };
  }

  /** Where the last date in a text begins; null without one. */
  function findMoment(text) {
    const start = Math.max(0, text.length - LONGEST);
    for (const found of lower(text.slice(start)).matchAll(begins)) {
      if (readMoment(text.slice(start + found.index)).reading !== "none") return start + found.index;
    }
    return null;
  }

  function plain(text) {
    const cut = text.slice(0, 4 * LONGEST);
    const bare = attempt(() => withoutComments(cut), () => cut.split("(")[0]);
    return trimSpaces(bare.replace(/[ \t\r\n]+/g, " ")).slice(0, LONGEST);
  }

  function secondsOf({ year, month, day, hour, minute, second }) {
    let years = Number(year);
    if (year.length < 4) years += year.length === 2 && years < 50 ? 2000 : 1900;
    const number = /^[0-9]/.test(month) ? Number(month) : MONTHS.indexOf(month) + 1;
    if (years < 1900 || number < 1 || number > 12 || Number(day) < 1) return null;
    const date = new Date(0);
    date.setUTCFullYear(years, number - 1, Number(day));
    // A day that the month lacks becomes one of the next month. 60 is a leap second.
    if (date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second || 0) > 60) return null;
    return date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second || 0);
  }

  function minutesOf(zone) {
    if (!/^[+-]/.test(zone)) return Object.prototype.hasOwnProperty.call(zones, zone) ? zones[zone] : null;
    const hours = Number(zone.slice(1, 3)), minutes = Number(zone.slice(-2));
    return hours > 23 || minutes > 59 ? null : (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
  }

  smtplab.moments = { findMoment, readMoment, useDates };
})();

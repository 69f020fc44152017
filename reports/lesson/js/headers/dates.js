/* Dates of header fields (RFC 5322 section 3.3). */
(() => {
  "use strict";
  const smtplab = (window.smtplab = window.smtplab || {});
  const { strip } = smtplab.text;
  const { attempt, withoutComments } = smtplab.lexer;
  const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DATE = new RegExp(
    `^(?:(?<weekday>${DAYS.join("|")})[ \\t]*,)?[ \\t]*(?<day>[0-9]{1,2})[ \\t]+(?<month>${MONTHS.join("|")})` +
    "[ \\t]+(?<year>[0-9]{2,9})[ \\t]+(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2}))?" +
    "[ \\t]+(?<zone>[+-][0-9]{4}|[A-Za-z]{1,5})$", "i");

  const capital = (name) => name[0].toUpperCase() + name.slice(1).toLowerCase();

  /** The rule that a date breaks, and what fills its sentence; null where it breaks none. */
  function dateFault(text) {
    const found = match(text);
    if (!found) return ["date-syntax", { text: strip(text) }];
    const old = obsolete(found);
    if (old) return ["date-obsolete", { what: old }];
    const wrong = impossible(found);
    if (wrong) return ["date-impossible", { what: wrong }];
    const really = DAYS[(calendar(found).getUTCDay() + 6) % 7];
    if (found.weekday && capital(found.weekday) !== really) return ["date-weekday", { said: found.weekday, really }];
    return null;
  }

  function match(text) {
    const plain = attempt(() => withoutComments(text), () => "").replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
    const found = DATE.exec(plain);
    return found ? found.groups : null;
  }

  function obsolete(found) {
    if (found.year.length < 4) return `the year ${found.year} of fewer than four digits`;
    return /^[+-]/.test(found.zone) ? "" : `the zone ${found.zone} instead of hours and minutes`;
  }

  function calendar(found) {
    const day = new Date(0);
    day.setUTCFullYear(Number(found.year), MONTHS.indexOf(capital(found.month)), Number(found.day));
    return day;
  }

  function impossible(found) {
    const year = Number(found.year);
    if (year < 1900 || year > 9999) return `the year ${found.year}`;
    // A day that the month lacks becomes one of the next month.
    const day = Number(found.day);
    if (day < 1 || calendar(found).getUTCDate() !== day) return `${found.day} ${found.month} ${year}`;
    // 60 is a leap second.
    if (Number(found.hour) > 23 || Number(found.minute) > 59 || Number(found.second || 0) > 60) {
      return `the time ${found.hour}:${found.minute}:${found.second || "00"}`;
    }
    return Number(found.zone.slice(3)) > 59 ? `the zone ${found.zone}` : "";
  }

  /** A moment in this browser's zone, as RFC 5322 section 3.3 writes it. */
  function dateNow(date = new Date()) {
    const two = (value) => String(value).padStart(2, "0");
    const offset = -date.getTimezoneOffset(), size = Math.abs(offset);
    const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
    const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
    const day = `${DAYS[(date.getDay() + 6) % 7]}, ${date.getDate()} ${MONTHS[date.getMonth()]}`;
    return `${day} ${String(date.getFullYear()).padStart(4, "0")} ${time} ${zone}`;
  }

  /** A Message-ID at the domain of an address, which may lack one (RFC 5322 section 3.6.4). */
  function freshIdentifier(address, date = new Date()) {
    const domain = address.slice(address.lastIndexOf("@") + 1) || "example.com";
    const random = crypto.getRandomValues(new Uint8Array(8));
    const left = date.toISOString().replace(/[^0-9]/g, "").slice(0, 14);
    return `<${left}.${Array.from(random, (byte) => smtplab.text.hex(byte)).join("")}@${domain}>`;
  }

  smtplab.dates = { dateFault, dateNow, freshIdentifier };
})();

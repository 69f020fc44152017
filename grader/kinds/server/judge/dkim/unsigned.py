"""Why a message was not signed, as far as the log and the settings tell."""

from __future__ import annotations

import re

from grader.formats.message.parse import header_fields
from grader.formats.settings import read_opendkim
from grader.kinds.server.judge.dkim.behind import removing
from grader.kinds.server.judge.dkim.workless import NOT_REACHED, UNREACHED
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.settings import Setting
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.log import LogLine
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, broken
from grader.model.pointer import Pointer

REASON = re.compile(
    r"not internal|not authenticated|no signing \w+ match|no macros match|no MTA name match|"
    r"skipping signing of mail to|exempted, accepting"
)
"""What OpenDKIM logs, with ``LogWhy``, of a message that it does not sign (opendkim.conf(5))."""
NOT_INTERNAL = "not internal"
NO_CONCERN = {True: re.compile(NOT_INTERNAL), False: re.compile("not authenticated")}
"""What is no reason where the author has logged in, and where not: both are said of whoever is neither."""
TELLS = re.compile(REASON.pattern + r"|no signature data|starting \(args: .*-W")
NO_KEY_FOR = re.compile(r"no signing \w+ match")
NO_LOGIN = re.compile("not authenticated")
LISTED = {"skipping signing of mail to": "DontSignMailTo", "exempted, accepting": "ExemptDomains"}
"""By what OpenDKIM logs of whom a list leaves out, the parameter that names the list."""
AUTHOR = re.compile(r"no signing \w+ match for '([^' ]{1,200}@[^' ]{1,200})'")
AUTHOR_BY = ("sendermacro", "senderheaders")
"""Parameters that have OpenDKIM look for the author elsewhere than in From (opendkim.conf(5))."""
UNUSED = re.compile(r"unused parameter: ((?:smtpd_)?milters?)\b")
"""What postconf(1) warns of: a parameter that no Postfix has, and that sounds like the one that was meant."""
MISSPELT = ("smtp_milters", "smtpd_milter", "smtp_milter", "milters", "milter")
SETTINGS = ("smtpd_milters", "receive_override_options", "smtpd_milter_maps")
PASSED_OVER = (
    "OpenDKIM says why of every message that it does not sign, and of this one nothing: it passed it over, or was not "
    "asked."
)
WHOM_IT_PASSES_OVER = (
    "Look in opendkim.conf for what makes it pass over mail without a word: `PeerList`, `ExemptDomains`, "
    "`DontSignMailTo`. Where there is none, look for what keeps Postfix from asking it: `postconf -n`, `postconf -P`."
)
SIGN = "Write `Mode sv` in opendkim.conf, or take the line out: `s` signs, `v` verifies, and both are the default."
SIGNED = "DKIM-Signature field added"
LOST_ON_THE_WAY = (
    "Look for what changes mail behind OpenDKIM: `smtp_header_checks` (`IGNORE`, `STRIP`, `REPLACE`), a filter that "
    "mail goes through on its way out."
)
MILTER = "opendkim"
MASTER = "master.cf"


def unsigned(case: TrafficCase, index: ServerIndex, sentence: str, places: list[Pointer]) -> Finding:
    """The finding of a message that arrived unsigned: with OpenDKIM's reason, or that it was never asked."""
    about = index.log.of(case.facts, case.session)
    asked = [line for line in about if line.program.startswith(MILTER)]
    reason = next((line for line in asked if _is_reason(line, case)), None)
    if reason is not None:
        said = f"{sentence} The log says: {quoted(index.logged(reason.index))}"
        remedy = _another_author(case, reason.text, index) or _by_reason(reason.text)
        if remedy is None and NOT_INTERNAL in reason.text:
            remedy = _whom_it_takes_for_internal(case, index)
        return broken(case, said, [Pointer("log", reason.index), *places], next=remedy)
    if (signed := next((line for line in asked if line.text.startswith(SIGNED)), None)) is not None:
        said = f"{sentence} OpenDKIM had signed it: {quoted(index.logged(signed.index))}"
        by, taken = removing(index, LOST_ON_THE_WAY)
        return broken(case, said + by, [Pointer("log", signed.index), *places], next=taken)
    if not asked and (refused := next(filter(_not_reached, about), None)) is not None:
        said = f"{sentence} Postfix could not ask OpenDKIM: {quoted(index.logged(refused.index))}"
        remedy = next((words for why, words in UNREACHED.items() if why in refused.text), None)
        return broken(case, said, [Pointer("log", refused.index), *places], next=remedy)
    if not asked and any(_tells(line) for line in index.log.lines):
        why, remedy = _kept_away(case, index)
        said = f"On port {case.facts.listener} OpenDKIM was not asked. {why}" if why else PASSED_OVER
        by, taken = removing(index)
        if not why and (mode := _only_verifies(index)):
            said, remedy = mode, SIGN
        elif not why and by:
            said, remedy = f"OpenDKIM gave no reason why it should not have signed it.{by}", taken
        return broken(case, f"{sentence} {said}", places, next=remedy or WHOM_IT_PASSES_OVER)
    return broken(case, sentence, places)


def _only_verifies(index: ServerIndex) -> str:
    """Where opendkim.conf says that nothing is signed at all, in a sentence; empty where it does not."""
    for file in index.facts.settings:
        lines = file.text.split("\n") if file.path.endswith("/opendkim.conf") else []
        modes = [word for word in read_opendkim(file.text) if word.text.lower() == "mode"] if lines else []
        if modes and "s" not in lines[modes[-1].line].strip()[len("mode") :].partition("#")[0].lower():
            return (
                f"{file.name}, line {modes[-1].line + 1}: {quoted(lines[modes[-1].line].strip())} has OpenDKIM verify "
                "mail, and sign none."
            )
    return ""


def _another_author(case: TrafficCase, said: str, index: ServerIndex) -> str | None:
    """What to do where OpenDKIM took another one for the author than From names; ``None`` where it did not."""
    found = AUTHOR.search(said)
    arrived = case.relayed()
    if found is None or not arrived:
        return None
    authors = [field.text for field in header_fields(arrived[0].raw) if field.key == "from"]
    setting = _parameter(AUTHOR_BY, index)
    if not setting or any(found[1].lower() in author.lower() for author in authors):
        return None
    return (
        f"OpenDKIM took {found[1]} for the author, by {setting}. The author stands in From, and that is where OpenDKIM "
        "looks of itself: take the line out."
    )


def _whom_it_takes_for_internal(case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do where a client of the office is not internal to OpenDKIM; ``None`` where its file is not at hand."""
    if not any(file.path.endswith("/opendkim.conf") for file in index.facts.settings):
        return None
    office = index.evidence.names.get("lan", "the whole network of the office")
    needed = f"a file with 127.0.0.1, ::1 and {office}, one a line"
    if setting := _parameter(("internalhosts",), index):
        return (
            f"Whose mail is signed is said by {setting}, and {case.facts.address} is not in it. It takes {needed}; the "
            "path begins with a slash."
        )
    ignored = _parameter(("externalignorelist",), index)
    beside = f" {ignored} says only of whom nothing is logged." if ignored else ""
    return (
        f"opendkim.conf sets no `InternalHosts`, and then this host alone is internal.{beside} Write `InternalHosts "
        f"/etc/opendkim/trusted.hosts`, and hand in {needed}."
    )


def _parameter(names: tuple[str, ...], index: ServerIndex) -> str:
    """Name, value and place of a parameter that opendkim.conf sets, the first of these; empty without one."""
    for file in index.facts.settings:
        lines = file.text.split("\n") if file.path.endswith("/opendkim.conf") else []
        words = [word for word in read_opendkim(file.text) if word.text.lower() in names] if lines else []
        if words:
            return f"`{lines[words[-1].line].strip()}` ({file.name}, line {words[-1].line + 1})"
    return ""


def _not_reached(line: LogLine) -> bool:
    """Whether Postfix says in a line that it did not reach a milter, which it then did without."""
    return NOT_REACHED.search(line.text) is not None


def _tells(line: LogLine) -> bool:
    """Whether OpenDKIM shows in a line that it logs its reasons."""
    return line.program.startswith(MILTER) and TELLS.search(line.text) is not None


def _is_reason(line: LogLine, case: TrafficCase) -> bool:
    """Whether OpenDKIM says in a line why it did not sign this message."""
    return bool(REASON.search(line.text)) and not NO_CONCERN[case.facts.user is not None].search(line.text)


def _by_reason(said: str) -> str | None:
    """What to do about a reason of OpenDKIM's; ``None`` where the lab's own words are about it."""
    if NO_KEY_FOR.search(said):
        return (
            "OpenDKIM takes the client for its own, and finds no key for this author. Look at `SigningTable`: with "
            "`refile:` before its path a line's left side is a pattern (`*@` and the domain), with `file:`, or with "
            "nothing, it is the domain itself, and a star is only a star. Without tables, `Domain` is the author's "
            "domain. The reload of a table takes a restart."
        )
    if parameter := next((LISTED[words] for words in LISTED if words in said), None):
        return (
            f"`{parameter}` in opendkim.conf keeps OpenDKIM from signing this: take whom the log names out of its "
            "list, or take that line out. Whoever gets your mail is to see that it is yours."
        )
    if NO_LOGIN.search(said):
        return (
            "OpenDKIM was asked, and not told that the client had logged in: `milter_mail_macros` must hold "
            "`{auth_type}`, as it does unless main.cf or master.cf sets it (`postconf -n`, `postconf -P`)."
        )
    return None


def _kept_away(case: TrafficCase, index: ServerIndex) -> tuple[str, str | None]:
    """Which setting keeps a milter from being asked on the attempt's port, and what to do about it."""
    on = {name: index.settings.on(name, case.facts.listener, case.facts.server) for name in SETTINGS}
    milters, options, maps = on.values()
    bypass = next((s for s in (milters if not milters.value else None, options) if s and _is_set(s)), None)
    if bypass is not None and bypass.where.startswith(MASTER):
        return (
            f"master.cf says for that service: {quoted(f'{bypass.name} = {bypass.value}'.strip())}",
            "In master.cf, take that setting out of the service, or name the milter there: what stands behind -o holds "
            "for this service alone, whatever main.cf says. `postconf -P` shows all of them.",
        )
    if bypass is not None:
        return (
            f"main.cf says: {quoted(f'{bypass.name} = {bypass.value}'.strip())}",
            "Mend that line of main.cf. Where a parameter stands there twice, the last one counts: `postconf -n` shows "
            f"what is left, here `{bypass.name} = {bypass.value}`.",
        )
    if maps.value:
        return (
            f"Which milter a client meets, {maps.shown} decides.",
            f"`smtpd_milter_maps` comes before `smtpd_milters`: look up what it says of {case.facts.address} "
            "(`postmap -q`). `DISABLE` switches all milters off for that client.",
        )
    if not milters.value:
        said = "\n".join(command.output for command in index.facts.commands)
        # Where the settings themselves are known, a misspelt name is told with its place.
        if not index.facts.settings and (found := UNUSED.search(said)) is not None:
            meant = "`smtpd_milters`"
            return (
                f"main.cf sets {quoted(found[1])}, and Postfix has no such parameter.",
                f"The parameter is called {meant}. `postconf -n` warns of those that there are not: *unused "
                "parameter*.",
            )
        if (misspelt := _sounds_like_milters(index)) is not None:
            return misspelt
        return (
            "Nothing sets smtpd_milters there.",
            "Name the milter in main.cf, for all ports at once: `smtpd_milters`, with the same place as `Socket` in "
            "opendkim.conf, as seen from smtpd's chroot.",
        )
    return "", None


def _sounds_like_milters(index: ServerIndex) -> tuple[str, str] | None:
    """A parameter that was to be ``smtpd_milters``; postconf does not warn of it where another refers to it."""
    for name in MISSPELT:
        setting = index.settings.on(name, "25")
        if setting.value:
            return (
                f"{setting.shown} is no parameter of Postfix's: the one that is meant is called `smtpd_milters`.",
                "Call it `smtpd_milters`: smtpd, which takes mail, asks milters, and smtp, which sends it, does not.",
            )
    return None


def _is_set(setting: Setting) -> bool:
    """Whether somebody set it so that milters are not asked."""
    return bool(setting.where) and (not setting.value or "no_milters" in setting.words)

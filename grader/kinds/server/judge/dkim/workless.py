"""What to do where mail stops at the milter: Postfix cannot reach OpenDKIM, or OpenDKIM cannot do its work."""

from __future__ import annotations

from grader.model.latepattern import late_pattern

NOT_REACHED = late_pattern(r"connect to Milter service (\S+): (.*)")
"""What Postfix logs of a milter that it cannot ask."""
UNREACHED = {
    "Permission denied": (
        "The socket is there, and lets Postfix not in: the user postfix is in the group opendkim, and `UMask 007` in "
        "opendkim.conf leaves the group its rights. Each folder above the socket has to let it through as well."
    ),
    "No such file": (
        "Seen from Postfix, there is no socket at that place. Compare `smtpd_milters` with `Socket` in opendkim.conf; "
        "for an smtpd in a chroot (the `y` in master.cf) /var/spool/postfix is the root folder, so that the socket has "
        "to be below it."
    ),
    "Connection refused": (
        "Nobody listens at that place: name the same port, or the same path, in `Socket` of opendkim.conf and in "
        "`smtpd_milters`."
    ),
}
"""What to do, by why Postfix could not reach a milter."""
_ENTRY = "A line of the key table is `NAME DOMAIN:SELECTOR:/PATH/TO/KEY`: a name, a blank, and three parts with colons"
_WORKLESS = {
    late_pattern(r"KeyTable entry for '([^']{1,200})' corrupt"): (
        f"{_ENTRY} between them. The line `{{0}}` has fewer parts than that."
    ),
    late_pattern(r"signing table references unknown key '([^']{1,200})'"): (
        "The right side of the `SigningTable` says `{0}`, and no line of the `KeyTable` begins with that name. Write "
        "the same name in both: it is neither a domain nor a selector, and ties the two tables together."
    ),
    late_pattern(r"can't load key from ([^:]{1,200}): No such file"): (
        "No file lies at {0}. Your folder `opendkim` is /etc/opendkim on the server: compare that path with where the "
        "key lies in it, letter by letter."
    ),
    late_pattern(r"can't load key from ([^:]{1,200}): Permission denied"): (
        "OpenDKIM runs as another user than the one to whom the key {0} belongs: write `UserID opendkim`."
    ),
    late_pattern(r"d2i_PrivateKey_bio\(\) failed"): (
        "What OpenDKIM was given for a key does not begin with `-----BEGIN`. In a key table a path that does not begin "
        "with a slash is taken for the key itself: write the whole path, from /etc/opendkim on. Or something stands "
        "before that line in the key's file: a blank, an empty line, a byte order mark."
    ),
    late_pattern(r"PEM_read_bio_PrivateKey\(\) failed"): (
        "The key's file begins as it should, and no private key that can be read is in it: it is the public half, was "
        "cut off, lost a line, or is locked by a passphrase. Take the file `SELECTOR.private` that opendkim-genkey "
        "wrote, from `-----BEGIN` to the end, and publish the record that it wrote beside it."
    ),
}
"""What to do, by what OpenDKIM logs of a message that it cannot sign (opendkim(8), opendkim.conf(5))."""


def for_milter(lines: list[str]) -> str | None:
    """What to do about what these lines of the log tell of a milter; ``None`` where they name no cause."""
    for line in lines:
        if (unreached := NOT_REACHED.search(line)) is not None:
            return next((words for why, words in UNREACHED.items() if why in unreached[2]), None)
        for pattern, remedy in _WORKLESS.items():
            if (found := pattern.search(line)) is not None:
                return remedy.format(*found.groups())
    return None

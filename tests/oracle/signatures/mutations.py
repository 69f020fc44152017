"""What may befall a signing server and its key: small random changes, each a pure function of a source of randomness.

An operator changes the work and says what it did, or returns ``""`` where there is nothing of its kind.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from random import Random

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.oracle.editing import fill
from tests.oracle.signatures.words import AUTHORS, HOSTS, MAIN, OPENDKIM, OVERRIDES, RECORDS
from tests.oracle.signatures.work import ON_HOST, Work

Operator = Callable[[Random, Work, dict[str, str]], str]

PRIVATE = ".private"
FORMS = (
    ("PKCS #8", serialization.PrivateFormat.PKCS8),
    ("PKCS #1", serialization.PrivateFormat.TraditionalOpenSSL),
)


def delete_parameter(random: Random, work: Work, names: dict[str, str]) -> str:
    """Delete a line of opendkim.conf."""
    name, value = work.conf.pop(random.randrange(len(work.conf)))
    return f"opendkim.conf: without {name} {value}"


def set_parameter(random: Random, work: Work, names: dict[str, str]) -> str:
    """Set a parameter of opendkim.conf to something that people set it to."""
    name, values = random.choice(OPENDKIM)
    value = fill(random.choice(values), names)
    work.set(name, value)
    return f"opendkim.conf: {name} {value}"


def one_key(random: Random, work: Work, names: dict[str, str]) -> str:
    """Domain, Selector and KeyFile in place of the tables, as the shortest guides have it."""
    keys = [name for name in work.files if name.endswith(PRIVATE)]
    if not keys:
        return ""
    work.conf = [(n, v) for n, v in work.conf if n not in ("KeyTable", "SigningTable")]
    domain = fill(random.choice(("@domain@", "@domain@", "@domain@,@third@", "@host@")), names)
    selector = random.choice(("mail2026", "mail2026", "default"))
    key = f"{ON_HOST}{random.choice(keys).removeprefix('opendkim/')}"
    for name, value in (("Domain", domain), ("Selector", selector), ("KeyFile", key)):
        work.set(name, value)
    return f"opendkim.conf: Domain {domain}, Selector {selector}, KeyFile {key}"


def change_hosts(random: Random, work: Work, names: dict[str, str]) -> str:
    """Add a line to the internal hosts, or take one away."""
    name = work.table("InternalHosts")
    if name is None:
        return ""
    lines = work.lines(name)
    if lines and random.random() < 0.3:
        said = f"without {lines.pop(random.randrange(len(lines)))}"
    else:
        line = fill(random.choice(HOSTS), names)
        lines.insert(random.randint(0, len(lines)), line)
        said = f"+ {line}"
    work.write(name, lines)
    return f"{name}: {said}"


def change_authors(random: Random, work: Work, names: dict[str, str]) -> str:
    """Write the signing table anew, or read it as another kind of table."""
    name = work.table("SigningTable")
    if name is None:
        return ""
    value = work.value("SigningTable") or ""
    said = ""
    if random.random() < 0.5:
        kind = random.choice(("file:", "refile:", ""))
        work.set("SigningTable", f"{kind}{value.removeprefix('re').removeprefix('file:')}")
        said = f"SigningTable {work.value('SigningTable')}; "
    words = work.lines(name)[0].split() if work.lines(name) else []
    key = words[-1] if words else "mail2026"
    lines = fill(random.choice(AUTHORS).replace("{key}", key), names).split("\n")
    work.write(name, lines)
    return f"{said}{name}: {'; '.join(lines)}"


def change_key_table(random: Random, work: Work, names: dict[str, str]) -> str:
    """Another selector, domain or path in the key table."""
    name = work.table("KeyTable")
    if name is None or not work.lines(name):
        return ""
    lines = work.lines(name)
    place = random.randrange(len(lines))
    old, new = random.choice(
        (
            (f"{names['domain']}:", "%:"),
            (f"{names['domain']}:", f"{names['host']}:"),
            (f"{names['domain']}:", f"{names['third']}:"),
            (":mail2026:", ":mail2025:"),
            (":mail2026:", ":Mail2026:"),
            (PRIVATE, ".key"),
            (":/etc/opendkim/", ":"),
            ("\t", " "),
        )
    )
    if old not in lines[place]:
        return ""
    lines[place] = lines[place].replace(old, new)
    work.write(name, lines)
    return f"{name}: {lines[place]}"


def another_key(random: Random, work: Work, names: dict[str, str]) -> str:
    """Another private key, of some size and in some format, with its record or without."""
    keys = [name for name in work.files if name.endswith(PRIVATE)]
    if not keys:
        return ""
    bits = random.choice((1024, 1536, 2048, 3072))
    made = _key(bits)
    name, form = random.choice(FORMS)
    chosen = random.choice(keys)
    work.files[chosen] = made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    said = f"{chosen}: {bits} bits, {name}"
    if random.random() < 0.8 and work.records:
        public = made.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        text = base64.b64encode(public).decode()
        half = len(text) // 2
        work.files[work.records[0]] = (
            f'mail2026._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n'
            f'\t"p={text[:half]}"\n\t"{text[half:]}" )\n'
        ).encode()
        said += " and its record"
    return said


@cache
def _key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def change_record(random: Random, work: Work, names: dict[str, str]) -> str:
    """Change what a record says, or how it is written."""
    if not work.records:
        return ""
    name = random.choice(work.records)
    text = work.files[name].decode("utf-8", "replace")
    fitting = [(old, new) for old, new in RECORDS if old in text]
    if not fitting:
        return ""
    old, new = random.choice(fitting)
    new = fill(new, names)
    work.files[name] = text.replace(old, new).encode()
    return f"{name}: {old!r} became {new!r}"


def further_record(random: Random, work: Work, names: dict[str, str]) -> str:
    """A record more: the same once more, a withdrawn one, one for something else, an alias, or none of DKIM's."""
    if not work.records:
        return ""
    text = work.files[work.records[0]].decode("utf-8", "replace")
    more = random.choice(
        (
            text,
            text.replace("mail2026", "next2026"),
            'mail2026._domainkey IN TXT "v=DKIM1; p="\n',
            'old._domainkey IN TXT "v=DKIM1; p="\n',
            'tls._domainkey IN TXT "v=DKIM1; s=tlsrpt; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK"\n',
            "old._domainkey IN CNAME mail2026._domainkey\n",
            'mail2026._domainkey IN TXT "verification=12345"\n',
            '_domainkey IN TXT "o=-; r=postmaster@example.com"\n',
            '_dmarc IN TXT "v=DMARC1; p=none"\n',
        )
    )
    work.files["dns/more.txt"] = more.encode()
    return f"dns/more.txt: {' '.join(more.split())[:90]}"


def without_record(random: Random, work: Work, names: dict[str, str]) -> str:
    """A record less."""
    if not work.records:
        return ""
    name = random.choice(work.records)
    del work.files[name]
    return f"without {name}"


def set_main(random: Random, work: Work, names: dict[str, str]) -> str:
    """Set a parameter of main.cf."""
    name, values = random.choice(MAIN)
    value = fill(random.choice(values), names)
    work.postfix.set(name, value)
    return f"main.cf: {name} = {value}"


def delete_main(random: Random, work: Work, names: dict[str, str]) -> str:
    """Delete a line of main.cf."""
    name, value = work.postfix.main.pop(random.randrange(len(work.postfix.main)))
    return f"main.cf: without {name} = {value}"


def set_override(random: Random, work: Work, names: dict[str, str]) -> str:
    """Override a parameter for one listener, or for what writes mail into the queue."""
    services = [s for s in work.postfix.master if s.listens or s.fields[7] == "cleanup"]
    if not services:
        return ""
    service = random.choice(services)
    name, value = random.choice(OVERRIDES)
    service.overrides[name] = fill(value, names)
    return f"master.cf, {service.fields[0]}: -o {name}={service.overrides[name]}"


def delete_override(random: Random, work: Work, names: dict[str, str]) -> str:
    """Delete an override of master.cf."""
    places = [(service, name) for service in work.postfix.master for name in service.overrides]
    if not places:
        return ""
    service, name = random.choice(places)
    return f"master.cf, {service.fields[0]}: without {name}={service.overrides.pop(name)}"


OPERATORS: tuple[tuple[Operator, int], ...] = (
    (delete_parameter, 2),
    (set_parameter, 9),
    (one_key, 2),
    (change_hosts, 4),
    (change_authors, 4),
    (change_key_table, 2),
    (another_key, 3),
    (change_record, 6),
    (further_record, 3),
    (without_record, 1),
    (set_main, 9),
    (delete_main, 2),
    (set_override, 4),
    (delete_override, 2),
)


def mutate(random: Random, work: Work, names: dict[str, str]) -> list[str]:
    """One or two changes; what each did. Each run takes seconds, and of three most are lost in the first."""
    operators, weights = zip(*OPERATORS, strict=True)
    wanted = random.choices((1, 2), (5, 2))[0]
    said: list[str] = []
    while len(said) < wanted:
        (operator,) = random.choices(operators, weights)
        if did := operator(random, work, names):
            said.append(did)
    return said

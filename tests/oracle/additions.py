"""What is added to a configuration: tables, classes of restrictions, filters, programs, other listeners."""

from __future__ import annotations

from random import Random

from tests.oracle.editing import fill, lists_in, put, split
from tests.oracle.postfix import Configuration, Service
from tests.oracle.tables import ACCESS, SERVICES, TABLES
from tests.oracle.vocabulary import LISTS


def _table(random: Random, config: Configuration, lines: tuple[str, ...], names: dict[str, str]) -> str:
    """Hand in a table; its name."""
    name = f"map{len(config.tables)}{random.choice('abc')}"
    config.tables[name] = "".join(f"{fill(line, names)}\n" for line in lines).encode()
    return name


def access_table(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Put a rule that asks a table of its own into a list, before its end or at it."""
    rule, kind, lines = random.choice(ACCESS)
    element = f"{rule} {kind}:/etc/postfix/{_table(random, config, lines, names)}"
    lists = [place for place in lists_in(config) if place[1] in LISTS[:6]]
    if not lists or random.random() < 0.3:
        name = random.choice(LISTS[:6])
        lists = [(None, name, config.value(name) or "")]
    service, name, value = random.choice(lists)
    elements = split(value)
    elements.insert(random.randint(0, len(elements)) if random.random() < 0.5 else 0, element)
    return f"{put(config, service, name, elements)} with {'; '.join(fill(line, names) for line in lines)}"


def setting_table(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Set a parameter to a table of its own, alone or before what it has."""
    name, kind, lines = random.choice(TABLES)
    value = f"{kind}:/etc/postfix/{_table(random, config, lines, names)}"
    if random.random() < 0.4 and (known := config.value(name)):
        value = f"{value}, {known}"
    config.set(name, value)
    if "stash:" in lines[0]:
        _stash(config)
    return f"main.cf: {name} = {value} with {'; '.join(fill(line, names) for line in lines)}"


def _stash(config: Configuration) -> None:
    """A transport that gives mail to a program, which keeps it."""
    fields = ["stash", "unix", "-", "n", "n", "-", "-", "pipe"]
    argv = ["user=bob", "argv=/usr/bin/tee", "-a", "/var/tmp/kept"]
    if config.master and not any(service.fields[0] == "stash" for service in config.master):
        config.master.append(Service(fields, arguments=argv))


def new_service(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Send mail through a filter, or to a program, with the service that this needs."""
    name, value = random.choice(SERVICES)
    if not config.master:
        return ""
    config.set(name, value)
    if "stash" in value:
        _stash(config)
        return f"main.cf: {name} = {value}"
    where = random.choice(("127.0.0.1:10026", "127.0.0.1:10026", "10026", "[::]:10026"))
    back = Service(f"{where} inet n - y - - smtpd".split(), {"content_filter": "", "smtpd_proxy_filter": ""})
    back.overrides |= random.choice(
        (
            {"smtpd_relay_restrictions": "permit_mynetworks,reject", "mynetworks": "127.0.0.0/8"},
            {"smtpd_relay_restrictions": "permit_mynetworks,reject"},
            {"smtpd_relay_restrictions": "permit"},
            {"smtpd_recipient_restrictions": "permit_mynetworks,reject", "smtpd_relay_restrictions": ""},
            {
                "smtpd_client_restrictions": "",
                "smtpd_relay_restrictions": "permit_mynetworks,reject_unauth_destination",
            },
        )
    )
    config.master.append(back)
    return f"main.cf: {name} = {value}; master.cf: + {' '.join(back.text().split())}"


def restriction_class(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Ask a class of restrictions, by a table, in the list that guards the relay."""
    table = random.choice(
        ("cidr:{ {@lan@ people} {10.0.0.0/8 people} }", "cidr:{ {@lan@ people} }", "static:people")
    )
    rules = random.choice(
        ("permit", "permit_mynetworks, reject", "check_sender_access inline:{{@domain@=OK}}", "reject")
    )
    config.set("smtpd_restriction_classes", "people")
    config.set("people", fill(rules, names))
    where = random.choice(LISTS[:5])
    value = config.value(where) or ""
    config.set(where, f"check_client_access {fill(table, names)}, {value}".rstrip(", "))
    return f"main.cf: people = {fill(rules, names)}; {where} = {config.value(where)}"


def of_all_or_one(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Make an override of one listener everybody's, or a setting of main.cf one listener's alone."""
    places = [(s, n) for s in config.listeners() for n in s.overrides if n != "smtpd_tls_wrappermode"]
    if places and random.random() < 0.5:
        service, name = random.choice(places)
        config.set(name, service.overrides.pop(name))
        return f"main.cf: {name} = {config.value(name)}, from {service.fields[0]}"
    settings = [
        (n, v)
        for n, v in config.main
        if n.startswith("smtpd_") or n in ("mynetworks", "disable_vrfy_command")
    ]
    if not settings or not config.listeners():
        return ""
    name, value = random.choice(settings)
    config.main.remove((name, value))
    service = random.choice(config.listeners())
    service.overrides[name] = value
    return f"master.cf, {service.fields[0]}: {name} = {value}, from main.cf"


def other_program(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Give port 25 to postscreen, with smtpd behind it; or open the port of QMQP."""
    if not config.listeners():
        return ""
    if random.random() < 0.3:
        config.master.append(Service(["628", "inet", "n", "-", "y", "-", "-", "qmqpd"]))
        value = random.choice(("$mynetworks", "static:all", "10.0.0.0/8"))
        config.set("qmqpd_authorized_clients", value)
        return f"master.cf: qmqpd on 628 for {value}"
    service = random.choice(config.listeners())
    if service.fields[7] != "smtpd" or any(s.fields[7] == "postscreen" for s in config.master):
        return ""
    behind = Service(["smtpd", "pass", "-", "-", "y", "-", "-", "smtpd"], service.overrides)
    service.fields[6:8] = ["1", "postscreen"]
    service.overrides = {}
    others = ("dnsblog unix - - y - 0 dnsblog", "tlsproxy unix - - y - 0 tlsproxy")
    config.master += [behind, *(Service(line.split()) for line in others)]
    config.set("postscreen_greet_wait", random.choice(("1s", "2s", "6s")))
    config.set("postscreen_greet_action", random.choice(("ignore", "enforce")))
    said = ""
    if random.random() < 0.4:
        name, value = random.choice(
            (
                ("postscreen_access_list", "permit_mynetworks, cidr:{ {10.0.0.0/8 permit} }"),
                ("postscreen_pipelining_enable", "yes"),
                ("postscreen_bare_newline_enable", "yes"),
                ("postscreen_upstream_proxy_protocol", "haproxy"),
                ("postscreen_discard_ehlo_keywords", "auth"),
                ("postscreen_forbidden_commands", "VRFY"),
            )
        )
        config.set(name, value)
        said = f" with {name} = {value}"
    return f"master.cf: {service.fields[0]} is postscreen{said}"

"""What may befall a Postfix configuration: small random changes, each a pure function of a source of randomness.

An operator changes the configuration and says what it did, or returns ``""`` where there is nothing of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.oracle.postfix import Configuration, Service

Operator = Callable[[Random, Configuration, dict[str, str]], str]

LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_etrn_restrictions",
)
ELEMENTS = (
    "permit",
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_auth_destination",
    "permit_inet_interfaces",
    "permit_mx_backup",
    "permit_tls_all_clientcerts",
    "defer_unauth_destination",
    "reject_unauth_destination",
    "reject",
    "warn_if_reject",
    "reject_unlisted_recipient",
    "reject_unlisted_sender",
    "reject_unknown_sender_domain",
    "reject_unknown_recipient_domain",
    "reject_unknown_client_hostname",
    "reject_non_fqdn_helo_hostname",
    "reject_unknown_helo_hostname",
    "reject_authenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
    "reject_sender_login_mismatch",
    "reject_unauthenticated_sender_login_mismatch",
    "reject_unauth_pipelining",
    "sleep 1",
    "check_sender_access inline:{{@domain@=OK}}",
    "check_client_access inline:{{.example=OK}}",
    "check_client_access cidr:{{@host_v4@/24 OK}}",
    "check_client_access cidr:{{2001:db8::/32 OK}}",
    "check_helo_access inline:{{@host@=OK}}",
    "check_recipient_access inline:{{@outside@=OK}}",
    "check_recipient_access inline:{{abuse@=OK}}",
    "check_recipient_access regexp:{{/@domain@/ OK}}",
)
SETTINGS = (
    ("relay_domains", ("@outside@", "@partner@", "$mydestination", "@domain@", "example", "oracle-foreign.example")),
    ("relay_recipient_maps", ("static:ok",)),
    ("virtual_alias_domains", ("@partner@", "alias.@domain@")),
    ("virtual_alias_maps", ("inline:{{@@domain@=alice}}", "inline:{{sales@@domain@=someone@@outside@}}",
                            "regexp:{{/^(.*)=(.*)@@domain@$/ $1@$2}}", "static:alice")),
    ("virtual_mailbox_domains", ("@domain@", "@partner@")),
    ("transport_maps", ("inline:{{@domain@=smtp:[@outside_host@]}}", "inline:{{*=smtp:[@outside_host@]}}")),
    ("relayhost", ("[@outside_host@]", "[127.0.0.1]:25", "@partner@")),
    ("fallback_transport", ("smtp:[@outside_host@]",)),
    ("luser_relay", ("alice", "archive@@outside@", "$user@@outside@")),
    ("local_recipient_maps", ("", "static:all", "$alias_maps", "unix:passwd.byname $alias_maps")),
    ("unknown_local_recipient_reject_code", ("450", "250")),
    ("smtpd_reject_unlisted_recipient", ("no",)),
    ("recipient_delimiter", ("+", "-", "=")),
    ("always_bcc", ("bob@@domain@", "archive@@outside@")),
    ("mynetworks_style", ("host", "subnet", "class")),
    ("mynetworks", ("127.0.0.0/8", "127.0.0.0/8 [::1]/128 @office@", "0.0.0.0/0", "[::]/0 127.0.0.0/8 @lan@",
                    "127.0.0.0/8 @lan@ 203.0.113.0/24", "127.0.0.0/8 [::1]/128 @lan@ [2001:db8::]/32",
                    "10.0.0.0/8 127.0.0.0/8", "@lan@", "!10.0.0.0/8 @lan@", "127.0.0.0/8 @lan@ 10.20.0.0/19")),
    ("inet_interfaces", ("@host_v4@", "@host_v4@, @host_lan@, 127.0.0.1", "loopback-only", "@host@")),
    ("inet_protocols", ("ipv4", "ipv6", "all")),
    ("allow_untrusted_routing", ("yes",)),
    ("allow_percent_hack", ("yes", "no")),
    ("swap_bangpath", ("no",)),
    ("resolve_dequoted_address", ("no",)),
    ("parent_domain_matches_subdomains", ("", "smtpd_access_maps,relay_domains")),
    ("permit_mx_backup_networks", ("0.0.0.0/0", "198.51.100.0/24")),
    ("smtpd_delay_reject", ("no",)),
    ("smtpd_relay_before_recipient_restrictions", ("no",)),
    ("smtpd_authorized_xclient_hosts", ("0.0.0.0/0", "10.0.0.0/8", "!10.20.30.0/24 static:all")),
    ("smtpd_authorized_xforward_hosts", ("0.0.0.0/0",)),
    ("smtpd_upstream_proxy_protocol", ("haproxy",)),
    ("smtpd_client_port_logging", ("yes",)),
    ("smtpd_forbid_bare_newline", ("no", "yes", "reject")),
    ("smtpd_forbid_unauth_pipelining", ("no",)),
    ("disable_vrfy_command", ("no",)),
    ("message_size_limit", ("3000", "60000", "200000")),
    ("smtpd_recipient_limit", ("1", "50")),
    ("line_length_limit", ("512",)),
    ("smtpd_helo_required", ("yes",)),
    ("strict_rfc821_envelopes", ("yes",)),
    ("smtpd_tls_security_level", ("none", "encrypt", "")),
    ("smtpd_tls_auth_only", ("no",)),
    ("smtpd_sasl_auth_enable", ("yes",)),
    ("smtpd_sasl_security_options", ("noanonymous, noplaintext", "")),
    ("smtpd_sasl_tls_security_options", ("noplaintext", "noanonymous")),
    ("smtpd_sasl_exceptions_networks", ("$mynetworks", "0.0.0.0/0", "[::]/0")),
    ("smtpd_sasl_path", ("smtpd", "private/auth-client")),
    ("smtpd_sasl_type", ("cyrus",)),
    ("smtpd_sasl_local_domain", ("@domain@",)),
    ("smtpd_sender_login_maps", ("", "static:alice", "inline:{{alice@@domain@=alice}}", "pcre:{{/^(.*)@/ $1}}",
                                 "pcre:{{/^(alice|bob)@@domain@$/ $1}}", "regexp:{{/(alice)/ alice}}",
                                 "inline:{{ {alice@@domain@ = alice, bob} {bob@@domain@ = bob} }}")),
    ("smtpd_reject_unlisted_sender", ("yes",)),
    ("smtpd_discard_ehlo_keywords", ("starttls", "auth", "pipelining, chunking", "vrfy")),
    ("soft_bounce", ("yes",)),
    ("mydestination", ("$myhostname, localhost", "@domain@", "$mydomain", "@domain@, @partner@, $myhostname, localhost",
                       "$myhostname, $mydomain, localhost.$mydomain, localhost, [@host_v4@], deep.@domain@")),
    ("myorigin", ("$myhostname", "@outside@")),
    ("alias_maps", ("", "inline:{{postmaster=root}}", "inline:{{sales=someone@@outside@}}")),
    ("home_mailbox", ("Maildir/", "mbox")),
    ("mailbox_transport", ("lmtp:unix:private/dovecot-lmtp",)),
    ("mailbox_size_limit", ("51200", "100")),
    ("append_dot_mydomain", ("yes", "no")),
    ("local_header_rewrite_clients", ("static:all",)),
    ("canonical_maps", ("inline:{{@outside@=@domain@}}", "regexp:{{/^(.*)=(.*)@@domain@$/ $1@$2}}")),
    ("smtp_generic_maps", ("static:bob@@domain@",)),
    ("smtpd_client_connection_count_limit", ("1",)),
    ("smtpd_client_message_rate_limit", ("3",)),
    ("smtpd_hard_error_limit", ("1", "2")),
    ("smtpd_soft_error_limit", ("1",)),
    ("smtpd_banner", ("$myhostname", "ESMTP")),
    ("default_transport", ("error:no", "smtp")),
    ("defer_transports", ("smtp", "local")),
    ("header_checks", ("regexp:{{/^Subject:/ HOLD}}", "regexp:{{/^Received:/ IGNORE}}")),
    ("body_checks", ("regexp:{{/^X/ REJECT}}",)),
    ("smtpd_milters", ("inet:localhost:8891",)),
    ("milter_default_action", ("accept",)),
    ("compatibility_level", ("0", "3.10")),
    ("smtp_address_preference", ("ipv6",)),
    ("smtpd_restriction_classes", ("office",)),
    ("authorized_submit_users", ("root",)),
    ("smtp_host_lookup", ("native",)),
    ("best_mx_transport", ("local",)),
    ("empty_address_recipient", ("alice",)),
    ("double_bounce_sender", ("alice",)),
    ("in_flow_delay", ("0",)),
)  # fmt: skip
OVERRIDES = (
    ("smtpd_relay_restrictions", "permit"),
    ("smtpd_relay_restrictions", "permit_sasl_authenticated,reject"),
    ("smtpd_relay_restrictions", "permit_mynetworks,reject_unauth_destination"),
    ("smtpd_recipient_restrictions", "permit_sasl_authenticated,reject"),
    ("smtpd_recipient_restrictions", "permit_mynetworks,permit"),
    ("smtpd_client_restrictions", "permit_mynetworks,permit_sasl_authenticated,reject"),
    ("smtpd_client_restrictions", ""),
    ("smtpd_client_restrictions", "reject"),
    ("smtpd_sender_restrictions", ""),
    ("smtpd_sender_restrictions", "reject_sender_login_mismatch"),
    ("smtpd_sender_restrictions", "permit_sasl_authenticated,reject_sender_login_mismatch"),
    ("mynetworks", "0.0.0.0/0"),
    ("mynetworks", "127.0.0.0/8"),
    ("mynetworks", "[::]/0"),
    ("smtpd_sasl_auth_enable", "yes"),
    ("smtpd_sasl_auth_enable", "no"),
    ("smtpd_tls_auth_only", "no"),
    ("smtpd_tls_auth_only", "yes"),
    ("smtpd_tls_security_level", "may"),
    ("smtpd_tls_security_level", "none"),
    ("smtpd_tls_security_level", "encrypt"),
    ("smtpd_tls_wrappermode", "yes"),
    ("smtpd_tls_wrappermode", "no"),
    ("smtpd_authorized_xclient_hosts", "0.0.0.0/0"),
    ("smtpd_authorized_xclient_hosts", "[::]/0"),
    ("smtpd_upstream_proxy_protocol", "haproxy"),
    ("disable_vrfy_command", "no"),
    ("local_recipient_maps", ""),
    ("relay_domains", "@outside@"),
    ("smtpd_delay_reject", "no"),
    ("receive_override_options", "no_unknown_recipient_checks"),
    ("receive_override_options", "no_address_mappings"),
    ("content_filter", "smtp:[127.0.0.1]:10025"),
    ("smtpd_forbid_bare_newline", "no"),
    ("message_size_limit", "2000"),
    ("smtpd_reject_unlisted_recipient", "no"),
    ("smtpd_sender_login_maps", "static:bob"),
    ("virtual_alias_maps", ""),
    ("mydestination", "@domain@,@outside@"),
)
_NETWORK = re.compile(r"(\[?[0-9a-fA-F.:]+\]?)/(\d+)")


def fill(text: str, names: dict[str, str]) -> str:
    """A value with the variant's names in it."""
    return (
        re.sub(r"@(\w+)@", lambda found: names.get(found[1], found[0]), text)
        .replace("{{", "{")
        .replace("}}", "}")
    )


def split(value: str) -> list[str]:
    """The elements of a list of restrictions or networks, each table with the keyword that it belongs to."""
    words = re.findall(r"(?:[^\s,{]|\{(?:[^{}]|\{[^{}]*\})*\})+", value)
    elements: list[str] = []
    for word in words:
        if elements and (":" in word and elements[-1].startswith("check_") and " " not in elements[-1]):
            elements[-1] += f" {word}"
        else:
            elements.append(word)
    return elements


def _lists(config: Configuration) -> list[tuple[Service | None, str, str]]:
    """Every list of restrictions and where it stands: main.cf, or a service."""
    found: list[tuple[Service | None, str, str]] = [
        (None, name, value) for name, value in config.main if name in LISTS or name == "mynetworks"
    ]
    for service in config.listeners():
        found += [(service, n, v) for n, v in service.overrides.items() if n in LISTS or n == "mynetworks"]
    return found


def _put(config: Configuration, service: Service | None, name: str, elements: list[str]) -> str:
    value = ", ".join(elements)
    if service is None:
        config.set(name, value)
        return f"main.cf: {name} = {value}"
    service.overrides[name] = value
    return f"master.cf, {service.fields[0]}: {name} = {value}"


def delete_setting(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Delete a line of main.cf."""
    name, value = config.main.pop(random.randrange(len(config.main)))
    return f"main.cf: without {name} = {value}"


def set_setting(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Set a parameter of main.cf to something that people set it to."""
    name, values = random.choice(SETTINGS)
    value = fill(random.choice(values), names)
    config.set(name, value)
    return f"main.cf: {name} = {value}"


def set_list(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Write a list of restrictions anew, of one to three elements."""
    name = random.choice(LISTS[:5])
    elements = [fill(element, names) for element in random.sample(ELEMENTS, random.randint(1, 3))]
    return _put(config, None, name, elements)


def _in_list(change: Callable[[Random, list[str], dict[str, str]], None]) -> Operator:
    def operator(random: Random, config: Configuration, names: dict[str, str]) -> str:
        lists = _lists(config)
        if not lists:
            return ""
        service, name, value = random.choice(lists)
        elements = split(value)
        if not elements:
            return ""
        change(random, elements, names)
        return _put(config, service, name, elements)

    operator.__name__ = change.__name__
    return operator


def _swap(random: Random, elements: list[str], names: dict[str, str]) -> None:
    one, other = random.randrange(len(elements)), random.randrange(len(elements))
    elements[one], elements[other] = elements[other], elements[one]


def _drop(random: Random, elements: list[str], names: dict[str, str]) -> None:
    elements.pop(random.randrange(len(elements)))


def _insert(random: Random, elements: list[str], names: dict[str, str]) -> None:
    networks = all("/" in element or element[0].isdigit() for element in elements)
    new = "10.0.0.0/9" if networks else fill(random.choice(ELEMENTS), names)
    elements.insert(random.randint(0, len(elements)), new)


def widen(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Shorten or lengthen the prefix of a network, wherever it stands."""
    places = [(s, n, v) for s, n, v in _lists(config) if _NETWORK.search(v)]
    if not places:
        return ""
    service, name, value = random.choice(places)
    chosen = random.choice(list(_NETWORK.finditer(value)))
    length = max(
        0,
        min(128 if ":" in chosen[1] else 32, int(chosen[2]) + random.choice((-16, -8, -4, -2, -1, 1, 2, 4))),
    )
    changed = value[: chosen.start()] + f"{chosen[1]}/{length}" + value[chosen.end() :]
    # Postfix refuses a network whose host part is not null, so it is cut as an administrator would cut it.
    return _put(config, service, name, [_cut(element) for element in split(changed)])


def _cut(element: str) -> str:
    import ipaddress

    found = _NETWORK.fullmatch(element.lstrip("!"))
    if found is None:
        return element
    network = ipaddress.ip_network(f"{found[1].strip('[]')}/{found[2]}", strict=False)
    address = str(network.network_address)
    mark = "!" if element.startswith("!") else ""
    return f"{mark}[{address}]/{found[2]}" if ":" in address else f"{mark}{address}/{found[2]}"


def delete_override(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Delete an override of master.cf."""
    places = [(service, name) for service in config.listeners() for name in service.overrides]
    if not places:
        return ""
    service, name = random.choice(places)
    return f"master.cf, {service.fields[0]}: without {name}={service.overrides.pop(name)}"


def set_override(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Override a parameter for one listener."""
    if not config.listeners():
        return ""
    service = random.choice(config.listeners())
    name, value = random.choice(OVERRIDES)
    service.overrides[name] = fill(value, names)
    return f"master.cf, {service.fields[0]}: -o {name}={service.overrides[name]}"


def copy_override(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Copy an override from one listener to another."""
    places = [(service, name) for service in config.listeners() for name in service.overrides]
    if not places:
        return ""
    origin, name = random.choice(places)
    target = random.choice(config.listeners())
    target.overrides[name] = origin.overrides[name]
    return f"master.cf, {target.fields[0]}: -o {name}={origin.overrides[name]}, as in {origin.fields[0]}"


def delete_listener(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Take a listener away."""
    if not config.listeners():
        return ""
    service = random.choice(config.listeners())
    config.master.remove(service)
    return f"master.cf: without {service.fields[0]}"


def new_listener(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Listen on a further port, with overrides of an existing listener or of people's own."""
    if not config.listeners():
        return ""
    service = random.choice(config.listeners()).copy()
    service.fields[0] = random.choice(("26", "2525", "10025", "10026", "2587", "8025", "24"))
    service.fields[7] = "smtpd"
    if random.random() < 0.4:
        service.overrides = {}
    for name, value in random.sample(OVERRIDES, random.randint(0, 2)):
        service.overrides[name] = fill(value, names)
    if random.random() < 0.25:
        address = random.choice((names["host_v4"], f"[{names['host_v6']}]", names["host_lan"], "127.0.0.1"))
        service.fields[0] = f"{address}:{service.fields[0]}"
    config.master.append(service)
    return f"master.cf: + {' '.join(service.text().split())}"


def one_address(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Give one address a listener of its own, which differs in one thing; the others keep what they have."""
    plain = [service for service in config.listeners() if ":" not in service.fields[0]]
    if not plain:
        return ""
    service = random.choice(plain)
    addresses = [names["host_v4"], f"[{names['host_v6']}]", names["host_lan"]]
    config.master.remove(service)
    odd = random.choice(addresses)
    said = ""
    for address in addresses:
        own = service.copy()
        own.fields[0] = f"{address}:{service.fields[0]}"
        if address == odd:
            said = _differ(random, own, names)
            if not said:
                continue
        config.master.append(own)
    return f"master.cf: {service.fields[0]} for each address, and at {odd} {said or 'none'}"


def _differ(random: Random, service: Service, names: dict[str, str]) -> str:
    kind = random.random()
    if kind < 0.15:
        return ""
    if kind < 0.5 and service.overrides:
        name = random.choice(list(service.overrides))
        return f"without {name}={service.overrides.pop(name)}"
    name, value = random.choice(OVERRIDES)
    service.overrides[name] = fill(value, names)
    return f"-o {name}={service.overrides[name]}"


def table_line(random: Random, config: Configuration, names: dict[str, str]) -> str:
    """Add a line to a table that is handed in, or drop one."""
    texts = {name: data.decode().splitlines() for name, data in config.tables.items() if b"\0" not in data}
    if not texts:
        return ""
    name = random.choice(list(texts))
    lines = texts[name]
    entries = [index for index, line in enumerate(lines) if line.strip() and line[0] not in "# \t"]
    if entries and random.random() < 0.5:
        dropped = lines.pop(random.choice(entries))
        said = f"{name}: without the line {' '.join(dropped.split())}"
    else:
        line = fill(
            random.choice(("bob@@domain@ alice", "@@domain@ alice", "@@outside@ alice", "@outside@ OK")),
            names,
        )
        lines.append(line)
        said = f"{name}: + {line}"
    config.tables[name] = ("\n".join(lines) + "\n").encode()
    return said


OPERATORS: tuple[tuple[Operator, int], ...] = (
    (delete_setting, 3),
    (set_setting, 8),
    (set_list, 2),
    (_in_list(_swap), 2),
    (_in_list(_drop), 2),
    (_in_list(_insert), 4),
    (widen, 2),
    (delete_override, 2),
    (set_override, 4),
    (copy_override, 3),
    (delete_listener, 1),
    (new_listener, 3),
    (one_address, 3),
    (table_line, 1),
)


def mutate(random: Random, config: Configuration, names: dict[str, str]) -> list[str]:
    """One to three changes; what each did."""
    operators, weights = zip(*OPERATORS, strict=True)
    wanted = random.choices((1, 2, 3), (5, 3, 1))[0]
    said: list[str] = []
    while len(said) < wanted:
        (operator,) = random.choices(operators, weights)
        if did := operator(random, config, names):
            said.append(did)
    return said

"""What may befall a Postfix configuration: small random changes, each a pure function of a source of randomness.

An operator changes the configuration and says what it did, or returns ``""`` where there is nothing of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tests.oracle import additions
from tests.oracle.editing import Operator, fill, lists_in, put, split
from tests.oracle.postfix import Configuration, Service
from tests.oracle.vocabulary import ELEMENTS, LISTS, OVERRIDES, SETTINGS

_NETWORK = re.compile(r"(\[?[0-9a-fA-F.:]+\]?)/(\d+)")


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
    return put(config, None, name, elements)


def _in_list(change: Callable[[Random, list[str], dict[str, str]], None]) -> Operator:
    def operator(random: Random, config: Configuration, names: dict[str, str]) -> str:
        lists = lists_in(config)
        if not lists:
            return ""
        service, name, value = random.choice(lists)
        elements = split(value)
        if not elements:
            return ""
        change(random, elements, names)
        return put(config, service, name, elements)

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
    places = [(s, n, v) for s, n, v in lists_in(config) if _NETWORK.search(v)]
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
    return put(config, service, name, [_cut(element) for element in split(changed)])


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
    (additions.access_table, 5),
    (additions.setting_table, 5),
    (additions.new_service, 2),
    (additions.restriction_class, 1),
    (additions.of_all_or_one, 2),
    (additions.other_program, 1),
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

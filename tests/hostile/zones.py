"""Zones that are to keep the name server, the receivers of mail, or whoever reads the report busy, or to fool them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from grader import labs
from tests.hostile.paper import PaperAttack

LAB = "spf-dmarc"
DOMAIN = "example.com"
LARGEST = 99_000
"""Octets that the lab takes, less the zone's own."""


def _written(lines: str, without: str, folder: Path) -> Path:
    """The lab's solution less what begins with ``without``, and the lines behind it."""
    path = labs.find(LAB)
    made = labs.render_submission(path / "solution", labs.draw_variant(labs.load(path)))
    for name, data in made.files.items():
        kept = [
            line
            for line in data.decode().split("\n")
            if not without or not line.startswith(tuple(without.split("|")))
        ]
        (folder / name).write_text("\n".join(kept) + "\n" + lines, encoding="utf-8", newline="")
    return folder


SPF = '@               IN TXT  "v=spf1'
DMARC = "_dmarc "


def _attack(
    name: str, lines: str, *, points: int, without: str = "", refused: str = "", seconds: float = 10.0
) -> PaperAttack:
    return PaperAttack(
        f"zone/{name}",
        LAB,
        partial(_written, lines, without),
        refused=refused,
        points=points,
        seconds=seconds,
    )


def _attacks() -> Iterator[PaperAttack]:
    many = "".join(f'_dmarc TXT "v=DMARC1; p=none; x={number}"\n' for number in range(2400))
    yield _attack("set-beyond-64k-of-many", many, points=90)
    wide = " ".join(f'"{"y" * 250}"' for _ in range(15))
    yield _attack("set-beyond-64k-of-wide", "".join(f"@ TXT {wide} {n}\n" for n in range(20)), points=90)
    yield _attack("set-near-64k", "".join(f"@ TXT {wide} {n}\n" for n in range(16)), points=100)
    yield _attack("record-beyond-64k", "@ TXT " + '"x" ' * 24_000 + "\n", points=60)
    yield _attack("records-in-thousands", "".join(f"h{n} A 192.0.2.1\n" for n in range(4900)), points=100)
    yield _attack("records-beyond-the-most", "".join(f"h{n} A 192.0.2.1\n" for n in range(5100)), points=20)
    yield _attack(
        "addresses-in-thousands",
        "".join(f"@ A 192.0.{n // 250}.{n % 250}\n" for n in range(4000)),
        points=100,
    )
    yield _attack("mail-servers-in-thousands", "".join(f"@ MX {n} m{n}\n" for n in range(3000)), points=90)
    includes = "".join(
        f'i{n} TXT "v=spf1 include:i{n * 2 + 1}.{DOMAIN} include:i{n * 2 + 2}.{DOMAIN} -all"\n'
        for n in range(900)
    )
    yield _attack(
        "includes-as-a-tree", f'@ TXT "v=spf1 include:i0.{DOMAIN} -all"\n{includes}', without=SPF, points=65
    )
    yield _attack(
        "includes-in-a-circle", f'@ TXT "v=spf1 include:{DOMAIN} redirect={DOMAIN}"\n', without=SPF, points=65
    )
    chain = "".join(f"c{n} CNAME c{n + 1}\n" for n in range(4000))
    yield _attack("aliases-in-a-chain", f"_dmarc CNAME c0\n{chain}", without=DMARC, points=80)
    yield _attack("aliases-in-a-circle", "_dmarc CNAME a\na CNAME b\nb CNAME a\n", without=DMARC, points=80)
    yield _attack("trees-in-a-circle", "a DNAME b\nb DNAME a.a\n_dmarc CNAME x.a\n", without=DMARC, points=80)
    yield _attack(
        "alias-of-everything",
        f"* CNAME *.{DOMAIN}.\n*.a CNAME x.a\n_dmarc CNAME x.a\n",
        without=DMARC,
        points=90,
    )
    macros = "%{l1r}%{d9r.-+,/_=}%{i}%{s}%{h}%{p}%{c}%{t}" * 5
    yield _attack(
        "macros",
        f'@ TXT "v=spf1 exists:{macros[:240]}" "{macros[:240]} ptr a/0 mx//0 -all"\n',
        without=SPF,
        points=75,
    )
    yield _attack(
        "macros-that-grow",
        '@ TXT "v=spf1 exists:' + "%{s}" * 55 + f".{DOMAIN}" + '" "' + "%{s}" * 60 + ' -all"\n',
        without=SPF,
        points=75,
    )
    yield _attack(
        "terms-in-thousands",
        "@ TXT "
        + " ".join(f'"{"v=spf1 " if not n else ""}{"ip4:192.0.2.1 " * 18}"' for n in range(14))
        + ' "-all"\n',
        without=SPF,
        points=100,
    )
    yield _attack("names-of-every-octet", "".join(f"\\{n:03} A 192.0.2.1\n" for n in range(256)), points=100)
    yield _attack("name-too-long", ".".join(["x" * 63] * 4) + " A 192.0.2.1\n", points=20)
    yield _attack("names-of-a-hundred-labels", ".".join("x" * 110) + " A 192.0.2.1\n", points=100)
    yield _attack("another-file", "$INCLUDE /etc/passwd\n$INCLUDE /dev/zero\n", points=20)
    yield _attack("records-by-the-million", "$GENERATE 1-99999999 h$ A 192.0.2.1\n", points=20)
    yield _attack("parentheses-without-end", "@ TXT " + "( " * 20_000, points=20)
    yield _attack("string-without-end", '@ TXT "' + "x" * 60_000, points=20)
    yield _attack("line-without-end", "@ TXT x" + " " * 80_000 + "; " + "y" * 1000 + "\n", points=100)
    yield _attack("faults-in-thousands", "\x01 ? \\999 \u202e\n" * 5000, points=20)
    yield _attack(
        "seconds-beyond-all", "@ 99999999999999999999 IN A 192.0.2.1\nx 9w9w9w A 192.0.2.1\n", points=20
    )
    yield _attack(
        "origins-in-each-other", "".join("$ORIGIN a\n" for _ in range(3000)) + "x A 192.0.2.1\n", points=20
    )
    yield _attack(
        "no-octet-is-text",
        'x TXT "\udcff\udcfe"\n'.encode("utf-8", "surrogateescape").decode("latin-1"),
        points=100,
    )
    nasty = "</pre></script><script>document.title=1</script><img src=x onerror=f()>\\027[2J\\155\\000::error::x ]]>"
    yield _attack(
        "markup", f'x TXT "{nasty}"\n@ TXT "{nasty}"\n_dmarc.y TXT "v=DMARC1; p={nasty}"\n', points=100
    )
    yield _attack(
        "markup-as-policy",
        f'_dmarc TXT "v=DMARC1; p={nasty}; rua=mailto:{nasty}"\n',
        without=DMARC,
        points=80,
    )
    yield _attack(
        "reports-to-thousands",
        '_dmarc TXT "v=DMARC1; p=reject; rua="'
        + " ".join(f'"mailto:a@r{n}.x{n}.example,"' for n in range(130))
        + "\n",
        without=DMARC,
        points=100,
    )
    yield _attack(
        "key-of-megabits",
        "nl._domainkey.news TXT " + '"v=DKIM1; p="' + f' "{"A" * 250}"' * 16 + "\n",
        without="nl._dom|      ",
        points=100,
    )
    yield _attack(
        "servers-of-its-own",
        f"@ NS ns.elsewhere.example.\nsub NS ns.sub\nns.sub A 127.0.0.1\n_dmarc.sub NS {DOMAIN}.\n",
        points=100,
    )
    yield _attack(
        "reserved-types",
        "@ TYPE65535 \\# 4 01020304\n@ OPT x\n@ AXFR x\n@ TSIG x\n@ TYPE0 \\# 0\n@ CLASS9 A 192.0.2.1\n",
        points=20,
    )
    yield _attack(
        "signatures-that-are-none",
        "@ RRSIG TXT 8 2 1 20300101000000 20200101000000 1 . AAAA\n@ NSEC . A\n",
        points=100,
    )


ATTACKS = tuple(_attacks())

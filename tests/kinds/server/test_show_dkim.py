"""What reports show of signatures: kinds, keys, the caret in a record, and no stranger's markup."""

from __future__ import annotations

import io

from grader.judge import judge
from grader.kinds.server.declare import ServerCheck, SignatureExpect
from grader.kinds.server.facts import Published, RecordFile, ServerEvidence, ServiceFacts
from grader.kinds.server.show import narrative
from grader.model.diagnostic import Diagnostic, Span
from grader.model.dns import KeyRecord
from grader.outputs import html, terminal
from tests.judge import builders
from tests.kinds.server.dkim.signing import KEY_NAME, MESSAGE, answer, run, signed

TEXT = 'mail2026._domainkey IN TXT "v=DKIM1; k=rsa" ; <script>alert(1)</script>\nodd TXT “x”\n'
HANDED_IN = Published(
    [RecordFile("dns/mail2026.txt", TEXT)],
    [KeyRecord(KEY_NAME, "TXT", [b"v=DKIM1; k=rsa"], "dns/mail2026.txt", 1)],
    [Diagnostic("not ASCII", file="dns/mail2026.txt", span=Span(1, 8))],
)
HOSTILE = signed(signed(), selector="<b>x</b>")
VERIFIES = builders.check("verifies", signature=SignatureExpect(verifies=True))
RECORD = builders.check("record", published=True)


def made(*raws: bytes) -> ServerEvidence:
    return run(VERIFIES, *raws, published=HANDED_IN, services=[ServiceFacts("opendkim", True, True)])


def on_screen(evidence: ServerEvidence, check: ServerCheck = VERIFIES) -> str:
    out = io.StringIO()
    terminal.show(
        judge(evidence, lab=builders.lab(check)), evidence, verbose=True, file=out, width=80, color=False
    )
    return out.getvalue()


def test_the_story_says_what_was_signed_and_with_what_success() -> None:
    told = list(narrative(made(signed(), MESSAGE, signed(), signed(bits=1024))))
    assert (
        "2 messages arrived outside with a signature d=example.com s=mail2026 a=rsa-sha256, which verifies with "
        f"the key at {KEY_NAME} (RSA with 2048 bits)." in told
    )
    assert any("1 message arrived outside with a signature" in t and "another private key" in t for t in told)
    assert "1 message arrived outside unsigned." in told
    assert "Then opendkim was stopped, and 0 messages were tried without." in told


def test_the_terminal_shows_the_signature_and_what_dns_says() -> None:
    shown = on_screen(made(signed(bits=1024)))
    assert "> 3 DKIM-Signature: v=1; a=rsa-sha256;" in shown.replace("▶", ">").replace("  ", " ")
    assert f"{KEY_NAME} TXT" in shown


def test_the_terminal_puts_a_caret_below_the_fault_in_a_record() -> None:
    lines = on_screen(made(signed()), RECORD).splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.rstrip().endswith("odd TXT “x”")]
    assert lines[at + 1].index("^") == lines[at].index("“")


def test_the_page_shows_kinds_and_keys_and_escapes_them() -> None:
    evidence = made(HOSTILE)
    page = html(judge(evidence), evidence).decode()
    assert f"verifies with the key at {KEY_NAME}" in page
    assert "no second one may be added" in page
    assert 'id="key-0"' in page
    assert "s=&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page
    assert "<script>alert" not in page


def test_other_labs_have_no_such_section() -> None:
    evidence = run(builders.check("starts", greets=True), MESSAGE, keys=[answer()])
    assert "Signatures</h3>" not in html(judge(evidence), evidence).decode()

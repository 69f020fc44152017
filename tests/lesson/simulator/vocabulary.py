"""Words that the grammar makes dialogues of: users, domains, values of parameters, lines of messages."""

from __future__ import annotations

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"
USERS = [
    *("bob", "alice", "Bob", "ALICE", "postmaster", "PostMaster", "abuse", "nosuch", "root", "mailer-daemon"),
    *("bob+x", "alice+", "bob++", "nosuch-x", "alice+a+b", "bob.", ".bob", "bo..b", "jörg", "用户", "b\\ob"),
    *("\\bob", "b\\@ob", "bob\\", "bob(c)", "(c)bob", '"bob"', '"postmaster"', '"bob+x"', ""),
]
QUOTED = [
    *(
        "a",
        "b ",
        ".",
        "@",
        "!",
        "%",
        ",",
        ":",
        ";",
        "<",
        ">",
        "(",
        ")",
        "[",
        "]",
        "\\\\",
        '\\"',
        "\\a",
        "\\@",
    ),
    *("é", "bob", "alice", "example.com", "elsewhere.example", "\\ "),
]
DOMAINS = [
    *("example.com", "EXAMPLE.com", "mail.example.com", "localhost", "localhost.example.com", "x.y.z", "com"),
    *("elsewhere.example", "third.example", "sub.example.com", "example.com.example", "bücher.example"),
    *("xn--bcher-kva.example", "example.com.", "example.com..", ".example.com", "exa mple.com", "-a.example"),
    *(
        "a-.example",
        "a_b.example",
        "a..b",
        "a*b.example",
        "1.example",
        "1.2",
        "123",
        "a/b.example",
        "a,b",
        "a:b",
    ),
    *(
        '"example.com"',
        "example(c).com",
        "exam\\ple.com",
        "example.com%x",
        "@",
        "",
        "example.com@example.com",
    ),
    *(f"{'x' * 63}.example", f"{'x' * 64}.example", ".".join(["x" * 50] * 5), ".".join(["x" * 50] * 6)),
]
QUADS = [
    *("203.0.113.10", "10.20.30.10", "127.0.0.1", "198.51.100.25", "203.0.113.010", "203.0.113", "0.0.0.0"),
    *("256.1.1.1", "1.2.3.4.5", "203.0.113.10 ", " 203.0.113.10", "0203.0.113.10", "127.1"),
]
GROUPS = [
    *(
        "2001:db8:113::10",
        "::1",
        "2001:DB8:113::10",
        "2001:0db8:0113:0000:0000:0000:0000:0010",
        "::",
        "1::",
        ":::",
    ),
    *(
        "::ffff:203.0.113.10",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "g::",
    ),
    *(
        "2001:db8::1::2",
        "12345::",
        "::127.0.0.1",
        "0:0:0:0:0:0:0:1",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
    ),
]
MAIL_VALUES: dict[str, list[str | None]] = {
    "SIZE": [
        "0",
        "1",
        "999",
        "1000",
        "1001",
        "10240000",
        "10240001",
        "9223372036854775808",
        "-1",
        "+5",
        "1e3",
        "007",
    ],
    "BODY": ["7BIT", "8BITMIME", "8bitmime", "BINARYMIME", "8BIT", ""],
    "SMTPUTF8": [None, None, "", "1"],
    "RET": ["FULL", "HDRS", "full", "FULL,HDRS", ""],
    "ENVID": ["abc", "a+2Bb", "a+", "a+4", "a=b", "a+0A", "a+7F", "é", "<a>", ""],
    "AUTH": ["<>", "a@b", "alice+40example.com", "a+", "<a@b>", ""],
}
RCPT_VALUES = {
    "NOTIFY": [
        *(
            "NEVER",
            "SUCCESS",
            "FAILURE",
            "DELAY",
            "never",
            "SUCCESS,FAILURE,DELAY",
            "NEVER,SUCCESS",
            "NEVER,NEVER",
        ),
        *("SUCCESS,,DELAY", ",SUCCESS", "SUCCESS,", "", ",", "SUCCESS;DELAY", "SUCCESS,SUCCESS", "ALWAYS"),
    ],
    "ORCPT": [
        *(
            "rfc822;bob@example.com",
            "RFC822;a+2Bb",
            "rfc822;a+4",
            "rfc822;",
            ";a",
            "rfc822",
            "rfc822:a",
            "x400;a b",
        ),
        *("utf-8;a\\x{41}", "utf-8;\\x{110000}", "UTF-8;\\x{}", "utf-8;\\x{g}", "utf-8;\\x41", "utf-8;jörg"),
        *("utf-8;\\x{7FFFFFFF}", "utf-8;\\x{D800}", "rfc822;jörg"),
    ],
}
UNKNOWN = ["REQUIRETLS", "BY", "HOLDFOR", "MT-PRIORITY", "XVERP", "TRANSID", "RRVS", "FOO", "SIZE", "NOTIFY"]
COMMANDS = [
    *(
        "NOOP",
        "RSET",
        "VRFY",
        "EXPN",
        "HELP",
        "DATA",
        "STARTTLS",
        "ETRN",
        "HELO",
        "EHLO",
        "BDAT",
        "XCLIENT",
        "LHLO",
    ),
    *("SOML", "TURN", "BURL", "QUIT", "GET", "CONNECT", "Subject:", "X", "MAIL", "RCPT", "XFORWARD"),
]
HEADERS = [
    *([], ["Subject: x", ""], ["From: a@b", "To: c", "", "hi"], ["", "x"], ["no header"], [" folded"]),
    *(
        ["Subject: x", "Received: y", "", "Received: z"],
        ["received : y"],
        *(["Received: by x"] * n for n in (48, 49, 50)),
    ),
]
TEXT_LINES = [
    *(
        "..",
        "...",
        ".x",
        " .",
        ". ",
        ".\t",
        "\t.",
        "..x",
        "QUIT",
        "a\0b",
        "é",
        "From x",
        ">From x",
        "from x",
        "",
    ),
    *("a\nb", "a\n.", "a\n.\nb", ".\n", "a\rb", "\r", ".\r", "\r.", "a\r", ". ."),
    *("x" * length for length in (997, 998, 999, 1000, 2046, 2047, 2048, 2049, 4090)),
]
GOOD_LOGIN = "AUTH PLAIN AGFsaWNlAGFsaWNlLXNlY3JldA=="

"""Where the files of a submission go."""

from __future__ import annotations

from grader.kinds.server.declare import InstallTarget, ServerSubmission
from grader.kinds.server.plan.install import config_dir, installed, published
from grader.model.plan import File
from grader.model.submission import Submission

SEVERAL = ServerSubmission(
    required=["postfix/main.cf"],
    installs={
        "postfix": "/etc/postfix",
        "opendkim": "/etc/opendkim",
        "opendkim/keys": InstallTarget("/etc/opendkim/keys", "opendkim:opendkim", "0600"),
    },
    publishes="dns",
)
FILES = Submission(
    {
        "postfix/main.cf": b"m",
        "opendkim/a/b": b"b",
        "opendkim/keys/k": b"k",
        "dns/k.txt": b"t",
        "readme": b"r",
    },
    frozenset({"opendkim/a/b", "opendkim/keys/k"}),
)


def test_each_folder_has_its_place_its_owner_and_its_permissions() -> None:
    assert list(installed(SEVERAL, FILES)) == [
        ("postfix/main.cf", File("/etc/postfix/main.cf", b"m", 0o644)),
        ("opendkim/a/b", File("/etc/opendkim/a/b", b"b", 0o755)),
        ("opendkim/keys/k", File("/etc/opendkim/keys/k", b"k", 0o700, "opendkim:opendkim")),
    ]
    assert published(SEVERAL, FILES) == {"dns/k.txt": b"t"}
    assert config_dir(SEVERAL) == "/etc/postfix"


def test_one_folder_holds_all() -> None:
    one = ServerSubmission(required=["main.cf"], installs="/etc/elsewhere")
    made = list(installed(one, Submission({"main.cf": b"m", "maps/a": b"a"})))
    assert [file.path for _, file in made] == ["/etc/elsewhere/main.cf", "/etc/elsewhere/maps/a"]
    assert config_dir(one) == "/etc/elsewhere"
    assert published(one, FILES) == {}

"""A greylisting policy server for Postfix (SMTPD_POLICY_README), started by spawn(8): one process a connection."""

import hashlib
import os
import sys
import time

FOLDER = "/tmp/greylist"
DELAY_SECONDS = 0.5


def known_for(request):
    """Seconds since client, sender and recipient of this request were first seen together."""
    triplet = "\0".join(request.get(key, "") for key in ("client_address", "sender", "recipient"))
    path = os.path.join(FOLDER, hashlib.sha256(triplet.encode()).hexdigest())
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return time.time() - os.stat(path).st_mtime
    return 0.0


os.makedirs(FOLDER, mode=0o700, exist_ok=True)
request = {}
for line in sys.stdin:
    key, equals, value = line.rstrip("\n").partition("=")
    if equals:
        request[key] = value
        continue
    action = "DUNNO" if known_for(request) >= DELAY_SECONDS else "DEFER_IF_PERMIT 4.2.0 Come back in a moment"
    print(f"action={action}\n", flush=True)
    request = {}

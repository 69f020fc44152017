"""Programs handed in run apart from each other and from the host, and what they show of their password is seen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.engines.base import Engine, Machines
from grader.engines.guest.run import PROCESSES
from grader.model.protocol.host import ProgramEnd, ProgramFile, ProgramSpec, RunPrograms, StartServices
from tests.conftest import PATIENCE
from tests.engines.plans import plan, run

PASSWORD = "teapot-Rocket-7315"


def spec(number: int, *, limit: float = PATIENCE) -> ProgramSpec:
    return ProgramSpec(
        id=f"run-{number}",
        argv=["./send"],
        account=f"runner{number:02d}",
        environment={"PASSWORD": PASSWORD},
        texts={"body.txt": b"Hello\n"},
        limit=limit,
        waits=False,
        secrets=[PASSWORD.encode()],
    )


def programs(
    machines: Machines,
    script: str,
    *runs: ProgramSpec,
    mode: int = 0o700,
    together: int = 4,
    seconds: float = 3 * PATIENCE,
) -> list[ProgramEnd]:
    """Run a shell script; what is told of its runs, in their order."""
    machines.host.call(StartServices([], "/", PATIENCE / 2), timeout=PATIENCE)
    files = [ProgramFile("send", b"#!/bin/sh\n" + script.encode(), mode)]
    wanted = RunPrograms(files, list(runs or (spec(1),)), together, seconds)
    return sorted(
        machines.host.call(wanted, timeout=seconds + PATIENCE), key=lambda end: int(end.id.partition("-")[2])
    )


WRITTEN = 'import os; p = os.environ["PASSWORD"]; w = lambda n: open(n, "w").write(p + "\\n"); '
CLOSED_AFTERWARDS = WRITTEN + 'n = os.environ["TMPDIR"] + "/rc"; w(n); os.chmod(n, 0o600)'
REMOVED_AT_ONCE = WRITTEN + 'w("rc"); os.unlink("rc")'
MOVED_AT_ONCE = WRITTEN + 'os.mkdir("closed", 0o700); w("open"); os.rename("open", "closed/rc")'
LEAKS = {
    'curl --version --user "alice:$PASSWORD" >/dev/null': (
        "process list",
        "curl --version --user alice:<password>",
    ),
    'env SECRET="$PASSWORD" true': ("process list", "env SECRET=<password> true"),
    'sh -c "true $(printf \'%s\' "$PASSWORD" | base64)"': ("process list", "sh -c true <password in base64>"),
    'echo "password: $PASSWORD"': ("output", "password: <password>"),
    "printf '\\0alice\\0%s' \"$PASSWORD\" | base64": ("output", "<password in base64>"),
    'logger "password $PASSWORD"': ("log", "password <password>"),
    'echo "$PASSWORD" >send.log': ("file", "work/send.log: <password>"),
    'echo "$PASSWORD" >/tmp/send.log': ("file", "/tmp/send.log: <password>"),
    'echo "$PASSWORD" >$TMPDIR/rc; cat $TMPDIR/rc >/dev/null; rm $TMPDIR/rc': ("file", "tmp/rc: <password>"),
    f"python3 -c '{CLOSED_AFTERWARDS}'": ("file", "tmp/rc: <password>"),
    f"python3 -c '{REMOVED_AT_ONCE}'": ("file", "work/rc: <password>"),
    f"python3 -c '{MOVED_AT_ONCE}'": ("file", "work/open: <password>"),
    'mkdir open; echo "$PASSWORD" >open/rc; cat open/rc >/dev/null; rm -r open': (
        "file",
        "open/rc: <password>",
    ),
}


def test_wherever_the_password_shows_it_is_seen(engine: Engine) -> None:
    script = (
        "case $HOME in\n"
        + "".join(f"*{number:02d}) {line} ;;\n" for number, line in enumerate(LEAKS, 1))
        + "esac\n"
    )
    with engine.machines(plan()) as machines:
        done = programs(machines, script, *(spec(number) for number in range(1, len(LEAKS) + 1)))
    for facts, (line, (where, what)) in zip(done, LEAKS.items(), strict=True):
        found = [exposed.what for exposed in facts.exposed if exposed.where == where]
        assert any(shown.endswith(what) for shown in found), (line, facts.exposed)
        assert PASSWORD not in str(facts)


OVERWRITES = """
import os, time
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[45])
with open("/proc/self/mem", "r+b", 0) as memory:
    memory.seek(start)
    memory.write(os.environb[b"PASSWORD"] + bytes(1))
time.sleep({seconds})
"""
NAMES = "import ctypes, os; ctypes.CDLL(None).prctl(15, os.environb[b'PASSWORD'][:15], 0, 0, 0)"
THREAD = f"""
import threading
def work():
    {NAMES}
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
UNTRACED = """
import ctypes, os
if ctypes.CDLL(None).syscall(56, 0x00800000 | 17, 0, 0, 0, 0) == 0:
    os.execv("/bin/sh", ["sh", "-c", "sleep 0.3", os.environ["PASSWORD"]])
os.wait()
"""
HIDDEN = {
    "behind 200,000 octets": (
        "import os, subprocess; long = 'x' * 110000\n"
        "subprocess.run(['/bin/true', long, long, os.environ['PASSWORD']])"
    ),
    "behind two megabytes": (
        "import os, subprocess\nsubprocess.run(['/bin/true', *['x' * 120000] * 16, os.environ['PASSWORD']])"
    ),
    "written over the arguments": OVERWRITES.format(seconds=0),
    "written over the arguments, for a while": (
        OVERWRITES.format(seconds=0.3).replace(
            "time.sleep", "memory = open('/proc/self/mem', 'r+b', 0); time.sleep"
        )
        + "memory.seek(start)\nmemory.write(b'y' * 18)\n"
    ),
    "a process's name": NAMES,
    "a thread's name": THREAD,
    "a file's name": "import os; open('/tmp/' + os.environ['PASSWORD'], 'w')",
}


def test_a_password_is_seen_however_it_came_into_the_process_list(engine: Engine) -> None:
    files = [
        ProgramFile(f"{number}.py", text.encode(), 0o600) for number, text in enumerate(HIDDEN.values(), 1)
    ]
    files.append(
        ProgramFile(
            "send", b"#!/bin/sh\nexec python3 $((1${HOME#*runner} - 100)).py xxxxxxxxxxxxxxxxx\n", 0o700
        )
    )
    runs = [spec(number) for number in range(1, len(HIDDEN) + 1)]
    with engine.machines(plan()) as machines:
        machines.host.call(StartServices([], "/", PATIENCE / 2), timeout=PATIENCE)
        done = machines.host.call(RunPrograms(files, runs, 4, 3 * PATIENCE), timeout=4 * PATIENCE)
    told = {end.id: end for end in done}
    for number, name in enumerate(HIDDEN, 1):
        facts = told[f"run-{number}"]
        where = "file" if name == "a file's name" else "process list"
        assert where in {exposure.where for exposure in facts.exposed}, (name, facts)
        assert PASSWORD not in str(facts)


def test_no_process_of_a_program_s_is_untraced(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, f"exec python3 -c '{UNTRACED}'")
    assert "ChildProcessError" in facts.output, "the kernel made the process"
    assert facts.exposed == []


CLOSED_BEFORE = (
    "import os; fd = os.open('draft', os.O_CREAT | os.O_WRONLY, 0o644); os.fchmod(fd, 0o600); "
    "os.write(fd, os.environb[b'PASSWORD']); os.rename('draft', 'rc'); os.chmod('rc', 0o400); os.unlink('rc')"
)
HARMLESS = f"""
python3 -c "{CLOSED_BEFORE}"
printf '%s\\n' "$PASSWORD" | cat >/dev/null
(umask 077; printf '%s' "$PASSWORD" >config; cat config >/dev/null)
dir=$(mktemp -d) && printf '%s' "$PASSWORD" >$dir/config && cat $dir/config >/dev/null && rm -r $dir
msg=$(printf '%s' "$PASSWORD" | base64)
[ -n "$msg" ] && cat <<END >/dev/null
$PASSWORD
END
"""


def test_a_careful_program_shows_nothing(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, HARMLESS)
    assert (facts.code, facts.exposed, facts.late, facts.left) == (0, [], False, False)


APART = """
case $HOME in *02) while [ -d ../../runner01 ]; do sleep 0.05; done; exit ;; esac
until [ -d ../../runner02 ]; do :; done
cat ../../runner02/body.txt 2>&1
ls ../../runner02 2>&1
/bin/kill -9 1 2>&1
cat /proc/1/environ 2>&1
touch /etc/here 2>&1
cat ~/body.txt
id -un
pwd
mktemp
"""


def test_a_run_is_apart_from_the_others_and_from_the_host(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        first, _ = programs(machines, APART, spec(1), spec(2))
    lines = first.output.splitlines()
    refusals = ("Permission denied", "not permitted", "Read-only file system")
    assert all(any(refusal in line for refusal in refusals) for line in lines[:5]), lines
    assert lines[5:8] == ["Hello", "runner01", "/home/runner01/work"]
    assert lines[8].startswith("/home/runner01/tmp/")


def test_nothing_outlives_its_run(engine: Engine) -> None:
    escape = "setsid sh -c 'sleep 60 & sleep 60' & sleep 60 & nohup sleep 60 >/dev/null 2>&1 & echo gone"
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, escape)
        _, processes = run(machines, "ps", "-eo", "user,args")
        _, left = run(machines, "sh", "-c", "ls -d /home/runner* /tmp/* 2>/dev/null")
    assert facts.output == "gone\n"
    assert facts.left
    assert not facts.late
    assert "sleep" not in processes
    assert left == ""


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "trap '' TERM INT HUP; while :; do :; done",
        # The last loop needs no process: a shell that gets none for a command would end.
        "bomb() { bomb | bomb & }; bomb; while :; do :; done",
    ],
    ids=["sleeps", "loops", "multiplies"],
)
def test_a_run_that_does_not_end_is_ended_and_harms_no_other(engine: Engine, script: str) -> None:
    script = f"case $HOME in *01) {script} ;; *) sleep 0.2; echo well ;; esac"
    with engine.machines(plan(processes=500)) as machines:
        first, second = programs(machines, script, spec(1, limit=1.0), spec(2))
        _, processes = run(machines, "ps", "-eo", "user")
    assert first.late
    assert first.seconds < PATIENCE / 2
    assert (second.output, second.code, second.late) == ("well\n", 0, False)
    assert "runner" not in processes


def test_processes_of_another_submission_s_program_are_not_counted(engine: Engine) -> None:
    many = "for n in $(seq 30); do sleep 20 & done; echo well"
    stays = RunPrograms([ProgramFile("send", f"#!/bin/sh\n{many}; wait".encode(), 0o700)], [spec(1)], 1, 20)
    with engine.machines(plan()) as one, engine.machines(plan()) as two:
        one.host.ask(stays)
        run(two, "sleep", "1")  # Others go first: where they are late, nothing is proved.
        (facts,) = programs(two, many)
    assert facts.output == "well\n"


MANY = """
exec python3 -c 'import os, time
children = []
for _ in range(100):
    try:
        pid = os.fork()
    except BlockingIOError:
        break
    if pid == 0:
        time.sleep(20)
        os._exit(0)
    children.append(pid)
time.sleep(0.3)
print(sum(os.waitpid(pid, os.WNOHANG) == (0, 0) for pid in children))'
"""


def test_a_run_has_some_processes_and_no_more(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, MANY)
    assert facts.output == f"{PROCESSES - 1}\n"


def test_once_runs_have_been_late_the_others_have_to_be_quicker(engine: Engine) -> None:
    script = "case $HOME in *0[1-6]) sleep 60 ;; *) echo well ;; esac"
    with engine.machines(plan()) as machines:
        done = programs(machines, script, *(spec(n, limit=4.0) for n in range(1, 8)), together=3)
    assert [facts.late for facts in done] == [True] * 6 + [False]
    # Who began before the third was late has all its time.
    assert [done[0].limit, done[-1].limit] == [4.0, 0.5]
    assert done[6].output == "well\n"


def test_what_is_printed_without_end_is_cut(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, "yes", spec(1, limit=1.0))
    assert facts.late
    assert 100_000 < len(facts.output) <= 200_000


def test_a_program_that_the_system_cannot_run_says_so(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, "echo hello", mode=0o600)
    assert facts.code == 126
    assert facts.output == "./send: Permission denied\n"


def test_runs_that_find_no_time_are_left_out(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        done = programs(machines, "sleep 60", spec(1), spec(2), together=1, seconds=0.5)
    assert [facts.id for facts in done] == ["run-1"]


DEEP = """
case $HOME in *02) cat ~/body.txt; exit ;; esac
cd /tmp
exec python3 -c 'import errno, os
for top in (os.environ["HOME"], "/tmp/deep"):
    os.makedirs(top, exist_ok=True)
    os.chdir(top)
    try:
        for n in range(5000):
            os.mkdir("d"); os.chdir("d")
        os.mkdir("locked", 0)
    except OSError as error:
        assert error.errno == errno.ENOSPC, error'
"""


def test_nested_folders_are_removed_however_deep(engine: Engine) -> None:
    with engine.machines(plan()) as machines:
        first, second = programs(machines, DEEP, spec(1), spec(2), together=1)
        _, left = run(machines, "sh", "-c", "ls -A /tmp /home")
    assert (first.code, second.output) == (0, "Hello\n")
    assert "runner" not in left
    assert "removing" not in left
    assert "deep" not in left


@pytest.mark.parametrize("crowd", ["mkdir -p $(seq 1 1100)", "touch $(seq 1 300)"], ids=["folders", "files"])
def test_a_crowd_in_the_home_hides_nothing_elsewhere(engine: Engine, crowd: str) -> None:
    with engine.machines(plan()) as machines:
        (facts,) = programs(machines, f'cd ~; {crowd}; echo "$PASSWORD" >/tmp/send.log')
    assert [exposed.what for exposed in facts.exposed] == ["/tmp/send.log: <password>"]


def test_a_run_that_cannot_be_started_says_so_and_the_next_is_made(engine: Engine) -> None:
    blocked = replace(spec(1), texts={"no-such-folder/" + "x" * 300: b""})
    with engine.machines(plan()) as machines:
        first, second = programs(machines, "echo well", blocked, spec(2))
    assert first.code == 126
    assert first.output == "./send: cannot be started: File name too long\n"
    assert second.output == "well\n"

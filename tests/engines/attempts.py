"""What root on the student's host may try in order to get out, by name or command. Each must be refused."""

from __future__ import annotations

COMMANDS = [
    # The file systems.
    "mount -t tmpfs none /mnt",
    "mount -o remount,rw /",
    "mount -o remount,rw /proc/1",
    "mount --bind /tmp /etc",
    "umount /etc/postfix",
    "umount /proc/sys",
    "umount --lazy /proc/1",
    "mknod /tmp/disk b 8 0",
    "mknod /tmp/memory c 1 1",
    "touch /usr/bin/x",
    "touch /usr/lib/smtplab/x",
    "cp /bin/true /usr/lib/smtplab/guest/main.py",
    "touch /etc/passwd",
    "echo x >>/etc/passwd",
    "echo nameserver 203.0.113.99 >/etc/resolv.conf",
    "echo x >>/etc/hosts",
    "chroot /proc/1/root true",
    'python3 -c \'import os; os.setxattr("/tmp", "trusted.x", b"1")\'',
    "ls /var/run/docker.sock /run/docker.sock /run/podman",
    # Namespaces.
    "unshare --mount true",
    "unshare --user true",
    "unshare --user --map-root-user true",
    "unshare --net true",
    "unshare --pid --fork true",
    "unshare --ipc true",
    "unshare --uts true",
    "unshare --cgroup true",
    "unshare --time true",
    "nsenter --target 1 --mount true",
    "nsenter --target 1 --net true",
    "nsenter --target $$ --net true",
    # The kernel.
    "echo x >/proc/sys/kernel/core_pattern",
    "echo 1 >/proc/sys/net/ipv4/ip_forward",
    "echo b >/proc/sysrq-trigger",
    "hostname other.example",
    "date --set 2020-01-01",
    "dmesg",
    # The agent.
    "readlink /proc/1/fd/0",
    "ls /proc/1/map_files/",
    "cat /proc/1/environ",
    "head -c 1 /proc/1/mem",
    "ls /proc/1/root/",
    "ls /proc/1/cwd/",
    "cat /proc/1/syscall",
    "cat /proc/1/stack",
    "echo x >/proc/1/comm",
    "echo 1000 >/proc/1/oom_score_adj",
    "echo 1000 >/proc/1/task/1/oom_score_adj",
    "echo 15 >/proc/1/oom_adj",
    "echo 19 >/proc/1/autogroup",
    "echo 1 >/proc/1/clear_refs",
    "prlimit --pid 1 --nproc=1:1",
    "prlimit --pid 1 --nofile=4:4",
    "renice -n 19 -p 1",
    "renice -n 19 -u 0",
    "for fd in /proc/1/fd/*; do echo '{\"ok\": true}' >$fd && exit 0; done; exit 1",
    "python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) != 0)'",
    # The network.
    "ip link add dummy0 type dummy",
    "ip link add eth1 type veth",
    "ip link set eth0 down",
    "ip link set eth0 mtu 1400",
    "ip address add 203.0.113.99/24 dev eth0",
    "ip address flush dev eth0",
    "ip route add default dev eth0",
    "ip route add default via 203.0.113.53",
    "ip neighbour add 203.0.113.99 lladdr 02:00:00:00:00:01 dev eth0",
    "ip rule add table 5",
    "ip tuntap add mode tun",
    "exec 3<>/dev/net/tun",
    "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
    "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'",
    "python3 -c 'import socket; socket.socket(socket.AF_VSOCK)'",
]

MISSING = [
    "/sys", "/sys/fs/cgroup", "/sys/class/net", "/sys/kernel", "/proc/kcore", "/proc/kallsyms", "/proc/keys",
    "/proc/modules", "/proc/timer_list", "/proc/interrupts", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/vsock",
]  # fmt: skip
"""Where nothing of the machine is to be seen."""

_NEWUSER, _NEWNET, _UNTRACED, _SIGCHLD = 0x10000000, 0x40000000, 0x00800000, 17

RAW_CALLS: dict[str, list[int]] = {
    "clone into a user namespace": [56, _NEWUSER | _SIGCHLD, 0, 0, 0, 0],
    "clone into a network namespace": [56, _NEWNET | _SIGCHLD, 0, 0, 0, 0],
    "clone untraced": [56, _UNTRACED | _SIGCHLD, 0, 0, 0, 0],
    "clone untraced, flags in the upper half": [56, 0xFF << 32 | _UNTRACED | _SIGCHLD, 0, 0, 0, 0],
    "clone3": [435, 0, 88],
    "unshare": [272, _NEWUSER],
    "setns": [308, 0, 0],
    "mount": [165, 0, 0, 0, 0, 0],
    "umount2": [166, 0, 2],
    "pivot_root": [155, 0, 0],
    "fsopen": [430, 0, 0],
    "open_tree": [428, -100, 0, 1],
    "move_mount": [429, -100, 0, -100, 0, 0],
    "mount_setattr": [442, -100, 0, 0, 0, 0],
    "name_to_handle_at": [303, -100, 0, 0, 0, 0],
    "open_by_handle_at": [304, -100, 0, 0],
    "quotactl": [179, 0, 0, 0, 0],
    "swapon": [167, 0, 0],
    "acct": [163, 0],
    "reboot": [169, 0, 0, 0, 0],
    "kexec_load": [246, 0, 0, 0, 0],
    "init_module": [175, 0, 0, 0],
    "finit_module": [313, 0, 0, 0],
    "delete_module": [176, 0, 0],
    "iopl": [172, 3],
    "ioperm": [173, 0, 1, 1],
    "modify_ldt": [154, 0, 0, 0],
    "syslog": [103, 3, 0, 0],
    "sethostname": [170, 0, 0],
    "setdomainname": [171, 0, 0],
    "settimeofday": [164, 0, 0],
    "clock_settime": [227, 0, 0],
    "adjtimex": [159, 0],
    "clock_adjtime": [305, 0, 0],
    "bpf": [321, 0, 0, 0],
    "perf_event_open": [298, 0, 0, -1, -1, 0],
    "userfaultfd": [323, 0],
    "io_uring_setup": [425, 8, 0],
    "io_uring_enter": [426, 0, 0, 0, 0, 0, 0],
    "io_uring_register": [427, 0, 0, 0, 0],
    "add_key": [248, 0, 0, 0, 0, 0],
    "request_key": [249, 0, 0, 0, 0],
    "keyctl": [250, 0, 0, 0, 0, 0],
    "process_vm_readv": [310, 1, 0, 0, 0, 0, 0],
    "process_vm_writev": [311, 1, 0, 0, 0, 0, 0],
    "process_madvise": [440, 0, 0, 0, 0, 0],
    "pidfd_getfd": [438, 0, 0, 0],
    "kcmp": [312, 1, 1, 0, 0, 0],
    "move_pages": [279, 1, 0, 0, 0, 0, 0],
    "migrate_pages": [256, 1, 0, 0, 0],
    "mbind": [237, 0, 0, 0, 0, 0, 0],
    "sched_setaffinity of the agent": [203, 1, 8, 0],
    "sched_setaffinity": [203, 0, 8, 0],
    "sched_setscheduler": [144, 0, 1, 0],
    "sched_setattr": [314, 0, 0, 0],
    "ioprio_set of the agent": [251, 1, 1, 0],
    "setpriority of the agent": [141, 0, 1, 19],
    "setpriority of a group": [141, 1, 0, 19],
    "setpriority of a user": [141, 2, 0, 19],
    "prlimit64 of the agent": [302, 1, 6, 0, 0],
    "prlimit64 by number": [302, 99999, 6, 0, 0],
    "ptrace of the agent, by seizing": [101, 0x4206, 1, 0, 0],
    "personality without randomness": [135, 0x0040000],
    "vsock": [41, 40, 1, 0],
    "packets": [41, 17, 3, 0],
    "netlink for auditing": [41, 16, 3, 9],
    "netlink for netfilter": [41, 16, 3, 12],
    "a kernel crypto socket": [41, 38, 5, 0],
    "a socket of XDP": [41, 44, 3, 0],
    "bluetooth": [41, 31, 3, 0],
    "fanotify_init": [300, 0, 0],
    "landlock_create_ruleset": [444, 0, 0, 1],
    "memfd_secret": [447, 0],
    "mq_open": [240, 0, 0, 0, 0],
    "vmsplice": [278, 0, 0, 0, 0],
    "lookup_dcookie": [212, 0, 0, 0],
}
"""Number and arguments of system calls on x86-64 (syscall(2))."""

RAW_CALLS_SCRIPT = """
import ctypes, errno, json, os, sys
call = ctypes.CDLL(None, use_errno=True).syscall
call.restype = ctypes.c_long
told = {}
for name, numbers in json.loads(sys.argv[1]).items():
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        result = call(*map(ctypes.c_ulong, numbers))
        said = "nothing" if result >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    told[name] = os.read(read, 100).decode() or "death"
    os.close(read)
    os.waitpid(pid, 0)
print(json.dumps(told))
"""
"""Makes the calls, each in a process of its own, and prints what the kernel said."""

FAMILIES = """
import json, socket, sys
kind = getattr(socket, sys.argv[1])
names = {socket.AF_UNIX: "UNIX", socket.AF_INET: "INET", socket.AF_INET6: "INET6", socket.AF_NETLINK: "NETLINK"}
made = []
for number in range(64):
    for protocol in range(32) if number == socket.AF_NETLINK else (0,):
        try:
            socket.socket(number, kind, protocol).close()
        except OSError:
            continue
        made.append(names.get(number, str(number)) + (f" {protocol}" if number == socket.AF_NETLINK else ""))
print(json.dumps(made))
"""
"""Prints the families of sockets that can be made, of a kind."""

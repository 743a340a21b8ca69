# SPDX-License-Identifier: Apache-2.0
"""The machine that synthetic captures are of: threads that all run in one directory with the same descriptors of all kinds."""
import struct

import render
import scap

EPOCH = 1700000000 * 10**9

USERS = [(0, 0, "root"), (1000, 1000, "ubuntu"), (65534, 65534, "nobody")]
GROUPS = [(0, "root"), (5, "games"), (1000, "ubuntu")]
COMMS = {1: "systemd", 3199: "sshd", 3200: "bash"}
CWD = "/home/ubuntu/"

V4 = struct.pack("<4s4sHHB", b"\x0a\0\0\x05", b"\x5d\xb8\xd8\x22", 40000, 443, 2)
V4_UDP = struct.pack("<4s4sHHB", b"\x0a\0\0\x05", b"\x08\x08\x08\x08", 5353, 53, 3)
V6 = struct.pack("<16s16sHHB", b"\xfe\x80" + b"\0" * 13 + b"\x01", b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\x02", 1, 2, 2)
SERVER = struct.pack("<4sHB", b"\0\0\0\0", 8080, 2)
# number: (type in the descriptor list, payload, what a parameter with that number resolves to)
FDS = {
    0: (16, struct.pack("<I", 1) + scap.s16("/dev/null"), ("f", "", "/dev/null")),
    1: (1, scap.s16("/old/file"), ("f", "", "/old/file")),
    2: (2, scap.s16("/tmp/dir"), ("d", "", "/tmp/dir")),
    3: (3, V4, ("4", "t", "10.0.0.5:40000->93.184.216.34:443")),
    4: (3, V4_UDP, ("4", "u", "10.0.0.5:5353->8.8.8.8:53")),
    5: (4, V6, ("6", "", "fe80::1:1->2001:db8::2:2")),
    6: (5, SERVER, ("4", "t", "0.0.0.0:8080")),
    7: (7, scap.s16("pipe:[9]"), ("p", "", "pipe:[9]")),
    8: (8, struct.pack("<QQ", 1, 2) + scap.s16("/run/x.sock"), ("u", "", "/run/x.sock")),
    9: (9, scap.s16("ev"), ("e", "", "ev")),
    10: (10, scap.s16("what"), ("X", "", "what")),
    11: (11, scap.s16("sig"), ("s", "", "sig")),
    12: (12, scap.s16("poll"), ("l", "", "poll")),
    13: (13, scap.s16("ino"), ("i", "", "ino")),
    14: (14, scap.s16("timer"), ("t", "", "timer")),
    15: (15, scap.s16("nl"), ("n", "", "nl")),
    16: (2, scap.s16("/"), ("d", "", "/")),
    17: (17, scap.s16("bpf"), ("b", "", "bpf")),
    18: (18, scap.s16("uffd"), ("u", "", "uffd")),
    19: (19, scap.s16("ring"), ("r", "", "ring")),
    20: (20, scap.s16("mem"), ("m", "", "mem")),
    21: (21, scap.s16("pid"), ("P", "", "pid")),
    22: (16, struct.pack("<I", 1) + scap.s16(""), ("f", "", "")),
}
VIEW = render.View(CWD, {n: shown for n, (_, _, shown) in FDS.items()}, COMMS, {u: n for u, _, n in USERS}, dict(GROUPS))

# Enter events that feed the state and are never shown.
HIDDEN = {scap.BY_ENUM[name].id for name in ("OPEN_E", "OPENAT_2_E", "OPENAT2_E", "CREAT_E", "CONNECT_E", "EXECVE_19_E", "EXECVEAT_E")}


def unsigned(value, width):
    return (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def write(path, tids, blocks):
    """A capture in which the threads @tids are there from the start, each with all descriptors."""
    base = [scap.thread_entry(tid, comm=comm, ptid=0 if tid == 1 else 1, cwd=CWD) for tid, comm in COMMS.items()]
    fds = [scap.fd_entry(n, kind, payload) for n, (kind, payload, _) in FDS.items()]
    with open(path, "wb") as f:
        f.write(scap.section() + scap.machine())
        f.write(scap.threads(base + [scap.thread_entry(tid, cwd=CWD) for tid in tids]))
        for tid in tids:
            f.write(scap.fds(tid, fds))
        f.write(scap.users(USERS, GROUPS))
        f.write(b"".join(blocks))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every event type with every parameter, beside an independent renderer.

usage: params_test.py [--rounds N] [--seed S] [--keep FILE]

Writes a capture with events of all types (old ones in every recorded length, too), with empty, extreme and random
parameters, and with every value of every flag set; converts and renders them with tests/lib/scap.py and render.py, which
were written from the format's description alone; and compares evt.args, evt.info, evt.arg.*, evt.arg[N], evt.rawarg.*,
evt.type, evt.res, evt.rawres, evt.failed and evt.count.error of each event, as text and as typed JSON.
"""
import argparse
import json
import os
import random
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import box  # noqa: E402
import check  # noqa: E402
import render  # noqa: E402
import scap  # noqa: E402
from box import CWD, FDS, HIDDEN, VIEW, unsigned  # noqa: E402

FIRST_TID = 10000
SEP = " ~~ "

# Exits without the flag of a state change that change it nevertheless.
CHANGES_STATE = {"SEND_X", "RECV_X", "GETCWD_X", "UNSHARE_X", "SETNS_X", "PRLIMIT_X", "BPF_2_X", "BPF_X"}
TEXTS = [b"", b"/", b"/etc/passwd", b"rel/../x.txt", b"../up", b"./here", b".", b"..", b"a b", b"(NULL)", b"<NA>", b"a//b/", b"/a/../b",
         "\u00fcber/\u4e2d".encode(), b"x" * 300, b"tab\there", b'quote"back\\slash', b"...", b"..x/.y", b"a|b(c)=d"]
LONG = [b"y" * 1009, b"y" * 1010, b"y" * 1011, b"y" * 1024, b"y" * 5000]
ADDRESSES = [bytes(16), b"\0" * 15 + b"\x01", b"\0" * 10 + b"\xff\xff\x0a\0\0\x01", b"\xfe\x80" + b"\0" * 13 + b"\x09",
             b"\x20\x01\x0d\xb8" + b"\0" * 10 + b"\x01\0", b"\0" * 12 + b"\x01\x02\x03\x04", bytes(range(16)),
             b"\0\x01\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03", b"\0" * 8 + b"\0\0\xff\xff\0\0\0\0"]


def changes_state(t):
    return t.flags & (scap.EF_CREATES_FD | scap.EF_DESTROYS_FD | scap.EF_MODIFIES_STATE) or t.enum in CHANGES_STATE


def some_number(rng, width):
    edge = 1 << (8 * width - 1)
    return rng.choice([0, 1, -1, edge, edge - 1, 7, 0o644, 1500000000, rng.getrandbits(8 * width), rng.getrandbits(8 * width)])


def some_flags(rng, table, width, is_enum):
    values = [v for _, v in table]
    if is_enum:
        v = rng.choice(values + [rng.getrandbits(8 * width)])
    else:
        v = 0
        for value in rng.sample(values, rng.randrange(min(6, len(values)) + 1)):
            v |= value
        if rng.randrange(4) == 0:
            v |= rng.getrandbits(8 * width)
    return unsigned(v, width)


def some_socket(rng, pair):
    family = rng.choice([1, 2, 10, 16, 0, 200])
    ends = 2 if pair else 1
    if family == 2:
        return b"\x02" + b"".join(rng.randbytes(4) + struct.pack("<H", rng.getrandbits(16)) for _ in range(ends))
    if family == 10:
        return b"\x0a" + b"".join(rng.choice(ADDRESSES) + struct.pack("<H", rng.getrandbits(16)) for _ in range(ends))
    if family == 1:
        return b"\x01" + (struct.pack("<QQ", rng.getrandbits(64), rng.getrandbits(20)) if pair else b"") + rng.choice(TEXTS) + b"\0"
    return bytes([family])


def some_fd_list(rng):
    n = rng.randrange(4)
    entries = [struct.pack("<qH", rng.choice([*FDS, 99, -1]), rng.getrandbits(16)) for _ in range(n)]
    return struct.pack("<H", n) + b"".join(entries)


def some_value(rng, ptype, p):
    """Plausible bytes for a parameter of that type."""
    width = scap.WIDTH.get(ptype, 0)
    if ptype in ("FD", "FD32"):
        return unsigned(rng.choice([*FDS, 99, 5000, -100, -1, -2, -98, -126, -512, -524, -10000, -2**31]), width)
    if ptype in ("PID", "PID32"):
        return unsigned(rng.choice([1, 3199, 3200, 99999, -1, 0]), width)
    if ptype == "ERRNO":
        return unsigned(rng.choice([0, 1, 4096, -rng.randrange(1, 140), -rng.randrange(510, 535), -2**63, -32768, -32767, -65537]), width)
    if ptype in ("UID", "GID"):
        return unsigned(rng.choice([0, 5, 1000, 65534, 4242, -1, -2]), width)
    if ptype == "SIGTYPE":
        return bytes([rng.choice([0, rng.randrange(1, 32), 32, 64, 200])])
    if ptype == "SYSCALLID":
        return unsigned(rng.choice([0, 1, rng.randrange(454), 453, 454, 65535]), 2)
    if ptype in ("CHARBUF",) + render.PATHS:
        return rng.choice(TEXTS + LONG[:3] if rng.randrange(8) == 0 else TEXTS) + b"\0"
    if ptype in ("BYTEBUF", "CHARBUFARRAY"):
        return rng.choice([b"\0", b"a\0b\0", rng.randbytes(16), bytes(range(256)), b"x" * 1021, b"x" * 1022, b"<3>syslog"])
    if ptype in ("SOCKADDR", "SOCKTUPLE"):
        return some_socket(rng, ptype == "SOCKTUPLE")
    if ptype == "FDLIST":
        return some_fd_list(rng)
    if ptype == "DYN":
        table = scap.DYNAMIC[p.info.split("/")[0]]
        which = rng.randrange(len(table) + 1)
        inner = some_value(rng, table[which], p) if which < len(table) else b"??"
        return bytes([which]) + inner
    if ptype == "ABSTIME":
        return unsigned(rng.choice([0, box.EPOCH, 951782400 * 10**9 - 1, 4102444800 * 10**9, 951868799999999999]), 8)
    if ptype.startswith(("FLAGS", "ENUMFLAGS")) or ptype == "MODE":
        return some_flags(rng, scap.FLAG_SETS[p.info], width, ptype.startswith("ENUM"))
    if ptype in ("IPV4ADDR", "IPV6ADDR"):
        return rng.randbytes(width)
    return unsigned(some_number(rng, width), width)


def failing(rng, ptype):
    return unsigned(rng.choice([-1, -2, -11, -98, -125]), scap.WIDTH[ptype])


def parameters(rng, t, how):
    """Parameter bytes of an event of type @t: 'empty', or random with some of them empty."""
    out = []
    for i, p in enumerate(t.params):
        if how == "empty" or (how == "gaps" and rng.randrange(3) == 0):
            value = b""
        else:
            value = some_value(rng, p.type, p)
        if i == 0 and t.id & 1 and changes_state(t) and p.type in ("FD", "ERRNO", "PID", "INT64", "UINT64"):
            value = failing(rng, p.type)
        elif t.enum == "BPF_X":
            value = b"\x01" + failing(rng, "ERRNO")
        out.append(value)
    if t.enum.startswith(("USER_", "GROUP_")) and out and out[0]:
        out[0] = unsigned(9000 + rng.randrange(50), 4) # nobody else's
    return out


class Case:
    """Events to write, and those a reader is to show with the view they are seen in."""

    def __init__(self):
        self.blocks, self.expected = [], []
        self.converter = scap.Converter()
        self.tid, self.ts = FIRST_TID, box.EPOCH
        self.tids = []

    def thread(self):
        self.tid += 1
        self.tids.append(self.tid)
        return self.tid

    def add(self, t, params, tid=None, view=VIEW):
        self.ts += 1000
        ev = scap.Event(t.id, tid or self.thread(), self.ts, params)
        self.blocks.append(scap.event(ev))
        shown = self.converter.convert(ev)
        if shown and shown.type not in HIDDEN:
            self.expected.append((shown, view))
        return shown

    def write(self, path):
        box.write(path, self.tids, self.blocks)


def first_event(case):
    """One that is no part of the initial state, so that what follows is shown."""
    case.add(scap.BY_ENUM["STAT_X"], [unsigned(0, 8), b"/x\0"])


def nparams_of(t):
    """In which lengths the type was ever recorded."""
    lengths = {n for (i, n) in scap.CONVERTER if i == t.id}
    return sorted(lengths | {len(t.params)})


def whole_events(case, rng, rounds):
    """Events of all 454 types, with all their parameters, in all lengths that captures may have."""
    for t in scap.TYPES:
        for n in nparams_of(t):
            for how in ["empty"] + ["full"] * rounds + ["gaps"] * rounds:
                tid = case.thread()
                if t.id & 1:
                    enter = scap.TYPES[t.id - 1]
                    case.add(enter, parameters(rng, enter, how), tid)
                case.add(t, parameters(rng, t, how)[:n], tid)


def single_parameters(case):
    """Every value of every flag set in every parameter that has one, and what fits nowhere."""
    for t in scap.TYPES:
        if scap.fate(t.id, len(t.params)) != scap.PASS:
            continue
        for i, p in enumerate(t.params):
            if p.kind != "flags":
                continue
            width, table = scap.WIDTH[p.type], [v for _, v in scap.FLAG_SETS[p.info]]
            union = 0
            for v in table:
                union |= v
            top = 1 << (8 * width - 1)
            for v in table + [0, union, union | top, top, (1 << 8 * width) - 1]:
                params = [b""] * len(t.params)
                if i and t.id & 1 and changes_state(t):
                    params[0] = unsigned(-1, scap.WIDTH[t.params[0].type])
                params[i] = unsigned(v, width)
                case.add(t, params)


def every_errno(case):
    """Each error of each way to return one: evt.res and the parameter."""
    for name in ("CLOSE_X", "OPEN_X", "EVENTFD_X"):
        t = scap.BY_ENUM[name]
        for code in [*range(1, 140), *range(505, 535), 4095, 65536 + 2, 2**32 + 2]:
            case.add(t, [unsigned(-code, 8)] + [b""] * (len(t.params) - 1))


def long_paths(case):
    """Joined paths around the limit."""
    for text in LONG:
        case.add(scap.BY_ENUM["STAT_X"], [unsigned(0, 8), text + b"\0"])
        case.add(scap.BY_ENUM["UNLINKAT_2_X"], [unsigned(0, 8), unsigned(2, 8), text + b"\0", unsigned(0, 4)])


def created(case, name, params, num, shown, also=()):
    """A successful call, which is seen with the descriptors it has just made."""
    fds = dict(VIEW.fds)
    for n in (num,) + tuple(also):
        fds[n] = shown
    case.add(scap.BY_ENUM[name], params, view=VIEW._replace(fds=fds))


# Domain, type and protocol of new sockets, and what they are.
SOCKETS = [(1, 1, 0, ("u", "", "")), (2, 1, 6, ("4", "", "")), (2, 3, 1, ("4", "r", "")), (10, 2, 0, ("6", "", "")),
           (10, 3, 255, ("6", "r", "")), (16, 3, 0, ("n", "", "")), (17, 3, 0, ("o", "", ""))]


def successful_calls(case):
    """Calls that make descriptors show them in their own parameters."""
    i8, i4, i2, i1 = (lambda v, w=w: unsigned(v, w) for w in (8, 4, 2, 1))
    v4 = b"\x02\x0a\0\0\x09" + i2(5000) + b"\x0a\0\0\x05" + i2(80)
    created(case, "OPEN_X", [i8(50), b"rel/../x\0", i4(1), i4(0), i4(0xfd01), i8(9)], 50, ("f", "", CWD + "x"))
    created(case, "CREAT_X", [i8(50), b"x\0", i4(0o600), i4(1), i8(9), i2(1)], 50, ("f", "", CWD + "x"))
    created(case, "OPENAT_2_X", [i8(50), i8(2), b"x\0", i4(1 << 10), i4(0), i4(1), i8(9)], 50, ("d", "", "/tmp/dir/x"))
    created(case, "OPENAT_2_X", [i8(50), i8(16), b"x\0", i4(1), i4(0), i4(1), i8(9)], 50, ("f", "", "/x"))
    created(case, "OPENAT_2_X", [i8(50), i8(99), b"x\0", i4(1), i4(0), i4(1), i8(9)], 50, ("f", "", "<UNKNOWN>x"))
    created(case, "OPENAT2_X", [i8(50), i8(-100), b"x\0", i4(1), i4(0), i4(1), i4(1), i8(9)], 50, ("f", "", CWD + "x"))
    created(case, "OPEN_BY_HANDLE_AT_X", [i8(50), i8(2), i4(1), b"/h\0", i4(1), i8(9)], 50, ("f", "", "/h"))
    for domain, kind, proto, shown in SOCKETS:
        created(case, "SOCKET_X", [i8(50), i4(domain), i4(kind), i4(proto), i4(0)], 50, shown)
    created(case, "SOCKETPAIR_X", [i8(0), i8(50), i8(51), i8(1), i8(2), i4(1), i4(1), i4(0)], 50, ("u", "", ""), (51,))
    created(case, "BIND_X", [i8(0), b"\x02\x7f\0\0\x01" + i2(80), i8(3)], 3, ("4", "t", "127.0.0.1:80"))
    created(case, "BIND_X", [i8(0), b"\x01/b\0", i8(8)], 8, ("u", "", "/b"))
    created(case, "CONNECT_X", [i8(0), v4, i8(4), b""], 4, ("4", "u", "10.0.0.9:5000->10.0.0.5:80"))
    created(case, "ACCEPT_5_X", [i8(50), v4, i1(0), i4(0), i4(128)], 50, ("4", "t", "10.0.0.9:5000->10.0.0.5:80"))
    created(case, "ACCEPT4_6_X", [i8(50), v4, i1(0), i4(0), i4(128), i4(0)], 50, ("4", "t", "10.0.0.9:5000->10.0.0.5:80"))
    created(case, "PIPE_X", [i8(0), i8(50), i8(51), i8(77)], 50, ("p", "", ""), (51,))
    created(case, "PIPE2_X", [i8(0), i8(50), i8(51), i8(77), i4(0)], 50, ("p", "", ""), (51,))
    created(case, "DUP_1_X", [i8(50), i8(3)], 50, FDS[3][2])
    created(case, "DUP2_X", [i8(50), i8(7), i8(50)], 50, FDS[7][2])
    created(case, "DUP3_X", [i8(50), i8(2), i8(50), i4(0)], 50, FDS[2][2])
    created(case, "FCNTL_X", [i8(50), i8(21), i1(1), i8(50)], 50, FDS[21][2])
    created(case, "EVENTFD_X", [i8(50), i8(0), i4(0)], 50, ("e", "", ""))
    created(case, "EVENTFD2_X", [i8(50), i2(0), i8(0)], 50, ("e", "", ""))
    created(case, "SIGNALFD_X", [i8(50), i8(-1), i4(0), i1(0)], 50, ("s", "", ""))
    created(case, "SIGNALFD4_X", [i8(50), i2(0), i8(-1), i4(0)], 50, ("s", "", ""))
    created(case, "TIMERFD_CREATE_X", [i8(50), i1(1), i1(0)], 50, ("t", "", ""))
    created(case, "INOTIFY_INIT_X", [i8(50), i1(0)], 50, ("i", "", ""))
    created(case, "INOTIFY_INIT1_X", [i8(50), i2(0)], 50, ("i", "", ""))
    created(case, "MEMFD_CREATE_X", [i8(50), b"name\0", i4(0)], 50, ("m", "", "name"))
    created(case, "PIDFD_OPEN_X", [i8(50), i8(3200), i4(0)], 50, ("P", "", "/proc/3200"))
    created(case, "BPF_2_X", [i8(50), i4(5)], 50, ("b", "", ""))


def build(seed, rounds):
    rng, case = random.Random(seed), Case()
    first_event(case)
    successful_calls(case)
    every_errno(case)
    long_paths(case)
    single_parameters(case)
    whole_events(case, rng, rounds)
    return case


# --- what each field should be ---

NAMES = sorted({p.name for t in scap.TYPES for p in t.params})
RESULT = ["evt.args", "evt.info", "evt.type", "evt.res", "evt.rawres", "evt.failed", "evt.count.error"]


def wanted(ev, view):
    """(values in JSON, text) of all fields that depend on the event's parameters; absent ones are left out."""
    out, texts = {}, {}
    t = scap.TYPES[ev.type]
    out["evt.args"] = out["evt.info"] = render.args(ev, view)
    out["evt.type"] = render.event_name(ev)
    ret = render.return_value(ev)
    if ret is not None:
        out.update({"evt.res": render.result(ev, view), "evt.rawres": ret, "evt.failed": ret < 0, "evt.count.error": int(ret < 0)})
    for i in reversed(list(render.shown_params(ev))): # of equal names the first counts
        out["evt.arg[%d]" % i] = out["evt.arg." + t.params[i].name] = render.arg(ev, i, view)
        key = "evt.rawarg." + t.params[i].name
        out[key], texts[key] = render.raw(ev, i, view), render.raw_text(ev, i, view)
    return out, texts


def as_text(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def printable(text):
    return all(c >= " " and c != "\x7f" for c in text)


def compare_json(r, case, path, fields):
    fmt = "*" + "".join("%" + f for f in fields)
    status, out, err = check.run(["events", "-q", "--no-containers", "-f", "json", "-p", fmt, path], timeout=600)
    lines = out.split("\n")[:-1]
    r.equal((status, len(lines)), (0, len(case.expected)), "events shown as JSON (%s)" % err[-300:])
    bad = 0
    for line, (ev, view) in zip(lines, case.expected):
        got, (want, _) = json.loads(line), wanted(ev, view)
        diff = [f for f in fields if got.get(f) != want.get(f) or type(got.get(f)) is not type(want.get(f))]
        bad += bool(diff)
        if diff and bad <= 10:
            f = diff[0]
            r.equal(got.get(f), want.get(f), "%s of %s %s" % (f, scap.TYPES[ev.type].enum, [p[:40] for p in ev.params]))
    r.check(bad == 0, "%d of %d events are as expected in all %d fields, JSON" % (len(lines) - bad, len(lines), len(fields)))


def compare_text(r, case, path, fields):
    status, out, err = check.run(["events", "-q", "--no-containers", "-p", "*" + SEP.join("%" + f for f in fields), path], timeout=600)
    lines = out.split("\n")[:-1]
    r.equal((status, len(lines)), (0, len(case.expected)), "events shown as text (%s)" % err[-300:])
    bad = 0
    for line, (ev, view) in zip(lines, case.expected):
        got, (want, texts) = line.split(SEP), wanted(ev, view)
        want.update(texts)
        line_ok = len(got) == len(fields)
        for f, g in zip(fields, got) if line_ok else ():
            w = as_text(want[f]) if f in want else "<NA>"
            if printable(w) and g != w:
                line_ok = False
                if bad < 10:
                    r.equal(g, w, "%s of %s" % (f, scap.TYPES[ev.type].enum))
        bad += not line_ok
    r.check(bad == 0, "%d of %d events are as expected in all %d fields, text" % (len(lines) - bad, len(lines), len(fields)))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seed", type=int, default=20240501)
    ap.add_argument("--keep", help="write the capture there and leave it")
    opt = ap.parse_args()
    r = check.Results("parameters")
    if check.have_shared():
        for name in ("events", "event_params", "flags", "dynamic_params", "syscalls", "converter"):
            shared = os.path.join(check.SHARED, "spec")
            r.check(scap.rows(name + ".tsv") == scap.rows(name + ".tsv", shared), "the schema's %s are those of the format" % name)
    case = build(opt.seed, opt.rounds)
    types = {ev.type for ev, _ in case.expected}
    live = {t.id for t in scap.TYPES if scap.fate(t.id, len(t.params)) == scap.PASS} - HIDDEN
    r.equal(live - types, set(), "event types that no event was made of")
    fields = RESULT + ["evt.arg[%d]" % i for i in range(32)] + ["evt.arg." + n for n in NAMES] + ["evt.rawarg." + n for n in NAMES]
    with tempfile.TemporaryDirectory() as folder:
        path = opt.keep or os.path.join(folder, "params.scap")
        case.write(path)
        compare_json(r, case, path, fields)
        compare_text(r, case, path, fields)
    r.finish()


main()

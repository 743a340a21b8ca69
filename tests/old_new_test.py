#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What old captures recorded as an enter and an exit event gives the same field values as today's exit events.

usage: old_new_test.py [--keep FOLDER]

For each old form of each event (every row of the conversion table) the same activity is written twice: as the old
enter and exit event, and as the one event of today, its parameters chosen by name from the same values. Reads and file
events of the same thread, and of a child, follow, so that what the event did to the state is seen, too. All fields of
both captures are then compared.

After that, real captures of old recorders are rewritten: the converted exit events alone, without the enter events they
were made from. They, too, have the same fields in both forms.
"""
import argparse
import json
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import box  # noqa: E402
import check  # noqa: E402
import scap  # noqa: E402
from box import unsigned  # noqa: E402

FIRST_TID = 20000
STEP = 10 # between the thread ids of cases: a child takes the next

# Enter events that feed the state are counted though never shown.
NUMBERING = {"evt.num"}

# Parameters that an old form recorded under another name ...
OTHER_NAME = {("DUP_X", "oldfd"): "fd", ("BPF_X", "fd"): "res_or_fd"}
# ... or that it has under the same name but that mean something else or get lost, as the reference converts them.
NOT_THE_SAME = {
    ("BRK_1_X", "vm_size"): "enter:size",    # the new size of the break, shown as the size of the process
    ("EXECVEAT_X", "flags"): "",             # the enter event's are those of the call, the exit's of the file
    ("CONNECT_X/2", "addr"): "",             # the enter event is used up by the step that adds the descriptor
}
# The path of old executables comes from the enter event; today's recorders give it in a parameter of its own.
EXEPATH_ARGS = {"evt.args", "evt.info", "evt.arg.trusted_exepath", "evt.rawarg.trusted_exepath", "evt.arg[27]"}
CLONES = ("CLONE", "FORK", "VFORK")
DEFAULTED = {("SOCKET_X", "flags"), ("ACCEPT_X", "queuelen"), ("ACCEPT_X", "queuemax"), ("ACCEPT4_X", "queuelen"),
             ("ACCEPT4_X", "queuemax"), ("FCNTL_X", "arg"), ("SENDMMSG_X", "res"), ("RECVMMSG_X", "res"),
             ("SECCOMP_X", "flags")}

TUPLE = b"\x02\x0a\0\0\x09" + struct.pack("<H", 5000) + b"\x0a\0\0\x05" + struct.pack("<H", 80)
ADDRESS = TUPLE[:1] + TUPLE[7:]
BYTES = {"args": b"-a\0b c\0", "env": b"HOME=/h\0A=b\0", "cgroups": b"cpu=/x\0", "data": b"hello\0world", "tuple": TUPLE, "addr": ADDRESS,
         "exe": b"prog\0", "comm": b"prog\0", "filename": b"/opt/prog\0", "cwd": b"/home/ubuntu/\0", "json": b'{"container":{"id":"x"}}\0'}
EXEPATH = {"EXECVE_19_X": BYTES["filename"], "EXECVEAT_X": b"/tmp/dir\0"} # the latter: descriptor 2 itself
NUMBERS = {"fd": 3, "dirfd": 2, "olddirfd": 2, "newdirfd": -100, "olddir": 2, "newdir": 2, "linkdirfd": 2, "size": 100, "ptid": 1,
           "uid": 1000, "euid": 65534, "gid": 5, "egid": 1000, "flags": 1, "domain": 2, "type": 1, "proto": 6, "oldfd": 3,
           "fd1": 50, "fd2": 51, "in_fd": 3, "out_fd": 3, "resource": 7, "newcur": 77, "cur": 78, "nstype": 1 << 20, "reaper_tid": 1,
           "next": 3200, "pid_fd": 21, "target_fd": 3, "cmd": 1, "vtid": 7, "vpid": 7, "fdlimit": 1024}


class Activity:
    """One call of one thread: what each parameter's value was, by name."""

    def __init__(self, tid, types, failed):
        self.tid, self.failed, self.types = tid, failed, types

    def result(self, p, creates):
        if self.failed:
            return -2
        return self.tid + 1 if p.type == "PID" else 50 if creates else 0

    def value(self, p, first, creates):
        width = scap.WIDTH.get(p.type, 0)
        if p.type == "DYN":
            return b"\x00" + unsigned(self.result(p, creates), 8)
        if first and p.name in ("res", "fd") and width >= 4:
            return unsigned(self.result(p, creates), width)
        if p.name in ("tid", "pid") and p.type == "PID":
            return unsigned(self.tid, 8)
        if p.name in BYTES and not width:
            return BYTES[p.name]
        if p.name in NUMBERS and width:
            return unsigned(NUMBERS[p.name], width)
        if p.type in ("CHARBUF", "FSPATH", "FSRELPATH"):
            return b"sub/../" + p.name.encode() + b"\0"
        if p.type in ("SOCKADDR", "SOCKTUPLE"):
            return ADDRESS if p.type == "SOCKADDR" else TUPLE
        if p.type == "FDLIST":
            return struct.pack("<HqHqH", 2, 3, 1, 99, 4)
        if not width:
            return p.name.encode() + b"\0"
        return unsigned(7, width)


def creates_fd(t):
    return bool(t.flags & scap.EF_CREATES_FD) or t.enum.startswith(("BPF", "FCNTL", "DUP"))


def record(t, n, activity):
    return [activity.value(p, i == 0 and t.id & 1, creates_fd(t)) for i, p in enumerate(t.params[:n])]


def final_type(type_id, n):
    while scap.fate(type_id, n) == scap.CONVERT:
        row = scap.CONVERTER.get((type_id, n))
        if row is None or row["action"] in ("STORE", "PASS", "STORE_AND_PASS"):
            break
        type_id, n = int(row["result_id"]), int(row["nparams_out"])
    return scap.TYPES[type_id]


def as_today(old, n, enter_n, activity):
    """The parameters of the same activity in today's form, by name; None where the old form did not record it."""
    today = final_type(old.id, n)
    exit_params = {p.name: v for p, v in zip(old.params, record(old, n, activity))}
    enter = scap.TYPES[old.id - 1] if old.id & 1 else None
    enter_params = {p.name: v for p, v in zip(enter.params, record(enter, enter_n, activity))} if enter else {}
    out = []
    for p in today.params:
        width = scap.WIDTH.get(p.type, 1 << 16)
        name = OTHER_NAME.get((old.enum, p.name), p.name)
        other = NOT_THE_SAME.get((old.enum, p.name), NOT_THE_SAME.get(("%s/%d" % (old.enum, n), p.name)))
        if name in exit_params:
            value = exit_params[name]
        elif other is not None:
            value = enter_params[other[6:]] if other else b""
        elif name in enter_params:
            value = enter_params[name]
        elif (old.enum, p.name) in DEFAULTED:
            value = unsigned(0, width)
        else:
            value = b""
        out.append(value[:width])
    return today, out


class Pair:
    """The two captures of one list of activities."""

    def __init__(self):
        self.old, self.new, self.tids, self.labels = [], [], [], []
        self.ts = box.EPOCH
        self.tid = FIRST_TID
        self.both(scap.BY_ENUM["STAT_X"], 1, [unsigned(0, 8), b"/x\0"], None)

    def put(self, blocks, t, tid, params, ts):
        blocks.append(scap.event(scap.Event(t.id, tid, ts, params)))

    def both(self, t, tid, params, label):
        self.ts += 1000
        self.put(self.old, t, tid, params, self.ts)
        self.put(self.new, t, tid, params, self.ts)
        self.labels.append(label)

    def aftermath(self, tid, today, label):
        for num in (50, 51, 3, 2):
            params = [unsigned(3, 8), b"abc", unsigned(num, 8), unsigned(10, 4)]
            self.both(scap.BY_ENUM["READ_X"], tid, params, label + ", a read of %d after it" % num)
        params = [unsigned(60, 8), unsigned(-100, 8), b"here\0", unsigned(1, 4), unsigned(0, 4), b"", b""]
        self.both(scap.BY_ENUM["OPENAT_2_X"], tid, params, label + ", an open after it")
        if today.enum.startswith(CLONES):
            self.both(scap.BY_ENUM["STAT_X"], tid + 1, [unsigned(0, 8), b"rel\0"], label + ", its child")

    def add(self, old, n, enter_n, failed):
        """An old event with @n parameters, before it (if it is an exit) its enter event with @enter_n."""
        self.tid += STEP
        self.tids.append(self.tid)
        activity = Activity(self.tid, old, failed)
        label = "%s/%d after %d%s" % (old.enum, n, enter_n, ", failing" if failed else "")
        if old.id & 1:
            self.ts += 1000
            self.put(self.old, scap.TYPES[old.id - 1], self.tid, record(scap.TYPES[old.id - 1], enter_n, activity), self.ts)
        today, params = as_today(old, n, enter_n, activity)
        self.ts += 1000
        self.put(self.old, old, self.tid, record(old, n, activity), self.ts)
        if today.enum in EXEPATH and enter_n and not params[27]:
            params[27] = EXEPATH[today.enum]
            label += ", with its path"
        self.put(self.new, today, self.tid, params, self.ts)
        self.labels.append(label)
        self.aftermath(self.tid, today, label)


def enter_lengths(old):
    """In which lengths the enter event of an exit was recorded."""
    enter = scap.TYPES[old.id - 1]
    if not enter.flags & scap.EF_CONVERTER_MANAGED:
        return [len(enter.params)]
    return [n for (i, n) in scap.CONVERTER if i == enter.id]


def cases():
    """(type, recorded parameters, those of its enter event) of everything that becomes an event of today that is shown."""
    for (i, n), row in sorted(scap.CONVERTER.items()):
        t = scap.TYPES[i]
        if t.id & 1:
            for enter_n in enter_lengths(t):
                yield t, n, enter_n
        elif row["action"] == "CHANGE_TYPE" and final_type(i, n).id not in box.HIDDEN and t.enum != "CONTAINER_E":
            if scap.fate(final_type(i, n).id, len(final_type(i, n).params)) == scap.PASS:
                yield t, n, 0


def field_list():
    fields = []
    status, out, _ = check.run(["fields", "-f", "json", "--all"])
    assert status == 0
    for line in out.splitlines():
        row = json.loads(line)
        arg, name = row["arg"], row["name"]
        if row["filter_only"]:
            continue
        extra = {"[N]": ["[0]", "[1]"], "[N] or [NAME]": ["[HOME]"], "[NAME]": ["[HOME]"], ".src or .dst": [".src", ".dst"],
                 ".SUBSYSTEM": [".cpu"], "[KEY]": ["[a]"], "[N] or [REGEX]": ["[0]"]}.get(arg, [])
        if name == "evt.arg":
            extra = ["[%d]" % i for i in range(32)]
        if arg in ("", "[N]", "[N] or [NAME]", "[NAME]", ".src or .dst"):
            fields.append(name)
        fields += [name + e for e in extra]
    names = sorted({p.name for t in scap.TYPES for p in t.params})
    return fields + ["evt.arg." + n for n in names] + ["evt.rawarg." + n for n in names]


def events_of(path, fields, r):
    status, out, err = check.run(["events", "-q", "-f", "json", "-p", "*" + "".join("%" + f for f in fields), path], timeout=600)
    r.equal(status, 0, "reading %s: %s" % (os.path.basename(path), err[-300:]))
    return [json.loads(line) for line in out.split("\n")[:-1]]


# Enter events today's recorders write as well, and those of execs: only they know the path of old executables.
KEPT = {scap.BY_ENUM[name].id for name in ("EXECVE_19_E", "EXECVEAT_E")}
CAPTURES = ["cat_write", "connect_localhost", "curl_google", "curl_google_comments", "ping_sendto", "psp_run_as_user_0_container", "sample",
            "single_ipv6_conn"]


def exits_only(path):
    """A capture's blocks with its events converted to those of today; those that only fed a conversion are left out."""
    out, converter = [], scap.Converter()
    for kind, body, whole in scap.blocks_of(check.read_all(path)):
        if kind not in scap.EVENT_BLOCKS:
            out.append(whole)
            continue
        parsed = scap.parse_event(kind, body)
        shown = converter.convert(parsed[1]) if parsed else None
        if shown and (shown.type not in box.HIDDEN or shown.type in KEPT):
            out.append(scap.event(shown, parsed[0]))
    return out


def real_captures(r, fields, folder):
    for name in CAPTURES:
        path = check.corpus(name)
        again = os.path.join(folder, "today.scap")
        with open(again, "wb") as f:
            f.write(b"".join(exits_only(path)))
        old, new = (events_of(p, fields, r) for p in (path, again))
        r.equal(len(new), len(old), "%s: events shown" % name)
        bad = ["%s: old %r, new %r" % (f, a[f], b[f]) for a, b in zip(old, new) for f in fields if a[f] != b[f] and f not in NUMBERING]
        r.check(not bad, "%s: %d values differ" % (name, len(bad)), "\n".join("  " + line for line in bad[:6]))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--keep", help="write the captures there and leave them")
    opt = ap.parse_args()
    r = check.Results("old and new")
    pair = Pair()
    for t, n, enter_n in cases():
        pair.add(t, n, enter_n, False)
        if t.id & 1:
            pair.add(t, n, enter_n, True)
    fields = field_list()
    with tempfile.TemporaryDirectory() as folder:
        folder = opt.keep or folder
        paths = [os.path.join(folder, name + ".scap") for name in ("old", "new")]
        box.write(paths[0], pair.tids, pair.old)
        box.write(paths[1], pair.tids, pair.new)
        old, new = (events_of(p, fields, r) for p in paths)
    r.equal((len(old), len(new)), (len(pair.labels),) * 2, "events shown")
    for a, b, label in zip(old, new, pair.labels):
        skip = NUMBERING | (EXEPATH_ARGS if label and label.endswith("with its path") else set())
        diff = [f for f in fields if a[f] != b[f] and f not in skip]
        r.check(not diff, "%s: %d fields differ" % (label, len(diff)),
                "\n".join("  %s: old %r, new %r" % (f, a[f], b[f]) for f in diff[:6]))
    if check.have_shared():
        with tempfile.TemporaryDirectory() as folder:
            real_captures(r, fields, folder)
    else:
        r.skip("the shared captures of old recorders are not here")
    r.finish()


main()

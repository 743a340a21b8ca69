#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several captures as one: what alerts over the parts is what alerts over the whole, and the parts can be had again.

Files of one recording are cut out of a capture here, overlapping and not, with their lists as the recorder writes them.
"""
import collections
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("merge")
OWN = [os.path.join(check.ROOT, "tests", "captures", n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
STEP = 5000000
SHB = 0x0a0d0d0a
VIRTUAL = {"vtid", "vpid", "vtgid", "vpgid", "sid"}


def rules():
    if check.have_shared():
        names = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
        return [a for n in names for a in ("-r", os.path.join(check.SHARED, "peer-rules", n))]
    return ["-r", os.path.join(check.ROOT, "rules", "starter.yaml")]


def alerts(path, rule_args):
    """Rules and fields, without what times, numbers and ids of threads do."""
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", "all"] + rule_args + [path], timeout=600)
    r.check(status == 0, "replay of %s" % path, err[-500:])
    found = collections.Counter()
    for line in out.splitlines():
        a = json.loads(line)
        fields = {k: v for k, v in a["output_fields"].items() if "time" not in k and "num" not in k and "pid" not in k}
        found[a["rule"], a["priority"], json.dumps(fields, sort_keys=True)] += 1
    return found


def merge(args, want=0):
    status, _, err = check.run(["merge"] + args, timeout=600)
    r.check(status == want, "merge %s" % " ".join(args[-6:]), "  status %d\n%s" % (status, err[-1500:]))
    return err


def strict(path):
    status, out, _ = check.run(["info", "--strict", path])
    r.check(status == 0, "info --strict %s" % os.path.basename(path), out[-1500:])


def first_time(path):
    return int(check.run(["events", "-q", "-n", "1", "-p", "%evt.rawtime", path])[1].split()[0])


# --- two hosts ---

def current_events(path, folder):
    """The capture's events as a writer of today has them: (cpu, event) of each."""
    out = os.path.join(folder, "alone.scap")
    merge([path, "-o", out, "--force", "-q", "--no-seal"])
    events = []
    for kind, body, _ in scap.blocks_of(check.read_all(out)):
        parsed = scap.parse_event(kind, body) if kind in scap.EVENT_BLOCKS else None
        if parsed:
            events.append(parsed)
    return events


def unshifted(event, by, skew):
    """The event before ids and times were shifted, as the format's tables tell what an id is."""
    params = list(event.params)
    enum = scap.TYPES[event.type].enum
    for i, (value, p) in enumerate(zip(event.params, scap.TYPES[event.type].params)):
        is_id = p.type in ("PID", "PID32") and p.name not in VIRTUAL and not enum.startswith(("SETSID", "SETPGID"))
        is_id = is_id or (p.type == "INT64" and p.name == "pid")
        if is_id and len(value) in (4, 8):
            form = "<i" if len(value) == 4 else "<q"
            number = struct.unpack(form, value)[0]
            params[i] = struct.pack(form, number - by if number > 0 else number)
        elif p.type == "ABSTIME" and len(value) == 8 and struct.unpack("<Q", value)[0]:
            params[i] = struct.pack("<Q", struct.unpack("<Q", value)[0] - skew)
        elif p.name == "pidns_init_start_ts":
            params[i] = b""
    ts = event.ts - skew if event.ts not in (0, 0xffffffffffffffff) else event.ts
    return event._replace(tid=event.tid - by if event.tid > 0 else event.tid, ts=ts, params=params)


def split_again(path, first, second, skew):
    """The events of both hosts, by their ids; kernel threads of CPU 0 have no id that tells, they go by order."""
    events = [scap.parse_event(k, b) for k, b, _ in scap.blocks_of(check.read_all(path)) if k in scap.EVENT_BLOCKS]
    events = [e for e in events if e]
    shifted = [(c, unshifted(e, STEP, skew)) for c, e in events if e.tid > STEP]
    r.equal(len(events), len(first) + len(second), "%s: number of events" % os.path.basename(path))
    want = [(c, unshifted(e, 0, 0)) for c, e in second if e.tid > 0]
    r.check(shifted == want, "the second host's events are there, in order", "  %d of %d" % (len(shifted), len(want)))
    want = [(c, e) for c, e in first if e.tid > 0]
    r.check([(c, e) for c, e in events if 0 < e.tid <= STEP] == want, "the first host's events are there, in order")
    times = [e.ts for _, e in events if e.ts not in (0, 0xffffffffffffffff)]
    back = sum(a > b + 10**8 for a, b in zip(times, times[1:]))
    r.equal(back, 0, "events are in time order")


def two_hosts(folder, a, b, rule_args, parts):
    out = os.path.join(folder, "both.scap.zst")
    skew = first_time(a) - first_time(b) + 1000000
    err = merge([a, b, "--skew", "%s=%dns" % (os.path.basename(b), skew), "-o", out, "--force"])
    r.check("shifted by %d" % STEP in err and "readers will see one host" in err, "what was shifted is told", err)
    union, merged = parts[a] + parts[b], alerts(out, rule_args)
    r.check(merged == union, "%s and %s: alerts" % (os.path.basename(a), os.path.basename(b)),
            "  missing %r\n  extra %r" % (list((union - merged))[:2], list((merged - union))[:2]))
    if check.run(["info", "--strict", a])[0] == check.run(["info", "--strict", b])[0] == 0:
        strict(out)
    split_again(out, current_events(a, folder), current_events(b, folder), skew)
    lineage = json.loads(open(out + ".seal").read().splitlines()[-1])["lineage"]
    r.equal([s["ids_shifted_by"] for s in lineage["streams"]], [0, STEP], "lineage: shifts")
    r.equal(lineage["streams"][1]["inputs"][0].get("asserted_skew_ns"), skew, "lineage: skew")
    r.equal([p["name"] for p in lineage["parents"]], [os.path.basename(a), os.path.basename(b)], "lineage: parents")


# --- files of one recording ---

def cut(path, folder, pieces, name):
    """Files NAME.0001.scap, ... that hold events [from, to) each, with all the capture's lists."""
    blocks = list(scap.blocks_of(check.read_all(path)))
    head = b"".join(b for kind, _, b in blocks if kind not in scap.EVENT_BLOCKS)
    events = [b for kind, _, b in blocks if kind in scap.EVENT_BLOCKS]
    paths = []
    for i, (a, b) in enumerate(pieces, 1):
        paths.append(os.path.join(folder, "%s.%04d.scap" % (name, i)))
        with open(paths[-1], "wb") as f:
            f.write(head + b"".join(events[int(a * len(events)):int(b * len(events))]))
    return paths


def event_bytes(path):
    return [b for kind, _, b in scap.blocks_of(check.read_all(path)) if kind in scap.EVENT_BLOCKS]


def rotated(folder, path, rule_args, parts):
    whole = os.path.join(folder, "whole.scap")
    merge([path, "-o", whole, "--force", "-q"])
    for name, pieces in (("next", [(0, .3), (.3, .6), (.6, 1)]), ("over", [(0, .5), (.2, .8), (.7, 1)]),
                         ("same", [(0, 1), (0, 1), (.3, .6)])):
        files = cut(path, folder, pieces, name)
        out = os.path.join(folder, name + ".scap")
        for order in (files, files[::-1]):
            merge(order + ["-o", out, "--force"])
            r.check(event_bytes(out) == event_bytes(whole), "%s: the files' events are the recording's" % name)
            r.equal(sum(k == SHB for k, _, _ in scap.blocks_of(check.read_all(out))), 1, "%s: one section" % name)
            r.check(alerts(out, rule_args) == parts[path], "%s: its alerts, too" % name)
        strict(out)


def missing_file(folder, path):
    files = cut(path, folder, [(0, .3), (.3, .6), (.6, 1)], "hole")
    out = os.path.join(folder, "hole.scap")
    err = merge([files[0], files[2], "-o", out], want=5)
    r.check("1 file is missing between" in err, "a missing file is told", err)
    blocks = list(scap.blocks_of(check.read_all(out)))
    lost = [b for k, b, _ in blocks if k == 0x216 and struct.unpack_from("<H", b, 22)[0] == 60000]
    r.equal(len(lost), 1, "a missing file is a loss in the capture")
    r.equal(sum(k == SHB for k, _, _ in blocks), 2, "the state is that of the file behind it")
    strict(out)


# --- made here, so that all is known ---

T0 = 1700000000000000000
MS = 1000000


def stat(ms, tid, path=b"/x"):
    return scap.Event(scap.BY_ENUM["STAT_X"].id, tid, T0 + ms * MS, [bytes(8), path + b"\0"])


def clone(ms, tid, pidns_start):
    params = [b""] * 21
    params[0], params[20] = struct.pack("<q", 0), struct.pack("<Q", pidns_start)
    return scap.Event(scap.BY_ENUM["CLONE_20_X"].id, tid, T0 + ms * MS, params)


def meta(ms):
    return scap.Event(scap.BY_ENUM["CONTAINER_JSON_2_E"].id, -1, T0 + ms * MS, [b"{}\0"])


def put(folder, name, machine, events, lists=b""):
    path = os.path.join(folder, name + ".scap")
    with open(path, "wb") as f:
        f.write(scap.section() + machine + lists + b"".join(scap.event(e) for e in events))
    return path


def parsed(path):
    """(events, records of losses as (from, to, count)) in their order."""
    events, losses = [], []
    for kind, body, _ in scap.blocks_of(check.read_all(path)):
        if kind not in scap.EVENT_BLOCKS:
            continue
        event = scap.parse_event(kind, body)
        if event:
            events.append(event[1])
        else:
            count, begin, end = struct.unpack_from("<QQQ", body, 2 + 26 + 2 * 5)
            losses.append((begin, end, count))
    return events, losses


def entries(path, kind):
    """Entries of lists, without their lengths."""
    out = []
    for k, body, _ in scap.blocks_of(check.read_all(path)):
        while k == kind and len(body) >= 8:
            size = struct.unpack_from("<I", body)[0]
            out.append(body[4:size])
            body = body[size:]
    return out


def moved(event, host, boot=0):
    """As it is in the output, if it is of that host."""
    params = list(event.params)
    if event.type == scap.BY_ENUM["CLONE_20_X"].id:
        params[20] = struct.pack("<Q", struct.unpack("<Q", params[20])[0] + boot)
    return event._replace(tid=event.tid + host * STEP if event.tid > 0 else event.tid, params=params)


def three_hosts(folder):
    """One in files that overlap, one with a file missing, whose state is another behind it, one with a larger machine and other names."""
    boot = [T0 - 10**12, T0 - 2 * 10**12, T0 - 3 * 10**12]
    a = [stat(3 * i, 7 + i % 2, b"/a%d" % i) for i in range(100)]
    b = [stat(3 * i + 1, 7, b"/b%d" % i) for i in range(90)]
    c = [stat(3 * i + 2, 7, b"/c%d" % i) for i in range(20)] + [clone(62, 7, 5 * 10**12), meta(140)]
    c += [stat(3 * i + 2, 8, b"/c%d" % i) for i in range(21, 60)]
    lists = scap.users([(1000, 5, "u")], [(5, "g")]) + scap.threads([scap.thread_entry(7), scap.thread_entry(8, ptid=7)])
    other = scap.users([(1000, 5, "w"), (1001, 5, "x")], [(5, "g"), (1000, "h")]) + scap.threads([scap.thread_entry(7, ptid=8), scap.thread_entry(8, ptid=0)])
    files = [put(folder, "a.0001", scap.machine("a", boot_ts=boot[0]), a[:60], lists), put(folder, "a.0002", scap.machine("a", boot_ts=boot[0]), a[40:], lists),
             put(folder, "b.0001", scap.machine("b", boot_ts=boot[1]), b[:30], lists), put(folder, "b.0003", scap.machine("b", boot_ts=boot[1]), b[60:], lists),
             put(folder, "c", scap.machine("c", 8, 4194304, boot[2]), c, other)]
    out = os.path.join(folder, "three.scap")
    for order, join in (files, []), (files[::-1], []), (files, ["--join"]):
        err = merge(order + ["-o", out, "--force"] + join, want=5)
        behind = 1 if join else 3  # whose ids and lists the events behind the missing file have
        r.check("20 events that several inputs hold are there once" in err, "three hosts: duplicates", err)
        r.check("1 numbers of users or groups have several names" in err, "three hosts: names", err)
        events, losses = parsed(out)
        want = sorted([moved(e, 0) for e in a] + [moved(e, 1) for e in b[:30]] + [moved(e, behind) for e in b[60:]] +
                      [moved(e, 2, boot[2] - boot[0]) for e in c if e.tid > 0], key=lambda e: e.ts)
        want.insert([e.ts for e in want].index(T0 + 62 * MS) + 1, meta(140))
        r.check(events == want, "three hosts: events", "  %d of %d" % (len(events), len(want)))
        r.equal(losses, [(b[29].ts, b[60].ts, 0)], "three hosts: what is missing")
        ids = [struct.unpack_from("<QQQ", e) for e in entries(out, 0x215)]
        r.equal(ids, [(h * STEP + t, h * STEP + t, p and h * STEP + p) for h, t, p in
                      ((0, 7, 1), (0, 8, 7), (1, 7, 1), (1, 8, 7), (2, 7, 8), (2, 8, 0), (3, 7, 1), (3, 8, 7)) if h <= max(2, behind)],
                "three hosts: threads")
        r.equal(sorted((e[0], struct.unpack_from("<I", e, 1)[0]) for e in entries(out, 0x220)), [(0, 1000), (0, 1001), (1, 5), (1, 1000)],
                "three hosts: users and groups")
        head = struct.unpack_from("<IQQ128sQ", [b for k, b, _ in scap.blocks_of(check.read_all(out)) if k == 0x201][0])
        r.equal((head[0], head[2], head[3].rstrip(b"\0"), head[4]), (8, max(4194304 + 2 * STEP, 32768 + behind * STEP), b"a", boot[0]), "three hosts: machine")
        strict(out)


def one_host(folder):
    """Of which boot, whose clock, and what is the same event."""
    out = os.path.join(folder, "one.scap")
    a, b = [stat(i, 7, b"/%d" % i) for i in range(10)], [stat(10000 + i, 7, b"/%d" % i) for i in range(10)]
    for ns, woven in ((1000 * MS, False), (10000 * MS, True)):
        files = [put(folder, "first", scap.machine(boot_ts=T0 - 10**12), a), put(folder, "second", scap.machine(boot_ts=T0 - 10**12 + ns), b)]
        err = merge(files + ["-o", out, "--force"])
        r.equal("are shifted by" in err, woven, "started %d ms apart" % (ns // MS))
        r.check(parsed(out)[0] == a + [moved(e, woven) for e in b], "started %d ms apart: events" % (ns // MS))
        r.equal(sum(k == SHB for k, _, _ in scap.blocks_of(check.read_all(out))), 1 if woven else 2, "started %d ms apart: sections" % (ns // MS))
    files = [put(folder, "set.0001", scap.machine(), a), put(folder, "set.0002", scap.machine(), b)]
    merge(files + ["-o", out, "--force", "--join", "--skew", "set.0002.scap=5ms"])
    r.check(parsed(out)[0] == a + [e._replace(ts=e.ts + 5 * MS) for e in b], "the clock of one file")
    for names, options, sections in (("set.0001", "set.0002"), [], 2), (("early", "late"), ["--join"], 1), (("early", "late"), [], 2):
        files = [put(folder, name, scap.machine(), events) for name, events in zip(names, (a, b))]
        merge(files + ["-o", out, "--force"] + options)
        r.check(parsed(out)[0] == a + b, "ten seconds apart %s: events" % options)
        r.equal(sum(k == SHB for k, _, _ in scap.blocks_of(check.read_all(out))), sections, "ten seconds apart %s" % options)
    same = [stat(9, 7, b"/other"), a[9], stat(11, 7)]
    files = [put(folder, "set.0001", scap.machine(), a), put(folder, "set.0002", scap.machine(), same)]
    merge(files + ["-o", out, "--force"])
    r.check(parsed(out)[0] == a + same[2:], "events of one time and thread are told apart by their bytes")


def what_comes_with_it(folder, whole, other):
    """Interfaces of all hosts, each once; facts of a slice that lists have no room for."""
    out, alone, another = (os.path.join(folder, n + ".scap") for n in ("with", "alone", "another"))
    with open(another, "wb") as f:
        f.write(renamed(check.read_all(other), b"another"))
    other, lists = another, []
    for path in whole, other:
        merge([path, "-o", alone, "--force", "-q"])
        lists.append(b"".join(body for k, body, _ in scap.blocks_of(check.read_all(alone)) if k == 0x219))
    merge([whole, other, "-o", out, "--force", "-q"])
    got = b"".join(body for k, body, _ in scap.blocks_of(check.read_all(out)) if k == 0x219)
    for want in lists:
        left = want
        while len(left) >= 4:
            size = struct.unpack_from("<I", left)[0] + 4
            r.equal(got.count(left[:size]), 1, "an interface of %d bytes is there once" % size)
            left = left[size:]
    part = os.path.join(folder, "part.scap")
    status, _, err = check.run(["slice", whole, "--evt", "9000..9100", "-o", part, "--force"])
    r.check(status == 0, "slice", err)
    merge([other, part, "-o", out, "--force", "-q"])
    facts = [facts_of(p) for p in (part, out)]
    r.check(facts[0] and facts[0] == facts[1], "facts of a slice come along, shifted", "  %d, %d" % (len(facts[0]), len(facts[1])))


def facts_of(path):
    """(type, thread on its host) of each."""
    heads = [struct.unpack_from("<QqIH", body, 2) for k, body, _ in scap.blocks_of(check.read_all(path)) if k == 0x216]
    return [(kind, tid % STEP) for _, tid, _, kind in heads if kind in (60004, 60005)]


# --- the rest ---

def renamed(data, host):
    """A capture of one section, of another host."""
    at = data.index(struct.pack("<II", 0x201, 192)) + 28
    return data[:at] + host.ljust(128, b"\0") + data[at + 128:]


def many(folder, path):
    """Hundreds of hosts: copies of one capture with host names of their own."""
    data = bytearray(check.read_all(path))
    blocks = list(scap.blocks_of(bytes(data)))
    short = b"".join(b for k, _, b in blocks if k not in scap.EVENT_BLOCKS) + b"".join(
        [b for k, _, b in blocks if k in scap.EVENT_BLOCKS][:20])
    paths = []
    for i in range(300):
        paths.append(os.path.join(folder, "many-%03d.scap" % i))
        with open(paths[-1], "wb") as f:
            f.write(renamed(short, b"host-%03d" % i))
    out = os.path.join(folder, "many.scap.zst")
    merge(paths + ["-o", out, "-q"])
    status, text, _ = check.run(["events", "-q", "--count", out])
    r.equal(text.strip().split()[-1].replace(",", ""), str(300 * 20), "300 hosts: all events")
    strict(out)
    err = merge([paths[0]] * 430 + ["-o", out, "--force"], want=0)
    r.check("are there once" in err, "the same file again and again is there once", err)


def refusals(folder):
    a, b = OWN[0], OWN[1]
    copy = os.path.join(folder, "copy.scap")
    shutil.copy(a, copy)
    os.link(copy, os.path.join(folder, "link.scap"))
    for args, want, text in (
            ([a, b], 3, "--output is missing"), (["-o", os.path.join(folder, "x.scap")], 3, "no capture given"),
            ([a, "-o", copy], 4, "exists; --force replaces it"), ([copy, b, "-o", os.path.join(folder, "link.scap"), "--force"], 3, "is an input"),
            ([a, "-", "-o", os.path.join(folder, "x.scap")], 3, "inputs are read twice"),
            ([a, "-o", os.path.join(folder, "x.scap"), "--skew", "nobody=1s"], 3, "no input and no host"),
            ([a, "-o", os.path.join(folder, "x.scap"), "--skew", "=1s"], 3, "expected an input or host and a duration"),
            ([a, "-o", os.path.join(folder, "x.scap.gz"), "--level", "12"], 3, "at most 9"),
            ([a, os.path.join(folder, "none"), "-o", os.path.join(folder, "x.scap")], 4, "cannot open"),
            ([a, "-o", folder], 4, "is no file")):
        status, _, err = check.run(["merge"] + args)
        r.check(status == want and text in err, "refused: %s" % text, "  status %d\n%s" % (status, err))
        r.check(not os.path.exists(os.path.join(folder, "x.scap")), "%s: nothing is left" % text)
    with open(copy, "rb") as f:
        r.check(f.read() == open(a, "rb").read(), "an input is never written to")


def damaged(folder):
    data = open(OWN[0], "rb").read()
    path, out = os.path.join(folder, "cut.scap"), os.path.join(folder, "from-cut.scap")
    with open(path, "wb") as f:
        f.write(data[:-10])
    err = merge([path, "-o", out], want=5)
    r.check("truncated" in err and os.path.exists(out), "a damaged input is told, and what is whole is there", err)


def to_stdout():
    p = subprocess.run([check.scapula_path(), "merge", "-q", OWN[1], "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    r.check(p.returncode == 0 and p.stdout[:4] == b"\x0a\x0d\x0d\x0a", "to standard output", p.stderr.decode())


def comments(folder):
    a, out = os.path.join(folder, "comments.scap"), os.path.join(folder, "kept.scap")
    status, _, err = check.run(["convert", OWN[1], "-o", a, "--comment", "from the lab", "--bookmark", "evt:12=look here",
                                "--bookmark", "2026-11-22T03:02:21.5Z=and then"])
    r.check(status == 0 and "sysdig refuses" in err, "comments are written", err)
    want = ["from the lab", "scapula:bookmark evt=12 look here", "scapula:bookmark time=2026-11-22T03:02:21.500000000Z and then"]
    r.equal(json.loads(check.run(["info", "-f", "json", a])[1])["comments"], want, "info shows comments")
    r.check(all(t in check.run(["info", a])[1] for t in want), "in text, too")
    strict(a)
    r.check(check.read_all(a)[-1000:] == check.read_all(OWN[1])[-1000:], "what follows is as it was")
    status, _, err = check.run(["convert", a, "-o", out, "--comment", "again"])
    r.equal(json.loads(check.run(["info", "-f", "json", out])[1])["comments"], want + ["again"], "convert adds to them")
    err = merge([a, "-o", out, "--force"])
    r.check("comments of section headers are left out" in err, "that they are left out is told", err)
    r.equal(json.loads(check.run(["info", "-f", "json", out])[1])["comments"], [], "merge leaves them out")
    merge([a, "-o", out, "--force", "--comments"])
    r.equal(json.loads(check.run(["info", "-f", "json", out])[1])["comments"], want, "merge --comments keeps them")
    strict(out)
    two = os.path.join(folder, "two.scap")
    with open(two, "wb") as f:
        f.write(check.read_all(OWN[1]) * 2)
    status, _, err = check.run(["convert", two, "-o", out, "--force", "--comment", "once"])
    r.equal(json.loads(check.run(["info", "-f", "json", out])[1])["comments"], ["once"], "a comment is for the first section")
    for bad in ("12=x", "evt:0=x", "+5s=x", "evt:3"):
        r.equal(check.run(["convert", OWN[1], "-o", out, "--force", "--bookmark", bad])[0], 3, "--bookmark %s" % bad)


def for_sysdig(folder):
    """Old captures: Debian's sysdig opens what was merged, and shows the events of all."""
    if not check.have_shared() or not shutil.which("sysdig"):
        r.skip("sysdig, or the old captures, are not here")
        return
    names = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"]
    for a, b in itertools.combinations(names, 2):
        out = os.path.join(folder, "old.scap")
        merge([check.corpus(a), check.corpus(b), "-o", out, "--force", "-q", "--no-seal"])
        strict(out)
        p = subprocess.run(["sysdig", "-r", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        r.check(p.returncode == 0 and p.stdout.count(b"\n") > 2, "sysdig opens %s and %s" % (a, b), p.stderr.decode()[-300:])


def main():
    captures = OWN
    if check.have_shared():
        captures = OWN[2:] + [check.corpus(n) for n in ("intrusion", "container", "persist", "network", "build")]
    rule_args = rules()
    parts = {c: alerts(c, rule_args) for c in captures}
    with tempfile.TemporaryDirectory() as folder:
        for a, b in zip(captures, captures[1:] + captures[:1]):
            two_hosts(folder, a, b, rule_args, parts)
        rotated(folder, OWN[0], rule_args, {OWN[0]: alerts(OWN[0], rule_args)})
        missing_file(folder, OWN[0])
        three_hosts(folder)
        one_host(folder)
        what_comes_with_it(folder, OWN[0], OWN[1])
        many(folder, OWN[1])
        refusals(folder)
        damaged(folder)
        to_stdout()
        comments(folder)
        for_sysdig(folder)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever the number of threads, a replay gives the same: alerts, messages, status, case and statistics.

Every container, small chunks, damage, sections, windows, several captures; rules that remember; alerts on each event.
"""
import gzip
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("parallel replay")
JOBS = (1, 2, 3, 8)
OWN = os.path.join(check.ROOT, "tests", "captures")
MEMBER = 30000  # bytes of a gzip member or zstd frame
EFFORT = re.compile(r"^(Events: .* wall, |Peak memory: ).*\n", re.M)  # what a run costs is no result
STORM = """
- rule: each
  desc: fires on each event
  condition: evt.num > 0
  output: "%evt.num %evt.type %proc.name %proc.pid %proc.cmdline %fd.name %proc.aname[1] %user.name %container.id"
  priority: INFO
"""
REMEMBERS = """
- rule: counts
  desc: its condition and its output depend on the events they were evaluated for before
  condition: evt.type = openat and evt.deltatime < 1000000
  output: "%evt.num %evt.count %evt.deltatime"
  priority: INFO
"""


def containers(folder, path):
    """The capture at @path plain, and compressed in pieces and in one."""
    data = check.read_all(path)
    pieces = [data[i:i + MEMBER] for i in range(0, len(data), MEMBER)]
    out = {"plain.scap": data, "many.scap.gz": b"".join(gzip.compress(p, 1) for p in pieces), "one.scap.gz": gzip.compress(data, 1)}
    if shutil.which("zstd"):
        def zstd(p):
            return subprocess.run(["zstd", "-qc1"], input=p, stdout=subprocess.PIPE, check=True).stdout
        out["many.scap.zst"] = b"".join(zstd(p) for p in pieces)
        out["one.scap.zst"] = zstd(data)
    for name, contents in out.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(contents)
    return [os.path.join(folder, name) for name in out]


def dump(case):
    """All rows, without when and how the program was called."""
    db = sqlite3.connect(case)
    lines = [line for line in db.iterdump() if not line.startswith('INSERT INTO "meta"')]
    runs = [line for line in lines if line.startswith('INSERT INTO "runs"')]
    status = db.execute("select matching, state, exit_status from runs").fetchall()
    db.close()
    return [line for line in lines if line not in runs], status


def outcome(folder, jobs, args, stdin=None, db=True):
    case = os.path.join(folder, "case.db")
    for name in os.listdir(folder):
        if name.startswith("case.db"):
            os.unlink(os.path.join(folder, name))
    status, out, err = check.run(["replay", "--stats", "-j", str(jobs)] + (["--db", case] if db else []) + args, stdin=stdin)
    return status, out, EFFORT.sub("", err), dump(case) if db else None


def difference(got, want):
    for what, g, w in zip(("status", "stdout", "stderr", "case"), got, want):
        if g == w:
            continue
        if what == "status":
            return "  status %d, want %d" % (g, w)
        if what == "case":
            g, w = g[0] + [str(g[1])], w[0] + [str(w[1])]
        else:
            g, w = g.splitlines(), w.splitlines()
        lost, more = [x for x in w if x not in set(g)], [x for x in g if x not in set(w)]
        return "  %s: %d lines, want %d\n  missing: %s\n  wrong: %s" % (what, len(g), len(w), lost[:3], more[:3])
    return ""


def index(path, every):
    status, _, err = check.run(["index", "-q", "--every", str(every), path])
    return r.check(status in (0, 5), "index of %s" % os.path.basename(path), err)


def same(folder, what, args, jobs=JOBS, stdin=None, db=True):
    want = outcome(folder, jobs[0], args, stdin, db)
    for j in jobs[1:]:
        got = outcome(folder, j, args, stdin, db)
        r.check(got == want, "%s, -j %d" % (what, j), difference(got, want))
    return want


def is_parallel(path, args):
    """Else the comparisons would prove nothing."""
    _, _, err = check.run(["replay", "-v", "-j", "2"] + args + [path])
    return "one thread" not in err


def rule_sets(folder):
    sets = {"starter": ["-r", os.path.join(check.ROOT, "rules", "starter.yaml")]}
    for name, text in (("storm", STORM), ("remembers", REMEMBERS)):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w") as f:
            f.write(text)
        sets[name] = ["-r", path]
    if check.have_shared():
        peers = [os.path.join(check.SHARED, "peer-rules", n)
                 for n in ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")]
        sets["stable"] = ["-r", peers[0]]
        sets["all"] = [a for p in peers for a in ("-r", p)] + ["--matching", "all"]
        sets["coverage"] = ["-r", os.path.join(check.SHARED, "golden", "coverage-rules.yaml"), "--matching", "all"]
    return sets


def captures():
    names = [os.path.join(OWN, n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
    if check.have_shared():
        names += [check.corpus(n) for n in ("sample", "curl_google", "psp_run_as_user_0_container", "container", "persist", "build")]
    return names


def every_container(folder, sets):
    """Each capture, container and set of rules, though not each with each."""
    rng = random.Random(7)
    turn = 0
    for path in captures():
        name = os.path.basename(path).split(".")[0]
        for copy in containers(folder, path):
            rules = [s for s in sets if s != "remembers"][turn % (len(sets) - 1)]
            turn += 1
            if index(copy, rng.choice((100, 317, 1000))):
                same(folder, "%s %s %s" % (name, os.path.basename(copy), rules),
                     sets[rules] + ["-f", rng.choice(("text", "json")), copy], (1, rng.choice(JOBS[1:])))
    r.check(is_parallel(os.path.join(folder, "plain.scap"), sets["storm"]), "several threads take part")


def lying_index(folder, sets):
    """An index that belongs to the capture by all that can be seen, and leads elsewhere."""
    path = os.path.join(folder, "lying.scap")
    data = check.read_all(check.DEMO)
    a, b = len(data) // 4, len(data) // 2
    with open(path, "wb") as f:
        f.write(data[:a] + data[a:b].replace(b"/usr/bin/", b"/usr/bon/") + data[b:])
    stamp = os.stat(path)
    index(path, 300)
    with open(path, "wb") as f:
        f.write(data)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    want = check.run(["replay", "-q"] + sets["storm"] + [path])
    got = check.run(["replay", "-j", "2"] + sets["storm"] + [path])
    r.check("cannot be used" in got[2], "an index that lies is found out", got[2])
    r.equal((got[0], got[1]), (want[0], want[1]), "an index that lies")


def damage(folder, sets):
    rng = random.Random(11)
    for copy in containers(folder, check.DEMO):
        data = bytearray(check_bytes(copy))
        for _ in range(12):
            at = rng.randrange(len(data))
            data[at] ^= 1 << rng.randrange(8)
        for kind, contents in (("flipped", bytes(data)), ("cut", check_bytes(copy)[:len(data) * 2 // 3])):
            path = os.path.join(folder, "%s-%s" % (kind, os.path.basename(copy)))
            with open(path, "wb") as f:
                f.write(contents)
            status, _, _ = check.run(["index", "-q", "--every", "200", path])
            if status == 5:
                same(folder, os.path.basename(path), sets["starter"] + ["--fail-on", "gaps", path])


def check_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def sections(folder, sets):
    path = os.path.join(folder, "sections.scap")
    with open(path, "wb") as f:
        for name in ("network", "intrusion", "sessions", "network"):
            f.write(check_bytes(os.path.join(OWN, name + ".scap")))
    index(path, 250)
    for rules in ("starter", "storm"):
        same(folder, "several sections, %s" % rules, sets[rules] + [path])


def without_lists(data):
    keep, at, out = (0x0a0d0d0a, 0x201, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222), 0, []
    while at < len(data):
        kind, total = struct.unpack_from("<II", data, at)
        if kind in keep:
            out.append(data[at:at + total])
        at += total
    return b"".join(out)


def unknown_processes(folder, sets):
    """Without a process list most processes are numbers only, which are stored when an alert is about them."""
    if not check.have_shared():
        r.skip("no capture of processes known by their numbers only")
        return
    for name in ("sample", "psp_run_as_user_0_container"):
        path = os.path.join(folder, "unknown.scap")
        with open(path, "wb") as f:
            f.write(without_lists(check.read_all(check.corpus(name))))
        index(path, 100)
        want = same(folder, "%s, processes known by their numbers only" % name, sets["storm"] + [path])
        rows = [line for line in want[3][0] if "'placeholder'" in line]
        r.check(len(rows) > 5, "there are processes known by their numbers only", "%d rows" % len(rows))


def windows(folder, sets):
    rng = random.Random(3)
    path = os.path.join(folder, "window.scap")
    shutil.copy(check.DEMO, path)
    index(path, 150)
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    for _ in range(4):
        a, b = sorted(rng.choice(times) for _ in range(2))
        options = rng.choice((["--from", "@%d.%09d" % divmod(a, 10**9)], ["--to", "@%d.%09d" % divmod(b, 10**9)],
                              ["--from", "+%dns" % (a - times[0]), "--to", "+%dns" % (b - times[0])]))
        for db in (True, False):
            same(folder, "%s%s" % (" ".join(options), ", with a case" if db else ""), sets["storm"] + options + [path], (1, 3), db=db)
    same(folder, "a window before everything", sets["storm"] + ["--to", "@1", path], db=False)
    same(folder, "a window behind everything", sets["storm"] + ["--from", "@%d" % (times[-1] // 10**9 + 10), path], db=False)


def others(folder, sets):
    path = os.path.join(folder, "others.scap")
    shutil.copy(check.DEMO, path)
    index(path, 100)
    second = os.path.join(folder, "second.scap")
    shutil.copy(os.path.join(OWN, "sessions.scap"), second)
    network = os.path.join(folder, "network.scap")
    shutil.copy(os.path.join(OWN, "network.scap"), network)
    index(network, 120)
    same(folder, "several captures, one without index, one that is none", sets["starter"] + [path, second, os.path.join(folder, "storm.yaml"), network])
    same(folder, "a filter", sets["storm"] + ["-F", "evt.type in (openat, execve)", path])
    same(folder, "findings", sets["starter"] + ["--fail-on", "alerts", path])
    same(folder, "a memory limit", sets["starter"] + ["--mem-limit", "2M", path])
    with open(path, "rb") as f:
        same(folder, "standard input", sets["starter"] + ["-"], stdin=f.read())
    want = same(folder, "rules that remember", sets["remembers"] + [path])
    r.check(want[1].count("\n") > 10, "rules that remember have something to remember", want[1])
    r.check(not is_parallel(path, sets["remembers"]), "rules that remember need one thread")
    want = check.run(["replay", "-q"] + sets["storm"] + [path])
    for n in (200, 20000, 60000):
        with open(path + ".scapidx", "r+b") as f:
            f.seek(n)
            old = f.read(1)
            f.seek(n)
            f.write(bytes([old[0] ^ 0x55]))
        got = check.run(["replay", "-q", "-j", "2"] + sets["storm"] + [path])
        r.equal((got[0], got[1]), (want[0], want[1]), "a damaged index")


def interrupted(folder, sets):
    """What was found before the end is complete and in order."""
    path = os.path.join(folder, "long.scap")
    data = check_bytes(check.DEMO)
    with open(path, "wb") as f:
        for _ in range(12):
            f.write(data)
    index(path, 500)
    whole = check.run(["replay", "-q", "-j", "2"] + sets["storm"] + [path])[1]
    case = os.path.join(folder, "stopped.db")
    # It waits for its reader, so the signal comes before the end.
    p = check.popen([check.scapula_path(), "replay", "-j", "2", "--db", case] + sets["storm"] + [path], stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, env=dict(os.environ, TZ="UTC"))
    part = p.stdout.read(200000)
    p.send_signal(signal.SIGINT)
    part = (part + p.stdout.read()).decode()
    err, status = p.stderr.read().decode(), p.wait()
    r.check(status == 130 and "interrupted" in err, "an interrupted replay says so", "status %d: %s" % (status, err))
    r.check(whole.startswith(part) and part.endswith("\n") and len(part) < len(whole), "an interrupted replay gives a beginning")
    stored = sqlite3.connect(case).execute("select count(*) from alerts").fetchone()[0]
    r.equal(stored, part.count("\n"), "its case has the same alerts")


def full_output(folder, sets):
    path = os.path.join(folder, "others.scap")
    with open("/dev/full", "wb") as full:
        p = subprocess.run([check.scapula_path(), "replay", "-q", "-j", "3"] + sets["storm"] + [path], stdout=full, stderr=subprocess.PIPE)
    r.check(p.returncode == 4 and p.stderr.count(b"cannot write") == 1, "an output that fails ends the replay", p.stderr.decode())


def main():
    with tempfile.TemporaryDirectory() as folder:
        sets = rule_sets(folder)
        others(folder, sets)
        full_output(folder, sets)
        sections(folder, sets)
        unknown_processes(folder, sets)
        windows(folder, sets)
        interrupted(folder, sets)
        lying_index(folder, sets)
        damage(folder, sets)
        every_container(folder, sets)
    r.finish()


main()

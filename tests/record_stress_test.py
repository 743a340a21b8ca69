#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings of hosts that are unusually full: many short processes, threads, descriptors and namespaces.

usage: record_stress_test.py [--full] [--only LOAD[+LOAD...],...] [--verbose]

Each load (capture/tests/stress_load.c) runs twice: it is there when the recorder starts, which then finds it in the first
state, and it comes while the recorder runs. Both must show the same afterwards: nothing is missing that no loss record
tells of, and the recorder stays small. Without --full the loads have a quarter of their size,
and all but the forks come together. Needs what `scapula record
--check` asks for, else it skips with a message.
"""
import argparse
import collections
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

WAIT = 60  # seconds until something that should happen is given up
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
REFUSED = 77  # of a load: not on this kernel
PARALLEL = 64  # of the short processes
MANY_CALLS = 600  # of a process: faster than a small ring is emptied
PORT = 20000  # of the first network namespace
BEFORE, LATER = "there before", "comes later"
FD_LIST = 0x218  # a block of a capture
GAPS = 5  # status of a reader: something is missing
SCAN_NS = 500_000_000  # from the first event until all processes have been read
SMALL_RING = "64K"

# What the recorder may need: two rings of 8 MB for each CPU, 256 MB of events that wait, and the first state.
PEAK_BYTES = (384 + 16 * os.cpu_count()) << 20
PEAK_BYTES_SANITIZED = 2 * PEAK_BYTES  # shadow, red zones and a quarantine of 16 MB
SANITIZER = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=1:quarantine_size_mb=16"}

r = check.Results("recordings under stress")
figures = []


def helper():
    """The program that makes the loads: built with the tests, which a release build lacks."""
    near = os.path.join(os.path.dirname(os.path.abspath(check.scapula_path())), "tests", "stress_load")
    for path in (os.environ.get("STRESS_LOAD"), near, os.path.join(check.ROOT, "build", "dev", "tests", "stress_load")):
        if path and os.access(path, os.X_OK):
            return path
    return None


def sanitized():
    with open(check.scapula_path(), "rb") as f:
        return b"__asan_init" in f.read()


def wait_for(what, condition):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return r.check(False, what, "  not within %d s" % WAIT)


class Recorder:
    """A recorder of the whole host, or of @command."""

    def __init__(self, path, options=(), command=()):
        self.stats, self.errors, self.rss = path + ".stats", path + ".err", path + ".rss"
        args = [helper(), "peak", self.rss, check.scapula_path(), "record", "-o", path, "--stats", self.stats] + list(options) + (["--"] + command if command else [])
        with open(self.errors, "wb") as err:
            self.process = check.popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env=dict(os.environ, **SANITIZER),
                                            start_new_session=True)

    def has_begun(self):
        return os.path.exists(self.stats) and os.path.getsize(self.stats) > 0

    def begin(self):
        wait_for("the recording begins", lambda: self.has_begun() or self.process.poll() is not None)
        return self

    def end(self, what, limit):
        """Waits for its end and judges it. Return: what it wrote to standard output."""
        out = self.process.stdout.read()
        status = self.process.wait(timeout=WAIT)
        with open(self.errors, errors="replace") as f:
            err = f.read()
        clean = not any(word in err for word in ("runtime error", "AddressSanitizer", "LeakSanitizer"))
        r.check(status == 0 and clean, what + ": the recorder ended cleanly", "  status %d: %s" % (status, err[-1500:]))
        self.peak = 0
        if os.path.exists(self.rss):
            with open(self.rss) as f:
                self.peak = int(f.read()) << 10
        r.check(0 < self.peak < limit, "%s: memory of the recorder: %d MB, at most %d" % (what, self.peak >> 20, limit >> 20))
        return out

    def stop(self, what, limit):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.end(what, limit)


class Load:
    def __init__(self, args):
        self.process = check.popen([helper()] + [str(a) for a in args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.process.pid

    def ready(self):
        """What it made; None if the kernel does not allow it."""
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        status, err = self.process.wait(), self.process.stderr.read().decode()
        if status == REFUSED:
            r.skip("not allowed here: " + err.strip())
        else:
            r.check(False, "the load", "  status %d: %s" % (status, err))
        return None

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        r.equal(self.process.wait(timeout=WAIT), 0, "status of the load")
        self.process.stdout.close()
        self.process.stderr.close()


# --- reading a capture ---

def read(args, what):
    status, out, err = check.run(args, timeout=300)
    # Readers tell of losses by their status; whether there may be some is for the tests below.
    r.check((status == 0 or (status == GAPS and "damage" not in err)) and "runtime error" not in err, what, "  status %d: %s" % (status, err[-800:]))
    return out


def rows(command, path, when, *more):
    out = read([command, "-q", "-f", "json", "--no-containers", "--at", when] + list(more) + [path], "%s --at %s" % (command, when))
    return [json.loads(line) for line in out.splitlines()]


def events(path, condition, fields):
    out = read(["events", "-q", "--no-containers", "-F", condition, "-p", "*" + " ".join("%" + f for f in fields), path], "events")
    return [line.split(" ") for line in out.splitlines()]


def judge(path, what):
    """What holds for every capture. Return: the report of info."""
    status, out, err = check.run(["info", "--strict", "-f", "json", path], timeout=300)
    report = json.loads(out) if out else {"by_rule": {"no report": err}, "findings": []}
    r.check(status == 0 and not report["by_rule"], "%s: info --strict" % what, "  status %d: %s %s" % (status, report["by_rule"], report["findings"][:3]))
    read(["replay", "-q", "-r", RULES, path], what + ": replay")
    tree = read(["tree", "-q", path], what + ": tree")
    r.check("scapula" in tree or len(tree.splitlines()) > 3, what + ": tree shows processes", tree[:500])
    return json.loads(read(["info", "-f", "json", path], what + ": info"))


def lost(info, *types):
    by_type = info["losses"]["by_type"]
    return sum(by_type.get(t, 0) for t in types) + info["losses"]["of_other_types"]


def complete(info, what, got, made, *types):
    """The host may have lost events of others: then, what is missing is at most what was lost."""
    gone = lost(info, *types)
    r.check(made - gone <= got <= made, "%s: %d of %d, %d lost" % (what, got, made, gone))


# --- what the loads left in a capture ---

LIFE = ("clone", "clone3", "fork", "vfork")


def family(path, parent):
    """The events of @parent's children, by what they are: how often each process has one."""
    found = {kind: collections.Counter() for kind in ("parent", "child", "execve", "procexit", "getuid")}
    condition = "evt.type in (%s, execve, procexit, getuid)" % ", ".join(LIFE)
    for kind, result, tid, ppid in events(path, condition, ("evt.type", "evt.rawres", "thread.tid", "proc.ppid")):
        if kind in LIFE and int(tid) == parent and int(result) > 0:
            found["parent"][int(result)] += 1
        elif ppid == str(parent) and kind in LIFE:
            found["child"][int(tid)] += result == "0"
        elif ppid == str(parent) and (kind != "execve" or result == "0"):
            found[kind][int(tid)] += 1
    return found


def forks_new(path, info, made, _, what):
    seen = family(path, made["pid"])
    for kind, count in (("parent", made["forks"]), ("child", made["forks"]), ("execve", made["execs"]), ("procexit", made["forks"]),
                        ("getuid", made["getuids"])):
        types = LIFE if kind in ("parent", "child") else (kind,)
        complete(info, "%s: %s" % (what, kind), sum(seen[kind].values()), count, *types)
    if not lost(info, *LIFE, "procexit"):
        r.check(seen["parent"] == seen["child"] == seen["procexit"], what + ": each process has its parent, its start and its end")


def forks_old(path, info, made, _, what):
    """Processes that were there have an end; those that came have a start and an end."""
    seen = family(path, made["pid"])
    there = {p["pid"] for p in rows("tree", path, "evt:1", "--dead", "--pid", str(made["pid"])) if p["ppid"] == made["pid"]}
    r.check(0 < len(seen["child"]) <= made["forks"], "%s: the recording began in the midst of it: %d processes" % (what, len(seen["child"])))
    if lost(info, *LIFE, "procexit"):
        return
    came, ended = set(seen["child"]), set(seen["procexit"])
    r.check(came <= ended, what + ": who came has ended", repr(sorted(came - ended)[:10]))
    r.check(there <= ended, what + ": who was there has ended", repr(sorted(there - ended)[:10]))
    # Who began before the first event and ended before the first state was read is in neither.
    first = int(events(path, "evt.num = 1", ("evt.rawtime",))[0][0])
    ends = {int(tid): int(ns) - first for ns, tid in events(path, "evt.type = procexit", ("evt.rawtime", "thread.tid"))}
    late = {pid for pid in ended - came - there if ends[pid] > SCAN_NS or pid in seen["parent"]}
    r.check(not late, what + ": who ended was there or came", repr(sorted(late)[:10]))
    r.check(set(seen["execve"]) <= ended, what + ": who executed has ended")


def threads(path, info, made, when, what):
    found = [p for p in rows("tree", path, when, "--threads", "--pid", str(made["pid"])) if p["pid"] == made["pid"] and p["alive"]]
    r.equal(len({p["tid"] for p in found}), made["threads"] + 1, what + ": threads")
    seen = events(path, "proc.pid = %d and evt.type = procexit" % made["pid"], ("thread.tid",))
    complete(info, what + ": their ends", len(seen), made["threads"] + 1, "procexit")


def threads_new(path, info, made, when, what):
    threads(path, info, made, when, what)
    seen = events(path, "proc.pid = %d and evt.type in (%s)" % (made["pid"], ", ".join(LIFE)), ("evt.rawres", "thread.tid"))
    begun = sum(res == "0" and tid != str(made["pid"]) for res, tid in seen)
    complete(info, what + ": their starts", begun, made["threads"], *LIFE)
    complete(info, what + ": the calls that started them", sum(int(res) > 0 for res, _ in seen), made["threads"], *LIFE)


def fds_in_first_state(path):
    """Of each process, how many descriptors above standard error: read from the blocks, because a reader's state stops at 4096."""
    data, at, found = check.read_all(path), 0, collections.Counter()
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == FD_LIST:
            (pid,) = struct.unpack_from("<Q", data, at + 8)
            p = at + 16
            while p < at + size - 8:
                length, fd = struct.unpack_from("<Iq", data, p)
                found[pid] += fd > 2
                p += length
        at += size
    return found


def fds_wanted(made, what):
    want = {pid: min(made["each"], made["fds"] - i * made["each"]) for i, pid in enumerate(made["pids"])}
    if len(want) > 1:
        figures.append("%s: RLIMIT_NOFILE cannot be raised above %d here: %d processes share %d descriptors" % (
            what, resource.getrlimit(resource.RLIMIT_NOFILE)[1], len(want), made["fds"]))
    return want


def fds_old(path, _, made, when, what):
    found = fds_in_first_state(path)
    inherited = 2  # the pipe that tells when all are open
    want = {pid: n + inherited for pid, n in fds_wanted(made, what).items()}
    r.equal({pid: found[pid] for pid in want}, want, what + ": descriptors of each process")
    fds_shown(path, made, when, what)


def fds_new(path, info, made, when, what):
    for pid, count in fds_wanted(made, what).items():
        seen = events(path, "thread.tid = %d and (evt.type = openat or evt.type in (eventfd, eventfd2))" % pid, ("evt.rawres", "evt.type"))
        complete(info, "%s: opened by %d" % (what, pid), sum(int(res) > 2 for res, _ in seen), count, "openat", "eventfd", "eventfd2")
    fds_shown(path, made, when, what)


def fds_shown(path, made, when, what):
    for pid in made["pids"]:
        types = {f["type"] for f in rows("fds", path, when, "--pid", str(pid)) if f["pid"] == pid and f["kind"] == "fd" and f["fd"] > 4}
        r.equal(types, {"file", "event"}, "%s: types of the descriptors of %d" % (what, pid))


def netns(path, info, made, when, what):
    found = {}
    for s in rows("net", path, when):
        if s["local_port"] and made["port"] <= s["local_port"] < made["port"] + made["namespaces"]:
            found.setdefault(s["local_port"] - made["port"], []).append(s)
    wrong = []
    for i in range(made["namespaces"]):
        want = ("udp" if i & 1 else "tcp") + ("6" if i & 2 else ""), "::" if i & 2 else "0.0.0.0"
        got = [(s["proto"], s["local_ip"]) for s in found.get(i, [])]
        if got != [want]:
            wrong.append("  port %d: got %s, want %s" % (made["port"] + i, found.get(i, []), want))
    r.check(not wrong or lost(info, "socket", "bind", "listen"), "%s: a socket in each namespace" % what, "%d wrong\n" % len(wrong) + "\n".join(wrong[:5]))


def nested(path, info, made, when, what):
    chain = rows("tree", path, when, "--pid", str(made["pid"]))
    inner = [p for p in chain if p["pid"] == made["pid"]]
    r.equal([p["vpid"] for p in inner], [1], what + ": number of the innermost process in its namespace")
    seen = events(path, "evt.type = getuid and thread.tid = %d" % made["pid"], ("thread.tid", "thread.vtid", "proc.pid", "proc.vpid"))
    r.equal(seen, [[str(made["pid"]), "1", str(made["pid"]), "1"]], what + ": numbers at an event of its own")
    parent, levels = {p["pid"]: p["ppid"] for p in chain}, 0
    at = made["pid"]
    for level in range(made["levels"], 0, -1):
        at = parent.get(at)
        if at is None:
            break
        paths = {f["path"] for f in rows("fds", path, when, "--pid", str(at)) if f["pid"] == at} if level in (1, made["levels"] // 2, made["levels"]) else None
        want = os.path.join(made["dir"], str(level), "file")
        r.check(paths is None or want in paths, "%s: file at level %d" % (what, level), "  want %s, got %s" % (want, paths))
        levels += 1
    r.equal(levels, made["levels"], what + ": ancestors of the innermost process")


# name: arguments of the load, what is checked when it was there before, and when it came
LOADS = {
    "forks": (lambda n, _: ["forks", n(20000), PARALLEL, 20], forks_old, forks_new),
    "threads": (lambda n, _: ["threads", n(10000)], threads, threads_new),
    "fds": (lambda n, _: ["fds", n(60000)], fds_old, fds_new),
    "netns": (lambda n, _: ["netns", n(100), PORT], netns, netns),
    "nested": (lambda n, folder: ["nested", 30, 20, folder], nested, nested),
}


def arguments(name, size, folder, before):
    args = LOADS[name][0](size, folder)
    # Short processes that were there before must not all be over when the recorder begins.
    return ["forks-on"] + args[1:] if before and name == "forks" else args


QUICK = "forks,threads+fds+netns+nested,losses"
FULL = ",".join(LOADS) + ",losses"


def one(folder, names, order, size, limit):
    """The loads @names at the same time."""
    what = "%s, %s" % ("+".join(names), order)
    path = os.path.join(folder, "stress.scap.zst")
    before = order == BEFORE
    begun = time.monotonic()
    recorder = None if before else Recorder(path).begin()
    loads = [Load(arguments(name, size, folder, before)) for name in names]
    if before and "forks" in names:  # which are ready when they are over
        recorder = Recorder(path).begin()
        loads[names.index("forks")].process.stdin.close()
    made = [load.ready() for load in loads]
    recorder = recorder or Recorder(path).begin()
    when = "@%.9f" % time.time()
    for load in loads:
        load.end()
    recorder.stop(what, limit)
    recorded = time.monotonic() - begun
    info = judge(path, what)
    for name, facts in zip(names, made):
        if facts:
            r.check(not facts.get("bad"), "%s: all processes of the load ended well" % name)
            LOADS[name][1 if before else 2](path, info, dict(facts, dir=folder), when, "%s, %s" % (name, order))
    figures.append("%-39s %4d processes %5d threads %5d fds at start; %7d events, %d lost; %3d MB peak, %5.2f MB file; %4.1f s, %4.1f s reading" % (
        what, info["processes"], info["threads"], info["fds"], info["events"], info["losses"]["events"], recorder.peak >> 20,
        info["file_size"] / 1e6, recorded, time.monotonic() - begun - recorded))
    for file in (path, path + ".seal", recorder.stats, recorder.rss):
        os.unlink(file)


def losses(folder, count, limit):
    """With rings that are too small: of a command all events are ours, and written and lost ones are exactly what it did."""
    path = os.path.join(folder, "losses.scap.zst")
    recorder = Recorder(path, ["--ring-size", SMALL_RING], [helper(), "forks", str(count), str(PARALLEL), str(MANY_CALLS)])
    made = json.loads(recorder.end("losses", limit))
    info = judge(path, "losses")
    for what, types, want in (("clones", LIFE, 2 * made["forks"]), ("execve", ("execve",), made["execs"] + 1),
                              ("procexit", ("procexit",), made["forks"] + 1), ("getuid", ("getuid",), made["getuids"])):
        got = sum(info["by_type"].get(t, 0) for t in types)
        gone = lost(info, *types)
        r.equal(got + gone, want, "losses: %s, %d in the capture, %d lost" % (what, got, gone))
    if not info["losses"]["events"]:
        r.skip("losses: nothing was lost, even with rings of " + SMALL_RING)
    figures.append("losses, rings of %s: %d events, lost %s; %d MB peak" % (SMALL_RING, info["events"], info["losses"]["by_reason"], recorder.peak >> 20))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--only", help="LOAD[+LOAD...],...")
    ap.add_argument("--verbose", action="store_true")
    opt = ap.parse_args()
    limit = PEAK_BYTES_SANITIZED if sanitized() else PEAK_BYTES

    def size(n):
        return n if opt.full else n // 4

    if not check.can_record():
        r.skip("this machine cannot record: `scapula record --check` says why")
        return
    if not helper():
        r.check(False, "stress_load is not built")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in (opt.only or (FULL if opt.full else QUICK)).split(","):
            if name == "losses":
                losses(folder, size(2000), limit)
                continue
            for order in (BEFORE, LATER):
                one(folder, name.split("+"), order, size, limit)
    if opt.full or opt.verbose:
        print("\n".join(figures))


main()
r.finish()

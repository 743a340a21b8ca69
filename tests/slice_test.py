#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slice shows of its part what the whole capture shows of it.

usage: slice_test.py [--full] [--only SUBSTRING] [--seed N] [--parts alerts,events,sysdig,commands]

The process tree of each alert, replayed, gives that alert again with equal text and fields. Windows of time, ranges of
events, processes and filters give the same alerts and the same value of every field of every event; what cannot be the
same is a row of OTHERWISE. The strict check passes each slice, sysdig reads as many events as it is shown.
--full takes every alert of the rule sets; without, those that are most different and a sample of the others.
"""
import argparse
import collections
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import conformance  # noqa: E402
from cuts import CALLS, OTHERWISE, SINCE_BEFORE, calls, numberless, sysdig_calls  # noqa: E402

r = check.Results("slices")
OWN = os.path.join(check.ROOT, "tests", "captures")
STARTER = ["-r", os.path.join(check.ROOT, "rules", "starter.yaml")]
PEER = [a for n in ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
        for a in ("-r", os.path.join(check.SHARED, "peer-rules", n))]
COVERAGE = ["-r", os.path.join(check.SHARED, "golden", "coverage-rules.yaml")]
PUBLIC = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"]
RECORDED = ["build", "container", "intrusion", "network", "persist"]


# --- the program

def alerts(path, rules, *options):
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", "all"] + rules + list(options) + [path], timeout=900)
    r.check(status == 0, "replay of %s" % os.path.basename(path), err[-1000:])
    return [json.loads(line) for line in out.splitlines()]


def make(folder, name, options, *paths, status=0):
    out = os.path.join(folder, name)
    got, _, err = check.run(["slice", "--force", "-o", out] + options + list(paths), timeout=900)
    r.check(got == status, "slice %s of %s: status %d" % (" ".join(options), os.path.basename(paths[0]), got), err)
    return out if got in (0, 5) and os.path.exists(out) else None


def is_strict(path, what):
    status, out, err = check.run(["info", "--strict", path])
    return r.check(status == 0, "strict: %s" % what, (out + err)[:2000])


# --- alerts

def place_of(case, path, rules):
    """(alert, id in the case) of each alert of @path, in order."""
    got = alerts(path, rules, "--db", case)
    with sqlite3.connect(case) as db:
        ids = [i for (i,) in db.execute("SELECT alert_id FROM alerts ORDER BY seq")]
    r.equal(len(ids), len(got), "%s: alerts of the case" % os.path.basename(path))
    return list(zip(got, ids))


def chosen(found, most, full, rng):
    """One alert of each rule and process, then some of the others."""
    if full or len(found) <= most:
        return found
    first = {}
    for a in found:
        first.setdefault((a[0]["rule"], a[0]["output_fields"].get("proc.pid"), a[0]["output_fields"].get("proc.cmdline")), a)
    kinds = list(first.values())
    rng.shuffle(kinds)
    return kinds[:most // 2] + rng.sample(found, most - min(most // 2, len(kinds)))


def slice_alerts(folder, path, rules, most, opt, rng):
    name = os.path.basename(path)
    case = os.path.join(folder, "alerts.case.db")
    for old in (case, case + "-wal", case + "-shm"):
        if os.path.exists(old):
            os.unlink(old)
    found = place_of(case, path, rules)
    done = 0
    for alert, number in chosen(found, most, opt.full, rng):
        out = make(folder, "alert.scap", ["--alert", str(number), "--db", case], path)
        if not out:
            continue
        got = [numberless(a) for a in alerts(out, rules)]
        ok = r.check(numberless(alert) in got, "%s: alert %d is in its slice" % (name, number), nearest(numberless(alert), got))
        if not is_strict(out, "%s, alert %d" % (name, number)) or not ok:
            continue
        done += 1
    print("  %s: %d of %d alerts sliced out and found again" % (name, done, len(found)), flush=True)
    return done


def nearest(want, got):
    rule, time = json.loads(want)[:2]
    like = [g for g in got if json.loads(g)[:2] == [rule, time]] or [g for g in got if json.loads(g)[0] == rule]
    return "  want: %s\n  got %d alerts, nearest: %s" % (want, len(got), like[0] if like else None)


def alert_slices(folder, opt, rng):
    for name in ("intrusion", "network", "sessions"):
        if opt.only in name:
            slice_alerts(folder, os.path.join(OWN, name + ".scap"), STARTER, 12, opt, rng)
    if not check.have_shared():
        r.skip("the shared captures are not here")
        return
    total = 0
    for name in RECORDED + PUBLIC:
        if opt.only in name:
            total += slice_alerts(folder, check.corpus(name), PEER, 15, opt, rng)
    if opt.only in "busy" and opt.full:
        keep, opt.full = opt.full, False
        total += slice_alerts(folder, check.corpus("busy"), PEER, 20, opt, rng)
        opt.full = keep
    print("  peer rules: %d alerts" % total, flush=True)
    for name in RECORDED + PUBLIC:
        if opt.only in name:
            keep, opt.full = opt.full, False
            slice_alerts(folder, check.corpus(name), COVERAGE, 40 if keep else 6, opt, rng)
            opt.full = keep


# --- events

def lines(path, fields, *options):
    shown = "*" + " ".join("%" + f for f in fields)
    status, out, err = check.run(["events", "-q", "-f", "json", "-p", shown] + list(options) + [path], timeout=900)
    r.check(status == 0, "events of %s %s" % (os.path.basename(path), " ".join(options)), err[-1000:])
    return [json.loads(line) for line in out.splitlines()]


def key(event):
    return (event["evt.rawtime"], event["thread.tid"], event["evt.type"], event["evt.cpu"], event["evt.dir"])


KEYS = ["evt.rawtime", "thread.tid", "evt.type", "evt.cpu", "evt.dir"]


def compare_events(what, got, want, fields, since_before):
    """@got are those of @want, or a part of them in order if @since_before, with equal fields."""
    but = set(OTHERWISE) | (set(SINCE_BEFORE) if since_before else set())
    different = collections.Counter()
    example = {}
    at = compared = 0
    for i, g in enumerate(got):
        while at < len(want) and key(want[at]) != key(g):
            if not since_before:
                break
            at += 1
        if at == len(want) or key(want[at]) != key(g):
            r.check(False, "%s: event %d is of the whole" % (what, i), str(key(g)))
            return 0
        for f in fields:
            if f in but or (i == 0 and f in SINCE_BEFORE):
                continue
            compared += g.get(f) is not None
            if g.get(f) is not want[at].get(f) and not conformance.same(g.get(f), want[at].get(f), f):
                different[f] += 1
                example.setdefault(f, (i, g["evt.type"], g.get(f), want[at].get(f)))
        at += 1
    if not since_before:
        r.equal(len(got), len(want), "%s: number of events" % what)
    r.check(not different, "%s: fields differ" % what, "\n".join("  %s x%d: %s" % (f, n, example[f]) for f, n in different.most_common(12)))
    return compared


def at_time(ns):
    return "@%d.%09d" % divmod(ns, 10**9)


def windows(path, rng, n):
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    for _ in range(n):
        a, b = sorted(rng.randrange(len(times)) for _ in range(2))
        b = min(b, a + 3000)
        yield ["--from", at_time(times[a]), "--to", at_time(times[b])]
        yield ["--evt", "%d..%d" % (a + 1, b + 1)]
    yield ["--from", "+%dns" % ((times[-1] - times[0]) // 2)]
    yield ["--to", "+%dns" % ((times[-1] - times[0]) // 3)]


def window_slices(folder, path, rules, fields, n, rng):
    name = os.path.basename(path)
    compared = 0
    for options in windows(path, rng, n):
        what = "%s %s" % (name, " ".join(options))
        out = make(folder, "window.scap", options, path)
        if not out:
            continue
        is_strict(out, what)
        compared += compare_events(what, lines(out, fields), lines(path, fields, *options), fields, False)
        if "--evt" not in options:
            r.equal([numberless(a) for a in alerts(out, rules)], [numberless(a) for a in alerts(path, rules, *options)], "%s: alerts" % what)
    print("  %s: %d values of windows equal" % (name, compared), flush=True)


def process_slices(folder, path, fields, n, rng):
    """Processes, trees and filters: each event shown is that of the whole."""
    name = os.path.basename(path)
    whole = lines(path, fields)
    pids = sorted({e["proc.pid"] for e in whole if isinstance(e.get("proc.pid"), int) and e["proc.pid"] > 0})
    compared = 0
    choices = [[how, str(p)] for p in rng.sample(pids, min(n, len(pids))) for how in ("--pid", "--tree")]
    for options in choices + [["-F", "evt.type in (execve, connect, openat) and evt.failed = false"], ["-F", "fd.type = ipv4 or proc.name contains sh"]]:
        what = "%s %s" % (name, " ".join(options))
        status = check.run(["slice", "--force", "-o", os.path.join(folder, "part.scap")] + options + [path])[0]
        if status == 4 and options[0] == "-F":
            continue
        r.check(status == 0, what + ": status %d" % status)
        out = os.path.join(folder, "part.scap")
        is_strict(out, what)
        got = lines(out, fields)
        compared += compare_events(what, got, whole, fields, True)
        if options[0] == "-F":
            r.equal(len(got), len(lines(path, KEYS, *options)), what + ": number of events")
        if options[0] == "--pid":
            r.equal({e.get("proc.pid") for e in got if isinstance(e.get("proc.pid"), int)} - {-1}, {int(options[1])}, what + ": no other process is shown")
    print("  %s: %d values of processes equal" % (name, compared), flush=True)


def slice_of_slice(folder, path, fields, rng):
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    a, b, c, d = sorted(rng.choice(times) for _ in range(4))
    outer = make(folder, "outer.scap.zst", ["--from", at_time(a), "--to", at_time(d)], path)
    inner = make(folder, "inner.scap.gz", ["--from", at_time(b), "--to", at_time(c)], outer)
    direct = make(folder, "direct.scap", ["--from", at_time(b), "--to", at_time(c)], path)
    compare_events("%s: slice of a slice" % os.path.basename(path), lines(inner, fields), lines(direct, fields), fields, False)


def event_slices(folder, opt, rng):
    fields = KEYS + [f for f in conformance.own_fields() if f not in KEYS]
    captures = [os.path.join(OWN, n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
    if check.have_shared():
        captures += [check.corpus(n) for n in ("sample", "curl_google", "connect_localhost", "single_ipv6_conn") + (tuple(RECORDED + ["psp_run_as_user_0_container"]) if opt.full else ())]
    for path in captures:
        if opt.only not in path:
            continue
        window_slices(folder, path, STARTER, fields, 6 if opt.full else 2, rng)
        process_slices(folder, path, fields, 8 if opt.full else 2, rng)
        slice_of_slice(folder, path, fields, rng)


# --- others

def beside_sysdig(folder, opt, rng):
    if not check.have_shared() or not shutil.which("sysdig"):
        r.skip("sysdig or the shared captures are not here")
        return
    total = 0
    for name in PUBLIC:
        if opt.only not in name:
            continue
        path = check.corpus(name)
        pid = rng.choice([p for p in check.run(["events", "-q", "-p", "%proc.pid", path])[1].split() if p.isdigit() and p != "0"])
        for options in (["--from", "+1ms"], ["--evt", "5..400"], ["--tree", pid], ["--pid", pid], ["-F", "evt.type in (execve, openat, open, read)"]):
            if "-F" in options and not check.run(["events", "-q", "-n", "1"] + options + [path])[1]:
                continue
            out = make(folder, "sysdig.scap", options, path)
            if not out:
                continue
            is_strict(out, "%s %s" % (name, " ".join(options)))
            ours, theirs = calls(check.run(["events", "-q", "-p", CALLS, out])[1]), sysdig_calls(out)
            total += len(ours)
            r.check(theirs == ours, "%s %s: sysdig shows %s calls, we %d" % (name, " ".join(options), theirs and len(theirs), len(ours)),
                    "\n".join("  %s" % line for line in sorted(set(theirs or ()) ^ set(ours))[:8]))
    print("  beside sysdig: %d calls" % total, flush=True)


def with_index(folder, rng):
    """An index spares reading and changes nothing."""
    path = os.path.join(folder, "indexed.scap")
    shutil.copy(check.DEMO, path)
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    pid = check.run(["events", "-q", "-p", "%proc.pid", "--evt", "9000", path])[1].strip()
    choices = [["--from", at_time(rng.choice(times))], ["--evt", "9000..9100"], ["--evt", "12000..12500", "-F", "evt.type = openat"],
               ["--evt", "9000..9500", "--pid", pid], ["--evt", "9000..9500", "--tree", pid]]
    for options in choices:
        alone = open(make(folder, "alone.scap", options, path), "rb").read()
        check.run(["index", "--every", "500", path])
        indexed = open(make(folder, "with.scap", options, path), "rb").read()
        os.unlink(path + ".scapidx")
        r.check(alone == indexed and len(alone) > 1000, "the same slice with an index: %s" % " ".join(options))


def container_slice(folder):
    """By the beginning of its id; whoever is not in it is not shown."""
    container = check.run(["events", "-q", "--containers", "-n", "1", "-p", "%container.id", "-F", "container.id != host", check.DEMO])[1].strip()
    out = make(folder, "container.scap", ["--container", container[:8]], check.DEMO)
    got = set(check.run(["events", "-q", "--containers", "-p", "%container.id", out])[1].split())
    want = len(check.run(["events", "-q", "-p", "%evt.num", "-F", "container.id = " + container, check.DEMO])[1].split())
    have = len(check.run(["events", "-q", "-p", "%evt.num", "-F", "container.id = " + container, out])[1].split())
    r.check(container in got and have == want, "all of a container: %d of %d events" % (have, want), str(got))
    r.equal(check.run(["slice", "--container", "nosuch", "-o", os.path.join(folder, "none.scap"), check.DEMO])[0], 4, "a container that is not there")
    r.check(not os.path.exists(os.path.join(folder, "none.scap")), "nothing is left of it")


def around(folder):
    """Events around an alert, of an ancestor's tree, and which of several alerts."""
    first = alerts(check.DEMO, STARTER)
    rule = [a for a in first if sum(b["rule"] == a["rule"] for b in first) > 1]
    options = ["--rule", rule[1]["rule"], "--nth", "2"] + STARTER
    second = numberless([a for a in first if a["rule"] == rule[1]["rule"]][1])
    small, wide, high = (make(folder, "around%d.scap" % i, options + o, check.DEMO)
                         for i, o in enumerate((["--around", "5"], ["--around", "20ms"], ["--around", "20ms", "--up", "1"])))
    counts = [len(check.run(["events", "-q", "-p", "%evt.num", p])[1].split()) for p in (small, wide, high)]
    r.check(0 < counts[0] <= 11 and counts[0] < counts[1] <= counts[2], "how much around an alert: %s" % counts)
    for p in (small, wide, high):
        r.check(second in [numberless(a) for a in alerts(p, STARTER)], "the alert is in %s" % os.path.basename(p))
    r.equal(check.run(["slice", "-o", os.path.join(folder, "no.scap"), "--rule", rule[1]["rule"], "--nth", "999", check.DEMO] + STARTER)[0], 4, "there are not so many")
    r.equal(check.run(["slice", "-o", os.path.join(folder, "no.scap"), "--rule", "no such rule", check.DEMO] + STARTER)[0], 3, "a rule that is not there")


def another_capture(folder):
    """An alert is cut out of the capture it was found in, and of no other."""
    case, out = os.path.join(folder, "one.case.db"), os.path.join(folder, "wrong.scap")
    number = place_of(case, check.DEMO, STARTER)[0][1]
    for capture, options, want in (("sessions.scap", [str(number)], 4), ("intrusion.scap", ["4711"], 3)):
        status, _, err = check.run(["slice", "--alert"] + options + ["--db", case, os.path.join(OWN, capture), "-o", out])
        r.check(status == want and not os.path.exists(out), "alert %s of %s: status %d, want %d" % (options[0], capture, status, want), err)


def commands(folder, rng):
    with_index(folder, rng)
    another_capture(folder)
    container_slice(folder)
    around(folder)
    out = os.path.join(folder, "out.scap")
    for options, status in ((["--pid", "1", "--tree", "2"], 3), (["--at", "evt:1"], 3), (["--alert", "1"], 3), (["--rule", "x"], 3), (["--nth", "1"], 3),
                            (["--pid", "x"], 3), (["--evt", "9..3"], 3), (["--around", "5"], 3), (["--up", "1"], 3), (["-F", "no.field = 1"], 3),
                            (["--pid", "99999"], 4), (["--evt", "99999999.."], 4), (["--rule", "x", "-r", os.path.join(folder, "none.yaml")], 2)):
        got, _, err = check.run(["slice", "-o", out] + options + [check.DEMO])
        r.check(got == status and err.startswith("scapula: slice: ") and not os.path.exists(out), "%s: status %d, want %d" % (" ".join(options), got, status), err)
    r.equal(check.run(["slice", "-o", out, "--pid", "1", check.DEMO, check.DEMO])[0], 3, "a process of two captures")
    data = check.read_all(check.DEMO)
    p = subprocess.run([check.scapula_path(), "slice", "-q", "--evt", "100..300", "-", "-o", "-"], input=data, stdout=subprocess.PIPE, cwd=check.ROOT)
    with open(os.path.join(folder, "piped.scap"), "wb") as f:
        f.write(p.stdout)
    r.check(p.returncode == 0 and p.stdout == open(make(folder, "filed.scap", ["--evt", "100..300"], check.DEMO), "rb").read(), "from and to a pipe")
    cut = os.path.join(folder, "cut.scap")
    with open(cut, "wb") as f:
        f.write(data[:len(data) * 2 // 3])
    damaged = make(folder, "damaged.scap", ["--from", "+1ms"], cut, status=5)
    is_strict(damaged, "of a capture that is cut")
    both = make(folder, "both.scap", ["--evt", "5..60"], check.DEMO, os.path.join(OWN, "network.scap"))
    is_strict(both, "of two captures")
    r.equal(len(check.run(["events", "-q", "-p", "%evt.num", both])[1].split()),
            sum(len(check.run(["events", "-q", "-p", "%evt.num", "--evt", "5..60", p])[1].split()) for p in (check.DEMO, os.path.join(OWN, "network.scap"))),
            "events of two captures")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--only", default="")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--parts", default="alerts,events,sysdig,commands")
    opt = ap.parse_args()
    rng = random.Random(opt.seed)
    with tempfile.TemporaryDirectory() as folder:
        if "alerts" in opt.parts:
            alert_slices(folder, opt, rng)
        if "events" in opt.parts:
            event_slices(folder, opt, rng)
        if "sysdig" in opt.parts:
            beside_sysdig(folder, opt, rng)
        if "commands" in opt.parts:
            commands(folder, rng)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fields of every event of the golden captures equal those of the reference.

usage: golden_fields.py [--all] [--capture NAME] [--at-least PERCENT] [--show N]

Without --all the fields a rule author relies on most are compared, event by event: an event counts as equal only
if all of them are. With --all every field that occurs in the goldens is compared, field by field.
"""
import argparse
import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

CORE = ["evt.num", "evt.rawtime", "evt.cpu", "evt.type", "thread.tid", "proc.name", "proc.pid", "proc.ppid",
        "proc.cmdline", "proc.exepath", "proc.cwd", "user.name", "user.uid", "fd.num", "fd.name", "evt.args"]
# Known differences, each explained in docs/deviations.md under the same name: a value is excused only if golden and ours
# look as described there.
def _evaluated_twice(got, want, field):
    # The reference evaluates each field twice when it writes JSON, so what measures "since last time" is 0.
    return want in (0, 0.0) or field == "thread.totexectime"


def _any_order(got, want, field):
    return sorted(got or []) == sorted(want or [])


def _stale_buffer(got, want, field):
    return got == "NULL"


def _uninitialised(got, want, field):
    return got is None and isinstance(want, int)


DEVIATIONS = {
    "evt.deltatime": _evaluated_twice, "evt.deltatime.s": _evaluated_twice, "evt.deltatime.ns": _evaluated_twice,
    "thread.exectime": _evaluated_twice, "thread.totexectime": _evaluated_twice,
    "thread.cpu": _evaluated_twice, "thread.cpu.user": _evaluated_twice, "thread.cpu.system": _evaluated_twice,
    "fd.types": _any_order,
    "evt.buffer": _stale_buffer,
    "proc.ppid.duration": _uninitialised,
    "proc.exe_ino.ctime_duration_proc_start": _uninitialised,
    "proc.exe_ino.ctime_duration_pidns_start": _uninitialised,
}


def is_abspath_artefact(field, want):
    """The goldens were made with evt.abspath ahead of fd.*: on *at events relative to a descriptor the reference then
    shows that directory instead of the event's file. Recognised by the golden alone: fd.name is the directory of evt.abspath."""
    if not field.startswith(("fd.", "fs.path.")) or "evt.abspath" not in want:
        return False
    directory = want["evt.abspath"].rpartition("/")[0]
    return want.get("fd.name") == (directory or "/")


def compare(capture, golden, fields, show, options):
    """Returns (events, unequal events, differences per field)."""
    fmt = "*" + " ".join("%" + f for f in fields)
    limit = []
    path = check.corpus(capture)
    want_lines = check.read_lines(golden)
    if "first" in os.path.basename(golden):
        limit = ["-n", str(len(want_lines))]
    status, out, err = check.run(["events", "-q", "-f", "json", "-p", fmt] + options + limit + [path], timeout=1800)
    got_lines = out.splitlines()
    diffs = collections.Counter()
    examples = {}
    excused = collections.Counter()
    unequal = abs(len(got_lines) - len(want_lines))
    if unequal:
        print("  %s: %d events, golden has %d (status %d) %s" % (capture, len(got_lines), len(want_lines), status, err[-500:]))
    for g_line, w_line in zip(got_lines, want_lines):
        g, w = json.loads(g_line), json.loads(w_line)
        bad = False
        for f in fields:
            gv, wv = g.get(f), w.get(f)
            if gv != wv:
                if is_abspath_artefact(f, w):
                    excused["evt.abspath"] += 1
                    continue
                if f in DEVIATIONS and DEVIATIONS[f](gv, wv, f):
                    excused[f] += 1
                    continue
                bad = True
                diffs[f] += 1
                examples.setdefault(f, (w["evt.num"], w["evt.type"], gv, wv))
        unequal += bad
    for name, n in sorted(excused.items()):
        print("  %s: %d values differ as docs/deviations.md says under %s" % (capture, n, name))
    for f, n in diffs.most_common(show):
        num, name, gv, wv = examples[f]
        print("  %s: %s differs in %d events, first %d (%s): got %s, golden %s" % (
            capture, f, n, num, name, json.dumps(gv)[:300], json.dumps(wv)[:300]))
    return len(want_lines), unequal, diffs


def all_fields(golden):
    keys = set()
    for line in check.read_lines(golden):
        keys.update(json.loads(line))
    return sorted(keys)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--all", action="store_true")
    ap.add_argument("--capture", default="")
    ap.add_argument("--at-least", type=float, default=99.5)
    ap.add_argument("--show", type=int, default=20)
    opt = ap.parse_args()
    r = check.Results("golden fields")
    if not check.have_shared():
        r.skip("the shared goldens are not here; tests/golden covers the capture of the repository")
        r.finish()
    folder = os.path.join(check.SHARED, "golden", "fields")
    for name in sorted(os.listdir(folder)):
        capture = name.split(".")[0]
        if opt.capture and capture != opt.capture:
            continue
        golden = os.path.join(folder, name)
        fields = all_fields(golden) if opt.all else CORE
        events, unequal, diffs = compare(capture, golden, fields, opt.show, ["--no-containers"] if opt.all else [])
        percent = 100.0 * (events - unequal) / events
        print("  %s: %d of %d events equal in all %d fields (%.2f %%)" % (capture, events - unequal, events, len(fields), percent))
        r.check(percent >= opt.at_least, "%s: %.2f %% of events equal, at least %.2f %% expected" % (capture, percent, opt.at_least))
    r.finish()


main()

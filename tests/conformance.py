#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every field of every event of the golden captures is what the reference answers.

usage: conformance.py [--core] [--capture NAME,...] [--jobs N] [--option OPTION]... [--brief] [--update-own]

A value is a field that is present on either side of an event. Values differ if they are not the same JSON, types
included; fd.types is a set. A difference is excused only by a row of conformance_deviations.tsv (capture, field, reason,
number of values) and only if it looks as the reason says (docs/deviations.md has the same keywords). The test fails on
any other difference, on a row whose number is not met exactly, and if the rows cover LIMIT percent of the values.

--core compares the fields a rule author relies on most, which is quick; --option is handed to 'scapula events'.
Some events of the project's own captures are recorded with all fields in tests/captures/*.fields.zst. They are compared
always, so also where the goldens are not; --update-own records them anew.
"""
import argparse
import collections
import itertools
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import check  # noqa: E402

LIMIT = 0.2
SHOWN = 20  # fields whose first difference is told, per capture
TABLE = os.path.join(HERE, "conformance_deviations.tsv")
OWN = os.path.join(HERE, "captures")
CORE = ["evt.num", "evt.rawtime", "evt.cpu", "evt.type", "thread.tid", "proc.name", "proc.pid", "proc.ppid",
        "proc.cmdline", "proc.exepath", "proc.cwd", "user.name", "user.uid", "fd.num", "fd.name", "evt.args"]
# Fields that the reference shows from memory it never set, and what they are computed from.
NEVER_SET = {"proc.exe_ino.ctime_duration_proc_start": ("proc.exe_ino.ctime", "proc.pid.ts"),
             "proc.exe_ino.ctime_duration_pidns_start": ("proc.exe_ino.ctime", "proc.pidns_init_start_ts")}


# --- reasons: does a difference look as described?

def abspath_moves_fd(got, want, field):
    """The reference, once asked for evt.abspath, shows the directory that an *at call starts from as the event's file;
    ours is the file that evt.abspath names."""
    if not field.startswith(("fd.", "fs.path.")) or "evt.abspath" not in want or got.get("evt.abspath") != want["evt.abspath"]:
        return False
    directory = want["evt.abspath"].rpartition("/")[0]
    return (want.get("fd.name") == (directory or "/") and got.get("fd.name") == re.sub("//+", "/", want["evt.abspath"])
            and got.get("evt.args") == want["evt.args"])


def stale_length(got, want, field):
    """The right text, cut or followed by what was in memory."""
    text, n = got.get(field), len(want.get(field, ""))
    return field == "evt.buffer" and text == want.get("evt.arg.data") and want[field][:len(text)] == text[:n]


def uninitialised(got, want, field):
    """An address where one of the times is unknown that the duration lies between."""
    times = NEVER_SET.get(field, ())
    return (got.get(field) is None and isinstance(want.get(field), int) and want[field] >> 40 == 0x7f
            and any(t not in want and t not in got for t in times))


REASONS = {"abspath-moves-fd": abspath_moves_fd, "stale-length": stale_length, "uninitialised": uninitialised}


def read_table():
    rows = {}
    with open(TABLE) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                capture, field, reason, values = line.rstrip("\n").split("\t")
                rows[capture, field] = (reason, int(values))
    return rows


# --- comparing

def same(got, want, field):
    if type(got) is not type(want):
        return False
    if field == "fd.types":
        return set(got) == set(want)
    return got == want


def lines_of_golden(path):
    """A stream of the golden's lines, and the process to wait for."""
    p = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE)
    return p.stdout, p


def lines_of_ours(capture, fields, options, errors):
    # Reasons look at evt.abspath.
    shown = fields if "evt.abspath" in fields else fields + ["evt.abspath"]
    args = [check.scapula_path(), "events", "-q", "-f", "json", "-p", "*" + " ".join("%" + f for f in shown)]
    env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    env.setdefault("ASAN_OPTIONS", "abort_on_error=0:exitcode=99:detect_leaks=1")
    p = subprocess.Popen(args + options + [capture], stdout=subprocess.PIPE, stderr=errors, env=env, cwd=check.ROOT)
    return p.stdout, p


class Score:
    """Values of one capture: per field how many there are, are excused (by reason), differ."""

    def __init__(self, name):
        self.name = name
        self.events = 0
        self.values = collections.Counter()
        self.excused = collections.Counter()
        self.different = collections.Counter()
        self.examples = {}
        self.problem = ""

    def compare(self, got, want, fields, table):
        self.events += 1
        if got == {} or want == {}:
            self.problem = self.problem or "event %d is on one side only" % self.events
        for field in fields:
            g, w = got.get(field), want.get(field)
            if g is None and w is None:
                continue
            self.values[field] += 1
            if same(g, w, field):
                continue
            reason = table.get((self.name, field), ("",))[0]
            if reason in REASONS and REASONS[reason](got, want, field):
                self.excused[field] += 1
            else:
                self.different[field] += 1
                self.examples.setdefault(field, (want.get("evt.num"), want.get("evt.type"), g, w))


def present(line):
    """The members of one line that are there; a side that has ended has none."""
    return {k: v for k, v in json.loads(line).items() if v is not None} if line else {}


def compare(job):
    name, capture, golden, fields, options, table = job
    score = Score(name)
    with tempfile.TemporaryFile() as errors:
        theirs, zstd = lines_of_golden(golden)
        ours, scapula = lines_of_ours(capture, fields, options, errors)
        for g, w in itertools.zip_longest(ours, theirs):
            score.compare(present(g), present(w), fields, table)
        zstd.wait()
        if scapula.wait() != 0 or zstd.returncode != 0:
            errors.seek(0)
            score.problem = "status %d\n%s" % (scapula.returncode, errors.read()[-2000:].decode("utf-8", "replace"))
    return score


def keys_of(golden):
    keys = set()
    lines, p = lines_of_golden(golden)
    for line in lines:
        keys.update(json.loads(line))
    p.wait()
    return keys


# --- results

def tell_capture(score):
    n, excused, bad = (sum(c.values()) for c in (score.values, score.excused, score.different))
    print("  %-28s %6d events %9d values %6d excused %6d different  %.4f %% equal" % (
        score.name, score.events, n, excused, bad, 100.0 * (n - excused - bad) / max(n, 1)))
    for field, count in score.different.most_common(SHOWN):
        num, kind, g, w = score.examples[field]
        print("    %s differs in %d events, first %s (%s):\n      ours      %s\n      reference %s" % (
            field, count, num, kind, json.dumps(g)[:300], json.dumps(w)[:300]))


def tell_fields(scores, fields):
    print("  %-44s %9s %9s %9s %9s" % ("field", "values", "equal", "excused", "different"))
    for field in fields:
        n, excused, bad = (sum(getattr(s, what)[field] for s in scores) for what in ("values", "excused", "different"))
        print("  %-44s %9d %9d %9d %9d  %8.4f %%" % (field, n, n - excused - bad, excused, bad,
                                                    100.0 * (n - excused - bad) / max(n, 1)))


def check_rows(r, score, fields, table):
    """What the table excuses is there, to the value: a row cannot hide a regression or outlive its reason."""
    for (capture, field), (reason, values) in table.items():
        if capture == score.name and field in fields:
            seen = score.excused[field]
            r.check(reason in REASONS and seen == values,
                    "%s: %d values of %s excused as %s, the table has %d" % (capture, seen, field, reason, values))


def tell_missing(goldens):
    corpus = os.path.join(check.SHARED, "corpus")
    captures = {name.split(".")[0] for folder in os.listdir(corpus) for name in os.listdir(os.path.join(corpus, folder)) if ".scap" in name}
    print("  without golden: %s" % ", ".join(sorted(captures - set(goldens))))


def begin_worker():
    """The pool ends its workers by SIGTERM; a handler would wait for what another one holds."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def against_goldens(r, opt):
    folder = os.path.join(check.SHARED, "golden", "fields")
    goldens = {name.split(".")[0]: os.path.join(folder, name) for name in sorted(os.listdir(folder))}
    wanted = opt.capture.split(",") if opt.capture else list(goldens)
    table = read_table()
    with multiprocessing.Pool(opt.jobs, begin_worker) as pool:
        fields = CORE if opt.core else sorted(set().union(*pool.imap_unordered(keys_of, goldens.values())))
        # The largest first; build's golden ends early.
        jobs = [(name, check.corpus(name), goldens[name], fields,
                 opt.option + (["-n", re.search("first([0-9]+)", goldens[name]).group(1)] if "first" in goldens[name] else []),
                 table) for name in sorted(wanted, key=lambda n: -os.path.getsize(goldens[n]))]
        scores = pool.map(compare, jobs, chunksize=1)
    scores.sort(key=lambda s: s.name)
    for score in scores:
        tell_capture(score)
        r.check(not score.problem, "%s: runs and has as many events" % score.name, score.problem)
        r.check(not score.different, "%s: every value equal or excused" % score.name)
        if not opt.core:
            check_rows(r, score, fields, table)
    if not opt.brief:
        tell_fields(scores, fields)
    total, excused, bad = (sum(sum(getattr(s, what).values()) for s in scores) for what in ("values", "excused", "different"))
    print("  all: %d events, %d values of %d fields, %d excused (%.4f %%), %d different (%.4f %%)" % (
        sum(s.events for s in scores), total, len(fields), excused, 100.0 * excused / total, bad, 100.0 * bad / total))
    tell_missing(goldens)
    # Excuses are few over all captures; over some, half of the values could be those of one old capture.
    if not opt.capture:
        r.check(100.0 * excused < LIMIT * total, "less than %.1f %% excused" % LIMIT)


# --- some events of the project's own captures, with every field there is

# Fields that need an argument are there with these.
ARGUMENTS = {"evt.arg": [".fd", ".name", ".path", ".flags", ".res", ".data", ".uid", "[0]", "[1]", "[2]"],
             "evt.rawarg": [".fd", ".flags", ".mode", ".res", ".name"], "evt.type.is": [".close", ".openat"],
             "evt.abspath": ["", ".src", ".dst"], "thread.cgroup": [".cpu", ".memory"], "proc.env": ["", "[HOME]"],
             "proc.aenv": ["", "[1]", "[HOME]"], "container.mount": ["[0]"], "container.mount.source": ["[0]"],
             "container.mount.dest": ["[0]"], "container.mount.mode": ["[0]"], "container.mount.rdwr": ["[0]"],
             "container.mount.propagation": ["[0]"]}
INDEXED = "[1]"


def own_fields():
    """Every field 'scapula fields' knows, with its arguments."""
    rows = [json.loads(line) for line in check.run(["fields", "-f", "json", "--all"])[1].splitlines()]
    fields = []
    for row in rows:
        if row["filter_only"]:
            continue
        plain = [] if "label" in row["name"] and row["arg"] else [""]
        arguments = ARGUMENTS.get(row["name"], plain + ([INDEXED] if "[N]" in row["arg"] else []))
        fields += [row["name"] + a for a in arguments or ["[app]"]]
    return fields


def own_selection(capture):
    """One event of each type and outcome, as it comes."""
    out = check.run(["events", "-q", "-p", "*%evt.num %evt.type %evt.res", capture])[1]
    first = {}
    for line in out.splitlines():
        num, kind = line.split(" ", 1)
        first.setdefault(kind, num)
    return "evt.num in (%s)" % ", ".join(first.values())


def own_lines(capture, fields, condition):
    return check.run(["events", "-q", "-f", "json", "-F", condition, "-p", "*" + " ".join("%" + f for f in fields), capture])[1]


def update_own(capture, path):
    fields, condition = own_fields(), own_selection(capture)
    text = json.dumps(fields) + "\n" + json.dumps(condition) + "\n" + own_lines(capture, fields, condition)
    subprocess.run(["zstd", "-q", "-f", "-19", "-o", path], input=text.encode(), check=True)
    print("  %s: %d fields, %d events" % (os.path.relpath(path, check.ROOT), len(fields), text.count("\n") - 2))


def against_own(r, opt):
    for name in sorted(os.listdir(OWN)):
        if not name.endswith(".scap"):
            continue
        capture, path = os.path.join(OWN, name), os.path.join(OWN, name[:-len("scap")] + "fields.zst")
        if opt.update_own:
            update_own(capture, path)
        fields, condition, *want = [json.loads(line) for line in check.read_lines(path)]
        r.check(fields == own_fields(), "%s has the fields there are" % os.path.relpath(path, check.ROOT))
        got = [json.loads(line) for line in own_lines(capture, fields, condition).splitlines()]
        r.equal(len(got), len(want), "tests/captures/%s: recorded events" % name)
        bad = ["%s %s (%s): %s, was %s" % (w["evt.num"], f, w["evt.type"], json.dumps(g.get(f)), json.dumps(w.get(f)))
               for g, w in zip(got, want) for f in fields if not same(g.get(f), w.get(f), "")]
        print("  tests/captures/%s: %d fields of %d recorded events" % (name, len(fields), len(want)))
        r.check(not bad, "tests/captures/%s: %d values differ" % (name, len(bad)), "\n".join("  " + b[:300] for b in bad[:SHOWN]))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--core", action="store_true")
    ap.add_argument("--capture", default="")
    ap.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    ap.add_argument("--option", action="append", default=[])
    ap.add_argument("--brief", action="store_true")
    ap.add_argument("--update-own", action="store_true")
    opt = ap.parse_args()
    r = check.Results("conformance")
    if not opt.capture:
        against_own(r, opt)
    if check.have_shared():
        against_goldens(r, opt)
    else:
        r.skip("the shared goldens are not here; only the events recorded in tests/captures were compared")
    r.finish()


if __name__ == "__main__":
    main()

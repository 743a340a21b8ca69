# SPDX-License-Identifier: Apache-2.0
"""Rules over many traces, again and again: what is evaluated and what it costs when results are kept."""
import os
import re
import shutil
import statistics
import subprocess
import time

from benchmarks import captures
from benchmarks.common import ENV, SCAPULA, WORK, count_events, ended_badly, fail, rule_sets, run

TRACES, QUICK_TRACES = 200, 20
TRACE_EVENTS = 250000  # of each; they overlap, and no two are equal
EDITED = ("condition: >\n    open_read", "condition: >\n    proc.name != nosuchprogram and open_read")  # the first rule with such a condition
COUNTER = re.compile(r"Cache: (\d+) of (\d+) rules evaluated; (\d+) of (\d+) captures opened")


def traces(n):
    """Cut out of the recorded load, each with its index."""
    source = captures.busy()[0]
    events = count_events(source)
    length = min(TRACE_EVENTS, events // 2)
    step, made = (events - length) // n, []
    for i in range(n):
        path = os.path.join(WORK, "trace-%03d-of-%d.scap.zst" % (i, n))
        if not os.path.exists(path):
            part = path[:-len(".scap.zst")] + ".part.scap.zst"
            run([SCAPULA, "slice", "-q", "--force", "--no-seal", "--evt", "%d..%d" % (1 + i * step, i * step + length), source, "-o", part])
            os.rename(part, path)
            run([SCAPULA, "index", "-q", path])
        made.append(path)
    return made


def timed(args, runs, before=lambda: None):
    """Median wall-clock seconds, and what the last run printed on both outputs. @before: done before each run."""
    took = []
    for _ in range(runs):
        before()
        start = time.monotonic()
        p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        took.append(time.monotonic() - start)
        if p.returncode not in (0, 1):
            ended_badly(args, p.returncode, p.stderr.decode("utf-8", "replace"))
    return statistics.median(took), p.stdout, p.stderr.decode("utf-8", "replace")


def counted(err):
    return [int(n) for n in COUNTER.search(err).groups()]


def bench_cache(opt):
    _, files = rule_sets()[-1]
    rules = os.path.join(WORK, "edited-rules.yaml")
    text = "\n".join(open(f).read() for f in files)
    if EDITED[0] not in text:
        fail("no rule begins with 'open_read' any more")
    name = re.findall(r"- rule: (.*)", text[:text.index(EDITED[0])])[-1]
    paths, cache = traces(QUICK_TRACES if opt.quick else TRACES), os.path.join(WORK, "cache")
    plain = [SCAPULA, "replay", "-j", "1", "-r", rules]
    kept = plain + ["--stats", "--cache", cache]

    def write(new):
        with open(rules, "w") as f:
            f.write(text.replace(EDITED[0], EDITED[0] if new is None else new, 1))

    def with_results_of_all():
        """The cache as it is before the edit."""
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(cache + ".full", cache)

    write(None)
    shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(cache + ".full", ignore_errors=True)
    full, alerts, _ = timed(plain + paths, 1)
    filling, same, err = timed(kept + paths, 1)
    all_rules = counted(err)
    known, again, err = timed(kept + paths, opt.runs)
    none = counted(err)
    shutil.copytree(cache, cache + ".full")
    write(EDITED[1])
    edited, warm, err = timed(kept + paths, opt.runs, with_results_of_all)
    one = counted(err)
    _, cold, _ = timed(plain + paths, 1)
    alone, _, _ = timed(plain + ["-O", "rules[].disable.rule=*", "-O", "rules[].enable.rule=" + name] + paths, opt.runs)
    print("%d traces, %d events, wall-clock seconds" % (len(paths), sum(count_events(p) for p in paths)))
    for what, took, n in (("all rules, nothing kept", full, None), ("all rules, results are kept", filling, all_rules), ("nothing was edited", known, none),
                          ("one rule was edited", edited, one), ("that rule alone, nothing kept", alone, None)):
        print("%-32s %8.3f%s" % (what, took, "   %d of %d rules evaluated, %d of %d traces opened" % tuple(n) if n else ""))
    print("nothing edited: %.2f %% of the full run; one edited: %.2f times that rule alone" % (100 * known / full, edited / alone))
    if not alerts == same == again or warm != cold:
        fail("with a cache the alerts are others")
    if none[0] or one[0] != 1:
        fail("other rules than the edited one were evaluated")

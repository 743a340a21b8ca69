# SPDX-License-Identifier: Apache-2.0
"""The terminal interface without a terminal: how long a person waits for a screen."""
import json
import os
import random
import tempfile

from benchmarks import captures
from benchmarks.common import SCAPULA, count_events, fail, rule_sets, run, timed_with_peak

# Milliseconds, and MB: what must hold.
FIRST_PAINT, KEY_P95, SEEK_P95, SWITCH, MEMORY = 200, 50, 100, 100, 512
KEYS = ["j", "k", "<PgDn>", "<PgUp>", "G", "g", "l", "h", "s", "S", "]", "[", "}", "{", ">", "<lt>", ",", ".", "z", "Z", "x", "U", "<Tab>", "T"]
VIEWS = "123456789"


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def session(steps, operands, size="80x24"):
    """Play @steps (objects of a command log). Returns (what, ms) of each and of the first screen, and the peak of memory in MB."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as log, tempfile.TemporaryFile() as out:
        log.write("".join(json.dumps(step) + "\n" for step in steps))
        log.flush()
        peak = timed_with_peak([SCAPULA, "tui", "--headless", size, "--timings", "--play", log.name] + operands, out).peak
        out.seek(0)
        lines = [json.loads(line) for line in out]
    return [(line["key"], line["us"] / 1000) for line in lines], peak


def show(label, values, limit, share):
    worst = percentile(values, share)
    print("%-28s median %7.1f ms   p95 %7.1f ms   most %7.1f ms   (%s: %d ms)  %s" % (
        label, percentile(values, 0.5), percentile(values, 0.95), max(values), "p95" if share < 1 else "most", limit,
        "ok" if worst <= limit else "TOO SLOW"))
    return worst <= limit


def case_of(capture):
    """A case with all rules' alerts of the capture."""
    path = capture + ".tui.case.db"
    if not os.path.exists(path):
        rules = [x for f in rule_sets()[-1][1] for x in ("--rules", f)]
        run([SCAPULA, "replay", "--quiet", "--db", path + ".part"] + rules + [capture])
        os.rename(path + ".part", path)
    return path


def bench_tui(opt):
    capture = captures.large(opt)
    events = count_events(capture)
    if not os.path.exists(capture + ".scapidx"):
        run([SCAPULA, "index", "-q", capture])
    case = case_of(capture)
    random.seed(1)
    ok, peak = True, 0
    first, switch, keys, seeks = [], [], [], []
    for _ in range(opt.runs):
        times, _ = session([], [case])
        first.append(times[0][1])
    for view in VIEWS:
        steps = [{"keys": view}]
        for _ in range(12 if opt.quick else 60):
            steps.append({"keys": random.choice(KEYS)})
        steps += [{"keys": v} for v in VIEWS]
        times, mb = session(steps, [case])
        peak = max(peak, mb)
        switch += [ms for key, ms in times[1:] if key and key in VIEWS]
        mine = [ms for key, ms in times[1:] if key and key not in VIEWS]
        keys += mine
        print("%-28s median %7.1f ms   p95 %7.1f ms   most %7.1f ms: %s" % (
            "keys in view %s" % view, percentile(mine, 0.5), percentile(mine, 0.95), max(mine), max(times[1:], key=lambda t: t[1])[0]))
    for view in "1346":
        steps = [{"keys": view}] + [{"command": "goto", "argument": "#%d" % random.randrange(1, events)} for _ in range(15 if opt.quick else 60)]
        times, mb = session(steps, [case])
        peak = max(peak, mb)
        mine = [ms for key, ms in times if key == "goto"]
        seeks += mine
        print("%-28s median %7.1f ms   p95 %7.1f ms   most %7.1f ms" % ("seeking in view %s" % view, percentile(mine, 0.5), percentile(mine, 0.95), max(mine)))
    print("\n%s: %d events" % (os.path.basename(capture), events))
    ok &= show("first screen", first, FIRST_PAINT, 1)
    ok &= show("any key to the screen", keys, KEY_P95, 0.95)
    ok &= show("seeking anywhere", seeks, SEEK_P95, 0.95)
    ok &= show("another view", switch, SWITCH, 0.95)
    print("%-28s %.1f MB   (%d MB)  %s" % ("memory", peak, MEMORY, "ok" if peak <= MEMORY else "TOO MUCH"))
    if not ok or peak > MEMORY:
        fail("the interface keeps people waiting")

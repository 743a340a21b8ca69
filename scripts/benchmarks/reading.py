# SPDX-License-Identifier: Apache-2.0
"""How fast captures are read and rules evaluated, how soon and in how much memory."""
import functools
import os
import random
import statistics
import sys
import tempfile
import time

from benchmarks import captures
from benchmarks.common import (ROOT, SCAPULA, WORK, count_events, fail, heading, in_turns, info, measure, median, replay, row, rule_sets, run,
                               state_only, timed)

MORE_RULES = 10  # times
EXEC_FILTER = ["-F", "evt.type = execve"]


# --- replay ---

def bench_replay(opt):
    replay_plain(captures.busy()[0], opt)
    replay_packed(captures.busy()[1], opt)
    if not opt.quick:
        replay_plain(captures.large_plain(opt), opt)
        replay_packed(captures.large(opt), opt)
    replay_peer(captures.peer(opt), "what describes processes", opt.runs)
    replay_peer(captures.peer(opt, captures.PEER_CALLS), "calls, each as two events", opt.runs)
    same_alerts()


def replay_plain(path, opt):
    events = count_events(path)
    heading("%s: %d events" % (os.path.basename(path), events))
    row("state only", events, state_only() + [path], opt.runs)
    row("filter evt.type = execve", events, state_only() + EXEC_FILTER + [path], opt.runs)
    for label, files in rule_sets():
        cpu = row(label, events, replay(files) + [path], opt.runs)
    many = row("%d times as many" % MORE_RULES, events, replay([captures.variants(files, MORE_RULES)]) + [path], opt.runs)
    print("%d times as many rules cost %.2f times as much" % (MORE_RULES, many / cpu))


def replay_packed(path, opt):
    """With two processors decompression has a thread of its own, which costs CPU: caches are shared."""
    events = count_events(path)
    one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    heading("%s: %d events" % (os.path.basename(path), events))
    row("state only, decompressed ahead", events, state_only() + [path], opt.runs)
    row("state only, one processor", events, one + state_only() + [path], opt.runs)
    for label, files in rule_sets():
        row("%s, one processor" % label, events, one + replay(files) + [path], opt.runs)


def replay_peer(peer, what, runs):
    sysdig, path = peer
    if not sysdig:
        return
    events = captures.count_blocks(path)
    heading("peer capture, %s: %d events as stored" % (what, events))
    ours = row("scapula, state only", events, state_only() + [path], runs)
    # A filter that nothing passes: the events are read and parsed, nothing is printed.
    theirs = row("sysdig, no output", events, [sysdig, "-r", path, "evt.num=0"], runs)
    print("scapula is %.2f times as fast as sysdig" % (theirs / ours))


def same_alerts():
    """What was measured is worth nothing if it gives other alerts."""
    sys.path.append(os.path.join(ROOT, "tests"))
    os.environ["SCAPULA"] = SCAPULA
    import golden_alerts
    names = golden_alerts.names()
    if not names:
        print("\nalerts beside those of the reference: skipped (they are not here)")
        return
    different = {}
    for name in names:
        text = golden_alerts.difference(name, ["-j", "1"])
        if text:
            different.setdefault(name.split(".")[0], "%s\n%s" % (name, text))
    all_captures = {name.split(".")[0] for name in names}
    print("\nalerts equal those of the reference: %d of %d captures" % (len(all_captures) - len(different), len(all_captures)))
    if different:
        fail("other alerts:\n" + "\n".join(different.values()))


# --- memory ---

def bench_memory(opt):
    """By the length of a capture: its parts from the start."""
    source, million = captures.large(opt), 1000000
    lengths = [1, 2, 3] if opt.quick else [1, 5, 20]
    label, files = rule_sets()[-1]
    heading("%s, of %s, without an index" % (label, os.path.basename(source)))
    for n in lengths:
        path = captures.first_events(source, n * million, ".scap.zst")
        row("%d million events" % n, count_events(path), replay(files) + [path], opt.runs)


# --- start ---

STARTS = 101


def bench_start(opt):
    """Milliseconds from fork to wait."""
    source = captures.recorded("build")
    if not os.path.exists(source):
        source = captures.own("intrusion")
    hundred = captures.first_events(source, 100, ".scap")
    one = captures.with_one_event(hundred)
    cases = [("%s, %s" % (label, what), replay(files, "--progress", "never") + [path])
             for label, files in rule_sets() for what, path in (("1 event", one), ("100 events", hundred))]
    runs = 11 if opt.quick else STARTS
    print("%-44s %11s %11s" % ("wall-clock time of %d runs, in turns" % runs, "median", "worst"))
    for (label, _), found in zip(cases, in_turns([functools.partial(timed, args) for _, args in cases], runs)):
        print("%-44s %8.1f ms %8.1f ms" % (label, 1000 * median(found, "wall"), 1000 * max(one.wall for one in found)))


# --- printing ---

TEN_FIELDS = ("*%evt.num %evt.rawtime %evt.type %thread.tid %proc.name %proc.pid %proc.pname %fd.name %fd.type "
              "%user.name")


def count_lines(args):
    """Lines that a command prints."""
    with tempfile.TemporaryFile(dir=WORK) as out:
        timed(args, out)
        out.seek(0)
        return sum(chunk.count(b"\n") for chunk in iter(lambda: out.read(1 << 20), b""))


def bench_events(opt):
    plain, _ = captures.busy()
    heading("%s: lines per second" % os.path.basename(plain))
    events = count_events(plain)
    row("ten fields as JSON", events, [SCAPULA, "events", "-f", "json", "-p", TEN_FIELDS, plain], opt.runs)
    row("ten fields as text", events, [SCAPULA, "events", "-p", TEN_FIELDS, plain], opt.runs)
    row("default line", events, [SCAPULA, "events", plain], opt.runs)
    sysdig, path = captures.peer(opt)
    if not sysdig:
        return
    # An event of ours is an exit with its enter; sysdig prints both as lines of their own. Lines are what is counted.
    heading("peer capture")
    for label, ours, theirs in (("ten fields as JSON", ["-f", "json", "-p", TEN_FIELDS], ["-j", "-p", TEN_FIELDS]),
                                ("ten fields as text", ["-p", TEN_FIELDS], ["-p", TEN_FIELDS]),
                                ("default line", [], [])):
        rates = []
        for name, args in (("scapula", [SCAPULA, "events"] + ours + [path]), ("sysdig", [sysdig, "-r", path] + theirs)):
            lines = count_lines(args)
            rates.append(lines / row("%s, %s" % (name, label), lines, args, opt.runs))
        print("ratio of lines per second: %.1f" % (rates[0] / rates[1]))


# --- in the middle of a large capture ---

SEEKS = 41


def no_rules():
    """A rule file without rules."""
    path = os.path.join(WORK, "no-rules.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("- list: nothing\n  items: []\n")
    return path


def bench_seek(opt):
    path = captures.large(opt)
    index = path + ".scapidx"
    facts = info(path)
    heading("%s: %d events, %.1f MB as stored, %.1f MB raw" % (
        os.path.basename(path), facts["events"], facts["file_size"] / 1e6, facts["stream_size"] / 1e6))
    if os.path.exists(index):
        os.unlink(index)
    row("count events", facts["events"], state_only() + [path], opt.runs)
    plain = row("replay, no rules", facts["events"], replay([no_rules()], "-j", "2") + [path], opt.runs)
    indexing = row("index", facts["events"], [SCAPULA, "index", "-q", path], opt.runs)
    print("indexing runs at %.0f %% of replaying without rules, by CPU; the index is %.2f %% of the raw size" % (
        100 * plain / indexing, 100 * os.path.getsize(index) / facts["stream_size"]))
    first, last = captures.span(facts)
    dice, took = random.Random(1), []
    for _ in range(SEEKS):
        at = dice.randrange(first, last)
        started = time.monotonic()
        run([SCAPULA, "events", "--from", str(at), "-n", "10", path])
        took.append(1000 * (time.monotonic() - started))
    print("events --from T -n 10, %d random T: %.1f ms median, %.1f ms at most" % (SEEKS, statistics.median(took), max(took)))
    for label, files in rule_sets():
        walls = []
        for j in ("1", "2"):
            args = replay(files, "-j", j) + [path]
            cpu, wall, peak = measure(args, opt.runs)
            walls.append(wall)
            print("%-44s %7.2f M/s %7.2f M/s %6.1f MB" % ("%s, -j %s" % (label, j), facts["events"] / cpu / 1e6,
                                                          facts["events"] / wall / 1e6, peak), flush=True)
        print("-j 2 is %.2f times as fast as -j 1" % (walls[0] / walls[1]))

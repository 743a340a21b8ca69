# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: the program, the rule files, running and timing commands, a row of a table."""
import collections
import functools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
WORK = os.environ.get("BENCH_DIR", os.path.join(ROOT, "build", "bench"))
SCAPULA = os.path.abspath(os.environ.get("SCAPULA", os.path.join(ROOT, "build", "release", "scapula")))
# Indexes are there where a measurement makes them; commands leave none behind and find none.
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", SCAPULA_CACHE_SIZE="0")


def fail(text):
    sys.exit("scripts/bench: " + text)


def check_end(args, status, err):
    """End if a command did not do what it was to do: what failed is soon done, and would look fast."""
    if status:
        fail("%s ended with status %d%s" % (" ".join(args)[:400], status, ": " + err[-500:] if err else ""))


def run(args):
    """What a command prints."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    check_end(args, p.returncode, p.stderr.decode("utf-8", "replace"))
    return p.stdout


def info(capture):
    return json.loads(run([SCAPULA, "info", "-q", "-f", "json", capture]))


def count_events(capture):
    return info(capture)["events"]


Timed = collections.namedtuple("Timed", "cpu wall peak err")  # seconds, its children's included; MB; what it said


def timed(args, out=subprocess.DEVNULL):
    """Run a command, whose output goes to @out; the peak of memory is not asked for."""
    with tempfile.TemporaryFile() as said:
        start = time.monotonic()
        p = subprocess.Popen(args, stdout=out, stderr=said, env=ENV)
        _, status, usage = os.wait4(p.pid, 0)
        elapsed = time.monotonic() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        err = said.read().decode("utf-8", "replace")
    check_end(args, p.returncode, err)
    return Timed(usage.ru_utime + usage.ru_stime, elapsed, None, err)


def timed_with_peak(args, out=subprocess.DEVNULL):
    """The peak is what time(1) says: a process that this one starts itself counts this one's memory as its own."""
    with tempfile.NamedTemporaryFile(dir=WORK) as note:
        found = timed(["time", "-q", "-f", "%M", "-o", note.name] + args, out)
        return found._replace(peak=int(note.read()) * 1024 / 1e6)


def in_turns(kinds, runs):
    """Call each of @kinds once in a round, and the order is another in each: all meet the same machine. The first round
    warms the page cache and is not counted. Returns the list of what each returned."""
    found, dice = [[] for _ in kinds], random.Random(1)
    for i in range(runs + 1):
        for k in dice.sample(range(len(kinds)), len(kinds)):
            result = kinds[k]()
            if i:
                found[k].append(result)
    return found


def median(found, what):
    """Of one member of each Timed."""
    return statistics.median(getattr(one, what) for one in found)


def measure_together(commands, runs):
    """Of each command, median CPU and wall-clock seconds of @runs runs, in turns, and the peak of memory in MB."""
    turns = in_turns([functools.partial(timed_with_peak, args) for args in commands], runs)
    return [(median(found, "cpu"), median(found, "wall"), max(one.peak for one in found)) for found in turns]


def measure(args, runs):
    return measure_together([args], runs)[0]


def heading(text):
    print("\n%s\n%-44s %11s %11s %9s" % (text, "", "CPU", "wall", "peak"))


def print_row(label, events, measured):
    cpu, wall, peak = measured
    print("%-44s %7.2f M/s %7.2f M/s %6.1f MB" % (label, events / cpu / 1e6, events / wall / 1e6, peak), flush=True)


def row(label, events, args, runs):
    """Measure and print rates; returns CPU seconds."""
    measured = measure(args, runs)
    print_row(label, events, measured)
    return measured[0]


def rule_sets():
    """Labels and files: few rules, and many where there are many."""
    peers = os.path.join(SHARED, "peer-rules")
    if os.path.isdir(peers):
        names = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
        paths = [os.path.join(peers, n) for n in names]
        return [("stable rules", paths[:1]), ("all three rule files", paths)]
    return [("starter rules", [os.path.join(ROOT, "rules", "starter.yaml")])]


def replay(files, *more):
    """The command that replays with rule @files, in one thread unless told otherwise; the capture is to be added."""
    return [SCAPULA, "replay", "-q", "-f", "json"] + (list(more) or ["-j", "1"]) + [a for f in files for a in ("-r", f)]


def state_only():
    """The command that only reads and follows processes and descriptors; the capture is to be added."""
    return [SCAPULA, "events", "--no-index", "--count"]

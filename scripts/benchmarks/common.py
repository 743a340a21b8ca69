# SPDX-License-Identifier: Apache-2.0
"""What the measurements share: the program, the rule files, running and timing commands, a row of a table."""
import json
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
WORK = os.environ.get("BENCH_DIR", os.path.join(ROOT, "build", "bench"))
SCAPULA = os.path.abspath(os.environ.get("SCAPULA", os.path.join(ROOT, "build", "release", "scapula")))
# Indexes are there where a measurement makes them; commands leave none behind and find none.
ENV = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", SCAPULA_CACHE_SIZE="0")


def fail(text):
    sys.exit("scripts/bench: " + text)


def ended_badly(args, status, err=""):
    fail("%s ended with status %d%s" % (" ".join(args), status, ": " + err[-500:] if err else ""))


def run(args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    if p.returncode not in (0, 1):
        ended_badly(args, p.returncode, p.stderr.decode("utf-8", "replace"))
    return p.stdout


def info(capture):
    return json.loads(run([SCAPULA, "info", "-q", "-f", "json", capture]))


def count_events(capture):
    return info(capture)["events"]


def measure_together(commands, runs):
    """Of each command, median CPU and wall-clock seconds of @runs runs, in turns, after one that warms the page cache, and the peak of memory in MB.

    The peak is what time(1) says: a process that this one starts itself counts this one's memory as its own.
    """
    found = [([], [], []) for _ in commands]
    note = os.path.join(WORK, "peak.%d" % os.getpid())
    for i in range(runs + 1):
        for args, (cpu, wall, peaks) in zip(commands, found):
            start = time.monotonic()
            p = subprocess.Popen(["time", "-q", "-f", "%M", "-o", note] + args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
            _, status, usage = os.wait4(p.pid, 0)
            elapsed = time.monotonic() - start
            p.returncode = os.waitstatus_to_exitcode(status)
            if p.returncode not in (0, 1):
                ended_badly(args, p.returncode)
            if i:
                cpu.append(usage.ru_utime + usage.ru_stime)
                wall.append(elapsed)
                with open(note) as f:
                    peaks.append(int(f.read()) * 1024 / 1e6)
    os.unlink(note)
    return [(statistics.median(cpu), statistics.median(wall), max(peaks)) for cpu, wall, peaks in found]


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

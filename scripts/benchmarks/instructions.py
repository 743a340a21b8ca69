# SPDX-License-Identifier: Apache-2.0
"""Instructions, counted by callgrind: the same on a busy machine, and so what a test can hold to.

Counted are starts with each set of rules, and events: what a capture costs more than a start, which has one. Runs of one
program give the same counts, as the seed of its hash tables is given. Libraries choose functions by processor; here they are
told that it has nothing but what every x86-64 has, so that the counts are those of any machine. Another C library or compiler
gives others.
"""
import concurrent.futures
import os
import platform
import re
import shutil
import subprocess

from benchmarks import captures
from benchmarks.common import ENV, ROOT, SHARED, WORK, check_end, count_events, fail, replay, rule_sets, run, state_only

TABLE = os.path.join(ROOT, "tests", "instructions.tsv")
GROWTH = 1.03
GIVEN = ["build", "container", "intrusion", "persist"]
OWN = ["intrusion", "network", "sessions", "uring"]
# Extensions by which the C library chooses; what a library does not know it ignores.
HIDDEN = """AVX AVX2 AVX512F AVX512VL AVX512BW AVX512DQ AVX512CD AVX_Fast_Unaligned_Load BMI1 BMI2 LZCNT MOVBE RTM
 ERMS FSRM FSRS SSE3 SSSE3 SSE4_1 SSE4_2 POPCNT XSAVE XSAVEC Fast_Unaligned_Copy Prefer_No_VZEROUPPER""".split()
TUNABLES = ":".join(["glibc.cpu.hwcaps=" + ",".join("-" + name for name in HIDDEN), "glibc.cpu.x86_non_temporal_threshold=0xc0000",
                     "glibc.cpu.x86_rep_movsb_threshold=0x800", "glibc.cpu.x86_rep_stosb_threshold=0x800"])
UPDATE = "If that is meant: scripts/bench check --update."


def seed():
    """A library that gives hash tables the same seed in every run."""
    library = os.path.join(WORK, "seed.so")
    run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(os.path.dirname(os.path.abspath(__file__)), "seed.c")])
    return library


def instructions(args, preload):
    """How many a command takes."""
    p = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + args,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=dict(ENV, LD_PRELOAD=preload, GLIBC_TUNABLES=TUNABLES, OPENSSL_ia32cap="0:0"))
    check_end(args, p.returncode, p.stderr)
    return int(re.search(r"Collected\s*:\s*(\d+)", p.stderr)[1])


def commands(given):
    """Label and command, for each set of rules."""
    starter = [("starter rules", [os.path.join(ROOT, "rules", "starter.yaml")])]
    return [("state only", state_only())] + [(label, replay(files)) for label, files in (rule_sets() if given else starter)]


def count(given):
    """Name and instructions of each start and of the events of four captures, those given or the repository's."""
    preload = seed()
    first = captures.with_one_event(captures.own("intrusion"))
    paths = [(n, captures.unzipped(captures.recorded(n) if given else captures.own(n))) for n in (GIVEN if given else OWN)]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        pending = [(label, pool.submit(instructions, command + [first], preload),
                    [(name, path, pool.submit(instructions, command + [path], preload)) for name, path in paths])
                   for label, command in commands(given)]
        for label, start, runs in pending:
            yield "start, " + label, start.result()
            for name, path, result in runs:
                yield "%s, %s" % (name, label), (result.result() - start.result()) / count_events(path)


def read_table():
    if not os.path.exists(TABLE):
        return {}
    with open(TABLE, encoding="utf-8") as f:
        return {name: float(n) for name, n in (line.split("\t") for line in f if not line.startswith("#"))}


def counted_with():
    compiler = run(["cc", "-dumpfullversion"]).decode().strip()
    return "# Counted with %s %s and cc %s on %s.\n" % (*platform.libc_ver(), compiler, platform.machine())


def is_counted_here():
    """Was the table made with such a C library and compiler?"""
    with open(TABLE, encoding="utf-8") as f:
        return counted_with() in f


def write_table(rows):
    with open(TABLE, "w", encoding="utf-8") as f:
        f.write("# Instructions of a start, and of an event of a capture: scripts/bench check --update\n" + counted_with())
        f.writelines("%s\t%.1f\n" % row for row in rows)


def compare(known, rows):
    """Print @rows as they come; what grew, and what is not known."""
    worse, unknown = [], []
    for name, n in rows:
        before = known.get(name)
        print("%-36s %12.1f%s" % (name, n, "  %+6.2f %%" % (100 * n / before - 100) if before else "  not known"), flush=True)
        if not before:
            unknown.append(name)
        elif n > GROWTH * before:
            worse.append(name)
    return worse, unknown


def bench_check(opt):
    given = all(os.path.exists(captures.recorded(n)) for n in GIVEN)
    if not shutil.which("valgrind"):
        fail("valgrind is not installed: scripts/deps")
    known = read_table()
    if opt.update:
        if not given:
            fail("the table is of all captures, and those of %s are not here" % SHARED)
        rows = [(name, n) for which in (False, True) for name, n in count(which)]
        compare(known, rows)
        write_table(dict(rows).items())
        return
    if not is_counted_here():
        print("tests/instructions.tsv was counted with another C library or compiler; nothing is compared. Here it is:\n%s"
              "Counts are made anew by scripts/bench check --update." % counted_with()[2:])
        return
    worse, unknown = compare(known, count(given))
    if worse:
        fail("over %.0f %% more instructions than in tests/instructions.tsv: %s. %s" % (100 * GROWTH - 100, "; ".join(worse), UPDATE))
    if unknown:
        fail("not in tests/instructions.tsv: %s. Add them by scripts/bench check --update." % "; ".join(unknown))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damaged captures never crash, hang or eat memory, and never lose a whole event before the damage.

usage: damage.py [--cuts N] [--flips N] [--seed S] [--captures NAME,...]

Each capture, plain and as gzip (small ones as zstd, too), is cut at N evenly spread lengths and changed in
N single bytes; each variant is replayed with rules, and read by one of the other commands, which take turns. The program
under test should be a sanitizer build. One process reads many variants, as several captures of one run.
"""
import argparse
import gzip
import itertools
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

BATCH = 50  # variants per process
SMALL = 300000  # bytes
RESIDENT_MB = 700
REPLAY = ["replay", "-q", "-r", os.path.join(check.ROOT, "rules", "starter.yaml")]
OTHERS = [["tree", "-q", "--dead", "--threads"], ["net", "-q", "--all", "--unix"], ["sessions", "-q", "--all", "--all-execs"],
          ["fds", "-q", "-f", "json"], ["events", "-q", "--color", "always"], ["info", "-q"],
          ["sessions", "-q", "--all", "-f", "json"], ["events", "-q", "-f", "csv", "-p", "*%evt.info %proc.aname %fd.name"]]


def stored_forms(path):
    """(name, bytes) of a capture as plain, gzip and, if small, zstd."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        data = subprocess.run(["zstd", "-dcq"], input=data, check=True, stdout=subprocess.PIPE).stdout
    forms = [("plain", data), ("gzip", gzip.compress(data, 6, mtime=0))]
    if len(data) < SMALL:
        zst = subprocess.run(["zstd", "-cq", "-3"], input=data, check=True, stdout=subprocess.PIPE).stdout
        forms.append(("zstd", zst))
    return forms


def variants(data, cuts, flips, rng):
    for i in range(cuts):
        n = len(data) * i // cuts
        yield "cut at %d" % n, data[:n]
    for _ in range(flips):
        at = rng.randrange(len(data))
        value = rng.randrange(1, 256)
        changed = bytearray(data)
        changed[at] ^= value
        yield "byte %d xor %#x" % (at, value), bytes(changed)


def run(command, paths):
    """Read files in one process; returns (status, stderr, peak resident MB)."""
    env = dict(os.environ, TZ="UTC", ASAN_OPTIONS="exitcode=99:detect_leaks=0:allocator_may_return_null=1",
               UBSAN_OPTIONS="print_stacktrace=1")
    p = subprocess.run(["/usr/bin/env", "python3", "-c",
                        "import resource,subprocess,sys\n"
                        "p=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL)\n"
                        "print('RSS',resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss//1024)\n"
                        "sys.exit(p.returncode if p.returncode>=0 else 128-p.returncode)",
                        check.scapula_path()] + command + paths,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, timeout=600)
    rss = int(p.stdout.split()[-1]) if p.stdout.startswith(b"RSS") else -1
    return p.returncode, p.stderr.decode("utf-8", "replace"), rss


def is_sound(status, err, rss):
    return status in (0, 4, 5) and rss <= RESIDENT_MB and "runtime error" not in err


def run_batch(r, folder, batch, commands, name):
    paths = []
    for i, (what, data) in enumerate(batch):
        path = os.path.join(folder, "%03d.scap" % i)
        with open(path, "wb") as f:
            f.write(data)
        paths.append(path)
    for command in commands:
        if is_sound(*run(command, paths)):
            r.passed += len(batch)
            continue
        # Find the one to blame.
        for (what, _), path in zip(batch, paths):
            status, err, rss = run(command, [path])
            r.check(is_sound(status, err, rss), "%s, %s: %s" % (name, what, command[0]),
                    "  status %d, %d MB\n%s" % (status, rss, err[:3000]))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--cuts", type=int, default=100)
    ap.add_argument("--flips", type=int, default=100)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--captures", default="")
    opt = ap.parse_args()
    r = check.Results("damage")
    paths = [check.DEMO]
    if check.have_shared():
        names = ["cat_write", "connect_localhost", "curl_google", "curl_google_comments", "ping_sendto",
                 "psp_run_as_user_0_container", "sample", "single_ipv6_conn", "build", "container", "intrusion",
                 "network", "persist"]
        paths = [check.corpus(n) for n in names]
    if opt.captures:
        wanted = opt.captures.split(",")
        paths = [p for p in paths if os.path.basename(p).split(".")[0] in wanted]
    others = itertools.cycle(OTHERS)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        for path in paths:
            for form, data in stored_forms(path):
                name = "%s (%s)" % (os.path.basename(path), form)
                rng = random.Random("%d %s" % (opt.seed, name))
                batch = []
                for v in variants(data, opt.cuts, opt.flips, rng):
                    batch.append(v)
                    if len(batch) == BATCH:
                        run_batch(r, folder, batch, [REPLAY, next(others)], name)
                        batch = []
                if batch:
                    run_batch(r, folder, batch, [REPLAY, next(others)], name)
    r.finish()


main()

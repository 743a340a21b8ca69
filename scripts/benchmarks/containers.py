# SPDX-License-Identifier: Apache-2.0
"""Sizes of recordings by container, and what decompressing them costs."""
import os
import subprocess

from benchmarks import captures
from benchmarks.common import ROOT, SCAPULA, WORK, measure, run


def record_here():
    """A recording of what a host does: programs start, files are read, archives made. None where it is not permitted."""
    path = os.path.join(WORK, "here.scap")
    if os.path.exists(path):
        return path
    if subprocess.run([SCAPULA, "record", "--check"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        print("a recording of this host: skipped (it may not be recorded: `scapula record --check`)")
        return None
    work = "find /usr -type f -name '*.h' | head -3000 | xargs cat | gzip -1 | wc -c; for i in 1 2 3 4 5 6 7 8; do " \
           "tar c /usr/share/perl /usr/include | tar t | sort | md5sum; ls -lR /etc /usr/share/doc | wc -l; " \
           "perl -e 'opendir D, \"/usr/bin\"; print map { -s \"/usr/bin/$_\" } readdir D' | md5sum; " \
           "git -C %s log --stat -20 | wc -l; done" % ROOT
    run([SCAPULA, "record", "-q", "--no-seal", "-o", path, "--", "sh", "-c", work])
    return path


def unpack_seconds(command, path, runs):
    return measure([command, "-dc", path], runs)[0]


def bench_compress(opt):
    paths = [captures.busy()[0], captures.recorded("build"), record_here()]
    print("%-14s %9s | %9s | %9s %7s | %9s %7s | %s" % (
        "", "plain MB", "gzip -6", "zstd", "", "level 9", "", "gzip / zstd to decompress, CPU"))
    for capture in [p for p in paths if p and os.path.exists(p)]:
        sizes, packed = {}, {}
        for label, suffix, more in (("gzip", ".gz", ["--level", "6"]), ("zstd", ".zst", []), ("zstd9", ".9.scap.zst", ["--level", "9"])):
            packed[label] = os.path.join(WORK, "packed-" + os.path.basename(capture) + suffix)
            run([SCAPULA, "convert", "-q", "--force", "--no-seal", capture, "-o", packed[label]] + more)
            sizes[label] = os.path.getsize(packed[label])
        ratio = unpack_seconds("gzip", packed["gzip"], opt.runs) / max(unpack_seconds("zstd", packed["zstd"], opt.runs), 0.001)
        print("%-14s %9.1f | %9.2f | %9.2f -%4.1f %% | %9.2f -%4.1f %% | %.1f" % (
            os.path.basename(capture), os.path.getsize(capture) / 1e6, sizes["gzip"] / 1e6,
            sizes["zstd"] / 1e6, 100 - 100 * sizes["zstd"] / sizes["gzip"],
            sizes["zstd9"] / 1e6, 100 - 100 * sizes["zstd9"] / sizes["gzip"], ratio), flush=True)

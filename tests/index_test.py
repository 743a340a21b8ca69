#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What commands print with an index is what they print without it.

Every container, any place to begin at; and indexes that are damaged or of another file.
"""
import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("index")
OWN = os.path.join(check.ROOT, "tests", "captures")
CAPTURES = [os.path.join(OWN, name + ".scap") for name in ("intrusion", "network", "uring")]
SHARED = ["public/sample.scap", "public/curl_google.scap", "public/psp_run_as_user_0_container.scap", "recorded/container.scap", "recorded/persist.scap"]
FORMAT = ("%evt.num %evt.time %evt.type %evt.deltatime %proc.name %proc.cmdline %fd.name %evt.args %user.name %thread.tid %proc.aname[2] "
          "%proc.cwd %evt.latency %container.id")
MEMBER = 40000  # bytes of a gzip member or zstd frame


def containers(folder, path):
    """The capture at @path in each container; compressed in one piece, and in many."""
    data = check.read_all(path)
    pieces = [data[i:i + MEMBER] for i in range(0, len(data), MEMBER)]
    out = {"plain.scap": data, "one.scap.gz": gzip.compress(data, 6), "many.scap.gz": b"".join(gzip.compress(p, 1) for p in pieces)}
    if shutil.which("zstd"):
        def zstd(p):
            return subprocess.run(["zstd", "-qc"], input=p, stdout=subprocess.PIPE, check=True).stdout
        out["one.scap.zst"] = zstd(data)
        out["many.scap.zst"] = b"".join(zstd(p) for p in pieces)
    for name, contents in out.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(contents)
    return [os.path.join(folder, name) for name in out]


def windows(path, rng):
    """Options that begin somewhere: by absolute and relative times, by number."""
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    yield ["--from", "@%d.%09d" % divmod(times[0], 10**9)]
    yield ["--from", "@%d.%09d" % divmod(max(times) + 1, 10**9)]
    for _ in range(4):
        yield ["--from", "@%d.%09d" % divmod(rng.choice(times), 10**9), "-n", "30"]
        yield ["--from", "+%dns" % (rng.choice(times) - times[0]), "-n", "30"]
        yield ["--to", "@%d.%09d" % divmod(rng.choice(times), 10**9), "--count"]
        yield ["--evt", "%d..%d" % (rng.randrange(1, len(times) + 1), len(times)), "-n", "30"]
        a, b = sorted(rng.choice(times) for _ in range(2))
        yield ["--from", "@%d.%09d" % divmod(a, 10**9), "--to", "@%d.%09d" % divmod(b, 10**9), "-F", "evt.type in (openat, execve, connect)"]


def compare(path, rng):
    index = path + ".scapidx"
    status, _, err = check.run(["index", "--every", "300", path])
    r.check(status in (0, 5) and " chunk" in err and os.path.exists(index), "%s: index" % os.path.basename(path), err)
    for options in windows(path, rng):
        options = options + rng.choice(([], ["--containers"], ["-f", "json"]))
        args = ["events", "-p", FORMAT] + options + [path]
        got = check.run(args)
        os.rename(index, index + ".away")
        want = check.run(args)
        os.rename(index + ".away", index)
        r.equal(got, want, "%s %s" % (os.path.basename(path), " ".join(options)))


def unusable(folder):
    """Whatever is wrong with an index costs time only, and is told."""
    path = os.path.join(folder, "unusable.scap")
    shutil.copy(CAPTURES[0], path)
    index = path + ".scapidx"
    args = ["events", "--evt", "15000..15010", path]
    want = check.run(args)
    check.run(["index", path])
    with open(index, "rb") as f:
        good = f.read()
    rng = random.Random(7)
    for i in range(40):
        bad = bytearray(good)
        if i % 2:
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        else:
            del bad[rng.randrange(len(bad)):]
        with open(index, "wb") as f:
            f.write(bad)
        status, out, err = check.run(args)
        r.equal((status, out), want[:2], "a damaged index, %d" % i)
        r.check("runtime error" not in err and "Sanitizer" not in err, "a damaged index, %d: clean" % i, err)
    with open(index, "wb") as f:
        f.write(good)
    with open(path, "ab") as f:
        f.write(check.read_all(CAPTURES[1]))
    status, out, err = check.run(args)
    r.check(out == want[1] and "is not of" in err and "going on without" in err, "an index of the capture as it was", err)
    status, out, err = check.run(["index", os.path.join(folder, "nowhere.scap")])
    r.check(status == 4 and "nowhere.scap" in err, "no capture to index", err)
    status, out, err = check.run(["index", "-"])
    r.check(status == 4, "standard input cannot be indexed", err)
    status, out, err = check.run(["index", "--every", "3", path])
    r.check(status == 3 and "--every 3" in err, "checkpoints that are too close", err)


def damaged(folder):
    """What an index spares reading has its damage told all the same."""
    path = os.path.join(folder, "damaged.scap")
    data = bytearray(check.read_all(CAPTURES[0]))
    data[len(data) // 2:len(data) // 2 + 300] = bytes(300)
    with open(path, "wb") as f:
        f.write(data)
    for options in (["--evt", "18000..18800"], ["--to", "+10ms"], ["--from", "+1ms"]):
        args = ["events"] + options + [path]
        want = check.run(args)
        check.run(["index", "--every", "300", path])
        got = check.run(args)
        os.unlink(path + ".scapidx")
        r.equal((got[0], got[1]), (want[0], want[1]), "damage, %s" % options)
        r.check(got[0] == 5 and "gap" in got[2] or got[2] == want[2], "damage, %s: told" % options, got[2] + want[2])


def main():
    rng = random.Random(20)
    captures = list(CAPTURES)
    if os.path.isdir(check.SHARED):
        captures += [os.path.join(check.SHARED, "corpus", name) for name in SHARED]
    else:
        r.skip("the shared captures are not here: fewer are indexed")
    for capture in captures:
        with tempfile.TemporaryDirectory() as folder:
            for path in containers(folder, capture):
                compare(path, rng)
    with tempfile.TemporaryDirectory() as folder:
        unusable(folder)
        damaged(folder)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What commands print with an index is what they print without it.

Every container, any place to begin at; and indexes that are damaged or of another file.
"""
import gzip
import json
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
    for _ in range(2):
        yield ["--from", "@%d.%09d" % divmod(rng.choice(times), 10**9), "-n", "30"]
        yield ["--from", "+%dns" % (rng.choice(times) - times[0]), "-n", "30"]
        yield ["--to", "@%d.%09d" % divmod(rng.choice(times), 10**9), "--count"]
        yield ["--evt", "%d..%d" % (rng.randrange(1, len(times) + 1), len(times)), "-n", "30"]
        a, b = sorted(rng.choice(times) for _ in range(2))
        yield ["--from", "@%d.%09d" % divmod(a, 10**9), "--to", "@%d.%09d" % divmod(b, 10**9), "-F", "evt.type in (openat, execve, connect)"]


FILTERS = ["evt.type = execve", "evt.type in (connect, accept4)", "evt.type = mkdir and proc.name = mkdir", "evt.type = kexec_load",
           "thread.tid = %d", "evt.type = openat and thread.tid = %d", "not evt.type = openat", "thread.tid = 4000000"]
VIEWS = [["tree"], ["tree", "--dead"], ["tree", "--dead", "-F", "proc.name = bash"], ["tree", "--no-containers"], ["fds"], ["net"], ["net", "--all"],
         ["net", "--all", "-F", "fd.l4proto = tcp and not proc.name startswith s"], ["net", "--all", "--unix"], ["sessions"], ["sessions", "-F", "user.uid = 0"], ["sessions", "--all", "--all-execs"]]


def moments(path, rng):
    """Values of --at: before, within and behind the capture, and none."""
    times = [int(t) for t in check.run(["events", "-q", "-p", "%evt.rawtime", path])[1].split()]
    yield []
    yield ["--at", "evt:%d" % rng.choice((0, 1, len(times), len(times) + 1))]
    yield ["--at", "@%d.%09d" % divmod(rng.choice((times[0] - 1, max(times) + 1)), 10**9)]
    for _ in range(2):
        yield ["--at", "evt:%d" % rng.randrange(1, len(times))]
        yield ["--at", "@%d.%09d" % divmod(rng.choice(times), 10**9)]
    yield ["--at", "+%dns" % (rng.choice(times) - times[0])]


def same_answers(path, commands):
    """Each command with the index and without."""
    for args in commands:
        r.equal(check.run(args + [path]), check.run(args + ["--no-index", path]), "%s %s" % (os.path.basename(path), " ".join(args)))


def compare_views(path, rng):
    for at in moments(path, rng):
        same_answers(path, [view + at + rng.choice((["-f", "json"], ["-f", "csv"], [])) for view in rng.sample(VIEWS, 4)])


def compare_filters(path, rng):
    tids = check.run(["events", "-q", "-p", "%thread.tid", path])[1].split()
    for text in rng.sample(FILTERS, 4):
        text = text % int(rng.choice(tids)) if "%" in text else text
        how = rng.choice((["--count"], ["-p", FORMAT], ["-p", "%evt.num %evt.type %proc.name %fd.name"], ["-n", "3"], ["--evt", "200..4000"]))
        same_answers(path, [["events", "-F", text] + how])


def compare_info(path):
    """All of it, but for the line that says so."""
    a, b = check.run(["info", path]), check.run(["info", "--no-index", path])
    lines = a[1].splitlines()
    r.check(sum(line.startswith("indexed  ") for line in lines) == 1, "%s: info says that it is indexed" % os.path.basename(path), a[1])
    r.equal(([line for line in lines if not line.startswith("indexed  ")], a[0], a[2]), (b[1].splitlines(), b[0], b[2]),
            "%s: info" % os.path.basename(path))
    a, b = (json.loads(check.run(["info", "-f", "json"] + more + [path])[1]) for more in ([], ["--no-index"]))
    r.equal((a.pop("indexed"), b.pop("indexed")), (True, False), "%s: indexed, as JSON" % os.path.basename(path))
    r.equal(a, b, "%s: info as JSON" % os.path.basename(path))


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
    if "one" not in os.path.basename(path):
        compare_filters(path, rng)
    if rng.randrange(2):
        compare_views(path, rng)
    compare_info(path)


def cached(folder):
    """A command that begins late in a capture leaves an index, if reading from the start takes long: here, always."""
    home, path = os.path.join(folder, "home"), os.path.join(folder, "cached.scap")
    place = os.path.join(home, "scapula")
    shutil.copy(CAPTURES[0], path)
    plain = ["events", "--evt", "15000..15010", path]
    want = check.run(plain + ["--no-index"])

    def run(args, size="1G"):
        return check.run(args, env=dict(XDG_CACHE_HOME=home, SCAPULA_INDEX_AFTER="0", SCAPULA_CACHE_SIZE=size))

    def indexes():
        return sorted(os.listdir(place)) if os.path.isdir(place) else []

    for args in (["events", "--count", path], ["events", "-n", "5", path], ["tree", path], plain + ["--no-index"], plain + ["--mem-limit", "1G"]):
        run(args)
        r.equal(indexes(), [], "no index is made: %s" % args)
    for args in (["events", "--from", "+0.1s", "-n", "1"], ["events", "--evt", "15000"], ["tree", "--at", "+0.5s"], ["net", "--at", "evt:9000"]):
        r.equal(run(args + [path]), check.run(args + ["--no-index", path]), "the index is made: %s" % args)
        names = indexes()
        r.check(len(names) == 1 and names[0].endswith(".scapidx"), "it is in the cache: %s" % args, names)
        r.equal([os.stat(p).st_mode & 0o7777 for p in (place, os.path.join(place, names[0]))], [0o700, 0o600], "nobody else reads it")
        r.equal(run(args + [path]), check.run(args + ["--no-index", path]), "the index is used: %s" % args)
        r.equal(json.loads(run(["info", "-f", "json", path])[1])["indexed"], True, "info uses it")
        r.check(not os.path.exists(path + ".scapidx"), "nothing is written beside the capture")
        os.unlink(os.path.join(place, names[0]))
    r.equal(run(["events", "--evt", "15000..15010", "-"], size="1G")[0], 4, "standard input, which is empty")
    with open(path, "rb") as f:
        p = subprocess.run([check.scapula_path(), "events", "--evt", "15000..15010", "-"], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(os.environ, XDG_CACHE_HOME=home, SCAPULA_INDEX_AFTER="0", SCAPULA_CACHE_SIZE="1G"))
    r.equal((p.stdout.decode(), indexes()), (want[1], []), "standard input is never indexed")
    r.equal((run(plain, size="0"), indexes()), (want, []), "no cache is wanted")
    run(plain)
    name = indexes()[0]
    for i in range(30):
        with open(os.path.join(place, name), "r+b") as f:
            f.seek(i * 997 % os.path.getsize(f.name))
            f.write(b"\xff\x00\xff")
        status, out, err = run(plain)
        r.equal((status, out), want[:2], "a damaged index in the cache")
        r.check("Sanitizer" not in err and "runtime error" not in err, "a damaged index in the cache: clean", err)
    for mode, others in ((0o777, "may write"), (0o700, "may not")):
        os.chmod(place, mode)
        shutil.rmtree(place) if mode == 0o700 else [os.unlink(os.path.join(place, n)) for n in indexes()]
        run(plain)
        r.equal(len(indexes()), mode == 0o700, "a cache that others %s to" % others)


def bounded_cache(folder):
    """What was used longest ago goes; what is used at the same time by many stays whole."""
    home = os.path.join(folder, "small")
    place = os.path.join(home, "scapula")
    env = dict(XDG_CACHE_HOME=home, SCAPULA_INDEX_AFTER="0", SCAPULA_CACHE_SIZE="1G")
    paths = []
    for i in range(3):
        paths.append(os.path.join(folder, "c%d.scap" % i))
        shutil.copy(CAPTURES[1], paths[-1])
        os.utime(paths[-1], ns=(i, i))
    args = ["events", "--evt", "1500"]
    check.run(args + [paths[0]], env=env)
    size = os.path.getsize(os.path.join(place, os.listdir(place)[0]))
    env["SCAPULA_CACHE_SIZE"] = str(2 * size + size // 2)
    check.run(args + [paths[1]], env=env)
    first, second = (next(n for n in os.listdir(place) if n.endswith("-%x.scapidx" % i)) for i in (0, 1))
    for name, ts in ((first, 10), (second, 5)):
        os.utime(os.path.join(place, name), (ts, ts))
    check.run(args + [paths[2]], env=env)
    r.equal(len(os.listdir(place)), 2, "as many as there is room for")
    r.check(first in os.listdir(place) and second not in os.listdir(place), "the one that was used longest ago went", os.listdir(place))
    status, out, err = check.run(["index", "--list"], env=env)
    r.check(status == 0 and out.count(".scapidx") == 2, "the cache's contents", out + err)
    together = [subprocess.Popen([check.scapula_path()] + args + [paths[1]], env=dict(os.environ, **env), stdout=subprocess.PIPE) for _ in range(6)]
    outs = {p.communicate()[0] for p in together}
    r.equal((len(outs), {p.returncode for p in together}), (1, {0}), "six at the same time")
    r.check(all(".partial" not in n for n in os.listdir(place)), "nothing is left over", os.listdir(place))
    status, out, err = check.run(["index", "--clear"], env=env)
    r.equal((status, os.listdir(place)), (0, []), "the cache is empty")


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
    with tempfile.TemporaryDirectory() as folder:
        unusable(folder)
        damaged(folder)
        cached(folder)
        bounded_cache(folder)
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
    r.finish()


main()

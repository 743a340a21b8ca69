#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conversion changes the container and not a byte of what is in it; damage is not papered over."""
import gzip
import hashlib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("convert")
OWN = os.path.join(check.ROOT, "tests", "captures")
SUFFIXES = (".scap", ".scap.gz", ".scap.zst")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def unpacked(path):
    """The data of a capture, by the programs that everybody has."""
    program = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}.get(os.path.splitext(path)[1], ["cat"])
    with open(path, "rb") as f:
        return subprocess.run(program, stdin=f, stdout=subprocess.PIPE, check=True).stdout


def convert(path, out, *options, **kw):
    return check.run(["convert", "--no-seal", *options, path, "-o", out], **kw)


def round_trips(folder, path, name):
    want, raw = digest(check.read_all(path)), check.read_all(path)
    last = path
    for suffix in SUFFIXES + SUFFIXES[1::-1]:
        out = os.path.join(folder, "%s-from-%s%s" % (name, os.path.basename(last).split(".", 1)[1], suffix))
        status, _, err = convert(last, out, "--frame-size", "16K")
        r.check(status == 0, "%s to %s" % (os.path.basename(last), suffix), err)
        r.equal(digest(unpacked(out)), want, "data of %s" % os.path.basename(out))
        last = out
    frames_are_blocks(os.path.join(folder, "%s-from-scap%s" % (name, ".scap.gz")), raw, name)


def frames_are_blocks(path, raw, name):
    """Each member begins with a block."""
    import zlib
    with open(path, "rb") as f:
        data = f.read()
    starts, at = set(), 0
    for _, _, block in scap.blocks_of(raw):
        starts.add(at)
        at += len(block)
    at = members = 0
    while data:
        z = zlib.decompressobj(31)
        r.check(at in starts, "%s: member %d begins with a block" % (name, members))
        at += len(z.decompress(data))
        data, members = z.unused_data, members + 1
    r.check(members > 1 or at < 32768, "%s: has several members" % name, "  %d bytes, %d members" % (at, members))


def streams(folder, path):
    raw = check.read_all(path)
    for stored in (raw, gzip.compress(raw)):
        p = subprocess.run([check.scapula_path(), "convert", "-q", "-", "-o", "-"], input=stored, stdout=subprocess.PIPE)
        r.check(p.returncode == 0 and p.stdout == raw, "from standard input to standard output")


def same_for_any_number_of_threads(folder, path):
    for suffix in SUFFIXES[1:]:
        got = set()
        for jobs in "1", "2", "3", "16":
            out = os.path.join(folder, "j%s%s" % (jobs, suffix))
            status, _, err = convert(path, out, "-j", jobs, "--frame-size", "4K")
            r.check(status == 0, "-j %s" % jobs, err)
            with open(out, "rb") as f:
                got.add(digest(f.read()))
        r.equal(len(got), 1, "%s by 1, 2, 3 and 16 threads" % suffix)


def damage(folder, path):
    raw = check.read_all(path)
    starts, at = [], 0
    for _, _, block in scap.blocks_of(raw):
        starts.append(at)
        at += len(block)
    for what, data, whole in (("cut", raw[:-5], starts[-1]), ("broken", raw[:starts[-9] + 4] + b"\xff" * 4 + raw[starts[-9] + 8:], starts[-9])):
        bad, out = os.path.join(folder, what + ".scap"), os.path.join(folder, what + ".out.scap.zst")
        with open(bad, "wb") as f:
            f.write(data)
        status, _, err = convert(bad, out)
        r.check(status == 5, "%s: status 5" % what, "  status %d\n%s" % (status, err))
        r.check(what == "cut" or "salvage" in err, "%s: salvage is named" % what, err)
        r.equal(digest(unpacked(out)), digest(raw[:whole]), "%s: the blocks before the damage" % what)


def usage(folder, path):
    out = os.path.join(folder, "usage.scap")
    for args, want, word in ((["convert", path], 3, "--output"), (["convert", path, path, "-o", out], 3, "merge"),
                             (["convert", path, "-o", out, "--frame-size", "1"], 3, "4K"), (["convert", path, "-o", out, "-j", "0"], 3, "jobs"),
                             (["convert", path, "-o", path, "--force"], 3, "input"), (["convert", os.path.join(folder, "absent"), "-o", out], 4, "absent"),
                             (["convert", path, "-o", out, "--level", "99"], 3, "level")):
        status, _, err = check.run(args)
        r.check(status == want and word in err, " ".join(args[:1] + [os.path.basename(a) for a in args[1:]]), "  status %d\n%s" % (status, err))
        r.check(not os.path.exists(out), "no output after that")
    with open(out, "w") as f:
        f.write("mine")
    r.equal(convert(path, out)[0], 4, "a file that exists is not replaced")
    r.equal(open(out).read(), "mine", "and not touched")
    r.equal(convert(path, out, "--force")[0], 0, "unless asked for")


def main():
    captures = [(name, os.path.join(OWN, name + ".scap")) for name in ("intrusion", "network", "sessions", "uring")]
    if check.have_shared():
        captures += [(n, check.corpus(n)) for n in ("cat_write", "curl_google_comments", "psp_run_as_user_0_container", "sample", "container", "persist")]
    with tempfile.TemporaryDirectory() as folder:
        for name, path in captures:
            round_trips(folder, path, name)
        streams(folder, captures[1][1])
        same_for_any_number_of_threads(folder, captures[1][1])
        damage(folder, captures[1][1])
        usage(folder, captures[1][1])
    r.finish()


main()

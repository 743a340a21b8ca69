#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula seal and scapula verify, beside a second verifier that was made from docs/seal.md alone: hundreds of changes to
captures of each container and to their seals, each found in the first frame or line that it touches."""
import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402
import seal  # noqa: E402

r = check.Results("seals")
SEED = 20261122
WAIT = 60  # seconds until something that should happen is given up
BATCH = 24  # captures a call
EVENTS = 60000


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def clean(err):
    return "runtime error" not in err and "AddressSanitizer" not in err and "LeakSanitizer" not in err


def expect(args, status, in_err="", in_out="", what=None, cwd=None):
    got, out, err = check.run(args, cwd=cwd)
    r.check(got == status and in_err in err and in_out in out and clean(err), what or " ".join(args),
            "  status %d, want %d\n  stderr: %s\n  stdout: %s" % (got, status, err[-1500:], out[-1500:]))
    return out


def verify(paths, *more):
    """The status, and the object of each."""
    status, out, err = check.run(["verify", "-f", "json"] + list(more) + paths)
    r.check(clean(err), "verify: nothing of the sanitizers", err[-2000:])
    return status, [json.loads(line) for line in out.splitlines()]


def noise_capture():
    """Large enough for several frames, and not to be compressed too well."""
    rng = random.Random(SEED)
    out = [scap.section(), scap.machine(), scap.threads([scap.thread_entry(7)])]
    for i in range(EVENTS):
        path = b"/%x\0" % rng.getrandbits(320)
        out.append(scap.event(scap.Event(scap.BY_ENUM["STAT_X"].id, 7, 10**18 + i * 1000, [bytes(8), path]), 1))
    return b"".join(out)


# --- captures ---

def captures(folder):
    """Sealed in each way, of each container: [(path, bytes, seal)]."""
    plain = write(os.path.join(folder, "a.scap"), noise_capture())
    made = [plain]
    expect(["seal", "--reason", "a test", plain], 0, "a.scap.seal: ", what="a capture that has no seal gets one")
    for end in ("scap", "scap.gz", "scap.zst"):
        made.append(os.path.join(folder, "made." + end))
        expect(["convert", plain, "-o", made[-1]], 0, what="convert to ." + end)
    one = os.path.join(folder, "one.scap.gz")
    write(one, gzip.compress(read(plain), 6, mtime=0))
    several = os.path.join(folder, "several.scap.gz")
    data = read(plain)
    write(several, b"".join(gzip.compress(data[at:at + 700000], 1, mtime=0) for at in range(0, len(data), 700000)))
    frame = os.path.join(folder, "one.scap.zst")
    subprocess.run(["zstd", "-q", plain, "-o", frame], check=True)
    expect(["seal", one, several, frame], 0, what="captures of others are sealed")
    made += [one, several, frame]
    for path in made:
        status, found = verify([path])
        got = found[0]
        ours = seal.verify(read(path), read(path + ".seal"))
        r.equal((status, got["verdict"], ours.verdict), (0, "intact", "intact"), "intact: " + os.path.basename(path))
        r.equal((got["sha256"], got["lines"], got["events"]),
                (hashlib.sha256(read(path)).hexdigest(), ours.lines, EVENTS), "and its numbers")
    r.check(len(seal.frames(read(several + ".seal"))) > 5, "members are frames")
    r.equal(os.stat(plain + ".seal").st_mode & 0o777, 0o600, "a seal is its owner's only")
    return [(p, read(p), read(p + ".seal")) for p in made]


# --- changes ---

def change(rng, data):
    """Another capture of these bytes, with a name for what was done."""
    at = rng.randrange(len(data))
    n = min(rng.choice((1, 2, 16, 4096, 1 << 20)), len(data) - at)
    kind = rng.choice(("flip", "zero", "noise", "cut out", "insert", "truncate", "append", "swap", "repeat"))
    if kind == "flip":
        new = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
    elif kind == "zero":
        new = data[:at] + bytes(n) + data[at + n:]
    elif kind == "noise":
        new = data[:at] + rng.randbytes(n) + data[at + n:]
    elif kind == "cut out":
        new = data[:at] + data[at + n:]
    elif kind == "insert":
        new = data[:at] + rng.randbytes(n) + data[at:]
    elif kind == "truncate":
        new = data[:at]
    elif kind == "append":
        new = data + rng.randbytes(n)
    elif kind == "swap":
        to = rng.randrange(len(data) - n + 1)
        new = bytearray(data)
        new[at:at + n], new[to:to + n] = data[to:to + n], data[at:at + n]
        new = bytes(new)
    else:
        new = data[:at + n] + data[at:]
    return "%s, %d bytes at %d" % (kind, n, at), new


def in_batches(folder, cases, judge):
    """@cases: (what, capture, seal, more); judge(what, status, object, more) of each."""
    for first in range(0, len(cases), BATCH):
        batch, paths = cases[first:first + BATCH], []
        for i, (_, capture, its_seal, _) in enumerate(batch):
            paths.append(write(os.path.join(folder, "case%d" % i), capture))
            write(paths[-1] + ".seal", its_seal)
        _, found = verify(paths)
        if not r.equal(len(found), len(batch), "an object for each capture"):
            continue
        for (what, _, _, more), got in zip(batch, found):
            judge(what, got, more)


def changed_captures(folder, made, count):
    rng = random.Random(SEED)
    cases = []
    for path, data, its_seal in made:
        spans = seal.frames(its_seal)
        for _ in range(count):
            what, new = change(rng, data)
            if new != data:
                cases.append(("%s: %s" % (os.path.basename(path), what), new, its_seal,
                              (seal.first_changed(data, new, spans), seal.verify(new, its_seal), len(data))))

    def judge(what, got, more):
        span, ours, size = more
        first = got.get("first", {})
        want = (span[0], span[1]) if span else (0, size)
        r.equal((got["verdict"], got["status"], first.get("frame", 0), first.get("at")), ("altered", 1) + want, what)
        r.equal((got["verdict"], got["proven"], first.get("line")), (ours.verdict, ours.proven, ours.line),
                what + ": as the second verifier says")

    in_batches(folder, cases, judge)
    return len(cases)


def changed_seals(folder, made, count):
    rng = random.Random(SEED + 1)
    cases = []
    for path, data, its_seal in made:
        for _ in range(count):
            what, new = change(rng, its_seal)
            if new != its_seal:
                cases.append(("%s.seal: %s" % (os.path.basename(path), what), data, new, (its_seal, new, seal.verify(data, new))))

    def judge(what, got, more):
        old, new, ours = more
        first = got.get("first", {})
        same = os.path.commonprefix([old, new])
        r.equal((got["verdict"], got["proven"]), (ours.verdict, ours.proven), what + ": as the second verifier says")
        if b"\n" not in new[len(same):] and same != old:  # cut: the lines that are there are as they were, but not all are
            r.equal((got["verdict"], got["status"]), ("prefix", 5), what)
        else:
            r.equal((got["verdict"], got["status"], first.get("line")), ("broken", 1, same.count(b"\n") + 1), what)

    in_batches(folder, cases, judge)
    return len(cases)


# --- what is told ---

def told(folder, made):
    path, data, its_seal = made[1]  # made.scap
    expect(["verify", path], 0, in_out="verdict       intact: every byte is as it was sealed")
    spans = seal.frames(its_seal)
    number, start, end = spans[2]
    bad = write(os.path.join(folder, "bad.scap"), data[:start] + b"\0" + data[start + 1:])
    write(bad + ".seal", its_seal)
    out = expect(["verify", bad], 1, in_out="verdict       ALTERED")
    r.check("frame %d, %d bytes from byte %d: its bytes are not those that were sealed" % (number, end - start, start) in out and
            "uncompressed bytes %d to %d" % (start, end) in out and "events from 2001-09-09T01:46:4" in out,
            "the place of a change is told in bytes, as stored and not, and in time", out)
    write(bad + ".seal", its_seal + its_seal.splitlines(True)[1])
    expect(["verify", bad], 1, what="a change of the capture comes before one of the seal's end")
    write(bad, data)
    expect(["verify", bad], 1, in_out="line %d of the seal: " % (its_seal.count(b"\n") + 1))
    write(bad + ".seal", b"".join(its_seal.splitlines(True)[:3]))
    expect(["verify", bad], 5, in_out="incomplete: what is sealed is as it was, but the seal has no end")
    write(bad + ".seal", b"")
    expect(["verify", bad], 5, in_out="proven        0 of %d bytes" % len(data))
    os.unlink(bad + ".seal")
    expect(["verify", bad], 5, in_out="container     plain, blocks are whole; it has no checksums", what="without a seal nothing is shown")
    expect(["verify", bad, path], 5, what="the graver of two statuses")
    broken = write(os.path.join(folder, "broken.scap.gz"), read(made[4][0])[:100000])
    expect(["verify", broken], 5, in_out="container     gzip, DAMAGED in 1 place; first: truncated")
    expect(["verify", os.path.join(folder, "none.scap")], 4, "none.scap")
    expect(["verify", write(os.path.join(folder, "text"), b"no capture")], 4, "is not a capture")
    expect(["verify"], 3, "no capture given")
    expect(["verify", "-f", "xml", path], 3, "--format xml")
    expect(["seal"], 3, "no capture given")
    expect(["seal", "-"], 3, "standard input has no place")
    expect(["seal", path], 4, "made.scap.seal': File exists")
    expect(["verify", "--key", path, path], 4, "is no key of a seal")
    os.mkdir(bad + ".seal")
    expect(["verify", bad], 4, "is no regular file")
    os.rmdir(bad + ".seal")
    later = seal.make_for(data, head={"seal": 2})
    write(bad + ".seal", later)
    expect(["verify", bad], 4, "a seal of version 2, expected 1")


def hostile(folder):
    data = b"not even a capture"
    path = write(os.path.join(folder, "h.scap"), data)
    evil = "\x1b[31m\u202e\n\x9b"
    lineage = {"operation": evil, "tool": evil, "reason": evil, "argv": [evil], "parents": [{"name": "../" + evil, "size": 1}, 5],
               evil: evil}
    write(path + ".seal", seal.make_for(data, lineage=lineage, head={
        "capture": evil, "argv": [evil, 5, evil], "by": {"tool": evil, "host": evil, "boot_id": 7}, "config": {"x": evil},
        "zone": {"name": evil, "offset": -3600}}))
    for form in ("text", "json"):
        out = expect(["verify", "-f", form, path], 0, what="a hostile seal, as " + form)
        r.check(not any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c == "\u202e" for c in out), "is harmless to look at", repr(out))
    for what, text in (("a long line", b'{"seal":1,"n":0,"kind":"head","x":"' + b"x" * (1 << 20) + b'"'), ("much nesting", b"[" * 100000),
                       ("many members", b'{"n":0,"kind":"head",' + b",".join(b'"a%d":1' % i for i in range(100))),
                       ("two members of a name", b'{"seal":1,"n":0,"kind":"head","n":0'), ("zeros", bytes(1000))):
        h = hashlib.sha256(seal.DOMAIN + bytes(32) + text).hexdigest().encode()
        write(path + ".seal", text + b',"hash":"' + h + b'"}\n')
        expect(["verify", path], 1, in_out="line 1 of the seal: ", what="a seal with " + what)
    for what, members in (("a frame that begins elsewhere", {"kind": "frame", "frame": 1, "at": 1, "size": 5, "sha256": "00" * 32}),
                          ("a size that is none", {"kind": "frame", "frame": 1, "at": 0, "size": -5, "sha256": "00" * 32}),
                          ("a number that is too large", {"kind": "frame", "frame": 1, "at": 0, "size": 2**63, "sha256": "00" * 32}),
                          ("an end that does not agree", {"kind": "end", "ended": "complete", "size": 1, "frames": 0, "sha256": "00" * 32}),
                          ("clocks without times", {"kind": "clock", "realtime": "soon"})):
        write(path + ".seal", seal.make([{"kind": "head", "origin": "later"}, members]))
        expect(["verify", path], 1, in_out="line 2 of the seal: ", what="a seal with " + what)
    write(path + ".seal", seal.make([{"kind": "head", "key_step": 2**52}]))
    key = write(os.path.join(folder, "a.key"), b"scapula-seal-key-1 " + b"00" * 32 + b"\n")
    expect(["verify", "--key", key, path], 1, in_out="not sealed with a key", what="a key is not stepped for ever")


def parents(folder, made):
    plain = made[0][0]
    below = os.path.join(folder, "below")
    os.mkdir(below)
    child = os.path.join(below, "child.scap.zst")
    expect(["convert", plain, "--reason", "to be handed over", "-o", child], 0)
    digest = hashlib.sha256(made[0][1]).hexdigest()
    out = expect(["verify", child], 0, in_out="of a.scap, %d bytes, sha-256 %s: not here" % (len(made[0][1]), digest))
    r.check("lineage       convert, because: to be handed over" in out, "the operation and its reason are told", out)
    status, found = verify([child, plain])
    r.equal((status, found[0]["parents"]), (0, [{"name": "a.scap", "state": "same"}]), "a parent that is given is found by its hash")
    beside = shutil.copy(plain, below)
    r.equal(verify([child])[1][0]["parents"][0]["state"], "same", "and one beside the capture by its name")
    with open(beside, "r+b") as f:
        f.write(b"\0")
    status, found = verify([child])
    r.equal((status, found[0]["parents"][0]["state"]), (1, "other"), "a parent with other bytes is a finding")
    expect(["convert", plain, "--force", "--no-seal", "-o", child], 0)
    r.check(not os.path.exists(child + ".seal"), "a capture that is replaced without a seal does not keep the old one's")


# --- recordings ---

LOAD = ["sh", "-c", "while cat /dev/null; do :; done"]


def record(args, folder, load=True):
    noise = check.popen(LOAD, start_new_session=True) if load else None
    p = check.popen([check.scapula_path(), "record"] + args, cwd=folder, stderr=subprocess.PIPE, start_new_session=True)
    return p, noise


def end(p, noise):
    err = p.communicate(timeout=WAIT)[1].decode()
    os.killpg(noise.pid, signal.SIGKILL)
    noise.wait()
    return p.returncode, err


def wait_for(what, ready):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.05)
    return r.check(False, what)


def lines_of(path):
    return read(path).count(b"\n") if os.path.exists(path) else 0


def recordings(folder):
    path, key = os.path.join(folder, "r.scap.zst"), os.path.join(folder, "r.key")
    status, err = end(*record(["-o", path, "--duration", "3s", "--seal-key", key, "--seal-to", "heads"], folder))
    r.check(status == 0, "a recording with a key", err)
    got = verify([path])
    r.equal((got[0], got[1][0]["verdict"], got[1][0]["tags"], got[1][0]["origin"]), (0, "intact", "unchecked", "recording"), "is sealed")
    r.equal(verify([path], "--key", key)[1][0]["tags"], "valid", "and its tags are the key's")
    ours = seal.verify(read(path), read(path + ".seal"), seal.first_key(read(key)))
    r.equal(ours.verdict, "intact", "as the second verifier says, with the key")
    r.check(got[1][0]["clocks"] >= 2 and got[1][0]["clock_steps"] == 0, "clocks are read")
    heads = [json.loads(line)["hash"] for line in read(os.path.join(folder, "heads")).splitlines()]
    r.check(len(heads) >= 2 and heads[-1] == got[1][0]["last_hash"], "heads were sent away")
    expect(["record", "-o", os.path.join(folder, "x.scap"), "--duration", "10ms", "--seal-key", key], 4, "no key is ever replaced")
    r.check(not os.path.exists(os.path.join(folder, "x.scap")) and not os.path.exists(os.path.join(folder, "x.scap.seal")),
            "a recording that cannot start leaves no seal")
    path = os.path.join(folder, "unsealed.scap.zst")
    end(*record(["-o", path, "--duration", "500ms", "--no-seal"], folder))
    r.check(os.path.exists(path) and not os.path.exists(path + ".seal"), "--no-seal writes none")


def killed(folder):
    for name in ("k.scap", "k.scap.gz", "k.scap.zst"):
        path = os.path.join(folder, name)
        p, noise = record(["-o", path], folder)
        wait_for(name + ": three frames are sealed", lambda: lines_of(path + ".seal") > 4)
        p.kill()
        end(p, noise)
        status, found = verify([path])
        got = found[0]
        r.equal((status, got["verdict"], got["faults"]), (5, "prefix", 0), name + ": a recorder that was killed leaves a prefix")
        r.check(got["frames"] >= 3 and 0 < got["proven"] <= got["size"], "that proves all complete frames", json.dumps(got)[:400])
        r.equal(seal.verify(read(path), read(path + ".seal"))[:4], ("prefix", 0, 0, got["proven"]), "as the second verifier says")


def rotated(folder):
    base = os.path.join(folder, "set.scap.zst")
    files = [os.path.join(folder, "set.%04d.scap.zst" % (i + 1)) for i in range(6)]
    key = os.path.join(folder, "set.key")
    p, noise = record(["-o", base, "--rotate", "20K", "--seal-key", key], folder)
    wait_for("four files are complete", lambda: os.path.exists(files[4]))
    p.send_signal(signal.SIGINT)
    status, err = end(p, noise)
    r.check(status == 0, "a rotated recording", err)
    files = [f for f in (os.path.join(folder, "set.%04d.scap.zst" % (i + 1)) for i in range(1000)) if os.path.exists(f)]
    status, found = verify(files, "--key", key)
    r.equal((status, {f["verdict"] for f in found}, {f["tags"] for f in found}), (0, {"intact"}, {"valid"}), "a whole set, with one key")
    r.check(all(f["follows_given"] for f in found[1:]), "each file follows the one before")
    status, found = verify(files[:1] + files[2:])
    r.equal((status, found[1]["lacks_before"]), (5, True), "a file that is missing is noticed")
    status, found = verify(files[:-1])
    r.equal((status, found[-1]["lacks_next"]), (5, True), "the last one, too")
    status, found = verify([files[0], files[2], files[1]] + files[3:])
    r.equal((status, found[2]["out_of_order"]), (1, True), "files in another order are noticed")
    r.equal(verify(files[2:])[0], 0, "old files may be gone")
    r.equal(verify(files[1:2])[0], 0, "one of them alone is intact")
    base = os.path.join(folder, "few.scap.zst")
    p, noise = record(["-o", base, "--rotate", "20K:2"], folder)
    wait_for("the first file is gone", lambda: os.path.exists(base.replace(".scap", ".0004.scap")))
    p.send_signal(signal.SIGINT)
    end(p, noise)
    left = sorted(f for f in os.listdir(folder) if f.startswith("few."))
    r.equal(len([f for f in left if f.endswith(".zst")]), 2, "two files are kept")
    r.equal([f for f in left if f.endswith(".seal")], [f + ".seal" for f in left if f.endswith(".zst")], "with their seals and no others")


def kept(folder):
    path = os.path.join(folder, "kept.scap.zst")
    p, noise = record(["-o", path, "--keep", "10s", "--keep-at-end", "--duration", "2s"], folder)
    status, err = end(p, noise)
    dump = path.replace(".scap", ".0001.scap")
    r.check(status == 0 and os.path.exists(dump + ".seal"), "what was kept is sealed when it is written", err)
    r.equal((verify([dump])[0], seal.verify(read(dump), read(dump + ".seal")).verdict), (0, "intact"), "and intact")


def main():
    with tempfile.TemporaryDirectory() as folder:
        made = captures(folder)
        n = changed_captures(folder, made, 40)
        r.check(n > 200, "%d changes of captures" % n)
        n = changed_seals(folder, made[:3], 40)
        r.check(n > 100, "%d changes of seals" % n)
        told(folder, made)
        hostile(folder)
        parents(folder, made)
        if not check.can_record():
            r.skip("recordings: this host cannot record")
        else:
            for test in (recordings, killed, rotated, kept):
                test(folder)
    r.finish()


main()

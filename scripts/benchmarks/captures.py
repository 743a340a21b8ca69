# SPDX-License-Identifier: Apache-2.0
"""The captures that are measured: given ones where they are, else the repository's own, repeated; and parts of them.

What is made stays in common.WORK.
"""
import calendar
import gzip
import os
import shutil
import struct
import time

from benchmarks.common import ROOT, SCAPULA, SHARED, WORK, info, run

EVENT_BLOCKS = {0x204, 0x8010ABCD, 0x208, 0x216, 0x217, 0x221, 0x222}
PROCINFO = 234  # an event that describes a process there is
FLAGGED = {0x208, 0x217, 0x222}
LARGE_ROUNDS, QUICK_ROUNDS = 6, 1  # of busy: 3.57 million events each


# --- bytes ---

def read(path):
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def blocks(data):
    at = 0
    while at + 8 <= len(data):
        kind, total = struct.unpack_from("<II", data, at)
        yield kind, at, total
        at += total


def count_blocks(path):
    """Events as they are stored: a reader may make one of two."""
    return sum(kind in EVENT_BLOCKS for kind, _, _ in blocks(read(path)))


def repeats(events):
    """Which of @events, as type and thread, stand in later rounds, too: not what describes the processes there are, nor
    what ends a call that began before."""
    begun = {}
    for kind, tid in events:
        if kind % 2 == 0:
            begun[tid] = kind
            yield kind != PROCINFO
        else:
            yield begun.pop(tid, None) == kind - 1


def repeat(source, target, times, calls_only=False):
    """Write @source with its events @times over, each round later than the one before; @calls_only: as repeats() says."""
    data = read(source)
    head, events, stamps, types = [], [], [], []
    for kind, at, total in blocks(data):
        if kind not in EVENT_BLOCKS:
            head.append(data[at:at + total])
            continue
        offset = 14 if kind in FLAGGED else 10
        ts = struct.unpack_from("<Q", data, at + offset)[0]
        if ts != 0xFFFFFFFFFFFFFFFF:
            stamps.append(ts)
        events.append((at, total, offset, ts))
        types.append((struct.unpack_from("<H", data, at + offset + 20)[0], struct.unpack_from("<q", data, at + offset + 8)[0]))
    again = list(repeats(types)) if calls_only else [True] * len(events)
    step = max(stamps) - min(stamps) + 1000000
    with open(target, "wb") as f:
        f.write(b"".join(head))
        for k in range(times):
            out = bytearray()
            for (at, total, offset, ts), stays in zip(events, again):
                if k and not stays:
                    continue
                block = bytearray(data[at:at + total])
                if ts != 0xFFFFFFFFFFFFFFFF:
                    struct.pack_into("<Q", block, offset, ts + k * step)
                out += block
            f.write(out)


# --- captures ---

def recorded(name):
    return os.path.join(SHARED, "corpus", "recorded", name + ".scap")


def own(name):
    return os.path.join(ROOT, "tests", "captures", name + ".scap")


def unzipped(path):
    """A plain copy of a .scap file that gzip compressed: decompressing it would hide what reading it costs."""
    copy = os.path.join(WORK, "plain-" + os.path.basename(path))
    if not os.path.exists(copy):
        with open(copy, "wb") as f:
            f.write(read(path))
    return copy


def busy():
    """A recorded load: plain, and as .zst."""
    plain, zst = os.path.join(WORK, "big.scap"), os.path.join(WORK, "big.scap.zst")
    given = recorded("busy") + ".zst"
    if os.path.exists(given):
        zst = given
        if not os.path.exists(plain):
            unpack(zst, plain)
    elif not os.path.exists(zst):
        repeat(own("intrusion"), plain, 100)
        run(["zstd", "-qf", plain, "-o", zst])
    return plain, zst


def unpack(zst, plain):
    run(["zstd", "-dqf", zst, "-o", plain + ".part"])
    os.rename(plain + ".part", plain)


def nanoseconds(text):
    """Of a time as `info` prints it."""
    seconds, fraction = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 10 ** 9 + int(fraction)


def span(facts):
    """When the first and the last event happened."""
    return nanoseconds(facts["first"]), nanoseconds(facts["last"])


def large(opt):
    """A .zst capture of many events in frames: recordings one after the other, each with threads of its own."""
    rounds = QUICK_ROUNDS if opt.quick else LARGE_ROUNDS
    path = os.path.join(WORK, "large-%d.scap.zst" % rounds)
    if os.path.exists(path):
        return path
    plain, _ = busy()
    first, last = span(info(plain))
    step = (last - first) // 10 ** 9 + 2
    inputs, skews = [], []
    for k in range(rounds):
        name = os.path.join(WORK, "round-%d.scap" % k)
        if not os.path.lexists(name):
            os.symlink(plain, name)
        inputs.append(name)
        skews += ["--skew", "%s=%ds" % (name, k * step)]
    started = time.monotonic()
    run([SCAPULA, "merge", "-q", "--force", "-o", path] + (skews if rounds > 1 else []) + inputs)
    print("made %s in %.0f s" % (os.path.basename(path), time.monotonic() - started), flush=True)
    return path


def large_plain(opt):
    zst = large(opt)
    plain = zst[:-len(".zst")]
    if not os.path.exists(plain):
        unpack(zst, plain)
    return plain


def first_events(source, n, suffix):
    """The first @n events of a capture, with the state that they need."""
    stem = os.path.basename(source).split(".")[0]
    path = os.path.join(WORK, "%s-first-%d%s" % (stem, n, suffix))
    if not os.path.exists(path):
        run([SCAPULA, "slice", "-q", "--no-seal", "--evt", "1..%d" % n, source, "-o", path])
    return path


def with_one_event(source):
    """What a capture says of its host and processes, and its first event: what has none is no capture to replay."""
    path = os.path.join(WORK, os.path.basename(source).split(".")[0] + "-one-event.scap")
    if not os.path.exists(path):
        data, kept, events = read(source), [], 0
        for kind, at, total in blocks(data):
            events += kind in EVENT_BLOCKS
            if kind not in EVENT_BLOCKS or events == 1:
                kept.append(data[at:at + total])
        with open(path, "wb") as f:
            f.write(b"".join(kept))
    return path


PEER_ROUNDS = 1000
PEER_CALLS = "curl_google"  # mostly calls, as an event where one begins and one where it ends


def peer(opt, name="single_ipv6_conn"):
    """Debian's sysdig and a capture that it can read; (None, None) where one is missing, which is said."""
    sysdig = shutil.which("sysdig")
    source = os.path.join(SHARED, "corpus", "public", name + ".scap")
    if not sysdig or not os.path.exists(source):
        print("beside sysdig: skipped (%s)" % ("the capture is not here" if sysdig else "sysdig is not installed"))
        return None, None
    path = os.path.join(WORK, "peer-%s%s.scap" % (name, "-quick" if opt.quick else ""))
    if not os.path.exists(path):
        repeat(source, path, PEER_ROUNDS // (5 if opt.quick else 1), name == PEER_CALLS)
    return sysdig, path


def variants(files, times):
    """The rules of @files @times over, each but the first with names, texts and fields of its own."""
    path = os.path.join(WORK, "variants-%d-of-%d.yaml" % (times, len(files)))
    script = os.path.join(ROOT, "scripts", "rule-variants")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(script):
        with open(path + ".part", "wb") as f:
            f.write(run([script, str(times)] + files))
        os.rename(path + ".part", path)
    return path

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `scapula info` says of losses, and `scapula info --strict` of faults, for captures made here."""
import gzip
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("info")
TS = 1700000000 * 10**9
LOSS = 60000
RING_FULL, SHED = 1, 5


def stat_event(ts, path=b"/x\0"):
    return scap.event(scap.Event(scap.BY_ENUM["STAT_X"].id, 7, ts, [bytes(8), path]), 1)


def own_event(kind, ts, params, cpu=1):
    lens = b"".join(struct.pack("<H", len(p)) for p in params)
    data = b"".join(params)
    head = struct.pack("<QQIHI", ts, 2**64 - 1, 26 + len(lens) + len(data), kind, len(params))
    return scap.block(0x216, struct.pack("<H", cpu) + head + lens + data)


def loss(count, start, end, reason, kinds):
    return own_event(LOSS, end, [struct.pack("<Q", v) for v in (count, start, end)] +
                     [struct.pack("<H", reason), b"".join(struct.pack("<HQ", *k) for k in kinds)])


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def good():
    return scap.section() + scap.machine() + scap.threads([scap.thread_entry(7)]) + stat_event(TS) + stat_event(TS + 5)


def losses(folder):
    read, close = scap.BY_ENUM["READ_X"].id, scap.BY_ENUM["CLOSE_X"].id
    data = good() + loss(10, TS + 10, TS + 20, RING_FULL, [(read, 6), (close, 3)]) + loss(3, TS + 30, TS + 40, SHED, [(read, 3)])
    data += own_event(LOSS, TS + 50, [struct.pack("<Q", 100)], 0xffff) + stat_event(TS + 60)
    path = write(folder, "losses.scap", data)
    status, out, err = check.run(["info", path])
    r.equal(status, 5, "info of a capture with losses: partial")
    screen = check.run(["tui", "--headless", "100x12", "--keys", "4", "--dump-screen", path])[1]
    r.check("[113 events lost before]" in screen, "the list of events says what was lost before which event", screen)
    for line in ("lost          113 events in 3 records, 2023-11-14T22:13:20.000000010Z to 2023-11-14T22:13:20.000000050Z",
                 "by reason     unknown              100", "              ring full            10", "              shed                 3",
                 "by type       read                 9", "              close                3", "              of other types       101",
                 "damage        3 gaps", "events        3\n"):
        r.check(line in out, "info says %r" % line, out)
    for text in ("the recorder lost 10 events of cpu 1 (ring full) between @1700000000.000000010 and @1700000000.000000020",
                 "the recorder lost 3 events of cpu 1 (shed)", "the recorder lost 100 events before @1700000000.000000050"):
        r.check(text in out and text in err, "the gap is told in both: %s" % text, out + err)
    status, out, _ = check.run(["info", "-f", "json", path])
    info = json.loads(out)
    r.equal(info["losses"], {"records": 3, "events": 113, "from": "2023-11-14T22:13:20.000000010Z", "to": "2023-11-14T22:13:20.000000050Z",
                             "by_reason": {"unknown": 100, "ring full": 10, "shed": 3}, "by_type": {"read": 9, "close": 3},
                             "of_other_types": 101}, "the same as JSON")
    r.equal([g["reason"] for g in info["gaps"]], ["recorded"] * 3, "gaps of losses")
    status, out, err = check.run(["events", "-p", "%evt.num", path])
    r.equal((status, out.split()), (5, ["1", "2", "3"]), "events: a loss has no number, and makes the result partial")
    r.check(err.count("the recorder lost") == 3, "events tells the losses", err)
    for command in (["tree"], ["replay", "-q", "-r", os.path.join(check.ROOT, "rules", "starter.yaml")]):
        status, _, err = check.run(command + [path])
        r.equal(status, 5, "%s: partial" % command[0])
    r.equal(check.run(["info", "--strict", path])[0], 0, "losses are no fault of the format")
    status, out, _ = check.run(["info", "-f", "json", write(folder, "none.scap", good())])
    r.equal(json.loads(out)["losses"]["records"], 0, "a capture without losses")


def facts(folder):
    """What is missing, who was seen, where it comes from, and several captures at once."""
    bare = write(folder, "bare.scap", scap.section() + stat_event(TS) + stat_event(TS + 50 * 10**6) + stat_event(TS + 20 * 10**6) + stat_event(TS + 19 * 10**6))
    status, out, err = check.run(["info", bare])
    r.equal((status, err), (0, ""), "a capture without lists")
    for line in ("seal          none", "writer        not recorded", "host          not recorded", "clock         times go back 1 time, 0.030 s at most",
                 "missing       a description of the host: evt.hostname", "processes that ran at the start: proc.*", "a list of users: user.name"):
        r.check(line in out, "info says %r" % line, out)
    r.check("environments" not in out, "what nothing could tell is not missing", out)
    a, b = check.DEMO, os.path.join(folder, "demo.scap.zst")
    status, out, err = check.run(["info", "-f", "json", a])
    info = json.loads(out)
    r.equal([u["name"] for u in info["seen_users"]], ["root", "nobody"], "users that were seen")
    r.equal([c["id"] for c in info["containers"]], ["d9394466e03a"], "containers that were seen")
    known = {c["name"]: c for c in info["capabilities"]}
    r.equal([known[n]["missing"] for n in ("environment", "exe_ino", "descriptors", "exe_hashes")], [False, False, True, True], "capabilities")
    r.check(known["environment"]["of"] == known["environment"]["have"] <= info["by_type"]["execve"], "of the executions that succeeded", out)
    fields = set(re.findall(r"^  ([a-z][\w.]+)", check.run(["fields"])[1], re.M))
    named = {f for c in info["capabilities"] for f in c["fields"] if not f.endswith("*")}
    r.check(named <= fields, "fields that are named exist", str(named - fields))
    r.check(info["buffers_seen"] > 0 and 0 < info["buffers_cut"] < info["buffers_seen"] and info["buffer_max"] == 80, "the snaplen", out)
    r.equal(check.run(["convert", "-q", "--reason", "for a test", "-o", b, a])[0], 0, "a converted capture")
    converted = json.loads(check.run(["info", "-f", "json", b])[1])
    r.equal((converted["seal"]["verdict"], converted["seal"]["origin"]), ("intact", "writing"), "its seal")
    r.equal((converted["lineage"]["operation"], converted["lineage"]["reason"]), ("convert", "for a test"), "its lineage")
    r.equal((converted["lineage"]["parents"][0]["name"], converted["lineage"]["parents"][0]["sha256"]), ("intrusion.scap", info["sha256"]), "its parent")
    r.check(converted["writer"].startswith("scapula"), "its writer", converted["writer"])
    for key in ("events", "by_type", "capabilities", "containers", "seen_users", "first", "last", "stream_size"):
        r.equal(converted[key], info[key], "the same %s" % key)
    out = check.run(["info", b])[1]
    for text in ("made by       convert, because: for a test\n", "made of       intrusion.scap, 225.1 kB, sha256 " + info["sha256"], "seal          there, of a capture"):
        r.check(text in out, "the same as text: %r" % text, out)
    os.truncate(b, os.path.getsize(b) - 10)
    r.check("seal          of a capture of another size" in check.run(["info", b])[1], "a capture that was cut")
    status, out, _ = check.run(["info", "--table", a, bare])
    rows = [line.split() for line in out.splitlines()]
    r.equal((status, [row[0] for row in rows]), (0, ["CAPTURE", a, bare, "2"]), "a row per capture, and the total")
    r.equal([row[-6] for row in rows[1:]], ["18,844", "4", "18,848"], "events of each, and of all")
    out = check.run(["info", a, bare])[1]
    r.check(out.count("\ncapture ") == 1 and out.startswith("capture ") and out.endswith(check.run(["info", "--table", a, bare])[1]), "all of each, then the table", out)
    r.equal(check.run(["info", "--table", "-f", "json", a])[0], 3, "the table is for people")


def strict(folder):
    whole = good()
    clean = write(folder, "clean.scap", whole)
    status, out, err = check.run(["info", "--strict", clean])
    r.check(status == 0 and err == "" and "strict        clean\n" in out and "5 blocks, 2 events" in out, "a clean capture", out + err)
    bad = write(folder, "bad.scap", whole[:-4] + b"\0\0\0\0" + stat_event(TS, b"xx")[:-4] + b"\1\0\0\0")
    status, out, err = check.run(["info", "--strict", bad])
    r.equal(status, 1, "status of findings")
    r.check("strict        3 findings\n" in out, "findings are counted", out)
    for text in ("block-trailer: expected 56, the length of block type 0x216, again; found 0", "param-text: path of event type 67 (stat)"):
        r.check(text in out, "a finding: %s" % text, out)
    status, out, err = check.run(["info", "--strict", "-f", "json", clean, bad])
    reports = [json.loads(line) for line in out.splitlines()]
    r.equal((status, [p["finding_count"] for p in reports]), (1, [0, 3]), "two captures as JSON")
    r.equal(reports[1]["by_rule"], {"block-trailer": 2, "param-text": 1}, "findings by rule")
    r.equal(reports[1]["findings"][0]["offset"], len(whole) - 4, "the offset of a finding")
    many = write(folder, "many.scap", scap.section() + stat_event(TS, b"xx") * 1000)
    status, out, _ = check.run(["info", "--strict", many])
    r.check("1,000 findings" in out and out.count("param-text: path") == 20 and "and 980 more: param-text: strings end" in out,
            "many findings of a rule", out[:2000])
    packed = write(folder, "tail.scap.gz", gzip.compress(whole) + b"more")
    status, out, _ = check.run(["info", "--strict", packed])
    r.check(status == 1 and "byte %d, container-tail" % len(gzip.compress(whole)) in out, "an offset in the stored file", out)
    r.equal(check.run(["info", "--strict", os.path.join(folder, "missing")])[0], 4, "a file that is not there")
    r.equal(check.run(["info", "--strict", "-"], stdin=whole)[0], 0, "standard input")
    status, out, _ = check.run(["info", "--strict", write(folder, "text.scap", b"This is no capture.\n" * 9)])
    r.check(status == 1 and "block-order: expected a section header" in out and "was not judged" in out, "no capture at all", out)
    lost = write(folder, "lost.scap", whole + struct.pack("<II", 0x216, 5) + whole)
    status, out, _ = check.run(["info", "--strict", lost])
    r.check(status == 1 and "1 finding\n" in out and "was not judged" in out, "framing that is lost", out)


def every_event(folder):
    """One event of each current type, with plausible values, as a second writer writes it: clean."""
    blocks, widths = [], scap.WIDTH
    for t in scap.TYPES:
        if t.flags & (scap.EF_UNUSED | scap.EF_OLD_VERSION) or t.flags & scap.EF_CONVERTER_MANAGED and not t.id & 1:
            continue
        params = []
        for p in t.params:
            if p.kind == "flags":
                value = scap.FLAG_SETS[p.info][0][1]
                params.append((value & (1 << 8 * widths[p.type]) - 1).to_bytes(widths[p.type], "little"))
            elif p.type in widths:
                params.append(bytes(widths[p.type]))
            else:
                params.append({"CHARBUF": b"text\0", "FSPATH": b"/p\0", "FSRELPATH": b"p\0", "CHARBUFARRAY": b"a\0b\0",
                               "SOCKADDR": b"\2" + bytes(6), "SOCKTUPLE": b"\2" + bytes(12), "FDLIST": bytes(2)}.get(p.type, b""))
        blocks.append(scap.event(scap.Event(t.id, 7, TS + t.id, params), 1))
    path = write(folder, "types.scap", scap.section() + scap.machine() + scap.threads([scap.thread_entry(7)]) + b"".join(blocks))
    status, out, _ = check.run(["info", "--strict", path])
    r.check(status == 0 and "%d events" % len(blocks) in out and len(blocks) > 180, "an event of each type", out[:3000])


def sysdig_agrees(folder):
    """What another reader refuses is not clean."""
    whole = good()
    for name, data in (("descriptors of a thread that is not listed", scap.section() + scap.fds(99, []) + stat_event(TS)),
                       ("no event", scap.section() + scap.machine()),
                       ("a machine of another size", scap.section() + scap.block(0x201, bytes(184)) + stat_event(TS)),
                       ("a name of 300 bytes", scap.section() + scap.users([(1, 1, "x" * 300)], []) + stat_event(TS)),
                       ("a list's trailer", whole[:28 + 188] + bytes(4) + whole[28 + 192:])):
        path = write(folder, "refused.scap", data)
        status, out, _ = check.run(["info", "--strict", path])
        r.equal(status, 1, "not clean: " + name)
        if subprocess.run(["sh", "-c", "command -v sysdig >/dev/null"]).returncode == 0:
            p = subprocess.run(["sysdig", "-r", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
            r.check(p.stderr or not p.stdout, "sysdig does not read it either: " + name, "%r" % p.stdout[:200])


def manual():
    with open(os.path.join(check.ROOT, "scapfile", "strict.def")) as f:
        rules = re.findall(r'STRICT\(\w+,\s*"([^"]+)",\s*"([^"]+)"\)', f.read())
    with open(os.path.join(check.ROOT, "docs", "man", "scapula-info.1")) as f:
        page = f.read().replace("\\-", "-")
    r.check(len(rules) > 25, "the rules are found")
    for name, demands in rules:
        r.check("\n%s\tT{\n%s\nT}\n" % (name, demands) in page, "the manual page has the rule %s" % name)


def main():
    manual()
    with tempfile.TemporaryDirectory() as folder:
        losses(folder)
        facts(folder)
        strict(folder)
        every_event(folder)
        sysdig_agrees(folder)
    r.finish()


main()

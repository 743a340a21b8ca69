#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A redacted capture holds none of the redacted texts, and rules that do not read what was redacted alert as before.

usage: redact_test.py [--full]      all captures, not a few

The texts are gathered here, by the tests' own reading of the format; what is searched are the decompressed bytes.
"""
import collections
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("redact")
OWN = [os.path.join(check.ROOT, "tests", "captures", n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
OLD = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"]
BYTES = {"CHARBUF", "FSPATH", "FSRELPATH", "BYTEBUF", "CHARBUFARRAY"}
PATHS = {"cwd", "exe", "exepath", "trusted_exepath", "filename", "name", "path", "oldpath", "newpath", "target", "linkpath", "root"}
KEY = b"0123456789abcdef0123456789abcdef"


# --- reading, as the format says ---

class Bytes:
    def __init__(self, p):
        self.p, self.at = p, 0

    def take(self, n):
        self.at += n
        return self.p[self.at - n:self.at]

    def s16(self):
        return self.take(struct.unpack("<H", self.take(2))[0])


def thread_texts(body):
    """(name, bytes) of the texts of a process list's entries."""
    at = 0
    while len(body) - at >= 4:
        n = struct.unpack_from("<I", body, at)[0]
        c = Bytes(body[at + 4:at + n])
        c.take(40)
        for name in ("comm", "exe", "exepath", "args", "cwd"):
            yield name, c.s16()
        c.take(8 + 4 * 6 + 16)
        yield "env", c.s16()
        c.take(16)
        yield "cgroups", c.s16()
        yield "root", c.s16()
        at += n


def user_texts(body):
    """(id, name, home, shell) of users and groups."""
    at = 0
    while len(body) - at >= 4:
        n = struct.unpack_from("<I", body, at)[0]
        c = Bytes(body[at + 4:at + n])
        kind, number = struct.unpack("<BI", c.take(5))
        if not kind:
            c.take(4)
        name = c.s16()
        yield number, name, b"" if kind else c.s16(), b"" if kind else c.s16()
        at += n


def interface_texts(body):
    at = 0
    while len(body) - at >= 4:
        n, kind, size = struct.unpack_from("<IHH", body, at)
        yield "interface", body[at + 4 + {1: 24, 2: 60, 3: 16, 4: 52}[kind]:][:size]
        at += 4 + n


def fd_texts(body):
    """Names of a list of descriptors."""
    at = 8
    while len(body) - at >= 4:
        n = struct.unpack_from("<I", body, at)[0]
        kind, rest = body[at + 20], body[at + 21:at + n]
        skip = {8: 16, 16: 4}.get(kind, 0)
        if kind not in (3, 4, 5, 6, 0) and len(rest) >= skip + 2:
            yield "fd", Bytes(rest[skip:]).s16()
        at += n


class Capture:
    """The texts of a capture as a current writer has it, by what they are."""

    def __init__(self, path):
        self.data = check.read_all(path)
        self.texts = []  # (name, bytes)
        self.users = []
        self.host = b""
        for kind, body, _ in scap.blocks_of(self.data):
            if kind == 0x215:
                self.texts += thread_texts(body)
            elif kind == 0x220:
                self.users += user_texts(body)
                self.texts += [("user", t) for _, *texts in self.users for t in texts]
            elif kind == 0x219:
                self.texts += interface_texts(body)
            elif kind == 0x218:
                self.texts += fd_texts(body)
            elif kind == 0x201:
                self.host = body[20:148].rstrip(b"\0")
            elif kind in scap.EVENT_BLOCKS:
                self.add_event(scap.parse_event(kind, body))

    def add_event(self, parsed):
        if not parsed:
            return
        for value, p in zip(parsed[1].params, scap.TYPES[parsed[1].type].params):
            if value and p.type in BYTES:
                self.texts.append((p.name, value))

    def values(self, names):
        """Single texts of the fields called so."""
        return {s for name, value in self.texts if name in names for s in value.split(b"\0") if s}

    def without(self, values):
        """The bytes with all of the values blanked, the longest first."""
        data = self.data
        for v in sorted(values, key=len, reverse=True):
            data = data.replace(v, b"\0" * len(v))
        return data


# --- running ---

def redact(args, path, out, want=0):
    status, _, err = check.run(["redact"] + args + [path, "-o", out, "--force"], timeout=300)
    r.check(status == want, "redact %s %s" % (" ".join(args), os.path.basename(path)), "  status %d\n%s" % (status, err[-1500:]))
    return err


def absent(texts, path, what):
    data = check.read_all(path)
    there = [t for t in texts if t in data]
    r.check(not there, "%s: none of %d texts is there" % (what, len(texts)), "  %d are: %r" % (len(there), there[:5]))


def hidden_fields(whole, names, part=lambda s: s):
    """Values of these fields that must be gone: those that stand nowhere else, and those of 8 bytes that stand
    elsewhere only within something."""
    values = {part(s) for s in whole.values(names)} - {b""}
    rest_texts = [v for n, v in whole.texts if n not in names]
    rest = b"\n".join(rest_texts)
    visible = {s for v in rest_texts for t in re.split(b'[\0"]', v) for s in [t] + t.split(b"/")}
    for s in values:
        if len(s) >= 6 and s not in rest and len(set(s)) > 1 and s.strip(b"/."):
            yield s
        elif len(s) >= 8 and b"/" not in s and s not in visible:
            yield s


# What conditions must not read for the alerts to be the same.
READS = {
    "--arguments": r"proc\.(args|cmdline|acmdline|pcmdline|cmdnargs|cmdlenargs|exeline|aexe|pexe|exe\b)|evt\.arg",
    "--environment": r"proc\.a?env",
    "--buffers": r"evt\.(buffer|arg)|fd\.containername",
    "--users": r"user\.(name|homedir|shell)|group\.name|evt\.arg",
    "--host": r"evt\.hostname",
    "--addresses": r"fd\.(ip|cip|sip|lip|rip|net|cnet|snet|name|sockname|connected)|evt\.arg",
    "--containers": r"container\.(id|name|image|mount|label)",
}


def rules():
    if check.have_shared():
        names = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
        return [os.path.join(check.SHARED, "peer-rules", n) for n in names]
    return [os.path.join(check.ROOT, "rules", "starter.yaml")]


def conditions():
    out = check.run(["rules", "list", "--json"] + rules())[1]
    return {rule["name"]: rule["condition_compiled"] for rule in map(json.loads, out.splitlines())}


def alerts(path):
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", "all"] + [a for f in rules() for a in ("-r", f)] + [path],
                                 timeout=600)
    r.check(status == 0, "replay of %s" % path, err[-500:])
    return collections.Counter((a["rule"], a["time"]) for a in map(json.loads, out.splitlines()))


def same_alerts(before, path, conditions_of, pattern, what):
    after = alerts(path)
    wrong = {rule for rule, _ in (before - after) + (after - before)}
    bad = [rule for rule in wrong if not re.search(pattern, conditions_of[rule])]
    r.check(not bad, "%s: rules that do not read it alert as before" % what, "  %r" % bad)
    return sum(before.values())


# --- what is hidden ---

def by_kind(folder, path, conditions_of):
    name = os.path.basename(path)
    out = os.path.join(folder, "redacted.scap")
    whole_path = os.path.join(folder, "whole.scap")
    check.run(["merge", path, "-o", whole_path, "--force", "-q", "--no-seal"])
    whole = Capture(whole_path)
    before = alerts(path)

    def variable(s):
        return s.partition(b"=")[2]

    people = {n for number, n, *_ in whole.users if 1000 <= number <= 65533 and len(n) >= 4}
    gone = {
        "--arguments": set(hidden_fields(whole, {"args", "argv"})),
        "--environment": set(hidden_fields(whole, {"env"}, variable)),
        "--buffers": {v for n, v in whole.texts if n in ("data", "msgcontrol") and len(v) >= 12 and v.strip(b"\0")
                      and whole.data.count(v) == sum(m in ("data", "msgcontrol") and v in w for m, w in whole.texts)},
        "--users": people,
        "--host": {whole.host} if len(whole.host) >= 4 else set(),
        "--containers": set(re.findall(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", b"\n".join(whole.values({"cgroups"})))),
        "--addresses": set(),
    }
    for option, texts in gone.items():
        redact([option], path, out)
        absent(texts, out, "%s %s" % (name, option))
        same_alerts(before, out, conditions_of, READS[option], "%s %s" % (name, option))
        if check.run(["info", "--strict", path])[0] == 0:
            status, text, _ = check.run(["info", "--strict", out])
            r.check(status == 0, "%s %s: info --strict" % (name, option), text[-800:])
        r.equal(len(check.read_all(out)), len(whole.data), "%s %s: lengths are kept" % (name, option))
    redact(list(gone) + ["--paths", "/home/*", "--paths", "/tmp/*"], path, out)
    absent(set().union(*gone.values()), out, "%s, all kinds" % name)
    fields = "%evt.num %evt.rawtime %evt.type %thread.tid %thread.vtid %evt.cpu %evt.rawres %fd.num %fd.typechar %proc.vpid %proc.ppid"
    shown = [check.run(["events", "-q", "-p", fields, p])[1] for p in (path, out)]
    r.check(shown[0] == shown[1], "%s: what is no text is as it was" % name)
    return whole


def by_path(folder, path, whole, conditions_of):
    name, out = os.path.basename(path), os.path.join(folder, "paths.scap")
    for pattern, prefix in (("/tmp/*", "/tmp/"), ("/home/*", "/home/"), ("/opt/w*", "/opt/"), ("/root/*", "/root/")):
        redact(["--paths", pattern], path, out)
        start = pattern[:-1].encode()
        gone = {s for s in whole.values(PATHS) if s.startswith(start) and b".." not in s and b"//" not in s and len(s) > len(start)}
        absent(gone, out, "%s %s" % (name, pattern))
        same_alerts(alerts(path), out, conditions_of, r"fd\.|fs\.|evt\.arg|proc\.", "%s %s" % (name, pattern))
        shown = check.run(["events", "-q", "-p", "%proc.cwd %proc.exepath %fd.name", out])[1]
        before = check.run(["events", "-q", "-p", "%proc.cwd %proc.exepath %fd.name", path])[1]
        # But for the few paths that are not clean, such as /tmp//x: of them all is hidden.
        r.check(0 <= before.count(prefix) - shown.count(prefix) <= 10, "%s: what comes before the pattern's wildcard stays" % pattern)


def by_text(folder, path, whole):
    """Any text, wherever it stands: pieces of paths, arguments, data."""
    out = os.path.join(folder, "text.scap")
    pool = sorted({s[i:i + 9] for s in whole.values(PATHS | {"args", "env", "data"}) for i in range(0, len(s) - 9, 40)
                   if re.fullmatch(rb"[A-Za-z0-9_.=-]{9}", s[i:i + 9])})
    texts = pool[::max(1, len(pool) // 40)]
    redact([a for t in texts for a in ("--string", t.decode())], path, out)
    absent(texts, out, "%s --string" % os.path.basename(path))
    absent([t for t in texts if re.search(rb"[0-9].*[a-z]", t)], out + ".seal", "and not in the seal")


# --- pseudonyms ---

def pseudonyms(folder, path):
    key, other = os.path.join(folder, "a.key"), os.path.join(folder, "b.key")
    outs = [os.path.join(folder, "p%d.scap" % i) for i in range(4)]
    open(key, "wb").write(KEY)
    open(other, "wb").write(KEY[::-1])
    options = ["--arguments", "--paths", "/tmp/*", "--addresses", "--containers"]
    for out, k in zip(outs, (["--key", key], ["--key", key], ["--key", other], [])):
        redact(options + k, path, out)
    data = [open(o, "rb").read() for o in outs]
    r.check(data[0] == data[1], "the same key gives the same capture")
    r.check(len({data[0], data[2], data[3]}) == 3, "another key another one")

    def columns(p):
        return [line.split("\t") for line in check.run(["events", "-q", "-p", "*%proc.cmdline\t%proc.cwd\t%fd.name", p])[1].splitlines()]

    to = [{}, {}, {}]
    for before, after in zip(columns(path), columns(outs[0])):
        for i, (b, a) in enumerate(zip(before, after)):
            r.passed += 1
            if to[i].setdefault(b, a) != a and ":" not in b:
                r.check(False, "equal texts stay equal", "  %r is %r and %r" % (b, to[i][b], a))
            if len(a) != len(b) and ":" not in b:
                r.check(False, "lengths are kept", "  %r is %r" % (b, a))
    for column in to:
        r.check(len(set(column.values())) >= len(column) * 0.98, "different texts stay different", "  %d of %d" % (len(set(column.values())), len(column)))


def addresses(folder, path):
    out = os.path.join(folder, "ip.scap")
    redact(["--addresses"], path, out)

    def ips(p):
        text = check.run(["events", "-q", "-p", "%fd.cip %fd.sip %fd.cport %fd.sport", p])[1]
        return [line.split() for line in text.splitlines()]

    def kind(ip):
        if ip.startswith(("127.", "0.")) or ip in ("::1", "::", "<NA>"):
            return "common"
        first = [int(x) for x in ip.split(".")] if "." in ip else []
        private = first and (first[0] == 10 or first[:2] == [192, 168] or (first[0] == 172 and 16 <= first[1] < 32))
        return "private" if private else "other"

    mapped = {}
    for a, b in zip(ips(path), ips(out)):
        if len(a) != 4 or len(b) != 4:
            continue
        r.check(a[2:] == b[2:], "ports stay", "  %r %r" % (a, b))
        for x, y in zip(a[:2], b[:2]):
            if x == "<NA>" or y == "<NA>":
                continue
            r.check(mapped.setdefault(x, y) == y and kind(x) == kind(y) and (x == y) == (kind(x) == "common"), "addresses", "  %s is %s" % (x, y))
    hidden = [x for x in mapped if kind(x) != "common"]
    absent([x.encode() for x in hidden], out, "addresses as text")
    return len(hidden)


# --- the command ---

def policies(folder, path):
    out, policy = os.path.join(folder, "policy.scap"), os.path.join(folder, "policy.yaml")

    def write(text):
        open(policy, "w").write(text)
        return ["--policy", policy]

    report = os.path.join(folder, "report.json")
    err = redact(write("arguments: yes\npaths: ['/tmp/*']\nusers: [alice]\nstrings:\n  - passwd\n") + ["--report", report, "--reason", "to share"], path, out)
    r.check("hidden: arguments" in err, "counts are told", err)
    counts = json.load(open(report))
    r.check(counts["hidden"]["arguments"] > 0 and counts["hidden"]["environment"] == 0, "counts in the report", repr(counts))
    end = json.loads(open(out + ".seal").read().splitlines()[-1])["lineage"]
    r.check(end["operation"] == "redact" and end["reason"] == "to share" and end["policy_sha256"] == counts["policy_sha256"]
            and end["hidden"] == counts["hidden"] and end["parents"][0]["name"] == os.path.basename(path), "lineage", repr(end))
    absent([b"passwd", b"/tmp/wl"], out, "policy")
    for text, where, what in (("arguments: maybe\n", ":1:12:", "expected true or false"), ("users: 3\n", ":1:8:", "a list of names"),
                              ("host: true\npath: [a]\n", ":2:1:", "expected one of addresses"), ("paths: x\n", ":1:8:", "a list of texts"),
                              ("strings: [[a]]\n", ":1:11:", "expected a text"), ("- a\n", ":1:1:", "expected one map"), ("a: [\n", ":", "")):
        err = redact(write(text), path, out, want=3)
        r.check(policy + where in err and what in err, "policy %r is refused" % text, err)


def refusals(folder, path):
    out, key = os.path.join(folder, "none.scap"), os.path.join(folder, "short.key")
    open(key, "wb").write(b"short")
    for args, want, text in (([path], 3, "nothing is to be hidden"), (["--string", "abc", path], 3, "too short"),
                             (["--host", "--key", key, path], 4, "expected 16 to"), (["--host", path, OWN[1]], 3, "expected one capture"),
                             (["--host", "-"], 3, "no standard input"), (["--host", "--reason", "the passwd", "--string", "passwd", path], 3, "--reason"),
                             (["--policy", os.path.join(folder, "none.yaml"), path], 4, "cannot open"), (["--string", "", path], 3, "empty")):
        status, _, err = check.run(["redact"] + args + ["-o", out])
        r.check(status == want and text in err, "refused: %s" % text, "  status %d\n%s" % (status, err))
        r.check(not os.path.exists(out), "%s: nothing is left" % text)


def comments(folder, path):
    a, out = os.path.join(folder, "comment.scap"), os.path.join(folder, "no-comment.scap")
    check.run(["convert", path, "-o", a, "--comment", "the secret plan"])
    err = redact(["--buffers"], a, out)
    absent([b"secret plan"], out, "comments")
    r.check("comments of section headers are left out" in err, "that comments are left out is told", err)


def for_sysdig(folder):
    if not check.have_shared() or not shutil.which("sysdig"):
        r.skip("sysdig, or the old captures, are not here")
        return
    out, whole = os.path.join(folder, "old.scap"), os.path.join(folder, "old-whole.scap")

    def lines(path):
        p = subprocess.run(["sysdig", "-p", "%evt.num %evt.rawtime %evt.dir %evt.type %evt.rawres", "-r", path], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        r.check(p.returncode == 0, "sysdig opens %s" % path, p.stderr.decode()[-300:])
        return p.stdout.decode().splitlines()

    for name in OLD:
        check.run(["merge", check.corpus(name), "-o", whole, "--force", "-q", "--no-seal"])
        redact([o for o in READS] + ["--paths", "/home/*"], check.corpus(name), out)
        shown = lines(out)
        r.check(shown and shown == lines(whole), "sysdig shows the events of %s" % name)


def main():
    captures = OWN
    if check.have_shared():
        captures = OWN + [check.corpus(n) for n in (["container", "persist", "build"] + OLD if "--full" in sys.argv
                                                    else ["container", "psp_run_as_user_0_container", "sample"])]
    conditions_of = conditions()
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in captures:
            whole = by_kind(folder, path, conditions_of)
            by_text(folder, path, whole)
            found += addresses(folder, path)
            if path in OWN:
                by_path(folder, path, whole, conditions_of)
        r.check(found > 0, "there were addresses to hide")
        pseudonyms(folder, OWN[0])
        policies(folder, OWN[0])
        refusals(folder, OWN[0])
        comments(folder, OWN[0])
        for_sysdig(folder)
    r.finish()


main()

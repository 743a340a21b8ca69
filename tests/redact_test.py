#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A redacted capture holds none of the redacted strings, and rules that do not read what was redacted alert as before.

usage: redact_test.py [--full]      all captures, not a few

What a redacted string is (scapula-redact(1)) is worked out here again, from the tests' own reading of the format. They are searched for
in all texts of what is written and in its decompressed bytes; where such bytes are no text, they are a number's.
"""
import collections
import json
import os
import posixpath
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import texts  # noqa: E402

r = check.Results("redact")
OWN = [os.path.join(check.ROOT, "tests", "captures", n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
COMMENTS = ["curl_google_comments"]
OLD = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"]
PATHS = {"cwd", "exe", "exepath", "trusted_exepath", "filename", "name", "path", "oldpath", "newpath", "target", "linkpath", "root"}
KEY = b"0123456789abcdef0123456789abcdef"
KINDS = ["--arguments", "--environment", "--buffers", "--users", "--host", "--addresses", "--containers"]
HIDDEN = {"--arguments": {"args", "argv", "uargs"}, "--environment": {"env"},
          "--buffers": {"data", "msgcontrol", "desc", "description", "event_data", "img", "value_bytebuf", "value_charbuf",
                        "val", "arg2", "arg3", "arg4", "arg5"}}
TITLES = {"exe", "cmdline"}  # a name, and arguments behind a blank
DATA = HIDDEN["--buffers"]
STRING_MIN, VALUE_MIN = 4, 8


class Capture:
    """The texts of a capture as a current writer has it, by what they are."""

    def __init__(self, path):
        self.data = check.read_all(path)
        self.spans = texts.Spans(self.data)
        self.texts = [(t.field, self.data[t.start:t.end]) for t in self.spans.texts if t.place != "machine"]
        self.users = [(self.number(t), self.data[t.start:t.end]) for t in self.spans.texts if t.place in ("user", "group") and t.field == "name"]
        self.host = b"".join(self.data[t.start:t.end] for t in self.spans.texts if t.place == "machine").rstrip(b"\0")

    def number(self, name):
        """The id of the user or group whose name this is."""
        return struct.unpack_from("<I", self.data, name.start - (10 if name.place == "user" else 6))[0]

    def values(self, names):
        """Single texts of the fields called so."""
        return {s for name, value in self.texts if name in names for s in value.split(b"\0") if s}


# --- what a redacted string is ---

def is_string(v):
    """Four bytes between slashes, with a letter or digit among them."""
    return any(len(part) >= STRING_MIN and re.search(rb"[A-Za-z0-9\x80-\xff]", part) for part in v.split(b"/"))


def is_text(v):
    return not re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f]", v)


def hidden_values(whole, option):
    """The strings among the values of the fields that an option hides."""
    values = whole.values(HIDDEN[option])
    if option == "--arguments":
        values |= {word for title in whole.values(TITLES) for word in title.split(b" ")[1:]}
    elif option == "--environment":
        values = {v.partition(b"=")[2] if b"=" in v else v for v in values}
    else:
        whole_data = {v.rstrip(bytes(range(33))) for name, v in whole.texts if name in HIDDEN[option]}
        values = {v for v in whole_data if is_text(v)}
    return {v for v in values if is_string(v)}


def visible_names(whole, options):
    """Texts that stay as they are, but for data: a hidden value that is one of them, or whole parts of one, stays there."""
    hidden = set().union(*(HIDDEN.get(o, ()) for o in options))
    for field, value in whole.texts:
        for s in value.split(b"\0"):
            if field == "env" and field in hidden:
                yield s.partition(b"=")[0] if b"=" in s else b""
            elif field in TITLES and "--arguments" in options:
                yield s.partition(b" ")[0]
            elif field not in hidden | DATA:
                yield s


def stay(values, names):
    """Those of the values that stay where they are visible."""
    whole = b"\0".join(sorted(set(names)))

    def is_whole(v, at):
        end = at + len(v)
        return (at == 0 or v[:1] == b"/" or whole[at - 1] in b'\0/"') and (end == len(whole) or v[-1:] == b"/" or whole[end] in b'\0/"')

    return {v for v in values if len(v) < VALUE_MIN or any(is_whole(v, at) for at in texts.hits(whole, v))}


def matching_paths(whole, start, prefix):
    """Paths that begin with @start, also when they are clean, and have a string behind @prefix."""
    return {s for s in whole.values(PATHS) if s.startswith(start) and is_string(s[len(prefix):])
            and posixpath.normpath(s.decode("latin-1")).startswith(start.decode())}


# --- running ---

def redact(args, path, out, want=0):
    status, _, err = check.run(["redact"] + args + [path, "-o", out, "--force"], timeout=300)
    r.check(status == want, "redact %s %s" % (" ".join(args), os.path.basename(path)), "  status %d\n%s" % (status, err[-1500:]))
    return err


def absent(strings, path, what):
    """Of no other capture's layout: in none of the bytes."""
    data = check.read_all(path)
    there = [t for t in strings if t in data]
    r.check(not there, "%s: none of %d texts is there" % (what, len(strings)), "  %d are: %r" % (len(there), there[:5]))


def texts_of(data, spans):
    """All texts of a capture with these spans, each once."""
    return b"\n\0".join({data[t.start:t.end] for t in spans.texts})


def none_left(strings, path, spans, what):
    """None of the strings is in a text; what looks like one is a number."""
    data = check.read_all(path)
    left, by_chance = {}, 0
    for s in strings:
        for at in texts.hits(data, s):
            t = spans.around(at, at + len(s))
            by_chance += t is None
            if t or len(s) >= VALUE_MIN:
                left.setdefault(s, t and (t.place, t.field))
    r.check(not left, "%s: none of %d redacted strings is there" % (what, len(strings)), "  %d are: %r" % (len(left), list(left.items())[:8]))
    return by_chance


def unchanged_but_for(strings, whole, path, hidden, what):
    """Fields that are not hidden are as they were, unless a redacted string stood there."""
    data = check.read_all(path)
    changed = {(t.field, whole.data[t.start:t.end]) for t in whole.spans.texts
               if t.field not in hidden and data[t.start:t.end] != whole.data[t.start:t.end]}
    wrong = [c for c in changed if not any(s in c[1] for s in strings) and not (c[0] in TITLES and b" " in c[1])]
    r.check(not wrong, "%s: other fields are as they were" % what, "  %r" % wrong[:5])
    return len(changed)


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

def pseudonyms_only(data, spans, options, what):
    """What is hidden is letters and digits of pseudonyms, and nothing of what was there: not even a byte."""
    for t in spans.texts:
        for option in options:
            for s in data[t.start:t.end].split(b"\0") if t.field in HIDDEN[option] else ():
                s = s.partition(b"=")[2] if option == "--environment" and b"=" in s else s
                if not re.fullmatch(rb"[a-z0-9/.]*", s):
                    return r.check(False, "%s: pseudonyms only" % what, "  %s: %r" % (t.field, s))
    return r.check(True, what)


def by_value(folder, path, whole, options, strict):
    """Values of hidden fields, wherever they stand."""
    name = "%s %s%s" % (os.path.basename(path), " ".join(options), " --strict" if strict else "")
    out, report = os.path.join(folder, "values.scap"), os.path.join(folder, "values.json")
    err = redact(options + ["--report", report, "-v"] + ["--strict"] * strict, path, out)
    kinds = [o for o in options if strict or o != "--buffers"]
    values = set().union(*(hidden_values(whole, o) for o in kinds))
    staying = set() if strict else stay(values, visible_names(whole, options))
    none_left(values - staying, out, whole.spans, name)
    absent([v for v in values - staying if len(v) >= VALUE_MIN], out + ".seal", "%s: the seal" % name)
    pseudonyms_only(check.read_all(out), whole.spans, options, name)
    shown = texts_of(check.read_all(out), whole.spans)
    told = json.load(open(report))["values_that_stay_visible_elsewhere"]
    r.equal(sum(told.values()), sum(v in shown for v in staying), "%s: values that stay are told" % name)
    r.check(all("values of %s stay visible in '" % kind in err for kind, n in told.items() if n), "%s: and where" % name, err)
    if not strict:
        hidden = set().union(*(HIDDEN[o] for o in options))
        unchanged_but_for(values - staying, whole, out, hidden, name)


def by_kind(folder, path, conditions_of):
    name = os.path.basename(path)
    out = os.path.join(folder, "redacted.scap")
    whole_path = os.path.join(folder, "whole.scap")
    check.run(["merge", path, "-o", whole_path, "--force", "-q", "--no-seal"])
    whole = Capture(whole_path)
    before = alerts(path)
    gone = dict.fromkeys(KINDS, set())
    gone["--users"] = {n for number, n in whole.users if 1000 <= number <= 65533 and len(n) >= STRING_MIN}
    gone["--host"] = {whole.host} if len(whole.host) >= STRING_MIN else set()
    gone["--containers"] = set(re.findall(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", b"\n".join(whole.values({"cgroups"}))))
    for option, strings in gone.items():
        redact([option], path, out)
        none_left(strings, out, whole.spans, "%s %s" % (name, option))
        absent(strings, out + ".seal", "%s %s: the seal" % (name, option))
        same_alerts(before, out, conditions_of, READS[option], "%s %s" % (name, option))
        if check.run(["info", "--strict", path])[0] == 0:
            status, text, _ = check.run(["info", "--strict", out])
            r.check(status == 0, "%s %s: info --strict" % (name, option), text[-800:])
        r.equal(len(check.read_all(out)), len(whole.data), "%s %s: lengths are kept" % (name, option))
    for options in [["--arguments"], ["--environment"], ["--buffers"], ["--arguments", "--environment", "--buffers"]]:
        for strict in (False, True):
            by_value(folder, path, whole, options, strict)
    everything = KINDS + ["--paths", "/home/*", "--paths", "/tmp/*"]
    redact(everything, path, out)
    none_left(set().union(*gone.values()), out, whole.spans, "%s, all kinds" % name)
    fields = "%evt.num %evt.rawtime %evt.type %thread.tid %thread.vtid %evt.cpu %evt.rawres %fd.num %fd.typechar %proc.vpid %proc.ppid"
    shown = [check.run(["events", "-q", "-p", fields, p])[1] for p in (path, out)]
    r.check(shown[0] == shown[1], "%s: what is no text is as it was" % name)
    redact(everything + ["--strict"], path, out)
    strings = set().union(*gone.values(), *(hidden_values(whole, o) for o in HIDDEN))
    strings |= matching_paths(whole, b"/home/", b"/home/") | matching_paths(whole, b"/tmp/", b"/tmp/")
    none_left(strings, out, whole.spans, "%s, all kinds --strict" % name)
    return whole


def by_path(folder, path, whole, conditions_of):
    name, out = os.path.basename(path), os.path.join(folder, "paths.scap")
    before = alerts(path)
    for pattern in ("/tmp/*", "/home/*", "/opt/w*", "/root/*"):
        start = pattern[:-1].encode()
        prefix = start[:start.rindex(b"/") + 1].decode()
        gone = matching_paths(whole, start, prefix.encode())
        redact(["--paths", pattern], path, out)
        none_left(gone, out, whole.spans, "%s %s" % (name, pattern))
        same_alerts(before, out, conditions_of, r"fd\.|fs\.|evt\.arg|proc\.", "%s %s" % (name, pattern))
        shown, was = ([line.split("\t") for line in check.run(["events", "-q", "-p", "%proc.cwd\t%proc.exepath\t%fd.name", p])[1].splitlines()]
                      for p in (out, path))
        cells = [(a, b) for x, y in zip(shown, was) for a, b in zip(x, y)]
        wrong = [(a, b) for a, b in cells if a.startswith(prefix) != b.startswith(prefix) or a.count("/") != b.count("/")]
        r.check(not wrong, "%s %s: what comes before the pattern's wildcard stays" % (name, pattern), "  %r" % wrong[:5])
        to = {}
        for a, b in cells:
            if to.setdefault(b, a) != a:
                r.check(False, "%s %s: one path has one pseudonym" % (name, pattern), "  %r is %r and %r" % (b, to[b], a))
        redact(["--strict", "--paths", pattern], path, out)
        parts = {part for s in gone for part in s[len(prefix):].split(b"/") if is_string(part)}
        none_left(gone | parts, out, whole.spans, "%s %s --strict" % (name, pattern))


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
        captures = OWN + [check.corpus(n) for n in (["container", "persist", "build"] + OLD + COMMENTS if "--full" in sys.argv
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

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""replay --cache and test --cache give what they give without, and evaluate only what is not there yet.

usage: cache_test.py
"""
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("cache")
STARTER = os.path.join(check.ROOT, "rules", "starter.yaml")
SUITE_COUNTER = re.compile(r"^scapula: test: cache: (\d+) of (\d+) rules evaluated; (\d+) of (\d+) traces replayed\n", re.M)
COUNTER = re.compile(r"Cache: (\d+) of (\d+) rules evaluated; (\d+) of (\d+) captures opened, (\d+) others lack the events, of (\d+) all")


class Trial:
    """Rules that are edited, captures, and a cache; each run beside one without."""

    def __init__(self, folder, captures, rules):
        self.folder, self.captures, self.cache = folder, captures, os.path.join(folder, "cache")
        self.rules = os.path.join(folder, "rules.yaml")
        with open(self.rules, "w") as f:
            f.write(rules)

    def edit(self, old, new):
        text = open(self.rules).read()
        r.check(text.count(old) > 0, "there is '%s' to be edited" % old[:40])
        with open(self.rules, "w") as f:
            f.write(text.replace(old, new, 1))

    def run(self, what, options=(), captures=None, status=0):
        """(rules evaluated, captures opened, captures that lack the events, captures known)"""
        options = ["-r", self.rules] + list(options) + (captures or self.captures)
        cold = check.run(["replay"] + options)
        warm = check.run(["replay", "--stats", "--cache", self.cache] + options)
        r.check(cold[0] == warm[0] == status, "%s: status %d and %d" % (what, cold[0], warm[0]), warm[2])
        r.check(cold[1] == warm[1], "%s: the same alerts" % what, "\n".join(sorted(set(cold[1].splitlines()) ^ set(warm[1].splitlines()))[:6]))
        told = warm[2][:warm[2].find("Cache: ")]
        r.equal(told, cold[2], "%s: the same is told" % what)
        m = COUNTER.search(warm[2])
        r.check(m is not None, "%s: counts" % what, warm[2])
        n = [int(g) for g in m.groups()]
        return n[0], n[2], n[4], n[5]


EDITS = (  # what, of what, into what, how many rules are evaluated anew
    ("a list item more", "items: [", "items: [nosuchprogram, ", None),
    ("another name", "- rule: Log file emptied", "- rule: Log file made empty", 0),
    ("another description", "  desc: ", "  desc: now ", 0),
    ("a rule more", "- rule: Log file made empty",
     "- rule: One more\n  desc: d\n  condition: evt.type = unlinkat and proc.name = rm\n  output: gone (%proc.cmdline)\n  priority: NOTICE\n\n- rule: Log file made empty", 1),
    ("another priority", "  output: gone (%proc.cmdline)\n  priority: NOTICE", "  output: gone (%proc.cmdline)\n  priority: ERROR", 0),
    ("another output", "  output: gone", "  output: all gone", 1),
    ("another tag", "  output: all gone", "  tags: [x, y]\n  output: all gone", 0),
    ("disabled", "  tags: [x, y]", "  enabled: false\n  tags: [x, y]", 0),
    ("enabled again", "  enabled: false\n  tags: [x, y]", "  tags: [x, y]", 0),
    ("as it was before", "  output: all gone", "  output: gone", 0),
)


def edits(t, count):
    r.equal(t.run("nothing is there"), (count, len(t.captures), 0, 0), "all is evaluated")
    r.equal(t.run("all is there"), (0, 0, 0, len(t.captures)), "nothing is evaluated")
    for what, old, new, evaluated in EDITS:
        t.edit(old, new)
        n = t.run(what)
        if evaluated is None:
            r.check(0 < n[0] < count, "%s: %d of %d rules" % (what, n[0], count))
        else:
            r.equal(n[0], evaluated, "%s: rules evaluated" % what)
        r.equal(t.run(what + ", again"), (0, 0, 0, len(t.captures)), what + ": then all is there")


def floor(t):
    """A rule that becomes severe enough is evaluated: as long as it was not, nothing was found out about it."""
    text = "- rule: %s\n  desc: d\n  condition: evt.type = openat and fd.name = /etc/shadow\n  output: x %%fd.name\n  priority: %s\n"
    floor = ["--min-priority", "warning"]
    for priority, evaluated in (("NOTICE", 0), ("ERROR", 1), ("NOTICE", 0), ("WARNING", 0)):
        with open(t.rules, "w") as f:
            f.write(text % ("Severe or not", priority) + text.replace("/etc/shadow", "/nowhere") % ("Always", "CRITICAL"))
        n = t.run("priority %s and a floor" % priority, floor)
        r.check(n[0] <= 1 + evaluated, "%s: %d rules" % (priority, n[0]))


def swapped(t):
    """Which rule of an event is the first is decided anew."""
    a, b = ["- rule: %s\n  desc: d\n  condition: evt.type = openat and fd.name = /etc/shadow\n  output: %s %%fd.name\n  priority: INFO\n" % (n, n) for n in "AB"]
    with open(t.rules, "w") as f:
        f.write(a + b)
    r.equal(t.run("two rules of one event")[0], 2, "both evaluated")
    with open(t.rules, "w") as f:
        f.write(b + a)
    r.equal(t.run("in the other order")[0], 0, "none evaluated")
    r.equal(t.run("all that match", ["--matching", "all"])[0], 2, "other options, other results")
    with open(t.rules, "w") as f:
        f.write(b.replace("  output: B", "  output: A") + a)
    n = t.run("two rules that differ in their names only")
    r.check(n[0] <= 1, "and have one result: %d" % n[0])


def options(t):
    for o in (["-f", "json"], ["--tz", "+02:00"], ["-F", "proc.name = cat"], ["-D", "Log"], ["-O", "json_output=true"], ["--min-priority", "warning"], ["--from", "+1s"],
              ["--corrected"], ["-t", "persistence"]):
        t.run(" ".join(o), o)
        n = t.run(" ".join(o) + " again", o)
        r.equal(n[:2], (0, 0), " ".join(o) + ": then all is there")
    t.run("--fail-on", ["--fail-on", "alerts"], status=1)


def indexed(t):
    """A capture without events of a rule's types is not opened for it."""
    for c in t.captures:
        check.run(["index", c])
    t.edit("- rule: One more", "- rule: Of another type\n  desc: d\n  condition: evt.type = bpf\n  output: bpf\n  priority: INFO\n\n- rule: One more")
    r.equal(t.run("a type that no capture has"), (1, 0, len(t.captures), 0), "no capture is opened")
    for c in t.captures:
        os.unlink(c + ".scapidx")


def captures_change(t):
    first = t.captures[0]
    data = open(first, "rb").read()
    fresh = os.path.join(t.folder, "copy.scap")
    shutil.copy(first, fresh)
    r.equal(t.run("the same bytes by another name", captures=[fresh]), (0, 0, 0, 1), "are known")
    with open(fresh, "wb") as f:
        f.write(open(t.captures[1], "rb").read())
    r.equal(t.run("another capture's bytes", captures=[fresh])[3], 1, "are known, too")
    with open(fresh, "wb") as f:
        f.write(data[:len(data) * 2 // 3])
    for i in range(2):
        n = t.run("a damaged capture", captures=[fresh], status=5)
        r.check(n[1] == 1, "is read each time")


def damage(t):
    """What is wrong with the cache is told, or it is made anew."""
    db = os.path.join(t.cache, "results.db")
    with sqlite3.connect(db) as c:
        rows = c.execute("SELECT id, value FROM kept WHERE length(value) > 40").fetchall()
        for i, value in rows:
            c.execute("UPDATE kept SET value = ? WHERE id = ?", (value[:len(value) // 2], i))
    c.close()
    t.run("values that are cut off")
    r.equal(t.run("mended")[3], len(t.captures), "they are there again")
    with sqlite3.connect(db) as c:
        for i, value in c.execute("SELECT id, value FROM kept WHERE length(value) > 40").fetchall():
            c.execute("UPDATE kept SET value = ? WHERE id = ?", (b"\xff" * len(value), i))
    c.close()
    t.run("values of nonsense")
    for name, text, want, say in (("nothing", b"no database, but long enough to be something else " * 20, 4, "is damaged or something else; delete it"),):
        for end in ("-wal", "-shm"):
            if os.path.exists(db + end):
                os.unlink(db + end)
        with open(db, "wb") as f:
            f.write(text)
        status, _, err = check.run(["replay", "--cache", t.cache, "-r", t.rules] + t.captures)
        r.check(status == want and say in err, "%s: status %d" % (name, status), err)
    os.unlink(db)
    with sqlite3.connect(db) as c:
        c.execute("CREATE TABLE other(x)")
    c.close()
    status, _, err = check.run(["replay", "--cache", t.cache, "-r", t.rules] + t.captures)
    r.check(status == 4 and "something else" in err, "another database: status %d" % status, err)
    shutil.rmtree(t.cache)


def refusals(t):
    for options, want, say in ((["--db", os.path.join(t.folder, "x.case.db")] + t.captures, 3, "not with --db"), (["-"], 4, "cannot open '-'"), ([os.path.join(t.folder, "nosuch")], 4, "cannot open"),
                               (["/dev/null"], 4, "no regular file")):
        status, _, err = check.run(["replay", "--cache", t.cache, "-r", t.rules] + options, stdin=b"")
        r.check(status == want and say in err, "%s: status %d, want %d" % (options[0], status, want), err)
    status, _, err = check.run(["replay", "--cache", os.path.join(t.folder, "no", "such"), "-r", t.rules] + t.captures)
    r.check(status == 4 and "cannot make" in err, "a directory that cannot be made", err)
    shared = os.path.join(t.folder, "shared")
    os.mkdir(shared)
    os.chmod(shared, 0o777)
    status, _, err = check.run(["replay", "--cache", shared, "-r", t.rules] + t.captures)
    r.check(status == 4 and "writable for everybody" in err, "a directory that everybody may write to", err)


def side_by_side(t):
    """Several programs with one cache."""
    shutil.rmtree(t.cache, ignore_errors=True)
    args = [check.scapula_path(), "replay", "-q", "--cache", t.cache, "-r", t.rules] + t.captures
    started = [check.popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, TZ="UTC")) for _ in range(4)]
    want = check.run(["replay", "-q", "-r", t.rules] + t.captures)[1].encode()
    for p in started:
        out, err = p.communicate(timeout=120)
        r.check(p.returncode == 0 and out == want, "one of four at the same time: status %s" % p.returncode, err.decode())


def stock(folder):
    """The public rules, over captures of the corpus; then one list is edited."""
    if not check.have_shared():
        r.skip("the shared captures are not here")
        return
    names = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
    text = "\n".join(open(os.path.join(check.SHARED, "peer-rules", n)).read() for n in names)
    where = os.path.join(folder, "stock")
    os.mkdir(where)
    t = Trial(where, [check.corpus(n) for n in ("container", "intrusion", "persist", "network")], text)
    enabled = t.run("stock rules")[0]
    r.equal(t.run("again"), (0, 0, 0, 4), "all is there")
    r.check(enabled > 70, "%d rules are enabled" % enabled)
    t.edit("- list: sensitive_file_names\n  items: [", "- list: sensitive_file_names\n  items: [/etc/hostname, ")
    n = t.run("one list")
    r.check(0 < n[0] <= 4, "%d rules depend on it" % n[0])


class Suite:
    """Tests of rules in a folder, with one rule file; each run beside one without a cache."""

    def __init__(self, folder):
        self.folder, self.cache = os.path.join(folder, "suite"), os.path.join(folder, "suite-cache")
        self.rules = os.path.join(self.folder, "rules.yaml")
        self.state = os.path.join(folder, "failed")
        self.total = 0

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return path

    def test(self, name, text, trace="intrusion"):
        own = os.path.join(self.folder, name, "trace.scap")
        self.write(name + "/test.yaml", "rules: [../rules.yaml]\n" + text)
        shutil.copy(os.path.join(check.ROOT, "tests", "captures", trace + ".scap"), own)
        return own

    def run(self, what, *options, status=None):
        """(rules evaluated, traces replayed)"""
        args = ["test", "-f", "json", "--state", self.state] + list(options) + [self.folder]
        cold, warm = check.run(args), check.run(args + ["--cache", self.cache])
        m = SUITE_COUNTER.search(warm[2])
        r.check(m is not None, what + ": counts", warm[2])
        r.check(cold[0] == warm[0] and status in (None, warm[0]), "%s: status %d and %d" % (what, cold[0], warm[0]), warm[2])
        r.equal(warm[1], cold[1], what + ": the same results")
        r.equal(SUITE_COUNTER.sub("", warm[2]), cold[2], what + ": the same is told")
        n = [int(g) for g in m.groups()]
        self.total = n[1]
        return n[0], n[2]


def suites(folder):
    s = Suite(folder)
    text = open(STARTER).read()
    s.write("rules.yaml", text)
    shadow = "Password database read by an unexpected program"
    one = s.test("one", "unexpected: ignore\nexpect:\n  - {rule: %s, exactly: 3, match: {fd.name: /etc/shadow}}\n" % shadow)
    s.test("two", "expect: []\n", "network")
    s.test("wrong", "unexpected: ignore\nexpect: [{rule: %s, exactly: 9}]\n" % shadow)
    digest = hashlib.sha256(open(one, "rb").read()).hexdigest()
    s.write("by-hash/test.yaml", "rules: [../rules.yaml]\ntrace: sha256:%s\nunexpected: ignore\n" % digest)
    store = ["--store", os.path.join(s.folder, "one")]
    os.rename(one, os.path.join(s.folder, "one", digest + ".scap"))
    s.write("one/test.yaml", open(os.path.join(s.folder, "one", "test.yaml")).read() + "trace: %s.scap\n" % digest)
    s.write("skipped/test.yaml", "rules: [nosuch.yaml]\nrequires: {engine: '>=9'}\n")
    enabled = s.run("nothing is there", *store, status=1)[0]
    r.check(enabled == s.total > 10, "all rules are evaluated")
    r.equal(s.run("all is there", *store), (0, 0), "nothing is evaluated")
    r.equal(s.run("all is there, three at a time", "-j", "3", *store), (0, 0), "nor by several threads")
    r.equal(s.run("a rule more, for which nothing is there", *store), (0, 0), "nothing")
    more = "\n- rule: One more\n  desc: d\n  condition: evt.type = openat and fd.name = /etc/shadow\n  output: more %fd.name\n  priority: NOTICE\n"
    s.write("rules.yaml", text + more)
    n = s.run("a rule more", "-j", "1", *store)
    r.equal(n, (1, 2), "it alone, in each of the two captures once")
    r.equal(s.run("a rule more, again", *store), (0, 0), "then it is there")
    s.write("rules.yaml", more + text)
    r.equal(s.run("the same rule as the first", *store, status=1), (0, 0), "which one is first is decided anew")
    s.write("rules.yaml", text)
    # captures that lack different rules: what is there of a rule that is evaluated for the other is not there twice
    other = more.replace("One more", "Another").replace("more %fd.name", "another %fd.name %evt.num").replace("/shadow", "/sudoers")
    third = more.replace("One more", "A third").replace("more %fd.name", "third %fd.name %evt.num")
    s.write("rules.yaml", text + other)
    s.run("one capture has a rule's result", "--filter", "/one", "--filter", "one", *store)
    s.write("rules.yaml", text + other + third)
    s.test("opt-both", "matching: all\nunexpected: ignore\n")
    n = s.run("captures that lack different rules", *store)
    r.equal(n[0], 2, "both rules are evaluated")
    s.write("rules.yaml", text)
    # what results depend on
    for name, key in (("all", "matching: all"), ("filter", "filter: proc.name = cat"), ("buffers", "options: [base_syscalls.all=true, buffer_format_base64=true]"), ("prio", "min_priority: critical"),
                      ("tags", "tags: [T1003.008]")):
        s.test("opt-" + name, key + "\nunexpected: ignore\n")
        n = s.run(key, *store)
        r.check(n[1] == (1 if name in ("filter", "buffers") else 0), "%s: %d rules, %d traces" % ((key,) + n))
        r.equal(s.run(key + ", again", *store), (0, 0), key + ": then all is there")
    # a budget of time is measured, whatever is kept
    s.test("timed", "budget: {max_ns_per_evt: 1000000000}\nunexpected: ignore\n")
    for _ in range(2):
        r.equal(s.run("a budget of time", *store), (0, 1), "is measured each time")
    # another capture in the same place, one that is damaged, one with another hash
    own = s.test("changes", "unexpected: ignore\n")
    r.equal(s.run("a copy", *store), (0, 1), "only the budget")
    data = open(own, "rb").read()
    for text, evaluated in ((data[:len(data) * 2 // 3], 1), (open(os.path.join(check.ROOT, "tests", "captures", "network.scap"), "rb").read(), 0)):
        with open(own, "wb") as f:
            f.write(text)
        for _ in range(2):
            r.equal(s.run("another capture in its place", *store)[1], 1 + evaluated, "a whole capture is kept, a damaged one is not")
    with open(os.path.join(s.folder, "one", digest + ".scap"), "ab") as f:
        f.write(b"x")
    s.run("the trace has another hash", *store, status=4)
    # files that are no cache
    for bad, say in ((os.path.join(folder, "no", "such"), "cannot make"), (s.rules, "kept results")):
        status, _, err = check.run(["test", "--cache", bad, s.folder])
        r.check(status == 4 and say in err, "a cache that cannot be: status %d" % status, err)


def main():
    with tempfile.TemporaryDirectory() as folder:
        captures = []
        for name in ("intrusion", "network"):
            captures.append(os.path.join(folder, name + ".scap"))
            shutil.copy(os.path.join(check.ROOT, "tests", "captures", name + ".scap"), captures[-1])
        t = Trial(folder, captures, open(STARTER).read())
        edits(t, sum(line.startswith("- rule: ") for line in open(STARTER)))
        options(t)
        indexed(t)
        captures_change(t)
        for _ in range(8):
            side_by_side(t)
        damage(t)
        refusals(t)
        swapped(t)
        floor(t)
        stock(folder)
        suites(folder)
    r.finish()


if __name__ == "__main__":
    main()

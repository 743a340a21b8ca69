#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula diff: edits of the stock rules, each of which must be told with exactly the alerts it affects; tiers, formats, statuses.

What is affected is worked out here, from the lines of two replays. usage: tests/diff_test.py
"""
import collections
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("differences of runs")
STOCK = [os.path.join(check.SHARED, "peer-rules", n) for n in ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")]
STARTER = os.path.join(check.ROOT, "rules", "starter.yaml")
OK, FINDINGS, USAGE, INPUT, PARTIAL = 0, 1, 3, 4, 5


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def replay(rules, captures, case, *args):
    if os.path.exists(case):
        os.unlink(case)
    status, out, err = check.run(["replay", "-q", "-r", rules, "--db", case, "-f", "json"] + list(args) + captures)
    r.check(status == OK, "replay of " + rules, err)
    return [json.loads(line) for line in out.splitlines()]


def diff(*args, want=None):
    status, out, err = check.run(["diff", "-f", "json"] + list(args))
    if want is not None:
        r.equal(status, want, "status of diff " + " ".join(args))
    return json.loads(out) if out else err


def key(alert):
    return (alert["time"], alert["rule"], alert["priority"], json.dumps({k: v for k, v in alert.get("output_fields", alert.get("fields")).items() if k != "evt.time"}, sort_keys=True))


def told(result, tier, side=None):
    found = [d[side or ("is" if tier == "new" else "was")] for c in result["causes"] for d in c["differences"] if d["tier"] == tier]
    return collections.Counter(key(a) for a in found)


def causes(result):
    return [(c["because"], {k: v for k, v in c["counts"].items() if v}) for c in result["causes"]]


class Rules:
    """A rule file as text whose entries can be edited."""

    def __init__(self, paths):
        self.blocks = re.split(r"(?m)^(?=- )", "".join(read(p) for p in paths))

    def find(self, head):
        found = [i for i, b in enumerate(self.blocks) if b.startswith("- " + head + "\n")]
        return found[-1]

    def edit(self, head, old, new):
        i = self.find(head)
        r.check(old in self.blocks[i], "%s has %r" % (head, old))
        self.blocks[i] = self.blocks[i].replace(old, new, 1)

    def swap(self, a, b):
        i, k = self.find(a), self.find(b)
        self.blocks[i], self.blocks[k] = self.blocks[k], self.blocks[i]

    def save(self, path):
        return write(path, "".join(self.blocks))


def seeded(folder, name, captures, change, because, least):
    """@change edits the rules; every difference must be told, and all with the causes that match @because, of which there are @least."""
    before, after = Rules(STOCK), Rules(STOCK)
    change(after)
    old = replay(before.save(os.path.join(folder, "old.yaml")), captures, os.path.join(folder, "old.db"))
    new = replay(after.save(os.path.join(folder, "new.yaml")), captures, os.path.join(folder, "new.db"))
    result = diff(os.path.join(folder, "old.db"), os.path.join(folder, "new.db"), want=FINDINGS)
    was, now = collections.Counter(map(key, old)), collections.Counter(map(key, new))
    n = result["counts"]
    if n["changed"]:
        places = lambda alerts: collections.Counter((a["time"], a["rule"]) for a in alerts)
        r.equal(places(old), places(new), name + ": the same alerts")
        r.equal(n["changed"], sum((was - now).values()), name + ": what changed")
        r.equal((told(result, "changed", "was"), told(result, "changed", "is")), (was - now, now - was), name + ": which alerts changed, from what into what")
        r.equal((n["missing"], n["new"], n["moved"]), (0, 0, 0), name + ": nothing else")
    else:
        r.equal(told(result, "missing"), was - now, name + ": what is missing")
        r.equal(told(result, "new"), now - was, name + ": what is new")
    r.equal(n["unchanged"], sum((was & now).values()), name + ": what is unchanged")
    for pattern in because:
        r.check(any(re.search(pattern, line) for lines, _ in causes(result) for line in lines), "%s: %s is a cause" % (name, pattern))
    for lines, counts in causes(result):
        r.check(all(any(re.search(p, line) for p in because) for line in lines), name + ": causes", "  %r\n  %r" % (lines, counts))
    r.check(sum(n[t] for t in ("changed", "missing", "new")) >= least, name + ": the edit changes something", "  %r" % n)
    return result


def edits(folder):
    recorded = [os.path.join(check.SHARED, "corpus", "recorded", c + ".scap") for c in ("intrusion", "persist", "network", "container")]
    shadow = "Read sensitive file untrusted"
    seeded(folder, "an item of a list removed", recorded, lambda f: f.edit("list: sensitive_file_names", "/etc/shadow, ", ""),
           [r"^list sensitive_file_names \(new\.yaml:\d+\): removed /etc/shadow$"], 4)
    seeded(folder, "an item of a list added", recorded, lambda f: f.edit("list: sensitive_file_names", "[", "[/etc/passwd, "),
           [r"^list sensitive_file_names \(new\.yaml:\d+\): added /etc/passwd$"], 1)
    result = seeded(folder, "two rules swapped", recorded,
                    lambda f: f.swap("rule: Launch Excessively Capable Container", "rule: Launch Sensitive Mount Container"),
                    [r"^(no longer )?hidden by rule Launch (Excessively Capable|Sensitive Mount) Container \((old|new)\.yaml:\d+\), which (comes first now|came first)$"], 52)
    r.equal([(c["missing"], c["new"]) for c in (x["counts"] for x in result["causes"])], [(26, 0), (0, 26)], "each hides the other")
    result = seeded(folder, "a priority raised", recorded, lambda f: f.edit("rule: " + shadow, "priority: WARNING", "priority: CRITICAL"),
                    [r"^rule %s \(new\.yaml:\d+\): priority: 'WARNING' -> 'CRITICAL'$" % shadow], 5)
    r.equal({json.dumps(d["changes"]) for c in result["causes"] for d in c["differences"]},
            {json.dumps([{"field": "priority", "from": "Warning", "to": "Critical"}])}, "and nothing else")
    seeded(folder, "a macro broken", recorded, lambda f: f.edit("macro: sensitive_files", "fd.name in (sensitive_file_names)", "fd.name in (/nowhere)"),
           [r"^macro sensitive_files \(new\.yaml:\d+\): condition: 'sensitive_file_names' -> '/nowhere'$"], 5)
    seeded(folder, "an exception added", recorded,
           lambda f: f.edit("rule: " + shadow, "  condition: >\n", "  exceptions:\n    - {name: head, fields: proc.name, comps: in, values: [head]}\n  condition: >\n"),
           [r"^rule %s \(new\.yaml:\d+\): exceptions: '' -> '\[\{name: head, fields: proc\.name.*$" % shadow], 1)
    seeded(folder, "an output changed", recorded, lambda f: f.edit("rule: " + shadow, "file=%fd.name", "file=%fd.name fd=%fd.num"),
           [r"^rule %s \(new\.yaml:\d+\): output: '.*' -> '.*fd\.num.*'$" % shadow], 5)
    seeded(folder, "a rule removed", recorded, lambda f: f.blocks.pop(f.find("rule: " + shadow)), [r"^rule %s \(old\.yaml:\d+\): is gone$" % shadow], 5)
    seeded(folder, "a rule switched off", recorded, lambda f: f.edit("rule: " + shadow, "  priority:", "  enabled: false\n  priority:"),
           [r"^rule %s \(new\.yaml:\d+\): was switched off$" % shadow], 5)
    # a rule that comes to hide a later one: what is hidden is no fault of its own
    first = "Directory traversal monitored file read"
    seeded(folder, "a rule widened over a later one", recorded[:1],
           lambda f: f.edit("rule: " + first, "condition: >", "condition: >\n    (evt.type = openat and fd.name = /etc/shadow) or"),
           [r"^rule %s \(new\.yaml:\d+\): condition: " % first, r"^hidden by rule %s \(new\.yaml:\d+\)$" % first], 2)
    old, new = os.path.join(folder, "old.db"), os.path.join(folder, "new.db")
    # a file that was edited in place: the case has what it said
    seeded(folder, "edited in place", recorded, lambda f: f.edit("list: sensitive_file_names", "/etc/shadow, ", ""), [r"^list sensitive_file_names "], 4)
    os.rename(os.path.join(folder, "new.yaml"), os.path.join(folder, "old.yaml"))
    (lines, _), = causes(diff(old, new))
    r.equal([re.sub(r":\d+\)", ":N)", x) for x in lines], ["list sensitive_file_names (new.yaml:N): removed /etc/shadow"], "and the list is named without --rules-from")
    # without the texts, from what the cases hold
    seeded(folder, "once more", recorded, lambda f: f.edit("list: sensitive_file_names", "/etc/shadow, ", ""), [r"^list sensitive_file_names "], 4)
    for case in (old, new):
        db = sqlite3.connect(case)
        r.check(db.execute("SELECT count(*) FROM rule_texts").fetchone()[0] == 1, "a text for a file")
        db.execute("DELETE FROM rule_texts")
        db.commit()
        db.close()
    os.rename(os.path.join(folder, "old.yaml"), os.path.join(folder, "older.yaml"))
    lines = [lines[0] for lines, _ in causes(diff(old, new))]
    r.check(any(re.match(r"rule %s \(new\.yaml:\d+\): its condition, with macros and lists filled in: '.*/etc/shadow,.*' -> '" % shadow, x) for x in lines), "without texts", repr(lines))
    lines = [lines for lines, _ in causes(diff(new, old))]
    r.check(all(len(x) == 1 and "its condition, with macros and lists filled in" in x[0] for x in lines), "without those of the second run", repr(lines))
    (lines, _), = causes(diff(old, new, "--rules-from", folder))
    r.check(lines[0].startswith("list sensitive_file_names"), "--rules-from finds them by their hash", lines[0])


def cases(folder):
    one, two = [os.path.join(check.ROOT, "tests", "captures", n + ".scap") for n in ("intrusion", "network")]
    old, new = os.path.join(folder, "a.db"), os.path.join(folder, "b.db")
    alerts = replay(STARTER, [one], old)
    r.equal(diff(old, old, want=OK)["counts"], {"unchanged": 30, "changed": 0, "moved": 0, "missing": 0, "new": 0}, "a run and itself")
    r.equal(diff(old, os.path.join(check.ROOT, "tests", "suites", "starter", "intrusion", "baseline.jsonl"), want=OK)["counts"]["unchanged"], 30,
            "a run and a baseline")
    lines = write(os.path.join(folder, "falco.jsonl"), "".join(json.dumps(a) + "\n" for a in alerts[1:]))
    result = diff(old, lines, want=FINDINGS)
    r.equal((result["counts"]["unchanged"], result["counts"]["missing"]), (29, 1), "a run and Falco's lines")
    r.equal(causes(result), [(["not known"], {"missing": 1})], "of which nothing is known")
    # several runs of a case
    case = os.path.join(folder, "two.db")
    replay(STARTER, [one], case)
    check.run(["replay", "-q", "-r", STARTER, "--db", case, "-D", "Password", one])
    result = diff(case + "#1", case + "#2", want=FINDINGS)
    r.equal(causes(result), [(["rule Password database read by an unexpected program (starter.yaml:34): was switched off"], {"missing": 3})], "two runs of a case")
    r.equal(diff(case, case + "#2", want=OK)["second"]["run"], 2, "the newest run is meant")
    for bad in ("#0", "#3", "#x"):
        r.equal(check.run(["diff", case, case + bad])[0], USAGE, "run " + bad)
    # captures that only one run read; the order of captures does not matter
    replay(STARTER, [two, one], new)
    result = diff(old, new, want=PARTIAL)
    r.equal((result["counts"]["unchanged"], [c["capture"] for c in result["second"]["not_compared"]]), (30, [two]), "a capture that only one run has")
    gz = os.path.join(folder, "copy.scap")
    shutil.copy(one, gz)
    replay(STARTER, [gz], new)
    r.equal(diff(old, new, want=OK)["counts"]["unchanged"], 30, "a capture under another name")
    # options, versions, readings
    r.equal([c[0] for c in causes(diff(old, case + "#1"))], [], "the same rules")
    replay(STARTER, [one], new, "--min-priority", "critical")
    (because, counts), = causes(diff(old, new, want=FINDINGS))
    r.equal((because, counts), (["not known; the command lines of the runs differ"], {"missing": 26}), "other options")
    replay(STARTER, [one], new)
    for sql, because in (("UPDATE runs SET version = '9.9'", "version of the program: 0.1.0 -> 9.9"), ("UPDATE run_captures SET gaps = 2", "gaps found in the capture: 0 -> 2"),
                         ("UPDATE run_captures SET interrupted = 1", "the capture was not read to its end by the second run")):
        db = sqlite3.connect(new)
        db.execute("DELETE FROM alerts WHERE seq = 3")
        db.execute(sql)
        db.commit()
        db.close()
        r.equal(causes(diff(old, new)), [([because], {"missing": 1})], because)
        replay(STARTER, [one], new)
    db = sqlite3.connect(new)
    later = "SELECT rule_id FROM rules WHERE name = 'Data decoded on the command line'"
    db.execute("UPDATE alerts SET rule_id = (%s), priority = 5 WHERE seq = 3" % later)
    db.commit()
    db.close()
    r.equal(causes(diff(old, new)), [(["no longer hidden by rule Password database read by an unexpected program (starter.yaml:34)"], {"new": 1}), (["not known; the command lines of the runs differ"], {"missing": 1})],
            "only an earlier rule hides a later one")
    replay(STARTER, [one], new)
    # what fails
    replay(STARTER, [one], new, "-D", "Password", "-D", "Log file")
    for what, status in (("missing", FINDINGS), ("new", OK), ("changed,moved", OK), ("missing:prio>=warning", FINDINGS), ("missing:prio>=critical", OK),
                         ("new,missing:prio>=error", OK), ("none", OK)):
        diff(old, new, "--fail-on", what, want=status)
    for bad in ("cost", "missing:prio=warning", "missing:prio>=high", "", "missing,"):
        r.equal(check.run(["diff", "--fail-on", bad, old, new])[0], USAGE, "--fail-on %r" % bad)
    # formats
    out = os.path.join(folder, "out.sarif")
    r.equal(check.run(["diff", "-f", "sarif", "-o", out, old, new])[0], FINDINGS, "-o")
    states = [x["baselineState"] for x in json.loads(read(out))["runs"][0]["results"]]
    r.equal(collections.Counter(states), collections.Counter(unchanged=25, absent=5), "SARIF: states")
    r.equal(check.run(["diff", "-o", out, old, new])[0], INPUT, "no file is replaced")
    text = check.run(["diff", old, new])[1]
    r.check("25 unchanged, 0 changed, 0 moved, 5 missing, 0 new" in text and text.count("    missing: event ") == 5 and text.count("because of") == 2, "text", text)
    page = check.run(["diff", "-f", "markdown", old, new])[1]
    r.equal((page.count("\n## "), page.count("\n| missing |")), (2, 5), "Markdown")
    r.equal(diff(old, new, "--ignore", "proc.*", want=FINDINGS)["counts"]["missing"], 5, "--ignore")
    # what is no run
    for bad in (STARTER, os.path.join(folder, "none.db"), one):
        status, _, err = check.run(["diff", old, bad])
        r.check(status == INPUT and err.count("\n") == 1, "no run: " + bad, "%d %s" % (status, err))
    r.equal(check.run(["diff", old])[0], USAGE, "one run")
    empty = os.path.join(folder, "empty.db")
    sqlite3.connect(empty).execute("CREATE TABLE a (b)").connection.close()
    r.equal(check.run(["diff", old, empty])[0], INPUT, "another database")


def costs(folder):
    """--fail-on cost>+N%: more work is told, by counts."""
    capture, case = check.DEMO, os.path.join(folder, "costs.case.db")
    replay(STARTER, [capture], case)
    rules, profiles = os.path.join(folder, "costs.yaml"), {}
    one = "- rule: %s\n  desc: d\n  condition: evt.type = openat and (%s)\n  output: o\n  priority: INFO\n"
    for name, test in (("old", "fd.name = /x1"), ("new", "fd.name = /x1 or fd.num = 98761 or fd.type = x2 or evt.rawres = 98762")):
        write(rules, one % ("Grows", test) + one % ("Stays", "fd.name = /x3"))
        profiles[name] = os.path.join(folder, name + ".json")
        status, _, err = check.run(["replay", "-q", "-r", rules, "--profile", profiles[name], capture])
        r.check(status == 0, "a profile", err)

    def gate(limit, before, after, want, *more):
        status, _, err = check.run(["diff", "--fail-on", limit, "--cost-before", before, "--cost-after", after, case, case] + list(more))
        r.check(status == want, "%s: status %d, want %d" % (limit, status, want), err)
        return err

    r.check("work" not in gate("cost>+0%", profiles["old"], profiles["old"], 0), "the same costs as much")
    err = gate("cost>+20%", profiles["old"], profiles["new"], 1)
    r.check("Grows: " in err and " tests" in err and "Stays" not in err and "all rules" not in err, "which rule it is", err)
    gate("cost>+20%", profiles["new"], profiles["old"], 0)
    gate("cost>+900000%", profiles["old"], profiles["new"], 0)
    gate("missing,cost>+20%", profiles["old"], profiles["new"], 1)
    for limit in ("cost>+%", "cost>+x%", "cost>+5", "cost>=5%", "cost>+99999999999%"):
        gate(limit, profiles["old"], profiles["new"], 3)
    gate("missing", profiles["old"], profiles["new"], 3)
    r.equal(check.run(["diff", "--fail-on", "cost>+1%", case, case])[0], 3, "profiles are wanted")
    bad = os.path.join(folder, "bad.json")
    gate("cost>+1%", os.path.join(folder, "none.json"), profiles["new"], 4)
    for text in ("", "[]", "{}", '{"rules":[1]}', '{"rules":[{"rule":"x","evaluated":-1,"sampled":0,"tests":0}]}', '{"rules":[{"rule":"x"}]}', "\0" * 100, "[" * 100000):
        write(bad, text)
        r.check("profile" in gate("cost>+1%", bad, profiles["new"], 4), "no profile: %r" % text[:40])


def main():
    with tempfile.TemporaryDirectory() as folder:
        cases(folder)
    with tempfile.TemporaryDirectory() as folder:
        costs(folder)
    with tempfile.TemporaryDirectory() as folder:
        if check.have_shared():
            edits(folder)
        else:
            r.skip("no stock rules")
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula cover: its counts are those of `events --count` and of replays, whatever the rules ask."""
import collections
import itertools
import json
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import check  # noqa: E402

STOCK = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]

RULES = """
- list: programs
  items: [cat, nobody, bash]
- macro: opens
  condition: evt.type = openat and proc.name in (programs)
- rule: opened
  desc: d
  condition: opens and fd.name startswith /etc
  output: o
  priority: ERROR
  tags: [T1003.008, mitre_credential_access]
  exceptions:
    - name: some
      fields: [proc.name, fd.name]
      values:
        - [cat, /etc/shadow]
        - [nobody, /etc/passwd]
- rule: silent
  desc: d
  condition: evt.type = openat and proc.name = nobody
  output: o
  priority: ERROR
  tags: [T1003.008, T1059]
- rule: elsewhere
  desc: d
  condition: evt.type = quotactl
  output: o
  priority: ERROR
- rule: off
  desc: d
  condition: evt.type = openat
  output: o
  priority: ERROR
  enabled: false
- rule: k8s
  desc: d
  condition: ka.verb = get
  output: o
  priority: ERROR
  source: k8s_audit
"""


def cover(args, expect=0):
    status, out, err = check.run(["cover"] + args)
    assert status == expect, "status %d\n%s" % (status, err[-2000:])
    return out


def cover_json(args):
    rules = json.loads(cover(args + ["-f", "json"]))["rules"]
    return {r["rule"]: r for r in rules}


def count(condition):
    status, out, err = check.run(["events", "--containers", "--count", "-F", condition, check.DEMO])
    assert status == 0, err
    return int(out)


def check_counts(r, rules):
    got = cover_json(["-r", rules, check.DEMO])
    r.equal({n: x["state"] for n, x in got.items()}, {"opened": "matched", "silent": "never true", "elsewhere": "never evaluated",
                                                      "off": "disabled", "k8s": "other source"}, "states")
    opened = got["opened"]
    r.equal(opened["evaluated"], count("evt.type = openat"), "events of its type")
    r.equal(opened["matched"], count("evt.type = openat and proc.name in (cat, bash) and fd.name startswith /etc and "
                                     "not (proc.name = cat and fd.name = /etc/shadow)"), "matches")
    checks = {c["text"]: c for c in opened["checks"]}
    known = checks["proc.name in (programs)"]
    r.equal((known["true"], known["false"] + known["absent"]),
            (count("evt.type = openat and proc.name in (cat, bash)"), count("evt.type = openat and not proc.name in (cat, bash)")),
            "how often a check is true, and not")
    r.equal([(i["text"], i["met"], i["list"]) for i in known["items"]],
            [(n, count("evt.type = openat and proc.name = " + n), "programs") for n in ("cat", "nobody", "bash")], "items")
    r.equal(known["macro"], "opens", "the macro it is in")
    r.equal([x["met"] for x in opened["exceptions"]],
            [count("evt.type = openat and proc.name = cat and fd.name = /etc/shadow"), 0], "values of exceptions")
    r.check(opened["exceptions"][0]["met"] > 0, "an exception is met at all")
    r.equal(opened["items_met"], {"seen": 2, "all": 3}, "sum of items")
    started = checks["fd.name startswith /etc"]
    r.equal(started["absent"], count("evt.type = openat and not fd.name exists"), "absent values")
    r.equal(sum(started[k] for k in ("true", "false", "absent")), opened["evaluated"], "a check is one of three")
    text = cover(["-r", rules, "--rule", "opened", check.DEMO])
    r.check("never met: nobody" in text, "items that were never met are named")


def check_twice(r, rules):
    """Two captures count twice; a directory gives what is in it."""
    one = cover_json(["-r", rules, check.DEMO])["opened"]
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "a", "b"))
        shutil.copy(check.DEMO, os.path.join(folder, "a", "b", "trace.scap"))
        shutil.copy(check.DEMO, os.path.join(folder, "a", "trace.scap"))
        with open(os.path.join(folder, "note.txt"), "w") as f:
            f.write("no capture")
        two = cover_json(["-r", rules, folder])["opened"]
    for key in ("evaluated", "matched"):
        r.equal(two[key], 2 * one[key], "two captures: " + key)
    r.equal([c["true"] for c in two["checks"]], [2 * c["true"] for c in one["checks"]], "two captures: checks")


def check_tests(r, rules):
    """What tests below a directory expect; captures that they name elsewhere are looked at, too, each once."""
    with tempfile.TemporaryDirectory() as folder:
        def test(name, text):
            os.makedirs(os.path.join(folder, name))
            with open(os.path.join(folder, name, "test.yaml"), "w") as f:
                f.write(text)
        capture = os.path.join(folder, "one.scap")
        shutil.copy(check.DEMO, capture)
        test("a", "trace: ../one.scap\nrules: [%s]\nexpect:\n  - {rule: opened}\n  - {rule: opened, at_least: 2, at: {evt: 5}}\n  - {rule: silent, exactly: 0}\n" % rules)
        test("b", "trace: %s\nrules: [nosuch.yaml]\nexpect: [{rule: opened, at_most: 9}, {rule: elsewhere}, {rule: no such rule}]\n" % check.DEMO)
        os.makedirs(os.path.join(folder, "plain"))
        shutil.copy(check.DEMO, os.path.join(folder, "plain", "trace.scap"))
        got = json.loads(cover(["-r", rules, "-f", "json", folder]))
        r.equal((got["tests"], sorted(os.path.relpath(p, folder) for p in got["captures"])), (2, sorted(["one.scap", "plain/trace.scap", os.path.relpath(check.DEMO, folder)])), "tests and captures")
        r.equal({x["rule"]: tuple(x["tests"].values()) for x in got["rules"]}, {"opened": (1, 0), "silent": (0, 1), "elsewhere": (1, 0), "off": (0, 0), "k8s": (0, 0)}, "what they expect")
        text = cover(["-r", rules, folder])
        r.check("2 tests expect alerts of 2 of 3 rules, and of 1 that there are none\nof rules whose alerts are expected, 1 were never evaluated and 0 never true\n" in text, "in words", text)
        r.check("  1+0  opened\n" in text and "  0+1  silent\n" in text and "    -  off\n" in text, "in the table", text)
        for args, want in ((["--fail-on", "untested"], 1), (["--fail-on", "untested", "-D", "silent"], 0), (["--fail-on", "untested,none"], 0)):
            r.equal(check.run(["cover", "-r", rules, folder] + args)[0], want, " ".join(args))
        r.check("TESTS" not in cover(["-r", rules, capture]), "without tests there is no column of them")
        r.equal(check.run(["cover", "-r", rules, "--fail-on", "untested", capture])[0], 1, "no test at all")
        test("by-hash", "trace: sha256:%s\nexpect: []\n" % ("0" * 64))
        status, _, err = check.run(["cover", "-r", rules, folder])
        r.check(status == 3 and "no store is given" in err, "a capture that cannot be found: %d" % status, err)
        test("wrong", "nonsense: 1\n")
        status, _, err = check.run(["cover", "-r", rules, os.path.join(folder, "wrong"), capture])
        r.check(status == 3 and "test.yaml:1" in err, "a test that is wrong: %d" % status, err)


def check_order(r, folder):
    """Checks per evaluation in every order, from counts of events; the best of all orders is suggested."""
    parts = ["fd.num >= 0", "proc.name != nobody", "fd.name startswith /etc", "proc.name in (cat, bash)"]
    rules = os.path.join(folder, "order.yaml")
    with open(rules, "w") as f:
        f.write("- list: programs\n  items: [cat, bash]\n- macro: program\n  condition: proc.name in (programs)\n"
                "- rule: slow\n  desc: d\n  condition: evt.type = openat and %s and program\n  output: o\n  priority: ERROR\n"
                "- rule: quick\n  desc: d\n  condition: evt.type = openat and fd.name = /etc/shadow and proc.name != nobody\n  output: o\n  priority: ERROR\n"
                "- rule: one\n  desc: d\n  condition: evt.type = openat\n  output: o\n  priority: ERROR\n" % " and ".join(parts[:3]))
    reached = {}

    def cost(order):
        """Checks that are asked: of each part as often as all before it hold; those of the type cost nothing."""
        total = 0
        for i in range(len(order)):
            key = frozenset(order[:i])
            if key not in reached:
                reached[key] = count(" and ".join(["evt.type = openat"] + sorted(key)))
            total += reached[key] * (not order[i].startswith("evt.type "))
        return total

    status, out, err = check.run(["cover", "-r", rules, "-f", "json", "--order", check.DEMO])
    r.check(status == 0, "orders", err)
    orders = {o["rule"]: o for o in json.loads(out)["orders"]}
    r.equal(sorted(orders), ["slow"], "only where something is saved")
    slow, type_test = orders["slow"], "evt.type = openat"
    everything = [type_test] + parts
    r.equal(slow["evaluated"], count(type_test), "evaluations")
    r.equal(slow["checks_written"], cost(everything), "checks as written")
    r.equal(slow["checks_then"], min(cost(list(p)) for p in itertools.permutations(everything)), "no order needs fewer")
    r.equal(slow["checks_then"], cost([everything[p["was"] - 1] for p in slow["parts"]]), "the order that is told needs so many")
    text = cover(["-r", rules, "--order", check.DEMO])
    r.check("%10d %8.2f %8.2f" % (slow["evaluated"], slow["checks_written"] / slow["evaluated"], slow["checks_then"] / slow["evaluated"]) in text and "(was 5) program" in text, "in words", text)
    r.check("    none\n" in cover(["-r", rules, "--order", "-D", "slow", check.DEMO]) and "sooner" not in cover(["-r", rules, check.DEMO]), "nothing to suggest")


def check_layer(r, rules):
    layer = json.loads(cover(["-r", rules, "-f", "navigator", check.DEMO]))
    r.equal([(t["techniqueID"], t["score"]) for t in layer["techniques"]], [("T1003.008", 50), ("T1059", 0)], "scores of techniques")
    r.equal(layer["techniques"][0]["comment"], "opened (matched), silent (never true)", "their rules")
    r.equal(layer["domain"], "enterprise-attack", "domain")


def check_statuses(r, rules):
    for args, want in (([check.DEMO], 0), (["--fail-on", "unmatched", check.DEMO], 1), (["--fail-on", "unevaluated", check.DEMO], 1),
                       (["--fail-on", "unevaluated", "-D", "elsewhere", check.DEMO], 0), (["--fail-on", "unmatched,none", check.DEMO], 0),
                       (["--fail-on", "x", check.DEMO], 3), ([], 3), (["--rule", "nothing", check.DEMO], 3), (["/nonexistent.scap"], 4)):
        r.equal(check.run(["cover", "-r", rules] + args)[0], want, "status of " + " ".join(args[:-1]))


def compare_with_replay(r):
    rules = [a for f in STOCK for a in ("-r", os.path.join(check.SHARED, "peer-rules", f))]
    for name in ("intrusion", "container"):
        capture = check.corpus(name)
        status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", "all"] + rules + [capture])
        assert status == 0, err
        alerts = collections.Counter(json.loads(line)["rule"] for line in out.splitlines())
        got = cover_json(rules + [capture])
        r.equal({n: x["matched"] for n, x in got.items() if x["matched"]}, dict(alerts), name + ": matches are the alerts of a replay")


def check_profile(r, rules, folder):
    """replay --profile: the alerts are the same; what is counted is the same each time."""
    base = ["replay", "-q", "-f", "json", "--matching", "all", "-r", rules, check.DEMO]
    plain, told = check.run(base), []
    for name in ("one.json", "two.json"):
        path = os.path.join(folder, name)
        got = check.run(base + ["--profile", path, "-j", "4"])
        r.equal(got[:2], plain[:2], "a profile changes nothing")
        with open(path) as f:
            told.append(json.load(f))
        r.equal(os.stat(path).st_mode & 0o777, 0o600, "it is its owner's")
    costs = [{c["rule"]: c for c in t["rules"]} for t in told]
    counted = [{n: (c["evaluated"], c["alerts"], c["sampled"], c["tests"]) for n, c in x.items()} for x in costs]
    r.equal(counted[0], counted[1], "counts are the same in each replay")
    alerts = collections.Counter(json.loads(line)["rule"] for line in plain[1].splitlines())
    r.equal({n: c["alerts"] for n, c in costs[0].items() if c["alerts"]}, dict(alerts), "alerts by rule")
    shown = told[0]["shown"]
    r.check(0 < costs[0]["opened"]["evaluated"] <= count("evt.type = openat"), "evaluations: events of its types, or fewer")
    r.equal(sorted(costs[0]), ["opened", "silent"], "rules that are evaluated")
    r.equal(told[0]["sampled"], (shown + 63) // 64, "every 64th event is sampled")
    r.equal(sum(c["sampled"] for c in costs[0].values()), told[0]["sampled"], "one rule each")
    r.check(all(1 <= c["tests"] < 10 and c["ns_all"] > 0 for c in costs[0].values()), "tests and times")
    r.equal([c["ns_all"] for c in told[0]["rules"]], sorted((c["ns_all"] for c in told[0]["rules"]), reverse=True), "the most expensive first")
    r.equal(check.run(base + ["--profile", os.path.join(folder, "one.json")])[0], 4, "an existing file is not replaced")
    table = check.run(base + ["--profile", "-", "-F", "proc.name = cat"])[2]
    r.check("EVALUATED" in table and "opened" in table, "as a table on standard error")
    all_of = check.run(base + ["--profile", "-"])[2]
    r.check(int(table.split(" events shown")[0].split()[-1]) < int(all_of.split(" events shown")[0].split()[-1]), "--filter comes first")


def main():
    r = check.Results("cover")
    with tempfile.TemporaryDirectory() as folder:
        rules = os.path.join(folder, "rules.yaml")
        with open(rules, "w") as f:
            f.write(RULES)
        check_counts(r, rules)
        check_twice(r, rules)
        check_tests(r, rules)
        check_order(r, folder)
        check_layer(r, rules)
        check_statuses(r, rules)
        check_profile(r, rules, folder)
    if check.have_shared():
        compare_with_replay(r)
    else:
        r.skip("beside replays of Falco's rules: no ../shared")
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula min leaves the alert, and next to nothing else.

usage: min_test.py [--full] [--only SUBSTRING]

Of each capture one alert of every rule (--full: every alert of every rule but of the largest capture) is reduced. What is
left gives that alert with equal text and fields, has less than MOST of the events, passes the strict check, and, where the
capture is one that sysdig reads, is read by sysdig with the same calls.
"""
import argparse
import collections
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
from cuts import CALLS, calls, numberless, sysdig_calls  # noqa: E402

r = check.Results("min")
OWN = os.path.join(check.ROOT, "tests", "captures")
STARTER = ["-r", os.path.join(check.ROOT, "rules", "starter.yaml")]
PEER = [a for n in ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
        for a in ("-r", os.path.join(check.SHARED, "peer-rules", n))]
PUBLIC = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"]
COVERAGE = ["-r", os.path.join(check.SHARED, "golden", "coverage-rules.yaml")]
RECORDED = ["build", "container", "intrusion", "network", "persist", "busy"]
MOST = 0.05  # of the events


def alerts(path, rules):
    status, out, err = check.run(["replay", "-q", "-f", "json"] + rules + [path], timeout=900)
    r.check(status == 0, "replay of %s" % os.path.basename(path), err[-1000:])
    return [json.loads(line) for line in out.splitlines()]


def shown(path, *options):
    return check.run(["events", "-q"] + list(options) + [path])[1]


def count_events(path):
    return json.loads(check.run(["info", "--format", "json", path])[1].splitlines()[0])["events"]


def chosen(found, full):
    """(rule, which of its alerts, alert): the last of each rule, since more of the capture is before it."""
    by_rule = collections.defaultdict(list)
    for a in found:
        by_rule[a["rule"]].append(a)
    for rule, all_of in sorted(by_rule.items()):
        for i in range(len(all_of)) if full else [len(all_of) - 1]:
            yield rule, i + 1, all_of[i]


def reduce_alerts(folder, path, rules, full):
    name = os.path.basename(path)
    before, done, most = count_events(path), 0, 0
    for rule, nth, alert in chosen(alerts(path, rules), full):
        what = "%s, %s, number %d" % (name, rule, nth)
        out = os.path.join(folder, "least.scap" if name[:-5] in PUBLIC else "least.scap.zst")
        status, _, err = check.run(["min", "--force", "--rule", rule, "--nth", str(nth), path, "-o", out] + rules, timeout=900)
        if not r.check(status == 0, what + ": status %d" % status, err):
            continue
        r.check(numberless(alert) in [numberless(a) for a in alerts(out, rules)], what + ": the alert is in it", numberless(alert))
        left = count_events(out)
        r.check(left < max(MOST * before, 2), "%s: %d of %d events" % (what, left, before))
        status, text, err = check.run(["info", "--strict", out])
        r.check(status == 0, what + ": strict", text + err)
        if name[:-5] in PUBLIC and shutil.which("sysdig"):
            r.equal(sysdig_calls(out), calls(shown(out, "-p", CALLS)), what + ": sysdig's calls")
        done, most = done + 1, max(most, left)
    print("  %s: %d alerts reduced, from %d events to %d at most" % (name, done, before, most), flush=True)


def captures(only):
    for name in ("intrusion", "network", "sessions"):
        yield os.path.join(OWN, name + ".scap"), STARTER
    if not check.have_shared():
        r.skip("the shared captures are not here")
        return
    for name in RECORDED:
        yield check.corpus(name), PEER
    for name in PUBLIC:  # the public rules find nothing in them
        yield check.corpus(name), COVERAGE


def refusals(folder):
    out, capture = os.path.join(folder, "none.scap"), check.DEMO
    first = alerts(capture, STARTER)[0]
    good = ["--rule", first["rule"]] + STARTER
    for options, want, say in ((STARTER, 3, "--rule"), (["--rule", "no such rule"] + STARTER, 3, "no rule 'no such rule'"), (good + ["--nth", "9999"], 4, "there is no number 9999"),
                               (good + ["--evt", "1"], 4, "no alert at event 1"), (good + ["--nth", "1", "--evt", "5"], 3, "only one"), (good + ["--nth", "x"], 3, "a number")):
        status, _, err = check.run(["min", capture, "-o", out] + options)
        r.check(status == want and say in err and not os.path.exists(out), "%s: status %d, want %d" % (" ".join(options[-2:]), status, want), err)
    for inputs, want in ((["-"], 3), ([capture, capture], 3), ([], 3), ([os.path.join(folder, "nosuch.scap")], 4)):
        status, _, err = check.run(["min", "-o", out] + good + inputs)
        r.check(status == want and err and not os.path.exists(out), "inputs %s: status %d, want %d" % (inputs, status, want), err)
    r.equal(os.listdir(folder), [], "nothing is left")


def lineage(folder):
    """The seal says what it was made of, and the same command makes the same file."""
    capture = check.DEMO
    files = []
    for name in ("a.scap.zst", "b.scap.zst"):
        files.append(os.path.join(folder, name))
        status, _, err = check.run(["min", "--rule", alerts(capture, STARTER)[0]["rule"], capture, "-o", files[-1]] + STARTER)
        r.check(status == 0, "made", err)
    r.check(open(files[0], "rb").read() == open(files[1], "rb").read(), "the same file again")
    r.check("made by       min" in check.run(["info", files[0]])[1], "the lineage")
    r.equal(check.run(["verify", files[0]])[0], 0, "the seal")


def orphans(folder):
    """An alert of a thread that shows nothing of its leader: the leader stays all the same, or the capture would be none that others write."""
    rules, out = os.path.join(folder, "thread.yaml"), os.path.join(folder, "thread.scap")
    with open(rules, "w") as f:
        f.write("- rule: Thread\n  desc: d\n  condition: evt.type = mmap and thread.ismain = false\n  output: x %proc.name %thread.tid\n  priority: INFO\n")
    status, _, err = check.run(["min", "--rule", "Thread", "-r", rules, os.path.join(OWN, "network.scap"), "-o", out])
    r.check(status == 0, "an alert of a thread", err)
    status, text, err = check.run(["info", "--strict", out])
    r.check(status == 0, "a thread has its leader", text + err)
    left = json.loads(check.run(["info", "--format", "json", out])[1].splitlines()[0])
    r.equal((left["events"], left["threads"], left["fds"]), (1, 2, 0), "and nothing else is left")


def new_test(folder):
    """--test makes a test that passes, and fails with other rules."""
    where = os.path.join(folder, "made")
    rule = alerts(check.DEMO, STARTER)[0]["rule"]
    for force in ([], ["--force"]):
        status, _, err = check.run(["min", "--rule", rule, "--matching", "all", "-O", "time_format_iso_8601=true", check.DEMO, "--test", where] + STARTER + force)
        r.check(status == 0, "a test is made %s" % force, err)
    status, out, err = check.run(["test", where])
    r.check(status == 0 and "1 passed" in out, "it passes", out + err)
    text = open(os.path.join(where, "test.yaml")).read()
    r.check("matching: all" in text and "time_format_iso_8601" in text and os.path.join("rules", "starter.yaml") in text, "what the alerts depend on", text)
    other = os.path.join(folder, "other.yaml")
    with open(other, "w") as f:
        f.write("- rule: %s\n  desc: d\n  condition: evt.type = mkdir\n  output: o\n  priority: INFO\n" % json.dumps(rule))
    r.equal(check.run(["test", "-r", other, where])[0], 1, "it fails with other rules")
    r.equal(check.run(["min", "--rule", rule, check.DEMO, "--test", where] + STARTER)[0], 4, "it is not replaced")
    r.equal(check.run(["min", "--rule", rule, check.DEMO, "--test", os.path.join(folder, "no", "such")] + STARTER)[0], 4, "a directory that cannot be made")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--full", action="store_true")
    ap.add_argument("--only", default="")
    opt = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        refusals(folder)
        for path, rules in captures(opt.only):
            if opt.only in path:
                reduce_alerts(folder, path, rules, opt.full and "busy" not in path)
        lineage(folder)
        orphans(folder)
        new_test(folder)
    r.finish()


if __name__ == "__main__":
    main()

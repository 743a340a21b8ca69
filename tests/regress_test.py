#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula test: every kind of expectation, holding and failing; baselines; outputs as their formats demand.

usage: tests/regress_test.py
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import report_schemas  # noqa: E402

r = check.Results("tests of rules")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
SHADOW = "Password database read by an unexpected program"  # three alerts, at events 532, 683 and 855
OK, FAILED, BAD_RULES, USAGE, INPUT, PARTIAL = 0, 1, 2, 3, 4, 5
ENV = {}


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def scapula(*args, stdin=None):
    return check.run(["test"] + list(args), stdin=stdin, env=ENV)


def make(folder, name, text, trace="intrusion", rules=RULES):
    """A test in @folder; @text: its test.yaml but for trace and rules."""
    path = os.path.join(folder, name)
    capture = "trace: %s\n" % os.path.join(check.ROOT, "tests", "captures", trace + ".scap") if trace else ""
    write(os.path.join(path, "test.yaml"), capture + ("rules: [%s]\n" % rules if rules else "") + text)
    return path


def outcome(path, *args):
    """(status, the only test's outcome, its checks by name) as the JSON output has them."""
    status, out, err = scapula("-f", "json", path, *args)
    tests = json.loads(out)["tests"]
    if len(tests) != 1:
        r.check(False, "one test in " + path, out + err)
    return status, tests[0]["outcome"], {c["name"]: c["outcome"] for c in tests[0].get("checks", [])}


def expectations(folder):
    cases = [
        ("exactly: 3", True), ("exactly: 2", False), ("exactly: 4", False), ("exactly: 0", False),
        ("at_least: 3", True), ("at_least: 4", False), ("at_most: 3", True), ("at_most: 2", False),
        ("at_least: 1\n    at_most: 3", True), ("at_least: 4\n    at_most: 9", False), ("at_least: 0", True),
        ("match: {fd.name: /etc/shadow}\n    exactly: 2", True), ("match: {fd.name: /etc/shado}", False),
        ("match: {fd.name: {glob: /etc/s*}}\n    exactly: 3", True), ("match: {fd.name: {glob: /etc/x*}}", False),
        ("match: {fd.name: /etc/s*}", False), ("match: {proc.pid: 14109}\n    exactly: 1", True), ("match: {proc.pid: 14108}", False),
        ("match: {container.name: null}\n    exactly: 3", True), ("match: {container.name: <NA>}\n    exactly: 3", True),
        ("match: {fd.name: null}", False), ("match: {fd.nam: null}", False),
        ("match: {fd.name: /etc/shadow, proc.pname: bash, proc.pid: 14110}\n    exactly: 1", True),
        ("match: {fd.name: /etc/shadow, proc.pname: dash}", False),
        ("at: {evt: 532}\n    exactly: 1", True), ("at: {evt: 533}", False), ("at: {evt: 683}\n    match: {fd.name: /etc/shadow}", True),
        ("desc", None),
    ]
    for i, (text, holds) in enumerate(cases):
        if holds is None:
            continue
        path = make(folder, "e%02d" % i, "expect:\n  - rule: %s\n    %s\nunexpected: ignore\n" % (SHADOW, text))
        status, got, checks = outcome(path)
        r.equal((status, got), (OK, "passed") if holds else (FAILED, "failed"), "expect " + text)
        r.equal(len(checks), 2, "checks of " + text)
    path = make(folder, "plain", "expect: [{rule: %s}]\nunexpected: ignore\n" % SHADOW)
    r.equal(outcome(path)[1], "passed", "an expectation without a number is of at least one")
    path = make(folder, "other", "expect: [{rule: Server program starts a shell}]\nunexpected: ignore\n")
    r.equal(outcome(path)[1], "failed", "and fails if there is none")


def policies(folder):
    for policy, want in (("fail", (FAILED, "failed")), ("warn", (OK, "warning")), ("ignore", (OK, "passed"))):
        path = make(folder, "u-" + policy, "expect: [{rule: %s, exactly: 3}]\nunexpected: %s\n" % (SHADOW, policy))
        r.equal(outcome(path)[:2], want, "27 unexpected alerts: " + policy)
    path = make(folder, "u-default", "")
    r.equal(outcome(path)[:2], (FAILED, "failed"), "alerts nobody expects are a failure")
    path = make(folder, "u-none", "", trace="network")
    r.equal(outcome(path)[:2], (OK, "passed"), "no alerts where none are expected")
    one = make(folder, "u-some", "min_priority: critical\nexpect:\n  - {rule: Program run from memory, exactly: 1}\n"
               "  - {rule: Standard streams of a shell are a socket, at_least: 1, match: {evt.rawres: 0}}\n")
    status, out, _ = scapula("-f", "json", one)
    new = json.loads(out)["tests"][0]["differences"]
    r.equal([(d["tier"], d["is"]["rule"], d["is"]["fields"]["evt.rawres"]) for d in new],
            [("new", "Standard streams of a shell are a socket", v) for v in (1,)], "alerts of an expected rule with other fields are unexpected")


def requirements(folder):
    for text, want in (("engine: \">=0.40\"", "passed"), ("engine: \">=0.63.0\"", "passed"), ("engine: \">0.63\"", "skipped"),
                       ("engine: \"<0.50\"", "skipped"), ("engine: \"= 0.63.0\"", "passed"), ("engine: 99", "skipped"),
                       ("fields: [proc.name, fd.name]", "passed"), ("fields: [proc.name, proc.no_such_field]", "skipped")):
        path = make(folder, "r" + re.sub(r"\W+", "-", text), "requires: {%s}\nunexpected: ignore\n" % text)
        status, got, _ = outcome(path)
        r.equal((status, got), (OK, want), "requires " + text)
    skipped = make(folder, "r-broken-otherwise", "requires: {engine: 99}\n", trace=None, rules="missing.yaml")
    r.equal(outcome(skipped)[:2], (OK, "skipped"), "what is skipped needs neither rules nor trace")


def options(folder):
    count = lambda text, **kw: alerts(make(folder, "o" + hashlib.md5(text.encode()).hexdigest()[:6], text + "\nunexpected: ignore\n", **kw))
    r.equal(count(""), 30, "all alerts")
    r.equal(count("min_priority: critical"), 4, "min_priority")
    r.equal(count("disable: Password"), 27, "disable")
    r.equal(count("disable: [Password, Search]"), 23, "disable a list")
    r.equal(count("tags: [T1003.008]"), 3, "tags")
    r.equal(count("disable_tags: [T1003.008]"), 27, "disable_tags")
    r.equal(count("filter: proc.name = cat"), 2, "filter")
    r.equal(count("options: [priority=critical]"), 4, "options")
    config = write(os.path.join(folder, "falco.yaml"), "rules_files: [%s]\npriority: critical\n" % RULES)
    r.equal(count("config: %s" % config, rules=None), 4, "config, with its rules")
    # rules are loaded once for tests that differ in nothing, and anew for those that do
    mixed = [("", 30), ("disable: Password", 27), ("disable_tags: [T1552.004]", 26), ("tags: [T1003.008]", 3), ("min_priority: critical", 4),
             ("options: [priority=error]", 5), ("filter: proc.name = cat", 2), ("", 30)]
    for i, (text, _) in enumerate(mixed):
        make(os.path.join(folder, "mixed"), "m%d" % i, text + "\nunexpected: ignore\n")
    got = json.loads(scapula("-f", "json", os.path.join(folder, "mixed"))[1])["tests"]
    r.equal([t["alerts"] for t in got], [n for _, n in mixed], "tests of one suite that select differently")
    both = write(os.path.join(folder, "both.yaml"),
                 "- rule: a\n  desc: a\n  condition: evt.type = execve\n  output: a\n  priority: INFO\n"
                 "- rule: b\n  desc: b\n  condition: evt.type = execve\n  output: b\n  priority: INFO\n")
    first, every = count("matching: first", rules=both), count("matching: all", rules=both)
    r.equal(every, 2 * first, "matching")
    r.equal(alerts(make(folder, "o-instead", "unexpected: ignore\n", rules="missing.yaml"), "-r", both), first, "--rules instead of the test's")


def alerts(path, *args):
    out = scapula("-f", "json", path, *args)[1]
    return json.loads(out)["tests"][0].get("alerts")


def budgets(folder):
    for text, want in (("max_alerts: 30", "passed"), ("max_alerts: 29", "failed"), ("max_ns_per_evt: 1000000000", "passed"), ("max_ns_per_evt: 0", "failed")):
        path = make(folder, "b" + re.sub(r"\W+", "-", text), "budget: {%s}\nunexpected: ignore\n" % text)
        r.equal(outcome(path)[1], want, "budget: " + text)


def traces(folder):
    beside = make(folder, "t-beside", "unexpected: ignore\n", trace=None)
    status, _, err = scapula("-f", "json", beside)
    r.equal(status, INPUT, "no trace")
    shutil.copy(check.DEMO, os.path.join(beside, "trace.scap"))
    r.equal(outcome(beside)[:2], (OK, "passed"), "trace.scap beside")
    shutil.copy(check.DEMO, os.path.join(beside, "trace.scap.gz"))
    r.equal(outcome(beside)[:2], (USAGE, "broken"), "two traces beside")
    with open(check.DEMO, "rb") as f:
        data = f.read()
    digest = hashlib.sha256(data).hexdigest()
    stored = make(folder, "t-stored", "trace: sha256:%s\nunexpected: ignore\n" % digest, trace=None)
    r.equal(outcome(stored)[:2], (USAGE, "broken"), "a hash without a store")
    for place in ("sha256/%s/%s" % (digest[:2], digest), "sha256/%s/%s.scap" % (digest[:2], digest[2:]), digest, digest + ".scap.gz"):
        store = os.path.join(folder, "store")
        shutil.rmtree(store, ignore_errors=True)
        write(os.path.join(store, place), "")
        shutil.copy(check.DEMO, os.path.join(store, place))
        r.equal(outcome(stored, "--store", store)[:2], (OK, "passed"), "stored as " + place)
    shutil.copy(os.path.join(check.ROOT, "tests", "captures", "network.scap"), os.path.join(store, place))
    r.equal(outcome(stored, "--store", store)[:2], (INPUT, "broken"), "a stored trace with another content")
    os.unlink(os.path.join(store, place))
    r.equal(outcome(stored, "--store", store)[:2], (INPUT, "broken"), "not in the store")
    write(os.path.join(folder, "t-none", "trace.scap"), "no capture, but long enough to be looked at as one\n")
    none = make(folder, "t-none", "unexpected: ignore\n", trace=None)
    r.equal(outcome(none)[:2], (INPUT, "broken"), "a trace that is no capture")
    cut = make(folder, "t-cut", "unexpected: ignore\n", trace=None)
    with open(os.path.join(cut, "trace.scap"), "wb") as f:
        f.write(data[:len(data) // 2])
    r.equal(outcome(cut)[:2], (OK, "warning"), "a trace that was cut off")


def wrong_files(folder):
    cases = [
        ("foo: 1\n", "1:1: a test: there is no key 'foo'"), ("expect: 3\n", "1:9: expect: expected a list"),
        ("expect:\n  - exactly: 1\n", "2:5: expect: an expectation names a rule"),
        ("expect:\n  - {rule: a, exactly: 1, at_least: 1}\n", "2:5: expect: 'exactly' leaves no room"),
        ("expect:\n  - {rule: a, at_least: 3, at_most: 2}\n", "2:5: expect: 'at_least' is more"),
        ("expect:\n  - rule: a\n    exactly: many\n", "3:14: exactly: expected a number"),
        ("expect:\n  - rule: a\n    exactly: -1\n", "3:14: exactly: expected a number"),
        ("expect:\n  - rule: a\n    match: x\n", "3:12: match: expected a map"),
        ("expect:\n  - rule: a\n    match: {b: [1]}\n", "3:16: match: expected a value"),
        ("expect:\n  - rule: a\n    match: {b: {globe: x}}\n", "3:16: match: expected a value"),
        ("expect:\n  - rule: a\n    at: {event: 1}\n", "3:10: at: there is no key 'event'"),
        ("unexpected: perhaps\n", "1:13: unexpected: expected fail, warn or ignore"),
        ("matching: some\n", "1:11: matching: expected first, all"), ("min_priority: high\n", "1:15: min_priority: expected a priority"),
        ("requires: {engine: new}\n", "1:20: engine: expected a version"), ("requires: {rules: 1}\n", "1:12: requires: there is no key"),
        ("ignore: {a: b}\n", "1:9: ignore: expected a list"), ("ignore: [[a]]\n", "1:10: ignore: expected a text"),
        ("budget: {max_alerts: x}\n", "1:22: max_alerts: expected a number"), ("origin: x\n", "1:9: origin: expected a map"),
        ("desc: a\ndesc: b\n", "2:1: a test: 'desc' is there twice"), ("a: [\n", "2:1: "), ("", "expected one YAML document"),
        ("desc: a\n---\ndesc: b\n", "expected one YAML document"), ("- a\n", "1:1: a test: expected a map"),
        ("trace: [a]\n", "1:8: trace: expected a text"),
    ]
    for i, (text, message) in enumerate(cases):
        path = write(os.path.join(folder, "w%02d" % i, "test.yaml"), text)
        status, out, err = scapula("-f", "json", os.path.dirname(path))
        test = json.loads(out)["tests"][0]
        r.equal((status, test["outcome"]), (USAGE, "broken"), repr(text))
        r.check(path + ":" in test["error"] and message in test["error"], "message of %r" % text, "  %r\n  %r" % (message, test["error"]))
    broken = write(os.path.join(folder, "bad.yaml"), "- rule: a\n  desc: a\n  condition: evt.typo = execve\n  output: a\n  priority: INFO\n")
    path = make(folder, "w-rules", "", rules=broken)
    status, out, err = scapula(path)
    r.equal(status, BAD_RULES, "rules that do not load")
    r.check("LOAD_ERR_COMPILE_CONDITION" in err, "Falco's verdict is told", err)
    r.equal(scapula(make(folder, "w-missing", "", rules="missing.yaml"))[0], BAD_RULES, "rules that are not there")
    r.equal(outcome(make(folder, "w-name", "expect: [{rule: No such rule, exactly: 0}]\n"))[:2], (USAGE, "broken"), "a rule that is not there")
    r.equal(outcome(make(folder, "w-off", "disable: Password\nexpect: [{rule: %s, exactly: 0}]\n" % SHADOW))[:2], (USAGE, "broken"),
            "a rule that is disabled")
    path = make(folder, "w-filter", "filter: proc.nam = a\n")
    r.equal(outcome(path)[:2], (USAGE, "broken"), "a filter that does not compile")
    for text in ("x\n", "{}\n", "{\"rule\":\"a\"}\n", "{\"rule\":\"a\",\"priority\":\"high\",\"time\":\"2026-11-22T03:02:21Z\",\"fields\":{}}\n",
                 "{\"rule\":\"a\",\"priority\":\"Info\",\"time\":\"2026-11-22T03:02:21Z\",\"fields\":{}} x\n",
                 "{\"rule\":\"a\",\"priority\":\"Info\",\"time\":\"now\",\"fields\":{}}\n",
                 "{\"rule\":\"a\",\"priority\":\"Info\",\"time\":\"2026-11-22T03:02:21Z\",\"fields\":{\"a\":1,\"a\":2}}\n",
                 "{\"rule\":\"a\",\"priority\":\"Info\",\"time\":\"2026-11-22T03:02:21Z\",\"fields\":{\"a\":}}\n"):
        path = make(folder, "w-baseline", "")
        write(os.path.join(path, "baseline.jsonl"), text)
        status, got, _ = outcome(path)
        r.equal((status, got), (USAGE, "broken"), "baseline %r" % text)


def baselines(folder):
    path = make(folder, "base", "ignore: [proc.p*]\n")
    file = os.path.join(path, "baseline.jsonl")
    r.equal(outcome(path)[1], "failed", "without a baseline nothing is expected")
    status, _, err = scapula("--update", path)
    r.equal(status, OK, "--update")
    r.check("1 baseline written" in err, "and says so", err)
    lines = [json.loads(line) for line in read(file).splitlines()]
    r.equal(len(lines), 30, "alerts of the baseline")
    r.check(all(list(a) == ["evt", "offset", "time", "rule", "priority", "fields"] for a in lines), "their members")
    r.check(all(list(a["fields"]) == sorted(a["fields"]) for a in lines), "fields are sorted")
    r.check(not any(k.startswith("proc.p") or k == "evt.time" for a in lines for k in a["fields"]), "ignored fields are left out")
    falco = [json.loads(line) for line in check.run(["replay", "-q", "-r", RULES, "-f", "json", check.DEMO])[1].splitlines()]
    r.equal([(a["time"], a["rule"], a["priority"]) for a in lines], [(a["time"], a["rule"], a["priority"]) for a in falco], "the alerts of replay")
    r.equal([a["fields"] for a in lines],
            [{k: v for k, v in a["output_fields"].items() if not k.startswith("proc.p") and k != "evt.time"} for a in falco], "and their fields")
    good = read(file)
    r.equal(outcome(path)[1], "passed", "and it holds")
    scapula("--update", path)
    r.equal(read(file), good, "once more, nothing changes")
    r.check("0 baselines written" in scapula("--update", path)[2], "and says that")

    def edited(change, policy="fail"):
        edit = [json.loads(line) for line in good.splitlines()]
        change(edit)
        write(file, "".join(json.dumps(a) + "\n" for a in edit))
        make(folder, "base", "ignore: [proc.p*]\nunexpected: %s\n" % policy)
        status, out, _ = scapula("-f", "json", path)
        test = json.loads(out)["tests"][0]
        return test["outcome"], [d["tier"] for d in test["differences"]], test["differences"]

    got = edited(lambda a: a[0]["fields"].update({"fd.name": "/etc/shadows"}))
    r.equal(got[:2], ("failed", ["changed"]), "a field changed")
    r.equal(got[2][0]["changes"], [{"field": "fd.name", "from": "/etc/shadows", "to": "/etc/shadow"}], "which is told")
    r.equal(edited(lambda a: a[0]["fields"].pop("fd.name"))[:2], ("failed", ["changed"]), "a field more")
    r.equal(edited(lambda a: a[0]["fields"].update({"x": 1}))[2][0]["changes"], [{"field": "x", "from": "1"}], "a field less")
    r.equal(edited(lambda a: a[0].update(priority="Error"))[2][0]["changes"],
            [{"field": "priority", "from": "Error", "to": "Warning"}], "another priority")
    r.equal(edited(lambda a: a.pop(3))[:2], ("failed", ["new"]), "an alert more")
    r.equal(edited(lambda a: a.pop(3), "warn")[:2], ("warning", ["new"]), "as a warning")
    r.equal(edited(lambda a: a.pop(3), "ignore")[:2], ("passed", ["new"]), "or ignored")
    gone = {"evt": 5, "offset": 5, "time": lines[0]["time"], "rule": "Gone", "priority": "Info", "fields": {}}
    r.equal(edited(lambda a: a.append(gone))[:2], ("failed", ["missing"]), "an alert less")
    r.equal(edited(lambda a: a.append(gone), "ignore")[:2], ("failed", ["missing"]), "which is a failure always")
    move = lambda a, n: a[0].update(evt=a[0]["evt"] + n, offset=a[0]["offset"] + n, time="2026-11-22T03:02:21.6Z")
    r.equal(edited(lambda a: move(a, 16))[:2], ("warning", ["moved"]), "an alert 16 events away")
    r.equal(edited(lambda a: move(a, 17))[1], ["new", "missing"], "17 events away it is another")
    r.equal(edited(lambda a: a[0].update(evt=2000, offset=3, time="2026-11-22T03:02:21.542Z"))[1], ["moved"], "or up to a millisecond")
    r.equal(edited(lambda a: a[0]["fields"].update({"proc.pid": 7}))[:2], ("passed", []), "ignored fields are not compared")
    write(file, "")
    make(folder, "base", "unexpected: ignore\n")
    r.equal(outcome(path)[1], "passed", "unexpected: ignore, and an empty baseline")
    make(folder, "base", "expect: [{rule: %s, exactly: 3}]\n" % SHADOW)
    status, _, checks = outcome(path)
    r.equal((status, checks["no unexpected alerts"]), (FAILED, "failed"), "an empty baseline says that there are no alerts, expected or not")
    write(file, "".join(json.dumps(a) + "\n" for a in falco))
    make(folder, "base", "")
    r.equal(outcome(path)[1], "passed", "Falco's own lines as a baseline, which know neither event nor offset")


def interaction(folder):
    path = make(folder, "ask/one", "")
    other = make(folder, "ask/two", "", trace="network")
    both = os.path.join(folder, "ask")
    file = os.path.join(path, "baseline.jsonl")
    scapula("--update", both)
    good = read(file)
    lines = good.splitlines(True)
    bad = lines[0].replace("/etc/shadow", "/etc/other") + "".join(lines[2:]) + lines[-1].replace("Data decoded", "Data not decoded")

    def answers(text):
        write(file, bad)
        out = scapula("-i", both, stdin=text.encode())[1]
        return out.count("Accept this?"), read(file)

    new = json.loads(lines[1])
    r.equal(answers("y\ny\ny\n"), (3, good), "everything is accepted")
    r.equal(answers("a\n"), (1, good), "all that is left")
    r.equal(answers("n\nn\nn\n"), (3, "".join(sorted_lines(bad))), "nothing is")
    r.equal(answers("d\n"), (1, "".join(sorted_lines(bad))), "nor what is left")
    r.equal(answers("q\n"), (1, "".join(sorted_lines(bad))), "nor of other tests")
    r.equal(answers(""), (1, "".join(sorted_lines(bad))), "the end of input accepts nothing")
    n, text = answers("maybe\n?\nn\ny\nn\n")
    r.equal(n, 5, "other answers are asked again")
    r.equal([json.loads(x)["evt"] for x in text.splitlines()].count(new["evt"]), 1, "the second difference is accepted")
    r.check("/etc/other" in text and "Data not decoded" in text, "the others are not")
    out = scapula("-i", both, stdin=b"?\nq\n")[1]
    r.check("a - accept this and all" in out and 'fd.name: "/etc/other/' not in out and "-> \"/etc/shadow\"" in out, "what it shows", out)
    r.equal(read(os.path.join(other, "baseline.jsonl")), "", "a baseline without alerts")


def sorted_lines(text):
    return sorted(text.splitlines(True), key=lambda line: (json.loads(line)["time"], json.loads(line)["offset"], json.loads(line)["rule"]))


def selection(folder):
    suite = os.path.join(folder, "select")
    for name in ("a/good", "a/bad", "b/bad"):
        make(suite, name, "unexpected: %s\n" % ("fail" if "bad" in name else "ignore"))
    make(suite, ".hidden/x", "")
    os.symlink(os.path.join(suite, "a"), os.path.join(suite, "link"))
    names = lambda *args: [t["name"][len(suite) + 1:] for t in json.loads(scapula("-f", "json", suite, *args)[1])["tests"]]
    r.equal(names(), ["a/bad", "a/good", "b/bad"], "tests in order, without links and hidden ones")
    r.equal(names("--filter", "a/"), ["a/bad", "a/good"], "--filter")
    r.equal(scapula("--filter", "nothing", suite)[0], USAGE, "--filter that fits nothing")
    r.equal(names("--rerun"), ["a/bad", "b/bad"], "--rerun")
    make(suite, "a/bad", "unexpected: ignore\n")
    r.equal(names("--rerun", "--filter", "a/"), ["a/bad"], "--rerun --filter")
    r.equal(names("--rerun"), ["b/bad"], "what passes now is forgotten, what was not run is kept")
    state = os.path.join(folder, "state")
    r.equal(names("--rerun", "--state", state), [], "another state")
    r.equal(names("--state", state) and read(state), os.path.realpath(suite) + "/b/bad/test.yaml\n", "a state is a list of files")
    r.equal(scapula(os.path.join(suite, "a/good/test.yaml"))[0], OK, "a file instead of its directory")
    r.equal(scapula(os.path.join(suite, "none"))[0], INPUT, "a directory that is not there")
    r.equal(scapula(RULES)[0], INPUT, "another file")
    r.equal(scapula(os.path.join(check.ROOT, "docs"))[0], USAGE, "a directory without tests")
    r.equal(scapula()[0], USAGE, "no directory")
    want = scapula("-f", "json", suite)[1]
    for jobs in ("1", "2", "7"):
        r.equal(scapula("-f", "json", "-j", jobs, suite)[1], want, "the same with -j " + jobs)
    r.equal(scapula("--timeout", "1ns", suite)[0], PARTIAL, "a time limit")
    long = make(folder, "long", "unexpected: ignore\n", trace=None)
    with open(os.path.join(long, "trace.scap"), "wb") as f:
        f.write(check.read_all(check.DEMO) * 8)
    r.equal(scapula("--mem-limit", "1", long)[0], PARTIAL, "a limit of memory")
    r.equal(scapula("--mem-limit", "1G", long)[0], OK, "a limit that is not reached")


def required(folder):
    rules = write(os.path.join(folder, "two.yaml"), "".join(
        "- rule: %s\n  desc: a\n  condition: evt.type = execve and proc.name = %s\n  output: a\n  priority: INFO\n" % (n, n) for n in ("cat", "head")))
    suite = os.path.join(folder, "need")
    make(suite, "one", "expect:\n  - {rule: cat}\n  - {rule: head, exactly: 7}\nunexpected: ignore\n", rules=rules)
    status, out, _ = scapula("--require-tests", "-f", "json", suite)
    lacks = lambda text: {c["name"]: c.get("text", "") for c in json.loads(text)["tests"][-1]["checks"]}
    r.equal((status, lacks(out)), (FAILED, {"tests of cat": "no test expects that there are none\n", "tests of head": "no test expects that there are none\n"}),
            "rules without negative tests")
    make(suite, "two", "expect:\n  - {rule: cat, exactly: 0}\n", trace="network", rules=rules)
    r.equal(list(filter(None, lacks(scapula("--require-tests", "-f", "json", suite)[1]).values())), ["no test expects that there are none\n"], "one has one now")
    make(suite, "one", "expect:\n  - {rule: cat}\n  - {rule: head}\nunexpected: ignore\n", rules=rules)
    make(suite, "two", "expect:\n  - {rule: cat, exactly: 0}\n  - {rule: head, exactly: 0}\n", trace="network", rules=rules)
    r.equal(scapula("--require-tests", suite)[0], OK, "all have both")
    make(suite, "one", "expect:\n  - {rule: cat}\n  - {rule: head, at_most: 9}\nunexpected: ignore\n", rules=rules)
    r.equal(lacks(scapula("--require-tests", "-f", "json", suite)[1])["tests of head"], "no test expects alerts of it\n", "at_most is no positive test")


JUNIT = {  # element: (attributes that must be there, that may, children)
    "testsuites": ({"name", "tests", "failures", "errors", "skipped"}, {"time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"time"}, {"testcase"}),
    "testcase": ({"name", "classname"}, {"time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"message"}, set(), set()), "error": ({"message"}, set(), set()), "skipped": ({"message"}, set(), set()), "system-out": (set(), set(), set()),
}


def check_junit(text):
    root = ElementTree.fromstring(text)
    r.equal(root.tag, "testsuites", "JUnit: root")
    for e in root.iter():
        must, may, children = JUNIT[e.tag]
        r.check(must <= set(e.attrib) <= must | may, "JUnit: attributes of " + e.tag, "  %r" % e.attrib)
        r.check({c.tag for c in e} <= children, "JUnit: children of " + e.tag)
    count = lambda e, tag: len(list(e.iter(tag)))
    for e in [root] + list(root):
        r.equal({k: int(e.attrib[k]) for k in ("tests", "failures", "errors", "skipped")},
                {"tests": count(e, "testcase"), "failures": count(e, "failure"), "errors": count(e, "error"), "skipped": count(e, "skipped")}, "JUnit: counts")
    return root


JUNITPARSER = """
import json, sys
from junitparser import JUnitXml
root = JUnitXml.fromfile(sys.argv[1])
print(json.dumps([[s.name, s.tests, s.failures, s.errors, s.skipped, [[c.name, c.classname, [type(x).__name__ + ': ' + x.message for x in c.result]] for c in s]] for s in root]))
"""


def read_by_junitparser(path, root):
    """What Debian's python3-junitparser makes of it is what is in it."""
    p = subprocess.run(["/usr/bin/python3", "-c", JUNITPARSER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if b"No module named" in p.stderr or not os.path.exists("/usr/bin/python3"):
        r.skip("no python3-junitparser")
        return
    kinds = {"failure": "Failure", "error": "Error", "skipped": "Skipped"}
    want = [[s.get("name")] + [int(s.get(k)) for k in ("tests", "failures", "errors", "skipped")] +
            [[[c.get("name"), c.get("classname"), [kinds[x.tag] + ": " + x.get("message") for x in c if x.tag in kinds]] for c in s]] for s in root]
    r.check(p.returncode == 0, "junitparser reads it", p.stderr.decode()[-500:])
    r.equal(json.loads(p.stdout or b"[]"), want, "junitparser sees the same suites, cases and results")


def check_sarif(text):
    log = json.loads(text)
    wrong = report_schemas.check(log, report_schemas.SARIF)
    r.check(not wrong, "SARIF: shape", "\n".join(wrong[:5]))
    results = log["runs"][0]["results"]
    r.check(all(x.get("kind", "fail") == "fail" or x["level"] == "none" for x in results), "SARIF: what is no failure has no level")
    r.check(all(v > 0 for x in results for p in x["locations"] for v in p["physicalLocation"].get("region", {}).values()), "SARIF: regions")
    return results


def outputs(folder):
    suite = os.path.join(folder, "outputs")
    make(suite, "a passing", "", trace="network")
    make(suite, "b <fails> & \"more\" ]]>", "expect:\n  - {rule: %s, exactly: 2}\nunexpected: warn\n" % SHADOW)
    make(suite, "c#skipped", "requires: {engine: 99}\n")
    make(suite, "d-broken", "expect: {}\n")
    changed = make(suite, "e-changed", "")
    scapula("--update", changed)
    lines = read(os.path.join(changed, "baseline.jsonl")).splitlines(True)
    write(os.path.join(changed, "baseline.jsonl"), lines[0].replace("shadow", "sh\\u0007\\u202e[a](b){}adow|`") + "".join(lines[2:]) + lines[2].replace("Search", "Sea<rch"))
    file = lambda name: os.path.join(folder, "out." + name)
    formats = ("junit", "tap", "sarif", "json", "markdown", "html")
    status, out, err = scapula(suite, *[x for f in formats for x in ("--" + f, file(f))])
    r.equal((status, err), (USAGE, ""), "all outputs at once")
    for f in formats:
        text = read(file(f))
        status, out, _ = scapula("-f", f, suite)
        r.check(out == text, "-f %s is --%s" % (f, f))
        r.check("\x07" not in text and "\u202e" not in text, f + " is harmless")
        r.check(os.path.getsize(file(f)) > 0 and "time=" not in text and "cpu_ns" not in text, f + " has no times of running")
    root = check_junit(read(file("junit")))
    r.equal([s.attrib["name"][len(suite) + 1:] for s in root], ["a passing", "b <fails> & \"more\" ]]>", "c#skipped", "d-broken", "e-changed"], "JUnit: suites")
    r.equal([(int(s.attrib["failures"]), int(s.attrib["errors"]), int(s.attrib["skipped"])) for s in root], [(0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0), (2, 0, 0)],
            "JUnit: what failed")
    read_by_junitparser(file("junit"), root)
    check_junit(scapula("--timing", "-f", "junit", suite)[1])
    results = check_sarif(read(file("sarif")))
    states = [x.get("baselineState") for x in results if "e-changed" in x["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]]
    states = [x["baselineState"] for x in results if x.get("properties", {}).get("tier") != "new" and "baselineState" in x]
    r.equal({s: states.count(s) for s in set(states)}, {"unchanged": 28, "updated": 1, "absent": 1}, "SARIF: states")
    tests = json.loads(read(file("json")))
    r.equal(tests["totals"], {"tests": 5, "passed": 1, "skipped": 1, "warning": 0, "failed": 2, "broken": 1}, "JSON: totals")
    r.equal(sorted(d["tier"] for d in tests["tests"][4]["differences"]), ["changed", "missing", "new"], "JSON: differences")
    page = read(file("html"))
    r.check("default-src 'none'" in page and "<script" not in page and "http" not in page.split("</style>")[1], "HTML: nothing is loaded")
    r.check("&lt;fails&gt;" in page and "<fails>" not in page, "HTML: names are no markup")
    r.check(len(read(file("markdown")).splitlines()) <= 200, "Markdown: at most 200 lines")
    r.equal(scapula(suite, "--junit", file("junit"))[0], INPUT, "no file is replaced")
    r.equal(scapula(suite, "--junit", file("junit"), "--force")[0], USAGE, "unless --force is given")
    r.equal(scapula(suite, "-f", "xml")[0], USAGE, "another format")
    out = scapula("-q", suite)[1]
    r.check("a passing" not in out and "5 tests: 1 passed, 2 failed, 1 broken, 1 skipped" in out, "terminal, quietly", out)
    r.check("\033" not in out and "\033" in scapula("--color", "always", suite)[1], "colours")
    if not shutil.which("prove"):
        r.skip("prove is not there")
        return
    p = subprocess.run(["prove", "-v", "-e", "cat", file("tap")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    got = p.stdout.decode()
    r.check(p.returncode == 1 and "Failed tests:  2, 5" in got and "Parse errors" not in got, "prove reads TAP", got)
    shutil.rmtree(os.path.join(suite, "d-broken"))
    good = scapula("-f", "tap", os.path.join(suite, "a passing"), os.path.join(suite, "c#skipped"))[1]
    p = subprocess.run(["prove", "-e", "cat", write(file("tap2"), good)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    r.check(p.returncode == 0 and b"Result: PASS" in p.stdout, "prove sees that all passed", p.stdout.decode())


def goldens(folder):
    """The alerts of the reference, as baselines: every capture and rule set but the largest capture."""
    if not check.have_shared():
        r.skip("no alerts of the reference")
        return
    golden, peer = os.path.join(check.SHARED, "golden"), os.path.join(check.SHARED, "peer-rules")
    stock = [os.path.join(peer, n) for n in ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")]
    sets = {"stable": stock[:1], "all": stock, "coverage": [os.path.join(golden, "coverage-rules.yaml")]}
    names = [n for n in sorted(os.listdir(os.path.join(golden, "alerts"))) if not n.startswith("busy.")]
    for name in names:
        capture, rules, matching = name.split(".")[:3]
        path = os.path.join(folder, name)
        write(os.path.join(path, "test.yaml"), "trace: %s\nrules: %s\nmatching: %s\n" % (check.corpus(capture), json.dumps(sets[rules]), matching))
        shutil.copy(os.path.join(golden, "alerts", name), os.path.join(path, "baseline.jsonl"))
    status, out, err = check.run(["test", "-q", folder], env=ENV, timeout=900)
    r.equal((status, out), (OK, "%d tests: %d passed\n" % (len(names), len(names))), "alerts of the reference:\n" + out[:2000] + err)


def main():
    with tempfile.TemporaryDirectory() as folder:
        ENV["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
        ENV["SCAPULA_CACHE_SIZE"] = "1M"
        for step in (expectations, policies, requirements, options, budgets, traces, wrong_files, baselines, interaction, selection, required, outputs, goldens):
            step(os.path.join(folder, step.__name__))
    suite = os.path.join(check.ROOT, "tests", "suites")
    status, out, err = scapula(suite)
    r.equal(status, OK, "tests of the starter rules:\n" + out + err)
    r.finish()


main()

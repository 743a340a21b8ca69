#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula explain: what it says is reported is what a replay reports; reasons; forms; and the examples of docs/regression.md.

With --update the outputs in docs/regression.md are written anew.
"""
import collections
import html.parser
import json
import os
import re
import shlex
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import check  # noqa: E402

DOCS = os.path.join(check.ROOT, "docs", "regression.md")
STOCK = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
CAPTURES = ["intrusion", "container", "persist", "network", "sample"]

RULES = """
- list: inner
  items: [dog]
- list: animals
  items: [cow, inner, CAT]
- macro: reads
  condition: evt.type in (open, openat) and evt.is_open_read = true
- rule: earlier <script>alert(1)</script>
  desc: d
  condition: reads and fd.name = /etc/shadow and proc.name = cat
  output: o
  priority: ERROR
  tags: [first]
- rule: later
  desc: d
  condition: reads and fd.name = /etc/shadow
  output: o
  priority: INFO
  tags: [second]
  exceptions:
    - name: known
      fields: [proc.name, proc.pname]
      comps: [=, in]
      values:
        - [nobody, [x]]
        - [cat, [sh, bash]]
    - name: names
      fields: proc.name
      values: [a, b]
- rule: case
  desc: d
  condition: evt.type = openat and proc.name in (animals) and fd.name = /etc/shadow
  output: o
  priority: INFO
- rule: off
  desc: d
  condition: evt.type = openat and fd.name = /etc/shadow
  output: o
  priority: INFO
  enabled: false
- rule: bytes
  desc: d
  condition: evt.type = read and evt.buffer contains "no such bytes" and fd.cport = 1
  output: o
  priority: INFO
- rule: silent
  desc: d
  condition: evt.type = quotactl and proc.name = x
  output: o
  priority: INFO
- rule: other fields
  desc: d
  condition: evt.type in (openat, execve) and fd.name = /x and proc.pname = val(fs.path.target)
  output: o
  priority: INFO
"""


def explain(args, expect=0):
    status, out, err = check.run(["explain"] + args)
    assert status == expect, "status %d\n%s" % (status, err[-2000:])
    return out


def explain_json(args):
    return json.loads(explain(args + ["-f", "json"]))


def parts(node):
    yield node
    for kid in node.get("parts", ()):
        yield from parts(kid)


def check_of(event, text):
    return next(p for p in parts(event["condition"]) if p["kind"] == "check" and text in p["text"])


# --- beside replay

def stock_rules():
    return [a for f in STOCK for a in ("-r", os.path.join(check.SHARED, "peer-rules", f))]


def reported(capture, matching):
    """Times of the alerts of each rule."""
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", matching] + stock_rules() + [capture])
    assert status == 0, err
    times = collections.defaultdict(list)
    for line in out.splitlines():
        alert = json.loads(line)
        times[alert["rule"]].append(alert["time"])
    return times


def compare_with_replay(r):
    for name in CAPTURES:
        capture = check.corpus(name)
        for matching in ("all", "first"):
            alerts = reported(capture, matching)
            for rule in sorted(set(alerts) | {"Terminal shell in container", "Unexpected UDP Traffic"}):
                got = explain_json(["--rule", rule, "--matching", matching, "-n", "1000"] + stock_rules() + [capture])
                told = [e["time"] for e in got["events"] if e["reported"]]
                r.equal(told, sorted(alerts[rule]), "%s, %s: %s" % (name, matching, rule))
                r.equal(got["survey"]["reported"], len(alerts[rule]), "%s, %s: %s: count" % (name, matching, rule))


# --- reasons

class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open = collections.Counter(), []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "unbalanced </%s>" % tag


def check_forms(r, rules, number):
    args = ["--rule", "earlier", "-r", rules, "--evt", number, check.DEMO]
    out = explain(args + ["-f", "html"])
    page = Page()
    page.feed(out)
    r.check(not page.open and page.tags["script"] == 0, "the page is whole and has no script")
    r.check("&lt;script&gt;" in out, "names are made harmless")
    r.check("src=" not in out and "href=" not in out, "the page needs nothing else")
    plain, painted = explain(args), explain(args + ["--color", "always"])
    r.equal(re.sub(r"\033\[\d*m", "", painted), plain, "colours only repeat what is said")
    r.check(painted != plain, "there are colours")
    r.check(len(explain(args + ["--brief"])) < len(plain), "--brief is shorter")


def check_obstacles(r, rules, number):
    later = ["-r", rules, "--evt", number, check.DEMO, "--rule", "later"]
    earlier = ["-r", rules, "--evt", number, check.DEMO, "--rule", "earlier <script>alert(1)</script>"]
    for args, want in (
            (earlier, []),
            (earlier + ["-D", "earlier"], ["the rule is disabled by --disable earlier"]),
            (earlier + ["-T", "first"], ["the rule is disabled by --disable-tag first"]),
            (earlier + ["-t", "second"], ["the rule is disabled by --tag: it has none of the tags asked for"]),
            (earlier + ["-t", "first"], []),
            (earlier + ["-O", "rules[].disable.rule=earl*"], ["the rule is disabled by the configuration: earl*"]),
            (earlier + ["--min-priority", "critical"], ["its priority Error is below Critical, the least one that is reported"]),
            (earlier + ["-F", "proc.name = dog"], ["--filter hides the event from the rules"]),
            (later, ["an earlier rule matches, and only the first one is reported: earlier <script>alert(1)</script>"]),
            (later + ["-D", "earlier"], []),
            (later + ["--matching", "all"], []),
            (["-r", rules, "--evt", number, check.DEMO, "--rule", "off"],
             ["the rule is disabled where it is defined (enabled: false)",
              "an earlier rule matches, and only the first one is reported: earlier <script>alert(1)</script>"])):
        event = explain_json(args)["events"][0]
        r.equal(event["not_reported"], want, " ".join(args[4:]))
        if "later" not in args:
            r.equal(event["reported"], not want, " ".join(args[4:]) + ": reported")


def check_reasons(r, rules, number):
    event = explain_json(["--rule", "later", "-r", rules, "--evt", number, check.DEMO])["events"][0]
    exceptions = {p["name"]: p for p in parts(event["condition"]) if p["kind"] == "exception"}
    r.equal([p["truth"] for p in exceptions["known"]["parts"]], ["false", "true"], "which values of an exception match")
    lines = RULES.splitlines()
    r.equal(lines[exceptions["known"]["parts"][1]["line"] - 1].strip(), "- [cat, [sh, bash]]", "and where they stand")
    r.equal(exceptions["names"]["truth"], "true", "an exception that does not match holds")
    r.check(not event["matches"] and event["failing"] == 1, "the exception is what fails")
    event = explain_json(["--rule", "case", "-r", rules, "--evt", number, check.DEMO])["events"][0]
    found = check_of(event, "proc.name")
    r.equal((found["truth"], found["reason"], found["value"]), ("false", "case", "cat"), "only the case differs")
    event = explain_json(["--rule", "earlier", "-r", rules, "--evt", number, check.DEMO])["events"][0]
    item = check_of(event, "evt.type")["item"]
    r.equal((item["text"], item["index"]), ("openat", 1), "the item that was met")
    r.equal(lines[item["line"] - 1].strip(), "condition: evt.type in (open, openat) and evt.is_open_read = true", "where it stands")
    event = explain_json(["--rule", "bytes", "-r", rules, "--near", "1", check.DEMO])["events"][0]
    r.equal(check_of(event, "fd.cport")["truth"], "absent", "a file has no port")
    cut = [explain_json(["--rule", "bytes", "-r", rules, "--evt", n, check.DEMO])["events"][0] for n in cut_reads()]
    r.check(cut and all(check_of(e, "evt.buffer")["reason"] == "truncated" for e in cut), "buffers that were cut say so")
    event = explain_json(["--rule", "other fields", "-r", rules, "--evt", number, check.DEMO])["events"][0]
    r.equal(check_of(event, "proc.pname")["reason"], "right side absent", "a field on the right without value")
    execve = check.run(["events", "-F", "evt.type = execve", "-n", "1", "-p", "%evt.num", check.DEMO])[1].strip()
    event = explain_json(["--rule", "other fields", "-r", rules, "--evt", execve, check.DEMO])["events"][0]
    r.equal(check_of(event, "fd.name")["reason"], "not on this event type", "execve has no descriptor")
    got = explain_json(["--rule", "silent", "-r", rules, check.DEMO])
    r.equal((got["survey"]["of_types"], got["events"]), (0, []), "types that do not occur")
    r.check("no event of these types" in explain(["--rule", "silent", "-r", rules, check.DEMO]), "is said")


def cut_reads():
    """Numbers of reads of which the capture has fewer bytes than were read."""
    out = check.run(["events", "-F", "evt.type = read and evt.rawres > 4000", "-n", "2", "-p", "%evt.num", check.DEMO])[1]
    return out.split()


def check_near(r, rules):
    got = explain_json(["--rule", "bytes", "-r", rules, "--near", "5", check.DEMO])
    failing = [e["failing"] for e in got["events"]]
    r.check(len(failing) == 5 and failing == sorted(failing), "the nearest come first")
    r.equal([e["num"] for e in got["events"]], sorted(e["num"] for e in got["events"]), "of equals the earlier ones")
    never = check_of(got["events"][0], "fd.cport").get("never_present")
    r.check(never is None, "some read has a port, so that it is not never there")


def check_usage(r, rules):
    for args, status in (([check.DEMO, "-r", rules], 3), (["--rule", "later", "-r", rules], 3), (["-r", rules, "--evt", "99999999", check.DEMO], 4),
                         (["--rule", "nothing", "-r", rules, check.DEMO], 3), (["--rule", "a", "-r", rules, check.DEMO], 3),
                         (["--rule", "later", "-r", rules, "--evt", "99999999", check.DEMO], 4),
                         (["--rule", "later", "-r", "/nonexistent.yaml", check.DEMO], 2),
                         (["--rule", "later", "-r", rules, "/nonexistent.scap"], 4)):
        r.equal(check.run(["explain"] + args)[0], status, "status of " + " ".join(args[:-1]))


def check_index(r, rules, folder):
    """With an index the same is said of an event."""
    capture = os.path.join(folder, "indexed.scap")
    shutil.copy(check.DEMO, capture)
    args = ["--rule", "earlier", "-r", rules, "--evt", "15000", capture]
    first = explain(args)
    r.equal(check.run(["index", "--every", "1000", capture])[0], 0, "the index is made")
    r.equal(explain(args), first, "with and without an index")


def check_alert_of(r, rules):
    """The events another rule matches, explained for this one."""
    base = ["--rule", "case", "-r", rules, check.DEMO, "--alert-of", "off", "-n", "100"]
    got = explain_json(base)
    numbers = check.run(["events", "-F", "evt.type = openat and fd.name = /etc/shadow", "-p", "%evt.num", check.DEMO])[1].split()
    r.equal([str(e["num"]) for e in got["events"]], numbers, "its events")
    r.equal((got["alert_of"], got["survey"]["of_types"], got["survey"]["matching"]), ("off", len(numbers), 0), "its name and counts")
    r.check(all(check_of(e, "proc.name")["truth"] == "false" for e in got["events"]), "and why not")
    r.check('match the rule "off"; of these' in explain(base), "in words")
    both = explain_json(["--rule", "off", "-r", rules, check.DEMO, "--alert-of", "earlier"])
    r.check(both["events"] and all(e["matches"] for e in both["events"]), "what both match")
    other = explain_json(["--rule", "silent", "-r", rules, check.DEMO, "--alert-of", "off", "-n", "1", "--matching", "all"])
    r.equal(other["events"][0]["not_reported"], ["the rule is not about events of type openat"], "rules about other events")
    for args, status in ((["--evt", "5"], 3), (["--rule", "k"], 3)):
        r.equal(check.run(["explain"] + base + args)[0], status, "status with " + args[0])


def check_all_rules(r, rules, number):
    """One event and all rules: as each rule by itself tells."""
    args = ["-r", rules, "--evt", number, check.DEMO]
    got = json.loads(explain(args + ["-f", "json"]))
    r.equal([x["failing"] for x in got["rules"]], sorted(x["failing"] for x in got["rules"]), "the closest first")
    r.equal(sorted(x["rule"] for x in got["rules"]), sorted(["earlier <script>alert(1)</script>", "later", "case", "other fields"]),
            "enabled rules about events of its type")
    for told in got["rules"]:
        event = explain_json(["--rule", told["rule"]] + args)["events"][0]
        r.equal((told["matches"], told["failing"]), (event["matches"], event["failing"]), "all rules: " + told["rule"])
    r.equal([x["rule"] for x in got["rules"] if x["first"]], ["earlier <script>alert(1)</script>"], "the rule that is reported")
    text = explain(args + ["-n", "1"])
    r.check("matches, 1st" in text and "and 3 more; --limit shows them" in text, "in words", text)
    for more, status in ((["-f", "html"], 3), (["-F", "evt.num > 1"], 3), (["--alert-of", "off"], 3)):
        r.equal(check.run(["explain"] + args + more)[0], status, "without a rule: " + more[0])


def check_damage(r, rules, folder):
    """What the capture lost before an event is told with it."""
    plain, damaged = os.path.join(folder, "plain.scap"), os.path.join(folder, "damaged.scap")
    assert check.run(["convert", check.DEMO, "-o", plain])[0] == 0
    data = bytearray(check.read_all(plain))
    data[len(data) // 4:len(data) // 4 + 2048] = b"\xff" * 2048
    with open(damaged, "wb") as f:
        f.write(data)
    args = ["--rule", "earlier", "-r", rules, "-f", "json", damaged]
    early, late = (json.loads(explain(args + ["--evt", n], expect=status)) for n, status in (("10", 0), ("12000", 5)))
    r.equal((early["gaps"], early["gaps_before"]), (0, 0), "no damage before an early event")
    r.equal((late["gaps"], late["gaps_before"]), (1, 1), "and some before a late one")
    text = explain(["--rule", "earlier", "-r", rules, "--evt", "12000", damaged], expect=5)
    r.check("1 place where the capture lost or lacks something, 1 of them before the event" in text, "it is said", text[:600])


# --- the examples of the documentation

def blocks():
    """(command, output as it stands) of docs/regression.md."""
    with open(DOCS) as f:
        text = f.read()
    for block in re.findall(r"^```\n\$ (scapula .*?)\n(.*?)^```$", text, re.M | re.S):
        yield block


def output_of(command, folder):
    status, out, err = check.run(shlex.split(command)[1:], cwd=folder)
    assert status == 0, err
    return out.strip("\n") + "\n"


def check_docs(r, folder, update):
    for name in STOCK:
        os.symlink(os.path.join(check.SHARED, "peer-rules", name), os.path.join(folder, name))
    for name in CAPTURES:
        os.symlink(check.corpus(name), os.path.join(folder, name + ".scap"))
    with open(DOCS) as f:
        text = f.read()
    for command, told in blocks():
        out = output_of(command, folder)
        if update:
            text = text.replace("```\n$ %s\n%s```" % (command, told), "```\n$ %s\n%s```" % (command, out))
        else:
            r.equal(out.splitlines(), told.splitlines(), "docs/regression.md: " + command)
    if update:
        with open(DOCS, "w") as f:
            f.write(text)


def main():
    r = check.Results("explain")
    with tempfile.TemporaryDirectory() as folder:
        rules = os.path.join(folder, "rules.yaml")
        with open(rules, "w") as f:
            f.write(RULES)
        number = check.run(["events", "-F", "evt.type = openat and fd.name = /etc/shadow and proc.name = cat", "-n", "1", "-p", "%evt.num",
                            check.DEMO])[1].strip()
        check_usage(r, rules)
        check_obstacles(r, rules, number)
        check_reasons(r, rules, number)
        check_near(r, rules)
        check_alert_of(r, rules)
        check_all_rules(r, rules, number)
        check_forms(r, rules, number)
        check_index(r, rules, folder)
        check_damage(r, rules, folder)
        if check.have_shared():
            check_docs(r, folder, "--update" in sys.argv)
            compare_with_replay(r)
        else:
            r.skip("beside replay and docs/regression.md: no ../shared")
    r.finish()


main()

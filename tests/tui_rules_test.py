#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the interface says about rules is what the commands say: explanations, coverage, what was shadowed, how often values occur;
and the command lines it shows do run."""
import collections
import json
import os
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

CAPTURE = os.path.join("tests", "captures", "intrusion.scap")  # in check.ROOT, as what is shown is of one length everywhere
PACK = os.path.join("rules", "pack")
TRUTH = {"true": "yes", "false": "no", "absent": "absent", "not asked": "unasked"}


class Place:
    """Captures, cases and exports of one run of this test."""

    def __init__(self, r, tmp):
        self.r = r
        self.tmp = tmp
        self.env = {"XDG_CACHE_HOME": tmp, "SCAPULA_CACHE_SIZE": "100M"}

    def run(self, args, ok=(0, 1)):
        status, out, err = check.run(args, env=self.env, timeout=300)
        self.r.check(status in ok and "ERROR" not in err, "scapula %s" % " ".join(args[:6]), "%d %s" % (status, err[-1500:]))
        return out

    def screen(self, keys, operands, size="1000x40"):
        return self.run(["tui", "--headless", size, "--keys", keys, "--dump-screen"] + operands)

    def rows(self, keys, operands):
        """The rows of the table that these keys lead to."""
        path = os.path.join(self.tmp, "export.jsonl")
        if os.path.exists(path):
            os.unlink(path)
        screen = self.screen(keys + ":export %s<Enter>" % path, operands)
        if not self.r.check(os.path.exists(path), "%s: is exported" % keys, screen):
            return []
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]


def leaves(part, negations=0, truth=None):
    """(text, truth, negated) of each check as a row has it: with the negations in front of it."""
    if part["kind"] == "not":
        return leaves(part["parts"][0], negations + 1, truth or part["truth"])
    if part["kind"] == "check":
        return [("not " * negations + part["text"], TRUTH[truth or part["truth"]], negations % 2)]
    return [x for kid in part["parts"] for x in leaves(kid)]


def cell_number(text):
    return int(text.replace(",", ""))


def explained(p, rule, num):
    """The tree of checks against that of 'explain'."""
    out = p.run(["explain", "--rule", rule, "--evt", str(num), "-f", "json", "-r", PACK, CAPTURE])
    event = json.loads(out)["events"][0]
    want = leaves(event["condition"])
    keys = ":goto #%d<Enter>:explain %s<Enter>" % (num, rule)
    rows = p.rows(keys + "*", ["-r", PACK, CAPTURE])
    got = [(row["part"].lstrip(), row["holds"].split(" ", 1)[1]) for row in rows]
    got = [x for x in got if not (x[0][:1] in "▾▸")]
    p.r.equal(got, [x[:2] for x in want], "explain %s, event %d" % (rule, num))
    screen = p.screen(keys, ["-r", PACK, CAPTURE])
    word = "DOES NOT MATCH" if not event["matches"] else "MATCHES, reported" if event["reported"] else "MATCHES, not reported"
    p.r.check(" " + word in screen, "explain %s, event %d: the verdict" % (rule, num), screen)


def covered(p, rule):
    """How often each check held, against 'cover'."""
    all_rules = json.loads(p.run(["cover", "-f", "json", "-r", PACK, CAPTURE]))["rules"]
    want = [x for x in all_rules if x["rule"] == rule][0]["checks"]
    condition = json.loads(p.run(["explain", "--rule", rule, "--evt", "1000", "-f", "json", "-r", PACK, CAPTURE]))["events"][0]["condition"]
    negated = [x[2] for x in leaves(condition)]
    p.r.equal(len(negated), len(want), "%s: checks" % rule)
    want = [(c["false"], c["true"], c["absent"]) if n else (c["true"], c["false"], c["absent"]) for c, n in zip(want, negated)]
    rows = p.rows("9/%s<Enter><Enter>" % rule, ["-r", PACK, CAPTURE])
    got = [tuple(cell_number(row[x]) for x in ("true", "false", "absent")) for row in rows if row["true"]]
    p.r.equal(got, want, "coverage of %s" % rule)


def shadowed(p):
    """Matches where an earlier rule is reported: all of them without those that are reported first."""
    counts = []
    for matching in ("all", "first"):
        out = p.run(["replay", "-q", "-f", "json", "--matching", matching, "-r", PACK, CAPTURE])
        counts.append(collections.Counter(json.loads(x)["rule"] for x in out.splitlines() if x.startswith("{")))
    want = {k: v for k, v in (counts[0] - counts[1]).items() if v}
    rows = p.rows("9:cost<Enter>", ["-r", PACK, CAPTURE])
    got = {row["rule"]: cell_number(row["shadowed"]) for row in rows if row["shadowed"] not in ("-", "0")}
    p.r.equal(got, want, "what was shadowed")
    p.r.check(len(want) > 0, "something was shadowed")
    got = {row["rule"]: cell_number(row["fired"]) for row in rows if row["fired"] != "0"}
    p.r.equal(got, dict(counts[1]), "what fired")
    p.r.check(any(row["cost"] not in ("-", "0.0") for row in rows), "costs are measured")
    silent = {row["rule"]: row["state"] for row in rows if row["fired"] == "0"}
    p.r.check("never fired" in silent.values(), "rules that never fired are listed", repr(silent))


def nearest(p, num):
    """All rules against one event, as 'explain' without a rule has them."""
    out = p.run(["explain", "--evt", str(num), "--limit", "1000", "-f", "json", "-r", PACK, CAPTURE])
    want = [(x["rule"], "1st" if x["first"] else "yes" if x["matches"] else "%d of %d" % (x["failing"], x["conjuncts"]))
            for x in json.loads(out)["rules"]]
    rows = p.rows(":goto #%d<Enter>:explain<Enter>" % num, ["-r", PACK, CAPTURE])
    p.r.equal([(x["rule"], x["holds"].split(" ", 1)[1]) for x in rows], want, "rules that come closest to event %d" % num)
    p.r.check(len(want) > 10, "there are such rules")


def frequencies(p):
    out = p.run(["sysdig", "-r", CAPTURE, "-p", "%proc.name"])
    want = collections.Counter(out.splitlines())
    rows = p.rows("4:frequency proc.name<Enter>", [CAPTURE])
    got = {row["value"]: cell_number(row["count"]) for row in rows}
    p.r.check(got.pop("(empty)", 0) > 0, "rows without a value are counted, too")  # sysdig leaves them out
    p.r.equal({k: (v, want[k]) for k, v in got.items() if v != want[k]}, {}, "how often each name occurs")
    p.r.equal(sorted(set(want) - set(got)), [], "all names occur")
    p.r.check(abs(sum(float(row["share"]) for row in rows) - 100) < 3, "shares add up")
    name, count = want.most_common(2)[1]
    screen = p.screen("4:frequency proc.name<Enter>j<Enter>:frequency proc.name<Enter>", [CAPTURE])
    p.r.check("proc.name: 1 value in {:,} rows".format(count) in screen, "Enter filters by %s" % name, screen)
    screen = p.screen("2:frequency rule<Enter>G<Enter>", ["-r", PACK, CAPTURE])
    p.r.check("\\alert.rule = " in screen, "Enter filters by a field that only the view has", screen)
    screen = p.screen("9=j<Enter>", ["-r", PACK, CAPTURE], "80x24")
    p.r.check("▸ Rules  " in screen.split("\n")[0], "Enter searches where there is no filter", screen)


def command_lines(p):
    """What 'y' shows is a command that runs."""
    for keys in ("9y", "9<Enter>y", "{Ey", "{E<Enter>y"):
        line = p.screen(keys, ["-r", PACK, CAPTURE]).rstrip("\n").split("\n")[-1].strip()
        words = shlex.split(line) if line.startswith("scapula ") else []
        if not p.r.check(len(words) > 3, "%s: a command line" % keys, line):
            continue
        done = subprocess.run([check.scapula_path()] + words[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                              cwd=check.ROOT)
        p.r.check(done.returncode == 0 and len(done.stdout) > 100, "%s: it runs" % line[:60], done.stderr.decode()[-500:])


def of_a_case(p):
    """Without -r the rules are those of the case: its files, and if these are gone what it keeps."""
    files = os.path.join(p.tmp, "rules")
    os.mkdir(files)
    path = os.path.join(files, "r.yaml")
    text = """- list: names
  items: [cat, head]
- macro: reads
  condition: evt.type in (open, openat) and evt.is_open_read = true
- rule: Hashes
  desc: "it's here: 'there'"
  condition: reads and proc.name in (names) and fd.name = /etc/shadow
  output: "read (file=%fd.name)"
  priority: WARNING
  tags: [file, "a:b"]
"""
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    case = os.path.join(p.tmp, "case.db")
    p.run(["replay", "-q", "-r", path, "--db", case, CAPTURE])
    for what, doubt, macro in (("files as they were", "", True), ("files that changed", "1 of 1 rule files changed", True),
                               ("no files", "rule files are not here", False)):
        if what == "files that changed":
            with open(path, "a", encoding="utf-8") as f:
                f.write("# more\n")
        elif what == "no files":
            os.unlink(path)
        screen = p.screen("2E", [case], "120x30")
        p.r.check("MATCHES, reported" in screen and "Hashes" in screen, "a case, %s" % what, screen)
        p.r.check((doubt in screen) if doubt else "rule files" not in screen, "a case, %s: what is to be kept in mind" % what, screen)
        p.r.equal("reads: all of" in screen, macro, "a case, %s: macros" % what)
        screen = p.screen("9<Enter>", [case], "120x30")
        p.r.check("Hashes" in screen and "matches" in screen, "a case, %s: the page of the rule" % what, screen)


def strange(p):
    """No rules, no events yet, a rule that is not there, one that is for other events: told, not fatal."""
    p.r.check("no rules are known" in p.screen("9", [CAPTURE]), "no rules")
    p.r.check("no rules are known" in p.screen("4E", [CAPTURE]), "nothing to explain with")
    p.r.check("nothing has happened yet" in p.screen(":goto start<Enter>:explain<Enter>", ["-r", PACK, CAPTURE]), "no event yet")
    p.r.check("no rule has the name" in p.screen(":explain nosuch<Enter>", ["-r", PACK, CAPTURE]), "no such rule")
    p.r.check("several rules" in p.screen(":explain a<Enter>", ["-r", PACK, CAPTURE]), "too many rules")
    screen = p.screen(":goto #1000<Enter>:explain Password hashes<Enter>", ["-r", PACK, "-D", "Password", CAPTURE])
    p.r.check("the rule is disabled" in screen and "not about events of type mmap" in screen, "obstacles", screen)


def words_only(p):
    """A file of rules without a rule: its macros and lists may be named in filters."""
    for text, name in (("- macro: shell\n  condition: proc.name in (sh, bash)\n", "shell"),
                       ("- list: shells\n  items: [sh, bash]\n", "proc.name in (shells)")):
        path = os.path.join(p.tmp, "words.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        screens = [p.screen("4\\%s<Enter>" % text, operands) for text, operands in
                   ((name, ["-r", path, CAPTURE]), ("proc.name in (sh, bash)", [CAPTURE]))]
        shown = [[line for line in s.split("\n") if " / 18,844 " in line] for s in screens]
        p.r.check(len(shown[0]) == 1, "%s: passes" % name, screens[0])
        p.r.equal(*shown, "%s: what passes" % name)
        p.r.check("no rules are known" in p.screen("9", ["-r", path, CAPTURE]), "%s: still no rules" % name)


def main():
    r = check.Results("rules in the interface")
    with tempfile.TemporaryDirectory() as tmp:
        p = Place(r, tmp)
        explained(p, "Password hashes read", 1000)
        explained(p, "Data decoded on a command line", 18272)
        explained(p, "Encoded program given to an interpreter", 18272)
        for rule in ("Password hashes read", "Connection becomes a standard stream"):
            covered(p, rule)
        shadowed(p)
        nearest(p, 18272)
        frequencies(p)
        command_lines(p)
        of_a_case(p)
        strange(p)
        words_only(p)
    sys.exit(r.finish())


if __name__ == "__main__":
    main()

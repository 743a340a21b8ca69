#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports for people: the HTML page and the Markdown summary say what the case says, let nobody's text become markup, and
the page opens in a browser without complaints and without asking for anything.

usage: tests/report_test.py
"""
import base64
import collections
import hashlib
import html.parser
import os
import re
import shutil
import sqlite3
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import browser  # noqa: E402
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("reports for people")
OWN = os.path.join(check.ROOT, "tests", "captures")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
VOID = {"meta", "rect", "line"}
BIDI = {0x61c, 0x200e, 0x200f} | set(range(0x202a, 0x202f)) | set(range(0x2066, 0x206a))


def replay(case, *captures, rules=RULES):
    status, _, err = check.run(["replay", "-q", "-r", rules, "--db", case] + list(captures))
    r.check(status == 0, "replay into %s" % os.path.basename(case), err)


def report(case, *options, status=0, env=None):
    got, out, err = check.run(["report", case] + list(options), env=env)
    r.check(got == status, "status of report %s" % " ".join(options), "  %d: %s" % (got, err))
    return out if status == 0 else err


def rows(case, sql):
    db = sqlite3.connect("file:%s?mode=ro" % case, uri=True)
    got = db.execute(sql).fetchall()
    db.close()
    return got


class Element:
    def __init__(self, name, attributes, parent):
        self.name = name
        self.attributes = dict(attributes)
        self.parent = parent
        self.children = []  # elements and texts

    def all(self, name=None, **attributes):
        found = []
        for c in self.children:
            if isinstance(c, Element):
                if name in (None, c.name) and all(v in (True, c.attributes.get(k), *c.attributes.get(k, "").split()) and k in c.attributes
                                                  for k, v in (("class" if k == "kind" else k, v) for k, v in attributes.items())):
                    found.append(c)
                found += c.all(name, **attributes)
        return found

    def text(self):
        return "".join(c.text() if isinstance(c, Element) else c for c in self.children)


class Document(html.parser.HTMLParser):
    """Parses strictly: what is opened is closed, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {}, None)
        self.problems = []
        self.feed(text)
        self.close()
        if self.at is not self.root:
            self.problems.append("%s is not closed" % self.at.name)

    def handle_starttag(self, tag, attributes):
        if len({k for k, _ in attributes}) != len(attributes):
            self.problems.append("an attribute twice in %s" % tag)
        e = Element(tag, attributes, self.at)
        self.at.children.append(e)
        if tag not in VOID:
            self.at = e

    def handle_startendtag(self, tag, attributes):
        self.at.children.append(Element(tag, attributes, self.at))

    def handle_endtag(self, tag):
        if self.at.name != tag:
            self.problems.append("</%s> inside of %s" % (tag, self.at.name))
        self.at = self.at.parent or self.root

    def handle_data(self, data):
        self.at.children.append(data)

    def handle_comment(self, data):
        self.problems.append("a comment: %r" % data[:50])

    def unknown_decl(self, data):
        self.problems.append("a declaration: %r" % data[:50])

    def handle_pi(self, data):
        self.problems.append("an instruction: %r" % data[:50])


def parse(text, what):
    d = Document(text)
    r.equal(d.problems[:5], [], "%s is well formed" % what)
    return d.root


# --- the page

def hash_of(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def asks_for_nothing(root, what):
    """No attribute loads, links to elsewhere, or acts; the policy allows the style and the script and nothing else."""
    for e in root.all():
        for name, value in e.attributes.items():
            r.check(name in ("class", "id", "lang", "charset", "http-equiv", "content", "name", "href", "scope", "datetime", "role", "hidden",
                             "viewbox", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor") or name.startswith(("aria-", "data-v")),
                    "%s: attribute %s of %s" % (what, name, e.name))
            if name == "href":
                r.check(re.fullmatch(r"#[a-z]+(-\d+)?", value) is not None, "%s: link %r" % (what, value))
            if name in ("id", "class", "data-v", "datetime") or name.startswith("aria-"):
                r.check(re.fullmatch(r"[A-Za-z0-9 .:-]*", value) is not None, "%s: value %r of %s" % (what, value, name))
    policy = [e.attributes["content"] for e in root.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy"]
    style, script = root.all("style"), root.all("script")
    r.equal((len(style), len(script)), (1, 1), "%s: one style, one script" % what)
    r.equal(policy, ["default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'"
                     % (hash_of(style[0].text()), hash_of(script[0].text()))], "%s: the policy" % what)
    r.check("url(" not in style[0].text() and "@import" not in style[0].text(), "%s: the style loads nothing" % what)


def can_be_used_by_all(root, what):
    """What readers of screens need."""
    r.equal(root.all("html")[0].attributes.get("lang"), "en", "%s: language" % what)
    ids = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
    r.equal(len(ids), len(set(ids)), "%s: ids differ" % what)
    for e in root.all("a"):
        r.check(e.attributes["href"][1:] in ids, "%s: %s leads somewhere" % (what, e.attributes["href"]))
    for e in root.all():
        for name in ("aria-labelledby", "aria-describedby"):
            r.check(name not in e.attributes or e.attributes[name] in ids, "%s: %s of %s" % (what, name, e.name))
    levels = [int(e.name[1]) for e in root.all() if re.fullmatch(r"h\d", e.name)]
    r.equal(levels[0], 1, "%s: the first heading is the title" % what)
    r.equal(levels.count(1), 1, "%s: one title" % what)
    r.check(all(b <= a + 1 for a, b in zip(levels, levels[1:]) if a != 1 or b != 3), "%s: no level of headings is left out" % what, str(levels))
    for t in root.all("table"):
        captions = [c for c in t.children if isinstance(c, Element) and c.name == "caption"]
        r.check(len(captions) == 1 and captions[0].text().strip(), "%s: a table has a caption" % what)
        r.check(all("scope" in e.attributes for e in t.all("th")), "%s: heads have a scope" % what)
    for e in root.all("svg"):
        r.check(e.attributes.get("role") == "img" and e.all("title"), "%s: the drawing has a name" % what)
    for e in root.all("span", kind="sev"):
        r.check(e.text().strip() != "", "%s: severities are words" % what)
    skip = root.all("a", kind="skip")
    r.check(len(skip) == 1 and skip[0].attributes["href"] == "#main", "%s: navigation can be skipped" % what)


def luminance(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= .03928 else ((p + .055) / 1.055) ** 2.4 for p in parts]
    return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + .05) / (dark + .05)


def has_contrast(root):
    style = root.all("style")[0].text()
    schemes = re.findall(r":root \{(.*?)\}", style, re.S)
    r.equal(len(schemes), 3, "colours for light, dark and paper")
    for scheme, name in zip(schemes, ("light", "dark", "paper")):
        c = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", scheme))
        c = {k: v if len(v) == 7 else "#" + "".join(x * 2 for x in v[1:]) for k, v in c.items()}
        pairs = [("ink", "page"), ("soft", "page"), ("ink", "shade"), ("soft", "shade"), ("link", "page"), ("link", "shade"), ("good", "shade"),
                 ("warn", "shade"), ("bad", "shade"), ("good", "page"), ("warn", "page"), ("bad", "page"), ("head-ink", "head"), ("head-soft", "head"),
                 ("ink", "mark")] + [("s%d" % i, "s%db" % i) for i in range(8)]
        for a, b in pairs:
            r.check(contrast(c[a], c[b]) >= 4.5, "%s: %s on %s can be read" % (name, a, b), "  %.2f" % contrast(c[a], c[b]))


def says_what_the_case_says(case, root, text):
    alerts = rows(case, "SELECT alert_id, rule_id, output, evt_num, evt_offset, severity, pid FROM v_alert")
    shown = {int(e.attributes["id"][6:]): e for e in root.all("tr", kind="alert")}
    r.equal(sorted(shown), sorted(a[0] for a in alerts), "every alert is on the page")
    for alert_id, _, output, number, offset, _, pid in alerts:
        e = shown[alert_id]
        r.check(" ".join(output.split()) in " ".join(e.text().split()), "message of alert %d" % alert_id)
        pairs = {x.all("th")[0].text(): x.all("td")[0].text() for x in e.all("tr") if x.all("th")}
        r.equal((pairs["Event"], pairs["Offset"]), (str(number), str(offset)), "place of alert %d" % alert_id)
        r.check(str(pid) in e.all("ol", kind="line")[0].text(), "process of alert %d" % alert_id)
    for section in root.all("section", kind="rule"):
        rule_id = int(section.all("h3")[0].attributes["id"][5:])
        r.equal(len(section.all("tr", kind="alert")), sum(a[1] == rule_id for a in alerts), "alerts below their rule")
    for sha256, path in rows(case, "SELECT sha256, path FROM captures"):
        r.check(sha256 in text and path in root.all("main")[0].text(), "hash and path of %s" % path)
    for command, version in rows(case, "SELECT command, version FROM runs"):
        r.check(command in root.all("main")[0].text() and version in text, "command of the run")
    for digest, condition in rows(case, "SELECT digest, condition FROM rules WHERE rule_id IN (SELECT rule_id FROM alerts)"):
        r.check(digest in text and condition.strip() in root.all("main")[0].text(), "text and digest of a rule")
    bars = sum(int(n) for e in root.all("svg")[0].all("title") for n in re.findall(r"[a-z] (\d+)", e.text().replace("severity", "")))
    r.equal(bars, len(alerts), "the chart has every alert")
    table = root.all("section", **{"aria-labelledby": "timeline"})[0].all("tbody")[0]
    r.equal(sum(int(td.attributes["data-v"]) for tr in table.all("tr") for td in tr.all("td")[1:]), len(alerts), "and so has its table")


def whole_page(folder):
    case = os.path.join(folder, "host7.case.db")
    replay(case, *(os.path.join(OWN, n + ".scap") for n in ("intrusion", "network", "sessions", "uring")))
    page = os.path.join(folder, "host7.html")
    report(case, "-o", page, "--title", "Host 7", "--question", "Who did it?", "--author", "Ada")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    root = parse(text, "the page")
    asks_for_nothing(root, "the page")
    can_be_used_by_all(root, "the page")
    has_contrast(root)
    says_what_the_case_says(case, root, text)
    header = root.all("header")[0].text()
    r.check(all(t in header for t in ("Host 7", "Who did it?", "Ada", "vm", "web1", case)), "the head says what it is", header)
    r.check("14166" in root.all("ul", kind="tree")[0].text(), "trees show ancestors without alerts")
    chain = [e for e in root.all("ul", kind="tree")[0].all("li") if re.match(r"\s*14167 ", e.text())][0]
    r.check(re.match(r"\s*14166 ", chain.parent.parent.text()), "a process stands below its parent")
    r.check("127.0.0.1" in root.all("section", **{"aria-labelledby": "connections"})[0].text(), "connections")
    r.check("/etc/cron.d/wl-test" in root.all("section", **{"aria-labelledby": "files"})[0].text(), "files")
    return case, page


# --- determinism, options

def same_again(case, page, folder):
    with open(page, "rb") as f:
        first = f.read()
    status, _, err = check.run(["report", case, "--force", "-o", page, "--title", "Host 7", "--question", "Who did it?", "--author", "Ada"])
    with open(page, "rb") as f:
        again = f.read()
    r.check(status == 0 and first.replace(b" --force", b"") == again.replace(b" --force", b""), "the same page again", err)
    a, b = (report(case, "-f", "md", env={"SOURCE_DATE_EPOCH": e}) for e in ("86400", "86400"))
    r.check(a == b and "1970-01-02T00:00:00" in a, "a time of making is told if it is given")
    r.check('Made <time datetime="1970-01-02T00:00:00.' in report(case, env={"SOURCE_DATE_EPOCH": "86400"}), "also on the page")
    r.check("Made" not in report(case, "-f", "md"), "no time of making by itself")


def ids_of(text):
    return sorted(int(n) for n in re.findall(r'<tr class="alert" id="alert-(\d+)"', text))


def selections(case, folder):
    def want(where):
        return [n for n, in rows(case, "SELECT alert_id FROM v_alert WHERE %s ORDER BY 1" % where)]

    db = sqlite3.connect(case)
    print_of = rows(case, "SELECT fingerprint FROM v_alert WHERE rule = 'Cron job written'")[0][0]
    sha256, path = rows(case, "SELECT sha256, path FROM captures WHERE path LIKE '%intrusion%'")[0]
    db.execute("INSERT INTO verdicts (author, fingerprint, verdict, reason) VALUES ('ada', ?, 'benign', 'a backup')", (print_of,))
    db.execute("INSERT INTO notes (author, text) VALUES ('ada', 'web7 was reinstalled')")
    db.execute("INSERT INTO bookmarks (author, capture_sha256, ts, label) VALUES ('bob', ?, 5, 'here it begins')", (sha256,))
    db.commit()
    db.close()
    middle = rows(case, "SELECT ts, time FROM v_alert ORDER BY ts LIMIT 1 OFFSET 10")[0]
    for options, where in ((["--min-priority", "error"], "severity <= 3"), (["--rule", "Program run*"], "rule LIKE 'Program run%'"),
                           (["--rule", "Cron*", "--rule", "Setuid*"], "rule LIKE 'Cron%' OR rule LIKE 'Setuid%'"),
                           (["--from", middle[1]], "ts >= %d" % middle[0]), (["--to", middle[1]], "ts < %d" % middle[0]),
                           (["--fingerprint", print_of], "fingerprint = '%s'" % print_of), (["--verdict", "benign"], "verdict = 'benign'"),
                           (["--verdict", "none"], "verdict IS NULL"), (["--verdict", "benign,none"], "1"), (["--verdict", "undecided"], "0"),
                           (["--capture", path], "1"), (["--capture", sha256[:8]], "1"), (["--host", "box"], "0"), (["--run", "1"], "1"),
                           (["--host", "vm", "--min-priority", "critical"], "severity <= 2")):
        page = report(case, *options)
        r.equal(ids_of(page), want(where), "alerts with %s" % " ".join(options))
        n = len(want(where))
        r.check("<p>%d alert%s</p>" % (n, "" if n == 1 else "s") in page, "the count with %s" % " ".join(options))
        r.check("**Found:** %d alert" % n in report(case, "-f", "md", *options), "the count in Markdown with %s" % " ".join(options))
    page = parse(report(case), "a page with notes")
    notes = page.all("section", **{"aria-labelledby": "notes"})[0].text()
    r.check(all(t in notes for t in ("web7 was reinstalled", "here it begins", "a backup", "benign", "ada", "bob")), "what people said", notes)
    said = report(case, "-f", "md")
    r.check("web7 was reinstalled" in said and "here it begins" in said and "benign: a backup" in said, "what people said in Markdown")
    for options, word in ((["--rule", "nothing*"], "rule that matches"), (["--capture", "nowhere.scap"], "capture"), (["--host", "h"], "host"),
                          (["--run", "9"], "run"), (["--fingerprint", "0" * 16], "fingerprint"), (["--verdict", "good"], "--verdict"),
                          (["--min-priority", "x"], "--min-priority"), (["-f", "pdf"], "html, md"), (["--from", "soon"], "--from"),
                          (["--limit", "-1"], "--limit"), (["--everything", "--alerts-only"], "exclude")):
        err = report(case, *options, status=3)
        r.check(word in err, "what is wrong with %s" % " ".join(options), err)


def limits(case, folder):
    status, page, err = check.run(["report", case, "--limit", "5"])
    r.check(status == 0 and "5 alerts are told, 25 more" in err, "what a limit kept out is told", err)
    gravest = rows(case, "SELECT alert_id FROM v_alert ORDER BY severity, rule, ts LIMIT 5")
    r.equal(ids_of(page), sorted(n for n, in gravest), "the gravest alerts are told")
    r.check(page.count("Not everything is shown: ") >= 2 and "0 of 4 alerts of this rule are here, 4 are left out" in page, "and on the page")
    r.check("5 of 30 alerts are here, 25 are left out" in report(case, "-f", "md", "--limit", "5"), "and in Markdown")
    r.check(len(report(case, "-f", "md").splitlines()) <= 200, "a summary is short")


def twice(folder):
    """A capture that was read by two runs shows its alerts once, or those of one run."""
    case = os.path.join(folder, "twice.case.db")
    for _ in range(2):
        replay(case, check.DEMO)
    n = rows(case, "SELECT count(*) FROM v_alert")[0][0]
    r.equal(len(ids_of(report(case))), n, "alerts of two runs are shown once")
    first, second = (ids_of(report(case, "--run", run)) for run in "12")
    r.check(len(first) == len(second) == n and not set(first) & set(second), "those of each run when asked for")


def outputs(case, folder):
    there = os.path.join(folder, "there.html")
    with open(there, "w") as f:
        f.write("mine")
    r.check("--force" in report(case, "-o", there, status=4), "a file is not replaced")
    report(case, "-o", there, "--force")
    with open(there) as f:
        r.check(f.read(15) == "<!DOCTYPE html>", "unless asked to")
    r.equal(os.stat(there).st_mode & 0o777, 0o600, "a report is for its owner")
    nowhere = os.path.join(folder, "nowhere", "x.html")
    r.check("nowhere" in report(case, "-o", nowhere, status=4), "a folder that is not there")
    r.check("no SQLite database" in report(check.DEMO, status=4), "what is no case")
    other = os.path.join(folder, "other.db")
    sqlite3.connect(other).execute("CREATE TABLE t (x)").connection.commit()
    r.check("not a case" in report(other, status=4), "another database")
    report(os.path.join(folder, "missing.db"), status=4)
    newer = os.path.join(folder, "newer.db")
    shutil.copy(case, newer)
    sqlite3.connect(newer).execute("PRAGMA user_version = 99").connection.commit()
    r.check("newer program" in report(newer, status=4), "a newer case")
    md = os.path.join(folder, "by-name.md")
    report(case, "-o", md)
    with open(md) as f:
        r.check(f.read(2) == "# ", "the name of the file says which format")
    log = os.path.join(folder, "custody.jsonl")
    report(case, "-o", os.path.join(folder, "logged.html"), env={"SCAPULA_CUSTODY": log})
    with open(log) as f, open(os.path.join(folder, "logged.html"), "rb") as page:
        line = f.read()
        r.check('"export"' in line and hashlib.sha256(page.read()).hexdigest() in line, "the custody log has it", line)
    leftovers = [n for n in os.listdir(folder) if "partial" in n or n.startswith(".")]
    r.equal(leftovers, [], "nothing is left beside")


def empty(folder):
    case = os.path.join(folder, "empty.case.db")
    replay(case, os.path.join(OWN, "uring.scap"))
    root = parse(report(case), "a page without alerts")
    can_be_used_by_all(root, "a page without alerts")
    r.check("No alerts" in root.text() and not root.all("svg"), "a case without alerts")
    r.check("There are none." in report(case, "-f", "md"), "a summary without alerts")
    unread = os.path.join(folder, "unread.case.db")
    r.equal(check.run(["replay", "-q", "-r", RULES, "--db", unread, os.path.join(folder, "none.scap")])[0], 4, "a run that reads nothing")
    text = report(unread, "-f", "md")
    r.check("there are no captures" in text and "nothing is known" not in text, "a summary without captures")


# --- damage and seals

def not_whole(folder):
    cut = os.path.join(folder, "cut.scap")
    with open(check.DEMO, "rb") as f:
        data = f.read()
    with open(cut, "wb") as f:
        f.write(data[:len(data) // 2])
    case = os.path.join(folder, "cut.case.db")
    check.run(["replay", "-q", "-r", RULES, "--db", case, cut])
    root = parse(report(case), "the page of a cut capture")
    r.check("Not complete" in root.all("section", **{"aria-labelledby": "summary"})[0].text(), "damage is told first")
    integrity = root.all("section", **{"aria-labelledby": "integrity"})[0]
    reason, = rows(case, "SELECT reason FROM damage LIMIT 1")[0]
    r.check(reason in integrity.text() and "something is missing" in integrity.text(), "and where it is")
    r.check("**not complete**" in report(case, "-f", "md"), "and in Markdown")
    whole = os.path.join(folder, "whole.scap")
    shutil.copy(check.DEMO, whole)
    check.run(["seal", whole])
    sealed = os.path.join(folder, "sealed.case.db")
    replay(sealed, whole)
    r.check("Complete, and as it was sealed" in report(sealed), "a seal that matches")
    unsealed = os.path.join(folder, "unsealed.case.db")
    replay(unsealed, check.DEMO)
    r.check("Complete, but nothing proves it unaltered" in report(unsealed), "no seal")
    with open(whole, "r+b") as f:
        f.seek(len(data) // 2)
        byte = f.read(1)
        f.seek(len(data) // 2)
        f.write(bytes([byte[0] ^ 0x20]))
    altered = os.path.join(folder, "altered.case.db")
    check.run(["replay", "-q", "-r", RULES, "--db", altered, whole])
    r.check("A seal does not match" in report(altered), "a seal that does not match")


# --- hostile texts

HOSTILE = [b"<script>alert(1)</script>", b"\"><img src=x onerror=alert(2)>", b"' onmouseover='alert(3)", b"</title></style></script><b>",
           b"--><!--", b"]]><![CDATA[", b"<?php ?>", b"&lt;b&gt;&#x3c;i&#x3e;", b"\x1b[31mred\x1b]0;title\x07", b"\x00nul\x00", b"\xff\xfe\x80\xc0\xaf",
           b"abc\xe2\x80\xaetxt.exe\xe2\x81\xa6", b"\xd8\x9c\xc2\x9b31m\x7f", b"=cmd|' /C calc'!A0", b"+1+1", b"@SUM(1)", b"-2+3", b"\t=1",
           b"[x](javascript:alert(1))", b"![x](http://evil.example/x.png)", b"| a | b |\n\n# heading\n- item", b"`code` ```fence```",
           b"**bold** __under__ ~~gone~~", b"<http://evil.example> www.evil.example https://evil.example/", b"@everyone #1 $x^2$", b"\\", b"\\|",
           b"javascript:alert(1)", b"data:text/html,<script>x</script>", b"{{7*7}} ${7*7}", b"\r\nx: y", b"%s%n%x", b"A" * 70000]
HOSTILE_RULES = """
- rule: Opened
  desc: |
    what was opened <script>alert(0)</script>
    and in a second line
  condition: evt.type = open
  output: opened %evt.arg.name by %proc.name %proc.cmdline in %proc.cwd user %user.name
  priority: CRITICAL
  tags: ["<b>tag</b>", T1059, mitre_execution]
"""


def is_harmless(text):
    return not any((ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) < 0xa0 or ord(c) in BIDI for c in text)


def hostile_capture(path):
    """Names of processes, users, folders and files that attack whoever looks at them."""
    entries = [scap.thread_entry(100 + i, ptid=1, comm=name[:15].replace(b"\0", b"0"), cwd=name[:100].replace(b"\0", b"0") + b"/", args=name[:200] + b"\0")
               for i, name in enumerate(HOSTILE)]
    blocks = [scap.section(), scap.machine("<i>host</i>"), scap.users([(1000, 5, "<u>\x1b[1m\u202e")], [(5, "g")]), scap.threads(entries)]
    for i, name in enumerate(HOSTILE):
        params = [struct.pack("<q", 3), name[:60000].replace(b"\0", b"0") + b"\0"] + [struct.pack("<I", n) for n in (1, 0, 0)] + [struct.pack("<Q", 0)]
        blocks.append(scap.event(scap.Event(scap.BY_ENUM["OPEN_X"].id, 100 + i, 10**18 + i * 10**6, params)))
    with open(path, "wb") as f:
        f.write(b"".join(blocks))


def hostile_case(folder, tame):
    """A case all of whose texts are hostile, or, just as long, tame: both reports must look the same but for these texts."""
    case = os.path.join(folder, "tame.case.db" if tame else "hostile.case.db")
    replay(case, check.DEMO)
    db = sqlite3.connect(case)
    db.execute("PRAGMA ignore_check_constraints = ON")
    for i in range(len(HOSTILE)):
        db.execute("INSERT INTO notes (written, author, text, process_uid) VALUES ('2026', 'x', 'x', 'x')")
    texts = [re.sub(rb"[<>&\"'*#|\[\]`_~\\]", b"x", t) if tame else t for t in HOSTILE]
    counter = [0]

    def next_text():
        counter[0] += 1
        return texts[counter[0] % len(texts)]
    db.create_function("next_text", 0, next_text)
    for table, columns in (("captures", "path hostname compression seal_origin"), ("rules", "name description condition output source tags"),
                           ("runs", "command version"), ("rule_files", "name sha256"), ("run_rules", "file"),
                           ("processes", "comm exe exepath cmdline cwd"), ("execs", "comm exe exepath cmdline cwd"),
                           ("alerts", "output output_fields source"), ("connections", "proto state direction local_ip comm exepath"),
                           ("users", "name home shell")):
        for column in columns.split():
            db.execute("UPDATE %s SET %s = CAST(next_text() AS TEXT)" % (table, column))
    db.execute("UPDATE alerts SET output_fields = json_object('fd.name', CAST(? AS TEXT), 'proc.name', '<b>x</b>') WHERE alert_id % 2", (texts[1],))
    db.execute("INSERT INTO damage SELECT reading_id, 99, 1, 1, CAST(next_text() AS TEXT), CAST(next_text() AS TEXT) FROM captures")
    db.execute("INSERT INTO losses SELECT reading_id, CAST(next_text() AS TEXT), 1, CAST(next_text() AS TEXT) FROM captures")
    for t in texts:
        db.execute("INSERT INTO notes (written, author, text) VALUES ('2026', CAST(? AS TEXT), CAST(? AS TEXT))", (t, t))
        db.execute("INSERT INTO verdicts (written, author, verdict, reason, fingerprint) VALUES ('2026', CAST(? AS TEXT), CAST(? AS TEXT), "
                   "CAST(? AS TEXT), CAST(? AS TEXT))", (t, t, t, b"%d" % counter[0] + t))
    db.commit()
    db.close()
    return case


def shape(root):
    """How many there are of each element with its attributes, but what depends on the order of names."""
    return collections.Counter((e.name, tuple(sorted(e.attributes)), e.attributes.get("class")) for e in root.all())


def unescaped(text, characters):
    return [c for _, c in re.findall(r"(\\.)|([%s])" % re.escape(characters), text) if c]


def cells(line):
    return unescaped(line, "|").count("|")


def markdown_is_tame(text, what):
    r.check(is_harmless(text), "%s has no control characters" % what)
    r.equal(unescaped(text.replace("> Why", ""), "<`[]!@&~${}_"), [], "%s: nothing of others is markup" % what)
    r.check(not re.search(r"(?<!\\)://|www\.", text), "%s: nothing becomes a link" % what)
    width = 0
    for line in text.splitlines():
        if line.startswith("|"):
            r.check(width in (0, cells(line)), "%s: rows have the cells of their table" % what, line[:200])
            width = cells(line)
        else:
            width = 0


def against_hostile_texts(folder):
    hostile, tame = hostile_case(folder, False), hostile_case(folder, True)
    wild_page, tame_page = report(hostile, "--everything"), report(tame, "--everything")
    wild, plain = parse(wild_page, "the hostile page"), parse(tame_page, "the tame page")
    asks_for_nothing(wild, "the hostile page")
    can_be_used_by_all(wild, "the hostile page")
    r.equal((shape(wild) - shape(plain), shape(plain) - shape(wild)), ({}, {}), "hostile texts change no element")
    r.check(is_harmless(wild_page), "the page has no control characters")
    for text in ("<script>alert(1)</script>", "\"><img src=x onerror=alert(2)>", "</title></style></script><b>", "\\x1b[31mred", "\\u{202e}txt.exe",
                 "\\x00nul", "\\xff\\xfe\\x80\\xc0\\xaf", "&lt;b&gt;&#x3c;i"):
        r.check(text in wild.all("main")[0].text(), "%r can be read on the page" % text)
    wild_md, tame_md = report(hostile, "-f", "md"), report(tame, "-f", "md")
    markdown_is_tame(wild_md, "the hostile summary")
    r.equal([len(wild_md.splitlines()), unescaped(wild_md, "*#").count("*"), unescaped(wild_md, "*#").count("#")],
            [len(tame_md.splitlines()), unescaped(tame_md, "*#").count("*"), unescaped(tame_md, "*#").count("#")], "hostile texts change no line")
    capture, rules = os.path.join(folder, "hostile.scap"), os.path.join(folder, "hostile.yaml")
    hostile_capture(capture)
    with open(rules, "w") as f:
        f.write(HOSTILE_RULES)
    case = os.path.join(folder, "from-capture.case.db")
    replay(case, capture, rules=rules)
    page = report(case)
    root = parse(page, "the page of a hostile capture")
    asks_for_nothing(root, "the page of a hostile capture")
    r.equal(len(ids_of(page)), len(HOSTILE), "alerts of the hostile capture")
    r.check(is_harmless(page) and "<script>alert(1)</script>" in root.text(), "the page of a hostile capture")
    r.check("and in a second line" in root.text() and "\\x0a" not in root.all("section", kind="rule")[0].all("p")[0].text(), "lines of a description")
    markdown_is_tame(report(case, "-f", "md"), "the summary of a hostile capture")
    return [hostile, case]


# --- in a browser

def in_browser(case, page, hostile, folder):
    if not browser.program():
        r.skip("no Chromium: scripts/deps installs it")
        return
    urls = ["file://" + page]
    for i, h in enumerate(hostile):
        urls.append("file://" + os.path.join(folder, "hostile%d.html" % i))
        report(h, "-o", urls[-1][7:], "--everything")
    with browser.Browser() as b:
        for url in urls:
            name = os.path.basename(url)
            for scripts in (True, False):
                p = b.open(url, scripts=scripts)
                how = "%s %s scripts" % (name, "with" if scripts else "without")
                r.equal(p.complaints(), [], "%s: nothing on the console" % how)
                r.equal(p.requests(), [url], "%s: nothing is asked for" % how)
                p.screenshot(os.path.join(folder, "shot.png"))
                r.check(os.path.getsize(os.path.join(folder, "shot.png")) > 20000, "%s: it is drawn" % how)
                if not scripts:
                    r.equal(len(ids_of(p.html())), len(ids_of(open(url[7:], encoding="utf-8").read())), "%s: alerts are there" % how)
                p.close()
        p = b.open(urls[0])
        n = len(ids_of(p.html()))
        shown = "Array.from(document.querySelectorAll('tr.alert')).filter(e => e.offsetParent).length"
        r.equal(p.evaluate(shown), n, "all alerts are shown at first")
        search = "(t => { const i = document.querySelector('#tools input'); i.value = t; i.dispatchEvent(new Event('input')); })"
        p.evaluate(search + "('shadow cat')")
        want = rows(case, "SELECT count(*) FROM v_alert WHERE output LIKE '%shadow%' AND output LIKE '%cat%'")[0][0]
        r.check(0 < p.evaluate(shown) < n and p.evaluate(shown) >= want, "searching leaves out other alerts")
        r.check("%d of the %d alerts" % (p.evaluate(shown), n) in p.evaluate("document.querySelector('#tools [role=status]').textContent"), "and says so")
        p.evaluate(search + "('')")
        r.equal(p.evaluate(shown), n, "and they come back")
        numbers = "Array.from(document.querySelectorAll('#summary ~ .scroll tbody tr')).map(t => +t.cells[2].dataset.v)"
        p.evaluate("document.querySelectorAll('#summary ~ .scroll thead button')[2].click()")
        r.equal(p.evaluate(numbers), sorted(p.evaluate(numbers)), "a click on a head sorts")
        p.evaluate("document.querySelectorAll('#summary ~ .scroll thead button')[2].click()")
        r.equal(p.evaluate(numbers), sorted(p.evaluate(numbers), reverse=True), "another one turns it around")
        heads = "Array.from(document.querySelectorAll('thead th')).map(e => e.innerHTML)"
        before = p.evaluate(heads)
        p.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        r.check("<button" in "".join(before) and "<" not in "".join(p.evaluate(heads)), "heads are printed without buttons, on each page")
        r.equal(p.evaluate("document.querySelectorAll('details:not([open])').length"), 0, "and all details")
        p.evaluate("window.dispatchEvent(new Event('afterprint'))")
        r.equal(p.evaluate(heads), before, "and have them again")
        r.equal(p.complaints(), [], "all that without a complaint")
        r.check(len(p.call("Page.printToPDF")["data"]) > 10000, "it prints")


def main():
    with tempfile.TemporaryDirectory() as folder:
        case, page = whole_page(folder)
        same_again(case, page, folder)
        limits(case, folder)
        selections(case, folder)
        twice(folder)
        outputs(case, folder)
        empty(folder)
        not_whole(folder)
        hostile = against_hostile_texts(folder)
        in_browser(case, page, hostile, folder)
    r.finish()


if __name__ == "__main__":
    main()

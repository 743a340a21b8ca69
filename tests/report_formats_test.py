#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports for other programs: every format holds every alert, has what its specification asks for, and stays harmless and
readable whatever texts a case has.

usage: tests/report_formats_test.py
"""
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import report_schemas as schemas  # noqa: E402

csv.field_size_limit(1 << 24)
r = check.Results("report formats")
OWN = os.path.join(check.ROOT, "tests", "captures")
CAPTURES = [os.path.join(OWN, n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
LINES = {"jsonl": None, "timesketch": schemas.TIMESKETCH, "ecs": schemas.ECS, "ocsf": schemas.OCSF_FINDING}
WHOLE = {"sarif": schemas.SARIF, "navigator": schemas.NAVIGATOR}
FORMATS = ["csv"] + list(LINES) + list(WHOLE)

RULES = """
- rule: Something executed
  desc: any program that was started
  condition: evt.type in (execve, execveat) and evt.failed = false
  output: run %proc.name type=%evt.type command=%proc.cmdline user=%user.name uid=%user.uid container=%container.id
  priority: NOTICE
  tags: [process, mitre_execution, T1059.004, T1059]
- rule: Something connected
  desc: any connection
  condition: evt.type in (connect, accept, accept4) and fd.type in (ipv4, ipv6)
  output: connection %fd.name type=%evt.type from=%fd.cip to=%fd.sip port=%fd.sport by=%proc.name
  priority: CRITICAL
  tags: [network, mitre_command_and_control, mitre_exfiltration, T1071]
- rule: Something written
  desc: a file that is opened to be written
  condition: evt.type in (openat, open, creat) and evt.is_open_write = true
  output: opened %fd.name type=%evt.type by=%proc.name
  priority: ERROR
  tags: [filesystem]
"""


def replay(case, rules, *captures):
    status, _, err = check.run(["replay", "-q", "-r", rules, "--db", case] + list(captures))
    r.check(status == 0, "replay into %s" % os.path.basename(case), err)


def report(case, form, *options):
    """The bytes of a report."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out")
        status, _, err = check.run(["report", case, "-q", "-f", form, "-o", path] + list(options), timeout=300)
        if not r.check(status == 0, "%s of %s %s" % (form, os.path.basename(case), " ".join(options)), "  status %d: %s" % (status, err)):
            return b""
        with open(path, "rb") as f:
            return f.read()


def parse(form, data):
    """CSV as dicts, lines as objects, SARIF and layers as one object."""
    text = data.decode("utf-8")
    if form == "csv":
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    if form in LINES:
        return [json.loads(line) for line in text.split("\n")[:-1]]
    return json.loads(text)


def select(case, sql, *values):
    db = sqlite3.connect("file:%s?mode=ro" % case, uri=True)
    db.text_factory = lambda b: b.decode("utf-8", "replace")
    db.row_factory = sqlite3.Row
    rows = db.execute(sql, values).fetchall()
    db.close()
    return rows


def alerts_of(form, parsed):
    """Identities of the alerts of a report, in its order."""
    if form == "csv":
        return [row["id"] for row in parsed]
    if form == "jsonl":
        return [o["id"] for o in parsed if o["type"] == "alert"]
    if form == "timesketch":
        return [o["alert_id"] for o in parsed if o["data_type"] == "scapula:alert"]
    if form == "ecs":
        return [o["event"]["id"] for o in parsed if o["event"]["kind"] == "alert"]
    if form == "ocsf":
        return [o["finding_info"]["uid"] for o in parsed]
    return [x["fingerprints"]["scapulaAlert/v1"] for run in parsed["runs"] for x in run["results"]]


IDENTITY = "ifnull(capture_sha256, 'capture-' || capture_id) || ':' || evt_offset || ':' || rule_digest"


def in_case(case):
    return [row[0] for row in select(case, "SELECT %s FROM v_alert ORDER BY ts, alert_id" % IDENTITY)]


# --- form


def check_shape(form, parsed, what):
    if form in LINES and LINES[form]:
        wrong = sorted({re.sub(r"^\$\[\d+\]", "$", e) for o in parsed for e in schemas.check(o, LINES[form])})
    elif form in WHOLE:
        wrong = schemas.check(parsed, WHOLE[form])
    else:
        return
    if form == "ocsf":
        wrong += sorted({e for o in parsed for e in schemas.ocsf_pairs(o) + schemas.ocsf_observables(o)})
    if form in ("ecs", "timesketch"):
        wrong += schemas.mixed_types(parsed, flat=form == "timesketch")
    if form == "timesketch":
        wrong += ["%s is not %d" % (o["datetime"], o["timestamp"]) for o in parsed if o["timestamp"] and schemas.milliseconds(o["datetime"].removesuffix("+00:00")) != o["timestamp"] // 1000]
    if form == "navigator":
        names = [t["techniqueID"] for t in parsed["techniques"]]
        wrong += ["%s is there twice" % n for n in sorted(set(names)) if names.count(n) > 1]
    r.check(not wrong, "%s has what its format asks for: %s" % (form, what), "  " + "\n  ".join(wrong[:10]))


def check_ecs(parsed):
    for o in parsed:
        event = o["event"]
        for kind in event["type"]:
            r.check(all(kind in schemas.ECS_TYPES[c] for c in event["category"]), "ecs: %s goes with %s" % (kind, event["category"]))
        if event["kind"] == "alert":
            r.check("rule" in o and "risk_score" in event, "ecs: an alert has a rule and a risk")


def check_sarif(case, parsed):
    runs = select(case, "SELECT run_id, alerts FROM v_run ORDER BY run_id")
    r.equal([run["properties"]["run"] for run in parsed["runs"]], [row["run_id"] for row in runs], "sarif: a run for each replay")
    r.equal([len(run["results"]) for run in parsed["runs"]], [row["alerts"] for row in runs], "sarif: each run has what it found")
    for run in parsed["runs"]:
        rules, artifacts = run["tool"]["driver"]["rules"], run["artifacts"]
        ok = all(rules[x["ruleIndex"]]["id"] == x["ruleId"] for x in run["results"])
        r.check(ok, "sarif: results name the rule their index leads to")
        places = [x["locations"][0]["physicalLocation"]["artifactLocation"] for x in run["results"]]
        r.check(all(artifacts[p["index"]]["location"]["uri"] == p["uri"] for p in places), "sarif: and the capture")
        hashes = {row["path"]: row["sha256"] for row in select(case, "SELECT path, sha256 FROM captures")}
        for a in artifacts:
            if "analysisTarget" in a["roles"]:
                path = urllib.parse.unquote(re.sub("^file://", "", a["location"]["uri"]))
                r.equal(a["hashes"]["sha-256"], hashes.get(path), "sarif: hash of %s" % os.path.basename(path))


def check_navigator(case, parsed):
    want = {}
    for row in select(case, "SELECT tags FROM v_alert"):
        for tag in set(json.loads(row["tags"])):
            if re.match(r"^T\d{4}(\.\d{3})?$", tag):
                want[tag] = want.get(tag, 0) + 1
    r.equal({t["techniqueID"]: t["score"] for t in parsed["techniques"]}, want, "navigator: scores are numbers of alerts")
    r.check(len(want) > 3, "navigator: there are techniques")
    r.check(parsed["gradient"]["maxValue"] >= max(want.values()), "navigator: the gradient reaches the highest score")
    r.check(parsed["gradient"]["maxValue"] > parsed["gradient"]["minValue"], "navigator: and has a width")


def check_csv(case, data, parsed):
    r.check(data.endswith(b"\r\n") and b"\n" not in data.replace(b"\r\n", b""), "csv: records end with CR LF, and cells have no lines")
    r.check(all(None not in row and None not in row.values() for row in parsed), "csv: every record has every column")
    rows = select(case, "SELECT * FROM v_alert ORDER BY ts, alert_id")
    for column in ("ts", "rule", "output", "pid", "comm", "exepath", "cmdline", "evt_num", "evt_offset", "capture_sha256", "fingerprint"):
        want = [str("" if a[column] is None else a[column]) for a in rows]
        r.equal([row[column] for row in parsed], ["'" + w if w[:1] == "-" else w for w in want], "csv: " + column)


def check_values(case, parsed):
    """Numbers are exact, and the parts of an alert are those of the case."""
    rows = select(case, "SELECT * FROM v_alert ORDER BY ts, alert_id")
    own = [o for o in parsed["jsonl"] if o["type"] == "alert"]
    r.equal([o["ts_ns"] for o in own], [a["ts"] for a in rows], "jsonl: times are exact")
    r.equal([o["fields"] for o in own], [json.loads(a["output_fields"]) for a in rows], "jsonl: fields are as they were")
    r.equal([o["rule"]["tags"] for o in own], [json.loads(a["tags"]) for a in rows], "jsonl: tags are as they were")
    r.equal([o["time_dt"] for o in parsed["ocsf"]], [a["time"] for a in rows], "ocsf: exact times")
    r.equal([o["time"] for o in parsed["ocsf"]], [a["ts"] // 1000000 for a in rows], "ocsf: milliseconds")
    r.equal([o["@timestamp"] for o in parsed["ecs"]], [a["time"] for a in rows], "ecs: times")
    pids = [a["pid"] for a in rows]
    r.equal([o["process"]["pid"] for o in parsed["ecs"]], pids, "ecs: processes")
    r.equal([o["evidences"][0]["process"]["pid"] for o in parsed["ocsf"]], pids, "ocsf: processes")
    uids = {row["process_id"]: row["process_uid"] for row in select(case, "SELECT process_id, process_uid FROM v_process")}
    r.equal([o["process"].get("entity_id") for o in parsed["ecs"]], [uids.get(a["process_id"]) for a in rows], "ecs: entities")
    ports = [o for o in parsed["ecs"] if "intrusion_detection" in o["event"]["category"] and "network" in o["event"]["category"]]
    r.check(len(ports) > 5 and all("source" in o and "destination" in o for o in ports), "ecs: connections have two ends", "  %d" % len(ports))
    files = [o for o in parsed["ecs"] if o["rule"]["name"] == "Something written"]
    r.check(len(files) > 5 and all("path" in o.get("file", {}) for o in files), "ecs: files have paths", "  %d" % len(files))
    attacks = [o["finding_info"]["attacks"] for o in parsed["ocsf"] if o["finding_info"]["title"] == "Something executed"]
    want = [{"technique": {"uid": "T1059"}, "sub_technique": {"uid": "T1059.004"}, "tactic": {"uid": "TA0002", "name": "Execution"}},
            {"technique": {"uid": "T1059"}, "tactic": {"uid": "TA0002", "name": "Execution"}}]
    key = lambda a: json.dumps(a, sort_keys=True)  # noqa: E731
    r.equal(sorted(attacks[0], key=key), sorted(want, key=key), "ocsf: techniques with their only tactic")
    threat = next(o["threat"] for o in parsed["ecs"] if o["rule"]["name"] == "Something connected")
    r.equal((threat["tactic"]["id"], threat["technique"]["id"]), (["TA0011", "TA0010"], ["T1071"]), "ecs: tactics and techniques")


def check_timeline(case, parsed):
    times = [o["timestamp_ns"] for o in parsed]
    r.equal(times, sorted(times), "timesketch: in order of time")
    kinds = {}
    for o in parsed:
        kind = o.get("event_kind", "alert")
        kinds[kind] = kinds.get(kind, 0) + 1
    want = {row["kind"]: row["n"] for row in select(case, "SELECT kind, count(*) AS n FROM v_timeline GROUP BY kind")}
    r.equal(kinds, want, "timesketch: everything on the time line")
    r.check(all(k in kinds for k in ("start", "end", "exec", "write", "connection", "session")), "timesketch: starts, ends, files, logins")
    r.check(all(o["timestamp"] == o["timestamp_ns"] // 1000 for o in parsed), "timesketch: microseconds")


def of_captures(folder):
    case, rules = os.path.join(folder, "host.db"), os.path.join(folder, "more.yaml")
    with open(rules, "w", encoding="ascii") as f:
        f.write(RULES)
    replay(case, os.path.join(check.ROOT, "rules", "starter.yaml"), *CAPTURES)
    replay(case, rules, *CAPTURES[:3])
    parsed = {}
    for form in FORMATS:
        data = report(case, form)
        parsed[form] = parse(form, data)
        r.equal(report(case, form), data, "%s: the same case gives the same bytes" % form)
        check_shape(form, parsed[form], "alerts of four captures")
        if form == "sarif":
            r.equal(sorted(alerts_of(form, parsed[form])), sorted(in_case(case)), "sarif has every alert once")
        elif form != "navigator":
            r.equal(alerts_of(form, parsed[form]), in_case(case), "%s has every alert once, by time" % form)
        if form == "csv":
            check_csv(case, data, parsed[form])
    check_values(case, parsed)
    check_timeline(case, parsed["timesketch"])
    check_ecs(parsed["ecs"])
    check_sarif(case, parsed["sarif"])
    check_navigator(case, parsed["navigator"])
    everything(case)
    limits(case)
    runs(case, folder)


def everything(case):
    """Where events besides alerts can be told, they are when asked for."""
    events = select(case, "SELECT count(*) FROM v_timeline WHERE kind <> 'alert'")[0][0]
    for form in ("jsonl", "ecs"):
        parsed = parse(form, report(case, form, "--everything"))
        r.equal(len(parsed), events + len(in_case(case)), "%s: everything" % form)
        check_shape(form, parsed, "everything")
        if form == "ecs":
            check_ecs(parsed)
    alone = parse("timesketch", report(case, "timesketch", "--alerts-only"))
    r.equal([o["alert_id"] for o in alone], in_case(case), "timesketch: alerts only")


def limits(case):
    first = [row[0] for row in select(case, "SELECT %s FROM v_alert WHERE run_id = 1 ORDER BY ts, alert_id LIMIT 3" % IDENTITY)]
    for form in FORMATS[:-1]:
        parsed = parse(form, report(case, form, "--limit", "3", "--run", "1", "--alerts-only"))
        r.equal(alerts_of(form, parsed), first, "%s: the first three alerts of a run" % form)
        check_shape(form, parsed, "three alerts")
        none = report(case, form, "--rule", "Something written", "--min-priority", "critical")
        check_shape(form, parse(form, none), "no alerts")
        r.equal(alerts_of(form, parse(form, none)), [], "%s: no alerts" % form)
    none = parse("navigator", report(case, "navigator", "--rule", "Something written"))
    r.equal(none["techniques"], [], "navigator: rules without techniques")
    check_shape("navigator", none, "no techniques")


def runs(case, folder):
    """A second replay of a capture finds the same alerts: told once, but in both runs of SARIF. And what people say of them."""
    again = os.path.join(folder, "again.db")
    shutil.copy(case, again)
    replay(again, os.path.join(check.ROOT, "rules", "starter.yaml"), CAPTURES[0])
    db = sqlite3.connect(again)
    sha, offset, fingerprint = db.execute("SELECT capture_sha256, evt_offset, fingerprint FROM v_alert ORDER BY ts LIMIT 1").fetchone()
    db.execute("INSERT INTO verdicts (author, fingerprint, verdict, reason) VALUES ('ada', ?, 'false positive', 'a drill')", (fingerprint,))
    db.commit()
    db.close()
    sarif = parse("sarif", report(again, "sarif"))
    check_sarif(again, sarif)
    check_shape("sarif", sarif, "three runs")
    silent = [x for run in sarif["runs"] for x in run["results"] if "suppressions" in x]
    r.check(silent and all(x["partialFingerprints"]["scapulaFingerprint/v1"] == fingerprint for x in silent), "sarif: false positives are suppressed")
    ocsf = parse("ocsf", report(again, "ocsf"))
    r.equal(alerts_of("ocsf", ocsf), in_case(again), "ocsf: alerts that two runs found are told once")
    r.check(any(o["status"] == "Suppressed" for o in ocsf), "ocsf: false positives are suppressed")


# --- hostile texts

HOSTILE = [
    b"<script>alert(1)</script><img src=x onerror=alert(2)>",
    b"\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b1m",
    "\u202egnp.exe \u2066abc\u2069 \u200f\u061c".encode(),
    b"=cmd|'/c calc'!A1", b"+1+1", b"-2+3", b"@SUM(A1)", b"\t=1+1", b"\r=1+1",
    b"a\0b\0", b"\xff\xfe\xc3(\xed\xa0\x80\xf5\x80", b"line\nbreak\r\nand \xc2\x85 \xe2\x80\xa8 tail",
    b"[click](http://evil.example/) {0} {1} ![x](javascript:alert(1))", b'quote " comma , back\\slash \x7f', "\u00e9\u4e2d\U0001f600".encode(),
    b"x" * 200000, b"",
]
# Columns whose words say what a row is, rather than what a capture held.
WORDS = {("runs", "state"), ("run_captures", "state"), ("captures", "seal"), ("captures", "seal_origin"), ("processes", "origin"),
         ("processes", "end_kind"), ("meta", "name"), ("priorities", "name"), ("verdicts", "verdict"), ("alerts", "output_fields"),
         ("rules", "tags"), ("execs", "args")}


def spoil(case):
    """Hostile bytes into every text of a case, in turn; JSON with such texts, and what is no JSON."""
    db = sqlite3.connect(case)
    turn = iter(range(10 ** 9))

    def hostile(unique):
        n = next(turn)
        text = HOSTILE[n % len(HOSTILE)]
        if len(text) > 1000 and n // len(HOSTILE) % 40:  # not too many of these
            text = b"short"
        return text + (b"#%d" % n if unique else b"")

    db.create_function("hostile", 1, hostile)
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall():
        if table in ("notes", "bookmarks", "verdicts"):
            continue
        for column in db.execute("PRAGMA table_info(%s)" % table).fetchall():
            if column[2] == "TEXT" and (table, column[1]) not in WORDS:
                unique = column[5] or column[1] in ("digest", "quick_id", "sha256")
                db.execute("UPDATE OR IGNORE %s SET %s = CAST(hostile(%d) AS TEXT)" % (table, column[1], unique))
    texts = [t.decode("utf-8", "replace")[:1000] for t in HOSTILE]
    fields = json.dumps({"k" + t[:100]: t for t in texts[:-1]} | {"n": 18446744073709551615, "deep": [[[{"a": texts[2]}]]], "d": -0.5e-3})
    spoiled = [fields, "[1, 2]", "{\"a\": tru", "", None, "{\"a\": \"\\ud800\", \"b\": [\"\u202e\"]}", "{" * 200]
    for i, (alert,) in enumerate(db.execute("SELECT alert_id FROM alerts").fetchall()):
        db.execute("UPDATE alerts SET output_fields = ? WHERE alert_id = ?", (spoiled[i % len(spoiled)], alert))
    tags = json.dumps(["T1003", "T1003.008", "T99999", "mitre_execution", "mitre_nothing"] + texts)
    for i, (rule,) in enumerate(db.execute("SELECT rule_id FROM rules").fetchall()):
        db.execute("UPDATE rules SET tags = ? WHERE rule_id = ?", ([tags, "[\"T1003\"", "{\"T1003\": 1}"][i % 3], rule))
    db.execute("UPDATE execs SET args = ?", (json.dumps(texts),))
    db.execute("UPDATE alerts SET ts = -5, evt_offset = -1 WHERE alert_id = (SELECT max(alert_id) FROM alerts)")
    db.execute("UPDATE alerts SET ts = 9223372036854775807, pid = 9223372036854775807 WHERE alert_id = (SELECT min(alert_id) FROM alerts)")
    db.commit()
    db.close()


HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check_harmless(form, data):
    text = data.decode("utf-8")  # or the test ends here
    if form == "csv":
        text = text.replace("\r\n", "\n")
    found = HARMFUL.search(text)
    r.check(found is None, "%s: no character that a terminal or an editor would obey" % form, "  %r" % (found and text[found.start() - 40:found.end() + 40]))


def texts_in(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [t for v in value for t in texts_in(v)]
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in [k] + texts_in(v)]
    return []


def check_links(parsed):
    """Messages of SARIF: nothing in them is a link or a placeholder."""
    for run in parsed["runs"]:
        for x in run["results"]:
            text = x["message"]["text"]
            r.check(not re.search(r"(?<!\\)\[[^\]]*\]\(", text), "sarif: no link in a message", "  %.100r" % text)
            r.check(not re.search(r"(?<!\{)(\{\{)*\{(?!\{)", text), "sarif: no placeholder in a message", "  %.100r" % text)


def check_formulas(data):
    for row in csv.reader(io.StringIO(data.decode("utf-8"), newline="")):
        for cell in row:
            formula = cell[:1] in "=+-@\t\r" and cell != "" and not re.match(r"^[-+]?\d+(\.\d+)?$", cell)
            r.check(not formula, "csv: no cell is a formula", "  %.60r" % cell)


def of_hostile_texts(folder):
    case = os.path.join(folder, "host.db")
    spoilt = os.path.join(folder, "spoilt.db")
    shutil.copy(case, spoilt)
    spoil(spoilt)
    outputs = [row["output"] for row in select(spoilt, "SELECT output FROM v_alert ORDER BY ts, alert_id")]
    r.check({t.decode("utf-8", "replace") for t in HOSTILE[:-2]} <= set(outputs), "the alerts of the spoilt case have every hostile text")
    for form in FORMATS:
        data = report(spoilt, form)
        check_harmless(form, data)
        parsed = parse(form, data)
        if form == "csv":
            r.equal(len(parsed), len(outputs), "csv: all alerts of a spoilt case")
            check_formulas(data)
            raw = parse(form, report(spoilt, form, "--raw-cells"))
            r.check(any(row["output"] == "=cmd|'/c calc'!A1" for row in raw), "csv: cells as they are, when asked for")
            r.check(all(a["output"] == b["output"] or a["output"] == "'" + b["output"] for a, b in zip(parsed, raw)), "csv: only the apostrophe differs")
            continue
        check_shape(form, parsed, "hostile texts")
        if form == "jsonl":
            got = [o["output"] for o in parsed]
            numbers = [o["fields"]["n"] for o in parsed if "n" in o["fields"]]
            r.check(numbers and set(numbers) == {18446744073709551615}, "jsonl: 64 bits")
        elif form == "timesketch":
            got = [o["message"] for o in parsed if o["data_type"] == "scapula:alert"]
            r.check(len(got) == len(outputs) and all(g.endswith(o) for g, o in zip(got, outputs)), "timesketch: texts come back as they were")
            continue
        elif form in ("ecs", "ocsf"):
            got = [o["message"] for o in parsed]
        elif form == "sarif":
            got = [x["properties"].get("output", "") for run in parsed["runs"] for x in run["results"]]
            check_links(parsed)
            r.equal(sorted(got), sorted(outputs), "sarif: texts come back as they were")
            continue
        else:
            r.equal([t["techniqueID"] for t in parsed["techniques"]], ["T1003", "T1003.008"], "navigator: techniques among hostile tags")
            continue
        r.equal(got, outputs, "%s: texts come back as they were" % form)
        r.check(set(outputs) <= set(texts_in(parsed)), "%s: nothing is lost" % form)


# --- many alerts

MANY = 10000
ROOM_KIB = 6 << 10


def peak(case, form):
    """KiB that a report needed, and its size."""
    code = ("import os, resource, subprocess, sys\n"
            "p = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
            "print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1:thread_local_quarantine_size_kb=16:detect_leaks=1:exitcode=99")
    out = subprocess.run([sys.executable, "-c", code, check.scapula_path(), "report", case, "-q", "-f", form, "-o", "-", "--alerts-only"],
                         stdout=subprocess.PIPE, env=env, check=True).stdout.split()
    r.check(out[0] == b"0", "%s of many alerts" % form, "  status %s" % out[0])
    return int(out[1])


def of_many(folder):
    """Memory does not grow with alerts."""
    few, many = os.path.join(folder, "few.db"), os.path.join(folder, "many.db")
    replay(few, os.path.join(check.ROOT, "rules", "starter.yaml"), CAPTURES[0])
    shutil.copy(few, many)
    db = sqlite3.connect(many)
    names = [c[1] for c in db.execute("PRAGMA table_info(alerts)") if c[1] not in ("alert_id", "seq", "ts", "evt_offset", "output")]
    db.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
               "INSERT INTO alerts (alert_id, seq, ts, evt_offset, output, %s) SELECT 1000 + i, 1000 + i, ts + i, 9000000 + i, "
               "output || printf('%%.200c', 'x'), %s FROM n, (SELECT * FROM alerts ORDER BY alert_id LIMIT 1)" % (MANY, ", ".join(names), ", ".join(names)))
    db.commit()
    db.close()
    for form in FORMATS:
        small, large = peak(few, form), peak(many, form)
        r.check(large < small + ROOM_KIB, "%s: %d alerts need no more memory than 30" % (form, MANY), "  %d KiB, then %d" % (small, large))


def main():
    with tempfile.TemporaryDirectory() as folder:
        of_captures(folder)
        of_hostile_texts(folder)
        of_many(folder)
    r.finish()


main()

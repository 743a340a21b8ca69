#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: exit statuses, messages, bad input, interruption, full disks; what unit tests cannot see."""
import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
r = check.Results("command line")


def expect(args, status, in_err="", in_out="", stdin=None, env=None, what=None):
    got, out, err = check.run(args, stdin=stdin, env=env)
    name = what or " ".join(args)
    ok = got == status and in_err in err and in_out in out and "runtime error" not in err and "AddressSanitizer" not in err
    r.check(ok, name, "  status %d, want %d; stderr: %s\n  want in stderr: %r, in stdout: %r" % (
        got, status, err[-1500:], in_err, in_out))
    return out, err


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def usage():
    expect([], 3, "usage:")
    expect(["--help"], 0, in_out="replay")
    for library in ("zstd", "libarchive 3", "libbpf          v", "ncurses 6"):
        expect(["--version"], 0, in_out=library)
    expect(["nonsense"], 3, "there is no command 'nonsense'")
    expect(["help", "replay"], 0, in_out="--rules")
    for command in ("record", "live", "replay", "events", "sysdig", "info", "tree", "fds", "net", "sessions", "rules", "test", "diff", "fields"):
        out, _ = expect([command, "--help"], 0, in_out="examples:")
        r.check(all(len(line) <= 120 for line in out.splitlines()), command + " --help fits a terminal")
        expect([command, "--no-such-option"], 3, "--no-such-option")
    expect(["replay"], 3, "no capture")
    expect(["replay", check.DEMO], 3, "no rules")
    expect(["replay", "-r", RULES, "--matching", "some", check.DEMO], 3, "first or all")
    expect(["replay", "-r", RULES, "--fail-on", "luck", check.DEMO], 3, "luck")
    expect(["replay", "-r", RULES, "--min-priority", "loud", check.DEMO], 3, "loud")
    expect(["replay", "-r", RULES, "--from", "yesterday", check.DEMO], 3, "yesterday")
    expect(["replay", "-r", RULES, "-F", "proc.nmae = x", check.DEMO], 3, "proc.nmae")
    expect(["replay", "-r", RULES, "-O", "nothing", check.DEMO], 3, "KEY=VALUE")
    expect(["replay", "-r", RULES, "-j", "0", check.DEMO], 3, "--jobs 0")
    expect(["events", "-n", "0", check.DEMO], 3, "--limit 0")
    expect(["events", "-p", "%no.such", check.DEMO], 3, "no.such")
    expect(["events", "-F", "evt.type = ", check.DEMO], 3, "column")
    expect(["events", "--around", "99999", check.DEMO], 4, "has no event 99999")
    expect(["sysdig"], 3, "no capture given with -r")
    expect(["sysdig", "-c", "lsof"], 3, "chisels")
    expect(["fields", "nothing"], 3, "nothing")
    expect(["rules", "judge", RULES], 3, "check or list")


def captures(folder):
    demo = open(check.DEMO, "rb").read()
    plain = gzip.decompress(demo)
    missing = os.path.join(folder, "missing.scap")
    expect(["replay", "-r", RULES, missing], 4, "missing.scap")
    expect(["info", missing], 4, "No such file")
    expect(["replay", "-r", RULES, write(folder, "text", "this is not a capture, it is a text\n")], 4, "text")
    expect(["replay", "-r", RULES, write(folder, "empty.scap", b"")], 4, "empty.scap")
    expect(["replay", "-r", RULES, folder], 4, folder)
    expect(["info", write(folder, "swapped.scap", bytes.fromhex("0a0d0d0a0000001c1a2b3c4d00010002ffffffffffffffff0000001c"))], 4)
    expect(["info", write(folder, "newer.scap", bytes.fromhex("0a0d0d0a1c0000004d3c2b1a09000200ffffffffffffffff1c000000"))], 4, "version")
    cut = write(folder, "cut.scap", plain[:len(plain) // 2])
    out, err = expect(["replay", "-r", RULES, cut], 5, "offset", what="cut capture")
    r.check("truncated" in err and out.count("\n") > 3, "a cut capture still gives its alerts and says where it ends", err)
    expect(["replay", "-r", RULES, write(folder, "cut.gz", demo[:len(demo) // 2])], 5, "truncated", what="cut gzip")
    lying = bytearray(plain)
    lying[28 + 4:28 + 8] = b"\xff\xff\xff\x7f"
    expect(["info", write(folder, "lying.scap", bytes(lying))], 5, "offset", what="a block length that lies")
    two = write(folder, "two.scap", plain + plain)
    one_out, _ = expect(["events", "--count", check.DEMO], 0)
    two_out, _ = expect(["events", "--count", two], 0)
    r.equal(int(two_out), 2 * int(one_out), "concatenated captures hold both sections' events")
    stdin_out, _ = expect(["events", "--count", "-"], 0, stdin=demo, what="capture on standard input")
    r.equal(stdin_out, one_out, "standard input gives the same")
    zst = subprocess.run(["zstd", "-cq"], input=plain, stdout=subprocess.PIPE, check=True).stdout
    zst_out, _ = expect(["events", "--count", write(folder, "z.scap.zst", zst)], 0)
    r.equal(zst_out, one_out, "zstd gives the same")
    out1, _ = expect(["replay", "-q", "-r", RULES, "-j", "1", check.DEMO], 0)
    out2, _ = expect(["replay", "-q", "-r", RULES, "-j", "2", check.DEMO], 0)
    r.equal(out1, out2, "-j does not change the output")
    expect(["replay", "-r", RULES, missing, check.DEMO], 4, "missing.scap", in_out="Fileless", what="a missing capture does not stop the others")


def rules(folder):
    bad = {
        "not-yaml": ("just: [unclosed", 2, "LOAD_ERR_YAML_PARSE"),
        "wrong-shape": ("foo: bar\n", 2, "LOAD_ERR_YAML_VALIDATE"),
        "scalar": ("hello\n", 2, "LOAD_ERR_YAML_VALIDATE"),
        "loop": ("- macro: a\n  condition: b\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n", 2, "LOAD_ERR_VALIDATE"),
        "deep": ("[" * 100000, 2, "LOAD_ERR"),
        "deep-condition": ("- macro: m\n  condition: " + "(" * 100000 + "\n", 2, "LOAD_ERR_COMPILE_CONDITION"),
        "unknown-field": ("- rule: x\n  desc: d\n  condition: evt.type = open and no.such = 1\n  output: o\n  priority: INFO\n", 2, "no.such"),
    }
    for name, (text, status, message) in bad.items():
        path = write(folder, name + ".yaml", text)
        expect(["replay", "-r", path, check.DEMO], status, message, what="rules: " + name)
        expect(["rules", "check", path], status, in_out=message, what="rules check: " + name)
        out, _ = expect(["rules", "check", "--json", path], status, what="rules check --json: " + name)
        r.check(json.loads(out)["falco_load_results"][0]["successful"] is False, "JSON verdict: " + name)
    expect(["replay", "-r", os.path.join(folder, "none.yaml"), check.DEMO], 2, "none.yaml")
    expect(["rules", "check", os.path.join(folder, "none.yaml")], 2, "none.yaml")
    expect(["rules", "check", RULES], 0, in_out="Ok")
    expect(["rules", "check", "--condition", "evt.type = open"], 0)
    expect(["rules", "check", "--condition", "evt.type = opne"], 2, "unknown event type opne")
    expect(["rules", "check", "--parse-only", "--condition", "no.such = 1"], 0)
    expect(["rules", "check", "--parse-only", "--condition", "(" * 100000], 2)
    expect(["rules", "check", "--parse-only", "--condition", "a.b ="], 2, "^")
    os.mkdir(os.path.join(folder, "rules.d"))
    with open(RULES) as f:
        write(os.path.join(folder, "rules.d"), "10-starter.yaml", f.read())
    write(os.path.join(folder, "rules.d"), "README", "not a rule file")
    out, _ = expect(["replay", "-q", "-r", os.path.join(folder, "rules.d"), check.DEMO], 0)
    r.equal(out, check.run(["replay", "-q", "-r", RULES, check.DEMO])[1], "a directory of rules")


def statuses(folder):
    expect(["replay", "-q", "-r", RULES, "--fail-on", "alerts", check.DEMO], 1)
    expect(["replay", "-q", "-r", RULES, "--fail-on", "prio>=emergency", check.DEMO], 0)
    expect(["replay", "-q", "-r", RULES, "--fail-on", "none", check.DEMO], 0)
    expect(["replay", "-q", "-r", RULES, "--fail-on", "gaps", check.DEMO], 0)
    expect(["replay", "-r", RULES, "--mem-limit", "1", write_long(folder)], 5, "mem-limit")
    expect(["replay", "-r", RULES, "--timeout", "1ns", write_long(folder)], 5, "timeout")
    out, err = expect(["replay", "-r", RULES, "--log-format", "json", os.path.join(folder, "missing")], 4)
    r.equal(json.loads(err.splitlines()[0])["level"], "error", "messages as JSON")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            for args in (["events", check.DEMO], ["replay", "-q", "-r", RULES, check.DEMO], ["info", check.DEMO]):
                p = subprocess.run([check.scapula_path()] + args, stdout=full, stderr=subprocess.PIPE)
                r.check(p.returncode == 4 and b"No space left" in p.stderr, "%s to a full disk" % args[0],
                        "  status %d: %s" % (p.returncode, p.stderr[-500:]))


def write_long(folder):
    """A capture with enough items for the checks that are made now and then."""
    path = os.path.join(folder, "long.scap")
    if not os.path.exists(path):
        with open(check.DEMO, "rb") as f:
            plain = gzip.decompress(f.read())
        write(folder, "long.scap", plain * 8)
    return path


def case_rows(path, sql):
    # For writing: who opens what a killed program left takes its last, unfinished change back.
    db = sqlite3.connect("file:%s?mode=rw" % path, uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def cases(folder):
    db = os.path.join(folder, "a.case.db")
    out, _ = expect(["replay", "-q", "-f", "json", "-r", RULES, "--db", db, check.DEMO], 0)
    alerts = [json.loads(line) for line in out.splitlines()]
    rows = case_rows(db, "select output_fields from alerts order by rowid")
    r.equal([json.loads(x[0]) for x in rows], [a["output_fields"] for a in alerts], "the case holds every alert with its fields")
    r.equal(case_rows(db, "pragma integrity_check"), [("ok",)], "the case is consistent")
    expect(["replay", "-q", "-r", RULES, "--db", db, check.DEMO], 0, what="a second run into the same case")
    r.equal(case_rows(db, "select count(*) from runs"), [(2,)], "both runs are there")
    r.equal(case_rows(db, "select count(*) from captures"), [(1,)], "the same capture is one capture")
    text = write(folder, "x.db", "this is not a database, but it is long enough to look like something else\n" * 20)
    expect(["replay", "-q", "-r", RULES, "--db", text, check.DEMO], 4, "x.db")
    with open(text, "rb") as f:
        r.check(f.read().startswith(b"this is not"), "a file that is no case is left alone")
    expect(["replay", "-q", "-r", RULES, "--db", os.path.join(folder, "no", "such", "dir.db"), check.DEMO], 4, "dir.db")
    full_disk(folder)
    interrupted(folder)


def full_disk(folder):
    """A file size limit stands in for a full disk: the same error path of SQLite."""
    db = os.path.join(folder, "full.case.db")
    expect(["replay", "-q", "-r", RULES, "--db", db, check.DEMO], 0)
    before = case_rows(db, "select count(*) from alerts")
    script = "ulimit -f 500; exec \"$@\""
    p = subprocess.run(["bash", "-c", script, "bash", check.scapula_path(), "replay", "-q", "-r", RULES, "--matching", "all",
                        "--db", db, write_long(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    r.check(p.returncode == 4 and b"full.case.db" in p.stderr, "a full disk for the case ends with status 4 and names the case",
            "  status %d: %s" % (p.returncode, p.stderr.decode("utf-8", "replace")[-800:]))
    r.equal(case_rows(db, "pragma integrity_check"), [("ok",)], "a case on a full disk stays consistent")
    r.check(case_rows(db, "select count(*) from alerts") >= before > [(0,)], "a case on a full disk keeps what was there")


def interrupted(folder):
    """SIGINT and SIGKILL in the middle of a replay; a pipe as input holds the program where we want it."""
    with open(check.DEMO, "rb") as f:
        plain = gzip.decompress(f.read())
    for number, name, status in ((signal.SIGINT, "SIGINT", 130), (signal.SIGTERM, "SIGTERM", 143), (signal.SIGKILL, "SIGKILL", -9)):
        db = os.path.join(folder, "%s.case.db" % name)
        p = subprocess.Popen([check.scapula_path(), "replay", "-f", "json", "-r", RULES, "--db", db, "-"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(plain[:len(plain) * 3 // 4])
        p.stdin.flush()
        # The first alert on the output tells that the program is at work; the writes before it went through the pipe.
        p.send_signal(number)
        if number != signal.SIGKILL:
            try:
                p.stdin.write(plain[len(plain) * 3 // 4:])
                p.stdin.close()
            except BrokenPipeError:
                pass
        out, err = p.communicate() if number == signal.SIGKILL else (p.stdout.read(), p.stderr.read())
        p.wait()
        r.equal(p.returncode, status, "%s: exit status" % name)
        r.equal(case_rows(db, "pragma integrity_check"), [("ok",)], "%s: the case is consistent" % name)
        r.equal(case_rows(db, "pragma foreign_key_check"), [], "%s: no dangling references" % name)


def hostile_text(folder):
    """Control characters of a capture never reach the output raw."""
    with open(check.DEMO, "rb") as f:
        plain = gzip.decompress(f.read())
    evil = plain.replace(b"/etc/shadow\0", b"/etc/\x1b[1m\x07\x9b\0")
    r.check(evil != plain, "the capture has the text to replace")
    path = write(folder, "evil.scap", evil)
    out, err = expect(["events", "-p", "*%proc.cmdline %fd.name %evt.args", path], 0)
    r.check("\x1b" not in out and "\x07" not in out, "events: no raw control characters")
    rule = write(folder, "evil.yaml", "- rule: x\n  desc: d\n  condition: evt.type = openat\n  output: f=%fd.name\n  priority: INFO\n")
    out, err = expect(["replay", "-r", rule, path], 0)
    r.check("\x1b" not in out and "\x07" not in out, "replay: no raw control characters in text alerts")
    out, err = expect(["replay", "-f", "json", "-r", rule, path], 0)
    for line in out.splitlines():
        json.loads(line)
    r.check("\x1b" not in out, "replay: valid JSON without raw control characters")


SESSIONS = os.path.join(check.ROOT, "tests", "captures", "sessions.scap")
VIEWS = ("tree", "fds", "net", "sessions")


def rows(args):
    """The objects a view prints as JSON."""
    out, _ = expect(args + ["-q", "-f", "json"], 0)
    return [json.loads(line) for line in out.splitlines()]


def views(folder):
    """Commands that show the state at a moment."""
    for command in VIEWS:
        expect([command], 3, "no capture given")
        expect([command, "--at", "yesterday", SESSIONS], 3, "--at yesterday: expected a time")
        expect([command, "--at", "evt:x", SESSIONS], 3, "--at evt:x")
        expect([command, "-f", "xml", SESSIONS], 3, "expected text, json or csv")
        expect([command, os.path.join(folder, "missing.scap")], 4, "missing.scap")
        expect([command, write(folder, "no-capture", "plain text, and enough of it to be read as one\n")], 4)
        expect([command, "--timeout", "1ns", write_long(folder)], 5, "timeout")
        out, _ = expect([command, "--at", "evt:0", "-f", "csv", SESSIONS], 0)
        r.check(out.count("\n") >= 1 and "," in out.splitlines()[0], command + " -f csv has a header line")
        two = rows([command, SESSIONS, check.DEMO])
        r.check(all(row["capture"] in (SESSIONS, check.DEMO) for row in two), command + ": rows of two captures name them")
        r.equal(rows([command, SESSIONS]), rows([command, "--at", "evt:72", SESSIONS]), command + ": the end is after the last event")
        if os.path.exists("/dev/full"):
            with open("/dev/full", "wb") as full:
                p = subprocess.run([check.scapula_path(), command, SESSIONS], stdout=full, stderr=subprocess.PIPE)
            r.check(p.returncode == 4 and b"No space left" in p.stderr, command + " to a full disk")
    expect(["tree", "--pid", "x", SESSIONS], 3, "expected a process number")
    expect(["tree", "-F", "proc.name = ", SESSIONS], 3, "column")
    for command in VIEWS:
        expect([command, "-F", "evt.num > 1", SESSIONS], 3, "'evt.num' is not about")
        expect([command, "-F", "proc.pid > 1 and evt.num > 1", SESSIONS], 3, "proc.pid > 1 and evt.num > 1\n                 ^")
        expect([command, "-F", "proc.pid > 1 and proc.nmae = x", SESSIONS], 3, "proc.pid > 1 and proc.nmae = x\n                 ^")
    moments()
    sums()
    filtered_sockets()
    filtered_sessions()
    hostile_rows(folder)


def moments():
    """The tree after an event shows what the event's fields show."""
    fields = {"proc.pid": "pid", "proc.name": "name", "proc.exepath": "exepath", "proc.cwd": "cwd", "proc.exe": "exe",
              "proc.vpid": "vpid", "user.uid": "uid", "proc.ppid": "ppid", "proc.tty": "tty_nr", "container.id": "container_id"}
    out, _ = expect(["events", "-f", "json", "-p", "*%evt.num %evt.type " + " ".join("%" + f for f in fields), check.DEMO], 0)
    events = [json.loads(line) for line in out.splitlines()]
    for event in events[100::1500]:
        if event["evt.type"] in ("procexit", "switch") or event["proc.exe"] == "<NA>":
            continue
        for row in rows(["tree", "--at", "evt:%d" % event["evt.num"], "--pid", str(event["proc.pid"]), "--flat", check.DEMO]):
            if row["pid"] != event["proc.pid"]:
                continue
            for field, member in fields.items():
                r.equal(row[member] or None, event[field] or None, "event %d: %s" % (event["evt.num"], field))


def sums():
    """Bytes per connection are the sums of what the calls returned."""
    path = os.path.join(check.ROOT, "tests", "captures", "network.scap")
    conns = rows(["net", "--all", path])
    for way, types in (("bytes_in", "read, recvfrom, recvmsg"), ("bytes_out", "write, sendto, sendmsg")):
        out, _ = expect(["events", "-f", "json", "-p", "%evt.rawres", "-F",
                         "evt.type in (%s) and fd.type in (ipv4, ipv6) and evt.rawres > 0" % types, path], 0)
        r.equal(sum(c[way] for c in conns), sum(json.loads(line)["evt.rawres"] for line in out.splitlines()), "net: " + way)
    r.equal(sorted(set((c["bytes_in"], c["bytes_out"]) for c in conns if c["proto"].startswith("tcp") and not c["listener"])),
            [(0, 0), (28, 59), (59, 28)], "net: what the recorded script sent and received")
    r.equal([c["error"] for c in conns if c["state"] == "failed"], ["ECONNREFUSED"], "net: the port nobody listens on")


def filtered_sockets():
    """Sockets that are there and sockets that are gone pass as their rows say."""
    path = os.path.join(check.ROOT, "tests", "captures", "network.scap")
    cases = (("fd.type = ipv4", lambda c: ":" not in (c["local_ip"] or c["remote_ip"])),
             ("fd.l4proto = udp and proc.name = python3", lambda c: c["proto"].startswith("udp") and c["name"] == "python3"),
             ("fd.name startswith 127.0.0.1 and not fd.name contains '->'", lambda c: c["local_ip"] == "127.0.0.1" and c["listener"]),
             ("user.uid = 4242", lambda c: c["uid"] == 4242))
    for at in ("1200", "1600"):
        every = rows(["net", "--all", "--at", "evt:" + at, path])
        for condition, wanted in cases:
            got = rows(["net", "--all", "--at", "evt:" + at, "-F", condition, path])
            r.equal(got, [c for c in every if wanted(c)], "net -F %s after event %s" % (condition, at))
            if at == "1600":
                r.check(bool(got) == ("4242" not in condition), "net -F %s: some pass" % condition)
    in_use = rows(["net", "--at", "evt:1200", "-F", "fd.name contains '->' and proc.name = python3", path])
    r.equal([(c["direction"], c["state"]) for c in in_use], [("out", "established"), ("in", "established")], "net -F: of sockets in use")
    expect(["net", "-F", "fd.type = ipv4", path], 0, "no socket in use then passes the filter")


def filtered_sessions():
    """Sessions pass as their leader does."""
    every = rows(["sessions", "--all", SESSIONS])
    cases = (("user.uid = 0", lambda s: s["session_uid"] == 0), ("proc.name = bash", lambda s: s["leader"] in ("bash", "-bash")),
             ("proc.name = sh and proc.exe = /bin/sh and proc.args contains backup", lambda s: s["leader"] == "/bin/sh -c backup"), ("container.id != host", lambda s: s["container_id"]), ("user.loginuid = 1004 and proc.tty > 0", lambda s: s["loginuid"] == 1004 and s["tty"]))
    for condition, wanted in cases:
        got = rows(["sessions", "--all", "-F", condition, SESSIONS])
        r.equal(got, [s for s in every if wanted(s)], "sessions -F " + condition)
        r.check(got and got != every, "sessions -F %s: some pass" % condition)
    expect(["sessions", "-F", "proc.name = nobody", SESSIONS], 0, "no session on a terminal passes the filter")


def hostile_rows(folder):
    """Control characters and formulas of a capture are disarmed in every format."""
    with open(SESSIONS, "rb") as f:
        plain = gzip.decompress(f.read())
    evil = plain.replace(b"http://10.9.8.7/k\0", b"=\x1b[2J\x07\x9b\xff\n\"',xabcd\0").replace(b"-bash\0", b"=\x1b]0\x07\0")
    r.check(evil != plain and len(evil) != 0, "the capture has the text to replace")
    for command in VIEWS:
        for form in ("text", "json", "csv"):
            for path in (write(folder, "evil-views.scap", evil),):
                status, out, _ = check.run([command, "-q", "-f", form, path] + (["--dead"] if command == "tree" else []))
                r.check(status == 0 and not any(c in out for c in "\x1b\x07\x9b"), "%s -f %s: no raw control characters" % (command, form))
                if form == "json":
                    for line in out.splitlines():
                        json.loads(line)
                r.check(not any(line.startswith("=") or ",=" in line for line in out.splitlines()) or form != "csv", command + ": no formulas")


def main():
    usage()
    with tempfile.TemporaryDirectory() as folder:
        captures(folder)
        views(folder)
        rules(folder)
        statuses(folder)
        cases(folder)
        hostile_text(folder)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'scapula events' and 'scapula sysdig' print: hostile names in every form of output, terminals, pipes that close,
and the same answers as the program whose letters the second one takes."""
import csv
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("printing events")

T0 = 1700000000 * 10 ** 9
BIDI = [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200e, 0x200f, 0x061c]

# Names as an attacker would choose them: what is in a file name, a process name, an argument.
HOSTILE = {
    "plain": b"/tmp/plain",
    "c0": b"/tmp/" + bytes(range(1, 32)),
    "escape": b"/tmp/\x1b[2J\x1b]0;title\x07\x1b[31m",
    "del": b"/tmp/a\x7fb",
    "c1 as UTF-8": "/tmp/".encode() + "".join(chr(c) for c in range(0x80, 0xa0)).encode(),
    "c1 as bytes": b"/tmp/" + bytes(range(0x80, 0xa0)),
    "bidi": "/tmp/".encode() + "".join(chr(c) for c in BIDI).encode() + b"gpj.exe",
    "cut UTF-8": b"/tmp/\xc3",
    "stray tails": b"/tmp/\x80\xbf\xbf",
    "overlong": b"/tmp/\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\xc1\xbf",
    "surrogates": b"/tmp/\xed\xa0\x80\xed\xbf\xbf",
    "too large": b"/tmp/\xf4\x90\x80\x80\xf8\x88\x80\x80\x80\xff\xfe",
    "good UTF-8": "/tmp/äöü 漢字 \U0001f600".encode(),
    "lines": b"/tmp/a\n1 00:00:00.000000000 0 forged (1) < open\r\n\t0x0000: 4141",
    "quotes": b"/tmp/\"a\",b''\\",
    "formula": b"=cmd|' /C calc'!A0",
    "formulas": b"@SUM(1+1)*cmd",
    "plus": b"+1+cmd",
    "minus": b"-2+3",
    "tab": b"\t=1+1",
    "return": b"\r=1+1",
    "number": b"-12",
    "real": b"+1.5e-7",
    "no number": b"-1.",
    "empty": b"",
}


def safe(data):
    """What the one sanitiser makes of a text: an independent description."""
    out, i = "", 0
    while i < len(data):
        for n in (1, 2, 3, 4):
            try:
                c = data[i:i + n].decode("utf-8")
                break
            except UnicodeDecodeError:
                c = None
        if c and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0):
            out += "".join("\\x%02x" % b for b in data[i:i + n])
        elif c and ord(c) in BIDI:
            out += "\\u{%x}" % ord(c)
        elif c:
            out += c
        else:
            n = 1
            out += "\\x%02x" % data[i]
        i += n
    return out


def is_safe(text):
    """No control characters and no bidi controls; @text went through a strict decoder already."""
    return not any(ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or ord(c) in BIDI for c in text)


def open_event(i, name, tid=100):
    params = [struct.pack("<q", 3), name + b"\0", struct.pack("<I", 1), struct.pack("<I", 0), struct.pack("<I", 0), struct.pack("<Q", 0)]
    return scap.event(scap.Event(scap.BY_ENUM["OPEN_X"].id, tid, T0 + i * 1000000, params))


def write_event(i, data, tid=100):
    params = [struct.pack("<q", len(data)), data, struct.pack("<q", 3), struct.pack("<I", len(data))]
    return scap.event(scap.Event(scap.BY_ENUM["WRITE_X"].id, tid, T0 + i * 1000000, params))


def hostile_capture(folder):
    entries = [scap.thread_entry(100 + i, ptid=1, comm=name[:15], cwd=name[:100] + b"/", args=name + b"\0")
               for i, name in enumerate(HOSTILE.values())]
    blocks = [scap.section(), scap.machine(), scap.users([(1000, 5, "u\x1b[1m\u202e")], [(5, "g\x9b")]), scap.threads(entries)]
    for i, name in enumerate(HOSTILE.values()):
        blocks += [open_event(2 * i, name, 100 + i), write_event(2 * i + 1, name or b"x", 100 + i)]
    path = os.path.join(folder, "hostile.scap")
    with open(path, "wb") as f:
        f.write(b"".join(blocks))
    return path


def output(args, stdin=None, status=0):
    p = subprocess.run([check.scapula_path()] + args, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    r.check(p.returncode == status and b"Sanitizer" not in p.stderr and b"runtime error" not in p.stderr, "status of " + " ".join(args)[:200],
            "  %d: %s" % (p.returncode, p.stderr[-1000:].decode("latin1")))
    return p.stdout


def strictly(data, what):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        r.check(False, what + ": valid UTF-8", "  %s" % e)
        return data.decode("latin1")


def hostile_text(path):
    names = list(HOSTILE.values())
    lines = strictly(output(["events", "-F", "evt.type = open", "-p", "[%evt.rawarg.name]", path]), "text").split("\n")
    for name, line in zip(HOSTILE, lines):
        r.equal(line, "[%s]" % safe(HOSTILE[name]), "text: " + name)
    r.equal(len(lines), len(names) + 1, "text: one line per event")
    everything = "*%evt.num %evt.time %proc.name %proc.cmdline %proc.cwd %fd.name %evt.args %user.name %group.name %evt.buffer"
    for args in (["-p", everything], ["-p", "*%3proc.name|%7fd.name|%40evt.args"], [], ["-pc"], ["--around", "9"]):
        text = strictly(output(["events"] + args + [path]), "text")
        r.check(all(is_safe(line) for line in text.split("\n")), "text is harmless: " + " ".join(args))
        painted = strictly(output(["events", "--color", "always"] + args + [path]), "colour")
        r.check("\x1b" in painted or "%3proc.name" in " ".join(args), "there are colours: " + " ".join(args))
        r.equal(re.sub("\x1b\\[(0|2|31|32|36)m", "", painted), text, "colours change nothing else: " + " ".join(args))


def hostile_lines(path):
    """With several lines per event, no line that starts one can be forged."""
    for form in ("ascii", "hex", "hexascii"):
        for color in ("never", "always"):
            text = strictly(output(["events", "--color", color, "--buffers", form, path]), form)
            text = re.sub("\x1b\\[(0|2|31|32|36)m", "", text)
            lines = text.split("\n")[:-1]
            r.check(all(is_safe(line.replace("\t", "", 1) if line.startswith("\t") else line) for line in lines), "harmless: " + form)
            r.equal([line.split()[0] for line in lines if line and not line.startswith("\t")],
                    [str(i + 1) for i in range(2 * len(HOSTILE))], "only events start at the margin: " + form)


def hostile_csv(path):
    data = output(["events", "-f", "csv", "-F", "evt.type = open", "-p", "*%evt.num %evt.rawarg.name %proc.name %evt.args", path])
    text = strictly(data, "csv")
    r.check(all(is_safe(line) for line in text.split("\n")), "csv is harmless")
    rows = list(csv.reader(io.StringIO(text), strict=True))
    r.equal(rows[0], ["evt.num", "evt.rawarg.name", "proc.name", "evt.args"], "csv: names of the columns")
    r.equal(len(rows), len(HOSTILE) + 1, "csv: a record per event")
    formulas = {"formula", "formulas", "plus", "minus", "tab", "return", "no number"}
    for name, row in zip(HOSTILE, rows[1:]):
        r.equal(row[1], ("'" if name in formulas else "") + safe(HOSTILE[name]), "csv: " + name)
        r.equal(len(row), 4, "csv: columns of " + name)
    r.check(all(not re.match(r"[=@\t\r]|[+-](?![0-9.]+(e-?[0-9]+)?$)", cell) for row in rows for cell in row), "csv: no formulas")


def hostile_json(path):
    for args in (["events", "-f", "json"], ["sysdig", "-j", "-A", "-r"], ["events", "-f", "json", "--buffers", "hexascii"]):
        data = output(args + [path])
        r.check(all(is_safe(line) for line in strictly(data, "JSON").split("\n")), "JSON is harmless: " + " ".join(args))
        r.equal(len([json.loads(line) for line in data.splitlines()]), 2 * len(HOSTILE), "JSON: an object per event: " + " ".join(args))


def hostile_alerts(folder, path):
    rule = os.path.join(folder, "hostile.yaml")
    with open(rule, "w") as f:
        f.write("- rule: x\n  desc: d\n  condition: evt.type = open\n  output: n=%evt.rawarg.name p=%proc.name\n  priority: INFO\n")
    text = strictly(output(["replay", "-q", "-r", rule, path]), "alerts")
    r.check(text.count("\n") == len(HOSTILE) and all(is_safe(line) for line in text.split("\n")), "alerts are harmless")
    data = output(["replay", "-q", "-f", "json", "-r", rule, path])
    r.check(all(is_safe(line) for line in strictly(data, "alerts").split("\n")), "alerts in JSON are harmless")
    r.equal([json.loads(line)["output_fields"]["evt.rawarg.name"] for line in data.splitlines()],
            [json.loads(line)["evt.rawarg.name"] for line in output(["events", "-f", "json", "-F", "evt.type = open", "-p", "%evt.rawarg.name", path]).splitlines()],
            "alerts in JSON have the values")


def hostile_messages(folder, path):
    """Arguments and file names are quoted in messages."""
    bad = os.path.join(folder, "\x1b[1m\u202e\x9b.scap")
    with open(bad, "wb") as f:
        f.write(b"this is no capture")
    for args in (["events", bad], ["events", bad + "x"], ["info", bad], ["sysdig", "-r", bad], ["events", "-F", "\x1b[1m = 1", path],
                 ["events", "-p", "%\x1b[1m", path], ["events", "--time", "\x1b", path], ["sysdig", "-c", "\x1b\x9b\u202e"],
                 ["events", "--around", "99999", bad], ["\x1b[1m"], ["events", "--\x1b[1m"]):
        p = subprocess.run([check.scapula_path()] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = strictly(p.stderr, "message")
        r.check(p.returncode in (3, 4) and text and all(is_safe(line) for line in text.split("\n")), "a harmless message: %r" % (args,),
                "  %d: %r" % (p.returncode, text))


def on_terminal(args, env=None):
    """Output of the program when its standard output is a terminal."""
    master, slave = pty.openpty()
    p = subprocess.Popen([check.scapula_path()] + args, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, **(env or {})))
    os.close(slave)
    out = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        out += part
    os.close(master)
    p.wait()
    return out


def terminals():
    args = ["events", "-n", "3", check.DEMO]
    clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    os.environ.clear()
    os.environ.update(clean)
    r.check(b"\x1b[" in on_terminal(args), "a terminal gets colours")
    r.check(b"\x1b[" not in on_terminal(args, {"NO_COLOR": "1"}), "NO_COLOR takes them away")
    r.check(b"\x1b[" not in on_terminal(["events", "--color", "never"] + args[1:]), "so does --color never")
    r.check(b"\x1b[" in on_terminal(["events", "--color", "always"] + args[1:], {"NO_COLOR": "1"}), "--color always outranks NO_COLOR")
    r.check(b"\x1b[" not in output(args), "a pipe gets none")
    r.check(b"\x1b[" in on_terminal(["sysdig", "-n", "3", "-r", check.DEMO]), "sysdig has them, too")
    for form in ("json", "csv"):
        r.check(b"\x1b[" not in output(["events", "--color", "always", "-f", form, "-n", "3", check.DEMO]), "no colours in " + form)


def closed_pipes():
    for args in (["events", check.DEMO], ["sysdig", "-r", check.DEMO], ["events", "--color", "always", check.DEMO],
                 ["events", "--around", "9000±8000", check.DEMO], ["events", "-f", "csv", check.DEMO], ["events", "--unbuffered", check.DEMO]):
        p = subprocess.Popen([check.scapula_path()] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdout.read(10)
        p.stdout.close()
        err = p.stderr.read()
        p.wait()
        r.check(p.returncode == 4 and err.count(b"cannot write to standard output") == 1, "a closed pipe: " + " ".join(args), "  %d: %s" % (p.returncode, err[-300:]))


def at_once(folder):
    """With --unbuffered an event is there before the next one was read; --around stops reading when it has all."""
    blocks = [scap.section(), scap.machine(), scap.threads([scap.thread_entry(100)])]
    first = b"".join(blocks + [open_event(i, b"/x%d" % i) for i in range(5)])
    for args, want in ((["events", "--unbuffered", "-p", "%evt.num", "-"], b"1\n"), (["sysdig", "-r", "-", "--unbuffered", "-p%evt.num"], b"1\n"),
                       (["events", "--around", "2±1", "-p", "%evt.num", "-"], b"   1\n"), (["events", "--evt", "2..3", "-p", "%evt.num", "-"], b"2\n"),
                       (["events", "-n", "2", "-p", "%evt.num", "-"], b"1\n")):
        p = subprocess.Popen([check.scapula_path()] + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        killer = threading.Timer(20, p.kill)
        killer.start()
        p.stdin.write(first)
        p.stdin.flush()
        r.equal(p.stdout.readline(), want, "the first line while more input may come: " + " ".join(args))
        try:
            p.stdin.close()
        except BrokenPipeError:
            pass
        p.stdout.read()
        p.wait()
        killer.cancel()


def internal_events(folder):
    """Rules see events that only describe the state; sysdig shows them when asked to."""
    info = scap.Event(scap.BY_ENUM["PROCINFO_E"].id, 100, T0 + 1000, [struct.pack("<Q", 1), struct.pack("<Q", 2)])
    path = os.path.join(folder, "internal.scap")
    with open(path, "wb") as f:
        f.write(b"".join([scap.section(), scap.machine(), scap.threads([scap.thread_entry(100)]), open_event(0, b"/a"), scap.event(info),
                          open_event(2, b"/b")]))
    for args, want in ((["events"], "open procinfo open"), (["sysdig", "-r"], "open open"), (["sysdig", "-D", "-r"], "open procinfo open")):
        r.equal(output(args + [path, "-p", "%evt.type"]).decode().split(), want.split(), "internal events: " + " ".join(args))


# --- around ---

def around():
    """The option shows what one would cut out of the whole list."""
    all_lines = output(["events", "-p", "*%evt.num %evt.rawtime %evt.type", check.DEMO]).decode().splitlines()
    events = [line.split() for line in all_lines]
    times = {int(e[0]): int(e[1]) for e in events}
    for event, span, cond in ((1, 5, None), (700, 0, None), (700, 3, None), (18844, 2, None), (5000, 100000, None), (3000, 25, "evt.type in (openat, close)"), (3000, 4, "evt.num = 0")):
        args = ["events", "--around", "%d+-%d" % (event, span), "-p", "*%evt.num %evt.rawtime %evt.type", check.DEMO]
        if cond:
            args[1:1] = ["-F", cond]
        types = re.findall(r"openat|close", cond or "")
        passing = [int(e[0]) for e in events if not cond or e[2] in types]
        before = [n for n in passing if n < event]
        want = (before[-span:] if span else []) + [event] + [n for n in passing if n > event][:span]
        got = output(args).decode().splitlines()
        r.equal([int(line[3:].split()[0]) for line in got], want, "around %d±%d, %s" % (event, span, cond))
        r.equal([line[:3] for line in got], ["=> " if n == event else "   " for n in want], "one of them is marked")
    long = "x" * 5000  # so that what waits is moved now and then
    got = output(["events", "--around", "9000+-4", "-p", "*%evt.num " + long, check.DEMO]).decode().split("\n")[:-1]
    r.equal([line[3:] for line in got], ["%d %s" % (n, long) for n in range(8996, 9005)], "around 9000±4, long lines")
    for event, text, span in ((700, "50us", 50000), (5000, "2ms", 2000000), (10, "1h", 3600 * 10 ** 9), (18844, "0.5s", 500000000)):
        want = [n for n, t in times.items() if abs(t - times[event]) <= span]
        got = output(["events", "--around", "%d±%s" % (event, text), "-p", "%evt.num", check.DEMO]).decode().split("\n")[:-1]
        r.equal([int(line[3:]) for line in got], want, "around %d±%s" % (event, text))


# --- beside the program itself ---

COLUMNS = ("%evt.buffer", "%evt.arg.data", "%evt.arg.args", "%evt.arg.env", "%evt.arg.cgroups", "%evt.outputtime %evt.cpu %evt.dir")
FORMAT = "*@@@ %evt.rawtime %thread.tid %evt.type" + "".join(" @%d " % i + column for i, column in enumerate(COLUMNS))


def records(command):
    """Shown values by time, thread and type. Our further lines start with a tab, there only those of hexadecimal rows."""
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ, TZ="UTC")).stdout.decode("latin1")
    result = {}
    for record in out.replace("\n\t", "\n").split("@@@ ")[1:]:
        key, *values = re.split(" @[0-9] ", record[:-1])
        result[key] = values
    return result


def is_known(theirs, ours):
    """Later versions of the reference show an empty buffer as NULL; its times since 1970 have no leading zeros after the point."""
    seconds, _, rest = ours.partition(".")
    return (theirs, ours) == ("", "NULL") or (rest and theirs == seconds + "." + rest.lstrip("0"))


def known_options():
    """Every option that sysdig's help names is one of ours: it is honoured, ignored with a note or refused."""
    if not shutil.which("sysdig"):
        r.skip("options of sysdig: the program is not here")
        return
    theirs = subprocess.run(["sysdig", "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
    ours = set(re.findall(r"(?<![\w-])--?[A-Za-z][A-Za-z0-9-]*", output(["sysdig", "--help"]).decode()))
    named = set()
    for line in theirs.splitlines():
        if re.match(r" -", line):
            named |= set(re.findall(r"(?<![\w-])(?:--[a-z0-9-]+|-[A-Za-z])", re.split(r"  |\t", line[1:])[0]))
    r.check(len(named) > 70, "the help was understood", "  %d" % len(named))
    r.equal(sorted(named - ours), [], "no option of sysdig is unknown")


def beside_sysdig():
    folder = os.path.join(check.SHARED, "corpus", "public")
    if not shutil.which("sysdig") or not os.path.isdir(folder):
        r.skip("beside sysdig: the program or the captures are not here")
        return
    compared = 0
    for name in ("cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample", "single_ipv6_conn"):
        for options in ([], ["-A"], ["-x"], ["-X"], ["-b"], ["-v"], ["-t", "a"], ["-t", "h"]):
            args = ["-r", os.path.join(folder, name + ".scap")] + options + ["-p", FORMAT, "evt.dir=<"]
            theirs, ours = records(["sysdig"] + args), records([check.scapula_path(), "sysdig"] + args)
            both = [k for k in theirs if k in ours]
            moments = [{key.rpartition(" ")[0] for key in shown} for shown in (theirs, ours)]  # newer tables name more calls
            r.equal(sorted(moments[0] ^ moments[1]), [], "%s %s: the same exit events" % (name, " ".join(options)))
            compared += len(both) * len(COLUMNS)
            for i, column in enumerate(COLUMNS):
                bad = [(k, theirs[k][i][:200], ours[k][i][:200]) for k in both if theirs[k][i] != ours[k][i] and not is_known(theirs[k][i], ours[k][i])]
                r.check(not bad, "%s %s %s: the same as sysdig shows" % (name, " ".join(options), column), "  %r" % bad[:2])
    r.check(compared > 5000, "values were compared", "  %d" % compared)
    print("printing events: %d values beside sysdig" % compared)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = hostile_capture(folder)
        hostile_text(path)
        hostile_lines(path)
        hostile_csv(path)
        hostile_json(path)
        hostile_alerts(folder, path)
        hostile_messages(folder, path)
        terminals()
        closed_pipes()
        at_once(folder)
        internal_events(folder)
        around()
    known_options()
    beside_sysdig()
    r.finish()


main()

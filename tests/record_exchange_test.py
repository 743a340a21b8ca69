#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `scapula record` writes is what others read: the strict check, gzip and zstd, Debian's sysdig, and the rules.

usage: record_exchange_test.py [--kills N] [--scripts NAME,...]

Records small workloads of its own into each container; compares event lines with sysdig 0.29.3 for the system calls it
knows; runs recorded scripts of ../shared again and demands the alerts of the goldens, of all sets of rules from one
recording and of the largest from `scapula live`; kills the recorder at random moments. Needs what `scapula record
--check` asks for, else it skips with a message.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import again  # noqa: E402
import check  # noqa: E402
import scap  # noqa: E402

r = check.Results("recordings for others")
# Commands are looked for in as many folders as when the goldens were made: each attempt is an event.
ENV = {"PATH": again.PATH, "TZ": "UTC", "LC_ALL": "C.UTF-8"}

WORKLOADS = {
    "files": "cd $0; for i in 1 2 3; do echo $i > f$i; done; ln f1 h; ln -s f2 s; mv f3 g; cat f1 h s g; mkdir -p d/e; "
             "chmod 600 f1; rm -r d f1 f2 h s g; cat /nowhere; true",
    "processes": "for i in 1 2 3; do (exit $i); done; ls / | sort | head -2; sh -c 'kill -9 $$'; true",
    "sockets": "python3 -c \"import socket, os\n"
               "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1)\n"
               "c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.sendall(b'x' * 500); a.recv(600)\n"
               "u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.sendto(b'x', ('::1', 9))\n"
               "x, y = socket.socketpair(); x.send(b'hello'); y.recv(9)\n"
               "p = socket.socket(socket.AF_UNIX); p.bind('\\0scapula-test'); os.eventfd(1) if hasattr(os, 'eventfd') else 0\"",
    # Flags that are stored as the call got them, though others of their set are not.
    "flags": "python3 -c \"import ctypes, os\n"
             "ctypes.CDLL(None).syscall(323 if os.uname().machine == 'x86_64' else 282, os.O_CLOEXEC)\"",
}


def shell(command, **kw):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, **kw)


def can_record():
    status, _, err = check.run(["record", "--check"])
    if status:
        r.skip("this machine cannot record: " + err.strip().split("\n")[-1])
    return status == 0


def record(path, command, options=(), what=None):
    """Record @command; the capture must be there and clean."""
    status, _, err = check.run(["record", "-o", path] + list(options) + ["--"] + command, env=ENV)
    r.equal(status, 0, "%s: status of record\n%s" % (what, err))
    return strict(path, what)


def own_events(path, what):
    """No system call with an event of its own is recorded as one without: the strict check must allow that, older recorders did."""
    exits = [row["exit_event"] for row in scap.rows("syscalls.tsv")]
    events = [scap.parse_event(k, b) for k, b, _ in scap.blocks_of(check.read_all(path)) if k in scap.EVENT_BLOCKS]
    codes = {struct.unpack("<H", e.params[0])[0] for _, e in filter(None, events) if e.type == scap.BY_ENUM["GENERIC_X"].id}
    wrong = sorted(scap.SYSCALLS[c] for c in codes if exits[c] not in ("PPME_GENERIC_X", "-"))
    r.check(codes and not wrong, "%s: no call without its event: %s, of %d" % (what, wrong, len(codes)))


def strict(path, what, allowed=()):
    """The report of info --strict on @path, which must find nothing but what @allowed names."""
    status, out, err = check.run(["info", "--strict", "-f", "json", path])
    report = json.loads(out) if out else {"by_rule": {"no report": err}, "findings": []}
    found = set(report["by_rule"]) - set(allowed)
    r.check(not found and status == (1 if report["by_rule"] else 0), "%s: info --strict: %s, status %d" % (what, found, status),
            "\n".join("  %s" % f for f in report["findings"][:5]))
    return report


def lines(path, *options):
    status, out, err = check.run(["events", "-q"] + list(options) + [path])
    r.equal(status, 0, "events of %s\n%s" % (os.path.basename(path), err[-500:]))
    return out.splitlines()


# --- containers ---

def containers(folder):
    for name, script in WORKLOADS.items():
        for end, unpack in ((".scap", None), (".scap.gz", ["gzip", "-dc"]), (".scap.zst", ["zstd", "-dcq"])):
            path = os.path.join(folder, name + end)
            what = "%s as %s" % (name, end)
            report = record(path, ["sh", "-c", script, folder], what=what)
            own_events(path, what)
            r.check(report.get("events", 0) > 50 and report["losses"] == 0, what + ": events, and no losses")
            status, out, _ = check.run(["info", "-f", "json", path])
            info = json.loads(out)
            r.check(status == 0 and info["gap_count"] == 0 and info["threads"] > 0 and info["fds"] > 0, what + ": info finds no damage")
            if not unpack or not shutil.which(unpack[0]):
                continue
            plain = os.path.join(folder, "unpacked.scap")
            with open(plain, "wb") as f:
                r.equal(subprocess.run(unpack + [path], stdout=f).returncode, 0, what + ": unpacked")
            r.equal(strict(plain, what + ", unpacked")["stream_size"], report["stream_size"], what + ": bytes of the stream")
            r.check(lines(plain) == lines(path), what + ": the same lines of events")
    p = subprocess.run([check.scapula_path(), "record", "-q", "-o", "-", "--with-self", "--duration", "300ms"], stdout=subprocess.PIPE, timeout=60)
    path = os.path.join(folder, "piped.scap")
    with open(path, "wb") as f:
        f.write(p.stdout)
    strict(path, "a capture from standard output")


def rotated(folder):
    """Files that follow each other: each is a capture of its own, and no event is missing or in two of them."""
    path = os.path.join(folder, "rotated.scap.zst")
    script = "for i in 1 2 3 4; do find /usr/include -name '*.h' -size -2 | xargs cat | wc -c; sleep 0.1; done"
    status, _, err = check.run(["record", "-o", path, "--rotate", "100K", "--", "sh", "-c", script], env=ENV)
    files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.startswith("rotated.0") and not f.endswith(".seal"))
    r.check(status == 0 and len(files) > 2, "rotation: %d files, status %d" % (len(files), status), err)
    total, newest = 0, 0
    for f in files:
        report = strict(f, os.path.basename(f))
        total += report["events"] - report["losses"]
        info = json.loads(check.run(["info", "-f", "json", f])[1])
        r.check(info["threads"] > 10 and info["fds"] > 10, "%s: begins with the state of the host" % os.path.basename(f))
        times = [int(line) for line in lines(f, "-p", "%evt.rawtime")]
        r.check(times and times[0] >= newest, "%s: begins where the file before ends" % os.path.basename(f))
        newest = max(times + [newest])
    told = re.search(r"([\d,]+) events in", err)
    r.equal(total, int(told[1].replace(",", "")) if told else None, "rotation: events of all files")


# --- sysdig ---

SYSDIG_CALLS = ("none,open,openat,read,write,execve,clone,fork,vfork,procexit,unlink,unlinkat,mkdir,rmdir,rename,link,symlink,"
                "socket,connect,bind,listen,accept,shutdown,lseek,mprotect,munmap,brk,getcwd,chdir,kill,stat,lstat,fstat")
SYSDIG_FORMAT = "%evt.rawtime %evt.cpu %thread.tid %evt.dir %evt.type %evt.res %proc.name"
SYSDIG_NEWEST_TYPE = 353
FD_TYPE_OLDEST_NEW = 17  # sysdig 0.29.3 refuses a capture with such a type
FD_UNSUPPORTED = 10


def for_old_readers(data):
    """The capture without what sysdig 0.29.3 refuses or skips: descriptors of newer types, and newer events."""
    out, at = bytearray(), 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        block = bytearray(data[at:at + size])
        at += size
        if kind == 0x218:
            p = 16
            while p < size - 8:
                if block[p + 20] >= FD_TYPE_OLDEST_NEW:
                    block[p + 20] = FD_UNSUPPORTED
                p += struct.unpack_from("<I", block, p)[0]
        if kind == 0x216 and struct.unpack_from("<H", block, 30)[0] > SYSDIG_NEWEST_TYPE:
            continue
        out += block
    return bytes(out)


def beside_sysdig(folder):
    if not shutil.which("sysdig"):
        r.skip("sysdig is not installed: its reading of recordings is not compared")
        return
    for name, script in WORKLOADS.items():
        path, old = os.path.join(folder, name + "-calls.scap"), os.path.join(folder, name + "-old.scap")
        record(path, ["sh", "-c", script, folder], ["--syscalls", SYSDIG_CALLS], name + " for sysdig")
        with open(path, "rb") as f, open(old, "wb") as g:
            g.write(for_old_readers(f.read()))
        p = shell(["sysdig", "-r", old, "-p", SYSDIG_FORMAT], env=ENV)
        theirs, ours = p.stdout.decode().splitlines(), lines(old, "-p", SYSDIG_FORMAT)
        r.check(p.returncode == 0 and not p.stderr and len(ours) > 50, "%s: sysdig reads it" % name, "  %r" % p.stderr[-300:])
        different = [(a, b) for a, b in zip(theirs, ours) if a != b]
        r.check(len(theirs) == len(ours) and not different, "%s: %d lines of sysdig, %d of ours, %d differ" %
                (name, len(theirs), len(ours), len(different)), "\n".join("  sysdig %s\n  ours   %s" % d for d in different[:5]))
        # What an event says itself; the rest sysdig concludes from calls it does not know, or from enter events.
        names = ["%evt.rawtime %fd.name %evt.arg.name", "evt.type=openat and evt.rawres>=0"]
        p = shell(["sysdig", "-r", old, "-p"] + names, env=ENV)
        theirs = [line for line in p.stdout.decode().splitlines() if "<UNKNOWN>" not in line]
        missing = sorted(set(theirs) - set(lines(old, "-p", names[0], "-F", names[1])))
        r.check(theirs and not missing, "%s: names of the files opened" % name, "\n".join("  " + line for line in missing[:5]))


# --- rules ---

CANARY = """
- rule: canary
  desc: the recorder is at work
  condition: evt.type=openat and fd.name endswith /scapula-canary
  output: canary
  priority: DEBUG
"""


OTHER_FILES = 0.01


def compare_alerts(got, want, what, share=0):
    """@share: of the alerts that the machine's own files and packages may change; they are told."""
    missing, extra = want - got, got - want
    if 0 < max(sum(missing.values()), sum(extra.values())) <= share * sum(want.values()):
        r.skip("%s: %d alerts too many, %d missing, as far as this machine has other files:\n%s" % (
            what, sum(extra.values()), sum(missing.values()), "\n".join("  %.300s" % k for k in sorted(missing | extra)[:5])))
        return
    r.check(not missing and not extra, "%s: %d alerts, %d of them too many, %d missing" %
            (what, sum(got.values()), sum(extra.values()), sum(missing.values())),
            "\n".join(["  missing %s" % k for k in sorted(missing)] + ["  extra   %s" % k for k in sorted(extra)])[:6000])


def live_alerts(folder, name, cgroup):
    """The alerts of `scapula live` while the script @name runs."""
    go, canary, rules = (os.path.join(folder, n) for n in ("go", "scapula-canary", "canary.yaml"))
    for path, text in ((canary, ""), (rules, CANARY)):
        with open(path, "w") as f:
            f.write(text)
    if os.path.exists(go):
        os.unlink(go)
    waiting = 'go=$1; canary=$2; shift 2; until [ -e "$go" ]; do cat "$canary"; sleep 0.05; done; exec "$@"'
    work = start(["bash", "-c", waiting, "bash", go, canary] + again.command(folder, name), cgroup, stderr=subprocess.DEVNULL)
    live = check.popen([check.scapula_path(), "live", "-f", "json", "--syscalls", "all", "--pid", str(work.pid)] + again.rule_args("all") +
                            ["-r", rules], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **ENV))
    first = live.stdout.readline()  # the canary has been seen
    with open(go, "w"):
        pass
    work.wait(timeout=120)
    live.send_signal(signal.SIGINT)
    out, err = live.communicate(timeout=60)
    r.check(b'"canary"' in first and live.returncode in (0, 130), "live: the canary came first, status %d" % live.returncode, err.decode()[-500:])
    r.check(b"lost" not in err or b"nothing was lost" in err, "live: nothing was lost", err.decode()[-500:])
    return [line for line in out.splitlines() if b'"rule":"canary"' not in line]


def start(command, cgroup, **kw):
    """Start @command as the scripts of the goldens were: in their cgroup, without a terminal."""
    return check.popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ, **ENV), preexec_fn=cgroup.enter, close_fds=False,
                            start_new_session=True, **kw)


def recorded_again(folder, name, cgroup):
    """A recording of the script @name."""
    path = os.path.join(folder, name + "-run.scap.zst")
    p = start([check.scapula_path(), "record", "-q", "-o", path, "--syscalls", "all,sched_switch,signal_deliver", "--"] + again.command(folder, name),
              cgroup, stderr=subprocess.PIPE)
    err = p.communicate(timeout=180)[1]
    report = strict(path, name)
    r.check(report["losses"] == 0, "%s: nothing was lost" % name, err.decode()[-500:])
    return path


def replayed(path, rule_set, matching):
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", matching] + again.rule_args(rule_set) + [path], timeout=180)
    r.equal(status, 0, "%s: status of replay\n%s" % (os.path.basename(path), err[-500:]))
    return out.splitlines()


def script(folder, name):
    """The script @name recorded once and replayed with each set of rules as the goldens' recording is, once with all before it, and live."""
    with again.Cgroup() as cgroup:
        if not cgroup.made:
            r.skip("no cgroup can be made here: alerts of %s are not compared" % name)
            return
        path = recorded_again(folder, name, cgroup)
        data = again.begin_with(path, name)
        if not r.check(data, "%s: the exec of the script is in its recording" % name):
            return
        cut = os.path.join(folder, name + "-cut.scap")
        with open(cut, "wb") as f:
            f.write(data)
        for rule_set, matching, golden in again.goldens(name):
            why = again.unlike_the_goldens(name, rule_set)
            if why:
                r.skip("%s, %s: %s" % (name, rule_set, why))
                continue
            # The rules of coverage tell each file that is opened, those of the loader and of modules, too.
            compare_alerts(again.lines(replayed(cut, rule_set, matching), name), again.lines(golden, name), "%s, %s, %s" % (name, rule_set, matching),
                           OTHER_FILES if rule_set == "coverage" else 0)
            if (rule_set, matching) == ("all", "first"):
                golden = again.lines(golden, name, ancestors=False)
                compare_alerts(again.lines(replayed(path, rule_set, matching), name, ancestors=False), golden, "%s, as recorded" % name)
                compare_alerts(again.lines(live_alerts(folder, name, cgroup), name, ancestors=False), golden, "%s, live" % name)


def rules(folder, scripts):
    if not check.have_shared():
        r.skip("the shared scripts and goldens are not here: alerts of recordings are not compared")
        return
    for name in scripts:
        script(folder, name)


# --- a recorder that is killed ---

TAIL = ("truncated", "container-cut")  # all that a killed recorder may leave undone


def killed(folder, times):
    dice = random.Random(20231122)
    busy = check.popen(["sh", "-c", "while :; do head -c 100000 /etc/services | sort | uniq >/dev/null; done"], start_new_session=True,
                            stderr=subprocess.DEVNULL)
    try:
        for i in range(times):
            path = os.path.join(folder, "killed%d%s" % (i, (".scap", ".scap.gz", ".scap.zst")[i % 3]))
            p = check.popen([check.scapula_path(), "record", "-q", "-o", path], stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 20
            while (not os.path.exists(path) or os.path.getsize(path) == 0) and p.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(dice.random() * 0.7)
            p.kill()
            p.wait()
            what = "killed recording %d" % i
            report = strict(path, what, TAIL)
            r.check(report.get("events", 0) > 0, what + ": has events")
            status, out, _ = check.run(["info", "-f", "json", path])
            reasons = [g["reason"] for g in json.loads(out)["gaps"]] if status in (0, 5) else ["info failed: %d" % status]
            r.check(set(reasons) <= {"truncated", "recorded"} and reasons.count("truncated") <= 1, "%s: gaps %s" % (what, reasons))
            os.unlink(path)
    finally:
        os.killpg(busy.pid, signal.SIGKILL)
        busy.wait()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--kills", type=int, default=6)
    ap.add_argument("--scripts", default=",".join(again.NAMES))
    opt = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if can_record():
            containers(folder)
            rotated(folder)
            beside_sysdig(folder)
            rules(folder, [s for s in opt.scripts.split(",") if s])
            killed(folder, opt.kills)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula record and scapula live: arguments and messages everywhere; real recordings where the host permits them."""
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
WAIT = 30  # seconds until something that should happen is given up
r = check.Results("recording")

# A rule about one file name that nobody else uses.
MARK_RULE = """
- rule: Mark
  desc: a file called as the test says
  condition: evt.type in (openat, open) and fd.name endswith /scapula-test-mark
  output: mark (command=%proc.cmdline file=%fd.name)
  priority: WARNING
"""


def clean(err):
    return "runtime error" not in err and "AddressSanitizer" not in err and "LeakSanitizer" not in err


def expect(args, status, in_err="", in_out="", what=None, cwd=None, env=None):
    got, out, err = check.run(args, cwd=cwd, env=env)
    ok = got == status and in_err in err and in_out in out and clean(err)
    r.check(ok, what or " ".join(args), "  status %d, want %d; stderr: %s\n  want in stderr: %r, in stdout: %r\n  stdout: %s" % (
        got, status, err[-1500:], in_err, in_out, out[-500:]))
    return out, err


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


# --- what needs no privileges ---

def usage(folder):
    for command in ("record", "live"):
        out, _ = expect([command, "--help"], 0, in_out="examples:")
        r.check(all(len(line) <= 120 for line in out.splitlines()), command + " --help fits a terminal")
        expect([command, "--no-such-option"], 3, "--no-such-option")
        expect([command, "--duration", "soon"], 3, "--duration soon: expected a duration")
        expect([command, "--duration", "0s"], 3, "--duration 0s")
        expect([command, "--snaplen", "65001"], 3, "--snaplen 65001")
        expect([command, "--full-ports", "90-80"], 3, "--full-ports 90-80")
        expect([command, "--full-ports", "http"], 3, "--full-ports http")
        expect([command, "--port", "0"], 3, "--port 0")
        expect([command, "--port", "65536"], 3, "--port 65536")
        expect([command, "--pid", "me"], 3, "--pid me")
        expect([command, "--pid", str(2 ** 31 - 1)], 4, "there is no such process")
        expect([command, "--comm", "a-name-of-16-byt"], 3, "1 to 15 bytes")
        expect([command, "--cgroup", "no/such/group"], 4, "there is no such directory")
        expect([command, "--cgroup", folder], 4, "no cgroup of version 2")
        expect([command, "--ring-size", "1"], 3, "from 64K to 1G")
        expect([command, "--memory", "much"], 3, "--memory much")
        expect([command, "--max-cpu", "0"], 3, "--max-cpu 0")
        expect([command, "--level", "high"], 3, "--level high")
        expect([command, "--rotate", "100"], 3, "--rotate 100: expected a size (100M) or a time")
        expect([command, "--rotate", "10m:0"], 3, "--rotate 10m:0")
        expect([command, "--max-size", "0"], 3, "--max-size 0")
        for keep in ("60", "0s", "1K", "soon", "60s:1K", "64M:60s"):
            expect([command, "--keep", keep], 3, "--keep %s: expected a time (60s), a size from 64K" % keep)
        many = [x for i in range(65) for x in ("--port", str(i + 1))]
        expect([command] + many, 3, "more than 64 times", what=command + " with 65 ports")
    for other in (["--rotate", "1M"], ["--max-size", "1M"], ["--force"]):
        expect(["record", "--keep", "1s"] + other, 3, "%s and --keep exclude each other" % other[0])
    expect(["record", "--keep", "1s", "-o", "-"], 3, "--output - and --keep exclude each other")
    expect(["record", "--keep-at-end", "-o", os.path.join(folder, "k.scap")], 3, "--keep says how much")
    expect(["record", "--syscalls", "opne"], 3, "'opne'")
    expect(["record", "--syscalls", "none"], 3, "nothing is left")
    expect(["record", "extra"], 3, "a command to record follows '--'")
    expect(["record", "extra", "--", "true"], 3, "'extra' is no option")
    expect(["record", "--"], 3, "no command after '--'")
    expect(["record", "--mem-limit", "1G"], 3, "--memory")
    expect(["record", "-o", "-", "--", "true"], 3, "belongs to the command")
    expect(["record", "--for-rules", os.path.join(folder, "none.yaml")], 2, "none.yaml")
    expect(["record", "-F", "no.such = 1"], 3, "no.such")
    expect(["record", "-F", "evt.type = "], 3, "column")
    expect(["live"], 3, "no rules")
    expect(["live", "-r", RULES, check.DEMO], 3, "live reads no captures")
    expect(["live", "-r", RULES, "-o", "-"], 3, "--output needs a file")
    expect(["live", "-r", os.path.join(folder, "none.yaml")], 2, "none.yaml")
    expect(["live", "-r", RULES, "-F", "no.such = 1"], 3, "no.such")


def commands_that_cannot_run(folder):
    """Found out before anything is recorded."""
    plain = write(os.path.join(folder, "plain.txt"), "not a program\n")
    expect(["record", "--", "no-such-command-at-all"], 127, "cannot run 'no-such-command-at-all': No such file", cwd=folder)
    expect(["record", "--", "./missing"], 127, "No such file", cwd=folder)
    expect(["record", "--", plain], 126, "Permission denied", cwd=folder)
    expect(["record", "--", folder], 126, "Permission denied", cwd=folder)
    expect(["record", "--", ""], 127, "cannot run ''", cwd=folder)
    r.equal([f for f in os.listdir(folder) if ".scap" in f], [], "and no file is left behind")


def files_that_cannot_be(folder):
    there = write(os.path.join(folder, "there.scap.zst"), "evidence")
    expect(["record", "-o", there], 4, "File exists; --force replaces it")
    with open(there) as f:
        r.equal(f.read(), "evidence", "an existing file stays as it is")
    os.symlink(os.path.join(folder, "elsewhere"), os.path.join(folder, "link.scap"))
    expect(["record", "-o", os.path.join(folder, "link.scap")], 4, "link.scap")
    r.check(not os.path.exists(os.path.join(folder, "elsewhere")), "nothing is written through a symbolic link")
    expect(["record", "-o", os.path.join(folder, "no", "dir.scap")], 4, "dir.scap")
    expect(["record", "-o", os.path.join(folder, "a.scap.gz"), "--level", "11"], 3, "none of gzip's")
    expect(["record", "-o", os.path.join(folder, "b.scap"), "--stats", folder], 4, "for statistics")
    r.check(not os.path.exists(os.path.join(folder, "b.scap")), "a recording that cannot start leaves no file")


# LeakSanitizer attaches to its own process, which it may not do there.
NOBODY_ENV = dict(os.environ, ASAN_OPTIONS="exitcode=99:detect_leaks=0")


def become_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def without_privileges(folder):
    """As nobody: a message and status 4, and no file."""
    if os.geteuid() != 0:
        r.skip("a recording without privileges: this needs root to drop them")
        return
    os.chmod(folder, 0o777)
    copy = os.path.join(folder, "scapula-copy")
    subprocess.run(["cp", check.scapula_path(), copy], check=True)
    os.chmod(copy, 0o755)
    out = os.path.join(folder, "nobody.scap.zst")
    for args, status in ((["record", "-o", out, "--duration", "10ms"], 4), (["record", "-o", out, "--", "true"], 125),
                         (["record", "--check"], 4)):
        p = subprocess.run([copy] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=become_nobody,
                           env=NOBODY_ENV, timeout=WAIT)
        err = p.stderr.decode()
        r.check(p.returncode == status and clean(err) and (args[1] == "--check" or "--check" in err),
                "as nobody: " + " ".join(args), "  status %d, want %d: %s" % (p.returncode, status, err[-800:]))
    r.check(not os.path.exists(out), "as nobody: no file is left behind")
    os.unlink(copy)


def with_capabilities(folder):
    """Not as root, but with capabilities of the file."""
    if os.geteuid() != 0:
        r.skip("a recording with capabilities: this needs root to give them")
        return
    os.chmod(folder, 0o777)
    copy = os.path.join(folder, "scapula-copy")
    subprocess.run(["cp", check.scapula_path(), copy], check=True)
    os.chmod(copy, 0o755)
    try:
        given = subprocess.run(["setcap", "cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep", copy], stderr=subprocess.PIPE).returncode
    except FileNotFoundError:
        given = 1
    if given != 0:
        r.skip("a recording with capabilities: setcap cannot give them here")
        return
    out = os.path.join(folder, "capable.scap")
    p = subprocess.run([copy, "record", "-q", "-o", out, "--", "sh", "-c", "id -u; grep CapEff /proc/self/status"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, preexec_fn=become_nobody, env=NOBODY_ENV, timeout=WAIT)
    r.check(p.returncode == 0 and p.stdout.split() == [b"65534", b"CapEff:", b"0" * 16], "with capabilities: a command that has none",
            "  status %d: %r %s" % (p.returncode, p.stdout, p.stderr.decode()[-800:]))
    info = check.run(["info", out])[1]
    r.check(" 0 processes" not in info, "with capabilities: the first state is there", info)


# --- recordings ---

def record(args, **kw):
    return check.run(["record"] + args, **kw)


def events(path, condition, fields="%proc.name", more=()):
    status, out, err = check.run(["events", "-F", condition, "-p", fields] + list(more) + [path])
    r.check(status == 0 and clean(err), "reading %s back" % os.path.basename(path), "  status %d: %s" % (status, err[-800:]))
    return out.splitlines()


def check_works(folder):
    out, _ = expect(["record", "--check"], 0, in_out="Recording works here.")
    r.check(len(out.splitlines()) > 5, "--check lists features", out)


def commands(folder):
    path = os.path.join(folder, "cmd.scap.zst")
    mark = os.path.join(folder, "scapula-test-mark")
    status, out, err = record(["-o", path, "--", "sh", "-c", "cat /dev/null > %s; (sleep 0.01; exit 5) & wait; echo out; echo err >&2; exit 3" % mark])
    r.equal(status, 3, "the command's status is the result")
    r.equal(out, "out\n", "standard output is the command's")
    r.check(err.startswith("err\n") and "events in" in err and clean(err), "standard error is the command's first, then the summary", err)
    r.equal(os.stat(path).st_mode & 0o777, 0o600, "the capture is for its owner only")
    execs = events(path, "evt.type in (execve, execveat) and evt.failed = false", "%proc.cmdline")
    r.check(execs and execs[0].startswith("sh -c") and "sleep 0.01" in execs, "from the first exec on, with descendants", repr(execs))
    r.check(events(path, "fd.name endswith /scapula-test-mark"), "what they opened is there")
    ends = events(path, "evt.type = procexit", "%proc.name %evt.arg.status")
    r.check(ends and ends[-1] == "sh %d" % (3 << 8), "the end of the command is the last end", repr(ends))
    names = set(events(path, "evt.num > 0"))
    r.check(names <= {"sh", "cat", "sleep", "scapula"}, "and nobody else", repr(names))
    info, _ = expect(["info", path], 0, what="info of a recording")
    r.check("zstd" in info, "the container follows the suffix", info)

    status, _, err = record(["--force", "-o", path, "--duration", "10ms", "--", "sh", "-c", "sleep 0.2; exit 5"])
    r.check(status == 5 and clean(err), "a recording that is over before its command", "  status %d: %s" % (status, err))
    for script, want in (("exit 0", 0), ("exit 77", 77), ("kill -TERM $$", 143), ("kill -KILL $$", 137), ("kill -INT $$", 130)):
        path = os.path.join(folder, "status.scap")
        status, _, err = record(["--force", "-q", "-o", path, "--", "sh", "-c", script])
        r.check(status == want and err == "", "status of '%s'" % script, "  status %d, want %d: %s" % (status, want, err))
    script = write(os.path.join(folder, "no-interpreter"), "#!/no/such/interpreter\n")
    os.chmod(script, 0o755)
    status, _, err = record(["-o", os.path.join(folder, "ni.scap"), "--", script])
    r.check(status == 127 and "cannot run" in err, "a script without its interpreter", "  status %d: %s" % (status, err))
    r.check(not os.path.exists(os.path.join(folder, "ni.scap")), "leaves no file")


def descendants(folder):
    """The recording ends with the last descendant, also one that has nothing to do with its parent any more."""
    path = os.path.join(folder, "daemon.scap")
    last = os.path.join(folder, "daemon-was-here")
    pipe = os.path.join(folder, "daemon.pipe")
    os.mkfifo(pipe)
    # its reading ends when the command, which holds the other end, has ended
    daemon = "setsid sh -c 'read line < %s; echo > %s' < /dev/null > /dev/null 2>&1 & exec 9> %s;" % (pipe, last, pipe)
    status, _, _ = record(["-o", path, "--", "sh", "-c", daemon + " exit 4"])
    r.equal(status, 4, "the status is that of the command, not of the last descendant")
    r.check(os.path.exists(last), "the recording waited for the daemon")
    r.check(events(path, "fd.name endswith daemon-was-here"), "and recorded what it did")


def wait_for(what, condition):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return r.check(False, what, "  not within %d s" % WAIT)


def start(args, out=subprocess.PIPE, **kw):
    env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8")
    env.setdefault("ASAN_OPTIONS", "exitcode=99:detect_leaks=1")
    return check.popen([check.scapula_path()] + args, stdout=out, stderr=subprocess.PIPE, env=env, **kw)


def finish(p):
    out, err = p.communicate(timeout=WAIT)
    return p.returncode, (out or b"").decode("utf-8", "replace"), err.decode("utf-8", "replace")


def stats_of(path):
    try:
        with open(path) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]
    except FileNotFoundError:
        return []


def host(folder):
    """The host as a whole until a signal; numbers meanwhile."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        path = os.path.join(folder, "host-%d.scap.zst" % number)
        stats = os.path.join(folder, "stats-%d.jsonl" % number)
        mark = os.path.join(folder, "%d-scapula-test-mark" % number)
        p = start(["record", "-o", path, "--stats", stats])
        wait_for("a first line of statistics", lambda: stats_of(stats))
        write(mark, "")
        if number == signal.SIGINT:
            p.send_signal(signal.SIGUSR1)
        p.send_signal(number)
        status, out, err = finish(p)
        name = signal.Signals(number).name
        r.check(status == 0 and out == "" and clean(err) and "events in" in err, "%s is the normal end" % name,
                "  status %d: %s" % (status, err[-800:]))
        r.check(events(path, "fd.name endswith %d-scapula-test-mark" % number), "%s: what happened before it is there" % name)
        last = stats_of(stats)[-1]
        r.check(last["events"] > 0 and last["stored"] > 0 and last["file"] == path and last["seen"] >= last["delivered"] > 0,
                "%s: numbers as JSON" % name, repr(last))
        count = int(check.run(["events", "--count", path])[1])
        r.equal(count, last["events"], "%s: the events that were counted are in the file" % name)
        info = check.run(["info", path])[1]
        r.check(re.search(r"at start +\d[\d,]* processes", info) and " 0 processes" not in info, "%s: the first state is there" % name, info)
    p = start(["record", "-o", os.path.join(folder, "usr1.scap"), "--stats", stats + "2"])
    wait_for("a first line of statistics", lambda: stats_of(stats + "2"))
    p.send_signal(signal.SIGUSR1)
    line = p.stderr.readline().decode()
    r.check("events/s" in line and "lost" in line, "SIGUSR1 prints numbers", line)
    p.send_signal(signal.SIGTERM)
    finish(p)


def own_name_and_stdout(folder):
    where = os.path.join(folder, "own")
    os.mkdir(where)
    status, out, err = record(["--duration", "50ms"], cwd=where)
    names = sorted(os.listdir(where))
    r.check(status == 0 and len(names) == 2 and names[1] == names[0] + ".seal" and re.fullmatch(r".*-\d{8}T\d{6}Z\.scap\.zst", names[0]), "a name of its own", repr(names) + err)
    p = start(["record", "-o", "-", "--with-self", "--duration", "50ms", "-q"])
    out, err = p.communicate(timeout=WAIT)
    r.check(p.returncode == 0 and out[:4] == b"\x0a\x0d\x0d\x0a", "plain on standard output", repr(err[-500:]))
    path = os.path.join(folder, "stdout.scap")
    with open(path, "wb") as f:
        f.write(out)
    expect(["events", "--count", path], 0)
    p = start(["record", "-o", "-"])
    p.stdout.close()
    p.stdout = None
    _, err = p.communicate(timeout=WAIT)
    r.check(p.returncode == 4 and b"Broken pipe" in err, "a closed pipe is told", "  status %d: %r" % (p.returncode, err[-500:]))


BUSY = "i=0; while [ $i -lt %d ]; do : < /dev/null; i=$((i+1)); done"


def rotation(folder):
    base = os.path.join(folder, "rot.scap.zst")
    # How far a file outgrows its size depends on how far the recorder is behind: see the unit tests for exact numbers.
    status, _, err = record(["-o", base, "--rotate", "50K:2", "--", "sh", "-c", BUSY % 60000])
    names = sorted(f for f in os.listdir(folder) if f.startswith("rot.") and not f.endswith(".seal"))
    r.check(status == 0 and len(names) == 2 and re.search(r" and \d+ files before it", err), "rotated by size, two are kept", repr(names) + err)
    for name in names:
        path = os.path.join(folder, name)
        info, _ = expect(["info", path], 0, what="info of " + name)
        r.check(" 0 processes" not in info, "%s begins with the state" % name, info)
        # but for one that ended while that state was read
        ended = {(tid, "<NA>") for tid in events(path, "evt.type = procexit", "%thread.tid")}
        who = {tuple(x.split(" ", 1)) for x in events(path, "evt.num > 0", "%thread.tid %proc.name")}
        r.check({n for _, n in who - ended} <= {"sh", "scapula"}, "%s knows who acts" % name, repr(who))


def limits(folder):
    path = os.path.join(folder, "max.scap.zst")
    status, _, err = record(["-o", path, "--max-size", "100K", "--", "sh", "-c", BUSY % 60000 + "; exit 9"])
    size = os.stat(path).st_size
    r.check(status == 9 and 90 << 10 < size < 250 << 10 and "--max-size is reached" in err, "--max-size ends the recording, not the command",
            "  status %d, %d bytes: %s" % (status, size, err[-500:]))
    expect(["info", path], 0, what="info of a recording that reached its size")
    path = os.path.join(folder, "partial.scap")
    expect(["record", "-o", path, "--timeout", "50ms"], 5, "stopped by --timeout")
    full_disk(folder)


def full_disk(folder):
    """A small file system of our own: near its end, at its end, and with the file gone."""
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], stderr=subprocess.PIPE).returncode != 0:
        r.skip("a full disk: no file system can be mounted here")
        return
    try:
        busy = ["--", "sh", "-c", BUSY % 200000 + "; exit 9"]
        path = os.path.join(disk, "a.scap")
        status, _, err = record(["-o", path] + busy)
        r.check(status == 125 and ("of the disk are free" in err or "No space left" in err) and clean(err), "a disk that fills ends the recording",
                "  status %d: %s" % (status, err[-800:]))
        expect(["events", "--count", path], 0, what="what was written can be read")
        os.unlink(path)
        os.unlink(path + ".seal")
        status, _, err = record(["-o", path, "--fill-disk"] + busy)
        r.check(status == 125 and "No space left" in err and clean(err), "to the last byte with --fill-disk", "  status %d: %s" % (status, err[-800:]))
        out, _ = expect(["events", "--count", path], 0, what="what was written can be read, too")
        r.check(int(out) > 1000, "and it is much", out)
        expect(["record", "-o", os.path.join(disk, "b.scap"), "--duration", "1s"], 4, "--fill-disk uses them", what="a full disk is refused at once")
        r.check(not os.path.exists(os.path.join(disk, "b.scap")), "without leaving a file")
    finally:
        subprocess.run(["umount", disk], check=True)


def gone(folder):
    path = os.path.join(folder, "gone.scap")
    stats = os.path.join(folder, "gone.jsonl")
    p = start(["record", "-o", path, "--stats", stats])
    wait_for("the recording", lambda: stats_of(stats))
    os.unlink(path)
    status, _, err = finish(p)
    r.check(status == 4 and "was deleted while" in err and clean(err), "a deleted file ends the recording", "  status %d: %s" % (status, err[-800:]))


def selection(folder):
    path = os.path.join(folder, "sel.scap")
    script = "cat /dev/null; mkdir %s/made; rmdir %s/made" % (folder, folder)
    record(["-q", "-o", path, "--syscalls", "none,mkdir,mkdirat,procexit", "--", "sh", "-c", script])
    types = set(events(path, "evt.num > 0", "%evt.type"))
    r.check(types and types <= {"mkdir", "mkdirat", "procexit"}, "only the calls that were named", repr(types))
    record(["-q", "--force", "-o", path, "--syscalls", "!read,!write", "--", "sh", "-c", script])
    types = set(events(path, "evt.num > 0", "%evt.type"))
    r.check("execve" in types and not types & {"read", "write"}, "all but those that were named", repr(types))
    record(["-q", "--force", "-o", path, "-F", "evt.type = rmdir", "--", "sh", "-c", script])
    types = set(events(path, "evt.num > 0", "%evt.type"))
    r.check({"rmdir", "execve"} <= types and "read" not in types, "what a condition can come from, and the state", repr(types))
    rules = write(os.path.join(folder, "rules.yaml"), MARK_RULE)
    expect(["record", "--force", "-o", path, "--for-rules", rules, "--", "true"], 0)
    rules = write(os.path.join(folder, "io.yaml"), MARK_RULE.replace("openat, open", "read"))
    expect(["record", "--force", "-o", path, "--for-rules", rules, "--", "true"], 0, "reads and writes are recorded, which are most of what happens, because of 'Mark'")
    record(["-q", "--force", "-o", path, "--snaplen", "7", "--", "sh", "-c", "echo 0123456789"])
    r.equal(events(path, "evt.type = write and fd.num = 1 and proc.name = sh", "%evt.buflen %evt.arg.data"), ["11 0123456"], "--snaplen cuts data")


def hashes_in(path):
    try:
        return json.loads(check.run(["info", "-q", "-f", "json", path])[1])["hashes"]
    except (ValueError, KeyError):
        return 0


def hashes(folder):
    program, path, pipe = (os.path.join(folder, name) for name in ("program", "hashes.scap", "hashes.pipe"))
    shutil.copy("/bin/true", program)
    with open(program, "ab") as f:
        f.write(b"changed")
    with open(program, "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    os.mkfifo(pipe)
    p = start(["record", "-o", path, "--hash-execs", "--", "sh", "-c", "%s; cat %s; %s" % (program, pipe, program)])
    # its second run waits until the hashes of the shell, of the program and of cat are in the file
    wait_for("the hashes", lambda: hashes_in(path) >= 3)
    with open(pipe, "w"):
        pass
    status, _, err = finish(p)
    r.check(status == 0 and clean(err), "record --hash-execs", err)
    ends = events(path, "evt.type = procexit and proc.name = program", "%proc.exepath %proc.exe_sha256")
    r.equal(ends[-1:], ["%s %s" % (program, want)], "proc.exe_sha256 of a process of a known file")
    info = check.run(["info", path])[1]
    r.check(re.search(r"^hashes +[1-9]\d* files", info, re.M), "info counts hashes", info)
    r.check(json.loads(check.run(["info", "-f", "json", path])[1])["hashes"] >= 3, "info counts hashes in JSON")
    expect(["info", "--strict", path], 0, in_out="clean", what="a recording with hashes is right to the letter")


def command_signals(folder):
    """A signal to the recorder is the command's; a second one is the recorder's."""
    path = os.path.join(folder, "sig.scap")
    ready = os.path.join(folder, "ready")
    script = "trap 'echo got it; exit 6' TERM; echo > %s; while :; do sleep 0.02; done" % ready
    p = start(["record", "-q", "-o", path, "--", "sh", "-c", script])
    wait_for("the command", lambda: os.path.exists(ready))
    p.send_signal(signal.SIGTERM)
    status, out, _ = finish(p)
    r.check(status == 6 and out == "got it\n", "the first signal is passed on", "  status %d: %s" % (status, out))
    os.unlink(ready)
    script = "trap 'echo > %s.2' TERM; echo > %s; while :; do sleep 0.02; done" % (ready, ready)
    p = start(["record", "-q", "--force", "-o", path, "--", "sh", "-c", script], start_new_session=True)
    try:
        wait_for("the command", lambda: os.path.exists(ready))
        p.send_signal(signal.SIGTERM)
        wait_for("its reaction", lambda: os.path.exists(ready + ".2"))
        p.send_signal(signal.SIGTERM)
        r.equal(p.wait(timeout=WAIT), 143, "the second one ends the recording")
        r.check(events(path, "fd.name endswith ready.2"), "in order")
    finally:
        os.killpg(p.pid, signal.SIGKILL)  # the command, which was not to be disturbed
        p.communicate()


def live(folder):
    rules = write(os.path.join(folder, "mark.yaml"), MARK_RULE)
    mark = os.path.join(folder, "scapula-test-mark")
    db = os.path.join(folder, "live.case.db")
    tee = os.path.join(folder, "tee.scap.zst")
    alerts = os.path.join(folder, "alerts.jsonl")
    with open(alerts, "wb") as f:
        p = start(["live", "-r", rules, "-f", "json", "--db", db, "-o", tee, "--fail-on", "alerts"], out=f)

    def alert_came():
        write(mark, "")  # until it is ready, nothing is seen; and then an alert must not wait for the end
        return stats_of(alerts)

    wait_for("an alert", alert_came)
    alert = (stats_of(alerts) or [{}])[0]
    r.check(alert.get("rule") == "Mark" and alert["output_fields"]["fd.name"] == mark and alert["hostname"], "an alert comes while it is live", repr(alert))
    p.send_signal(signal.SIGINT)
    status, _, err = finish(p)
    r.check(status == 1 and clean(err) and "Mark" in err, "SIGINT ends it; --fail-on is heeded", "  status %d: %s" % (status, err[-800:]))
    told = stats_of(alerts)
    again = check.run(["replay", "-q", "-f", "json", "-r", rules, tee])[1].splitlines()
    r.equal([json.loads(x) for x in again], told, "the capture beside it gives the same alerts")
    db_rows = sqlite3.connect("file:%s?mode=ro" % db, uri=True)
    r.equal([json.loads(x[0]) for x in db_rows.execute("select output_fields from alerts order by rowid")], [a["output_fields"] for a in told],
            "and so does the case")
    db_rows.close()
    out, err = expect(["live", "-r", rules, "--duration", "50ms"], 0, "Events detected: ")
    expect(["live", "-r", rules, "--duration", "50ms", "--fail-on", "prio>=error"], 0, what="nothing of that priority")


# --- in memory ---

def dumped(folder, name):
    """A dump is there as soon as it has its name: it is complete then."""
    path = os.path.join(folder, name)
    wait_for(name, lambda: os.path.exists(path))
    expect(["info", "--strict", path], 0, in_out="clean", what="%s is right to the letter" % name)
    info = check.run(["info", path])[1]
    r.check(" 0 processes" not in info and "1 section" in info, "%s begins with the state" % name, info)
    r.equal(os.stat(path).st_mode & 0o777, 0o600, "%s is for its owner only" % name)
    return path


def keeping(folder):
    """The last second, written when somebody asks for it."""
    stats = os.path.join(folder, "stats")
    where = os.path.join(folder, "dumps")
    os.mkdir(where)
    base = os.path.join(where, "a.scap.zst")
    p = start(["record", "-o", base, "--keep", "1s", "--stats", stats])
    wait_for("a first line of statistics", lambda: stats_of(stats))
    write(os.path.join(folder, "old-scapula-mark"), "")

    def dropped():
        write(os.path.join(folder, "some-scapula-mark"), "")
        return stats_of(stats)[-1]["dropped_events"] and time.time() > end

    end = time.time() + 3  # of events: what is older than the limit and a quarter of it is gone then
    wait_for("old events to be dropped", dropped)
    r.equal(os.listdir(where), [], "nothing is written before")
    new = os.path.join(folder, "new-scapula-mark")
    write(new, "")
    p.send_signal(signal.SIGUSR2)
    path = dumped(where, "a.0001.scap.zst")
    r.check(events(path, "fd.name = " + new), "the last events are in it")
    r.equal(events(path, "fd.name endswith old-scapula-mark"), [], "old ones are not")
    times = [int(x) for x in events(path, "evt.num > 0", "%evt.rawtime")]
    r.check(1e9 <= times[-1] - times[0] < 3e9, "a second, and no more than a section besides", repr(times[:1] + times[-1:]))
    write(new + "2", "")
    p.send_signal(signal.SIGUSR2)
    again = dumped(where, "a.0002.scap.zst")
    r.check(events(again, "fd.name = " + new + "2"), "the next one has its own name")
    p.send_signal(signal.SIGTERM)
    status, _, err = finish(p)
    r.check(status == 0 and clean(err) and err.count("SIGUSR2: ") == 2 and "2 files were written" in err, "the end says what was written",
            "  status %d: %s" % (status, err))
    r.equal(sorted(os.listdir(where)), ["a.0001.scap.zst", "a.0001.scap.zst.seal", "a.0002.scap.zst", "a.0002.scap.zst.seal"],
            "and nothing else is left but seals")
    last = stats_of(stats)[-1]
    r.check(last["dumps"] == 2 and last["kept_events"] > 0 and last["stored"] == os.stat(path).st_size + os.stat(again).st_size,
            "numbers of it", repr(last))


def keeping_bytes(folder):
    """No more than the limit, however much there is."""
    stats = os.path.join(folder, "stats")
    base = os.path.join(folder, "a.scap")
    script = "head -c 4000000 /dev/urandom > %s/a; cp %s/a %s/b; exit 7" % (folder, folder, folder)
    status, _, err = record(["-o", base, "--keep", "1M", "--keep-at-end", "--snaplen", "4000", "--stats", stats, "--", "sh", "-c", script])
    r.check(status == 7 and clean(err) and "end of recording: " in err, "--keep-at-end with a command", "  status %d: %s" % (status, err))
    lines = stats_of(stats)
    r.check(all(0 < x["kept_bytes"] <= 1 << 20 for x in lines[1:]), "the limit is never exceeded", repr([x["kept_bytes"] for x in lines]))
    path = dumped(folder, "a.0001.scap")
    r.check(os.stat(path).st_size <= 1 << 20, "nor by the file")
    # How large the events that wait are when the state is taken depends on the machine: there may be a hole, which is told with status 5,
    # and what the shell executed may be in it.
    status, out, err = check.run(["events", "-F", "evt.type = procexit", "-p", "%evt.arg.status", path])
    r.check("%d" % (7 << 8) in out.split() and (status == 0 or status == 5 and "(memory full)" in err), "the end is in it",
            "  status %d: %s" % (status, out + err))
    status, _, err = record(["-o", base, "--keep", "1h", "--duration", "100ms"])
    r.check(status == 0 and "were kept and are gone; SIGUSR2 writes them" in err, "what nobody asked for is gone, and told", err)
    r.check(not os.path.exists(os.path.join(folder, "a.0002.scap")) and not os.path.exists(base), "without a file")
    p = start(["record", "-o", os.path.join(folder, "b.scap"), "--stats", stats + "2"])
    wait_for("a first line of statistics", lambda: stats_of(stats + "2"))
    p.send_signal(signal.SIGUSR2)
    line = p.stderr.readline().decode()
    p.send_signal(signal.SIGTERM)
    status, _, err = finish(p)
    r.check(status == 0 and "--keep does that" in line, "SIGUSR2 without --keep ends nothing", "  status %d: %s" % (status, line + err))


def keeping_live(folder):
    """Rules at once, and what led to an alert when it is asked for."""
    rules = write(os.path.join(folder, "mark.yaml"), MARK_RULE)
    mark = os.path.join(folder, "scapula-test-mark")
    alerts = os.path.join(folder, "alerts.jsonl")
    with open(alerts, "wb") as f:
        p = start(["live", "-r", rules, "-f", "json", "--keep", "30s", "-o", os.path.join(folder, "a.scap.zst")], out=f)

    def alert_came():
        write(mark, "")
        return stats_of(alerts)

    wait_for("an alert", alert_came)
    p.send_signal(signal.SIGUSR2)
    path = dumped(folder, "a.0001.scap.zst")
    p.send_signal(signal.SIGINT)
    status, _, err = finish(p)
    r.check(status == 0 and clean(err) and "SIGUSR2: " in err, "live --keep", "  status %d: %s" % (status, err[-800:]))
    again = check.run(["replay", "-q", "-f", "json", "-r", rules, path])[1].splitlines()
    r.check(again and json.loads(again[0]) == stats_of(alerts)[0], "the alert is in what was kept", repr(again[:1]))


def stalled_reader(folder):
    """Nobody reads for seconds: recording goes on, and later everything arrives."""
    stats = os.path.join(folder, "stats")
    p = start(["record", "-o", "-", "--stats", stats])
    wait_for("a first line of statistics", lambda: stats_of(stats))
    for turn in range(4):
        lines = len(stats_of(stats))
        subprocess.run(["sh", "-c", BUSY % 2000], check=True)
        # whoever waits for the reader has no numbers to tell
        wait_for("numbers while nobody reads", lambda: len(stats_of(stats)) > lines)
    last = os.path.join(folder, "last-scapula-mark")
    write(last, "")
    p.send_signal(signal.SIGTERM)
    out, err = p.communicate(timeout=WAIT)
    r.check(p.returncode == 0 and clean(err.decode()) and b"nothing was lost" in err, "nothing is lost while nobody reads",
            "  status %d: %r" % (p.returncode, err[-800:]))
    path = write(os.path.join(folder, "out.scap"), "")
    with open(path, "wb") as f:
        f.write(out)
    r.equal(int(check.run(["events", "--count", path])[1]), stats_of(stats)[-1]["events"], "all of it arrives")
    r.check(events(path, "fd.name = " + last), "to the last event")


# --- inside a pid namespace, as in a container ---

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]


def inside(script, folder, namespace=NAMESPACE):
    """Run @script in a shell that is the first process of a new pid namespace; $S is the program under test, $D the folder."""
    env = dict(os.environ, S=check.scapula_path(), D=folder, TZ="UTC", LC_ALL="C.UTF-8")
    env.setdefault("ASAN_OPTIONS", "exitcode=99:detect_leaks=1")
    p = check.popen(namespace + ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=True)
    try:
        status, out, err = finish(p)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)  # the end of its first process is that of a namespace
        status, out, err = -1, "", "not within %d s: %s" % (WAIT, p.communicate()[1])
    return status, out, err


def strict(path):
    expect(["info", "--strict", path], 0, in_out="clean", what="%s is right to the letter" % os.path.basename(path))


def pid_namespace(folder):
    status, _, err = inside("exit 7", folder)
    if status != 7:
        r.skip("recording inside a pid namespace: %s" % err.strip())
        return
    namespace_command(folder)
    namespace_process(folder)
    namespace_host(folder)
    namespace_live(folder)


def namespace_command(folder):
    path = os.path.join(folder, "command.scap")
    status, out, err = inside("$S record -o $D/command.scap -- sh -c 'echo $$ > $D/scapula-test-mark; (exec cat /dev/null; exit 5) & wait; exit 3'; echo $?",
                              folder)
    r.check(out == "3\n" and clean(err) and "events in" in err, "a command inside a pid namespace", out + err)
    strict(path)
    with open(os.path.join(folder, "scapula-test-mark")) as f:
        number = f.read().strip()
    execs = events(path, "evt.type = execve and evt.failed = false", "%proc.name %proc.vpid")
    r.check(len(execs) == 2 and execs[0] == "sh " + number and execs[1].startswith("cat "), "its commands have the ids they know", repr(execs))
    r.check(events(path, "fd.name endswith /scapula-test-mark and evt.type in (open, openat)"), "from its first instruction on")
    ends = events(path, "evt.type = procexit", "%proc.name %evt.arg.status")
    r.check(len(ends) == 3 - 1 and ends[-1] == "sh %d" % (3 << 8), "to its end", repr(ends))
    names = set(events(path, "evt.num > 0"))
    r.check(names <= {"sh", "cat", "scapula"}, "and nobody else", repr(names))
    ids = set(events(path, "proc.vpid = " + number, "%proc.pid"))
    r.check(len(ids) == 1 and number not in ids, "events have the kernel's ids", repr(ids))


def namespace_process(folder):
    path = os.path.join(folder, "process.scap")
    held = write(os.path.join(folder, "held"), "line\n")
    os.mkfifo(os.path.join(folder, "go"))
    script = """
        sh -c 'exec 7< $D/held; read go < $D/go; read line <&7; cat /dev/null' & P=$!
        (while :; do cat /dev/null; done) & OTHER=$!
        $S record -o $D/process.scap --pid $P --stats $D/stats & R=$!
        while [ ! -s $D/stats ]; do sleep 0.01; done
        echo > $D/go; wait $P; kill $OTHER; kill -TERM $R; wait $R; echo $? $P"""
    status, out, err = inside(script, folder)
    words = out.split()
    if not r.check(len(words) == 2 and words[0] == "0" and clean(err), "--pid inside a pid namespace", out + err):
        return
    strict(path)
    reads = set(events(path, "evt.type = read and fd.name = " + held, "%proc.name %proc.vpid"))
    r.equal(reads, {"sh " + words[1]}, "--pid: what the process had open is known")
    r.equal(events(path, "evt.type = execve", "%proc.name"), ["cat"], "--pid: its descendants, and nobody else")
    ids = set(events(path, "proc.name = sh and proc.vpid = " + words[1], "%proc.pid"))
    r.check(len(ids) == 1 and words[1] not in ids, "--pid: events have the kernel's ids", repr(ids))
    status, out, err = inside("sleep 30 & S2=$!; $S record -o $D/nobody.scap --pid 31999; echo $?; kill $S2", folder)
    r.check(out == "4\n" and "there is no such process" in err, "--pid of a process that only others have", out + err)


def namespace_host(folder):
    """Events of the whole host, but for those of the recorder; the state is that of the namespace, or of the /proc there is."""
    script = """
        $S record -q -o $D/%s.scap --stats $D/%s.stats & R=$!
        while [ ! -s $D/%s.stats ]; do sleep 0.01; done
        cat /dev/null > $D/%s-scapula-test-mark; kill -TERM $R; wait $R; echo $?"""
    for name, namespace in (("own", NAMESPACE), ("foreign", NAMESPACE[:3])):
        path = os.path.join(folder, name + ".scap")
        status, out, err = inside(script.replace("%s", name), folder, namespace)
        r.check(out == "0\n" and clean(err), "/proc of %s: the host" % name, out + err)
        strict(path)
        r.check(events(path, "fd.name endswith %s-scapula-test-mark" % name), "/proc of %s: what happened is there" % name)
        r.equal(events(path, "proc.exepath endswith /scapula and not evt.type in (clone, clone3, fork, vfork, procexit)", "%evt.type"), [],
                "/proc of %s: nothing of the recorder" % name)
        listed = check.run(["tree", "--at", "evt:0", "-f", "csv", path])[1]
        here = any(line.startswith("%d," % os.getpid()) for line in listed.splitlines())
        r.equal(here, name == "foreign", "/proc of %s: is the test in the first state?" % name)


def namespace_live(folder):
    write(os.path.join(folder, "mark.yaml"), MARK_RULE.replace("(command=", "(id=%proc.vpid command="))
    script = """
        (while :; do : > $D/scapula-test-mark; sleep 0.02; done) & P=$!
        $S live -q -r $D/mark.yaml --pid $P -f json > $D/alerts & L=$!
        while [ ! -s $D/alerts ]; do sleep 0.01; done
        kill -TERM $L; wait $L; echo $? $P; kill $P"""
    status, out, err = inside(script, folder)
    words = (out + "- -").split()
    alert = (stats_of(os.path.join(folder, "alerts")) or [{}])[0]
    r.check(words[:1] == ["0"] and clean(err), "live inside a pid namespace", out + err)
    r.check(alert.get("rule") == "Mark" and str(alert["output_fields"]["proc.vpid"]) == words[1], "live: alerts about a process of the namespace", repr(alert))


# --- io_uring ---

def uring_load():
    near = os.path.join(os.path.dirname(os.path.abspath(check.scapula_path())), "tests", "uring_load")
    for path in (os.environ.get("URING_LOAD"), near, os.path.join(check.ROOT, "build", "dev", "tests", "uring_load")):
        if path and os.path.exists(path):
            return path
    return None


def rings(folder):
    """What is opened, connected and closed through a ring (capture/tests/uring_load.c) is known to the calls that use it."""
    path, held, load = os.path.join(folder, "rings.scap"), write(os.path.join(folder, "held"), "line\n"), uring_load()
    if not r.check(load, "uring_load is not built"):
        return
    status, _, err = record(["-o", path, "--io-uring", "--", load, held])
    if status == 77 or "io_uring cannot be recorded" in err:
        r.skip("rings: the kernel gives none, or does not tell of them: %s" % err.strip())
        return
    r.check(status == 0 and clean(err), "record --io-uring", err)
    expect(["info", "--strict", path], 0, in_out="clean", what="a recording of rings is right to the letter")
    reads = events(path, "evt.type = read and evt.failed = false and fd.name = " + held, "%evt.num %fd.num")
    r.equal(len(reads), 2, "what a ring opened has its name when it is read")
    number = reads[0].split()[1]
    r.equal(events(path, "evt.type = read and evt.failed = true and fd.num = " + number, "%evt.res %fd.name"), ["EBADF "],
            "what a ring closed is closed")
    r.equal(events(path, "evt.type in (open, openat, openat2) and fd.name = " + held, "%evt.num"), [], "an operation is no event of a call")
    ends = events(path, "evt.type in (read, write) and fd.sip = 127.0.0.1", "%evt.type %fd.name %evt.num")
    r.check([e.split()[0] for e in ends] == ["write", "read"] and ends[0].split()[1] == ends[1].split()[1] and "->127.0.0.1:" in ends[0],
            "a connection made by rings has its ends", repr(ends))
    fds = check.run(["fds", "--at", "evt:" + ends[-1].split()[2], "-F", "proc.name = uring_load", "-f", "csv", path])[1].splitlines()
    r.equal(sum(line.count(held) for line in fds), 1, "fds lists the file that is open, and not what is no descriptor")
    r.equal(sum("->127.0.0.1:" in line for line in fds), 2, "fds lists both ends")
    shown = [line for line in check.run(["events", path])[1].splitlines() if line.startswith("- ")]
    r.check(any("res=%s(<f>%s)" % (number, held) in line for line in shown), "operations are shown with what they gave", "\n".join(shown))
    r.check(any("op=19(CLOSE) fd=%s(<f>%s)" % (number, held) in line for line in shown), "and with what they were about", "\n".join(shown))
    objects = [json.loads(line)["io_uring"] for line in check.run(["events", "-f", "json", path])[1].splitlines() if line.startswith('{"io_uring"')]
    r.equal([(o["operation"], o.get("fd.name")) for o in objects][:4], [("OPENAT", held), ("CLOSE", held), ("OPENAT", None), ("OPENAT", held)],
            "and in JSON")


def main():
    with tempfile.TemporaryDirectory() as folder:
        usage(folder)
        commands_that_cannot_run(folder)
        files_that_cannot_be(folder)
        without_privileges(folder)
    if not check.can_record():
        r.skip("real recordings: this host or user cannot record; 'scapula record --check' says why")
        r.finish()
    for part in (check_works, commands, descendants, host, own_name_and_stdout, rotation, limits, keeping, keeping_bytes, keeping_live, stalled_reader, gone, selection, hashes, command_signals, with_capabilities, live,
                 pid_namespace, rings):
        if len(sys.argv) > 1 and part.__name__ not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    r.finish()


main()

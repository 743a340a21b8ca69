#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The case: what replays put into it, and what the saved queries make of it.

The rows that are asked for here were worked out from the captures' events and from what makes the captures.
"""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("case")
OWN = os.path.join(check.ROOT, "tests", "captures")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
QUERIES = os.path.join(check.ROOT, "queries")
FACTS = ("processes", "execs", "files", "file_changes", "connections", "dns_names", "dns_addresses", "users", "sessions",
         "session_commands", "containers", "mounts", "modules", "losses")


def replay(case, *captures, rules=RULES, options=()):
    return check.run(["replay", "-q", "-r", rules, "--db", case] + list(options) + list(captures))


def query(case, sql, *options):
    """Rows as objects."""
    status, out, err = check.run(["query", "-f", "jsonl", case, sql] + list(options))
    r.check(status == 0, "query %s" % sql[:60], "  status %d: %s" % (status, err))
    return [json.loads(line) for line in out.splitlines()]


def columns(rows, *names):
    return [tuple(row[n] for n in names) for row in rows]


def identities(case):
    """Alerts as anybody may know them, with how often each is shown."""
    db = sqlite3.connect(case)
    rows = db.execute("SELECT capture_sha256, evt_offset, rule_digest, count(*) FROM v_alert GROUP BY 1, 2, 3 ORDER BY 1, 2, 3").fetchall()
    db.close()
    return rows


def facts(case):
    """What is known of the captures, without the numbers that say when it came into the case."""
    db = sqlite3.connect(case)
    out = {}
    for table in FACTS:
        names = [row[1] for row in db.execute("PRAGMA table_info(%s)" % table)]
        ids = [n for n in names if n.endswith("_id") and n not in ("container_id",)]
        shown = ", ".join("%s & 4294967295" % n if n in ids and n != "run_capture_id" else "NULL" if n == "run_capture_id" else n for n in names)
        key = "run_capture_id" if "run_capture_id" in names else None
        where = ("run_capture_id IN (SELECT reading_id FROM captures)" if key else
                 "%s >> 32 IN (SELECT reading_id FROM captures)" % ids[0])
        out[table] = sorted(map(repr, db.execute("SELECT %s FROM %s WHERE %s" % (shown, table, where))))
    db.close()
    return out


def by_hand(folder):
    """Questions and their answers, as the events of the captures have it.

    Process 14106 of intrusion.scap is a shell that runs a script, 14432 of network.scap a Python program that uses sockets of all kinds;
    sessions.scap is made event by event: amy (1004) logs in by ssh, becomes root with `sudo -s`, fetches kd and runs it.
    """
    case = os.path.join(folder, "hand.db")
    names = [os.path.join(OWN, n + ".scap") for n in ("intrusion", "network", "sessions", "uring")]
    status, _, err = replay(case, *names)
    r.check(status == 0, "a case of four captures of three hosts", err)
    programs_and_files(case)
    processes_and_kernel(case)
    connections(case)
    r.equal(columns(query(case, "@alerts-by-severity"), "priority", "alerts"),
            [("Critical", 4), ("Error", 1), ("Warning", 16), ("Notice", 8), ("Informational", 1)], "alerts by severity")
    return case


def programs_and_files(case):
    # The script copies ls to /dev/shm/wl-ls, bash to nginx and mysqld, true to /usr/bin/wl-bin, and runs each; of `cc -o anti anti.c` it is
    # ld that writes the program. What Python executes from memory is no file.
    rows = query(case, "@written-then-executed")
    r.equal(columns(rows, "pid", "exepath", "writer_pid", "writer"),
            [(14124, "/dev/shm/wl-ls", 14123, "cp"), (14135, "/tmp/wl.2KBE/anti", 14134, "ld"), (14138, "/tmp/wl.2KBE/nginx", 14137, "cp"),
             (14141, "/tmp/wl.2KBE/mysqld", 14140, "cp"), (14207, "/usr/bin/wl-bin", 14206, "cp")], "written, then executed")
    # The same without /usr/bin, and with what Python's child executes by its descriptor of a memfd. 14136 is a fork of anti that executes nothing.
    r.equal(columns(query(case, "@executed-from-writable"), "pid", "exepath", "from_memory"),
            [(14124, "/dev/shm/wl-ls", 0), (14127, "memfd:payload", 1), (14135, "/tmp/wl.2KBE/anti", 0), (14138, "/tmp/wl.2KBE/nginx", 0),
             (14141, "/tmp/wl.2KBE/mysqld", 0)], "executed from where everybody may write")
    # `rm -f` right behind two of them; the others go with the last command, `rm -rf` of the scratch directory.
    r.equal(columns(query(case, "@executed-then-deleted"), "pid", "exepath", "deleted_by_pid"),
            [(14124, "/dev/shm/wl-ls", 14125), (14135, "/tmp/wl.2KBE/anti", 14213), (14138, "/tmp/wl.2KBE/nginx", 14213),
             (14141, "/tmp/wl.2KBE/mysqld", 14213), (14207, "/usr/bin/wl-bin", 14208)], "executed, then deleted")
    # cp brings the 22 bytes "* * * * * root /tmp/x\n"; the shell itself appends the 11 bytes "export X=1\n". cron.tmp is in the scratch directory.
    r.equal(columns(query(case, "@persistence"), "pid", "path", "bytes_written"),
            [(14201, "/etc/cron.d/wl-test", 22), (14106, "/tmp/wl.2KBE/.bashrc", 11)], "persistence")
    # Two cats read all of it, the second one as /tmp/../etc/shadow. Links to it are made without opening it.
    r.equal(columns(query(case, "@who-touched"), "pid", "comm", "bytes_read"), [(14109, "cat", 631), (14110, "cat", 631)], "who touched /etc/shadow")
    # The cats, `head -1 /etc/sudoers`; then the shell, which creates a key and credentials (and reads nothing), and the greps for "BEGIN PRIVATE" in the
    # 28 bytes "-----BEGIN PRIVATE KEY-----\n" and in the "x\n" of the credentials. `find` only looks for names.
    r.equal(columns(query(case, "@secrets-read"), "pid", "comm", "path", "bytes_read"),
            [(14109, "cat", "/etc/shadow", 631), (14110, "cat", "/etc/shadow", 631), (14111, "head", "/etc/sudoers", 1714),
             (14106, "bash", "/tmp/wl.2KBE/root/.ssh/id_rsa", 0), (14113, "grep", "/tmp/wl.2KBE/root/.ssh/id_rsa", 28),
             (14106, "bash", "/tmp/wl.2KBE/.aws/credentials", 0), (14117, "grep", "/tmp/wl.2KBE/.aws/credentials", 2)], "secrets read")


def processes_and_kernel(case):
    # sudo is set-uid root, and all it starts keeps amy's login uid. Everything in the other captures was started without a login, by root.
    r.equal(columns(query(case, "@became-root"), "pid", "login", "cmdline"),
            [(820, "amy", "sudo -s"), (830, "amy", "sudo -s"), (840, "amy", "bash"), (850, "amy", "curl http://10.9.8.7/k -o kd"),
             (851, "amy", "chmod +x kd"), (852, "amy", "kd -d"), (853, "amy", "sh -c uname -a"), (854, "amy", "ps ax")], "became root")
    # amy's ping is in the background when her shell 810 exits, as is kd when root's shell 840 does: both go to init.
    r.equal(columns(query(case, "@reparented"), "pid", "started_by", "now_below"), [(815, 810, 1), (852, 840, 1)], "reparented")
    # In the container of sessions.scap, nc exits with SIGKILL; the script ends with `kill $(cat srv.pid)`, the web server's.
    r.equal(columns(query(case, "@crashed"), "pid", "outcome"), [(2101, "signal 9"), (14147, "signal 15")], "ended by a signal")
    # `unshare -m --mount-proc` makes / private and mounts a new /proc; below it /mnt comes and goes, then `mount --bind` and its umount.
    # insmod and modprobe fail: no module is loaded.
    r.equal(columns(query(case, "@kernel-changes"), "kind", "pid", "text"),
            [("mount", 14193, "none -> /"), ("mount", 14193, "proc -> /proc"), ("mount", 14195, "none -> /mnt"), ("umount", 14196, " -> /mnt"),
             ("mount", 14199, "/etc -> /tmp/wl.2KBE/bind"), ("umount", 14200, " -> /tmp/wl.2KBE/bind")], "mounts")
    # What amy's shell 810 starts, in order, and behind `sudo -s` what root's does, which has no peer of its own.
    r.equal(columns(query(case, "@commands-typed"), "user", "login_user", "remote", "cmdline")[:6],
            [("amy", "amy", "203.0.113.9:51234", c) for c in ("id", "cat /var/log/auth.log", "grep sudo: amy", "ping 10.9.8.7", "sudo -s")]
            + [("root", "amy", None, "bash")], "commands typed")


def connections(case):
    # kd writes 300 bytes and reads 12; sshd writes 64 to amy's host. What is on loopback is before them: it is more.
    r.equal(columns(query(case, "@talkers", "-p", "limit=4"), "remote_ip", "bytes_out", "bytes_in")[2:],
            [("10.9.8.7", 300, 12), ("203.0.113.9", 64, 0)], "talkers")
    # curl sends "GET / HTTP/1.1", "Host: 127.0.0.1:18080", "User-Agent: curl/7.88.1" and "Accept: */*", with line ends and an empty line 79 bytes; the shell
    # sends the 18 of "GET / HTTP/1.0\r\n\r\n" and gives the first 100 of the answer to head; `sh -i` waits for commands that do not come. Python
    # connects five times by IPv4 and five times by IPv6, sends 28 bytes, "GET /0 HTTP/1.1\r\nHost: x\r\n\r\n", and gets them twice and a "bye": 59. Five datagrams "ping0"
    # to "ping4", then "a" and "b" as one, are 27 bytes.
    rows = columns(query(case, "@outbound-connections"), "pid", "proto", "remote_ip", "remote_port", "bytes_out", "bytes_in")
    r.equal([row for row in rows if row[0] != 14161],
            [(852, "tcp", "10.9.8.7", 4444, 300, 12), (14159, "tcp", "127.0.0.1", 18080, 79, 750), (14163, "tcp", "127.0.0.1", 18080, 18, 100),
             (14167, "tcp", "127.0.0.1", 18080, 0, 0)] + 5 * [(14432, "tcp", "127.0.0.1", 45553, 28, 59)]
            + 5 * [(14432, "tcp6", "::1", 45329, 28, 59)] + [(14432, "udp", "127.0.0.1", 47556, 27, 0), (14432, "tcp", "127.0.0.1", 1, 0, 0)],
            "outbound connections, but for wget's")
    # Nobody listens on port 1, where Python tries it once. Programs that ask for users' names try the name service's cache, which is not there.
    rows = columns(query(case, "@failed-connections"), "comm", "remote", "remote_port", "why", "attempts")
    r.equal(rows[-1:], [("python3", "127.0.0.1", 1, "refused", 1)], "failed connections")
    r.equal({row[1:4] for row in rows[:-1]}, {("/var/run/nscd/socket", None, "no such file")}, "failed connections to a cache")
    # sshd and nginx of sessions.scap were there already. `http.server 18080`, then Python's sockets: two that listen and one for datagrams.
    # The program that uses io_uring listens, too, and lets the kernel choose.
    r.equal(columns(query(case, "@new-listeners"), "pid", "comm", "proto", "local_ip"),
            [(14147, "python3", "tcp", "127.0.0.1"), (14432, "python3", "tcp", "127.0.0.1"), (14432, "python3", "tcp6", "::1"),
             (14432, "python3", "udp", "127.0.0.1"), (21085, "ringer", "tcp", "127.0.0.1")], "new listeners")
    r.equal(columns(query(case, "@listeners"), "pid", "local_port", "from_start")[:2], [(700, 22, 1), (950, 80, 1)], "listeners from the start")


def every_saved_query(case):
    names = sorted(n[:-4] for n in os.listdir(QUERIES) if n.endswith(".sql"))
    r.check(len(names) >= 25, "there are at least 25 saved queries")
    listed = check.run(["query", "--list"])[1]
    for name in names:
        with open(os.path.join(QUERIES, name + ".sql")) as f:
            text = f.read()
        r.check(re.match(r"-- SPDX.*\n-- [A-Z].*\?\n", text) is not None, "%s has its question in words" % name)
        r.check("  %s " % name in listed, "%s is listed" % name)
        status, _, err = check.run(["query", case, "@" + name])
        r.check(status == 0 and not err, "%s runs" % name, err)


def corpus_case(folder):
    """All saved queries over a case of recordings and of captures that others made."""
    corpus = os.path.join(os.path.dirname(check.ROOT), "shared", "corpus")
    paths = [os.path.join(path, n) for path, _, names in sorted(os.walk(corpus)) for n in sorted(names) if n.endswith(".scap")]
    if not paths:
        r.skip("a case of the corpus: ../shared is not here")
        return
    case = os.path.join(folder, "corpus.db")
    status, _, err = replay(case, *paths)
    r.check(status == 0, "a case of %d captures of the corpus" % len(paths), err)
    every_saved_query(case)
    # persist.sh: `cp /bin/sleep .hidden` and `cp /bin/bash httpd`, then run; intrusion.scap is a capture of the corpus, too; the container copies true.
    written = {os.path.basename(row["exepath"]) for row in query(case, "@written-then-executed")}
    r.check({"wl-ls", "anti", "nginx", "mysqld", "wl-bin", ".hidden", "httpd"} <= written, "written, then executed, in the corpus", str(written))


def until_busy(process):
    """Return when @process has computed for a fifth of a second: it is at its work, not starting."""
    ticks = os.sysconf("SC_CLK_TCK") // 5
    while process.poll() is None:
        with open("/proc/%d/stat" % process.pid) as f:
            if int(f.read().rsplit(")", 1)[1].split()[11]) >= ticks:
                return
        os.sched_yield()


def refusals(case, folder):
    """What is not allowed, and what is wrong with SQL, ends with a message."""
    for sql, status, word in (("DELETE FROM alerts", 3, "authorized"), ("ATTACH 'x.db' AS x", 3, "authorized"),
                              ("PRAGMA journal_mode = DELETE", 3, "authorized"), ("SELECT load_extension('x')", 3, ""),
                              ("SELECT 1;\nSELECT fro m", 3, "line 2"), ("SELECT :a", 3, "-p a=VALUE"), ("@nothing", 3, "no saved query")):
        got, _, err = check.run(["query", case, sql])
        r.check(got == status and word in err, "%s is refused" % sql, "  status %d: %s" % (got, err))
    r.check(not os.path.exists(os.path.join(folder, "x.db")), "nothing was attached")
    for sql in ("UPDATE notes SET text = ''", "DELETE FROM verdicts", "DROP TABLE notes", "DROP TRIGGER notes_stay"):
        got, _, err = check.run(["query", "--write", case, sql])
        r.check(got == 3 and "authorized" in err, "%s is refused also with --write" % sql, err)
    got = check.run(["query", "--write", case, "INSERT INTO notes (author, text) VALUES ('ada', 'x')"])
    r.equal(got[0], 0, "a note is added")
    db = sqlite3.connect(case)
    try:
        db.execute("UPDATE notes SET text = 'y'")
        r.check(False, "a note stays in any program")
    except sqlite3.DatabaseError as e:
        r.check("append-only" in str(e), "a note stays in any program", str(e))
    db.close()
    forever = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    got, _, err = check.run(["query", "--timeout", "200ms", case, forever])
    r.check(got == 5 and "--timeout" in err, "a query ends with its time", "  status %d: %s" % (got, err))
    got, _, err = check.run(["query", "--mem-limit", "20M", case, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
                             "SELECT group_concat(hex(randomblob(4000))) FROM n"])
    r.check(got in (3, 5), "a query ends with its memory", "  status %d: %s" % (got, err))
    p = check.popen([check.scapula_path(), "query", case, forever], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until_busy(p)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=60)
    r.check(p.returncode == 130 and b"interrupted" in err, "a query is interrupted", err.decode())


def formats(case):
    """The same rows in every format; nothing hostile gets through."""
    sql = "SELECT 1 AS a, NULL AS a, '=1+1' AS \"b|c\", char(27) || '[2J<script>[x](y)' AS d, x'00ff' AS e"
    want = {"text": "\\x1b", "csv": "'=1+1", "jsonl": '"a_2":null', "markdown": "\\<script\\>"}
    for name, word in want.items():
        status, out, err = check.run(["query", "-f", name, case, sql])
        r.check(status == 0 and word in out and "\x1b" not in out, "format %s" % name, out + err)
    hostile = "SELECT char(155, 8238, 127, 7) AS a, '@x' AS b, '-5' AS c, -5 AS d, char(9) || '=1' AS e, 'a' || char(13, 10) || 'b|c,\"' AS f, " \
        "'www.x.y http://z ![a](b)' AS g, char(10) || '<!--' AS \"=h\""
    for name, line in (("text", "\\xc2\\x9b\\u{202e}\\x7f\\x07  @x  -5  -5  \\x09=1  a\\x0d\\x0ab|c,\"  www.x.y http://z ![a](b)  \\x0a<!--"),
                       ("csv", "\\xc2\\x9b\\u{202e}\\x7f\\x07,'@x,-5,-5,'\\x09=1,\"a\\x0d\\x0ab|c,\"\"\",www.x.y http://z ![a](b),\\x0a<!--"),
                       ("markdown", "| \\\\xc2\\\\x9b\\\\u\\{202e\\}\\\\x7f\\\\x07 | \\@x | -5 | -5 | \\\\x09=1 | a\\\\x0d\\\\x0ab\\|c,\" | "
                                    "www\\.x.y http\\://z \\!\\[a\\]\\(b\\) | \\\\x0a\\<\\!-- |")):
        out = check.run(["query", "-f", name, case, hostile])[1].splitlines()
        r.equal([out[-1]], [line], "format %s of hostile text" % name)
    r.equal(check.run(["query", "-f", "csv", case, hostile])[1].split("\n")[0].strip(), "a,b,c,d,e,f,g,'=h", "names of columns are cells, too")
    row = json.loads(check.run(["query", "-f", "jsonl", case, sql])[1])
    r.equal(row["d"], "\x1b[2J<script>[x](y)", "JSON keeps the text")


def repeated(folder):
    """A capture that is replayed again, under another name, with other rules: nothing twice."""
    case, moved = os.path.join(folder, "again.db"), os.path.join(folder, "moved.scap")
    replay(case, check.DEMO)
    first, before = identities(case), facts(case)
    shutil.copy(check.DEMO, moved)
    replay(case, moved)
    r.equal(identities(case), first, "the same alerts once")
    r.equal(facts(case), before, "the same facts")
    r.equal([n for *_, n in first], [1] * len(first), "each alert is shown once")
    r.equal(columns(query(case, "SELECT count(*) n FROM captures UNION ALL SELECT count(*) FROM run_captures"), "n"), [(1,), (2,)], "one capture, two readings")
    r.equal(columns(query(case, "SELECT sum(alerts) n FROM v_rule_count"), "n"), [(len(first),)], "counts know of repeats")
    r.equal(columns(query(case, "SELECT count(*) n FROM v_finding"), "n"), [(2 * len(first),)], "both runs found them")


def documented(folder):
    """The shell session of the document, to the letter."""
    with open(os.path.join(check.ROOT, "docs", "case.md")) as f:
        text = f.read()
    shutil.copy(check.DEMO, os.path.join(folder, "capture.scap"))
    shutil.copy(RULES, os.path.join(folder, "rules.yaml"))
    os.symlink(check.scapula_path(), os.path.join(folder, "scapula"))
    env = dict(os.environ, TZ="UTC", PATH=folder + ":" + os.environ["PATH"], HOME=folder)
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    r.check(len(blocks) >= 3, "the document has a session")
    for command, want in re.findall(r"^\$ (.*?)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.M):
        p = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        r.equal(p.stdout.decode(), want, "docs/case.md: %s" % command)


def main():
    with tempfile.TemporaryDirectory() as folder:
        case = by_hand(folder)
        every_saved_query(case)
        corpus_case(folder)
        formats(case)
        refusals(case, folder)
        repeated(folder)
    with tempfile.TemporaryDirectory() as folder:
        documented(folder)
    r.finish()


main()

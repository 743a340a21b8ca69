#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The extension in the ordinary sqlite3 shell: the sessions of docs/sql-over-captures.md give what stands there, the tables say what
'scapula' says, and captures and arguments that are not what they should be end in errors.

  SCAPULA=...         the program
  SCAPULA_SQLITE=...  the extension; beside the program
  --write             put what the sessions give into the document
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

DOC = os.path.join(check.ROOT, "docs", "sql-over-captures.md")
CAPTURES = os.path.join(check.ROOT, "tests", "captures")
EXTENSION = os.environ.get("SCAPULA_SQLITE", os.path.join(os.path.dirname(check.scapula_path()), "scapula_sqlite.so"))
PROMPT = "sqlite> "
HOSTILE_RUNS = 40


def shell_environment():
    """Sanitizers have to be there before the program that loads what was built with them."""
    env = dict(os.environ, HOME="/nonexistent", XDG_CACHE_HOME="/nonexistent")
    undefined = subprocess.run(["nm", "-D", "--undefined-only", EXTENSION], capture_output=True, text=True).stdout
    if "__asan_" in undefined:
        names = ["libasan.so", "libubsan.so"]
        found = [subprocess.run(["gcc", "-print-file-name=" + n], capture_output=True, text=True).stdout.strip() for n in names]
        env["LD_PRELOAD"] = ":".join(found)
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    return env


ENV = shell_environment()


def shell(folder, text):
    p = subprocess.run(["sqlite3", "-batch"], input=text.encode(), cwd=folder, env=ENV, capture_output=True, timeout=300)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def query(folder, *statements):
    return shell(folder, ".load ./scapula_sqlite\n" + "".join(s + ";\n" for s in statements))


# --- the document ---

def run_session(folder, lines):
    """The lines of a session with what each statement gives; errors stand where the shell puts them."""
    out, before = [], []
    for line in lines:
        if not line.startswith(PROMPT):
            continue
        out.append(line)
        statement = line[len(PROMPT):]
        mark = ".print ---8<---\n"
        status, stdout, stderr = shell(folder, "".join(s + "\n" for s in before) + mark + statement + "\n")
        out += stdout.split("---8<---\n", 1)[1].splitlines()
        out += [re.sub(r"^(Runtime|Parse) error near line \d+", r"\1 error", s) for s in stderr.splitlines()]
        if not stderr and not statement.startswith("SELECT"):
            before.append(statement)
    return out


def check_document(r, folder, write):
    with open(DOC) as f:
        parts = re.split(r"(?ms)^(```console\n\$ sqlite3\n.*?^```\n)", f.read())
    for i in range(1, len(parts), 2):
        lines = parts[i].splitlines()[2:-1]
        got = run_session(folder, lines)
        if write:
            parts[i] = "```console\n$ sqlite3\n" + "".join(s + "\n" for s in got) + "```\n"
        else:
            r.check(got == lines, "session %d of the document\n%s\nnot\n%s" % (i // 2 + 1, "\n".join(got), "\n".join(lines)))
    if write:
        with open(DOC, "w") as f:
            f.write("".join(parts))
    r.check(len(parts) > 6, "the document has sessions")


# --- beside the program ---

def program(*args):
    p = subprocess.run([check.scapula_path(), *args], capture_output=True, text=True, timeout=300)
    return p.stdout


def check_events(r, folder, name):
    fields = ["evt.num", "evt.type", "proc.name", "proc.pid", "fd.name", "evt.args", "user.name", "container.id", "proc.aname[2]"]
    lines = program("events", "--containers", "--no-io-uring", "-f", "json", "-p", "*" + " ".join("%" + f for f in fields),
                    os.path.join(folder, name))
    want = [[json.loads(s)[f] for f in fields] for s in lines.splitlines()]
    columns = ", ".join("'%s', \"%s\"" % (f, f) for f in fields)
    status, out, err = query(folder, "SELECT json_object(%s) FROM scapula_events('%s')" % (columns, name))
    got = [[json.loads(s)[f] for f in fields] for s in out.splitlines()]
    differing = sum(a != b for a, b in zip(got, want))
    r.check(len(got) == len(want) and not differing,
            "%s: %d events, %d by the program, %d differ %s" % (name, len(got), len(want), differing, err))


def check_state(r, folder, name, event):
    at = "evt:%d" % event
    rows = [json.loads(s) for s in program("fds", "--at", at, "-f", "json", os.path.join(folder, name)).splitlines()]
    want = sorted([o["pid"], o["fd"], o["type"], o["mode"], o["path"] or None] for o in rows if o["kind"] == "fd" and o["type"] == "file")
    status, out, err = query(folder, "SELECT json_array(pid, fd, type, mode, path) FROM scapula_fds('%s', '%s') WHERE type = 'file'" % (name, at))
    got = sorted(json.loads(s) for s in out.splitlines())
    r.check(got == want, "%s at %s: descriptors of files %s not %s %s" % (name, at, got[:3], want[:3], err))


# --- what is hostile ---

def check_errors(r, folder):
    cases = [
        ("SELECT * FROM scapula_events('nosuch.scap')", "nosuch.scap"),
        ("SELECT * FROM scapula_events('.')", "'.'"),
        ("SELECT * FROM scapula_events('scapula_sqlite.so')", "scapula_sqlite.so"),
        ("SELECT * FROM scapula_threads('network.scap', 'noon')", "at 'noon': expected"),
        ("SELECT * FROM scapula_events('network.scap', 'evt.type = ')", "filter, column"),
        ("CREATE VIRTUAL TABLE t USING scapula_events('network.scap', field = 'no.field')", "'no.field' is not a field"),
    ]
    for sql, words in cases:
        status, out, err = query(folder, sql)
        r.check(status == 1 and words in err, "%s: status %d, %s" % (sql, status, err.strip()))


def check_damaged(r, folder):
    rnd = random.Random(5)
    with open(os.path.join(folder, "network.plain"), "rb") as f:
        whole = f.read()
    for i in range(HOSTILE_RUNS):
        data = bytearray(whole)
        for _ in range(rnd.randrange(1, 30)):
            data[rnd.randrange(len(data))] = rnd.randrange(256)
        with open(os.path.join(folder, "hostile.scap"), "wb") as f:
            f.write(data[: rnd.randrange(1, len(data))])
        status, out, err = query(folder, "SELECT count(args), count(fd_name) FROM scapula_events('hostile.scap')",
                                 "SELECT count(path) FROM scapula_fds('hostile.scap')", "SELECT count(*) FROM scapula_gaps('hostile.scap')")
        r.check(status in (0, 1) and "Sanitizer" not in err, "hostile capture %d: status %d %s" % (i, status, err))


def check_python(r, folder):
    """The module of Python, where it was built to load extensions."""
    code = ("import sqlite3, sys; db = sqlite3.connect(':memory:')\n"
            "if not hasattr(db, 'enable_load_extension'): sys.exit(77)\n"
            "db.enable_load_extension(True); db.load_extension('./scapula_sqlite')\n"
            "print(db.execute('SELECT count(*), min(num), max(type) FROM scapula_events(?) WHERE type = ? AND num > ?', "
            "('network.scap', 'connect', 100)).fetchall())")
    for python in ("/usr/bin/python3", sys.executable):
        p = subprocess.run([python, "-c", code], cwd=folder, env=ENV, capture_output=True, text=True, timeout=120) if os.path.exists(python) else None
        if p and p.returncode != 77:
            want = program("events", "--no-io-uring", "-F", "evt.type = connect and evt.num > 100", "-p", "%evt.num", os.path.join(folder, "network.scap")).split()
            r.check(p.stdout == "[(%d, %s, 'connect')]\n" % (len(want), want[0]), "Python: %s%s" % (p.stdout, p.stderr))
            return
    r.skip("no Python here loads extensions of SQLite")


def check_symbols(r):
    out = subprocess.run(["nm", "-D", "--defined-only", EXTENSION], capture_output=True, text=True).stdout.split()
    shown = [s for s in out[2::3] if not s.startswith("__")]
    r.check(shown == ["sqlite3_scapulasqlite_init"], "the extension shows %s" % shown)


def main():
    r = check.Results("the extension for SQLite")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(EXTENSION, os.path.join(folder, "scapula_sqlite.so"))
        for name in ("network.scap", "intrusion.scap", "sessions.scap"):
            shutil.copy(os.path.join(CAPTURES, name), folder)
        program("convert", os.path.join(folder, "network.scap"), "-o", os.path.join(folder, "plain.scap"))
        os.rename(os.path.join(folder, "plain.scap"), os.path.join(folder, "network.plain"))
        check_document(r, folder, "--write" in sys.argv)
        for name in ("network.scap", "intrusion.scap", "sessions.scap"):
            check_events(r, folder, name)
        for event in (1, 500, 700):
            check_state(r, folder, "network.scap", event)
        check_state(r, folder, "intrusion.scap", 9000)
        check_errors(r, folder)
        check_damaged(r, folder)
        check_python(r, folder)
        check_symbols(r)
    return r.finish()


if __name__ == "__main__":
    sys.exit(main())

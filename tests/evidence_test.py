#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles by other people, in other places; bytes between the members; the captures of a bundle replayed once more; what the custody log
is told; memory for copies out of archives; more hostile archives."""
import contextlib
import gzip
import hashlib
import html.parser
import io
import lzma
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bundle  # noqa: E402
import check  # noqa: E402
import bundle_test as base  # noqa: E402
from bundle_test import CAPTURE, RULES, clean, expect, read, verify_json, write  # noqa: E402

r = base.r = check.Results("evidence")
BAG = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- making ---

def same_bytes(folder):
    """Whoever makes it, wherever and whenever: the same inputs are the same bytes."""
    rules = read(RULES)
    names = ["%s.yaml" % c for c in "gcaefbd"]
    for where, order in (("one", names), ("two", sorted(names)), ("three", sorted(names, reverse=True))):
        os.makedirs(os.path.join(folder, where, "rules"))
        for name in order:
            write(os.path.join(folder, where, "rules", name), rules + b"# %s\n" % name.encode())
        for name in ("case.db", "n.scap", "n.scap.seal", "starter.yaml"):
            shutil.copy(os.path.join(folder, name), os.path.join(folder, where))
    wanted = {}
    for what, where, settings, umask, user in (
            ("first", "one", {}, 0o022, False), ("a umask that takes all", "one", {}, 0o777, False),
            ("another zone", "two", {"TZ": "Asia/Tokyo"}, 0o077, False),
            ("another language", "two", {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, 0o022, False),
            ("no language", "three", {"LC_ALL": "C"}, 0, False), ("another order of the directory", "three", {}, 0o022, False),
            ("another user", "two", {}, 0o022, True)):
        if user and (os.geteuid() != 0 or not shutil.which("setpriv")):
            r.skip("bundles by another user: needs root and setpriv")
            continue
        elsewhere = tempfile.mkdtemp()
        os.chmod(elsewhere, 0o777)
        program = check.scapula_path()
        if user:  # what the other one must reach
            program = shutil.copy(program, elsewhere)
        shutil.copytree(os.path.join(folder, where), os.path.join(elsewhere, "in"))
        for name in ("case.db", "n.scap", "n.scap.seal"):
            os.chmod(os.path.join(elsewhere, "in", name), 0o644)
        for end, epoch in (("tar", None), ("zip", None), ("tar", "1700000000"), ("zip", "1700000000")):
            if epoch:
                settings = dict(settings, SOURCE_DATE_EPOCH=epoch)
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if user else []
            command += [program, "bundle", "create", "-q", "-r", "in/rules", "in/case.db", "--add", "in/n.scap", "--force", "-o", "m." + end]
            p = subprocess.run(command, cwd=elsewhere, env=dict(os.environ, **settings), capture_output=True,
                               preexec_fn=lambda: os.umask(umask))
            out = os.path.join(elsewhere, "m." + end)
            data = read(out) if p.returncode == 0 else b""
            wanted.setdefault((end, epoch), data)
            r.check(data and data == wanted[end, epoch], "%s: the same %s, %s" % (what, end, epoch), p.stderr.decode())
            r.check(data and {os.stat(n).st_mode & 0o7777 for n in (out, out + ".root")} == {0o600}, "%s: for its owner" % what)
        shutil.rmtree(elsewhere)


def uncompressed(folder):
    """What compressed captures hold is in the bundle, too."""
    expect(["convert", "-q", "n.scap", "-o", "z.scap.zst"], 0, cwd=folder)
    write(os.path.join(folder, "x.scap.xz"), lzma.compress(read(CAPTURE)))
    plain = gzip.decompress(read(CAPTURE))
    write(os.path.join(folder, "p.scap"), plain)
    expect(["bundle", "create", "n.scap", "z.scap.zst", "x.scap.xz", "p.scap", "-o", "z.tar"], 0, cwd=folder)
    r.equal(subprocess.run(["zstd", "-dcq", "z.scap.zst"], cwd=folder, stdout=subprocess.PIPE).stdout, plain, "convert keeps what it holds")
    lines = bundle.members(read(os.path.join(folder, "z.tar")))["meta/streams-sha256.txt"].decode()
    r.equal(lines, "".join("%s  data/captures/%s\n" % (sha256(plain), name) for name in ("n.scap", "x.scap.xz", "z.scap.zst")),
            "hashes of what is compressed, and of nothing else")


# --- verifying ---

def between(folder):
    """Bytes of the tar that are of no member: a header has a checksum, what fills the blocks says nothing."""
    whole = read(os.path.join(folder, "b.tar"))
    path = os.path.join(folder, "y.tar")
    write(path + ".root", read(os.path.join(folder, "b.tar.root")))
    with tarfile.open(os.path.join(folder, "b.tar")) as t:
        members = list(t)
    for m in members:
        for at in (0, 30, 100, 108, 124, 135, 136, 148, 153, 156, 157, 257, 263, 265, 345, 511):
            changed = bytearray(whole)
            changed[m.offset_data - 512 + at] ^= 4
            write(path, changed)
            status, out, err = check.run(["verify", path])
            r.check(status in (1, 4) and "intact: every file" not in out and clean(err), "header of %s, byte %d" % (m.name, at),
                    "status %d: %s %s" % (status, out[:300], err))
        if m.size % 512:
            changed = bytearray(whole)
            changed[m.offset_data + m.size] ^= 4
            write(path, changed)
            expect(["verify", path], 0, what="what fills the last block of %s" % m.name)
    write(path, whole + b"anything")
    expect(["verify", path], 0, what="what follows the archive")
    write(path, b"x" + whole[1:])
    expect(["verify", path], 1, "is ALTERED", what="what was a bundle once, as its root says")


DEEP_RULES = b"""
- rule: Sockets
  desc: d
  condition: evt.type in (connect, accept, socket)
  output: "%proc.name %fd.name %evt.time %evt.args"
  priority: WARNING
- rule: Opens
  desc: d
  condition: evt.type in (openat, open, socket)
  output: "%proc.name %fd.name"
  priority: NOTICE
"""


def change(db, to, *statements):
    shutil.copy(db, to)
    c = sqlite3.connect(to)
    for sql, values in statements:
        c.execute(sql, values)
    c.commit()
    c.close()


def alone(folder):
    """A case that is in no bundle; a bag whose count of bytes does not fit."""
    expect(["verify", "case.db"], 0, "the database is whole", cwd=folder)
    with contextlib.closing(sqlite3.connect(os.path.join(folder, "other.db"))) as other:
        other.execute("CREATE TABLE t(x)")
    expect(["verify", "other.db"], 4, "is a SQLite database, but not a case", cwd=folder)
    data = bytearray(read(os.path.join(folder, "case.db")))
    data[20000:40000] = b"\xff" * 20000
    write(os.path.join(folder, "bad.db"), data)
    expect(["verify", "bad.db"], 1, "is damaged", cwd=folder)
    has = bundle.members(read(os.path.join(folder, "b.tar")))
    has["bag-info.txt"] = re.sub(rb"Oxum: \d", b"Oxum: 99", has["bag-info.txt"])
    write(os.path.join(folder, "oxum.tar"), retar(has))
    expect(["verify", "oxum.tar"], 1, in_out="Payload-Oxum", cwd=folder)


def retar(members):
    """A tar whose tagmanifest is made to fit."""
    tags = sorted(n for n in members if not n.startswith("data/") and n != "tagmanifest-sha256.txt")
    members["tagmanifest-sha256.txt"] = "".join("%s  %s\n" % (sha256(members[n]), n) for n in tags).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def replayed(folder):
    """verify --deep: the captures, once more, against the case."""
    db, other = os.path.join(folder, "deep.db"), os.path.join(folder, "other.db")
    tar = os.path.join(folder, "other.tar")
    scratch = os.path.join(folder, "tmp")
    os.mkdir(scratch)
    env = {"TMPDIR": scratch}
    write(os.path.join(folder, "deep.yaml"), DEEP_RULES)
    for more in (["--matching", "all", "n.scap", "x.scap.xz"], ["-F", "fd.name contains 1", "--tz", "+02:00", "--from", "+10ms", "n.scap"],
                 ["-D", "Opens", "-O", "priority=warning", "z.scap.zst"]):
        expect(["replay", "-q", "-r", "deep.yaml", "--db", db] + more, 0, cwd=folder)
    made = sqlite3.connect(db)
    count = made.execute("SELECT count(*) FROM alerts").fetchone()[0]
    made.close()
    expect(["bundle", "create", db, "-o", "deep.tar"], 0, cwd=folder)
    status, lines = verify_json(os.path.join(folder, "deep.tar"), "--deep")
    deep = lines[0]["deep"]
    r.equal((lines[0]["status"], deep["runs"], deep["readings"], deep["alerts_same"], deep["streams_same"], deep["differences"]),
            (0, 3, 4, count, 2, []), "every alert of every run comes again")
    r.equal((deep["reports_same"], deep["reports_other"], deep["reports_skipped"]), (2, 0, 0), "and so do the reports")
    r.check(count > 100, "and there are some", str(count))
    unpacked = os.path.join(folder, "u-deep")
    with tarfile.open(os.path.join(folder, "deep.tar")) as t:
        t.extractall(unpacked)
    status, lines = verify_json(unpacked, "--deep")
    r.equal((lines[0]["status"], lines[0]["deep"]["alerts_same"], lines[0]["deep"]["reports_same"]), (0, count, 2), "out of a directory, too")
    for what, sql, counts in (("left out", "DELETE FROM alerts WHERE seq = 3 AND run_capture_id = 1", (0, 1, 0)),
                              ("made up", "UPDATE alerts SET evt_num = 999999, evt_offset = 999999999 WHERE alert_id = 5", (1, 1, 0)),
                              ("reworded", "UPDATE alerts SET output = 'it was <b>' || char(27) || '[31m' WHERE alert_id = 7", (0, 0, 1)),
                              ("moved", "UPDATE alerts SET ts = ts + 1 WHERE alert_id = 2", (0, 0, 1))):
        change(db, other, (sql, ()))
        expect(["bundle", "create", "-q", other, "-o", tar, "--force"], 0, cwd=folder)
        status, lines = verify_json(tar, "--deep")
        deep = lines[0]["deep"]
        r.equal((status, deep["alerts_missing"], deep["alerts_added"], deep["alerts_changed"]), (1,) + counts, "an alert %s" % what)
        out = expect(["verify", "--deep", tar], 1, in_out="but not all", cwd=folder, env=env)
        r.check("\x1b" not in out, "and it is told harmlessly")
        r.equal(verify_json(tar)[1][0]["status"], 0, "which manifests alone do not show")
    # A command line in a case may come from anybody: nothing is done that alerts do not depend on.
    evil = os.path.join(folder, "evil.out")
    change(db, other, ("UPDATE runs SET command = ? WHERE run_id = 1",
                       ("scapula replay -r x -O file_output.enabled=true -O file_output.filename=%s --db %s.db --matching all n.scap" % (evil, evil),)),
           ("UPDATE runs SET command = ? WHERE run_id = 2", ("scapula live -r x",)),
           ("UPDATE runs SET command = ? WHERE run_id = 3", ("scapula replay -c x.yaml -r 'y",)))
    expect(["bundle", "create", "-q", other, "-o", tar, "--force"], 0, cwd=folder)
    out = expect(["verify", "--deep", tar], 5, in_out="run 2: it was no replay", cwd=folder, env=env)
    r.check("run 3: it had a configuration file, which is not in the bundle: give it with --config" in out and not [n for n in os.listdir(folder) if n.startswith("evil.out")],
            "options that write are not taken", out)
    os.rename(os.path.join(folder, "z.scap.zst"), os.path.join(folder, "gone"))
    expect(["bundle", "create", "-q", db, "-o", tar, "--force", "--incomplete"], 5, cwd=folder)
    expect(["verify", "--deep", tar], 5, in_out="is not in the bundle", cwd=folder, env=env)
    os.rename(os.path.join(folder, "gone"), os.path.join(folder, "z.scap.zst"))
    expect(["bundle", "create", "-q", "n.scap", "-o", tar, "--force"], 0, cwd=folder)
    expect(["verify", "--deep", tar], 5, in_out="no case to compare with", cwd=folder, env=env)
    has = bundle.members(read(os.path.join(folder, "deep.tar")))
    has["meta/streams-sha256.txt"] = b"0" * 64 + b"  data/captures/z.scap.zst\n"
    write(tar, retar(has))
    os.unlink(tar + ".root")
    expect(["verify", "--deep", tar], 1, in_out="NOT as they were; first: data/captures/z.scap.zst", cwd=folder, env=env)
    r.equal(os.listdir(scratch), [], "nothing is left in the temporary directory")


def replayed_otherwise(folder):
    """verify --deep: threads, a configuration file that only the user has, and limits."""
    tar, env = os.path.join(folder, "configured.tar"), {"SCAPULA_CACHE_SIZE": "100M", "XDG_CACHE_HOME": os.path.join(folder, "cache")}
    written = os.path.join(folder, "written")
    write(os.path.join(folder, "falco.yaml"), ("priority: warning\nrule_matching: all\nfile_output: {enabled: true, filename: %s}\n" % written).encode())
    expect(["replay", "-q", "-c", "falco.yaml", "-r", "deep.yaml", "--db", "configured.db", "n.scap"], 0, cwd=folder)
    os.unlink(written)
    expect(["bundle", "create", "-q", "configured.db", "-o", tar], 0, cwd=folder)
    expect(["verify", "--deep", tar], 5, in_out="give it with --config", cwd=folder)
    _, lines = verify_json(tar, "--deep")
    r.equal((lines[0]["deep"]["runs"], lines[0]["deep"]["not_repeated"]), (0, 1), "a run with a configuration is not repeated without it")
    _, lines = verify_json(tar, "--deep", "--config", os.path.join(folder, "falco.yaml"))
    with_config = lines[0]["deep"]
    r.equal((lines[0]["status"], with_config["runs"], with_config["not_repeated"], with_config["differences"]), (0, 1, 0, []), "with it, it is")
    r.check(with_config["alerts_same"] > 5 and not os.path.exists(written), "and writes nothing")
    write(os.path.join(folder, "other.yaml"), b"rule_matching: first\npriority: debug\n")
    _, lines = verify_json(tar, "--deep", "--config", os.path.join(folder, "other.yaml"))
    r.check(lines[0]["status"] == 1 and lines[0]["deep"]["alerts_added"] > 0, "another one gives other alerts")
    expect(["verify", "--deep", "--config", "none.yaml", tar], 4, "none.yaml", cwd=folder)
    deep = os.path.join(folder, "deep.tar")
    alone = verify_json(deep, "--deep", "-j", "1")[1][0]["deep"]
    r.equal(verify_json(deep, "--deep", "-j", "3")[1][0]["deep"], alone, "threads make no difference")
    expect(["index", "u-deep/data/captures/n.scap"], 0, cwd=folder, env=env)
    r.equal(verify_json(os.path.join(folder, "u-deep"), "--deep", "-j", "3")[1][0]["deep"]["alerts_same"], alone["alerts_same"], "nor does an index")
    expect(["verify", "--deep", "-j", "0", deep], 3, "from 1 to", cwd=folder)
    write(os.path.join(folder, "long.scap"), gzip.decompress(read(check.DEMO)) * 8)  # limits are looked at now and then
    expect(["replay", "-q", "-r", "deep.yaml", "--db", "long.db", "long.scap"], 0, cwd=folder)
    expect(["bundle", "create", "-q", "long.db", "-o", "long.tar"], 0, cwd=folder)
    expect(["verify", "--deep", "long.tar"], 5, in_out="1 run, 1 capture", cwd=folder)
    out = expect(["verify", "--deep", "--mem-limit", "10k", "long.tar"], 5, in_out="needs more memory than --mem-limit", cwd=folder)
    r.check("missing" not in out and "NOT" not in out, "what was not replayed is not called missing", out)
    expect(["verify", "--deep", "--timeout", "1ns", deep], 5, "stopped by --timeout", cwd=folder)
    expect(["bundle", "create", "--timeout", "1ns", "-o", "late.tar", "configured.db"], 5, "stopped by --timeout", cwd=folder)
    r.check(not [n for n in os.listdir(folder) if n.startswith("late")], "nothing is left of a bundle that took too long")


def remade(members):
    """A tar whose manifests are made to fit."""
    data = {n: d for n, d in members.items() if n.startswith("data/")}
    members["manifest-sha256.txt"] = "".join("%s  %s\n" % (sha256(data[n]), n) for n in sorted(data)).encode()
    size = b"Payload-Oxum: %d.%d" % (sum(len(d) for d in data.values()), len(data))
    members["bag-info.txt"] = re.sub(rb"Payload-Oxum: [0-9.]+", size, members["bag-info.txt"])
    return retar(members)


def retold(folder):
    """verify --deep: reports that say something else than the case."""
    path = os.path.join(folder, "retold.tar")
    whole = read(os.path.join(folder, "deep.tar"))
    for name in ("data/results/alerts.jsonl", "data/results/report.html"):
        has = bundle.members(whole)
        has[name] = has[name].replace(b"WARNING", b"NOTICE", 1).replace(b"Warning", b"Notice", 1)
        r.check(has[name] != bundle.members(whole)[name], "%s: there is something to change" % name)
        write(path, remade(has))
        expect(["verify", path], 0, what="%s: manifests that fit show nothing" % name)
        expect(["verify", "--deep", path], 1, in_out="NOT as the case gives them; first: " + name)
        deep = verify_json(path, "--deep")[1][0]["deep"]
        r.equal((deep["reports_same"], deep["reports_other"]), (1, 1), "%s: the other one is as it was" % name)
    info = has["bag-info.txt"]
    has["bag-info.txt"] = info.replace(b"Agent: scapula ", b"Agent: scapula 0.0.")
    write(path, remade(has))
    expect(["verify", "--deep", path], 5, in_out="1 report: it was made by another version", what="another version tells it differently")
    has["bag-info.txt"] = re.sub(rb"Made-From-Case: .*\n", b"", info)
    write(path, remade(has))
    expect(["verify", "--deep", path], 0, what="a report that somebody added says what it likes")
    has = bundle.members(whole)
    has["data/results/also.db"] = bundle.members(read(os.path.join(folder, "b.tar")))["data/results/case.db"]
    write(path, remade(has))
    expect(["verify", "--deep", path], 5, in_out="2 reports: there are several cases", what="of which case they are is not known")


# --- custody ---

def entries(folder):
    """Commands write entries by themselves."""
    log = os.path.join(folder, "entries.log")
    env = {"SCAPULA_CUSTODY": log}
    expect(["replay", "-q", "-r", "starter.yaml", "--db", "entries.db", "n.scap"], 0, cwd=folder, env=env)
    expect(["verify", "n.scap", "b.tar"], 0, cwd=folder, env=env)
    expect(["info", "n.scap"], 0, cwd=folder, env=env)
    expect(["info", "--log-access", "n.scap"], 0, cwd=folder, env=env)
    expect(["info", "--log-access", "n.scap"], 3, "needs a custody log", cwd=folder)
    got = bundle.custody(read(log))
    r.equal([e["action"] for e in got], ["open-rw", "verify", "open"], "replay, verify, and reading if asked for")
    r.equal([[f["name"] for f in e.get("inputs", [])] for e in got], [["n.scap", "starter.yaml"], ["b.tar", "n.scap"], ["n.scap"]], "of what")
    for e in got:
        for f in e.get("inputs", []):
            data = read(os.path.join(folder, f["name"]))
            r.equal((f["size"], f["sha256"]), (len(data), sha256(data)), "%s: as %s was" % (e["action"], f["name"]))
    r.equal(got[0]["outputs"][0]["sha256"], sha256(read(os.path.join(folder, "entries.db"))), "and the case that came of it")
    r.equal(got[1]["reason"], "verified: intact", "and what was found")
    expect(["info", "--log-access", "n.scap"], 4, "cannot open the custody log", cwd=folder, env={"SCAPULA_CUSTODY": folder + "/none/log"})
    last = sha256(read(log).splitlines(True)[-1])
    expect(["custody", "add", log, "one more"], 0)
    expect(["custody", "check", "--hash", last, log], 0, what="a hash that was kept is found")
    write(log, b"".join(read(log).splitlines(True)[:2]))
    expect(["custody", "check", log], 0, what="a log that was cut at a line looks whole")
    expect(["custody", "check", "--hash", last, log], 1, "NOT what it was", what="until a hash is held against it")


def written(folder):
    """query --write is about to change evidence."""
    log = os.path.join(folder, "written.log")
    env = {"SCAPULA_CUSTODY": log}
    note = "INSERT INTO notes (written, author, text) VALUES (0, 'ada', :text)"
    shutil.copy(os.path.join(folder, "case.db"), os.path.join(folder, "w.db"))
    expect(["query", "w.db", "SELECT 1"], 0, cwd=folder, env=env)
    expect(["query", "w.db", note, "-p", "text=x"], 3, "only read", cwd=folder, env=env)
    r.check(not os.path.exists(log), "a case that is only read is no entry")
    for text in ("one", "two"):
        expect(["query", "--write", "w.db", note, "-p", "text=" + text], 0, cwd=folder, env=env)
        got = bundle.custody(read(log))
        r.equal((got[-1]["action"], [f["name"] for f in got[-1]["outputs"]]), ("open-rw", ["w.db"]), "query --write: which case")
        r.check({"query", "--write", note, "text=" + text} <= set(got[-1]["argv"]), "and what was done to it", str(got[-1]["argv"]))
        r.equal(got[-1]["outputs"][0]["sha256"], sha256(read(os.path.join(folder, "w.db"))), "and what it is since then")
    expect(["query", "--write", "none.db", "SELECT 1"], 4, "none.db", cwd=folder, env=env)
    r.equal(len(bundle.custody(read(log))), 2, "a case that is not there was not changed")


def recorded(folder):
    """record and live tell the log what they recorded."""
    if not check.can_record():
        r.skip("entries about recordings: this host cannot record")
        return
    log = os.path.join(folder, "recorded.log")
    env = {"SCAPULA_CUSTODY": log}
    noise = check.popen(["sh", "-c", "while cat /dev/null; do :; done"], start_new_session=True)
    expect(["record", "-q", "-o", "r.scap.zst", "--duration", "200ms"], 0, cwd=folder, env=env)
    expect(["record", "-q", "--rotate", "100ms:2", "-o", "rot.scap.zst", "--duration", "500ms"], 0, cwd=folder, env=env)
    expect(["live", "-q", "-r", "starter.yaml", "-o", "l.scap.zst", "--db", "l.db", "--duration", "200ms"], 0, cwd=folder, env=env)
    os.killpg(noise.pid, signal.SIGKILL)
    noise.wait()
    got = bundle.custody(read(log))
    r.equal([e["action"] for e in got], ["collect", "collect", "collect", "open-rw"], "record, and live, also of its case")
    made = [f for e in got for f in e["outputs"]]
    there = sorted(n for n in os.listdir(folder) if re.match(r"(r|l|rot\.\d+)\.scap\.zst$|l\.db$", n))
    r.equal(sorted(f["name"] for f in made), there, "all files that are kept, and no others")
    r.check(all(f["sha256"] == sha256(read(os.path.join(folder, f["name"]))) for f in made), "as they are")


SHEET_TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "table", "thead", "tbody", "tr", "th", "td", "p", "br", "code"}


class Markup(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs} if tag != "meta" else set()


def sheets(folder):
    """A log may hold anything; the sheet stays a sheet."""
    log, name = os.path.join(folder, "sheet.log"), os.path.join(folder, "n <img src=x> |.scap")
    hostile = "<script>alert(1)</script> |x|\n# y \x1b[31m \u202e `z` http://e.example www.e.example [a](b) 'q\" &amp;"
    shutil.copy(CAPTURE, name)
    expect(["custody", "add", "--actor", hostile, "--input", name, log, hostile], 0)
    for form in ("md", "html", "text"):
        out = expect(["custody", "form", "-f", form, "--title", hostile, log], 0)
        r.check("\x1b" not in out and "\u202e" not in out, "%s: no control characters" % form)
        r.check(out.lower().count("chain of custody"), "%s: it is a sheet" % form)
        r.check(sha256(read(CAPTURE)) in out and sha256(read(log)) in out, "%s: with what it is about" % form)
        if form == "html":
            p = Markup()
            p.feed(out)
            r.check(p.tags <= SHEET_TAGS and p.attributes <= {"lang", "scope", "class"} and "default-src 'none'" in out,
                    "html: no markup of others", str((p.tags, p.attributes)))
        if form == "md":
            text = re.sub(r"\\.", "", out.replace("`%s`" % sha256(read(log)), ""))
            r.check(not re.search(r"[<`\[*_]|://|www\.", text), "md: no markup of others", text)
            rows = [re.sub(r"\\.", "", line).count("|") for line in out.splitlines() if line.startswith("| 0 |")]
            r.equal(rows, [8], "md: no cells of others")
    expect(["custody", "form", "-f", "json", log], 3, "expected text, md or html")
    expect(["custody", "show", "-f", "html", log], 3, "expected text, json or md")
    expect(["custody", "add", log, "another"], 0)
    write(log, read(log).replace(b'"action":"note"', b'"action":"seal"', 1))
    out = expect(["custody", "form", log], 1, "BROKEN")
    r.check("then the log is BROKEN" in out, "a sheet says that its log is broken")


# --- reading out of archives ---

def memory(folder):
    """Copies out of compressed archives: in memory up to --mem-limit, then in a file that has no name."""
    subprocess.run(["gzip", "-k", "b.tar"], cwd=folder, check=True)
    env = {"TMPDIR": os.path.join(folder, "nowhere")}
    small = ["--mem-limit", "100K"]
    for where, plain in (("b.tar", True), ("b.tar.gz", False), ("b.zip", False)):
        expect(["verify", where], 0, cwd=folder, env=env, what="%s: a case fits" % where)
        if plain:
            expect(["verify"] + small + [where], 0, cwd=folder, env=env, what="%s: it is read where it is" % where)
        else:
            status, out, err = check.run(["verify"] + small + [where], cwd=folder, env=env)
            r.check(status == 4 and "nowhere" in err and clean(err), "%s: beyond the limit a file is needed" % where, out + err)
        expect(["verify"] + small + [where], 0, cwd=folder, what="%s: which may be" % where)
        expect(["query", where + "//data/results/case.db", "SELECT count(*) FROM captures"], 0, in_out="1", cwd=folder, env=env)
    with tarfile.open(os.path.join(folder, "a.tar.gz"), "w:gz") as t:
        t.add(os.path.join(folder, "n.scap"), "d/n.scap")
    salvage = ["salvage", "-q", "--no-seal", "--force", "a.tar.gz//d/n.scap", "-o", "sa.scap"]
    expect(salvage, 0, cwd=folder, env=env)
    expect(salvage + ["--mem-limit", "10K"], 4, "nowhere", cwd=folder, env=env)
    expect(salvage + ["--mem-limit", "10K"], 0, cwd=folder)
    with zipfile.ZipFile(os.path.join(folder, "xz.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("n.scap.xz", lzma.compress(read(CAPTURE)))
    r.equal(check.run(["events", "xz.zip//n.scap.xz"], cwd=folder)[:2], check.run(["events", "n.scap"], cwd=folder)[:2], "xz in a zip")


# --- hostile archives ---

def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hostile(folder):
    path = os.path.join(folder, "evil.tar")
    inner = read(CAPTURE)
    for _ in range(5):
        inner = tar_of([("n", inner)])
    write(path, inner)
    expect(["info", "evil.tar//n//n//n//n//n"], 4, "ARC_NESTING_MAX", cwd=folder)
    once = read(os.path.join(folder, "b.tar"))
    for _ in range(3):
        once = gzip.compress(once, 1)
    write(path, once)
    expect(["verify", "evil.tar"], 4, "ARC_FILTERS_MAX", cwd=folder)
    for what, name in (("a backslash", "a\\b"), ("an empty part", "a//b"), ("a drive", "c:/x"), ("a long name", "n" * 5000), ("dots", "a/./b"),
                       ("dots at the end", "a/.."), ("bidi controls", "a\u202eb")):
        write(path, tar_of([("bagit.txt", BAG), (name, b"x")]))
        expect(["verify", "evil.tar"], 4, "is refused", cwd=folder, what="a name with %s" % what)
    for size in (1 << 62, 1 << 43):  # claimed, not there
        info = tarfile.TarInfo("n.scap")
        info.size = size
        write(path, info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
        expect(["info", "evil.tar//n.scap"], 4, "ARC_UNPACKED_MAX", cwd=folder, what="a member of 2^%d bytes" % (size.bit_length() - 1))
    with zipfile.ZipFile(os.path.join(folder, "names.zip"), "w") as z:
        for i in range(2200):
            z.writestr("%04d" % i + "n" * 4000, b"")
    expect(["info", "names.zip//1"], 4, "ARC_NAMES_MAX", cwd=folder)
    with zipfile.ZipFile(os.path.join(folder, "bomb.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("bagit.txt", BAG)
        for i in range(3):
            z.writestr("bomb%d" % i, bytes(60 << 20))
    expect(["verify", "bomb.zip"], 4, "ARC_RATIO_MAX", cwd=folder)


def main():
    with tempfile.TemporaryDirectory() as folder:
        base.make_case(folder)
        for end in ("tar", "zip"):
            expect(["bundle", "create", "-q", "case.db", "-o", "b." + end], 0, cwd=folder)
        for test in (same_bytes, uncompressed, between, alone, replayed, replayed_otherwise, retold, entries, written, recorded, sheets, memory, hostile):
            test(folder)
    r.finish()


if __name__ == "__main__":
    main()

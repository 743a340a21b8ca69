#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula bundle, verify and custody, beside a second reader that was made from docs/bundle.md alone, and beside sha256sum and
ssh-keygen; captures, rules and cases read out of archives; hostile archives."""
import io
import json
import lzma
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import bundle  # noqa: E402
import check  # noqa: E402

r = check.Results("bundles")
SEED = 20261122
CAPTURE = os.path.join(check.ROOT, "tests", "captures", "network.scap")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
LARGE = 2 << 30
MEMORY = 64 << 20


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def clean(err):
    return "runtime error" not in err and "Sanitizer" not in err


def expect(args, status, in_err="", in_out="", what=None, cwd=None, env=None):
    got, out, err = check.run(args, cwd=cwd, env=env)
    r.check(got == status and in_err in err and in_out in out and clean(err), what or " ".join(args),
            "  status %d, want %d\n  stderr: %s\n  stdout: %s" % (got, status, err[-1500:], out[-1500:]))
    return out


def sums(folder, root):
    """What sha256sum says of an unpacked bundle and its root."""
    status = 0
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt", root):
        p = subprocess.run(["sha256sum", "--strict", "--quiet", "-c", manifest], cwd=folder, capture_output=True)
        status |= p.returncode
    return status


def make_case(folder):
    shutil.copy(CAPTURE, os.path.join(folder, "n.scap"))
    shutil.copy(RULES, os.path.join(folder, "starter.yaml"))
    expect(["seal", "-q", "n.scap"], 0, cwd=folder, what="the capture is sealed")
    expect(["replay", "-q", "-r", "starter.yaml", "--db", "case.db", "n.scap"], 0, cwd=folder, what="and replayed")


# --- making ---

def made(folder):
    for end, opener in (("tar", tarfile.open), ("zip", zipfile.ZipFile)):
        out = expect(["bundle", "create", "case.db", "-o", "b." + end], 0, cwd=folder)
        data = read(os.path.join(folder, "b." + end))
        report = bundle.verify(data)
        r.equal((report.verdict, "root  %s\n" % report.root), ("intact", out), "%s: the second reader agrees" % end)
        r.equal(read(os.path.join(folder, "b.%s.root" % end)).decode(), "%s  tagmanifest-sha256.txt\n" % report.root,
                "%s: the root is beside it" % end)
        has = bundle.members(data)
        r.equal([n for n in has if n.startswith("data/")],
                ["data/captures/n.scap", "data/captures/n.scap.seal", "data/results/alerts.jsonl", "data/results/case.db",
                 "data/results/report.html", "data/rules/001-starter.yaml"],
                "%s: all that the case was made from, and what it says" % end)
        r.check(has["data/captures/n.scap"] == read(CAPTURE) and has["data/rules/001-starter.yaml"] == read(RULES),
                "%s: as it is stored" % end)
        os.utime(os.path.join(folder, "n.scap"))
        expect(["bundle", "create", "case.db", "-o", "again." + end], 0, cwd=folder)
        r.check(data == read(os.path.join(folder, "again." + end)), "%s: made again, it is the same" % end)
        expect(["bundle", "create", "case.db", "-o", "b." + end], 4, "exists; --force replaces it", cwd=folder)
        expect(["verify", "b." + end], 0, in_out="intact: every file is as the manifests have it", cwd=folder)
        unpacked = os.path.join(folder, "u-" + end)
        with opener(os.path.join(folder, "b." + end)) as t:
            t.extractall(unpacked)
        r.equal(sums(unpacked, "../b.%s.root" % end), 0, "%s: sha256sum verifies it" % end)
        expect(["verify", unpacked], 0, in_out="directory", what="%s: unpacked, too" % end)
    for name in ("meta/env.json", "meta/case.jsonld"):
        json.loads(has[name])
    p = subprocess.run(["bsdtar", "-tf", "-"], input=has["meta/mtree"], stdout=subprocess.PIPE) if shutil.which("bsdtar") else None
    r.check(p is None or p.stdout.decode().split() == ["./" + n for n in has if n.startswith("data/")], "bsdtar reads meta/mtree")
    status, out, err = check.run(["bundle", "create", "-r", "starter.yaml", "-o", "-"], cwd=folder)
    r.check(status == 0 and "root  " in err, "to standard output", err)
    expect(["bundle", "create", "-o", "x.tar", "nothing.scap"], 4, "nothing.scap", cwd=folder)
    r.check(not [n for n in os.listdir(folder) if "partial" in n or n.startswith("x.tar")], "what fails leaves nothing behind")


ALERTS_RULES = b"""
- rule: Sockets
  desc: d
  condition: evt.type in (connect, accept, socket, openat)
  output: "%proc.name %fd.name"
  priority: WARNING
"""
REPORTS = {"data/results/alerts.jsonl": "jsonl", "data/results/report.html": "html"}


def printed(form, case, cwd):
    """What scapula report prints, as bytes."""
    p = subprocess.run([check.scapula_path(), "report", "-f", form, case], cwd=cwd, capture_output=True,
                       env={n: v for n, v in os.environ.items() if n != "SOURCE_DATE_EPOCH"})
    r.check(p.returncode == 0, "report -f %s %s" % (form, case), p.stderr.decode())
    return p.stdout


def reported(folder):
    """The report and the alerts are those of the case that is in the bundle."""
    write(os.path.join(folder, "alerts.yaml"), ALERTS_RULES)
    expect(["replay", "-q", "-r", "alerts.yaml", "--db", "said.db", "n.scap"], 0, cwd=folder)
    shutil.copy(os.path.join(folder, "said.db"), os.path.join(folder, "old.db"))
    case = sqlite3.connect(os.path.join(folder, "said.db"))  # what is in the write-ahead log only is told, too
    case.execute("PRAGMA journal_mode = WAL")
    case.execute("INSERT INTO notes (written, author, text) VALUES (0, 'ada', 'said of it <b>')")
    case.commit()
    r.check(os.path.getsize(os.path.join(folder, "said.db-wal")), "the case has a write-ahead log")
    scratch = os.path.join(folder, "scratch")
    os.mkdir(scratch)
    for name, env in (("said.tar", {}), ("dated.tar", {"SOURCE_DATE_EPOCH": "1700000000"})):
        expect(["bundle", "create", "said.db", "-o", name], 0, cwd=folder, env=dict(env, TMPDIR=scratch))
    case.close()
    r.equal(os.listdir(scratch), [], "nothing is left in the temporary directory")
    has, dated = (bundle.members(read(os.path.join(folder, n))) for n in ("said.tar", "dated.tar"))
    unpacked = os.path.join(folder, "u-said")
    with tarfile.open(os.path.join(folder, "said.tar")) as t:
        t.extractall(unpacked)
    for member, form in REPORTS.items():
        r.check(has[member] == printed(form, "data/results/said.db", unpacked), "%s is what scapula report prints" % member)
        r.check(has[member] == dated[member], "%s has no time of making" % member)
        r.check(b"Made-From-Case: %s\n" % member.encode() in has["bag-info.txt"], "bag-info.txt says what %s is" % member)
        r.check(folder.encode() not in has[member] and b"scapula-" not in has[member], "%s names no place on this host" % member)
    r.check(has["data/results/alerts.jsonl"] == printed("jsonl", "said.tar//data/results/said.db", folder), "out of the archive, too")
    r.check(b"said of it &lt;b&gt;" in has["data/results/report.html"], "what people said until then is in the page")
    c = sqlite3.connect(os.path.join(unpacked, "data", "results", "said.db"))
    count = c.execute("SELECT count(*) FROM alerts").fetchone()[0]
    c.close()
    r.equal((has["data/results/alerts.jsonl"].count(b"\n"), count > 10), (count, True), "a line for each alert")
    expect(["bundle", "create", "said.db", "-o", "without.tar", "--no-report", "--add", "u-said/data/results/report.html"], 0, cwd=folder)
    without = bundle.members(read(os.path.join(folder, "without.tar")))
    r.equal([n for n in without if n.startswith("data/results/")], ["data/results/report.html", "data/results/said.db"], "--no-report")
    r.check(b"Made-From-Case" not in without["bag-info.txt"], "what was added is not said to be made of the case")
    expect(["bundle", "create", "said.db", "-o", "both.tar", "--add", "u-said/data/results/report.html"], 0, cwd=folder)
    r.check("data/results/2/report.html" in bundle.members(read(os.path.join(folder, "both.tar"))), "one's own report beside it")
    unreportable(folder)


def unreportable(folder):
    old = sqlite3.connect(os.path.join(folder, "old.db"))
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    expect(["bundle", "create", "old.db", "-o", "old.tar"], 4, "case 'old.db' has schema version 1", cwd=folder)
    expect(["bundle", "create", "old.db", "-o", "old.tar"], 4, "--no-report leaves the report out", cwd=folder)
    r.check(not [n for n in os.listdir(folder) if n.startswith("old.tar")], "without the report there is no bundle")
    expect(["bundle", "create", "old.db", "-o", "old.tar", "--no-report"], 0, cwd=folder)
    nowhere = {"TMPDIR": os.path.join(folder, "nowhere")}
    expect(["bundle", "create", "said.db", "-o", "now.tar"], 4, "nowhere", cwd=folder, env=nowhere)


def incomplete(folder):
    there = os.path.join(folder, "n.scap")
    data = read(there)
    write(there, data + b"x")
    expect(["bundle", "create", "case.db", "-o", "i.tar"], 4, "is not what it was then", cwd=folder)
    os.rename(there, there + ".away")
    expect(["bundle", "create", "case.db", "-o", "i.tar"], 4, "is not there", cwd=folder)
    expect(["bundle", "create", "case.db", "-o", "i.tar", "--incomplete"], 5, "left out", cwd=folder)
    expect(["verify", "i.tar"], 0, cwd=folder)
    write(there, data)


# --- verifying ---

def verify_json(path, *more):
    status, out, err = check.run(["verify", "-f", "json", path] + list(more))
    r.check(clean(err), "verify: nothing of the sanitizers", err[-2000:])
    return status, [json.loads(line) for line in out.splitlines()]


def altered(folder, n):
    """A byte of each member, in the archive and unpacked."""
    rng = random.Random(SEED)
    whole = read(os.path.join(folder, "b.tar"))
    path, unpacked = os.path.join(folder, "x.tar"), os.path.join(folder, "u-tar")
    root = "../b.tar.root"
    with tarfile.open(os.path.join(folder, "b.tar")) as t:
        places = [(m.name, m.offset_data, m.size) for m in t if m.size]
    for name, at, size in places:
        for k in [0, size - 1] + [rng.randrange(size) for _ in range(n)]:
            changed = bytearray(whole)
            changed[at + k] ^= 1 << rng.randrange(8)
            write(path, changed)
            status, lines = verify_json(path)
            r.check(status == 1 and lines[0]["verdict"] == "altered" == bundle.verify(bytes(changed)).verdict,
                    "byte %d of %s" % (k, name), "status %d: %s" % (status, lines[:1]))
            file = os.path.join(unpacked, name)
            was = read(file)
            write(file, changed[at:at + size])
            r.check(sums(unpacked, root) != 0, "byte %d of %s: sha256sum sees it" % (k, name))
            write(file, was)
    os.rename(file, file + ".away")
    r.equal(verify_json(unpacked)[0], 1, "a member by another name")
    os.rename(file + ".away", file)
    last = places[-1]
    for cut in (last[1] + 1, last[1] - 100, places[-2][1] + 7):
        write(path, whole[:cut])
        status, lines = verify_json(path)
        r.check(status == 5 and lines[0]["verdict"] == "incomplete" and lines[0]["files_as_listed"] >= 2, "cut at %d" % cut,
                "status %d: %s" % (status, lines[:1]))
    write(path, whole)
    expect(["verify", path, "--root", bundle.verify(whole).root], 0, in_out="the one that was noted")
    expect(["verify", path, "--root", "0" * 64], 1, in_out="NOT THE ONE")
    write(path + ".root", b"0" * 64 + b"  tagmanifest-sha256.txt\n")
    expect(["verify", path], 1, in_out="NOT THE ONE")


def signed(folder):
    if not shutil.which("ssh-keygen"):
        r.skip("signatures: no ssh-keygen")
        return
    for key in ("key", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", os.path.join(folder, key)], check=True)
    for key in ("key", "other"):
        write(os.path.join(folder, key + ".signers"), b"analyst@example.org " + read(os.path.join(folder, key + ".pub")))
    expect(["bundle", "create", "case.db", "-o", "s.tar", "--sign", "key"], 0, cwd=folder)
    p = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", "key.signers", "-I", "analyst@example.org", "-n", "scapula-bundle",
                        "-s", "s.tar.root.sig"], stdin=open(os.path.join(folder, "s.tar.root")), cwd=folder, capture_output=True)
    r.equal(p.returncode, 0, "ssh-keygen verifies the signature")
    expect(["verify", "s.tar"], 0, in_out="right, but whose key it is", cwd=folder)
    expect(["verify", "--signers", "key.signers", "s.tar"], 0, in_out="good, of analyst@example.org", cwd=folder)
    expect(["verify", "--signers", "other.signers", "s.tar"], 1, in_out="BAD", cwd=folder)
    expect(["verify", "--signers", "no.signers", "s.tar"], 4, "no file that can be read", cwd=folder)
    expect(["bundle", "create", "case.db", "-o", "s.tar", "--force"], 0, cwd=folder)
    r.check(not os.path.exists(os.path.join(folder, "s.tar.root.sig")), "a signature of an older bundle goes with it")
    expect(["bundle", "create", "case.db", "-o", "t.tar", "--sign", "nokey"], 4, "made no signature", cwd=folder)


def custody(folder):
    log = os.path.join(folder, "log")
    env = {"SCAPULA_CUSTODY": log, "SCAPULA_ACTOR": "A. Person, CSIRT"}
    expect(["custody", "add", "--action", "collect", "--input", "n.scap", log, "received <b>by</b> mail"], 0, cwd=folder, env=env)
    expect(["convert", "-q", "n.scap", "-o", "c.scap.zst", "--reason", "smaller"], 0, cwd=folder, env=env)
    shutil.copy(os.path.join(folder, "n.scap"), os.path.join(folder, "m.scap"))
    expect(["seal", "-q", "m.scap"], 0, cwd=folder, env=env)
    expect(["bundle", "create", "case.db", "-o", "c.tar", "--custody", log], 0, cwd=folder, env=env)
    entries = bundle.custody(read(log))
    r.equal([e["action"] for e in entries], ["collect", "copy", "seal", "export"], "commands that make evidence write entries")
    r.check(all(e["actor"]["name"] == "A. Person, CSIRT" for e in entries), "with whoever it was")
    r.equal(entries[1]["outputs"][0]["sha256"], subprocess.run(["sha256sum", os.path.join(folder, "c.scap.zst")],
            stdout=subprocess.PIPE).stdout.decode()[:64], "and the hashes of what was made")
    inside = bundle.members(read(os.path.join(folder, "c.tar")))["meta/custody.jsonl"]
    r.check(read(log).startswith(inside) and len(bundle.custody(inside)) == 3, "a bundle has the log as it was before")
    expect(["verify", "c.tar"], 0, in_out="3 entries, unbroken", cwd=folder)
    expect(["verify", log], 0, "a custody log of 4 entries")
    expect(["custody", "check", log], 0, in_out="4 entries, unbroken")
    out = expect(["custody", "show", "-f", "md", log], 0)
    r.check("<b>" not in out, "a sheet has no markup of others")
    expect(["custody", "show", log], 0, in_out="received <b>by</b> mail")
    data = read(log)
    write(log, data.replace(b"by</b> mail", b"by</b> hand"))
    expect(["custody", "check", log], 1, "line 2: the line before it is not what it was")
    expect(["custody", "add", log, "more"], 4, "not whole")
    expect(["bundle", "create", "case.db", "-o", "d.tar", "--custody", log], 1, "not whole", cwd=folder)
    write(log, data[:-1])
    expect(["custody", "check", log], 5, "has no end")


# --- reading out of archives ---

def archives(folder):
    paths = {"tar": "b.tar//data/captures/n.scap"}
    capture, rules = read(CAPTURE), read(RULES)
    write(os.path.join(folder, "n.xz"), lzma.compress(capture))
    paths["xz"] = "n.xz"
    for end, mode in (("tar.gz", "w:gz"), ("tar.xz", "w:xz"), ("tar.bz2", "w:bz2")):
        with tarfile.open(os.path.join(folder, "a." + end), mode) as t:
            for name, data in (("rules/b.yaml", rules), ("rules/no.txt", b"x"), ("d/n.scap", capture)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))
        paths[end] = "a.%s//d/n.scap" % end
    with zipfile.ZipFile(os.path.join(folder, "a.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("n.scap", capture)
        z.writestr("inner.tar.gz", read(os.path.join(folder, "a.tar.gz")))
    paths["zip"] = "a.zip//n.scap"
    paths["tar.gz in zip"] = "a.zip//inner.tar.gz//d/n.scap"
    if shutil.which("bsdtar"):
        subprocess.run(["bsdtar", "--format", "7zip", "-cf", "a.7z", "n.scap"], cwd=folder, check=True)
        paths["7z"] = "a.7z//n.scap"
    return paths


def read_inside(folder):
    commands = [["replay", "-r", "starter.yaml"], ["info", "--strict"], ["events", "-n", "50"], ["tree", "--at", "+1s"],
                ["net", "--all"], ["fds"], ["sessions", "--all"]]
    wanted = [check.run(c + ["n.scap"], cwd=folder)[:2] for c in commands]
    same = {}
    for verb in ("convert", "salvage"):
        expect([verb, "-q", "n.scap", "-o", verb + ".scap", "--no-seal"], 0, cwd=folder)
        same[verb] = read(os.path.join(folder, verb + ".scap"))
    for kind, path in archives(folder).items():
        for command, want in zip(commands, wanted):
            status, out, err = check.run(command + [path], cwd=folder)
            r.check((status, out.replace(path, "n.scap")) == want and clean(err), "%s out of %s" % (command[0], kind), err[-800:])
        for verb in ("convert", "salvage"):
            expect([verb, "-q", path, "-o", "out.scap", "--force", "--no-seal"], 0, cwd=folder, what="%s out of %s" % (verb, kind))
            r.check(read(os.path.join(folder, "out.scap")) == same[verb], "%s out of %s gives the same" % (verb, kind))
    want = check.run(["replay", "-r", "starter.yaml", "n.scap"], cwd=folder)[:2]
    for rules in ("a.tar.gz//rules", "a.tar.gz//rules/b.yaml", "a.zip//inner.tar.gz//rules/", "b.tar//data/rules"):
        r.equal(check.run(["replay", "-r", rules, "n.scap"], cwd=folder)[:2], want, "rules out of " + rules)
    expect(["replay", "-r", "a.tar.gz//none.yaml", "n.scap"], 2, "has no member 'none.yaml'", cwd=folder)
    expect(["info", "a.tar.gz"], 4, "is an archive: name a capture in it", cwd=folder)
    expect(["verify", "a.tar.gz"], 4, "no bundle: it has no bagit.txt", cwd=folder)
    expect(["info", "b.tar//data/captures/n.scap"], 0, in_out="later", what="info finds the seal in the archive", cwd=folder)
    expect(["verify", "b.tar//data/captures/n.scap"], 0, in_out="every byte is as it was sealed", cwd=folder)
    subprocess.run(["gzip", "-k", "b.tar"], cwd=folder, check=True)
    for where in ("b.tar", "b.tar.gz", "b.zip"):
        status, out, err = check.run(["query", where + "//data/results/case.db", "SELECT count(*) AS n FROM captures"], cwd=folder)
        r.check(status == 0 and "1" in out, "a case out of " + where, err)
    expect(["verify", "b.tar.gz"], 0, cwd=folder, what="a bundle that somebody compressed")
    r.equal(sorted(n for n in os.listdir(folder) if "-wal" in n or "-shm" in n), [], "nothing is left beside")


# --- hostile archives ---

def hostile(folder):
    def entry(name, data=b"x", **more):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for key, value in more.items():
            setattr(info, key, value)
        return info, data

    cases = {
        "traversal": ([entry("../x")], "leads elsewhere"),
        "absolute": ([entry("/etc/x")], "absolute"),
        "control characters": ([entry("a\x1b[31m")], "control characters"),
        "twice": ([entry("a"), entry("a")], "two of this name"),
        "case": ([entry("a"), entry("A")], "nothing but case"),
        "device": ([entry("dev", b"", type=tarfile.CHRTYPE)], "special file"),
        "link": ([entry("l", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")], "is a link"),
        "hard link": ([entry("l", b"", type=tarfile.LNKTYPE, linkname="n.scap")], "is a link"),
    }
    bag = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    for what, (entries, why) in cases.items():
        path = os.path.join(folder, "evil.tar")
        with tarfile.open(path, "w") as t:
            for info, data in [entry("bagit.txt", bag), entry("n.scap", read(CAPTURE))] + entries:
                t.addfile(info, io.BytesIO(data))
        status, out, err = check.run(["verify", path])
        r.check(status == 4 and why in err and clean(err) and "\x1b" not in err, "%s: no bundle" % what, "status %d: %s" % (status, err))
        if "link" not in what:
            expect(["info", path + "//n.scap"], 4, why, what="%s: nothing is read out of it" % what)
        else:
            expect(["info", path + "//l"], 4, "is a link", what="%s: is not followed" % what)
    with tarfile.open(os.path.join(folder, "bomb.tar.xz"), "w:xz") as t:
        info = tarfile.TarInfo("n.scap")
        info.size = 200 << 20
        t.addfile(info, io.BytesIO(bytes(info.size)))
    expect(["info", "bomb.tar.xz//n.scap"], 4, "ARC_RATIO_MAX", cwd=folder)
    with open(os.path.join(folder, "holes"), "wb") as f:
        f.truncate(1 << 40)
    subprocess.run(["tar", "-S", "-cf", "sparse.tar", "holes"], cwd=folder, check=True)
    expect(["info", "sparse.tar//holes"], 4, "it is sparse", cwd=folder)
    with zipfile.ZipFile(os.path.join(folder, "many.zip"), "w") as z:
        for i in range(100001):
            z.writestr("%d" % i, b"")
    expect(["info", "many.zip//1"], 4, "ARC_MEMBERS_MAX", cwd=folder)


# --- large ones ---

def peak(args, cwd):
    """The most memory that the program had, in bytes."""
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen([check.scapula_path()] + args, cwd=cwd, stdout=subprocess.DEVNULL, stderr=err)
        usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(usage[1])
        err.seek(0)
        return p.returncode, usage[2].ru_maxrss * 1024, err.read().decode()


def many_alerts(folder, count):
    """A case whose alerts are more than fit into MEMORY."""
    make_case(folder)
    write(os.path.join(folder, "alerts.yaml"), ALERTS_RULES)
    expect(["replay", "-q", "-r", "alerts.yaml", "--db", "many.db", "n.scap"], 0, cwd=folder)
    case = sqlite3.connect(os.path.join(folder, "many.db"))
    columns = [c[1] for c in case.execute("PRAGMA table_info(alerts)")]
    new = {"alert_id": "NULL", "seq": "seq + n * 1000000", "evt_offset": "evt_offset + n * 100000000", "evt_num": "evt_num + n * 1000000"}
    have = case.execute("SELECT count(*) FROM alerts").fetchone()[0]
    case.execute("INSERT INTO alerts WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < %d) SELECT %s FROM alerts, x"
                 % (count // have, ", ".join(new.get(c, c) for c in columns)))
    case.execute("UPDATE alert_counts SET alerts = alerts * %d" % (count // have + 1))
    case.commit()
    case.close()


def large(folder):
    """More than there may be memory for, in the release build only: sanitizers need memory of their own."""
    many_alerts(folder, 60000)
    for args in (["bundle", "create", "-q", "many.db", "-o", "many.tar"], ["verify", "many.tar"]):
        status, memory, err = peak(args, folder)
        r.check(status == 0 and memory < MEMORY, "60,000 alerts: %s in %.1f MB" % (args[0], memory / 1e6), err)
    with tarfile.open(os.path.join(folder, "many.tar")) as t:
        size = t.getmember("data/results/alerts.jsonl").size
    r.check(size > MEMORY, "of which there are %.1f MB" % (size / 1e6))
    with open(os.path.join(folder, "large.bin"), "wb") as f:
        f.truncate(LARGE)
        f.write(b"x")
    for args in (["bundle", "create", "-q", "--add", "large.bin", "-o", "large.tar"], ["verify", "large.tar"]):
        status, memory, err = peak(args, folder)
        r.check(status == 0 and memory < MEMORY, "2 GB: %s in %.1f MB" % (args[0], memory / 1e6), err)


# --- the page ---

def page(folder):
    """The commands of docs/bundle.md, verbatim."""
    with open(os.path.join(check.ROOT, "docs", "bundle.md"), encoding="utf-8") as f:
        blocks = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
    shell = os.path.join(folder, "page")
    os.mkdir(shell)
    for name in ("n.scap", "starter.yaml"):
        shutil.copy(os.path.join(folder, name), shell)
    os.symlink(check.scapula_path(), os.path.join(shell, "scapula"))
    env = dict(os.environ, PATH=shell + ":" + os.environ["PATH"], SCAPULA_CACHE_SIZE="0", HOME=shell)
    r.check(len(blocks) >= 3, "docs/bundle.md has commands")
    p = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=shell, env=env, capture_output=True)
    r.check(p.returncode == 0, "the commands of docs/bundle.md work", p.stdout.decode()[-1500:] + p.stderr.decode()[-1500:])


def main():
    with tempfile.TemporaryDirectory() as folder:
        if "--large" in sys.argv:
            large(folder)
            r.finish()
        make_case(folder)
        for test in (made, reported, incomplete, signed, custody, read_inside, hostile, page):
            test(folder)
        altered(folder, 4)
    r.finish()


if __name__ == "__main__":
    main()

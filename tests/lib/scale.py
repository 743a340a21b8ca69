# SPDX-License-Identifier: Apache-2.0
"""What the tests of jobs over many captures share: captures, a killer of workers, and the text that two cases are compared by."""
import concurrent.futures
import hashlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time

import check

RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
CONTRIB = os.path.join(check.ROOT, "contrib")
NOT_COMPARED = {"runs", "meta", "jobs", "job_parts"}
EVENTS = 18000  # of check.DEMO, less than it has


def make_captures(folder, count):
    """@count different pieces of a capture, of very different sizes."""
    os.makedirs(folder)
    draw = random.Random(count)

    def cut(job):
        number, first, length = job
        name = os.path.join(folder, "t%04d.scap%s" % (number, ("", ".zst", ".gz")[number % 3]))
        return check.run(["slice", "-q", "--no-seal", "--evt", "%d..%d" % (first, first + length), check.DEMO, "-o", name])[0]

    # the first event differs, so that no two are the same capture
    firsts = draw.sample(range(1, EVENTS - 1000), count)
    jobs = [(i, firsts[i], int(10 ** draw.uniform(1, 2.8))) for i in range(count)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return set(pool.map(cut, jobs)) == {0}


def compared(case):
    """SHA-256 of the text of all tables that depend on captures and rules alone: the commands of docs/scale-out.md."""
    db = sqlite3.connect(case)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'") if name not in NOT_COMPARED]
    db.close()
    out = subprocess.run(["sqlite3", "-readonly", case, ".dump " + " ".join(tables)], stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(out).hexdigest() + " %d lines" % out.count(b"\n")


def rows(case, sql):
    db = sqlite3.connect("file:%s?mode=ro" % case, uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


class Killer(threading.Thread):
    """Kills workers of ours, found by what is in their command line, at moments that are drawn.

    The first @surely of them are killed while their part in @parts says that a capture was begun, however fast workers are.
    """

    def __init__(self, mark, seed, least, most, surely=0, parts=None):
        super().__init__()
        self.mark, self.draw, self.pause = mark.encode(), random.Random(seed), (least, most)
        self.surely, self.parts = surely, parts
        self.kills, self.over = 0, threading.Event()

    def workers(self, of=b""):
        """Those of our job; of the list that is named so in the end, if one is."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if b"--shard" in words and any(self.mark in w and w.endswith(of) for w in words):
                found.append(int(pid))
        return sorted(found)

    def busy(self):
        """Workers of lists of which a capture was begun and not ended, by this worker or the one before."""
        found = []
        for name in os.listdir(self.parts) if os.path.isdir(self.parts) else ():
            m = re.fullmatch(r"part-(\d+)\.db\.tmp", name)
            try:
                if m and rows(os.path.join(self.parts, name), "SELECT 1 FROM jobs WHERE status = 'running'"):
                    found += self.workers(b"shard-%s.lst" % m[1].encode())
            except sqlite3.Error:  # it is being made, or was renamed a moment ago
                pass
        return found

    def victims(self):
        """Who may be killed next, after a while. None: it is all over."""
        if self.kills >= self.surely:
            return None if self.over.wait(self.draw.uniform(*self.pause)) else self.workers()
        return None if self.over.wait(0.001) else self.busy()

    def run(self):
        while (found := self.victims()) is not None:
            if found:
                try:
                    os.kill(self.draw.choice(found), signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Job:
    """One job in a folder of its own: the four variables of contrib/."""

    def __init__(self, folder, captures, into, by="bytes"):
        self.folder = folder
        self.job, self.parts, self.out = (os.path.join(folder, name) for name in ("job", "parts", "night.case.db"))
        os.makedirs(folder)
        self.made = check.run(["shard", "-q", captures, "--into", str(into), "--by", by, "-o", self.job], cwd=folder)
        self.env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", SCAPULA=check.scapula_path(), SCAPULA_CACHE_SIZE="0", JOB=self.job,
                        PARTS=self.parts, RULES=RULES, OUT=self.out, CONTRIB=CONTRIB)

    def run(self, args, **more):
        p = subprocess.run(args, env=dict(self.env, **more), cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
        return p.returncode, p.stdout.decode("utf-8", "replace")

    def list(self, n):
        return os.path.join(self.job, "shard-%04d.lst" % n)

    def part(self, n):
        return os.path.join(self.parts, "part-%04d.db" % n)

    def replay(self, n, *more, rules=RULES):
        os.makedirs(self.parts, exist_ok=True)
        return check.run(["replay", "--shard", self.list(n), "-r", rules, "--db", self.part(n)] + list(more), cwd=self.folder)

    def gather(self, *parts, out=None):
        return check.run(["gather", "--force", out or self.out] + list(parts), cwd=self.folder)

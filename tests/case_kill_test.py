#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replays into a case that are killed while they write: the case is sound, the run unfinished, and again completes it.

A preloaded library kills the program at a call that changes a file, in the middle of what is written: so moments are places
in the work, not times. What there is after the same command was given again must be what there is when nobody killed anything,
but for the runs. Every other kill meets a case that has the capture already.
usage: tests/case_kill_test.py [--kills N]
"""
import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("killed cases")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
OTHER_RULES = "- rule: Started\n  desc: A program is started\n  condition: evt.type = execve\n  output: \"%proc.exepath\"\n  priority: NOTICE\n"
SECTIONS = 6
SEED = 20261123
# Keys that number readings and what is in them: what is left of them without the reading.
OF_READING = {"process_id", "parent_id", "last_parent_id", "user_process_id", "connection_id", "session_id"}
OF_RUN = {"run_id", "run_capture_id", "reading_id", "alert_id", "owner", "started_ts", "finished_ts", "repeats"}
NOT_COMPARED = {"runs", "meta", "run_rules", "rule_files"}


def library(folder):
    path = os.path.join(folder, "kill_at_write.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", path, os.path.join(check.ROOT, "tests", "lib", "kill_at_write.c")],
                   check=True)
    return path


class Replay:
    """One command, with the library or without."""

    def __init__(self, folder, rules, capture):
        self.case, self.count = os.path.join(folder, "killed.db"), os.path.join(folder, "calls")
        self.library = library(folder)
        self.args = ["replay", "-q", "-j", "1", "-r", rules, "--db", self.case, capture]

    def remove(self):
        for name in os.listdir(os.path.dirname(self.case)):
            if name.startswith("killed.db"):
                os.unlink(os.path.join(os.path.dirname(self.case), name))

    def run(self, **more):
        env = {"ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:detect_leaks=0"}
        if more:
            env["LD_PRELOAD"] = self.library
            env.update(more)
        return check.run(self.args, env=env, timeout=600)

    def calls(self):
        if os.path.exists(self.count):
            os.unlink(self.count)
        status, _, err = self.run(KILL_COUNT=self.count)
        r.check(status == 0, "a replay that is not killed", err)
        with open(self.count) as f:
            return int(f.read().split()[-1])


def content(case):
    """All that the case says, but for the runs: rows with keys that do not depend on how often it was begun."""
    db = sqlite3.connect(case)
    out = {}
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
        if table in NOT_COMPARED:
            continue
        columns = [row[1] for row in db.execute("PRAGMA table_info(%s)" % table)]
        shown = ["%s & 4294967295" % c if c in OF_READING else "%s IS NULL" % c if c in OF_RUN else c for c in columns]
        where = " WHERE state = 'done'" if table == "run_captures" else ""
        out[table] = sorted(map(repr, db.execute("SELECT %s FROM %s%s" % (", ".join(shown), table, where))))
    out["shown"] = db.execute("SELECT capture_sha256, evt_offset, rule_digest, count(*) FROM v_alert GROUP BY 1, 2, 3").fetchall()
    out["counts"] = db.execute("SELECT * FROM v_rule_count ORDER BY 1").fetchall()
    db.close()
    return out


def difference(got, want):
    lines = []
    for table in want:
        extra, missing = set(got[table]) - set(want[table]), set(want[table]) - set(got[table])
        if extra or missing or len(got[table]) != len(want[table]):
            lines.append("  %s: %d rows, expected %d; not expected: %s; missing: %s" %
                         (table, len(got[table]), len(want[table]), sorted(extra)[:2], sorted(missing)[:2]))
    return "\n".join(lines)


def sound(db, what):
    ok = db.execute("PRAGMA integrity_check").fetchall()
    r.equal(ok, [("ok",)], "%s: integrity" % what)
    r.equal(db.execute("PRAGMA foreign_key_check").fetchall(), [], "%s: references" % what)
    sums = db.execute("SELECT (SELECT count(*) FROM alerts), (SELECT ifnull(sum(alerts), 0) FROM alert_groups), "
                      "(SELECT ifnull(sum(alerts), 0) FROM alert_counts)").fetchone()
    r.check(len(set(sums)) == 1, "%s: counts agree with rows" % what, str(sums))


def left_behind(replay, runs_before, what):
    """Look at what was killed. Return: "nothing", "unfinished" or "finished"."""
    if not os.path.exists(replay.case):
        return "nothing"
    db = sqlite3.connect(replay.case)
    try:
        if not db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return "nothing"
        sound(db, what)
        states = [row[0] for row in db.execute("SELECT status FROM v_run ORDER BY run_id")][runs_before:]
    finally:
        db.close()
    r.check(states in ([], ["unfinished"], ["finished"]), "%s: the run is marked" % what, str(states))
    return states[0] if states else "nothing"


def kill(replay, start, runs_before, at, what):
    """Kill a replay into @start at call @at, and give the command again if it had not finished."""
    status = 0
    while status == 0 and at:  # transactions end by time, too: it may have been fewer calls than when they were counted
        replay.remove()
        if start:
            shutil.copy(start, replay.case)
        status, _, err = replay.run(KILL_AT=str(at))
        at -= at // 8 + 1
    state = left_behind(replay, runs_before, what)
    if not r.check(status == -signal.SIGKILL, "%s: killed" % what, "  status %d: %s" % (status, err)) or state == "finished":
        return state
    status, _, err = replay.run()
    r.check(status == 0, "%s: again" % what, err)
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    kills = parser.parse_args().kills
    rng, states = random.Random(SEED), []
    with tempfile.TemporaryDirectory() as folder:
        long, before = os.path.join(folder, "long.scap"), os.path.join(folder, "before.db")
        with open(long, "wb") as f:
            f.write(check.read_all(check.DEMO) * SECTIONS)
        rules = os.path.join(folder, "other.yaml")
        with open(rules, "w") as f:
            f.write(OTHER_RULES)
        replay = Replay(folder, rules, long)
        check.run(["replay", "-q", "-j", "1", "-r", RULES, "-r", rules, "--db", before, long])
        ways = []
        for start, runs in ((None, 0), (before, 1)):
            replay.remove()
            if start:
                shutil.copy(start, replay.case)
            n = replay.calls()
            ways.append((start, runs, n, content(replay.case)))
            r.check(n > 100, "there are many moments to kill a replay at", str(n))
        for i in range(kills):
            start, runs, n, want = ways[i % 2]
            at = rng.randrange(1, n)
            what = "kill %d, at call %d of %d" % (i, at, n)
            states.append(kill(replay, start, runs, at, what))
            db = sqlite3.connect(replay.case)
            sound(db, what + ", completed")
            db.close()
            text = difference(content(replay.case), want)
            r.check(not text, "%s: the case is as if nobody had" % what, text)
    r.check(states.count("unfinished") > kills // 6, "kills meet replays at work", str(states))
    print("%d kills: %s" % (kills, ", ".join("%s %d" % (s, states.count(s)) for s in sorted(set(states)))))
    r.finish()


main()

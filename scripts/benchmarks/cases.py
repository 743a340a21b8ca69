# SPDX-License-Identifier: Apache-2.0
"""What a case costs: a replay that fills one beside one that does not, and looking into one with very many alerts."""
import os
import signal
import sqlite3
import subprocess
import time

from benchmarks import captures
from benchmarks.common import ENV, SCAPULA, WORK, count_events, fail, in_turns, median, replay, rule_sets, run, timed

PAGE_MS = 200  # a page and a count must be there by then
GROUPING_S = 5
GROUPINGS = (("by process and rule", "SELECT process_id, rule_id, count(*), max(ts) FROM alerts GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 50"),
             ("by hour and severity", "SELECT ts / 3600000000000, priority, count(*) FROM alerts GROUP BY 1, 2"),
             ("by a part of the text", "SELECT substr(output, 26, 14), count(*) FROM alerts GROUP BY 1 ORDER BY 2 DESC LIMIT 50"),
             ("by a field of the output", "SELECT output_fields ->> '$.\"fd.name\"' AS file, count(*) FROM alerts GROUP BY file ORDER BY 2 DESC LIMIT 50"),
             ("by names of rule and process", "SELECT rule, comm, count(*), max(ts) FROM v_alert GROUP BY rule, comm ORDER BY 3 DESC LIMIT 50"),
             ("with distinct processes by rule", "SELECT rule, count(DISTINCT process_id) AS n FROM v_alert GROUP BY rule HAVING n > 5 ORDER BY n DESC"),
             ("by fingerprint and hour", "SELECT fingerprint, substr(time, 1, 13), count(*) FROM v_alert GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20"),
             ("by host, severity and minute", "SELECT hostname, severity, ts / 60000000000, count(*) FROM v_alert GROUP BY 1, 2, 3"))
COUNTS = (("by rule", "SELECT rule, alerts FROM v_rule_count"), ("by severity", "SELECT priority, alerts FROM v_severity_count"),
          ("by fingerprint", "SELECT fingerprint, rule, alerts FROM v_group ORDER BY alerts DESC LIMIT 50"))


def remove(case):
    for end in ("", "-wal", "-shm"):
        if os.path.exists(case + end):
            os.unlink(case + end)


def bench_case(opt):
    if opt.alerts:
        bench_alerts(opt.alerts)
    else:
        bench_filling(opt)


# --- filling ---

SHARE = 60  # percent of the speed without a case that a compressed capture must keep


def turns(path, files, runs):
    """What it takes without a case and with one."""
    case = os.path.join(WORK, "bench.case.db")

    def fill_case():
        remove(case)
        return timed(replay(files, "-j", "1", "--db", case) + [path])

    found = in_turns([lambda: timed(replay(files) + [path]), fill_case], runs)
    remove(case)
    return found


def fill(path, label, files, runs):
    """Measure one capture and print it. Return: percent of the wall-clock speed."""
    events = count_events(path)
    plain, full = turns(path, files, runs)
    cpu, wall = (100 * median(plain, what) / median(full, what) for what in ("cpu", "wall"))
    print("%s, %s: %d events\n%-44s %11s %11s" % (os.path.basename(path), label, events, "", "CPU", "wall"))
    for name, rows in (("without a case", plain), ("with one", full)):
        print("%-44s %7.2f M/s %7.2f M/s %8.3f s" % (
            name, events / median(rows, "cpu") / 1e6, events / median(rows, "wall") / 1e6, median(rows, "wall")))
    print("speed with a case: %.0f %% (CPU), %.0f %% (wall)" % (cpu, wall), flush=True)
    return wall


def bench_filling(opt):
    """A plain file is bounded by its hash, which is the capture's identity; what recorders write by default must keep SHARE."""
    path, zst = captures.busy()
    slow = []
    for label, files in rule_sets():
        fill(path, label, files, opt.runs)
        for compressed in [zst] + ([] if opt.quick else [captures.large(opt)]):
            if fill(compressed, label, files, opt.runs) < SHARE:
                slow.append("%s with %s" % (os.path.basename(compressed), label))
    start = time.monotonic()
    run(["openssl", "dgst", "-sha256", path])
    print("the SHA-256 of %s alone takes %.2f s" % (os.path.basename(path), time.monotonic() - start))
    if slow:
        fail("a case costs too much: " + ", ".join(slow))


# --- looking ---

def tool():
    build = os.path.dirname(SCAPULA)
    run(["cmake", "--build", build, "--target", "many_alerts"])
    return os.path.join(build, "many_alerts")


def bench_alerts(n):
    case, many = os.path.join(WORK, "alerts-%d.case.db" % n), tool()
    if not os.path.exists(case):
        took = timed([many, "fill", case + ".part", str(n)])
        os.rename(case + ".part", case)
        print("%d alerts loaded: %.1f s, %.1f s of CPU, %.1f microseconds for each" % (n, took.wall, took.cpu, 1e6 * took.wall / n))
    print("%.2f GB, %.0f bytes for an alert" % (os.path.getsize(case) / 1e9, os.path.getsize(case) / n))
    slow = list(pages(many, case, n)) + list(counts(case)) + list(groupings(case)) + list(interrupted(case))
    if slow:
        fail("too slow: " + ", ".join(slow))


def verdict(name, took, most):
    print("%-60s %9.1f ms%s" % (name, took, "  TOO SLOW" if took > most else ""), flush=True)
    return took > most


def pages(many, case, n):
    for line in run([many, "pages", case, str(n)]).decode().splitlines():
        name, took = line.split("\t")
        if verdict(name, float(took), PAGE_MS):
            yield name


def counts(case):
    db = sqlite3.connect("file:%s?mode=ro" % case, uri=True)
    for name, sql in COUNTS:
        start = time.monotonic()
        rows = len(db.execute(sql).fetchall())
        if verdict("counts %s, %d rows" % (name, rows), 1000 * (time.monotonic() - start), PAGE_MS):
            yield name
    db.close()


def groupings(case):
    for name, sql in GROUPINGS:
        took = timed([SCAPULA, "query", "-f", "csv", case, sql]).wall
        if verdict("grouping %s" % name, 1000 * took, 1000 * GROUPING_S):
            yield name


def interrupted(case):
    """How soon a grouping ends that nobody wants any more."""
    p = subprocess.Popen([SCAPULA, "query", "-f", "csv", case, GROUPINGS[2][1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
    time.sleep(0.3)
    start = time.monotonic()
    p.send_signal(signal.SIGINT)
    status = p.wait()
    if status != 130 and (status or os.path.getsize(case) > 1e8):  # a small one is there sooner
        fail("an interrupted query ended with status %d" % status)
    if verdict("a grouping that is interrupted ends", 1000 * (time.monotonic() - start), PAGE_MS):
        yield "interrupting"

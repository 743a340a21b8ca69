# SPDX-License-Identifier: Apache-2.0
"""What asking a capture in SQL costs beside the command that answers the same."""
import os
import shutil

from benchmarks import captures
from benchmarks.common import SCAPULA, count_events, fail, heading, measure_together, print_row, row, run, state_only

MOST = 1.5  # times what the command takes, CPU and wall clock
EXTENSION = os.environ.get("SCAPULA_SQLITE", os.path.join(os.path.dirname(SCAPULA), "scapula_sqlite.so"))


def query(sql, path):
    return [SCAPULA, "query", "-q", "-f", "csv", "--no-index", "--capture", path, sql]


def shell(sql, path):
    return ["sqlite3", "-batch", "-bail", "-cmd", ".load " + EXTENSION, "-cmd",
            "CREATE VIRTUAL TABLE temp.events USING scapula_events('%s')" % path, ":memory:", sql]


def last_line(args):
    return run(args).split()[-1]


def extension(path, events, runs):
    sql, label = "SELECT count(*) FROM events WHERE type = 'openat'", "sqlite3 with the extension, openat"
    lacks = "sqlite3 is not installed" if not shutil.which("sqlite3") else "%s is not built" % EXTENSION if not os.path.exists(EXTENSION) else None
    if lacks:
        print("%s: skipped (%s)" % (label, lacks))
        return
    if last_line(shell(sql, path)) != last_line(query(sql, path)):
        fail("%s: it counts %s, the program %s" % (label, last_line(shell(sql, path)), last_line(query(sql, path))))
    row(label, events, shell(sql, path), runs)


def bench_sql(opt):
    path = captures.busy()[0]
    events = count_events(path)
    heading("%s: %d events" % (os.path.basename(path), events))
    over = []
    for what, condition, where in (("all events", [], ""), ("openat", ["-F", "evt.type=openat"], " WHERE type = 'openat'"),
                                   ("execve", ["-F", "evt.type=execve"], " WHERE type = 'execve'"),
                                   ("openat for writing", ["-F", "evt.type=openat and evt.is_open_write=true"],
                                    " WHERE type = 'openat' AND \"evt.is_open_write\" = 1"),
                                   ("of 'find'", ["-F", "proc.name=find"], " WHERE name = 'find'"),
                                   ("failed", ["-F", "evt.rawres<0"], " WHERE res < 0"),
                                   ("on files like '%passwd%'", ["-F", "fd.name icontains passwd"], " WHERE fd_name LIKE '%passwd%'")):
        command, sql = state_only() + condition + [path], "SELECT count(*) FROM events" + where
        if last_line(command) != last_line(query(sql, path)):
            fail("%s: the command counts %s, SQL %s" % (what, last_line(command), last_line(query(sql, path))))
        direct, asked = measure_together([command, query(sql, path)], opt.runs)
        print_row("scapula events, %s" % what, events, direct)
        print_row("scapula query, %s" % what, events, asked)
        cpu, wall = asked[0] / direct[0], asked[1] / direct[1]
        print("%.2f times the CPU, %.2f times the time" % (cpu, wall))
        if where and max(cpu, wall) > MOST:
            over.append(what)
    extension(path, events, opt.runs)
    row("scapula query, events by type", events, query("SELECT type, count(*) FROM events GROUP BY type", path), opt.runs)
    if over:
        fail("over %.1f times what the command takes: %s" % (MOST, ", ".join(over)))

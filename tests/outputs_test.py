#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Outputs of the commands of cases: none takes the place of an input, by whatever name and with --force, or of what belongs to a capture;
and reading a case leaves nothing beside it.

usage: tests/outputs_test.py
"""
import hashlib
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("outputs")
RULES = os.path.join(check.ROOT, "rules", "starter.yaml")
CAPTURE = os.path.join(check.ROOT, "tests", "captures", "network.scap")
USAGE, INPUT = 3, 4


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def contents(folder):
    return {n: digest(os.path.join(folder, n)) for n in os.listdir(folder) if os.path.isfile(os.path.join(folder, n))}


def refused(folder, status, text, *args):
    """@args are refused with @status and @text, and no file comes, goes or changes."""
    before = contents(folder)
    got, _, err = check.run(list(args), cwd=folder)
    what = " ".join(args)
    r.equal(got, status, "status of " + what)
    r.check(text in err, "message of " + what, "  " + err)
    r.equal(contents(folder), before, "nothing happened: " + what)


def prepare(folder):
    shutil.copy(CAPTURE, os.path.join(folder, "a.scap"))
    shutil.copy(RULES, os.path.join(folder, "rules.yaml"))
    status, _, err = check.run(["replay", "-q", "-r", "rules.yaml", "--db", "host.db", "a.scap"], cwd=folder)
    r.equal((status, err), (0, ""), "a case beside its capture")


def of_replay(folder):
    replay = ("replay", "-q", "-r", "rules.yaml", "--db")
    open(os.path.join(folder, "empty.scap"), "wb").close()
    os.link(os.path.join(folder, "empty.scap"), os.path.join(folder, "hard.scap"))
    refused(folder, USAGE, "is an input", *replay, "empty.scap", "empty.scap")
    refused(folder, USAGE, "is an input", *replay, "hard.scap", "./empty.scap")
    refused(folder, USAGE, "is an input", *replay, "a.scap", "a.scap")
    refused(folder, USAGE, "is an input", *replay, "rules.yaml", "a.scap")
    refused(folder, USAGE, "is an input", *replay, "none.scap", "none.scap")
    refused(folder, USAGE, "the seal of a capture", *replay, "a.scap.seal", "a.scap")
    refused(folder, USAGE, "the index of a capture", *replay, "a.scap.scapidx", "a.scap")
    refused(folder, USAGE, "standard output", *replay, "-", "a.scap")
    for suffix in ("seal", "index"):
        check.run([suffix, "a.scap"], cwd=folder)
    refused(folder, USAGE, "the seal of a capture", *replay, "a.scap.seal", "a.scap")
    refused(folder, INPUT, "is no SQLite database", *replay, "a.scap", "empty.scap")


def of_reports(folder):
    os.link(os.path.join(folder, "host.db"), os.path.join(folder, "hard.db"))
    refused(folder, USAGE, "is an input", "report", "host.db", "-o", "host.db")
    refused(folder, USAGE, "is an input", "report", "host.db", "-o", "host.db", "--force")
    refused(folder, USAGE, "is an input", "report", "host.db", "-f", "md", "-o", "./hard.db", "--force")
    refused(folder, INPUT, "exists; --force replaces it", "report", "host.db", "-o", "rules.yaml")


def of_bundles(folder):
    create = ("bundle", "-q", "create")
    for name in ("host.db", "a.scap", "rules.yaml", "a.scap.seal", "hard.db"):
        refused(folder, USAGE, "is an input", *create, "host.db", "-o", name, "--force")
    refused(folder, USAGE, "is an input", *create, "a.scap", "--add", "rules.yaml", "-o", "rules.yaml", "--force")
    check.run(["custody", "add", "log", "found"], cwd=folder)
    refused(folder, USAGE, "is an input", *create, "a.scap", "--custody", "log", "-o", "log", "--force")
    shutil.copy(CAPTURE, os.path.join(folder, "b.root"))
    refused(folder, USAGE, "is an input", *create, "b.root", "-o", "b", "--force")
    status, _, err = check.run(list(create) + ["host.db", "-o", "host.tar"], cwd=folder)
    r.equal(status, 0, "a bundle: " + err)
    refused(folder, USAGE, "is an input", "report", "host.tar//data/results/host.db", "-o", "host.tar", "--force")
    refused(folder, USAGE, "is an input", *create, "host.tar//data/captures/a.scap", "-o", "host.tar", "--force")


def of_readers(folder):
    """Who only reads a case leaves it and the folder as they were."""
    before = contents(folder)
    for args in (["report", "host.db", "-f", "md"], ["query", "host.db", "SELECT count(*) FROM alerts"],
                 ["query", "--attach", "other=host.db", "host.db", "SELECT count(*) FROM other.alerts"],
                 ["verify", "host.db"], ["bundle", "-q", "create", "host.db", "-o", "-"]):
        status, _, err = check.run(args, cwd=folder)
        r.equal(status, 0, "%s: %s" % (" ".join(args), err))
        r.equal(contents(folder), before, "nothing is left by " + " ".join(args))


def of_archives(folder):
    """A case in a bundle beside one that is none, either way."""
    sql = "SELECT count(*) FROM main.runs a, other.runs b"
    inside = "host.tar//data/results/host.db"
    for case, other in (("host.db", inside), (inside, "host.db"), (inside, inside)):
        status, out, err = check.run(["query", "-f", "csv", "--attach", "other=" + other, case, sql], cwd=folder)
        r.equal((status, out.split()), (0, ["count(*)", "1"]), "%s beside %s: %s" % (other, case, err))
    refused(folder, INPUT, "has no member", "query", "--attach", "other=host.tar//none.db", "host.db", sql)
    refused(folder, INPUT, "No such file", "query", "--attach", "other=none.db", "host.db", sql)


def main():
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        of_readers(folder)
        of_replay(folder)
        of_reports(folder)
        of_bundles(folder)
        of_archives(folder)
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests/golden/CASE/cmd and compares with what is recorded there.

usage: golden_cases.py [--update] [CASE...]

A case is a folder with `cmd` (a shell line; `scapula` is the program under test, the working directory is the
repository), `expected.exact` (standard output) and optionally `status` (exit status, else 0) and `expected.err`
(lines that standard error must contain, in order).
"""
import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

FOLDER = os.path.join(check.ROOT, "tests", "golden")


def read(path, default=None):
    if not os.path.exists(path):
        return default
    with open(path, "rb") as f:
        return f.read()


def run_case(folder):
    with open(os.path.join(folder, "cmd")) as f:
        line = f.read()
    with tempfile.TemporaryDirectory() as bin_dir:
        os.symlink(check.scapula_path(), os.path.join(bin_dir, "scapula"))
        env = dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8", PATH=bin_dir + ":" + os.environ["PATH"], TMP_DIR=bin_dir,
                   ASAN_OPTIONS="exitcode=99:detect_leaks=1")
        p = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                           cwd=check.ROOT, timeout=120)
    return p.returncode, p.stdout, p.stderr


def contains_in_order(text, lines):
    at = 0
    for line in lines:
        at = text.find(line, at)
        if at < 0:
            return False
        at += len(line)
    return True


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--update", action="store_true")
    ap.add_argument("cases", nargs="*")
    opt = ap.parse_args()
    r = check.Results("golden cases")
    for name in opt.cases or sorted(os.listdir(FOLDER)):
        folder = os.path.join(FOLDER, name)
        if not os.path.exists(os.path.join(folder, "cmd")):
            continue
        status, out, err = run_case(folder)
        if opt.update:
            with open(os.path.join(folder, "expected.exact"), "wb") as f:
                f.write(out)
            with open(os.path.join(folder, "status"), "w") as f:
                f.write("%d\n" % status)
        want_status = int(read(os.path.join(folder, "status"), b"0"))
        want = read(os.path.join(folder, "expected.exact"), b"")
        want_err = [line for line in read(os.path.join(folder, "expected.err"), b"").splitlines() if line]
        r.check(status == want_status, name + ": exit status", "  got %d, want %d\n%s" % (status, want_status, err.decode("utf-8", "replace")[-2000:]))
        if not r.check(out == want, name + ": output"):
            with tempfile.NamedTemporaryFile(suffix=".got") as g:
                g.write(out)
                g.flush()
                subprocess.run(["diff", "-u", os.path.join(folder, "expected.exact"), g.name])
        r.check(contains_in_order(err, want_err), name + ": messages", "  got:\n%s" % err.decode("utf-8", "replace")[-2000:])
    r.finish()


main()

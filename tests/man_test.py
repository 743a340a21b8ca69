#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the manual pages and of README.md run and end as they say.

An example is a line starting with 'scapula ' between .EX and .EE in docs/man/*, or '$ scapula' or '$ sqlite3' in
README.md. A comment '# status N' at its end gives the expected exit status; '# needs bpf' or '# status N, needs bpf'
one that records, which is skipped where that is not possible. Examples run in a scratch folder that holds capture.scap,
rules.yaml and host7.case.db.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402


def man_examples(path):
    inside = False
    with open(path) as f:
        for line in f:
            if line.startswith(".EX"):
                inside = True
            elif line.startswith(".EE"):
                inside = False
            elif inside and line.startswith("scapula "):
                yield line.strip().replace("\\-", "-").replace("\\(aq", "'").replace("\\\\", "\\")


def readme_examples(path):
    with open(path) as f:
        for line in f:
            m = re.match(r"\s*\$ ((?:scapula|sqlite3) .*)", line)
            if m:
                yield m.group(1)


def main():
    r = check.Results("manual pages")
    examples = []
    for page in sorted(glob.glob(os.path.join(check.ROOT, "docs", "man", "*.[1-9]"))):
        found = list(man_examples(page))
        r.check(found or page.endswith("scapula.1"), "%s has examples" % os.path.basename(page))
        examples += [(os.path.basename(page), e) for e in found]
    examples += [("README.md", e) for e in readme_examples(os.path.join(check.ROOT, "README.md"))]
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(check.scapula_path(), os.path.join(folder, "scapula"))
        shutil.copy(check.DEMO, os.path.join(folder, "capture.scap"))
        shutil.copy(os.path.join(check.ROOT, "rules", "starter.yaml"), os.path.join(folder, "rules.yaml"))
        os.makedirs(os.path.join(folder, "tests", "captures"))
        os.makedirs(os.path.join(folder, "rules"))
        for capture in glob.glob(os.path.join(check.ROOT, "tests", "captures", "*.scap")):
            shutil.copy(capture, os.path.join(folder, "tests", "captures"))
        shutil.copy(os.path.join(check.ROOT, "rules", "starter.yaml"), os.path.join(folder, "rules"))
        shutil.copytree(os.path.join(check.ROOT, "rules", "pack"), os.path.join(folder, "rules", "pack"))
        shutil.copytree(os.path.join(check.ROOT, "tests", "suites"), os.path.join(folder, "tests", "suites"))
        made = check.run(["replay", "-q", "-r", os.path.join(folder, "rules.yaml"), "--db", os.path.join(folder, "host7.case.db"), check.DEMO])
        r.check(made[0] == 0, "the case of the examples is made", made[2])
        env = dict(os.environ, TZ="UTC", PATH=folder + ":" + os.environ["PATH"])
        for page, line in examples:
            m = re.search(r"# (?:status (\d+))?(?:, )?(needs bpf)?$", line)
            want = int(m.group(1)) if m and m.group(1) else 0
            if m and m.group(2) and not check.can_record():
                r.skip("%s: %s: this host cannot record" % (page, line))
                continue
            # on a host where nothing happens there is nothing to record
            noise = check.popen(["sh", "-c", "while cat /dev/null; do :; done"], start_new_session=True) if m and m.group(2) else None
            p = check.popen(["bash", "-c", line], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
            err = p.communicate(timeout=60)[1]
            if noise:
                os.killpg(noise.pid, signal.SIGKILL)
                noise.wait()
            r.check(p.returncode == want, "%s: %s" % (page, line), "  status %d, want %d\n%s" % (
                p.returncode, want, err.decode("utf-8", "replace")[-1500:]))
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old captures beside a second reader: Debian's sysdig shows the same exit events (time, cpu, thread, type, command).

sysdig 0.29.3 shows enter and exit halves and numbers both, so only exits are compared, by time.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

# curl_google_comments has section-header options, which sysdig 0.29.3 refuses.
CAPTURES = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample",
            "single_ipv6_conn"]
FORMAT = "*%evt.rawtime %evt.cpu %thread.tid %evt.dir %evt.type %proc.name"


def exits(text):
    return sorted(line.rstrip() for line in text.splitlines() if " < " in line)


def without(lines, times):
    return [line for line in lines if line.split()[0] not in times]


def main():
    r = check.Results("beside sysdig")
    sysdig = shutil.which("sysdig")
    if not check.have_shared() or not sysdig:
        r.skip("the shared captures are not here" if sysdig else "sysdig is not installed")
        r.finish()
    for name in CAPTURES:
        path = check.corpus(name)
        p = subprocess.run([sysdig, "-r", path, "-p", FORMAT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        theirs = exits(p.stdout.decode("utf-8", "replace"))
        ours = exits(check.run(["events", "-q", "-p", FORMAT, path])[1])
        # System calls it has no name for are left out by time.
        unnamed = {line.split()[0] for line in theirs if "<unknown>" in line}
        theirs, ours = without(theirs, unnamed), without(ours, unnamed)
        only_theirs, only_ours = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
        r.check(ours and len(ours) == len(theirs) and not only_theirs and not only_ours, "%s: %d exit events" % (name, len(ours)),
                "  only sysdig: %s\n  only scapula: %s" % (only_theirs[:5], only_ours[:5]))
    r.finish()


main()

# SPDX-License-Identifier: Apache-2.0
"""Captures that were cut out of others: what they show as the whole does, here and in sysdig."""
import json
import re
import subprocess

# What a slice cannot show as the whole does, and why.
OTHERWISE = {
    "evt.num": "events are counted from the slice's beginning",
    "evt.reltime": "times count from the slice's first event", "evt.reltime.s": "likewise", "evt.reltime.ns": "likewise",
}
# Of the first event there is none before; with processes left out, another one is, and fewer are counted.
SINCE_BEFORE = ["evt.deltatime", "evt.deltatime.s", "evt.deltatime.ns", "util.cnt"]


def numberless(alert):
    """An alert without what OTHERWISE says, and a key for it."""
    fields = {k: v for k, v in alert["output_fields"].items() if k not in OTHERWISE and k not in SINCE_BEFORE}
    text = alert["output"]
    for name in list(OTHERWISE) + SINCE_BEFORE:
        if name in alert["output_fields"]:
            text = re.sub(r"\b%s\b" % re.escape(str(alert["output_fields"][name])), "N", text, count=1)
    return json.dumps([alert["rule"], alert["time"], alert["priority"], text, fields], sort_keys=True)


CALLS = "%evt.rawtime %thread.tid %evt.dir"


def calls(text):
    """Results of system calls: the events that sysdig and we show alike."""
    return [line for line in text.splitlines() if line.endswith(" <")]


def sysdig_calls(path):
    """Those sysdig shows; None if it refuses the file."""
    p = subprocess.run(["sysdig", "-r", path, "-p", CALLS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return None if p.returncode or p.stderr.strip() else calls(p.stdout.decode("utf-8", "replace"))

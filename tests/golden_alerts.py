#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts of every golden capture and rule set equal those of the reference: count, order, and every member.

usage: golden_alerts.py [--only SUBSTRING] [--skip SUBSTRING]
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

STABLE = ["falco_rules.yaml"]
ALL = ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]


def rule_args(rule_set):
    if rule_set == "coverage":
        files = [os.path.join(check.SHARED, "golden", "coverage-rules.yaml")]
    else:
        names = STABLE if rule_set == "stable" else ALL
        files = [os.path.join(check.SHARED, "peer-rules", n) for n in names]
    return [a for f in files for a in ("-r", f)]


def first_difference(got, want):
    for i, (g, w) in enumerate(zip(got, want)):
        if g == w:
            continue
        keys = sorted(k for k in set(g) | set(w) if g.get(k) != w.get(k))
        lines = ["  alert %d (%s):" % (i, w.get("rule"))]
        for k in keys:
            gv, wv = g.get(k), w.get(k)
            if k == "output_fields":
                for f in sorted(set(gv or {}) | set(wv or {})):
                    if (gv or {}).get(f, "absent") != (wv or {}).get(f, "absent"):
                        lines.append("    %s: got %r want %r" % (f, (gv or {}).get(f, "absent"), (wv or {}).get(f, "absent")))
            else:
                lines.append("    %s: got %r\n    %s  want %r" % (k, gv, " " * len(k), wv))
        return "\n".join(lines)[:4000]
    return "  got %d alerts, want %d" % (len(got), len(want))


def folder():
    return os.path.join(check.SHARED, "golden", "alerts")


def names():
    """Of the goldens: capture, rule set and matching; none where they are not."""
    return sorted(os.listdir(folder())) if check.have_shared() else []


def difference(name, more=()):
    """How the alerts differ from golden @name, as text; empty if they do not. @more options do not change alerts."""
    capture, rule_set, matching = name.split(".")[:3]
    want = check.read_json_lines(os.path.join(folder(), name))
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", matching] + list(more) + rule_args(rule_set) +
                                 [check.corpus(capture)], timeout=900)
    got = [json.loads(line) for line in out.splitlines()]
    for g in got:
        g.pop("hostname", None)
    if got == want and status == 0:
        return ""
    return first_difference(got, want) + ("\n  exit status %d\n%s" % (status, err[-2000:]) if status else "")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--only", default="")
    ap.add_argument("--skip", default="\0")
    opt = ap.parse_args()
    r = check.Results("golden alerts")
    if not names():
        r.skip("the shared goldens are not here; tests/golden covers the capture of the repository")
    for name in names():
        if opt.only in name and opt.skip not in name:
            text = difference(name)
            r.check(not text, name, text)
    r.finish()


if __name__ == "__main__":
    main()

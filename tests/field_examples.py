#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the field specification: values of chosen events, checked by hand there.

Events are named by their number among all events stored in the file; here they are found by time and CPU.
"""
import gzip
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

# Offset of the time in an event block: after length and CPU, or after those and flags.
TIME_AT = {0x204: 10, 0x8010abcd: 10, 0x216: 10, 0x221: 10, 0x208: 14, 0x217: 14, 0x222: 14}
NOT_OURS = ("(event not delivered at HEAD)", "(needs container plugin)")


def events_of(path):
    """(time, cpu) of each stored event, in order."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    at = 0
    while at + 8 <= len(data):
        kind, total = struct.unpack_from("<II", data, at)
        if kind in TIME_AT:
            yield struct.unpack_from("<Q", data, at + TIME_AT[kind])[0], struct.unpack_from("<H", data, at + 8)[0]
        at += total


def shown(path, ts, cpu, field):
    where = "evt.rawtime = %d and evt.cpu = %d" % (ts, cpu)
    return check.run(["events", "-q", "-F", where, "-p", "*%" + field, path])[1].rstrip("\n")


def main():
    r = check.Results("field examples")
    if not check.have_shared():
        r.skip("the shared examples are not here; engine/filter/tests covers the fields")
        r.finish()
    events, absent = {}, 0
    with open(os.path.join(check.SHARED, "spec", "fields-examples.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    for name, number, field, old, new in rows:
        path = os.path.join(check.SHARED, "corpus", "public", name)
        if not os.path.exists(path) or new in NOT_OURS:
            absent += 1
            continue
        if name not in events:
            events[name] = list(events_of(path))
        got, want = shown(path, *events[name][int(number) - 1], field), old if new == "=" else new
        r.check(got == want, "%s event %s: %s" % (name, number, field), "  got %r, expected %r" % (got, want))
    print("  %d examples are of captures that are not here, of enter events, or need Falco's container plugin" % absent)
    r.finish()


main()

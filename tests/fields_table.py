#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the field reference is a row of 'scapula fields': name, class, argument rule, type, print format, flags."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

# Fields there are none of, by the beginning of their names. docs/deviations.md says the same to people.
LEFT_OUT = {
    "mesos.": "asked a Mesos server while recording; never in a capture",
    "marathon.": "the same",
    "span.": "tracer events, which are no longer made and which current readers skip",
    "evtin.": "the same",
    "static.NAME": "configured by 'replay -O append_output', not in a table",
}
# Fields of our own, which the reference does not have.
OWN = {"proc.exe_sha256"}
TYPES = {"PT_ABSTIME": "time", "PT_BOOL": "bool", "PT_BYTEBUF": "bytes", "PT_CHARBUF": "string", "PT_DOUBLE": "double",
         "PT_DYN": "parameter", "PT_INT16": "int16", "PT_INT32": "int32", "PT_INT64": "int64", "PT_IPADDR": "address",
         "PT_IPNET": "network", "PT_PORT": "port", "PT_RELTIME": "duration", "PT_UINT32": "uint32", "PT_UINT64": "uint64"}
FORMATS = {"PF_NA": "none", "PF_DEC": "decimal", "PF_HEX": "hex", "PF_10_PADDED_DEC": "padded", "PF_ID": "id", "PF_DIR": "dir",
           "PF_OCT": "octal"}
# None: a matter of the reference's memory management.
FLAGS = {"-": None, "value-not-stable": None, "deprecated": "deprecated", "deprecated-in-effect": "deprecated",
         "filter-only": "filter_only", "hidden-class": "hidden", "list": "list", "no-rhs": "no_rhs",
         "no-transformer": "no_transformer", "print-only": "print_only", "suggested-output": "suggested", "table-only": "hidden"}


def described(row):
    """A row of the reference in the words of 'scapula fields'."""
    flags = {FLAGS[f] for f in row["flags"].split(",")} - {None}
    return {"name": row["field"], "class": row["class"].split(" ")[0], "argument": row["arg"].split(" ")[0],
            "type": TYPES[row["type"]], "print_format": FORMATS[row["print_format"]], "flags": sorted(flags)}


def main():
    r = check.Results("table of fields")
    if not check.have_shared():
        r.skip("the shared field reference is not here")
        r.finish()
    with open(os.path.join(check.SHARED, "spec", "fields.tsv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    ours = {}
    for line in check.run(["fields", "-f", "json", "--all"])[1].splitlines():
        row = json.loads(line)
        ours[row["name"]] = row
    used = set()
    for row in rows:
        name = row["field"]
        prefix = next((p for p in LEFT_OUT if name.startswith(p)), None)
        if prefix:
            used.add(prefix)
            r.check(name not in ours, "%s is said to be left out" % name)
        elif r.check(name in ours, "%s is missing" % name):
            want = described(row)
            r.equal({key: ours[name][key] for key in want}, want, name)
    r.equal(used, set(LEFT_OUT), "what is left out is in the reference")
    r.equal(set(ours) - {row["field"] for row in rows}, OWN, "fields the reference does not have")
    r.equal(len(ours), len(rows) - sum(any(row["field"].startswith(p) for p in LEFT_OUT) for row in rows) + len(OWN), "fields")
    r.finish()


main()

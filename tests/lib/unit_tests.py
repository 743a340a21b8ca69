# SPDX-License-Identifier: Apache-2.0
"""Which unit tests there are, for tables that say where something is tested."""
import glob
import os
import re

import check


def _run_by(path):
    """Names of the tests a source defines and registers."""
    with open(path, encoding="utf-8") as f:
        source = f.read()
    defined = set(re.findall(r"^static void (\w+)\(void \*\*\w+\)", source, re.M))
    run = set(re.findall(r"(?:cmocka_unit_test(?:_setup_teardown)?|TEST|\bT)\(\s*(\w+)", source))
    return defined & run


def find(*patterns):
    """Name of each test in the sources -> its source."""
    return {name: os.path.relpath(path, check.ROOT) for pattern in patterns
            for path in sorted(glob.glob(os.path.join(check.ROOT, pattern))) for name in _run_by(path)}


def index_row(r, known, label, what, where):
    """Lines of the index for one row of a table; @where: names of tests, or the reason why there are none."""
    if isinstance(where, str):
        return ["%s: %s" % (label, where)]
    return ["%s: %s: %s" % (label, known[name], name) for name in where
            if r.check(name in known, "%s is tested by %s, which is not there" % (what, name))]

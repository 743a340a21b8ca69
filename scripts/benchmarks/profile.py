# SPDX-License-Identifier: Apache-2.0
"""Flame graphs as text: where the time goes, from the program's start inwards.

A line is a function with its share of all samples, those of what it calls included; "self" are those in itself. A chain
of functions that call nothing else of note is one line.
"""
import itertools
import os
import shutil

from benchmarks import captures
from benchmarks.common import WORK, fail, replay, rule_sets, run, state_only, timed

LEAST = 1.0  # percent; what is less is not shown
CHAIN = 4  # functions in a line
FREQUENCY = 1999


class Node:
    """A function at one place of the tree."""

    def __init__(self):
        self.samples = self.own = 0
        self.calls = {}

    def add(self, stack):
        node = self
        node.samples += 1
        for name in stack:
            node = node.calls.setdefault(name, Node())
            node.samples += 1
        node.own += 1


def stacks(text):
    """Of what `perf script` prints: each sample's functions, outermost first. What is before the command differs by how
    far a stack was kept, so it is left out."""
    for entry in text.split("\n\n"):
        names = [line.split(None, 1)[1].replace(" (inlined)", "") for line in entry.splitlines()[1:] if line.strip()]
        names = [name for name in reversed(names) if name != "[unknown]"]
        command = next((i for i, name in enumerate(names) if name.startswith("cmd_")), 0)
        names = [name for name, _ in itertools.groupby(names[command:])]  # parts of a function are one
        if names:
            yield names


def chain(name, node, least):
    """The functions from @node inwards as long as each only calls the next, and the last of them."""
    names = [name]
    while True:
        inner = max(node.calls.items(), key=lambda item: item[1].samples, default=None)
        if not inner or inner[1].samples < least or node.samples - inner[1].samples >= least:
            return names, node
        names.append(inner[0])
        node = inner[1]


def lines(node, total, depth=0):
    """The tree below @node as indented lines, most samples first."""
    least = total * LEAST / 100
    for name, call in sorted(node.calls.items(), key=lambda item: -item[1].samples):
        if call.samples < least:
            break
        names, last = chain(name, call, least)
        if len(names) > CHAIN:
            names[CHAIN - 1:-1] = ["..."]
        own = "  (self %.1f%%)" % (100 * last.own / total) if last.own >= least else ""
        yield "%5.1f%% %s%s%s" % (100 * call.samples / total, "  " * depth, " > ".join(names), own)
        yield from lines(last, total, depth + 1)


def sample(args, runs):
    root, data = Node(), os.path.join(WORK, "perf.data")
    run(args)  # so that the capture is in memory
    for _ in range(runs):
        timed(["perf", "record", "-q", "-F", str(FREQUENCY), "--call-graph", "dwarf,8192", "-o", data] + args)
        text = run(["perf", "script", "-i", data, "-F", "comm,ip,sym"]).decode("utf-8", "replace")
        for stack in stacks(text):
            root.add(stack)
    os.unlink(data)
    return root


def bench_profile(opt):
    if not shutil.which("perf"):
        fail("perf is not installed; Debian's package is linux-perf")
    plain, _ = captures.busy()
    for label, command in [("state only", state_only())] + [(label, replay(files)) for label, files in rule_sets()]:
        root = sample(command + [plain], opt.runs)
        print("%s, %s: %d samples" % (label, os.path.basename(plain), root.samples))
        print("\n".join(lines(root, root.samples)) + "\n", flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Rules over many traces, again and again: what is evaluated and what it costs when results are kept."""
import functools
import os
import re
import shutil
import tempfile

from benchmarks import captures
from benchmarks.common import SCAPULA, WORK, count_events, fail, in_turns, median, rule_sets, run, timed

TRACES, QUICK_TRACES = 200, 20
TRACE_EVENTS = 250000  # of each; they overlap, and no two are equal
EDITED = ("condition: >\n    open_read", "condition: >\n    proc.name != nosuchprogram and open_read")  # the first rule with such a condition
KNOWN_PERCENT, EDITED_TIMES = 1, 1.1  # less than that of the full run's CPU time, and at most that of the edited rule's alone
COUNTER = re.compile(r"Cache: (\d+) of (\d+) rules evaluated; (\d+) of (\d+) captures opened")


def traces(n):
    """Cut out of the recorded load, each with its index."""
    source = captures.busy()[0]
    events = count_events(source)
    length = min(TRACE_EVENTS, events // 2)
    step, made = (events - length) // n, []
    for i in range(n):
        path = os.path.join(WORK, "trace-%03d-of-%d.scap.zst" % (i, n))
        if not os.path.exists(path):
            part = path[:-len(".scap.zst")] + ".part.scap.zst"
            run([SCAPULA, "slice", "-q", "--force", "--no-seal", "--evt", "%d..%d" % (1 + i * step, i * step + length), source, "-o", part])
            os.rename(part, path)
            run([SCAPULA, "index", "-q", path])
        made.append(path)
    return made


def counted(err):
    return [int(n) for n in COUNTER.search(err).groups()]


class Bench:
    """The rule file that is edited, the directory of kept results, and a copy of it as it is before the edit."""

    def __init__(self, text, paths):
        self.rules, self.cache = os.path.join(WORK, "edited-rules.yaml"), os.path.join(WORK, "cache")
        self.full = self.cache + ".full"
        self.text, self.paths = text, paths
        self.plain = [SCAPULA, "replay", "-j", "1", "-r", self.rules]
        self.kept = self.plain + ["--stats", "--cache", self.cache]

    def once(self, args, is_edited, is_full=True):
        """Time @args and take what they print. Files are as they were at the start of any other kind, and written: nobody pays for another's."""
        with open(self.rules, "w") as f:
            f.write(self.text.replace(*EDITED, 1) if is_edited else self.text)
        shutil.rmtree(self.cache, ignore_errors=True)
        if is_full:
            shutil.copytree(self.full, self.cache)
        os.sync()
        with tempfile.TemporaryFile(dir=WORK) as out:
            took = timed(args + self.paths, out)
            out.seek(0)
            return took, out.read()

    def keep(self):
        """Make the results that there are before the edit."""
        self.once(self.kept, False, False)
        shutil.rmtree(self.full, ignore_errors=True)
        shutil.copytree(self.cache, self.full)


def bench_cache(opt):
    files = rule_sets()[-1][1]
    text = "\n".join(open(f).read() for f in files)
    if EDITED[0] not in text:
        fail("no condition in %s begins with 'open_read': the public rules beside the project (../shared/peer-rules) have one" % ", ".join(files))
    name = re.findall(r"- rule: (.*)", text[:text.index(EDITED[0])])[-1]
    b = Bench(text, traces(QUICK_TRACES if opt.quick else TRACES))
    b.keep()
    alone = b.plain + ["-O", "rules[].disable.rule=*", "-O", "rules[].enable.rule=" + name]
    kinds = (("all rules, nothing kept", b.plain, False, True), ("all rules, results are kept", b.kept, False, False),
             ("nothing was edited", b.kept, False, True), ("one rule was edited", b.kept, True, True),
             ("that rule alone, nothing kept", alone, True, True))
    found = in_turns([functools.partial(b.once, *kind[1:]) for kind in kinds], opt.runs)
    times, printed = [[took for took, _ in rounds] for rounds in found], [{out for _, out in rounds} for rounds in found]
    print("%d traces, %d events, medians of %d rounds\n%-32s %9s %9s" % (
        len(b.paths), sum(count_events(p) for p in b.paths), opt.runs, "", "CPU s", "wall s"))
    counters = [counted(rounds[-1].err) if kind[1] is b.kept else None for kind, rounds in zip(kinds, times)]
    for kind, rounds, n in zip(kinds, times, counters):
        print("%-32s %9.3f %9.3f%s" % (kind[0], median(rounds, "cpu"), median(rounds, "wall"),
                                       "   %d of %d rules evaluated, %d of %d traces opened" % tuple(n) if n else ""))
    full, _, known, edited, one = times
    shares = {what: (100 * median(known, what) / median(full, what), median(edited, what) / median(one, what)) for what in ("cpu", "wall")}
    print("nothing edited: %.2f %% of the full run by CPU, %.2f %% by wall clock" % (shares["cpu"][0], shares["wall"][0]))
    print("one edited: %.2f times that rule alone by CPU, %.2f by wall clock" % (shares["cpu"][1], shares["wall"][1]))
    if len(printed[0] | printed[1] | printed[2]) != 1 or printed[3] != {b.once(b.plain, True)[1]}:
        fail("with a cache the alerts are others")
    if counters[2][0] or counters[3][0] != 1:
        fail("other rules than the edited one were evaluated")
    if not opt.quick and shares["cpu"][0] >= KNOWN_PERCENT:  # of few traces, starting is more than that
        fail("with nothing edited it takes %d %% of the full run's CPU time or more" % KNOWN_PERCENT)
    if shares["cpu"][1] > EDITED_TIMES:
        fail("with one rule edited it takes over %.1f times the CPU time of that rule alone" % EDITED_TIMES)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Old captures beside a second reader: Debian's sysdig shows the same events, lines, parameters and containers.

sysdig 0.29.3 shows a system call as two events, before and after; Scapula, like current readers, as one. An event is
found again by time, thread, CPU and direction, an enter event by its thread's next exit event. Each parameter that
sysdig shows, of both halves, must be in ours with the same text, in the default lines as well as in %evt.args.
Differences between the versions are rows of peer_differences.tsv: half, event, parameter, kind, how often. They must
look as their kind says and be there exactly as often. Captures with system calls newer than sysdig are left out: it
crashes on them.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import check  # noqa: E402

# curl_google_comments has section-header options, which sysdig 0.29.3 refuses.
CAPTURES = ["cat_write", "connect_localhost", "curl_google", "ping_sendto", "psp_run_as_user_0_container", "sample",
            "single_ipv6_conn"]
ARGS = "*%evt.rawtime %evt.cpu %thread.tid %evt.dir %evt.type %proc.name %evt.args"
CONTAINERS = ["container.id", "container.name", "container.type", "container.image", "container.image.id",
              "container.image.repository", "container.image.tag", "container.image.digest", "container.privileged",
              "container.mounts", "container.mount[0]", "container.mount.source[0]", "container.mount.dest[0]",
              "container.healthcheck", "container.liveness_probe", "container.readiness_probe",
              "proc.is_container_healthcheck", "user.name", "group.name", "fd.containername", "fd.containerdirectory"]
INTERNAL = {"procinfo", "scapevent"}  # sysdig hides these
CUT = 80  # bytes; sysdig shows the first 77 of a longer buffer, and dots


# --- kinds of differences: (theirs, ours, the values both have for the whole call)

def is_hex(theirs, ours, _):
    return re.fullmatch("[0-9A-F]+", theirs) and ours == str(int(theirs, 16))


def is_before(theirs, ours, _):
    """An enter event is shown before its call has given the descriptor an address, or a port and the other end."""
    m = re.fullmatch(r"(\d+)(?:\(<([46u])>(?:(.+):0)?\))?", theirs)
    return m and re.fullmatch(r"%s\(<%s[tu]?>%s.+\)" % (m[1], m[2] or "[46]", re.escape(m[3] + ":") if m[3] else ""), ours)


def is_result(theirs, ours, exit_half):
    """Both halves have the parameter, and the merged event shows what the call returned."""
    return exit_half is not None and ours == exit_half


def has_control(theirs, ours, _):
    r"""sysdig drops control characters; they are there, as they are in JSON and as \xNN in lines."""
    return theirs == re.sub(r"\\x[0-1][0-9a-f]|[\x00-\x1f]", "", ours) != ours



KINDS = {
    "null": lambda theirs, ours, _: (theirs, ours) == ("", "NULL"),
    "hex": is_hex,
    "before": is_before,
    "result": is_result,
    "control": has_control,
    "second-name": lambda theirs, ours, _: theirs.endswith(")") and ours.startswith(theirs[:-1] + "|"),
    "nobody": lambda theirs, ours, _: (theirs, ours) == ("-1", "-1(<NONE>)"),
    "unnamed": lambda theirs, ours, _: theirs == "<unknown>",
    "host-empty": lambda theirs, ours, _: theirs is None and ours in ("", False),
    "gone": lambda theirs, ours, _: theirs in ("NONE", False) and ours is None,
    "merged": lambda theirs, ours, _: theirs is None and ours is not None,
}


class Differences:
    """Counts what differs, by row of the table or as unexplained."""

    def __init__(self):
        self.rows = collections.defaultdict(dict)  # (half, event, parameter) -> {kind: times}
        with open(os.path.join(HERE, "peer_differences.tsv")) as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    half, event, param, kind, times, _ = line.rstrip("\n").split("\t")
                    self.rows[half, event, param][kind] = int(times)

    def start(self):
        self.seen = collections.Counter()
        self.unexplained = []
        self.equal = 0

    def compare(self, where, place, theirs, ours, exit_half=None):
        """@where: half, event, parameter; @place: for messages."""
        if ours == theirs or is_cut(theirs, ours):
            self.equal += ours is not None
            return
        for kind in self.rows.get(where, ()):
            if KINDS[kind](theirs, ours, exit_half):
                self.seen[where + (kind,)] += 1
                return
        self.unexplained.append("%s: %s: sysdig %.200r, ours %.200r" % (place, " ".join(where), theirs, ours))

    def tell(self, r, what, halves):
        for row, times in sorted(self.seen.items()):
            print("  %s: %d x %s" % (what, times, " ".join(row)))
        expected = {where + (kind,): n for where, kinds in self.rows.items() if where[0] in halves for kind, n in kinds.items()}
        r.equal(dict(self.seen), expected, "%s: known differences, as often as the table says" % what)
        r.check(not self.unexplained, "%s: %d values differ" % (what, len(self.unexplained)),
                "\n".join("  " + line for line in self.unexplained[:20]))
        r.check(self.equal > 0, "%s: something was compared" % what)
        print("  %s: %d values equal, %d known differences" % (what, self.equal, sum(self.seen.values())))


def is_cut(theirs, ours):
    return (isinstance(theirs, str) and isinstance(ours, str) and len(theirs) == CUT and theirs.endswith("...")
            and ours.startswith(theirs[:-3]))


# --- parameters

def parameter_lists():
    """(event name, direction) -> parameter names of each version of the event."""
    rows = [line.rstrip("\n").split("\t") for line in open(os.path.join(check.ROOT, "scapfile", "schema", "events.tsv"))]
    names = collections.defaultdict(list)
    for line in open(os.path.join(check.ROOT, "scapfile", "schema", "event_params.tsv")):
        event, _, name = line.split("\t")[:3]
        names[event].append(name)
    lists = collections.defaultdict(set)
    for row in rows[1:]:
        lists[row[2], "<" if row[3] == "X" else ">"].add(tuple(names[row[0]]))
    # The name that the virtual group id had when it was the only one.
    lists["execve", "<"] |= {tuple("pgid" if n == "vpgid" else n for n in params) for params in lists["execve", "<"]}
    return lists


def take_apart(lists, kind, direction, text):
    """{name: value} of "a=1 b=2"; older versions of an event have only the first parameters of its list. None: cannot."""
    text = text[:-1] if text.endswith(" ") else text
    if not text:
        return {}
    beginnings = {params[:n] for params in lists[kind, direction] for n in range(1, len(params) + 1)}
    for params in sorted(beginnings, key=lambda p: (-len(p), "vpgid" in p)):
        m = re.fullmatch(" ".join("%s=(.*?)" % re.escape(name) for name in params), text, re.S)
        if m:
            return {"vpgid" if n == "pgid" and "vpgid" not in params else n: v for n, v in zip(params, m.groups())}
    return None


# --- the two programs

LINE = re.compile(r"\d+ (\S+) (\d+) (.*?) \((-?\d+)\) ([<>]) (\S+) ?(.*)")


def from_lines(text):
    for line in text.splitlines():
        time, cpu, name, tid, direction, kind, args = LINE.fullmatch(line).groups()
        yield {"key": (time, int(tid), int(cpu), direction), "type": kind, "name": name, "args": args}


def from_json(text):
    for line in text.splitlines():
        e = json.loads(line)
        yield {"key": (e["evt.rawtime"], e["thread.tid"], e["evt.cpu"], e["evt.dir"]), "type": e["evt.type"],
               "name": e.get("proc.name"), "args": e.get("evt.args", ""), "all": e}


def sysdig(path, *args):
    p = subprocess.run(["sysdig", "-r", path] + list(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       env=dict(os.environ, TZ="UTC"))
    return p.stdout.decode("utf-8", "replace")


def by_key(events):
    """Events by key; two of one moment stay in their order."""
    found = collections.defaultdict(collections.deque)
    for e in events:
        found[e["key"]].append(e)
    return found


def brief(e):
    return " ".join(str(part) for part in e["key"] + (e["type"],))


def calls(theirs, ours):
    """Pairs of (their enter event or None, their event, our event); and what has no partner."""
    entered, pairs, alone = {}, [], []
    for e in theirs:
        tid, direction = e["key"][1], e["key"][3]
        mine = ours[e["key"]].popleft() if ours.get(e["key"]) else None
        if mine:
            enter = entered.pop(tid, None) if direction == "<" else None
            if enter and enter["type"] != e["type"]:
                alone.append("enter event without exit: %s" % brief(enter))
                enter = None
            pairs.append((enter, e, mine))
        elif direction == ">":
            if tid in entered and entered[tid]["type"] != "sigreturn":  # which has no exit
                alone.append("enter event without exit: %s" % brief(entered[tid]))
            entered[tid] = e  # the last one of a thread may be in a call still
        else:
            alone.append("only in sysdig: %s" % brief(e))
    alone += ["only here: %s" % brief(e) for rest in ours.values() for e in rest if e["type"] not in INTERNAL]
    return pairs, alone


def compare_call(d, lists, name, enter, theirs, mine):
    place = "%s %s" % (name, theirs["key"])
    d.compare(("event", "any", "type"), place, theirs["type"], mine["type"])
    d.compare(("event", "any", "name"), place, theirs["name"], mine["name"])
    merged = take_apart(lists, mine["type"], mine["key"][3], mine["args"])
    exit_half = take_apart(lists, theirs["type"], theirs["key"][3], theirs["args"])
    enter_half = take_apart(lists, enter["type"], ">", enter["args"]) if enter else {}
    if merged is None or exit_half is None or enter_half is None:
        texts = (enter and enter["args"], theirs["args"], mine["args"])
        d.unexplained.append("%s: cannot be taken apart: %r %r %r" % ((place,) + texts))
        return
    for half, params in (("enter", enter_half), ("exit", exit_half)):
        for param, value in params.items():
            d.compare((half, theirs["type"], param), place, value, merged.get(param), exit_half.get(param))


def compare_events(r, d, what, read_theirs, read_ours):
    lists = parameter_lists()
    d.start()
    for name in CAPTURES:
        path = check.corpus(name)
        pairs, alone = calls(read_theirs(path), by_key(read_ours(path)))
        r.check(pairs and not alone, "%s, %s: %d events, each with its partner" % (name, what, len(pairs)), "\n".join(alone[:10]))
        for enter, theirs, mine in pairs:
            compare_call(d, lists, name, enter, theirs, mine)
    d.tell(r, what, ("event", "enter", "exit"))


def compare_containers(r, d, name):
    fmt = ARGS + "".join(" %" + f for f in CONTAINERS)
    path = check.corpus(name)
    theirs = from_json(sysdig(path, "-j", "-p", fmt))
    ours = by_key(from_json(check.run(["events", "-q", "-f", "json", "-p", fmt, path])[1]))
    d.start()
    pairs, alone = calls(theirs, ours)
    r.check(pairs and not alone, "%s, containers: %d events" % (name, len(pairs)), "\n".join(alone[:10]))
    for _, t, m in pairs:
        for field in CONTAINERS:
            d.compare(("field", "any", field), "%s %s" % (name, t["key"]), t["all"].get(field), m["all"].get(field))
    d.tell(r, "containers", ("field",))


def main():
    r = check.Results("beside sysdig")
    if not check.have_shared() or not shutil.which("sysdig"):
        r.skip("the shared captures are not here" if shutil.which("sysdig") else "sysdig is not installed")
        r.finish()
    d = Differences()
    compare_events(r, d, "default lines", lambda p: from_lines(sysdig(p)),
                   lambda p: from_lines(check.run(["events", "-q", p])[1]))
    compare_events(r, d, "evt.args", lambda p: from_json(sysdig(p, "-j", "-p", ARGS)),
                   lambda p: from_json(check.run(["events", "-q", "-f", "json", "-p", ARGS, p])[1]))
    compare_containers(r, d, "psp_run_as_user_0_container")
    r.finish()


main()

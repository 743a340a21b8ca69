# SPDX-License-Identifier: Apache-2.0
"""Where the texts of a capture stand, as the format says it, for tests that search captures: what is at an offset is part of a text, or of
a number that looks like one by chance."""
import bisect
import collections
import struct

import scap

Text = collections.namedtuple("Text", "place field start end")  # place: "process", "event openat", ...; offsets in the plain capture

BYTES = {"CHARBUF", "FSPATH", "FSRELPATH", "BYTEBUF", "CHARBUFARRAY"}
# Events that only Scapula writes: their texts by index, and their addresses of sockets.
OWN = {60002: {7: "path"}, 60003: {12: "name", 13: "name2", 14: "SOCKADDR", 15: "SOCKTUPLE"},
       60004: {17: "container", 19: "cmdline", 21: "comm", 22: "exe", 23: "exepath", 24: "root", 25: "cwd", 26: "env", 30: "call_text"},
       60005: {7: "name", 8: "name_raw"}}
UNIX = 1
UNIX_PATH = {"SOCKADDR": 1, "SOCKTUPLE": 17}
THREADS, FDS, INTERFACES, USERS, MACHINE, SECTION = 0x215, 0x218, 0x219, 0x220, 0x201, 0x0a0d0d0a
BODY = 8  # of a block: type and length come first


class Walk:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def skip(self, n):
        self.at += n

    def text(self):
        """Start and end of a text with its length before it."""
        start = self.at + 2
        self.at = start + struct.unpack_from("<H", self.data, self.at)[0]
        return start, self.at


def entries(data, start, end):
    """(start, end) of the entries of a list, each with its length first."""
    while end - start >= 4:
        n = struct.unpack_from("<I", data, start)[0]
        yield start, start + n
        start += n


def of_threads(data, start, end):
    for first, _ in entries(data, start, end):
        w = Walk(data, first + 4 + 40)
        for field in ("comm", "exe", "exepath", "args", "cwd"):
            yield Text("process", field, *w.text())
        w.skip(8 + 4 * 6 + 16)
        yield Text("process", "env", *w.text())
        w.skip(16)
        for field in ("cgroups", "root"):
            yield Text("process", field, *w.text())


def of_users(data, start, end):
    for first, _ in entries(data, start, end):
        group = data[first + 4]
        w = Walk(data, first + (9 if group else 13))
        for field in ("name",) if group else ("name", "home", "shell"):
            yield Text("group" if group else "user", field, *w.text())


def of_interfaces(data, start, end):
    while end - start >= 4:
        n, kind, size = struct.unpack_from("<IHH", data, start)
        at = start + 4 + {1: 24, 2: 60, 3: 16, 4: 52}[kind]
        yield Text("interface", "name", at, at + size)
        start += 4 + n


def of_fds(data, start, end):
    for first, last in entries(data, start + 8, end):
        kind, at = data[first + 20], first + 21 + {8: 16, 16: 4}.get(data[first + 20], 0)
        if kind not in (0, 3, 4, 5, 6) and last >= at + 2:
            yield Text("fd", "name", *Walk(data, at).text())


def of_param(data, place, name, kind, start, end):
    if kind in BYTES:
        yield Text(place, name, start, end)
    elif kind in UNIX_PATH and end > start + UNIX_PATH[kind] and data[start] == UNIX:
        yield Text(place, name, start + UNIX_PATH[kind], end)
    elif kind == "DYN" and end > start + 1:
        yield Text(place, name, start + 1, end)


def of_event(data, kind, start):
    at = start + scap.EVENT_BLOCKS[kind][0]
    type_id, n = struct.unpack_from("<HI", data, at + 20)
    known = scap.TYPES[type_id] if type_id < len(scap.TYPES) else None
    wide = known and known.flags & scap.EF_LARGE_PAYLOAD
    lens = struct.unpack_from("<%d%s" % (n, "I" if wide else "H"), data, at + 26)
    at += 26 + n * (4 if wide else 2)
    for i, size in enumerate(lens):
        if size and known and i < len(known.params):
            p = known.params[i]
            if p.type != "DYN" or may_be_text(p, data[at]):
                yield from of_param(data, "event " + known.name, p.name, p.type, at, at + size)
        elif size and (not known or i >= len(known.params)):
            name = OWN[type_id].get(i) if type_id in OWN else "unknown"
            if name:
                yield from of_param(data, "event %d" % type_id, name, name if name in UNIX_PATH else "BYTEBUF", at, at + size)
        at += size


def may_be_text(param, tag):
    table = next((t for name, t in scap.DYNAMIC.items() if name in param.info), [])
    return tag >= len(table) or table[tag] in BYTES


def of_block(data, kind, start, end):
    if kind in (0x216, 0x217, 0x221, 0x222):
        return of_event(data, kind, start)
    if kind == MACHINE:
        return iter([Text("machine", "hostname", start + 20, start + 148)])
    if kind in LISTS:
        return LISTS[kind](data, start, end)
    return iter([Text("block %#x" % kind, "body", start, end)])  # of it all is a text


LISTS = {THREADS: of_threads, USERS: of_users, INTERFACES: of_interfaces, FDS: of_fds}


def of_capture(data):
    """The texts of a plain capture as a current writer has it, in their order."""
    at = 0
    while at < len(data):
        kind, total = struct.unpack_from("<II", data, at)
        yield from of_block(data, kind, at + BODY, at + total - 4)
        at += total


def hits(data, text):
    at = data.find(text)
    while at >= 0:
        yield at
        at = data.find(text, at + 1)


class Spans:
    """Which text an offset is in."""

    def __init__(self, data):
        self.texts = list(of_capture(data))
        self.starts = [t.start for t in self.texts]

    def around(self, start, end):
        """The text that holds all of these bytes, or None: some of them belong to numbers."""
        i = bisect.bisect_right(self.starts, start) - 1
        return self.texts[i] if i >= 0 and end <= self.texts[i].end else None

# SPDX-License-Identifier: Apache-2.0
"""The scap format for Python tests, written from the format's description and its tables alone: the schema, a writer of
captures and the conversion of old events. Nothing here shares code with the program under test."""
import collections
import os
import struct

import check

SCHEMA = os.path.join(check.ROOT, "scapfile", "schema")

EF_UNUSED, EF_OLD_VERSION, EF_LARGE_PAYLOAD, EF_CONVERTER_MANAGED = 0x40, 0x200, 0x800, 0x1000
EF_CREATES_FD, EF_DESTROYS_FD, EF_USES_FD, EF_MODIFIES_STATE = 0x1, 0x2, 0x4, 0x20
EC_SYSCALL = 512
NO_ID = 0xffffffff
FD_CWD = -100

# Widths of the fixed types; what is not here varies.
WIDTH = {"INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "UINT8": 1, "UINT16": 2, "UINT32": 4, "UINT64": 8, "ERRNO": 8,
         "FD": 8, "PID": 8, "SYSCALLID": 2, "SIGTYPE": 1, "RELTIME": 8, "ABSTIME": 8, "PORT": 2, "L4PROTO": 1,
         "SOCKFAMILY": 1, "BOOL": 4, "IPV4ADDR": 4, "FLAGS8": 1, "FLAGS16": 2, "FLAGS32": 4, "UID": 4, "GID": 4,
         "DOUBLE": 8, "SIGSET": 4, "CHARBUF_PAIR_ARRAY": 8, "IPV6ADDR": 16, "MODE": 4, "ENUMFLAGS8": 1,
         "ENUMFLAGS16": 2, "ENUMFLAGS32": 4, "FD32": 4, "PID32": 4}

Param = collections.namedtuple("Param", "name type format kind info")
Type = collections.namedtuple("Type", "id enum name category flags params")
Event = collections.namedtuple("Event", "type tid ts params")  # params: a list of bytes; b"": empty


def rows(name, folder=None):
    with open(os.path.join(folder or SCHEMA, name), encoding="ascii") as f:
        lines = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    return [dict(zip(lines[0], cells)) for cells in lines[1:]]


def load_types():
    params = collections.defaultdict(list)
    for r in rows("event_params.tsv"):
        params[int(r["event_id"])].append(Param(r["name"], r["type"][3:], r["format"][3:], r["info_kind"], r["info"]))
    return [Type(int(r["id"]), r["enum_name"].replace("PPME_SYSCALL_", "").replace("PPME_SOCKET_", "").replace("PPME_", ""),
                 r["name"], int(r["category_num"]), int(r["flags_num"], 16), params[int(r["id"])])
            for r in rows("events.tsv")]


def load_flags():
    sets = collections.OrderedDict()
    for r in rows("flags.tsv"):
        sets.setdefault(r["set"], []).append((r["symbol"], int(r["value_dec"])))
    return sets


def load_dynamic():
    tables = collections.defaultdict(list)
    for r in rows("dynamic_params.tsv"):
        tables[r["table"]].append(r["type"][3:])
    return tables


TYPES = load_types()
BY_ENUM = {t.enum: t for t in TYPES}
FLAG_SETS = load_flags()
DYNAMIC = load_dynamic()
SYSCALLS = [r["name"] for r in rows("syscalls.tsv")]
NATIVE = {int(r["x86_64_nr"]): i for i, r in reversed(list(enumerate(rows("syscalls.tsv")))) if r["x86_64_nr"] != "-"}


# --- conversion of old events (scap format, section 15) ---

CONVERTER = {(int(r["event_id"]), int(r["nparams_in"])): r for r in rows("converter.tsv")}
PASS, DROP, CONVERT, ERROR = "pass", "drop", "convert", "error"


def fate(type_id, nparams):
    t = TYPES[type_id]
    old, managed, is_exit = t.flags & EF_OLD_VERSION, t.flags & EF_CONVERTER_MANAGED, type_id & 1
    if t.flags & EF_UNUSED:
        return DROP
    if not managed:
        return PASS if not old else ERROR if is_exit else DROP
    if not is_exit:
        return CONVERT
    if nparams > len(t.params):
        return ERROR
    return CONVERT if old or nparams != len(t.params) else PASS


def default_value(ptype):
    return b"\xff" * 4 if ptype in ("UID", "GID") else b"\0" * WIDTH.get(ptype, 0)


def container_json(params):
    if len(params) != 4 or len(params[1]) != 4 or not all(params[i].endswith(b"\0") for i in (0, 2, 3)):
        return b""
    cid, name, image = (params[i][:-1] for i in (0, 2, 3))
    number = str(struct.unpack("<I", params[1])[0]).encode()
    return b'{"id":"%s","type":%s,"name":"%s","image":"%s"}\0' % (cid, number, name, image)


class Converter:
    """What a reader makes of the events of one section."""

    def __init__(self):
        self.stored = {}

    def source(self, ev, text, ptype, stored):
        kind, _, rest = text.partition("[")
        if kind == "old":
            return ev.params[int(rest[:-1])]
        if kind == "enter":
            index, _, otherwise = rest.partition("]|")
            if stored:
                return stored.params[int(index)]
            return default_value(ptype) if otherwise == "default" else b""
        if text == "default":
            return default_value(ptype)
        return container_json(ev.params) if text.startswith("container_json") else b""

    def step(self, ev, row):
        result = TYPES[int(row["result_id"])]
        sources = {}
        for item in row["new_params"].split("; ") if row["new_params"] != "-" else ():
            index, _, rest = item.partition(":")
            sources[int(index)] = rest.partition("=")[2]
        uses = any(s.startswith("enter") for s in sources.values())
        stored = self.stored.get(ev.tid) if uses else None
        if stored and stored.type != ev.type - 1:
            return None
        out = []
        for i in range(int(row["nparams_out"])):
            value = ev.params[i] if i not in sources else self.source(ev, sources[i], result.params[i].type, stored)
            out.append(value[:WIDTH.get(result.params[i].type, 0xffffffff)])
        if stored:
            del self.stored[ev.tid]
        return ev._replace(type=result.id, params=out)

    def convert(self, ev):
        """The event as a reader delivers it, or None."""
        verdict = fate(ev.type, len(ev.params))
        while verdict == CONVERT:
            row = CONVERTER.get((ev.type, len(ev.params)))
            if row is None:
                return None
            if row["action"].startswith("STORE"):
                self.stored[ev.tid] = ev
            if row["action"] in ("PASS", "STORE_AND_PASS"):
                return ev
            if row["action"] == "STORE":
                return None
            ev = self.step(ev, row)
            if ev is None:
                return None
            verdict = fate(ev.type, len(ev.params))
        return ev if verdict == PASS else None


# --- writing ---

def s16(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<H", len(data)) + data


def block(kind, body):
    total = (len(body) + 12 + 3) & ~3
    return struct.pack("<II", kind, total) + body + b"\0" * (total - 12 - len(body)) + struct.pack("<I", total)


def section():
    return block(0x0a0d0d0a, struct.pack("<IHHQ", 0x1a2b3c4d, 1, 2, 0xffffffffffffffff))


def machine(hostname="box", cpus=2, max_pid=32768, boot_ts=0):
    return block(0x201, struct.pack("<IQQ128sQQQQ", cpus, 1 << 30, max_pid, hostname.encode(), boot_ts, 0, 0, 0))


def counted(body):
    """An entry that starts with a length which counts itself."""
    return struct.pack("<I", len(body) + 4) + body


def users(user_list, group_list):
    body = b"".join(counted(struct.pack("<BII", 0, uid, gid) + s16(name) + s16("/home/" + name) + s16("/bin/sh"))
                    for uid, gid, name in user_list)
    body += b"".join(counted(struct.pack("<BI", 1, gid) + s16(name)) for gid, name in group_list)
    return block(0x220, body)


def thread_entry(tid, pid=None, ptid=1, comm="comm", cwd="/home/ubuntu/", args=b"", uid=1000, gid=5, sid=-1, flags=0):
    pid = tid if pid is None else pid
    comm = comm if isinstance(comm, bytes) else comm.encode()
    body = struct.pack("<QQQqq", tid, pid, ptid, sid, pid) + s16(comm) + s16(comm) + s16(b"/bin/" + comm) + s16(args) + s16(cwd)
    body += struct.pack("<qIIIIIIQQ", 1024, flags, uid, gid, 100, 50, 0, 3, 4) + s16(b"HOME=/h\0") + struct.pack("<qq", tid, pid)
    body += s16(b"cpu=/\0") + s16("/")
    body += struct.pack("<QIIBQQQBQQQBBq", 0, 0, 1000, 0, 0, 0, 0, 0, 9, 10, 11, 0, 0, pid)
    return counted(body)


def threads(entries):
    return block(0x215, b"".join(entries))


def fd_entry(num, kind, payload, ino=7):
    return counted(struct.pack("<qQB", num, ino, kind) + payload)


def fds(tid, entries):
    return block(0x218, struct.pack("<Q", tid) + b"".join(entries))


def event(ev, cpu=0):
    large = TYPES[ev.type].flags & EF_LARGE_PAYLOAD
    lens = b"".join(struct.pack("<I" if large else "<H", len(p)) for p in ev.params)
    data = b"".join(ev.params)
    head = struct.pack("<QQIHI", ev.ts, ev.tid & 0xffffffffffffffff, 26 + len(lens) + len(data), ev.type, len(ev.params))
    return block(0x221 if large else 0x216, struct.pack("<H", cpu) + head + lens + data)


# --- reading ---

def old_nparams(type_id, body, length):
    """How many parameters an event of the old header has: the most whose lengths and bytes fill it exactly."""
    for n in range(len(TYPES[type_id].params), -1, -1):
        end = 22 + 2 * n
        if end <= length and end + sum(struct.unpack_from("<%dH" % n, body, 22)) == length:
            return n
    return None


def blocks_of(data):
    """(type, body, whole block) of a plain capture's blocks."""
    at = 0
    while at < len(data):
        kind, total = struct.unpack_from("<II", data, at)
        yield kind, data[at + 8:at + total - 4], data[at:at + total]
        at += total


EVENT_BLOCKS = {0x204: (2, 22), 0x8010abcd: (2, 22), 0x208: (6, 22), 0x216: (2, 26), 0x217: (6, 26), 0x221: (2, 26), 0x222: (6, 26)}


def parse_event(kind, block_body):
    """(cpu, event) of an event block; None if its type is not known."""
    prefix, header = EVENT_BLOCKS[kind]
    cpu, body = struct.unpack_from("<H", block_body)[0], block_body[prefix:]
    ts, tid, length, type_id = struct.unpack_from("<QqIH", body)
    if type_id >= len(TYPES):
        return None
    if header == 22:
        length -= 3 if TYPES[type_id].enum in ("NOTIFICATION_E", "INFRASTRUCTURE_EVENT_E") else 0
        n = old_nparams(type_id, body, length)
    else:
        n = struct.unpack_from("<I", body, 22)[0]
    wide = TYPES[type_id].flags & EF_LARGE_PAYLOAD
    lens = struct.unpack_from("<%d%s" % (n, "I" if wide else "H"), body, header)
    at, params = header + n * (4 if wide else 2), []
    for size in lens:
        params.append(body[at:at + size])
        at += size
    return cpu, Event(type_id, tid, ts, params)

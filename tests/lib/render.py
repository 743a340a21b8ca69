# SPDX-License-Identifier: Apache-2.0
"""Event parameters as text, written from the description of fields alone: a second opinion on what evt.args, evt.arg and
evt.rawarg show. A parameter is a pair (value text, resolved text); the machine it is seen on is a View."""
import collections
import datetime
import ipaddress
import struct

import names
import scap

# fds: {number: (type character, protocol letter or "", name)}
View = collections.namedtuple("View", "cwd fds comms users groups")

NULL_TYPES = ("BYTEBUF", "SOCKTUPLE", "FDLIST", "DYN", "CHARBUFARRAY", "CHARBUF_PAIR_ARRAY")
SIGNED = ("INT8", "INT16", "INT32", "INT64", "ERRNO", "FD", "FD32", "PID", "PID32")
PATHS = ("FSPATH", "FSRELPATH")
TEXTS = ("CHARBUF",) + PATHS
TOO_LONG = "/DIR_TOO_LONG/FILENAME_TOO_LONG"


def number(data, signed=False):
    return int.from_bytes(data, "little", signed=signed)


def text_of(data):
    """Bytes as the text they are: one character a byte that is not UTF-8."""
    s = data.split(b"\0")[0].decode("utf-8", "replace")
    return "<NA>" if s == "(NULL)" else s


def dots(data):
    return "".join(chr(b) if 0x20 <= b < 0x7f else "." for b in data)


def concat(base, path):
    """Joining and cleaning of paths as the state engine's description has it in section 4.1, on bytes-free text."""
    if len(base.encode()) + len(path.encode()) + 1 > 1024:
        return TOO_LONG
    if path == "" or path.startswith("/"):
        base = ""
    out, had_base, i = base, base != "", 0
    while i < len(path):
        fresh = out == "" or out.endswith("/")
        rest = path[i:]
        if fresh and (rest == ".." or rest.startswith("../")):
            i += 3
            if len(out) >= 2:
                out = out[:-1]
                out = out[:out.rfind("/") + 1]
        elif fresh and (rest == "." or rest.startswith("./")):
            i += 2
        elif path[i] == "/" and (out.endswith("/") or (out == "" and had_base)):
            i += 1
        else:
            out += path[i]
            i += 1
    return out[:-1] if len(out) >= 2 and out.endswith("/") else out


def errno_name(value):
    return names.ERRNO.get(-value, "") if value < 0 else ""


def fd_text(view, num):
    if num == scap.FD_CWD:
        return "AT_FDCWD"
    if num < 0:
        return errno_name(num)
    if num not in view.fds:
        return ""
    kind, l4, name = view.fds[num]
    return "<%s%s>%s" % (kind, l4, name)


def bit_names(table, value):
    out, rest = [], value
    for name, bits in table:
        if (bits == 0 and value == 0) or (bits and rest & bits == bits):
            out.append(name)
            rest &= ~bits
            if bits == value:
                break
    return "|".join(out)


def mode_names(table, value):
    out, rest = [], value
    for name, bits in table:
        if bits == value:
            out.append(name)
            break
        if bits and rest & bits == bits:
            out.append(name)
            rest &= ~bits
    return "|".join(out)


def enum_names(table, value):
    return "|".join(name for name, v in table if v == value)


def address(data):
    return str(ipaddress.ip_address(data)) if len(data) == 4 else ipv6(data)


def ipv6(data):
    """As inet_ntop() writes it: mapped and compatible addresses end in a dotted quad."""
    a = ipaddress.IPv6Address(data)
    v4 = str(ipaddress.IPv4Address(data[12:]))
    if data[:12] == b"\0" * 10 + b"\xff\xff":
        return "::ffff:" + v4
    if data[:12] == b"\0" * 12 and data[12:14] != b"\0\0":
        return "::" + v4
    return str(a)


def port(data):
    return str(number(data))


def sockaddr(data):
    if data[0] == 2 and len(data) >= 7:
        return "%s:%s" % (address(data[1:5]), port(data[5:7]))
    if data[0] == 10 and len(data) >= 19:
        return "%s:%s" % (address(data[1:17]), port(data[17:19]))
    if data[0] == 1 and len(data) >= 2:
        return data[1:].split(b"\0")[0].decode("utf-8", "replace")
    return "family %d" % data[0]


def is_v4_in_v6(a):
    return a[:10] == b"\0" * 10 and (a[10:12] == b"\xff\xff" or a[10:] == b"\0" * 6)


def socktuple(data):
    if data[0] == 2 and len(data) >= 13:
        return "%s:%s->%s:%s" % (address(data[1:5]), port(data[5:7]), address(data[7:11]), port(data[11:13]))
    if data[0] == 10 and len(data) >= 37:
        src, dst = data[1:17], data[19:35]
        if is_v4_in_v6(src) and is_v4_in_v6(dst):
            src, dst = src[12:], dst[12:]
        return "%s:%s->%s:%s" % (address(src), port(data[17:19]), address(dst), port(data[35:37]))
    if data[0] == 1 and len(data) >= 17:
        return "%x->%x %s" % (number(data[1:9]), number(data[9:17]), data[17:].split(b"\0")[0].decode("utf-8", "replace"))
    return "family %d" % data[0]


def fd_list(view, data):
    out = []
    for i in range(number(data[:2])):
        entry = data[2 + 10 * i:12 + 10 * i]
        if len(entry) < 10:
            break
        num, events = struct.unpack("<qH", entry)
        out.append("%d:%s%x" % (num, view.fds[num][0] if num in view.fds else "?", events))
    return " ".join(out)


def signal_set(value):
    return " ".join(names.SIGNAL[bit + 1] for bit in range(31) if value >> bit & 1)


def formatted(data, fmt, signed):
    if fmt == "HEX":
        return "%X" % number(data)
    if fmt == "OCT":
        v = number(data)
        return "0%o" % v if v else "0"
    return str(number(data, signed))


def when(ns):
    day = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return "%s.%09d" % (day.strftime("%Y-%m-%d %H:%M:%S"), ns % 10**9)


def owner(table, value):
    return "<NONE>" if value == scap.NO_ID else table.get(value, "<NA>")


def base_directory(ev, param, view):
    """What a relative path starts from; None: nothing known."""
    if param.kind != "dirfd_param":
        return view.cwd
    k = int(param.info)
    if scap.TYPES[ev.type].params[k].type != "FD":
        return view.cwd
    data = ev.params[k] if k < len(ev.params) else b""
    if len(data) != 8:
        return ""
    num = number(data, True)
    if num == scap.FD_CWD:
        return view.cwd
    name = view.fds[num][2] if num in view.fds else ""
    return name if name == "" or name.endswith("/") else name + "/"


def full_path(ev, i, view):
    path = text_of(ev.params[i])
    if path in ("", "<NA>") or path.startswith("/"):
        return ""
    return concat(base_directory(ev, scap.TYPES[ev.type].params[i], view), path)


def param(ev, i, view):
    """(value text, resolved text) of parameter @i."""
    p = scap.TYPES[ev.type].params[i]
    ptype, data = p.type, ev.params[i]
    if ptype == "DYN" and data:
        table = scap.DYNAMIC[p.info.split("/")[0]]
        if data[0] >= len(table):
            return "INVALID DYNAMIC PARAMETER", ""
        ptype, data = table[data[0]], data[1:]
    if not data:
        return ("NULL" if ptype in NULL_TYPES else "<NA>"), ""
    data = data[:scap.WIDTH.get(ptype, len(data))]
    if ptype in SIGNED[:4] or ptype in ("UINT32", "UINT64"):
        return formatted(data, p.format, True), ""
    if ptype in ("UINT8", "UINT16"):
        return formatted(data, p.format, False), ""
    if ptype in ("FD", "FD32"):
        v = number(data, True)
        return str(v), fd_text(view, v)
    if ptype in ("PID", "PID32"):
        v = number(data, True)
        return str(v), view.comms.get(v, "")
    if ptype == "ERRNO":
        v = number(data, True)
        return str(v), errno_name(v)
    if ptype == "CHARBUF":
        return text_of(data), ""
    if ptype in PATHS:
        return text_of(data), full_path(ev, i, view)
    if ptype in ("BYTEBUF", "CHARBUFARRAY"):
        return dots(data), ""
    if ptype == "SOCKADDR":
        return sockaddr(data), ""
    if ptype == "SOCKTUPLE":
        return socktuple(data), ""
    if ptype == "FDLIST":
        return fd_list(view, data), ""
    if ptype == "SYSCALLID":
        v = number(data)
        return str(v), scap.SYSCALLS[v] if v < len(scap.SYSCALLS) else "unknown"
    if ptype == "SIGTYPE":
        v = number(data)
        return str(v), names.SIGNAL.get(v, "")
    if ptype == "SIGSET":
        return signal_set(number(data)), ""
    if ptype == "RELTIME":
        v = number(data)
        return ("none", "") if v == 2**64 - 1 else (str(v), "%gs" % (v / 1e9))
    if ptype == "ABSTIME":
        return when(number(data)), ""
    if ptype in ("FLAGS8", "FLAGS16", "FLAGS32"):
        v = number(data)
        return str(v), bit_names(scap.FLAG_SETS[p.info], v)
    if ptype in ("ENUMFLAGS8", "ENUMFLAGS16", "ENUMFLAGS32"):
        v = number(data)
        return str(v), enum_names(scap.FLAG_SETS[p.info], v)
    if ptype == "MODE":
        return formatted(data, p.format, False), mode_names(scap.FLAG_SETS[p.info], number(data))
    if ptype in ("UID", "GID"):
        v = number(data)
        return ("-1" if v == scap.NO_ID else str(v)), owner(view.users if ptype == "UID" else view.groups, v)
    return "(n.a.)", ""


def shown_params(ev):
    return range(min(len(ev.params), len(scap.TYPES[ev.type].params)))


def args(ev, view):
    if ev.type in (0, 1):
        return ""
    out = []
    for i in shown_params(ev):
        value, resolved = param(ev, i, view)
        out.append("%s=%s%s" % (scap.TYPES[ev.type].params[i].name, value, "(%s)" % resolved if resolved else ""))
    return " ".join(out)


def arg(ev, i, view):
    value, resolved = param(ev, i, view)
    return resolved or value


def raw_text(ev, i, view):
    """evt.rawarg in text."""
    value = raw(ev, i, view)
    return str(value) if isinstance(value, int) else value


def raw(ev, i, view):
    """evt.rawarg as JSON holds it: a number or a text."""
    p, data = scap.TYPES[ev.type].params[i], ev.params[i]
    if p.type in TEXTS:
        return text_of(data) if data else "<NA>"
    if p.type == "BYTEBUF":
        return dots(data[:1021])
    if p.type in ("SOCKADDR", "SOCKTUPLE", "FDLIST", "DYN", "CHARBUFARRAY", "CHARBUF_PAIR_ARRAY"):
        return arg(ev, i, view)
    if p.type in ("IPV4ADDR", "IPV6ADDR"):
        return address(data) if data else ""
    data = data[:scap.WIDTH[p.type]]
    if p.format in ("HEX", "OCT"):
        return ("%X" if p.format == "HEX" else "%o") % number(data)
    v = number(data, p.type in SIGNED)
    return str(v) if p.format in ("NA", "DIR") and p.type in ("INT64", "PID", "FD") else v


def return_value(ev):
    t = scap.TYPES[ev.type]
    if not ev.type & 1 or not t.category & scap.EC_SYSCALL or ev.type == 1 or not ev.params:
        return None
    return number(ev.params[0], True) if len(ev.params[0]) in (4, 8) else 0


def result(ev, view):
    """evt.res: of a failure, the text of the first parameter."""
    ret = return_value(ev)
    if ret is None:
        return None
    return "SUCCESS" if ret >= 0 else arg(ev, 0, view)


def event_name(ev):
    t = scap.TYPES[ev.type]
    if t.enum in ("GENERIC_E", "GENERIC_X"):
        code = number(ev.params[0])
        if not 0 < code < len(scap.SYSCALLS) and ev.params[1:] and ev.params[1]:
            code = scap.NATIVE.get(number(ev.params[1]), 0)
        return scap.SYSCALLS[code] if code < len(scap.SYSCALLS) else scap.SYSCALLS[0]
    if t.enum == "ASYNCEVENT_E":
        return text_of(ev.params[1]) if ev.params[1] else "<NA>"
    return t.name

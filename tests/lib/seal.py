# SPDX-License-Identifier: Apache-2.0
"""Seals, made and verified from docs/seal.md alone. Nothing here shares code with the program under test."""
import collections
import hashlib
import hmac
import json
import re

DOMAIN = b"scapulaseg1"
KEY = re.compile(rb"\Ascapula-seal-key-1 ([0-9a-f]{64})\n\Z")
TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"(?:,"tag":"([0-9a-f]{64})")?\}\Z')

# verdict: intact, prefix, altered, broken; line: from 1; frame: from 1, 0 for none; proven: bytes
Report = collections.namedtuple("Report", "verdict line frame proven lines end")


class Broken(Exception):
    pass


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs) or len(pairs) > 64:
        raise Broken("members")
    return members


def first_key(text):
    return bytes.fromhex(KEY.match(text).group(1).decode())


def next_key(key):
    return hashlib.sha256(key).digest()


def read_line(text, n, before, key):
    """Its members and hash."""
    tail = TAIL.search(text)
    if not tail or len(text) > 1 << 20:
        raise Broken("tail")
    h = hashlib.sha256(DOMAIN + before + text[:tail.start()]).digest()
    if h.hex().encode() != tail.group(1):
        raise Broken("hash")
    if key is not None:
        tag = hmac.new(key, h, hashlib.sha256).hexdigest().encode()
        if not tail.group(2) or not hmac.compare_digest(tag, tail.group(2)):
            raise Broken("tag")
    line = json.loads(text, object_pairs_hook=unique)
    if line["n"] != n or (line["kind"] == "head") != (n == 0) or (n == 0 and line["seal"] != 1):
        raise Broken("place")
    return line, h


def verify(capture, seal, key=None):
    h, at, frame, proven, first, end = bytes(32), 0, 0, 0, None, None
    texts = seal.split(b"\n")
    torn = texts.pop()
    n = 0
    try:
        for n, text in enumerate(texts):
            if end is not None:
                raise Broken("behind the end")
            if n == 0 and key is not None:
                for _ in range(json.loads(text)["key_step"]):
                    key = next_key(key)
            line, h = read_line(text, n, h, key)
            key = key and next_key(key)
            if line["kind"] in ("frame", "table"):
                is_frame = line["kind"] == "frame"
                frame += is_frame
                if line["at"] != at or (is_frame and line["frame"] != frame):
                    raise Broken("place")
                stored = capture[at:at + line["size"]]
                at += line["size"]
                if hashlib.sha256(stored).hexdigest() != line["sha256"] or len(stored) != line["size"]:
                    first = first or ("altered", n + 1, frame if is_frame else 0)
                elif not first:
                    proven = at
            elif line["kind"] == "end":
                end = line
                if line["size"] != at or line["frames"] != frame:
                    raise Broken("end")
        n = len(texts)
        if end is not None and torn:
            raise Broken("behind the end")
    except (Broken, ValueError, KeyError, UnicodeDecodeError):
        first = first or ("broken", n + 1, 0)
    if not first and end is not None and (len(capture) != at or hashlib.sha256(capture).hexdigest() != end["sha256"]):
        first = ("altered", len(texts), 0)
    verdict, line, number = first or ("intact" if end else "prefix", 0, 0)
    return Report(verdict, line, number, proven, len(texts), end)


def frames(seal):
    """(number, start, end) of each frame and table; tables have number 0."""
    lines = [json.loads(text) for text in seal.splitlines()]
    return [(m.get("frame", 0), m["at"], m["at"] + m["size"]) for m in lines if m["kind"] in ("frame", "table")]


def first_changed(old, new, spans):
    """The number and place of the first span that differs; None: what follows the last one."""
    for number, start, end in spans:
        if old[start:end] != new[start:end]:
            return number, start
    return None


def make(lines):
    """A seal of these members, chained."""
    h, out = bytes(32), b""
    for n, members in enumerate(lines):
        text = json.dumps(dict({"seal": 1} if n == 0 else {}, n=n, **members))[:-1].encode()
        h = hashlib.sha256(DOMAIN + h + text).digest()
        out += text + b',"hash":"' + h.hex().encode() + b'"}\n'
    return out


def make_for(capture, head=None, lineage=None, size=1 << 20):
    """A seal of @capture in pieces of @size."""
    lines = [dict({"kind": "head", "origin": "later", "made": "1.000000000", "capture": "x", "container": "plain",
                   "by": {"tool": "python", "host": "h", "boot_id": "", "kernel": "", "machine": ""}, "argv": []}, **(head or {}))]
    pieces = [capture[at:at + size] for at in range(0, len(capture), size)]
    at = 0
    for i, piece in enumerate(pieces):
        lines.append({"kind": "frame", "frame": i + 1, "at": at, "size": len(piece), "sha256": hashlib.sha256(piece).hexdigest()})
        at += len(piece)
    end = {"kind": "end", "ended": "complete", "made": "2.000000000", "size": at, "sha256": hashlib.sha256(capture).hexdigest(),
           "frames": len(pieces), "events": 0, "lost": 0, "clocks": 0, "steps": 0}
    if lineage:
        end["lineage"] = lineage
    return make(lines + [end])

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tree of processes where there are many: wide, deep, and with names that are none."""
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

T0 = 1700000000 * 10**9
WIDE, DEEP = 20000, 5000
HOSTILE = "\x1b[3m\x07\u202egnp.exe\u00e9\u4e2d".encode() + b"\xff" + b"x" * 1000


def write(path, wide, deep):
    """init has @wide children, a chain of @deep processes, and one with a hostile name."""
    entries = [scap.thread_entry(1, ptid=0, comm="init")]
    entries += [scap.thread_entry(10 + i, ptid=9 + i if i else 1, comm="link") for i in range(deep)]
    first = 10 + deep
    entries += [scap.thread_entry(first + i, comm="many") for i in range(wide)]
    entries.append(scap.thread_entry(first + wide, comm=HOSTILE[:14], args=HOSTILE + b"\0"))
    params = [struct.pack("<q", 3), b"/a\0", struct.pack("<I", 1), struct.pack("<I", 0), struct.pack("<I", 0), struct.pack("<Q", 0)]
    tick = scap.event(scap.Event(scap.BY_ENUM["OPEN_X"].id, 1, T0, params))
    with open(path, "wb") as f:
        f.write(b"".join([scap.section(), scap.machine(max_pid=1 << 22)] +
                         [scap.threads(entries[i:i + 500]) for i in range(0, len(entries), 500)] + [tick, tick]))
    return first + wide


r = check.Results("tree of many processes")


def screen(capture, keys, size="80x24"):
    status, out, err = check.run(["tui", "--headless", size, "--keys", keys, "--dump-screen", capture])
    r.equal((status, err), (0, ""), "keys %s" % keys)
    r.check(not any(ord(c) < 32 and c != "\n" or c in "\x7f\u202e" for c in out), "no control characters: keys %s" % keys, out)
    return out


def check_roles():
    """Where all have ended: what passes a filter differs from its ancestors, without one all are alike."""
    capture = os.path.join(check.ROOT, "tests", "captures", "intrusion.scap")
    for keys, shell, head in (("3G", "d", "d"), ("3\\head<Enter>G", "d", " "), ("3\\head<Enter>sG", None, " ")):
        status, out, err = check.run(["tui", "--headless", "100x100", "--keys", keys, "--dump-roles", capture])
        r.equal((status, err), (0, ""), "keys %s" % keys)
        lines = out.split("\n")
        roles = {line.split()[0]: lines[i + 1][1:2] or " " for i, line in enumerate(lines) if "\u20200 " in line}
        r.equal((roles.get("14106"), roles.get("14111")), (shell, head), "keys %s: roles of what has ended" % keys)


def main():
    check_roles()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "many.scap")
        hostile = write(path, WIDE, DEEP)
        text = screen(path, "3")
        r.check("alive 25,002" in text, "all processes are counted", text)
        r.check("\u25b8link" in text and text.count("link") <= 3, "a deep branch is folded at first", text)
        text = screen(path, "3*" + "<PgDn>" * 12)
        r.check(all("link" in line for line in text.split("\n")[5:15]), "commands of deep processes are seen, too", text)
        text = screen(path, "3*Gkkk", "120x40")
        r.check("many" in text, "the end is reached", text)
        deepest = "3\\proc.pid=%d<Enter>G" % (9 + DEEP)
        text = screen(path, deepest)
        r.check("5001/5001" in text and "5000 " in text, "a match has all its ancestors", text)
        text = screen(path, deepest + "BG")
        r.check("init" in text, "the first ancestor", text)
        text = screen(path, "3\\proc.pid=%d<Enter>G<Enter>" % hostile)
        r.check("gnp" in text and "[Summary]" in text, "a hostile name has a page", text)
        screen(path, "3:diff<Space>start<Enter>")
    r.finish()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Screens of the terminal interface, from keys: tests/tui/*.screens.

usage: tui_test.py [--update] [NAME...]

A file names a capture and rules, then holds blocks: a line "== SIZE KEYS" and the screen that follows from these keys. Each
block is a session of its own, over one case that is made once per file:

    capture: tests/captures/intrusion.scap
    rules: rules/pack
    options: --theme mono
    == 80x24 2jj<Enter>
    (the screen, 24 lines; trailing blanks are cut)

"open: capture" opens the capture instead of a case that was made from it. "more: PATH..." are captures of the same case behind the first. A file whose capture lies beside the project is skipped where
that is absent. Of every screen it is checked that no line is wider than it may be, and that no control byte is in it.
"""
import argparse
import os
import re
import sys
import tempfile
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scap  # noqa: E402

FOLDER = os.path.join(check.ROOT, "tests", "tui")


def width(text):
    n = 0
    for c in text:
        if unicodedata.combining(c):
            continue
        n += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return n


def read(path):
    head, blocks = {}, []
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith("== "):
                size, keys = (line[3:].split(" ", 1) + [""])[:2]
                blocks.append((size, keys, []))
            elif blocks:
                blocks[-1][2].append(line)
            elif line and not line.startswith("#"):
                key, value = line.split(":", 1)
                head[key] = value.strip()
    return head, [(size, keys, "\n".join(lines).rstrip("\n")) for size, keys, lines in blocks]


def write(path, head_lines, blocks):
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(head_lines))
        for size, keys, screen in blocks:
            f.write("== %s %s\n%s\n" % (size, keys, screen) if keys else "== %s\n%s\n" % (size, screen))


def screen_of(size, keys, options, operands, env):
    args = ["tui", "--headless", size, "--dump-screen"] + options
    if keys:
        args += ["--keys", keys]
    return check.run(args + operands, env=env, timeout=300)


def check_shape(r, what, size, text):
    """@text is a screen of that size, or of the size a resize among the keys gave it."""
    columns = int(size.split("x")[0])
    for line in text.split("\n"):
        if not r.check(width(line) <= columns, "%s: no line is too wide" % what, line):
            return
    bad = [c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]
    r.check(not bad, "%s: no control characters" % what, repr(bad[:5]))


def last_size(size, keys):
    """Sizes among the keys: '<40x10>'."""
    for part in keys.split("<")[1:]:
        word = part.split(">")[0]
        if word.replace("x", "").isdigit() and "x" in word:
            size = word
    return size


def run_file(r, path, update):
    name = os.path.basename(path).rsplit(".", 1)[0]
    head, blocks = read(path)
    capture = head["capture"].replace("CORPUS/", os.path.join(check.SHARED, "corpus") + "/")
    if not os.path.exists(os.path.join(check.ROOT, capture)):
        r.skip("%s: %s is not there" % (name, head["capture"]))
        return
    rules = [x for p in head.get("rules", "").split() for x in ("--rules", p)]
    with tempfile.TemporaryDirectory() as tmp:
        env = {"XDG_CACHE_HOME": tmp, "SCAPULA_CACHE_SIZE": "100M", "USER": "analyst", "LOGNAME": "analyst", "COLUMNS": "", "LINES": ""}
        paths = [capture] + head.get("more", "").split()
        operands = rules + paths
        if head.get("open") != "capture":
            case = os.path.join(tmp, name + ".case.db")
            status, _, err = check.run(["replay", "--quiet", "--db", case] + rules + paths, env=env, timeout=300)
            r.check(status in (0, 5), "%s: the case is made" % name, err)
            operands = [case]
        got = []
        for size, keys, want in blocks:
            status, out, err = screen_of(size, keys, head.get("options", "").split(), operands, env)
            what = "%s: %s %s" % (name, size, keys)
            text = out.rstrip("\n")
            r.check(status == 0 and "ERROR" not in err, "%s: it ends well" % what, err[-2000:])
            check_shape(r, what, last_size(size, keys), text)
            if not update:
                r.check(text == want, what, "--- got\n%s\n--- want\n%s" % (text, want))
            got.append((size, keys, text))
    if update:
        with open(path, encoding="utf-8") as f:
            head_lines = []
            for line in f:
                if line.startswith("== "):
                    break
                head_lines.append(line)
        write(path, head_lines, got)


def actions():
    """(name, keys, argument, help) of each row of tui/actions.def."""
    with open(os.path.join(check.ROOT, "tui", "actions.def"), encoding="utf-8") as f:
        for m in re.finditer(r'^ACTION\(\w+, *"([^"]*)", *"((?:[^"\\]|\\.)*)", *\w+, *"([^"]*)", *"((?:[^"\\]|\\.)*)"\)', f.read(), re.M):
            yield [x.replace("\\\\", "\\") for x in m.groups()]


def man_table():
    def safe(text):
        return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    rows = ["%s\t%s\tT{\n%s%s\nT}\n" % (safe(name), safe(keys) or "\\-", (safe(arg) + ": ") if arg else "", safe(text)) for name, keys, arg, text in actions()]
    return ".TS\nl l lx.\n" + "".join(rows) + ".TE\n"


def manual(r, update):
    """The table of actions in the manual page is that of the program."""
    path = os.path.join(check.ROOT, "docs", "man", "scapula-tui.1")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    begin = text.index(".TS\n", text.index(".SH COMMANDS"))
    end = text.index(".TE\n", begin) + len(".TE\n")
    if update:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text[:begin] + man_table() + text[end:])
    else:
        r.check(text[begin:end] == man_table(), "docs/man/scapula-tui.1 lists the actions of tui/actions.def (--update writes them)")
    r.check(len(list(actions())) > 50, "actions are found")


SCREEN = re.compile(r"<!-- screen (\d+x\d+) ?([^\n]*?) -->\n```\n(.*?)```\n", re.S)


def walk(r, update):
    """The screens of docs/tui.md are what the keys named there lead to."""
    path = os.path.join(check.ROOT, "docs", "tui.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    operands = ["--rules", "rules/pack", "tests/captures/intrusion.scap"]
    with tempfile.TemporaryDirectory() as tmp:
        env = {"XDG_CACHE_HOME": tmp, "SCAPULA_CACHE_SIZE": "100M", "USER": "analyst", "LOGNAME": "analyst"}

        def compare(m):
            status, out, err = screen_of(m.group(1), m.group(2), [], operands, env)
            what = "docs/tui.md: %s %s" % (m.group(1), m.group(2))
            r.check(status == 0, what + " ends well", err)
            if not update:
                r.check(out.rstrip("\n") == m.group(3).rstrip("\n"), what, "--- got\n%s\n--- want\n%s" % (out, m.group(3)))
            return "<!-- screen %s%s -->\n```\n%s\n```\n" % (m.group(1), " " + m.group(2) if m.group(2) else "", out.rstrip("\n"))

        new = SCREEN.sub(compare, text)
    r.check(len(SCREEN.findall(text)) >= 9, "docs/tui.md has its screens")
    if update:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)


def damaged(r):
    """An event behind what the reader steps over says so, whether others before it are looked at or not."""
    def stat(i):
        return scap.event(scap.Event(scap.BY_ENUM["STAT_X"].id, 7, 1700000000 * 10**9 + i * 10**6, [bytes(8), b"/x%d\0" % i]))

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "damaged.scap")
        with open(path, "wb") as f:
            f.write(scap.section() + scap.machine() + b"".join(map(stat, range(3))) + b"\xee" * 400 + b"".join(map(stat, range(3, 6))))
        env = {"XDG_CACHE_HOME": tmp, "SCAPULA_CACHE_SIZE": "100M"}
        for keys, number in (("4", 4), ("4\\evt.num>4<Enter>", 5)):
            status, out, err = screen_of("120x16", keys, [], [path], env)
            rows = [x for x in out.split("\n") if "[damaged: " in x]
            r.check(status == 0 and len(rows) == 1 and rows[0].split()[0] == str(number) and "bytes skipped before] " in rows[0],
                    "%s: one row tells of the damage" % keys, out + err)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--update", action="store_true")
    ap.add_argument("names", nargs="*")
    opt = ap.parse_args()
    r = check.Results("screens")
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".screens") and (not opt.names or name.rsplit(".", 1)[0] in opt.names):
            run_file(r, os.path.join(FOLDER, name), opt.update)
    if not opt.names:
        manual(r, opt.update)
        walk(r, opt.update)
        damaged(r)
    sys.exit(r.finish())


if __name__ == "__main__":
    main()

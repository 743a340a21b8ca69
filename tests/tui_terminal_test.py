#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The terminal interface in a real terminal, which is tmux: start, every view, filter, resize, quit; then a live one.

Screens are asked for until they show what is expected; nothing depends on how long that takes, up to a limit for failures.
"""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
from terminal import LIMIT_S, Terminal  # noqa: E402

SOON_S = 0.25  # half of what an idle program sleeps
VIEWS = [("1", "Overview"), ("2", "Alerts"), ("3", "Tree"), ("4", "Events"), ("5", "Files"), ("6", "Net"), ("7", "Sessions"),
         ("8", "Timeline"), ("9", "Rules")]


def expect(r, t, what, *texts):
    screen = t.wait(*texts)
    return r.check(all(x in screen for x in texts), what, screen)


def walk_views(r, t):
    for key, title in VIEWS:
        t.type(key)
        expect(r, t, "key %s: %s" % (key, title), "\u25b8 " + title)


def resize(r, t):
    for columns, lines in ((200, 60), (120, 40), (79, 23), (60, 16), (40, 10), (40, 8)):
        t.resize(columns, lines)
        expect(r, t, "%dx%d: still there" % (columns, lines), "\u25b8 Rules")
    t.resize(39, 7)
    expect(r, t, "39x7: too small, and says so", "too small")
    t.resize(80, 24)
    expect(r, t, "80x24 again", "\u25b8 Rules")


def soon(r, t):
    """What is counted after the list was drawn is shown at once, not when the program wakes up by itself."""
    t.type("2")
    expect(r, t, "alerts", "\u25b8 Alerts")
    t.quiet()
    least = LIMIT_S
    for n in range(2, 12):  # some try is not disturbed
        start = time.monotonic()
        t.type("j")
        t.wait(" %d/" % n, " events within 1s")
        least = min(least, time.monotonic() - start)
    r.check(least < SOON_S, "events near the alert are counted at once", "%.3f s" % least)


def filter_events(r, t):
    t.type("4")
    expect(r, t, "events", "\u25b8 Events")
    t.type("\\")
    t.tmux("send-keys", "-l", "evt.type=execve and proc.nam")
    expect(r, t, "a field is offered", "proc.name")
    t.type("C-u")
    t.tmux("send-keys", "-l", "evt.type=execve")
    t.type("Enter")
    expect(r, t, "the filter is shown", "\\evt.type=execve")
    t.type("\\", "C-u")
    t.tmux("send-keys", "-l", "evt.type=")
    t.type("Enter")
    expect(r, t, "a bad filter is refused, with what was expected", "expecting a value")
    t.type("?")
    expect(r, t, "help", "\u25b8 Help")
    t.type("Escape")


def quit_restores(r, t, before):
    t.type("Q")
    t.run("echo status=$?")
    expect(r, t, "it ends with status 0", "status=0")
    t.run("stty -a | tr ';' '\\n' | grep -c -- '-echo\\b'; echo over-$((40 + 2))")
    screen = t.wait("over-42")
    r.check("\n0\n" in screen.replace("\r", ""), "the terminal echoes again", screen)
    r.check(t.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").split() == ["0", "1", "0"],
            "no alternate screen, cursor shown, mouse off")
    r.check(before in t.screen() or "status=0" in t.screen(), "what was on the screen is there")


def of_capture(r, folder):
    t = Terminal(folder)
    try:
        t.run("echo before-$((40 + 2))")
        expect(r, t, "a shell", "before-42")
        t.run("%s tui --rules rules/starter.yaml tests/captures/intrusion.scap" % check.scapula_path())
        expect(r, t, "it starts with the overview", "\u25b8 Overview", "alerts")
        walk_views(r, t)
        resize(r, t)
        soon(r, t)
        filter_events(r, t)
        quit_restores(r, t, "before-42")
    finally:
        t.close()


def without_terminal(r):
    status, out, err = check.run(["tui", check.DEMO], stdin=b"")
    r.check(status == 4 and "terminal" in err and "--headless" in err and not out, "no terminal: refused, with what to do instead", err)
    status, out, err = check.run(["tui", "--plain", check.DEMO], stdin=b"2\n4\nQ")
    titles = [line.split("\u25b8 ")[1].split()[0] for line in out.splitlines() if "\u25b8 " in line]
    r.check(status == 0 and titles == ["Overview", "Alerts", "Events"], "lines of keys from a pipe: a screen for each", "%d %r %s" % (status, titles, err))
    status, out, err = check.run(["tui", "--plain", check.DEMO], stdin=b"2")
    r.check(status == 4 and "no more input" in err and "\u25b8 Alerts" in out, "the input ends: the last screen, and why", err)
    for what, before, texts in (("TERM=dumb", "TERM=dumb", ["dumb"]),
                                ("no terminal library", "LD_LIBRARY_PATH=$HOME", ["libncursesw.so.6", "install libncursesw6", "--plain"])):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "libncursesw.so.6"), "w", encoding="utf-8") as f:
                f.write("none")
            t = Terminal(folder, columns=400)
            try:
                t.run("%s %s tui %s; echo status=$?" % (before, check.scapula_path(), check.DEMO))
                expect(r, t, "%s: refused" % what, "status=4", *texts)
                t.run("clear; %s %s tui --plain %s </dev/null" % (before, check.scapula_path(), check.DEMO))
                expect(r, t, "%s: lines can be had" % what, "\u25b8 Overview", "keys>")
            finally:
                t.close()


def killed(r, folder):
    """SIGTERM gives the terminal back."""
    t = Terminal(folder)
    try:
        t.run("%s tui %s; echo status=$?" % (check.scapula_path(), check.DEMO))
        expect(r, t, "it starts", "\u25b8 Overview")
        pid = t.tmux("display-message", "-p", "#{pane_pid}").strip()
        child = subprocess.run(["pgrep", "-P", pid, "-f", "scapula"], stdout=subprocess.PIPE).stdout.split()
        if r.check(child, "the program is found"):
            os.kill(int(child[0]), 15)
        expect(r, t, "it ends", "status=")
        r.check(t.tmux("display-message", "-p", "#{alternate_on}").strip() == "0", "no alternate screen")
    finally:
        t.close()


def live_directories(folder):
    return [n for n in os.listdir(folder) if n.startswith("scapula-live-")]


def live(r, folder):
    if not check.can_record():
        r.skip("live: this host or user cannot record")
        return
    t = Terminal(folder, 100, 30)
    left = os.path.join(folder, "scapula-live-killed")
    os.mkdir(left)
    with open(os.path.join(left, "a.0001.scap"), "w") as f:
        f.write("what a program left that was killed")
    child = subprocess.Popen(["sleep", "987654"])
    try:
        # Of what else goes on at this host the test is not to depend.
        t.run("TMPDIR=%s %s tui --live --pid %d --syscalls state --rules rules/starter.yaml"
              % (folder, check.scapula_path(), os.getpid()))
        if not expect(r, t, "live: it starts", "\u25b8 Overview", "live T", "lost"):
            return
        r.check(not os.path.exists(left), "live: what a killed one left is removed")
        r.equal([os.stat(os.path.join(folder, n)).st_mode & 0o777 for n in live_directories(folder)], [0o700],
                "live: one private directory")
        t.type("3")
        expect(r, t, "live: processes of now", "\u25b8 Tree", "tmux")
        live_process(r, t)
        t.type("4")
        expect(r, t, "live: events come", "\u25b8 Events")
        t.type("\\")
        t.tmux("send-keys", "-l", "evt.type = execve and proc.args = 987652")
        t.type("Enter")
        with subprocess.Popen(["sleep", "987652"]) as seen:
            expect(r, t, "live: an event of now", "execve", "exe=sleep")
            seen.kill()
        live_saved(r, t, os.path.join(folder, "window.scap.zst"))
        t.type("Q")
        end = time.monotonic() + LIMIT_S
        while live_directories(folder) and time.monotonic() < end:
            time.sleep(0.1)
        r.equal(live_directories(folder), [], "live: its directory is removed")
        t.run("echo status=$?")
        expect(r, t, "live: it ends with status 0", "status=0")
    finally:
        child.kill()
        child.wait()
        t.close()


def live_process(r, t):
    """What starts while it is looked at comes up, and T stands still while it is frozen."""
    t.type("\\")
    t.tmux("send-keys", "-l", "proc.args contains 98765")
    t.type("Enter")
    expect(r, t, "live: one that was there", "sleep 987654")
    t.type("Space")
    before = t.wait("frozen T")
    r.check("frozen T" in before, "live: frozen", before)
    t.type("C-l")
    r.check(moment(t.wait("frozen T")) == moment(before), "live: T stands still")
    with subprocess.Popen(["sleep", "987653"]) as child:
        t.type("Space")
        expect(r, t, "live: one that was started since", "live T", "sleep 987653")
        child.kill()
    t.type("\\", "C-u", "Enter")


def moment(screen):
    return screen.split(" T ")[1].split()[0]


def live_saved(r, t, path):
    t.type(":")
    t.tmux("send-keys", "-l", "save-window " + path)
    t.type("Enter")
    expect(r, t, "live: the window is saved", "what is kept was written to")
    status, out, err = check.run(["info", "--strict", path])
    r.check(status == 0, "live: the saved window is faultless", out + err)


def main():
    r = check.Results("terminal")
    if subprocess.run(["sh", "-c", "command -v tmux"], stdout=subprocess.DEVNULL).returncode:
        r.skip("tmux is not installed")
        sys.exit(r.finish())
    without_terminal(r)
    for test in (of_capture, killed, live):
        with tempfile.TemporaryDirectory() as folder:
            test(r, folder)
    sys.exit(r.finish())


if __name__ == "__main__":
    main()

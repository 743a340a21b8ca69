# SPDX-License-Identifier: Apache-2.0
"""A program in a real terminal, which is tmux: what it shows, with colours if wanted; and such a screen as a page of HTML."""
import html
import os
import re
import subprocess
import time

import check

LIMIT_S = 60  # until what is expected counts as not coming
QUIET_S = 0.4  # a screen that does not change for that long is finished
BUSY = re.compile(r"(counting|indexing|looking)(:? \d| *$)|± …", re.M)
COLOR = re.compile(r"\x1b\[([0-9;]*)m")
TMUX_KEYS = {"Esc": "Escape", "Bksp": "BSpace", "S-Tab": "BTab", "lt": "<", "PgUp": "PageUp", "PgDn": "PageDown"}


class Terminal:
    """A tmux server of its own, with one window that runs a shell."""

    def __init__(self, folder, columns=80, lines=24, term="tmux-256color", **env):
        self.base = ["tmux", "-S", os.path.join(folder, "tmux"), "-f", os.path.join(folder, "tmux.conf")]
        with open(self.base[-1], "w", encoding="utf-8") as f:
            f.write("set -g default-terminal %s\n" % term)
        env = dict(os.environ, LC_ALL="C.UTF-8", HISTFILE="", PS1="$ ", XDG_CACHE_HOME=folder, SCAPULA_CACHE_SIZE="100M",
                   ASAN_OPTIONS="detect_leaks=1:exitcode=99", HOME=folder) | env
        size = ["-x", str(columns), "-y", str(lines)]
        subprocess.run(self.base + ["-u", "new-session", "-d"] + size + ["env", "PS1=$ ", "bash", "--norc", "--noprofile"], check=True, env=env,
                       cwd=check.ROOT)

    def tmux(self, *args):
        return subprocess.run(self.base + list(args), check=True, stdout=subprocess.PIPE).stdout.decode("utf-8", "replace")

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def press(self, keys):
        """Keys as 'scapula tui --keys' takes them: '2jj<Enter>'. What a key leads to is there before the next one."""
        for name, text in re.findall(r"<([^>]+)>|([1-9](?=[^<]|$)|[^<]+)", keys):
            if name:
                self.type(TMUX_KEYS.get(name, name))
            else:
                self.tmux("send-keys", "-l", text)
            if name in ("", "Enter"):
                self.quiet()

    def run(self, line):
        self.tmux("send-keys", "-l", line)
        self.type("Enter")

    def screen(self, *how):
        return self.tmux("capture-pane", "-p", *how)

    def wait(self, *texts):
        """The screen once it has all of @texts; what it is at the limit else."""
        end = time.monotonic() + LIMIT_S
        while True:
            screen = self.screen()
            if all(t in screen for t in texts) or time.monotonic() > end:
                return screen
            time.sleep(0.02)  # asking is work that a live screen shows

    def quiet(self):
        """The screen with its colours once it stands still, and nothing is being counted."""
        end = time.monotonic() + LIMIT_S
        screen, since = None, time.monotonic()
        while time.monotonic() < min(end, since + QUIET_S):
            now = self.screen("-e", "-N")
            if now != screen or BUSY.search(COLOR.sub("", now)):
                screen, since = now, time.monotonic()
        return screen

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def close(self):
        subprocess.run(self.base + ["kill-server"], stderr=subprocess.DEVNULL)


# xterm's
BASIC = ("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
         "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff")
GROUNDS = {"dark": ("#d0d0d0", "#000000"), "light": ("#202020", "#ffffff")}  # text, background


def palette(n):
    if n < 16:
        return BASIC[n]
    if n >= 232:
        return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)
    return "#%02x%02x%02x" % tuple((0, 95, 135, 175, 215, 255)[(n - 16) // d % 6] for d in (36, 6, 1))


def sgr(state, codes):
    """What ESC [ @codes m makes of @state: (front, back, attributes)."""
    front, back, attributes = state
    codes = [int(c or 0) for c in codes.split(";")]
    while codes:
        c = codes.pop(0)
        if c == 0:
            front, back, attributes = None, None, frozenset()
        elif c in (1, 2, 4, 7):
            attributes |= {c}
        elif c in (22, 24, 27):
            attributes -= {22: {1, 2}, 24: {4}, 27: {7}}[c]
        elif c in (38, 48) and codes[:1] == [5]:
            front, back = (codes[1], back) if c == 38 else (front, codes[1])
            del codes[:2]
        elif c in (39, 49):
            front, back = (None, back) if c == 39 else (front, None)
        elif 30 <= c <= 37 or 90 <= c <= 97:
            front = c - 30 if c < 90 else c - 82
        elif 40 <= c <= 47 or 100 <= c <= 107:
            back = c - 40 if c < 100 else c - 92
    return front, back, attributes


def css(state, ground):
    front, back, attributes = state
    front = GROUNDS[ground][0] if front is None else palette(front)
    back = GROUNDS[ground][1] if back is None else palette(back)
    if 7 in attributes:
        front, back = back, front
    style = "color:%s;background:%s" % (front, back)
    if 1 in attributes:
        style += ";font-weight:bold"
    if 2 in attributes:
        style = style.replace("color:" + front, "color:color-mix(in srgb, %s 60%%, %s)" % (front, back), 1)
    if 4 in attributes:
        style += ";text-decoration:underline"
    return style


def picture_html(screen, ground="dark"):
    """A <pre> of what Terminal.quiet() gave."""
    out, state = [], (None, None, frozenset())
    for part in re.split(r"(\x1b\[[0-9;]*m|\x1b[()].|[\x0e\x0f])", screen.rstrip("\n")):
        codes = COLOR.fullmatch(part)
        if codes:
            state = sgr(state, codes.group(1))
        elif part and part[0] not in "\x1b\x0e\x0f":
            out.append('<span style="%s">%s</span>' % (css(state, ground), html.escape(part)))
    return ('<pre style="display:inline-block;margin:0;padding:6px;color:%s;background:%s;font:13.289px/16px DejaVu Sans Mono,monospace">%s</pre>'
            % (*GROUNDS[ground], "".join(out)))

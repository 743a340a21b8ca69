#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scapula completion: bash, zsh and fish take the scripts and complete with them what --help lists.

usage: tests/completion_test.py
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

r = check.Results("completion")


def commands():
    return re.findall(r"^  (\w+) +\S", check.run(["--help"])[1].split("commands:")[1], re.M)


def options(command):
    """[(letter or '', long name or '', argument or '')] as --help has them."""
    rows = re.findall(r"^  (?:-(.), |-(.)(?= )|    )(?:--([\w-]+))?(?: (\S+))?", check.run([command, "--help"])[1].split("\noptions:")[1], re.M)
    return [(a or b, name, arg) for a, b, name, arg in rows if a or b or name]


def run(args, text=None, cwd=None):
    p = subprocess.run(args, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, timeout=60)
    return p.returncode, p.stdout, p.stderr


class Bash:
    name = "bash"

    def __init__(self, script):
        self.script = script
        r.equal(run(["bash", "-n", script]), (0, "", ""), "bash takes the script")

    def complete(self, lines, cwd):
        """What is offered for the last word of each line."""
        text = "set -u; . %s\n" % self.script
        for words in lines:
            # as readline does: '=' is a word of its own
            split = [w for word in words for w in re.split(r"(?<=.)(=)", word) if w or not word] if words[-1].startswith("--") else words
            text += "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _scapula; printf '%%s\\0' \"${COMPREPLY[@]}\"; echo\n" % " ".join("'%s'" % w for w in split)
        status, out, err = run(["bash", "--norc"], text, cwd)
        r.check(status == 0 and not err, "bash completes", err)
        return [sorted(x for x in line.split("\0") if x) for line in out.split("\n")[:-1]]


class Fish:
    name = "fish"

    def __init__(self, script):
        self.script = script
        r.equal(run(["fish", "-n", script]), (0, "", ""), "fish takes the script")

    def complete(self, lines, cwd):
        text = "source %s\n" % self.script
        for words in lines:
            text += "complete -C '%s'; echo ---\n" % " ".join(words)
        status, out, err = run(["fish", "-N"], text, cwd)
        r.check(status == 0 and not err, "fish completes", err)
        got = [[row.split("\t")[0] for row in part.split("\n") if row] for part in out.split("---\n")[:-1]]
        # of an option with its value fish offers the whole word
        return [sorted(x.split("=", 1)[1] if words[-1].startswith("--") and "=" in x else x for x in part) for part, words in zip(got, lines)]


QUESTIONS = (  # a line, what is offered
    (["rep"], ["replay", "report"]),
    (["replay", "--matching", ""], ["all", "first"]),
    (["replay", "--matching=f"], ["first"]),
    (["replay", "-f", "j"], ["json"]),
    (["live", "--progress", "a"], ["auto"]),
    (["replay", "--min-priority", "cri"], ["critical"]),
    (["rules", ""], ["check", "list"]),
    (["bundle", "c"], ["create"]),
    (["completion", ""], ["bash", "fish", "zsh"]),
    (["replay", "--stat"], ["--stats"]),
    (["info", "a ca"], ["a capture.scap"]),
    (["replay", "--cache", "f"], ["folder/"]),
    (["replay", "-r", "f"], ["folder/"]),
)


def same(name, got, want):
    return [x.rstrip("/").replace("\\ ", " ") for x in got] == [x.rstrip("/") for x in want]


def ask(shell, folder):
    os.mkdir(os.path.join(folder, "folder"))
    open(os.path.join(folder, "a capture.scap"), "w").close()
    questions = [q for q in QUESTIONS if not (shell.name == "fish" and " " in q[0][-1])]  # it would be two words
    for (words, want), got in zip(questions, shell.complete([["scapula"] + words for words, _ in questions], folder)):
        r.check(same(shell.name, got, want), "%s: %r" % (shell.name, words), "got %r, want %r" % (got, want))
    names = commands()
    r.check(len(names) > 25 and "completion" in names, "commands of --help")
    first = shell.complete([["scapula", ""]], folder)[0]
    r.check(set(names) <= set(first), shell.name + ": all commands", repr(set(names) - set(first)))
    lines, wants = [], []
    for name in names:
        known = options(name)
        lines.append(["scapula", name, "--"])
        wants.append(sorted("--" + o[1] for o in known if o[1]))
    for line, want, got in zip(lines, wants, shell.complete(lines, folder)):
        r.equal(sorted(set(got)), sorted(set(want)), "%s: long options of %s" % (shell.name, line[1]))


def table(text, name):
    return text.split("\t\t%s) _arguments" % name)[1].split(";;")[0]


def zsh(script):
    """No line is completed, as that needs a terminal; but each table of options is one that zsh's _arguments takes."""
    r.equal(run(["zsh", "-n", script]), (0, "", ""), "zsh takes the script")
    text = open(script).read()
    for name in commands():
        r.equal(text.count("\t\t%s) _arguments" % name), 1, "zsh: " + name)
        for letter, option, _ in options(name):
            spec = "'*'{-%s,--%s}'[" % (letter, option) if letter and option else "'*'--%s'[" % option if option else "'*'-%s'[" % letter
            r.check(spec in table(text, name), "zsh: %s of %s" % (spec, name))
    stub = "_arguments() { local a; for a; do [[ $a == -* || $a == \\** || $a == [1-9]:* || $a == '(- *)'* ]] || print -r -- \"bad: $a\"; done }\n_describe() { print -r -- ${#commands} }\ncompdef() { : }\nstate=argument\n"
    status, out, err = run(["zsh", "-f"], stub + open(script).read() + "".join("words=(%s); state=argument; CURRENT=2; () { local state=argument; _scapula }\n" % c for c in commands()))
    r.check(status == 0 and not err and "bad:" not in out, "zsh: specifications", out + err)


def main():
    with tempfile.TemporaryDirectory() as folder:
        scripts = {}
        for shell in ("bash", "zsh", "fish"):
            status, out, err = check.run(["completion", shell])
            r.check(status == 0 and not err and out, "a script for " + shell, err)
            scripts[shell] = os.path.join(folder, shell)
            with open(scripts[shell], "w") as f:
                f.write(out)
        for args in ([], ["tcsh"], ["bash", "zsh"], ["--nosuch"]):
            r.equal(check.run(["completion"] + args)[0], 3, "status of completion %s" % args)
        for shell in (Bash, Fish):
            if not shutil.which(shell.name):
                r.skip("no " + shell.name)
                continue
            with tempfile.TemporaryDirectory() as place:
                ask(shell(scripts[shell.name]), place)
        if shutil.which("zsh"):
            zsh(scripts["zsh"])
        else:
            r.skip("no zsh")
    r.finish()


main()

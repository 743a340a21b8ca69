# SPDX-License-Identifier: Apache-2.0
"""Scripts of the golden recordings, run again: in surroundings like theirs, and with alerts that can be compared.

The goldens' recordings hold one script's processes alone: they begin with the exec of `bash /opt/w/NAME.sh`, know no
process or descriptor from before, and know the script's cgroup by a name of its own. begin_with() cuts a recording of
ours in the same way; alerts() rewrites what differs in each run, and what the tables below say differs between machines.
"""
import collections
import functools
import json
import os
import re
import shutil
import struct
import time

import check
import scap

# What a script runs; where something is missing its alerts are others.
NEEDS = {
    "network": "python3",
    "intrusion": "python3 cc curl wget shred insmod modprobe setpriv unshare base64 chown",
    "build": "make cc git tar find xargs python3",
    "container": "unshare curl python3 ps mount",
    "persist": "useradd userdel passwd find ss tar base64 split openssl python3 curl perl chattr nsenter setcap",
}
NAMES = tuple(NEEDS)
# busy is not among them: it takes half a minute of all CPUs each time, and stress-ng, which forks and opens as often as the
# machine can: the numbers of its alerts are those of one machine and moment. Its recording is replayed by golden_alerts.py.

SETS = {"stable": ["falco_rules.yaml"], "all": ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]}
CGROUP = "user.slice1/d9394466e03aa9e718f81d71d63f0752"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTRY_FD = 10  # the shell that started the scripts had it open for them


class Cgroup:
    """The goldens' cgroup, in every hierarchy that lets us have one."""

    def __enter__(self):
        self.made = []
        for base in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
            path = os.path.join(base, CGROUP)
            try:
                os.makedirs(path, exist_ok=True)
                if os.path.exists(os.path.join(path, "cgroup.procs")):
                    self.made.append(path)
            except OSError:
                pass
        return self

    def enter(self):
        """In a child, before it becomes the program."""
        for path in self.made:
            with open(os.path.join(path, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        os.dup2(0, ENTRY_FD)

    def __exit__(self, *_):
        for path in self.made:
            for folder in (path, os.path.dirname(path)):
                for _ in range(50):
                    try:
                        os.rmdir(folder)
                        break
                    except OSError:
                        time.sleep(0.02)


def unlike_the_goldens(name, rule_set):
    """Why this machine cannot give the alerts of the goldens; None if it can."""
    missing = [tool for tool in NEEDS[name].split() if not shutil.which(tool, path=PATH)]
    if missing:
        return "it needs " + " and ".join(missing)
    if name == "container" and not os.path.isdir("/root/.pyenv"):
        return "its interactive shell has the start files of the goldens' machine"
    if name == "container" and not os.path.ismount("/sys/fs/cgroup/cpu"):
        return "it needs cgroups of version 1"
    if rule_set == "coverage" and not os.path.exists("/usr/bin/python3.11"):
        return "its rules tell every file of programs and libraries: those of Debian 12"
    return None


def rule_args(rule_set):
    """Options for the rules of a set of goldens, see golden_alerts.py."""
    if rule_set == "coverage":
        return ["-r", os.path.join(check.SHARED, "golden", "coverage-rules.yaml")]
    return [a for f in SETS[rule_set] for a in ("-r", os.path.join(check.SHARED, "peer-rules", f))]


def goldens(name):
    """(rule set, matching, lines of alerts) of each golden of a script."""
    folder = os.path.join(check.SHARED, "golden", "alerts")
    for file in sorted(os.listdir(folder)):
        capture, rule_set, matching = file.split(".")[:3]
        if capture == name:
            yield rule_set, matching, check.read_lines(os.path.join(folder, file))


def script(name):
    return os.path.join(check.SHARED, "corpus", "recorded", name + ".sh")


def command(folder, name):
    """Runs a script under the goldens' path and with their environment; what it mounts is gone with it."""
    there = os.path.join(folder, "opt", "w")
    os.makedirs(there, exist_ok=True)
    shutil.copy(script(name), there)
    become = 'mount --bind "$0" /opt && cd / && exec env -i PWD=/ HOME=/root LANG=C.UTF-8 USER=root SHLVL=1 PATH="$1" _=/usr/bin/bash bash "$2"'
    return ["unshare", "-m", "sh", "-c", become, os.path.dirname(there), PATH, "/opt/w/%s.sh" % name]


PROCESSES, DESCRIPTORS, EVENT = 0x215, 0x218, 0x216
EXECVE = scap.BY_ENUM["EXECVE_19_X"]
EXE, ARGS = ([p.name for p in EXECVE.params].index(n) for n in ("exe", "args"))


def is_begin(kind, body, args):
    if kind != EVENT or struct.unpack_from("<H", body, 22)[0] != EXECVE.id:
        return False
    params = scap.parse_event(kind, body)[1].params
    return params[0] == bytes(8) and params[EXE] == b"bash\0" and params[ARGS] == args


def begin_with(path, name):
    """The plain bytes of the recording @path from the exec of the script @name on, without the state before it."""
    out, begun = bytearray(), False
    for kind, body, block in scap.blocks_of(check.read_all(path)):
        begun = begun or is_begin(kind, body, b"/opt/w/%s.sh\0" % name.encode())
        if kind not in (PROCESSES, DESCRIPTORS) and (begun or kind != EVENT):
            out += block
    return bytes(out) if begun else None


# --- alerts that can be compared ---

# What is different whenever a script runs. Applied to each line, in this order.
EACH_RUN = tuple((re.compile(pattern), to) for pattern, to in (
    (r"/tmp/(wl|wb|ps)\.\w{4}", r"/tmp/\1.W"),  # the scripts' own folders
    (r"/tmp/cc\w{6}", "/tmp/CC"),  # gcc's files
    (r"/tmp/tmp\w{8}", "/tmp/TMP"),  # Python's
    (r"/tmp/[a-z0-9_]{8}\b", "/tmp/TMP"),
    (r"sh-thd\.\w{6}", "sh-thd.T"),  # bash's
    (r"(/etc/g?(?:passwd|group|shadow|subuid|subgid)\.)\d+", r"\1PID"),  # useradd's
    (r"tmp_obj_\w{6}|(?<=\.git/)t[A-Za-z0-9]{6}\b", "tmp_obj"),  # git's
    (r"(?<=objects/)[0-9a-f]{2}(/[0-9a-f]{38})?\b|name=([0-9a-f]{2}|[0-9a-f]{38})(?=\(/tmp/wb.W/.git/objects)", "OBJECT"),  # a commit's has its time
    (r"(?<=GIT_AUTHOR_DATE=@)\d+", "DATE"),
    (r"dropped-\d+", "dropped-PID"),
    (r"/proc/\d+/", "/proc/PID/"),
    (r"\b(tid|pid|ptid|vtid|vpid|vpgid|pgid|proc\.p?pid)=\d+", r"\1=N"),
    (r"^(\tmmap\t.*\bres)=[1-9]\d*", r"\1=N"),
    (r"^(\tclone3?\t.*?\bres)=[1-9]\d*", r"\1=N"),
    (r"(?<= -t )\d+|(?<=-t\.)\d+", "PID"),
    (r"\b(pgft_\w+|vm_\w+)=\d+", r"\1=N"),
    (r"\b(addr|argument|ino|dev|exe_ino|pidns_init_start_ts)=[1-9A-F][0-9A-F]*\b(?!\.)", r"\1=N"),
    (r"\bexe_ino_(c|m)time=\S+ \S+", r"exe_ino_\1time=T"),
    (r"\bffff[0-9a-f]{12}\b", "SOCKET"),
    (r"(?<=[\d.:]:)(3[2-9]|[4-6]\d)\d{3}\b|(?<=fd.rport=)(3[2-9]|[4-6]\d)\d{3}\b", "PORT"),
    (r"\b\d\d/[A-Z]\w\w/20\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d", "DATE"),
    (r"\b(v?tid|v?pid|ptid|v?pgid)=N\(<NA>\)", r"\1=N"),  # of ancestors: looked up before or not
    # and from machine to machine
    (r"/lib/modules/[^/]+/", "/lib/modules/RELEASE/"),
    (r"/\.store\b", "/.pyenv"),  # renamed in the goldens
    (r"\blength=\d+(?=.*ld\.so\.cache)", "length=N"),
    (r"\bcgroups=\S*( [a-z_]+=/\S*)* ", "cgroups=C "),
    (r"\bfdlimit=\d+", "fdlimit=N"),
    (r"\bcap_(\w+)=[1-9A-F][0-9A-F]*\b", r"cap_\1=SOME"),
))


def orphan(match):
    """The line without what it says of parents."""
    return match[1] + re.sub(r"\bptid=\S+|\b(proc\.pname|proc\.aname\[\d\])=\w+", "PARENT", match[2])


# What differs for another reason: of which script, why, a line's pattern, and what it becomes; None: left out on both sides.
# The rest of the line is compared, so is how many there are. A01 to A50 are the rules of the set `coverage`.
ELSEWHERE = tuple((script, re.compile(pattern), to) for script, why, pattern, to in (
    (None, "whether a child has executed something when its parent's event comes", r"(\tv?fork\t|\tclone3?\t)(.*?\bres=N)\(\w+\)", r"\1\2(WHO)"),
    (None, "how long a process lives depends on the machine", r"^A49\t", None),
    (None, "the goldens have no device of a file that got descriptor 0",
     r"(\topenat\t.*evt\.args=fd=0\(.*) dev=\S+ ino=\S+", r"\1 dev=D ino=I"),
    (None, "where the loader looks depends on the CPU", r"^A01\t.*\tfd\.name=\S*/libnuma\.so\t", None),
    (None, "configuration of modules that the machine has", r"^A01\t.*\tfd\.name=/(lib|etc)/modprobe\.d/", None),
    (None, "directories that the machine has", r"^A0[18]\t.*\topenat\tfind /", None),
    ("network", "accept() in one thread, socket() in the other: either is first", r"(\tpython3 -\t.*\bfd=)[45](\(.*\bfd\.num=)[45]\b", r"\g<1>4|5\g<2>4|5"),
    ("intrusion", "the parent of what runs in the background may have ended",
     r"(\t(?:sh -i|bash -c sh -i .*? &|bash /opt/w/intrusion\.sh|python3 -m http\.server 18080 .*?)\t)(.*)", orphan),
    ("intrusion", "and so its ancestors", r"^A(09|19|27)\t.*\t(sh -i|bash -c sh -i .*? &|python3 -m http\.server 18080 .*?)\t", None),
    ("persist", "the same", r"(\t(?:(?:setsid )?(?:nohup )?\./\.hidden 0\.1|\.hidden 0\.1|bash /opt/w/persist\.sh)\t)(.*)", orphan),
    ("persist", "the same", r"^A(09|19|27)\t.*\t((setsid )?(nohup )?\./\.hidden 0\.1|\.hidden 0\.1)\t", None),
    ("build", "header files that the machine has", r"\tgrep -l stdint /", None),
    ("build", "header files that the machine has", r"(\txargs grep -l stdint\t.* args=-l\.stdint\.)\S+", r"\1FILES"),
    ("build", "which of its jobs have the standard input depends on which have ended", r"^A(34\t.*\tprlimit|44\t.*\tdup2)\tmake -j4\t", None),
    ("build", "a commit's hash has its time in it; its first digits may be another object's",
     r"^A\d+\t\w+\t\w+\t(git -c .* commit|rm -rf|tar c).*\.git/objects/", None),
    ("build", "what was written in the second of the index is read again", r"^A01\t.*\topenat\tgit -c .* commit -qm x\t.*\tfd\.name=/tmp/wb.W/[\w.]+\t", None),
    ("container", "in a pid namespace a child's descriptors are known by its own event, after which its parent may have closed some",
     r"^A44\t.*\b(old|new)fd=[0-4]\(", None),
    ("persist", "processes that the machine has", r"^A01\t.*\tuserdel psuser\t.* name=/proc/PID/", None),
    *((("persist", "whether there is such a folder", r"^Read ssh information\t.*\tfind / ", None),) if not os.path.isdir("/root/.ssh") else ()),
    ("persist", "an argument in a page of memory that a new process has not touched yet cannot be read",
     r"(\texecve\tuseradd .* args=-i\.)(group\.|passwd\.)?", r"\1WHAT."),
    ("persist", "setcap of libcap 2.66-4+deb12u2 opens the file first", r"^A01\t.*\tsetcap .*\tfd\.name=/tmp/ps.W/\.hidden\t", None),
    ("persist", "words of an archive's bytes, run as commands", r"\texecve\tsh\t.* exe=(?!kill|true|bash|sh )[\w+/=]+[ (]", None),
    ("persist", "an archive's bytes", r"(\tsendto\tpython3 .* data=)\S+", r"\1DATA"),
))


ANCESTORS = re.compile(r"proc\.(ppid|pname|sname|pcmdline|aname\[\d\])")


def line_of(alert, ancestors):
    """One line: rule, priority, type, command line, then the other fields."""
    f = {k: v for k, v in alert["output_fields"].items() if ancestors or not ANCESTORS.fullmatch(k)}
    f.pop("evt.time", None)
    f.pop("evt.num", None)
    head = [alert["rule"], alert["priority"], str(f.pop("evt.type", None)), str(f.pop("proc.cmdline", None))]
    return "\t".join(head + ["%s=%s" % kv for kv in sorted(f.items())])


def lines(alerts, name, ancestors=True):
    """Lines of @alerts, one JSON object each, of a run of the script @name, and how often each comes.

    @ancestors: with the fields that tell of the script's ancestors, which the goldens do not have.
    """
    rows = [row[1:] for row in ELSEWHERE if row[0] in (None, name)]
    left_out = [pattern for pattern, to in rows if not to]
    out = collections.Counter()
    for alert in alerts:
        line = line_of(json.loads(alert), ancestors)
        if any(p.search(line) for p in left_out):  # long ones at once
            continue
        at = line.index("\t", line.index("\t") + 1)
        line = line[:at] + of_any_run(line[at:])
        for pattern, to in rows:
            line = pattern.sub(to, line) if to else line
        if not any(p.search(line) for p in left_out):
            out[line] += 1
    return out


@functools.lru_cache(maxsize=1000)
def of_any_run(text):
    """@text without what is different in each run; several rules tell the same of an event."""
    for pattern, to in EACH_RUN:
        text = pattern.sub(to, text)
    return text

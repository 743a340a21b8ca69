#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rule pack: loads without warnings, each rule is described and tagged, all its tests pass and can fail, its captures
hold nothing of the host they were made on, and recorded workloads and attacks give the alerts they should."""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402

PACK = os.path.join(check.ROOT, "rules", "pack")
TESTS = os.path.join(check.ROOT, "rules", "tests")
FILES = sorted(glob.glob(os.path.join(PACK, "*.yaml")))
TACTICS = {"mitre_" + t for t in (
    "initial_access execution persistence privilege_escalation defense_evasion credential_access discovery lateral_movement "
    "collection command_and_control exfiltration impact").split()}
LOOKED_AT = {"process", "file", "network"}
NAMES = re.compile(r'proc\.(?:name|pname|aname(?:\[\d+\])?) (?:in|=) (\((?:"[^"]*"|[^()"])*\)|[^\s()]+)')  # what they are compared with
LONGEST_NAME = 15  # the kernel keeps no more of the name of a process
LARGEST_CAPTURE = 20000
LARGEST_PACK = 4 << 20
USERS = {"root", "www-data", "ann", "nobody"}  # of rules/tests/lab

# Workloads: all that fires, each once. Both do a few things on purpose that rules are about.
WORKLOADS = {
    "build": ["Program in a temporary directory"],
    "busy": ["Password hashes read", "Program in shared memory or a lock directory", "Program made to exhaust a host",
             "Web server made on the spot"],
}
# Attacks: what must be among the alerts.
ATTACKS = {
    "intrusion": ["Password hashes read", "Search for secrets", "Private key of SSH read", "Link to a secret", "Log emptied", "Log deleted",
                  "File destroyed beyond recovery", "Program in shared memory or a lock directory", "Program exists in memory only",
                  "Process taken over", "Shell command with a network path", "Shell wired to a network connection",
                  "Connection becomes a standard stream", "File made set-user-id", "File system mounted in a container", "Cron job planted",
                  "Program of the system replaced", "Data decoded on a command line"],
    "persist": ["Program dressed as a kernel thread", "Program behind a dot", "Cron job planted", "Unit of systemd planted", "File made set-user-id",
                "File made unchangeable", "Search for ways to more rights", "Secrets or homes packed", "Files encrypted from a command line",
                "File uploaded with a download tool", "Other namespaces entered from a container"],
    "network": ["Network traffic read or forged"],
    "container": ["Password hashes read", "File system mounted in a container", "Network traffic read or forged"],
}


def rules_themselves(r):
    status, out, err = check.run(["rules", "check", "--json"] + FILES)
    results = json.loads(out)["falco_load_results"]
    for result in results:
        r.check(result["successful"] and result["schema_valid"] and not result["warnings"] and not result["schema_warnings"],
                "%s loads without warnings" % result["name"], json.dumps(result)[:600])
    r.equal((status, len(results)), (0, len(FILES)), "all files load: " + err)
    rules = [json.loads(line) for line in check.run(["rules", "list", "--json"] + FILES)[1].splitlines()]
    r.check(len(rules) >= 60, "there are %d rules" % len(rules))
    for rule in rules:
        tags = set(rule["tags"])
        about = "rule '%s': " % rule["name"]
        techniques = {t for t in tags if re.fullmatch(r"T\d{4}(\.\d{3})?", t)}
        r.check(tags & TACTICS and techniques and tags & LOOKED_AT and tags <= TACTICS | techniques | LOOKED_AT | {"container"},
                about + "tags", " ".join(sorted(tags)))
        finds, _, also = rule["desc"].partition("False positives: ")
        r.check(finds.strip().endswith(".") and also.strip().endswith("."), about + "what it finds, and what else", rule["desc"])
        r.check("%proc.cmdline" in rule["output"] and "%container.id" in rule["output"] and "%user.name" in rule["output"],
                about + "who did it, in the output", rule["output"])
        names = [n.strip(' "') for group in NAMES.findall(rule["condition_compiled"]) for n in re.sub(r"^\(|\)$", "", group).split(",")]
        r.equal([n for n in names if len(n) > LONGEST_NAME], [], about + "names of processes are not longer than the kernel's")
    p = subprocess.run([os.path.join(check.ROOT, "scripts", "rules-table"), "--check"], env=dict(os.environ, SCAPULA=check.scapula_path()),
                       stderr=subprocess.PIPE, text=True, check=False)
    r.equal((p.returncode, p.stderr), (0, ""), "the table of docs/rules.md is that of the rules")


def tests_of_rules(r):
    status, out, err = check.run(["test", "-q", "--require-tests", TESTS], timeout=600)
    r.equal(status, 0, "all tests pass, and each rule has both:\n%s\n%s" % (out[-2000:], err[-500:]))
    with tempfile.TemporaryDirectory() as folder:  # rules that see no program start any more
        broken = shutil.copytree(PACK, os.path.join(folder, "pack"))
        path = os.path.join(broken, os.path.basename(FILES[0]))
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("evt.type in (execve, execveat)", "evt.type in (execveat)"))
        status, out, _ = check.run(["test", "-q", "-r", broken, "--filter", "positive", TESTS], timeout=600)
        failed = int((re.search(r"(\d+) failed", out) or ["", "0"])[1])
        r.check(status == 1 and failed > 50, "without starts of programs many tests fail: %d" % failed, out[-300:])


def captures(r):
    whole = 0
    for path in sorted(glob.glob(os.path.join(TESTS, "*", "*", "trace.scap.zst"))):
        name = os.path.relpath(path, TESTS)
        whole += os.path.getsize(path)
        r.check(os.path.getsize(path) <= LARGEST_CAPTURE, "%s: %d bytes" % (name, os.path.getsize(path)))
        r.check(os.path.exists(os.path.join(os.path.dirname(path), "act.sh")), name + ": says how it was made")
        info = json.loads(check.run(["info", "-f", "json", path])[1])
        r.equal((info["hostname"], info["losses"]["events"], info["processes"]), ("web1", 0, 2), name + ": a host of its own, whole")
        r.check({u["name"] for u in info["seen_users"]} <= USERS, name + ": only users of the laboratory", str(info["seen_users"]))
        r.check(not re.search(rb"rules/tests|/home/(?!ann)[a-z]|LOGNAME=|SSH_|SUDO_|XDG_", check.read_all(path)),
                name + ": nothing of the host it was made on")
    r.check(0 < whole <= LARGEST_PACK, "all captures: %d bytes" % whole)


def recorded_again(r):
    if not check.can_record() or os.geteuid():
        return r.skip("an act recorded again: this host or user cannot record")
    with tempfile.TemporaryDirectory() as folder:
        test = os.path.join(folder, "test")
        shutil.copytree(os.path.join(TESTS, "cron-job", "positive"), test, ignore=shutil.ignore_patterns("trace*", "baseline*"))
        p = subprocess.run([os.path.join(TESTS, "record"), "--scapula", check.scapula_path(), test], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False, timeout=120)
        r.equal((p.returncode, p.stdout.strip().endswith("bytes")), (0, True), "an act is recorded again: " + p.stdout)
        status, out, err = check.run(["test", "-r", PACK, test])
        r.equal(status, 0, "and gives the same alerts: " + out + err)
        r.equal(os.path.exists("/etc/cron.d/second"), False, "and this host is as it was")


def fired(name):
    status, out, err = check.run(["replay", "-q", "-f", "json", "--matching", "all", "-r", PACK, check.corpus(name)], timeout=600)
    if status:
        raise RuntimeError(err)
    return collections.Counter(json.loads(line)["rule"] for line in out.splitlines())


def recorded(r):
    if not check.have_shared():
        return r.skip("recorded workloads and attacks: no ../shared")
    for name, rules in WORKLOADS.items():
        r.equal(sorted(fired(name).items()), [(rule, 1) for rule in rules], name + ": nothing but what is done on purpose")
    for name, rules in ATTACKS.items():
        missing = [rule for rule in rules if rule not in fired(name)]
        r.equal(missing, [], name + ": covered")


def main():
    r = check.Results("rule pack")
    rules_themselves(r)
    tests_of_rules(r)
    captures(r)
    recorded_again(r)
    recorded(r)
    r.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job over many captures gives the case that one run gives, whoever starts the workers and whoever kills them.

usage: tests/scale_test.py [--full | --captures N] [--shards N] [--seed N]
--full: 1,000 captures; else as many as take a minute with sanitizers.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import scale  # noqa: E402

r = check.Results("scale-out")
ROUNDS = 30  # with a killer; then one without
SURELY = 12  # kills in the middle of work


def listed(job, name="manifest"):
    with open(os.path.join(job, name)) as f:
        return [unquoted(line.split(" ", 6)[6].rstrip("\n")) for line in f if line.startswith("trace ")]


def unquoted(path):
    if not path.startswith('"'):
        return path
    plain = re.sub(rb"\\(?:([0-7]{3})|(.))", lambda m: bytes([int(m[1], 8)]) if m[1] else m[2], path[1:-1].encode())
    return os.fsdecode(plain)


def one_run(folder, captures):
    """The case of one run over the captures in the order of the job, and that of a job of one list."""
    one = scale.Job(os.path.join(folder, "one"), captures, 1)
    case = os.path.join(folder, "plain.db")
    status, _, err = check.run(["replay", "-q", "-j", "1", "-r", scale.RULES, "--db", case] + listed(one.job), timeout=900)
    r.check(status == 0, "one run over all captures", err)
    plain = scale.compared(case)
    status, _, err = one.replay(0)
    r.check(status == 0, "a job of one list", err)
    status, _, err = one.gather(one.part(0))
    r.check(status == 0, "a job of one list is gathered", err)
    r.equal(scale.compared(one.out), plain, "a job of one list is what one run gives")
    r.equal(scale.compared(one.part(0)), plain, "and so is its part")
    return plain


def packing(job, shards, captures):
    """Lists hold each capture once, and their sizes differ by no more than one capture."""
    names = ["shard-%04d.lst" % n for n in range(shards)]
    r.equal(sorted(os.listdir(job)), sorted(names + ["manifest"]), "lists of a job")
    paths = [p for name in names for p in listed(job, name)]
    r.equal(sorted(paths), sorted(listed(job)), "each capture is in one list")
    r.equal(len(set(paths)), captures, "each capture is there once")
    loads = [sum(os.path.getsize(p) for p in listed(job, name)) for name in names]
    r.check(max(loads) - min(loads) <= max(os.path.getsize(p) for p in paths), "lists have about the same size", str(loads))


def under_parallel(folder, captures, shards, seed, want):
    job = scale.Job(os.path.join(folder, "parallel"), captures, shards)
    r.check(job.made[0] == 0, "a job is made", job.made[2])
    packing(job.job, shards, len(listed(job.job)))
    kills, rounds, status, out = 0, 0, 5, ""
    unfinished = set()
    while status != 0 and rounds <= ROUNDS:
        # slower and slower, so that also workers that take long come through
        killer = scale.Killer(job.job, seed + rounds, 0.02 * (rounds + 1), 0.25 * (rounds + 1), SURELY - kills, job.parts)
        # the last round is a quiet one; "give the same commands again" is all that is done in between
        if rounds == ROUNDS:
            status, out = job.run([os.path.join(scale.CONTRIB, "parallel.sh"), "-j", "2"])
        else:
            with killer:
                status, out = job.run([os.path.join(scale.CONTRIB, "parallel.sh"), "-j", "2"])
        unfinished |= {name for name in os.listdir(job.parts) if name.endswith(".tmp")}
        kills += killer.kills
        rounds += 1
        r.check(status in (0, 5) or "no complete part" in out, "round %d" % rounds, out[-2000:])
    r.check(status == 0, "the job comes to its end", out[-2000:])
    r.check(kills >= SURELY, "workers were killed", "%d kills" % kills)
    r.check(unfinished, "and left something unfinished behind")
    r.equal(scale.compared(job.out), want, "killed workers under GNU parallel: the case is that of one run")
    jobs = scale.rows(job.out, "SELECT count(*), sum(status = 'done'), sum(retries), count(DISTINCT shard), count(node) FROM jobs")[0]
    r.equal(jobs[:2] + jobs[3:], (len(listed(job.job)),) * 2 + (shards, len(listed(job.job))), "a row for each capture says that it is done")
    r.check(0 < jobs[2] <= kills, "captures that a killed worker was at were begun again", "%d of %d kills" % (jobs[2], kills))
    r.equal(scale.rows(job.out, "PRAGMA integrity_check"), [("ok",)], "the case is sound")
    r.equal(scale.rows(job.out, "PRAGMA foreign_key_check"), [], "and its references lead somewhere")
    print("%s: %d captures in %d lists, %d rounds, %d kills, %d captures begun again" %
          (r.name, jobs[0], shards, rounds, kills, jobs[2]), flush=True)
    return job


def order_and_absence(job, shards, want):
    parts = [job.part(n) for n in range(shards)]
    other = os.path.join(job.folder, "other.db")
    status, _, err = job.gather(*reversed(parts), out=other)
    r.check(status == 0 and not err, "parts in another order", err)
    r.equal(scale.compared(other), want, "the order of parts does not matter")
    copy = os.path.join(job.folder, "copy.db")
    shutil.copy(parts[1], copy)
    status, _, err = job.gather(copy, *parts, out=other)
    r.check(status == 0 and "is of the same shard" in err, "a copy of a part is named", err)
    r.equal(scale.compared(other), want, "and does no harm")
    status, _, err = job.gather(*(parts[:1] + parts[3:]), out=other)
    r.check(status == 5 and "2 of %d shards missing" % shards in err and ": 1 2;" in err, "missing shards are listed", err)
    r.equal(scale.rows(other, "SELECT exit_status FROM runs"), [(5,)], "the case says that it is not all")
    damaged = bytearray(open(parts[2], "rb").read())
    damaged[len(damaged) // 2:] = bytes(len(damaged) - len(damaged) // 2)
    with open(copy, "wb") as f:
        f.write(damaged)
    status, _, err = job.gather(parts[0], parts[1], copy, *parts[3:], out=other)
    r.check(status == 5 and "'%s' is left out" % copy in err and ": 2;" in err, "a damaged part is named", err)
    status, _, err = job.gather(*parts, out=parts[0])
    r.check(status == 3 and "is an input" in err, "a part is not written to", err)
    status, _, err = check.run(["gather", job.out] + parts)
    r.check(status == 4 and "--force" in err, "a case is not replaced unasked", err)


def complete_parts(job):
    before = open(job.part(0), "rb").read(), os.stat(job.part(0)).st_mtime_ns
    status, out, err = job.replay(0)
    r.check(status == 0 and "is complete: nothing is done" in err and not out, "a complete part is left alone", err)
    r.equal((open(job.part(0), "rb").read(), os.stat(job.part(0)).st_mtime_ns), before, "and is the same file")
    r.equal([n for n in os.listdir(job.parts) if n not in ("joblog",) and not n.endswith(".db")], [], "nothing is left beside parts")


def what_belongs_together(folder, captures):
    """Parts of other rules, options, lists; lists and parts that do not fit."""
    job = scale.Job(os.path.join(folder, "mixed"), captures, 3)
    rules = os.path.join(folder, "other.yaml")
    with open(scale.RULES) as f, open(rules, "w") as g:
        g.write(f.read() + "\n# a comment\n")
    for n in range(3):
        r.check(job.replay(n)[0] == 0, "list %d" % n)
    for what, args, n in (("rules", {"rules": rules}, 1), ("options", {}, 2)):
        more = ["--matching", "all"] if what == "options" else []
        status, _, err = job.replay(n, *more, **args)
        r.check(status == 3 and "differs in: " + what in err, "a part of other %s is not touched" % what, err)
        kept = job.part(n) + ".kept"
        os.rename(job.part(n), kept)
        r.check(job.replay(n, *more, **args)[0] == 0, "list %d with other %s" % (n, what))
        status, _, err = job.gather(job.part(0), job.part(n))
        r.check(status == 4 and "they differ in: " + what in err and not os.path.exists(job.out), "parts of other %s are refused" % what, err)
        os.rename(kept, job.part(n))
    other = scale.Job(os.path.join(folder, "mixed2"), captures, 2)
    other.replay(0)
    status, _, err = job.gather(job.part(1), other.part(0))
    r.check(status == 4 and "they differ in: list of captures" in err, "parts of other lists are refused", err)
    status, _, err = check.run(["gather", "--manifest", os.path.join(other.job, "manifest"), job.out, job.part(0)])
    r.check(status == 4 and "is of another job" in err, "the manifest tells which job it is", err)
    version = job.part(0) + ".version.db"
    shutil.copy(job.part(0), version)
    subprocess.run(["sqlite3", version, "UPDATE job_parts SET version = '0.0.9'"], check=True)
    status, _, err = job.gather(version, job.part(1))
    r.check(status == 4 and "version of the program" in err and "0.0.9" in err, "parts of other versions are refused", err)
    status, _, err = check.run(["replay", "--shard", os.path.join(job.job, "manifest"), "-r", scale.RULES, "--db", job.out])
    r.check(status == 3 and "lists the whole job" in err, "a manifest is no list", err)
    status, _, err = check.run(["replay", "--shard", job.list(0), "-r", scale.RULES])
    r.check(status == 3 and "--db" in err, "a worker needs a part", err)
    status, _, err = check.run(["replay", "--shard", job.list(0), "-r", scale.RULES, "--db", job.list(0)])
    r.check(status == 3 and "is an input" in err, "the list is not written to", err)


def captures_that_changed(folder, captures):
    """Other bytes under the name, or no file: nothing of it is there; once it is back the same command completes the case."""
    here = os.path.join(folder, "changing")
    shutil.copytree(captures, here)
    job = scale.Job(os.path.join(folder, "changed"), here, 2)
    order = listed(job.job, "shard-0000.lst")
    odd = os.path.join(here, os.fsdecode(b"odd \"name\\\n\xff.scap"))
    os.rename(order[-1], odd + os.path.splitext(order[-1])[1].replace(".scap", ""))
    shutil.rmtree(job.folder)
    job = scale.Job(job.folder, here, 2)
    order = listed(job.job, "shard-0000.lst")
    r.check(any("odd" in p for p in listed(job.job)), "a capture with an odd name is in a list")
    names = sorted(os.listdir(here))
    plain = os.path.join(folder, "changed.db")
    status, _, err = check.run(["replay", "-q", "-j", "1", "-r", scale.RULES, "--db", plain] + [os.path.join(here, n) for n in names])
    r.check(status == 0, "one run over captures with odd names", err)
    whole = open(order[0], "rb").read()
    with open(order[0], "ab") as f:
        f.write(b"x")
    os.rename(order[1], order[1] + ".away")
    status, _, err = job.replay(0)
    r.check(status == 4 and "is not the capture of the list" in err and "No such file" in err, "a worker tells what it left out", err)
    first = scale.rows(job.part(0), "SELECT status, exit_status, run_capture_id, retries FROM jobs ORDER BY trace LIMIT 2")
    r.equal(first, [("mismatch", 5, None, 0), ("unreadable", 4, None, 0)], "rows of captures that are not what the list says")
    r.equal(scale.rows(job.part(0), "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM run_captures)"),
            [(len(order) - 2,) * 2], "nothing of them is there")
    job.replay(1)
    status, _, err = job.gather(job.part(0), job.part(1))
    r.check(status == 4 and "of 2 captures nothing is there" in err, "the case tells it, too", err)
    with open(order[0], "wb") as f:
        f.write(whole)
    os.rename(order[1] + ".away", order[1])
    status, _, err = job.replay(0)
    r.check(status == 0 and "2 captures are tried again" in err, "the same command completes the part", err)
    status, _, err = job.gather(job.part(0), job.part(1))
    r.check(status == 0, "and the case", err)
    r.equal(scale.compared(job.out), scale.compared(plain), "the case is that of one run")


def damaged_captures(folder, captures):
    """What a capture had is the status of its worker, and of the case; a complete part says so again."""
    here = os.path.join(folder, "cutting")
    shutil.copytree(captures, here)
    path = os.path.join(here, sorted(os.listdir(here))[0])
    with open(path, "rb+") as f:
        f.truncate(os.path.getsize(path) - 7)
    job = scale.Job(os.path.join(folder, "cut"), here, 1)
    for what in ("damaged", "again"):
        status, _, err = job.replay(0, "--fail-on", "alerts")
        r.equal(status, 5, "status of a worker that met a damaged capture, " + what)
    r.equal(scale.rows(job.part(0), "SELECT count(*) FROM jobs WHERE status = 'damaged' AND exit_status = 5"), [(1,)], "its row")
    r.check(scale.rows(job.part(0), "SELECT count(*) FROM jobs WHERE exit_status = 1")[0][0] > 0, "rows of captures with alerts")
    r.equal(job.gather(job.part(0))[0], 5, "status of its case")


def ends_by_signal(folder, captures, want):
    job = scale.Job(os.path.join(folder, "term"), captures, 1)
    os.makedirs(job.parts)
    tmp, statuses = job.part(0) + ".tmp", []
    for _ in range(200):
        p = check.popen([check.scapula_path(), "replay", "-q", "--shard", job.list(0), "-r", scale.RULES, "--db", job.part(0)],
                        env=job.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while p.poll() is None and not os.path.exists(tmp):
            time.sleep(0.005)
        time.sleep(0.002 * 1.5 ** len(statuses))  # at first too soon for any worker
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=60)[1].decode()
        statuses.append(p.returncode)
        if p.returncode == 0:
            break
        # ended by the signal itself: it was not listening yet
        if p.returncode not in (143, -signal.SIGTERM) or os.path.exists(job.part(0)) or not os.path.exists(tmp):
            r.check(False, "SIGTERM ends a worker with 143", "%d\n%s" % (p.returncode, err))
            break
    r.check(statuses[-1] == 0 and 143 in statuses, "a worker that is stopped again and again comes to its end", str(statuses))
    r.equal(job.gather(job.part(0))[0], 0, "its part is gathered")
    r.equal(scale.compared(job.out), want, "SIGTERM: the case is that of one run")


def two_at_once(folder, captures, want):
    job = scale.Job(os.path.join(folder, "twice"), captures, 1)
    os.makedirs(job.parts)
    args = [check.scapula_path(), "replay", "-q", "--shard", job.list(0), "-r", scale.RULES, "--db", job.part(0)]
    pair = [check.popen(args, env=job.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    err = [p.communicate(timeout=300)[1].decode() for p in pair]
    r.check(sorted(p.returncode for p in pair) in ([0, 4], [0, 0]), "two workers of one list: one does it", "\n".join(err))
    r.check(job.replay(0)[0] == 0, "its part is complete")
    r.equal(job.gather(job.part(0))[0], 0, "and gathered")
    r.equal(scale.compared(job.out), want, "two workers of one list: the case is that of one run")


def other_engines(folder, captures, want):
    """The makefile; the scripts of Slurm and of Kubernetes as these would start them."""
    for name, by in (("make", "bytes"), ("slurm", "events"), ("kubernetes", "bytes")):
        job = scale.Job(os.path.join(folder, name), captures, 5, by)
        if name == "make":
            status, out = job.run(["make", "-j2", "-k", "-f", os.path.join(scale.CONTRIB, "Makefile")] +
                                  ["%s=%s" % (k, job.env[k]) for k in ("JOB", "PARTS", "RULES", "OUT", "SCAPULA")])
            r.check(status == 0, "make", out[-2000:])
        else:
            for n in range(5):
                if name == "slurm":
                    status, out = job.run(["bash", os.path.join(scale.CONTRIB, "slurm-replay.sbatch")], SLURM_ARRAY_TASK_ID=str(n), SLURM_RESTART_COUNT="3")
                else:
                    status, out = job.run(kubernetes_command(), JOB_COMPLETION_INDEX=str(n))
                r.check(status == 0, "%s: list %d" % (name, n), out[-2000:])
            status, out = job.run(["bash", os.path.join(scale.CONTRIB, "slurm-gather.sbatch")])
            r.check(status == 0, "%s: the case" % name, out[-2000:])
        r.equal(scale.compared(job.out), want, "%s: the case is that of one run" % name)


def kubernetes_command():
    import yaml
    with open(os.path.join(scale.CONTRIB, "kubernetes.yaml")) as f:
        spec = yaml.safe_load(f)["spec"]
    assert spec["completionMode"] == "Indexed" and spec["template"]["spec"]["restartPolicy"] == "Never"
    return [w.replace("/contrib/", scale.CONTRIB + "/") for w in spec["template"]["spec"]["containers"][0]["command"]]


def edited_rules(rules):
    """(what, rules) for edits of which some change what a capture gives."""
    def named(kind):
        return [i for i, x in enumerate(rules) if kind in x]
    hits = {"Program directory changed", "Cron job written"}
    hit = next(i for i in named("rule") if rules[i]["rule"] in hits)
    silent = next(i for i in named("rule") if "memory" not in rules[i]["rule"] and i != hit)
    yield "nothing", rules
    yield "a comment", rules
    for what, at, change in (("an output", hit, {"output": "changed %proc.name"}),
                             ("a condition that matches more", silent, {"condition": "(%s) or evt.type = getdents64" % rules[silent]["condition"]}),
                             ("a condition that matches nothing", hit, {"condition": "evt.type = mount and proc.name = nobody"}),
                             ("a priority", hit, {"priority": "DEBUG"}),
                             ("a rule is switched off", hit, {"enabled": False})):
        yield what, rules[:at] + [dict(rules[at], **change)] + rules[at + 1:]
    yield "a rule is gone", rules[:hit] + rules[hit + 1:]
    yield "a rule in front", [{"rule": "New", "desc": "d", "condition": "evt.type = execve", "output": "%proc.name", "priority": "NOTICE"}] + rules
    yield "a rule that nothing matches", rules + [{"rule": "Never", "desc": "d", "condition": "evt.type = bpf and evt.arg[0] = x", "output": "o",
                                                   "priority": "NOTICE"}]
    last = named("rule")[-2:]
    yield "two rules change places", rules[:last[0]] + [rules[last[1]]] + rules[last[0] + 1:last[1]] + [rules[last[0]]] + rules[last[1] + 1:]


def earlier_cases(folder, captures):
    """Captures that rules leave as they were are taken over; the case is that of one run whatever was edited."""
    import yaml
    here = os.path.join(folder, "reusing")
    shutil.copytree(captures, here)
    base = scale.Job(os.path.join(folder, "base"), here, 2)
    r.check(all(base.replay(n)[0] == 0 for n in range(2)) and base.gather(base.part(0), base.part(1))[0] == 0, "an earlier case")
    with open(scale.RULES) as f:
        rules = yaml.safe_load(f)
    total, seen = len(listed(base.job)), set()
    for number, (what, edited) in enumerate(edited_rules(rules)):
        path = os.path.join(folder, "rules-%d.yaml" % number)
        with open(path, "w") as f:
            f.write("# %d\n" % number + yaml.safe_dump(edited, sort_keys=False))
        plain, job = os.path.join(folder, "plain-%d.db" % number), scale.Job(os.path.join(folder, "reuse-%d" % number), here, 2)
        status, _, err = check.run(["replay", "-q", "-j", "1", "-r", path, "--db", plain] + listed(job.job))
        r.check(status == 0, "one run: " + what, err)
        if what == "nothing":  # nothing is opened
            os.rename(here, here + ".away")
        if what == "a rule is gone":  # from here on there are indexes
            status, _, err = check.run(["index", "-q"] + listed(base.job))
            r.check(status == 0, "captures are indexed", err)
        taken = passed_over = 0
        for n in range(2):
            status, _, err = job.replay(n, "-v", "--reuse", base.out, rules=path)
            passed_over += err.count("its index has no event that new rules match")
            r.check(status == 0, "list %d with an earlier case: %s" % (n, what), err)
            taken += int(re.search(r"(\d+) taken over", err).group(1))
        if what == "nothing":
            os.rename(here + ".away", here)
        status, _, err = job.gather(job.part(0), job.part(1))
        r.check(status == 0, "gathered: " + what, err)
        r.equal(scale.compared(job.out), scale.compared(plain), "an earlier case, other rules (%s): the case is that of one run" % what)
        want = {"nothing": [total], "a comment": [total], "a rule that nothing matches": [total], "two rules change places": [0],
                "a rule in front": range(total)}.get(what, range(1, total + 1))
        r.check(taken in want, "%s: captures taken over" % what, "%d of %d" % (taken, total))
        r.check((passed_over == total) == (what == "a rule that nothing matches"), "%s: captures that are not opened" % what, str(passed_over))
        seen.add(taken)
    r.check(len(seen) > 2, "some edits matter to some captures", str(seen))
    status, _, err = job.replay(0, "--matching", "all", "--reuse", base.out)
    r.check(status == 3, "a part with other options is not touched", err)
    os.unlink(job.part(0))
    status, _, err = job.replay(0, "--matching", "all", "--reuse", base.out)
    r.check(status == 0 and "nothing is taken over" in err and " 0 taken over" in err, "other options: nothing is taken over", err)
    os.unlink(job.part(0))
    status, _, err = job.replay(0, "--fail-on", "alerts", "--reuse", base.out)
    r.check(status == 1 and " 0 captures replayed" in err, "findings of what is taken over count", err)


def the_document(folder, captures):
    """The commands, the function and the queries of docs/scale-out.md, verbatim."""
    here = os.path.join(folder, "document")
    os.makedirs(here)
    shutil.copytree(captures, os.path.join(here, "captures"))
    shutil.copy(scale.RULES, os.path.join(here, "rules.yaml"))
    os.symlink(check.scapula_path(), os.path.join(here, "scapula"))
    with open(os.path.join(check.ROOT, "docs", "scale-out.md")) as f:
        text = f.read()
    commands = re.findall(r"^\$ (.*)", text, re.M)
    function = re.search(r"```sh\n(.*?)```", text, re.S).group(1)
    r.check(len(commands) == 6, "the document has commands")
    script = "set -e\n%s\n%s" % ("\n".join(commands), function)
    script += "scapula replay -q -r rules.yaml --db plain.db $(ls captures/* | LC_ALL=C sort) > /dev/null\ncompared plain.db\ncompared night.case.db\n"
    p = subprocess.run(["bash", "-c", script], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
                       env=dict(os.environ, PATH=here + ":" + os.environ["PATH"], SCAPULA_CACHE_SIZE="0"))
    lines = p.stdout.decode().split("\n")
    r.check(p.returncode == 0 and lines[0] == lines[1] and len(lines[0]) > 64, "its commands give the case of one run",
            p.stdout.decode() + p.stderr.decode()[-2000:])
    for query in re.search(r"```sql\n(.*?)```", text, re.S).group(1).split(";")[:-1]:
        query = re.sub("--.*", "", query).strip()
        status, out, err = check.run(["query", os.path.join(here, "night.case.db"), query])
        r.check(status == 0, "query of the document", query + err)
    columns = {table: [row[1] for row in scale.rows(os.path.join(here, "night.case.db"), "PRAGMA table_info(%s)" % table)]
               for table in ("jobs", "job_parts")}
    for table, names in columns.items():
        described = re.findall(r"^\| `(\w+)` \|", text[text.index("`%s`, one row per" % table):].split("\n\n")[1], re.M)
        r.equal(sorted(described), sorted(names), "columns of %s are described" % table)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--captures", type=int, default=60)
    parser.add_argument("--shards", type=int, default=0)
    parser.add_argument("--seed", type=int, default=20261123)
    args = parser.parse_args()
    count = 1000 if args.full else args.captures
    shards = args.shards or max(count // 12, 4)
    with tempfile.TemporaryDirectory(prefix="scale.") as folder:
        captures, few = os.path.join(folder, "captures"), os.path.join(folder, "few")
        if not r.check(scale.make_captures(captures, count), "captures are cut"):
            r.finish()
        os.makedirs(few)
        largest = sorted(os.listdir(captures), key=lambda name: -os.path.getsize(os.path.join(captures, name)))
        for name in largest[:12]:
            shutil.copy(os.path.join(captures, name), few)
        want = one_run(folder, captures)
        job = under_parallel(folder, captures, shards, args.seed, want)
        order_and_absence(job, shards, want)
        complete_parts(job)
        ends_by_signal(folder, captures, want)
        other_engines(folder, captures, want)
        two_at_once(folder, captures, want)
        what_belongs_together(folder, few)
        captures_that_changed(folder, few)
        damaged_captures(folder, few)
        earlier_cases(folder, few)
        the_document(folder, few)
    r.finish()


main()

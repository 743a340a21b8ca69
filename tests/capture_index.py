#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the truth of recorded events is tested: every event of every hook, and the known defects of the reference.

usage: capture_index.py [--list]

capture/tests/truth.tsv gives each event to a test program, or says why none can have it; the programs themselves fail if
they leave a parameter of such an event uncompared. Here the table is compared with the specification's list of
parameters, and the tests that stand for the reference's defects must be there and run.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import unit_tests  # noqa: E402

TRUTH = os.path.join(check.ROOT, "capture", "tests", "truth.tsv")
PARAMS = os.path.join(check.SHARED, "spec", "capture-params.tsv")
TESTED_AT_LEAST = 165

# Number: what it is, whether we fixed it or match the reference, and the tests that show our behaviour, or a reason.
DEFECTS = {
    1: ("times of the executable's inode", "fixed", ["a_program_that_starts_is_told_with_all_its_parameters"]),
    2: ("socketcall of 32-bit callers", "fixed", ["messages_of_32_bit_callers", "blocks_of_arguments_are_read"]),
    3: ("32-bit numbers without an equivalent", "fixed", ["files_of_32_bit_callers"]),
    4: ("resident memory without what each CPU has not added yet", "matched", ["mapping", "the_break"]),
    5: ("names of unix sockets beyond their length", "fixed", ["bind_tells_what_the_caller_wrote"]),
    6: ("the time a ppoll had left", "matched", ["waiting"]),
    7: ("a poll without end", "matched", ["waiting"]),
    8: ("device numbers of mknod", "matched", ["making_and_removing"]),
    9: ("close-on-exec in eight bits", "matched", ["descriptors_of_no_file"]),
    10: ("O_TMPFILE for every directory, O_SYNC for O_DSYNC", "matched", ["opening"]),
    11: ("where the instruction of a page fault is", "fixed", ["page_faults_tell_where_the_instruction_is"]),
    12: ("the file behind descriptor 0", "fixed", ["opening_below_directories"]),
    13: ("how much of a module is kept", "fixed", ["programs_for_the_kernel"]),
    14: ("a feature of io_uring without a name; bits and addresses taken for others", "fixed, others matched",
         ["rings", "moving_data", "descriptors_of_no_file"]),
    15: ("message headers of 32-bit callers", "fixed", ["messages_of_32_bit_callers", "structs_of_32_bit_callers_are_narrow"]),
    16: ("a subreaper flag that could not be read", "fixed", ["process_controls"]),
    17: ("shutdown in an unknown way", "matched", ["connections_of_ip_sockets"]),
    18: ("lost dup events counted nowhere", "fixed",
         ["what_is_counted_here_and_there_adds_up_by_type_and_reason",
          "a_ring_that_is_too_small_loses_and_every_loss_is_told"]),
    19: ("connections in progress are no failures", "fixed", ["calls_that_failed_are_left_out_but_not_those_in_progress"]),
    20: ("processes of other namespaces in the first state", "fixed",
         ["a_process_is_told_with_its_identity", "first_processes_of_namespaces_say_when_these_began",
          "a_thread_is_kept_whatever_else_is_missing", "every_kind_of_descriptor_is_recognised"]),
    21: ("the recorder's own threads", "fixed", ["the_recorders_own_calls_are_left_out_unless_wanted"]),
    22: ("sampling replaces events", "fixed",
         "there is no sampling: what is left out under pressure is counted by type (what_is_shed_is_counted)"),
    23: ("order beyond records that are not finished", "fixed",
         ["a_busy_ring_holds_back_the_others_until_it_is_done", "many_rings_become_one_order"]),
    24: ("CPUs that come online", "fixed", ["a_cpu_without_a_ring_uses_that_of_all_and_then_gets_its_own"]),
}


def binaries():
    """Name of each live test program -> its sources as one text."""
    found = {}
    with open(os.path.join(check.ROOT, "capture", "CMakeLists.txt"), encoding="utf-8") as f:
        cmake = f.read()
    for name, sources in re.findall(r"^add_live_test\((\w+) ([^)]*)\)", cmake, re.M):
        texts = []
        for source in sources.split():
            with open(os.path.join(check.ROOT, "capture", source), encoding="utf-8") as f:
                texts.append(f.read())
        found[name] = "\n".join(texts)
    return found


def read_table(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f][1:]


def constant(enum_name):
    return "EV_" + re.sub("^PPME_(SYSCALL_|SOCKET_)?", "", enum_name)


def check_rows(r, rows, programs):
    tested = 0
    for event, hook, program, outcomes, reason in rows:
        what = "%s of %s" % (event, hook)
        if program == "-":
            r.check(len(reason) > 5, "%s is neither tested nor excepted" % what)
            continue
        tested += 1
        if r.check(program in programs, "%s is given to %s, which is no live test" % (what, program)):
            r.check(re.search(r"\b%s\b" % constant(event), programs[program]),
                    "%s is given to %s, which does not mention it" % (what, program))
        r.check(outcomes in ("both", "success", "failure"), "%s has outcomes '%s'" % (what, outcomes))
        r.check(outcomes == "both" or len(reason) > 5, "%s: why only %s?" % (what, outcomes))
    r.check(tested >= TESTED_AT_LEAST, "%d events are tested, at least %d should be" % (tested, TESTED_AT_LEAST))
    return tested


def check_specification(r, rows):
    if not os.path.exists(PARAMS):
        print("capture index: the list of parameters is not there, events are not compared with it")
        return
    wanted = sorted({(row[1], row[3]) for row in read_table(PARAMS)})
    r.equal(sorted((row[0], row[1]) for row in rows), wanted, "each event of each hook has one row in truth.tsv")


def main():
    r = check.Results("capture index")
    rows = read_table(TRUTH)
    tested = check_rows(r, rows, binaries())
    check_specification(r, rows)
    known = unit_tests.find("capture/tests/*.c")
    r.equal(sorted(DEFECTS), list(range(1, 25)), "every defect is in the table")
    index = ["%d of %d events are tested" % (tested, len(rows))]
    for n, (title, ours, where) in sorted(DEFECTS.items()):
        index += unit_tests.index_row(r, known, "%-3d %s (%s)" % (n, title, ours), "defect %d (%s)" % (n, title), where)
    if "--list" in sys.argv[1:]:
        print("\n".join(index))
    r.finish()


main()

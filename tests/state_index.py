#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the corner cases of the state engine are tested: its 32 scenarios and its 40 gotchas.

usage: state_index.py [--list]

Fails when one of them has no test, or names a test that is not there or not run. What no state test can show stands here
with its reason.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import check  # noqa: E402
import unit_tests  # noqa: E402

SCENARIOS = 32
GOTCHAS = {
    1: ("closing and exiting only mark; the next counted event removes",
        ["s15_who_exited_is_seen_until_the_next_event", "s20_a_closed_descriptor_is_gone_with_the_next_event"]),
    2: ("a range, an exec and a duplicate remove at once",
        ["s20_a_closed_descriptor_is_gone_with_the_next_event", "s12_an_exec_replaces_image_and_flags",
         "g02_what_a_duplicate_replaces_is_gone_at_once"]),
    3: ("a thread closes in the table of its process", ["a_thread_closes_in_the_table_of_its_process"]),
    4: ("failed calls change nothing, but for memory figures, memfd and pidfd; bpf always makes a descriptor",
        ["s01_a_failed_clone_or_exec_changes_nothing", "a_failed_memfd_takes_a_place_nobody_finds",
         "memory_figures_come_with_many_events",
         "g04_any_success_of_bpf_makes_a_descriptor"]),
    5: ("a caller's event describes the caller, and does not refresh a known one",
        ["children_inherit_every_attribute_of_the_image", "s02_the_callers_event_makes_the_child_and_the_childs_own_leaves_it"]),
    6: ("the result of a clone is a number inside a namespace",
        ["s04_only_its_own_event_makes_a_child_in_a_namespace", "g06_the_caller_makes_no_sibling_of_its_own"]),
    7: ("a repaired caller without virtual ids", ["a_caller_without_recorded_virtual_ids_gets_its_real_one"]),
    8: ("a scanned record is overwritten, not removed", ["a_scanned_record_is_overwritten_and_still_counted"]),
    9: ("an exec wipes most flags", ["g09_after_an_exec_only_the_numbers_tell_of_a_namespace"]),
    10: ("an old exec loses the process group",
        ["s12_an_exec_replaces_image_and_flags", "an_exec_sets_identity_where_it_is_recorded"]),
    11: ("a parent is a thread, not a process", ["ancestors_are_main_threads"]),
    12: ("who has no parent at first never gets one", ["g12_a_parent_that_appears_later_is_no_parent"]),
    13: ("dead leaders stay, and an exec revives them",
        ["s18_a_dead_leader_stays_while_its_threads_live", "s13_an_exec_leaves_no_thread_but_the_leader"]),
    14: ("looking for a reaper makes records", ["s17_a_reaper_nobody_knew_gets_a_record_but_no_orphans"]),
    15: ("three ways to become a reaper, and asking is one",
        ["s16_orphans_go_to_who_reaps", "asking_for_the_subreaper_state_also_tells_it",
         "s04_only_its_own_event_makes_a_child_in_a_namespace"]),
    16: ("relative directories of other threads; placeholders have none",
        ["s23_directories_are_those_of_the_process", "a_placeholder_has_no_directory_to_change"]),
    17: ("joining paths adds no separator", ["paths_join_as_the_vectors_say", "s19_opened_files_have_full_names"]),
    18: ("names of directories end without separator, current ones with",
        ["s19_opened_files_have_full_names", "s23_directories_are_those_of_the_process"]),
    19: ("a name changes against the name at binding", ["g19_a_name_changes_against_the_name_at_binding"]),
    20: ("a duplicate loses the lowest flag", ["s21_duplicates_are_copies", "g20_a_duplicate_keeps_its_other_flags"]),
    21: ("which number an event with several shows",
        ["s22_pairs_show_their_second_number", "s26_a_server_knows_its_clients",
         "only_a_tuple_that_can_be_read_makes_an_accepted_socket",
         "g21_an_image_found_by_descriptor_is_not_the_events_number",
         "g21_both_ends_of_a_pipe_have_its_flags"]),
    22: ("no protocol before a role", ["s24_a_tcp_client_takes_its_name_from_connect"]),
    23: ("IPv6 is never TCP or UDP to the parsers",
        ["an_ipv4_tcp_connection_is_not_looked_at_again", "g23_bound_ipv6_sockets_never_swap_their_ends"]),
    24: ("a server that connects swaps its ends if it is UDP", ["g24_a_role_once_taken_stays"]),
    25: ("the first packet of a bound UDP socket", ["a_bound_udp_socket_learns_its_peer_from_the_first_packet"]),
    26: ("interfaces come after the initial descriptors", ["connections_of_the_initial_list_are_oriented_by_the_listeners"]),
    27: ("listeners orient connections once, those of IPv6 too", ["connections_of_the_initial_list_are_oriented_by_the_listeners"]),
    28: ("suppressed threads change nothing",
        ["g28_what_a_suppressed_thread_did_is_unknown_to_its_process", "s29_suppressed_commands_leave_no_trace"]),
    29: ("without its enter event a descriptor is 0", ["every_row_converts_as_the_table_says"]),
    30: ("enter and exit are paired by thread and type alone",
        ["the_exit_events_own_fd_wins_over_a_stale_one", "an_enter_event_serves_one_exit_only",
         "g30_an_enter_event_too_big_to_keep_is_not_missed"]),
    31: ("an inspector's filter may keep events from the state",
        "there is no such filter: every event changes the state before conditions look at it (docs/deviations.md, Conditions)"),
    32: ("users of containers, and of the machine that replays",
        ["containers_have_users_of_their_own", "s32_users_come_and_go",
          "g32_removing_a_user_nobody_added_is_nothing"]),
    33: ("setting an id to -1 stores it", ["identity_follows_the_effective_ids"]),
    34: ("session numbers are those of a namespace", ["leaders_are_found_by_id_or_by_climbing"]),
    35: ("no record is not the host", ["the_host_is_described_too"]),
    36: ("full tables", ["s31_full_tables_take_no_more"]),
    37: ("exits are filed under the parent at that time", ["g37_only_children_of_the_caller_are_remembered_as_gone"]),
    38: ("which events are numbered",
        ["events_are_numbered_and_some_are_hidden", "s29_suppressed_commands_leave_no_trace"]),
    39: ("a command line survives a new name",
        ["g39_a_new_name_alone_changes_no_command_line", "s10_a_caller_nobody_knew_is_repaired"]),
    40: ("captures written by an engine have no empty directory", ["g40_an_empty_directory_in_a_process_list_is_the_root"]),
}


def main():
    r = check.Results("state index")
    known = unit_tests.find("engine/state/tests/*_test.c", "engine/filter/tests/*_test.c", "scapfile/tests/*_test.c")
    index = []
    for n in range(1, SCENARIOS + 1):
        named = [name for name in known if name.startswith("s%02d_" % n)]
        r.check(len(named) == 1, "scenario S%d has a test" % n, "  found %s" % named)
        index += ["S%-3d %s: %s" % (n, known[name], name) for name in named]
    r.equal(sorted(GOTCHAS), list(range(1, 41)), "every gotcha is in the table")
    for n, (title, where) in sorted(GOTCHAS.items()):
        index += unit_tests.index_row(r, known, "G%-3d %s" % (n, title), "gotcha %d (%s)" % (n, title), where)
    if "--list" in sys.argv[1:]:
        print("\n".join(index))
    r.finish()


main()

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the events of clone and exec tell of a task, as /proc and system calls tell it. A child
 * finds the facts out and leaves them in the memory it shares with its test.
 */
#ifndef CAPTURE_TESTS_TRUTH_TASK_H
#define CAPTURE_TESTS_TRUTH_TASK_H

#include "capture/tests/live.h"

#define TRUTH_CGROUPS_MAX 4096

struct truth_task {
	int64_t tid, pid, ptid, vtid, vpid, pgid, vpgid, fdlimit;
	int64_t vm_kib, rss_kib;
	uint32_t uid, gid, tty, loginuid;
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	char comm[16];
	uint32_t cgroups_len;
	char cgroups[TRUTH_CGROUPS_MAX]; /* as the events have them */
};

/* Of the caller, a child of a test with one thread. */
void truth_task(struct truth_task *t);
/* Compare what both kinds of events have: all but exe, args, flags, pidns_init_start_ts, env, the
 * terminal and the executable. Memory: exactly what the child saw, if @still. */
void expect_task(struct live_event *e, const struct truth_task *t, bool still);
/* And what only exec events have, but for the executable and the environment. */
void expect_exec_task(struct live_event *e, const struct truth_task *t);
/* In the child: the smallest executable there is, which ends with 0 at once. Return: its fd. */
int truth_write_program(int fd);
void truth_make_program(const char *path, unsigned mode);
/* The number after @key ("VmSize:") in /proc/self/status, or -1; @nth of them, from 0. */
int64_t truth_status(const char *key, unsigned nth, int base);

#endif

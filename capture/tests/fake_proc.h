/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A /proc of files in a temporary directory, as a host's root: processes are complete when made,
 * then a test changes what it is about.
 */
#ifndef CAPTURE_TESTS_FAKE_PROC_H
#define CAPTURE_TESTS_FAKE_PROC_H

#include "capture/state.h"

struct fake_proc {
	char root[64];
	struct rec_state_options opt; /* of fake_take() */
};

int fake_proc_make(struct fake_proc *f);
void fake_proc_remove(struct fake_proc *f);

/* Setup and teardown of a test: *state is its struct fake_proc. */
int fake_proc_setup(void **state);
int fake_proc_teardown(void **state);

/* A file, with the directories it needs; an existing one is replaced. @path is a format. */
void fake_file(struct fake_proc *f, struct sv contents, const char *path, ...) PRINTF_LIKE(3, 4);
void fake_link(struct fake_proc *f, const char *target, const char *path, ...) PRINTF_LIKE(3, 4);
void fake_delete(struct fake_proc *f, const char *path, ...) PRINTF_LIKE(2, 3);

/* Everything /proc has of a process, or of another thread of it. */
void fake_process(struct fake_proc *f, int pid);
void fake_thread(struct fake_proc *f, int pid, int tid);
/* D/stat alone: @comm between brackets, @state, @flags, @threads, @start in clock ticks. */
struct fake_stat {
	const char *comm;
	char state;
	unsigned flags, threads;
	unsigned long start;
};
void fake_stat(struct fake_proc *f, const char *dir, int id, struct fake_stat st);
/* Descriptor @fd leads to @target. */
void fake_fd(struct fake_proc *f, int pid, int fd, const char *target);

/* @text is exactly the string literal, which may contain NULs. */
#define assert_text(text, literal)                                                                 \
	do {                                                                                       \
		struct sv got_ = (text), want_ = SV_LIT(literal);                                  \
		assert_int_equal(got_.n, want_.n);                                                 \
		assert_memory_equal(got_.p, want_.p, want_.n);                                     \
	} while (0)

/* Take the state of the fake host. */
struct rec_state *fake_take(struct fake_proc *f);
/* What is in a state; NULL if it is not. Valid as long as the state. */
const struct ev_thread_entry *host_find_thread(struct rec_state *s, int64_t tid);
const struct ev_fd_entry *host_find_fd(struct rec_state *s, int64_t tid, int64_t fd);

#endif

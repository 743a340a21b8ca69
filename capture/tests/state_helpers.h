/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes in all kinds of states, that hold still while they are looked at. Each is started, gets
 * ready, and stays until the tests end.
 */
#ifndef CAPTURE_TESTS_STATE_HELPERS_H
#define CAPTURE_TESTS_STATE_HELPERS_H

#include <sys/types.h>

struct helper {
	const char *name;
	void (*prepare)(const char *dir); /* in the child; what fails there is not in its state */
	pid_t pid;			  /* 0: could not be started */
};

extern struct helper helpers[];
extern const unsigned nhelpers;

/* @dir: for their files. Return: 0, or -1 when one did not get ready. */
int helpers_start(const char *dir);
void helpers_end(void);
pid_t helper_pid(const char *name);

#endif

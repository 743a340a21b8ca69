/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that only exist: with so many descriptors and threads each, until they are told to go.
 */
#ifndef CAPTURE_TESTS_POPULATION_H
#define CAPTURE_TESTS_POPULATION_H

#include <sys/types.h>

struct population {
	pid_t *pids;
	unsigned n;
	int door; /* they leave when it is closed */
};

/*
 * Start @n processes; each has @fds descriptors of files, pipes and sockets in equal parts, and
 * @threads threads besides its first. Return: 0 when all are complete, or -errno.
 */
int population_start(struct population *p, unsigned n, unsigned fds, unsigned threads);
void population_end(struct population *p);

#endif

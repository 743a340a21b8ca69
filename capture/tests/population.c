/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tests/population.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)

static void *wait_for_door(void *door)
{
	char byte;

	while (read(*(int *)door, &byte, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

static int open_one(unsigned i)
{
	int pair[2];

	switch (i % 5) {
	case 0:
		return open("/proc/self/exe", O_RDONLY) < 0 ? -1 : 1;
	case 1:
		return open("/dev/null", O_RDWR | O_CLOEXEC) < 0 ? -1 : 1;
	case 2:
		return pipe(pair) < 0 ? -1 : 2;
	case 3:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? -1 : 2;
	default:
		return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? -1 : 1;
	}
}

static int start_threads(unsigned n, int *door)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES))
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&thread, &attr, wait_for_door, door))
			return -1;
	return 0;
}

static void live(int door, int ready, unsigned fds, unsigned threads)
{
	unsigned have = 0;
	char ok = 'y';

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; have < fds; i++) {
		int n = open_one(i);

		if (n < 0)
			_exit(1);
		have += (unsigned)n;
	}
	if (start_threads(threads, &door) < 0 || write(ready, &ok, 1) != 1)
		_exit(1);
	close(ready);
	wait_for_door(&door);
	_exit(0);
}

static int start_one(struct population *p, int door, int ready, unsigned fds, unsigned threads)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(p->door);
		live(door, ready, fds, threads);
	}
	p->pids[p->n++] = pid;
	return 0;
}

int population_start(struct population *p, unsigned n, unsigned fds, unsigned threads)
{
	struct rlimit limit;
	int door[2], ready[2], rc = 0;
	unsigned came = 0;
	char byte;

	*p = (struct population){.door = -1};
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	p->pids = calloc(n, sizeof(*p->pids));
	if (!p->pids || pipe(door) < 0)
		return -ENOMEM;
	p->door = door[1];
	if (pipe(ready) < 0)
		return -errno;
	for (unsigned i = 0; i < n && !rc; i++)
		rc = start_one(p, door[0], ready[1], fds, threads);
	close(door[0]);
	close(ready[1]);
	while (!rc && came < n && read(ready[0], &byte, 1) == 1)
		came++;
	close(ready[0]);
	return rc ? rc : came == n ? 0 : -ECHILD;
}

void population_end(struct population *p)
{
	if (p->door >= 0)
		close(p->door);
	p->door = -1;
	for (unsigned i = 0; i < p->n; i++)
		waitpid(p->pids[i], NULL, 0);
	free(p->pids);
	p->pids = NULL;
	p->n = 0;
}

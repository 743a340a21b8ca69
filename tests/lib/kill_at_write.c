/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program that fills a case: SIGKILL at its KILL_AT-th call that changes a file,
 * of a write in its middle. Without KILL_AT the number of calls is appended to the file KILL_COUNT
 * at the end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static bool is_the_one(void)
{
	const char *at = getenv("KILL_AT");

	return atomic_fetch_add(&calls, 1) + 1 == (at ? atol(at) : 0);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	if (is_the_one()) {
		syscall(SYS_pwrite64, fd, p, n / 2, at);
		die();
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

int ftruncate64(int fd, off64_t size)
{
	if (is_the_one())
		die();
	return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
	if (is_the_one())
		die();
	return (int)syscall(SYS_fdatasync, fd);
}

int unlink(const char *path)
{
	if (is_the_one())
		die();
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("KILL_COUNT");
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "%ld\n", atomic_load(&calls));
	fclose(f);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, opening and reading one executed file. */
#include "capture/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "scapfile/stream.h"

#define NS 1000000000u

static bool has_room(uint64_t paid, uint64_t now)
{
	return paid <= now + HASH_BURST_NS;
}

/* A file may be larger than what is left, which the next ones then have to wait for. */
bool hash_rate_take(struct hash_rate *r, uint64_t now, uint64_t size)
{
	if (!has_room(r->files, now) || !has_room(r->bytes, now))
		return false;
	r->files = (r->files > now ? r->files : now) + NS / HASH_FILES_PER_S;
	r->bytes = (r->bytes > now ? r->bytes : now) + size * (NS >> 20) / (HASH_BYTES_PER_S >> 20);
	return true;
}

/* --- opening --- */

static uint64_t nanoseconds(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec;
}

/* O_PATH does nothing to what is there, be it a device or a queue. */
static int find_file(const char *path, struct stat *sb)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, sb) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Of a process that runs, the contents of the executable cannot be written to, but its change time
 * is new when it was renamed or deleted since.
 */
static bool is_of_process(const struct hash_exec *x, const struct stat *sb)
{
	return sb->st_ino == x->ino && nanoseconds(&sb->st_mtim) == x->mtime;
}

static bool is_same(const struct hash_exec *x, const struct stat *sb)
{
	return is_of_process(x, sb) && nanoseconds(&sb->st_ctim) == x->ctime;
}

/* Through the process, or where it was when it was executed. */
static int find_executed(const struct hash_exec *x, struct stat *sb)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%lld/exe", (long long)x->pid);
	fd = find_file(path, sb);
	if (fd >= 0 && is_of_process(x, sb))
		return fd;
	if (fd >= 0)
		close(fd);
	fd = x->path_n ? find_file(x->path, sb) : -1;
	if (fd >= 0 && is_same(x, sb))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int hash_open(const struct hash_exec *x, struct stat *sb, enum ev_hash_status *status)
{
	char path[64];
	int found = find_executed(x, sb), fd;

	*status = found < 0 ? EV_HASH_GONE : S_ISREG(sb->st_mode) ? EV_HASH_DONE : EV_HASH_KIND;
	if (*status != EV_HASH_DONE) {
		if (found >= 0)
			close(found);
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	close(found);
	if (fd < 0)
		*status = EV_HASH_UNREADABLE;
	return fd;
}

/* --- reading --- */

static bool is_unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       nanoseconds(&now.st_mtim) == nanoseconds(&before->st_mtim) &&
	       nanoseconds(&now.st_ctim) == nanoseconds(&before->st_ctim);
}

/* Return: 0 at the end of the file, else why it was not reached. */
static enum ev_hash_status read_all(int fd, uint64_t size, const atomic_bool *give_up,
				    uint8_t *buffer, struct sf_hash *hash)
{
	uint64_t got = 0;
	ssize_t n;

	for (;;) {
		if (atomic_load_explicit(give_up, memory_order_relaxed))
			return EV_HASH_STOPPED;
		n = read(fd, buffer, HASH_BUFFER_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return EV_HASH_UNREADABLE;
		if (n == 0)
			return got == size ? EV_HASH_DONE : EV_HASH_CHANGED;
		got += (uint64_t)n;
		if (got > size)
			return EV_HASH_CHANGED;
		sf_hash_add(hash, buffer, (size_t)n);
	}
}

enum ev_hash_status hash_read(int fd, const struct stat *sb, const atomic_bool *give_up,
			      uint8_t *buffer, uint8_t sha256[EV_HASH_BYTES])
{
	enum ev_hash_status status;
	struct sf_hash *hash;

	if (sf_hash_new(&hash, NULL) < 0)
		return EV_HASH_UNREADABLE;
	status = read_all(fd, (uint64_t)sb->st_size, give_up, buffer, hash);
	if (status == EV_HASH_DONE && !is_unchanged(fd, sb))
		status = EV_HASH_CHANGED;
	if (status == EV_HASH_DONE && !sf_hash_end(hash, sha256))
		status = EV_HASH_UNREADABLE;
	sf_hash_free(hash);
	return status;
}

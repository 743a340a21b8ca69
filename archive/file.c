/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of one file: a part of a descriptor or of memory, or a member that is decoded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/internal.h"

/* What the program as a whole was told; nothing but --mem-limit changes it. */
static uint64_t memory_max = ARC_MEMORY_MAX;

void arc_set_memory(uint64_t bytes)
{
	memory_max = bytes;
}

int arc_open_plain(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOATIME | O_CLOEXEC);

	/* Only owners may ask for that. */
	return fd < 0 && errno == EPERM ? open(path, O_RDONLY | O_CLOEXEC) : fd;
}

static int new_file(const char *name, struct arc_file **out, struct error *err)
{
	struct arc_file *f = calloc(1, sizeof(*f));
	char *own = strdup(name);

	if (!f || !own) {
		free(f);
		free(own);
		return error_nomem(err);
	}
	f->name = own;
	f->fd = -1;
	*out = f;
	return 0;
}

void arc_close(struct arc_file *f)
{
	if (!f)
		return;
	arc_reader_close(f->reader);
	if (f->fd >= 0)
		close(f->fd);
	free(f->name);
	free(f);
}

int arc_file_from_fd(int fd, const char *name, struct arc_file **out, struct error *err)
{
	struct stat sb;
	int rc = fstat(fd, &sb) < 0 ? error_sys(err, errno, "cannot look at '%s'", name)
				    : new_file(name, out, err);

	if (rc < 0) {
		close(fd);
		return rc;
	}
	(*out)->fd = fd;
	(*out)->is_stream = !S_ISREG(sb.st_mode);
	(*out)->size = (*out)->is_stream ? 0 : (uint64_t)sb.st_size;
	return 0;
}

int arc_file_part(const struct arc_file *of, const char *name, uint64_t base, uint64_t size,
		  struct arc_file **out, struct error *err)
{
	int rc = new_file(name, out, err);

	if (rc < 0)
		return rc;
	(*out)->memory = of->memory;
	(*out)->base = of->base + base;
	(*out)->size = size;
	if (of->fd < 0)
		return 0;
	(*out)->fd = fcntl(of->fd, F_DUPFD_CLOEXEC, 0);
	if ((*out)->fd >= 0)
		return 0;
	rc = error_sys(err, errno, "cannot open '%s'", name);
	arc_close(*out);
	return rc;
}

int arc_file_of_member(struct arc_reader *r, const char *name, struct arc_file **out,
		       struct error *err)
{
	int rc = new_file(name, out, err);

	if (rc < 0)
		arc_reader_close(r);
	else
		(*out)->reader = r;
	return rc;
}

bool arc_file_is_all(const struct arc_file *f)
{
	struct stat sb;

	return f->fd >= 0 && f->base == 0 &&
	       (f->is_stream || (fstat(f->fd, &sb) == 0 && (uint64_t)sb.st_size == f->size));
}

int arc_file_take_fd(struct arc_file *f)
{
	int fd = f->fd;

	f->fd = -1;
	return fd;
}

/* ---- reading ---- */

bool arc_is_random(const struct arc_file *f)
{
	return !f->reader && !f->is_stream;
}

uint64_t arc_size(const struct arc_file *f)
{
	return f->size;
}

void arc_seek(struct arc_file *f, uint64_t at)
{
	f->at = at;
}

int64_t arc_pread(struct arc_file *f, void *to, size_t n, uint64_t at, struct error *err)
{
	uint64_t left = at < f->size ? f->size - at : 0;
	size_t done = 0;

	if (n > left)
		n = (size_t)left;
	if (f->memory && n)
		memcpy(to, f->memory + f->base + at, n);
	while (!f->memory && done < n) {
		ssize_t k =
		    pread(f->fd, (uint8_t *)to + done, n - done, (off_t)(f->base + at + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return error_sys(err, errno, "cannot read '%s' at byte %llu", f->name,
					 (unsigned long long)(at + done));
		if (k == 0)
			return error_set(err, ERR_TRUNCATED,
					 "'%s' became shorter while it was read", f->name);
		done += (size_t)k;
	}
	return (int64_t)n;
}

static int64_t read_stream(struct arc_file *f, void *to, size_t room, struct error *err)
{
	ssize_t n;

	do {
		n = read(f->fd, to, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, errno, "cannot read '%s'", f->name);
	return n;
}

static size_t read_head(struct arc_file *f, void *to, size_t room)
{
	size_t n = room < f->head_n ? room : f->head_n;

	memcpy(to, f->head + f->head_from, n);
	f->head_from += n;
	f->head_n -= n;
	return n;
}

int64_t arc_peek(struct arc_file *f, uint8_t *to, size_t room, struct error *err)
{
	int64_t n = 1;

	if (arc_is_random(f))
		return arc_pread(f, to, room, 0, err);
	while (f->head_n < room && n > 0) {
		uint8_t *at = f->head + f->head_n;

		n = f->reader ? arc_reader_read(f->reader, at, room - f->head_n, err)
			      : read_stream(f, at, room - f->head_n, err);
		f->head_n += n > 0 ? (size_t)n : 0;
	}
	memcpy(to, f->head, f->head_n);
	return n < 0 ? n : (int64_t)f->head_n;
}

int64_t arc_read(struct arc_file *f, void *to, size_t room, struct error *err)
{
	int64_t n;

	if (f->head_n)
		n = (int64_t)read_head(f, to, room);
	else if (f->reader)
		n = arc_reader_read(f->reader, to, room, err);
	else if (f->is_stream)
		n = read_stream(f, to, room, err);
	else
		n = arc_pread(f, to, room, f->at, err);
	if (n > 0)
		f->at += (uint64_t)n;
	return n;
}

/* ---- copies ---- */

static int write_all(int fd, const uint8_t *p, size_t n, struct error *err)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return error_sys(err, errno, "cannot put a copy aside");
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Where the file system knows no files without names, it has one for a moment. */
static int unnamed_later(const char *dir)
{
	char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/scapula-XXXXXX", dir) < 0)
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

int arc_nameless(struct error *err)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	dir = dir && *dir ? dir : "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = unnamed_later(dir);
	return fd < 0 ? error_sys(err, errno, "cannot create a file in '%s'", dir) : fd;
}

/* What is in memory goes on in a file. Return: its descriptor, or ERR_*; @from is closed. */
static int move_to_file(int from, uint8_t *step, struct error *err)
{
	int fd = arc_nameless(err), rc = fd < 0 ? fd : 0;
	off_t at = 0;
	ssize_t n = 1;

	while (rc == 0 && (n = pread(from, step, ARC_PIECE, at)) > 0) {
		rc = write_all(fd, step, (size_t)n, err);
		at += n;
	}
	if (rc == 0 && n < 0)
		rc = error_sys(err, errno, "cannot put a copy aside");
	close(from);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int arc_copy(struct arc_file *f, uint64_t memory, struct error *err)
{
	uint8_t *step = malloc(ARC_PIECE);
	int fd = step ? memfd_create("scapula", MFD_CLOEXEC) : -1, rc = 0;
	bool in_memory = fd >= 0;
	uint64_t done = 0;
	int64_t n;

	if (!step)
		return error_nomem(err);
	if (fd < 0)
		fd = arc_nameless(err);
	if (fd < 0)
		rc = fd;
	while (rc == 0 && (n = arc_read(f, step, ARC_PIECE, err)) != 0) {
		if (n > 0)
			rc = write_all(fd, step, (size_t)n, err);
		else
			rc = (int)n;
		done += n > 0 ? (uint64_t)n : 0;
		if (rc == 0 && in_memory && done > (memory ? memory : memory_max)) {
			fd = move_to_file(fd, step, err);
			in_memory = false;
			rc = fd < 0 ? fd : 0;
		}
	}
	free(step);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = error_sys(err, errno, "cannot go back in a copy");
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int arc_spool(struct arc_file **f, uint64_t memory, struct error *err)
{
	struct arc_file *copy;
	int fd, rc;

	if (arc_is_random(*f))
		return 0;
	fd = arc_copy(*f, memory, err);
	if (fd < 0)
		return fd;
	rc = arc_file_from_fd(fd, (*f)->name, &copy, err);
	if (rc < 0)
		return rc;
	arc_close(*f);
	*f = copy;
	return 0;
}

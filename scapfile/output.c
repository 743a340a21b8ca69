/* SPDX-License-Identifier: Apache-2.0 */
/* The file a capture is written to. */
#include "scapfile/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"

#define BLOCK_HEAD    8u  /* type and length of a block */
#define PARTIAL_TRIES 100 /* names tried for a file that is to replace another */

/* Never an existing file, never through a link, for its owner only. */
static int create_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* A file beside the one to be replaced, so that the rename stays within one file system. */
static int create_partial(struct sf_output *o, struct error *err)
{
	for (unsigned i = 0; i < PARTIAL_TRIES; i++) {
		free(o->partial);
		o->partial = NULL;
		if (asprintf(&o->partial, "%s.partial-%ld-%u", o->path, (long)getpid(), i) < 0) {
			o->partial = NULL;
			return error_nomem(err);
		}
		o->fd = create_file(o->partial);
		if (o->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	error_sys(err, errno, "cannot create '%s'", o->partial);
	free(o->partial);
	o->partial = NULL;
	return ERR_IO;
}

int sf_output_open(struct sf_output *o, const char *path, enum sf_placing placing,
		   enum sf_compression c, struct error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;

	*o = (struct sf_output){.fd = -1, .compression = c, .placing = placing};
	o->path = strdup(is_stdout ? "standard output" : path);
	if (!o->path)
		return error_nomem(err);
	if (is_stdout) {
		o->fd = STDOUT_FILENO;
		return 0;
	}
	o->own_fd = true;
	if (placing != SF_PLACE_NEW)
		return create_partial(o, err);
	o->fd = create_file(path);
	if (o->fd < 0)
		return error_sys(err, errno, "cannot create '%s'", path);
	return 0;
}

/* How many of the first @n bytes at @p, uncompressed blocks, are whole blocks. */
static size_t whole_blocks(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (n - at >= BLOCK_HEAD && load_u32(p + at + 4) <= n - at)
		at += load_u32(p + at + 4);
	return at;
}

/* The file has @done bytes too many. Where they cannot be taken back, as on a pipe, readers find
 * the cut themselves. */
static void take_back(struct sf_output *o, const uint8_t *p, size_t done)
{
	if (o->compression == SF_PLAIN)
		o->stored += whole_blocks(p, done);
	if (o->own_fd && ftruncate(o->fd, (off_t)o->stored) == 0)
		(void)lseek(o->fd, (off_t)o->stored, SEEK_SET);
}

/* All @n bytes; after a failure none, or of uncompressed ones those of whole blocks. */
static int write_whole(struct sf_output *o, const uint8_t *p, size_t n, struct error *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = write(o->fd, p + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			int rc = error_sys(err, errno, "cannot write '%s' at byte %llu", o->path,
					   (unsigned long long)(o->stored + done));

			take_back(o, p, done);
			return rc;
		}
		done += (size_t)k;
	}
	o->stored += n;
	return 0;
}

int sf_output_write(struct sf_output *o, const uint8_t *p, size_t n, size_t size, struct error *err)
{
	int rc = write_whole(o, p, n, err);

	if (rc < 0 || o->compression != SF_ZSTD)
		return rc;
	return sf_seek_add(&o->table, n, size, err);
}

static int write_trailer(struct sf_output *o, struct error *err)
{
	struct sf_frame trailer = {0};
	int rc;

	if (o->compression != SF_ZSTD)
		return 0;
	rc = sf_seek_trailer(&o->table, &trailer, err);
	if (rc >= 0)
		rc = write_whole(o, trailer.p, trailer.len, err);
	sf_frame_done(&trailer);
	return rc;
}

static int close_file(struct sf_output *o, struct error *err)
{
	int fd = o->fd;

	o->fd = -1;
	if (!o->own_fd || close(fd) == 0)
		return 0;
	return error_sys(err, errno, "cannot write '%s'", o->path);
}

static void forget_partial(struct sf_output *o)
{
	free(o->partial);
	o->partial = NULL;
}

/* Rename, unless there is a file of that name. Where the file system cannot do that in one step, a
 * second name is given and the first one taken. */
static int rename_to_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(from, to) < 0)
		return -1;
	(void)unlink(from);
	return 0;
}

int sf_output_place(struct sf_output *o, const char *path, struct error *err)
{
	if (rename_to_new(o->partial, path) < 0)
		return error_sys(err, errno, "cannot create '%s'", path);
	forget_partial(o);
	return 0;
}

static int take_place(struct sf_output *o, struct error *err)
{
	if (rename(o->partial, o->path) < 0)
		return error_sys(err, errno, "cannot replace '%s'", o->path);
	forget_partial(o);
	return 0;
}

int sf_output_finish(struct sf_output *o, struct error *err)
{
	int rc = write_trailer(o, err), closed;

	/* No name, and above all not that of an older file, before the bytes are safe. */
	if (rc >= 0 && o->partial && fsync(o->fd) < 0)
		rc = error_sys(err, errno, "cannot write '%s'", o->path);
	closed = close_file(o, rc < 0 ? NULL : err);
	rc = rc < 0 ? rc : closed;
	return rc < 0 || o->placing != SF_PLACE_REPLACE ? rc : take_place(o, err);
}

void sf_output_done(struct sf_output *o)
{
	if (o->fd >= 0)
		(void)close_file(o, NULL);
	if (o->partial)
		(void)unlink(o->partial);
	free(o->partial);
	free(o->path);
	sf_frame_done(&o->table.sizes);
	*o = (struct sf_output){.fd = -1};
}

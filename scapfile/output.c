/* SPDX-License-Identifier: Apache-2.0 */
/* The file a capture is written to. */
#include "scapfile/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "scapfile/files.h"

#define BLOCK_HEAD 8u /* type and length of a block */

static int create(struct sf_output *o, struct error *err)
{
	o->fd = o->placing == SF_PLACE_NEW ? sf_file_create(o->path)
					   : sf_file_create_partial(o->path, &o->partial, err);
	o->own_fd = o->fd >= 0;
	if (o->own_fd)
		return 0;
	return o->placing == SF_PLACE_NEW ? error_sys(err, errno, "cannot create '%s'", o->path)
					  : ERR_IO;
}

/* A seal that is there already belongs to another capture, which this one must not pass for. */
static int check_seal(const struct sf_output *o, struct error *err)
{
	char *name;
	int rc = 0;

	if (o->placing != SF_PLACE_NEW)
		return 0;
	name = sf_seal_name(o->path);
	if (!name)
		return error_nomem(err);
	if (access(name, F_OK) == 0)
		rc = error_sys(err, EEXIST, "cannot create '%s': a seal is there, '%s'", o->path,
			       name);
	free(name);
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

/* Nothing was written yet: nobody is to find what was created. */
static void take_all_back(struct sf_output *o)
{
	if (o->own_fd && o->placing == SF_PLACE_NEW)
		(void)unlink(o->path);
	if (o->seal.fd >= 0 && o->placing == SF_PLACE_NEW)
		(void)!sf_seal_forget(o->path, NULL);
	sf_seal_done(&o->seal);
	if (o->fd >= 0)
		(void)close_file(o, NULL);
}

static int begin(struct sf_output *o, struct sf_sealer *sealer, struct error *err)
{
	int rc = check_seal(o, err);

	if (rc >= 0)
		rc = create(o, err);
	if (rc >= 0)
		rc = sf_seal_begin(&o->seal, sealer, o->path, o->placing, o->compression, err);
	if (rc < 0)
		take_all_back(o);
	return rc;
}

int sf_output_open(struct sf_output *o, const char *path, enum sf_placing placing,
		   enum sf_compression c, struct sf_sealer *sealer, struct error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;

	*o = (struct sf_output){.fd = -1, .compression = c, .placing = placing, .seal = {.fd = -1}};
	o->path = strdup(is_stdout ? "standard output" : path);
	if (!o->path)
		return error_nomem(err);
	if (!is_stdout)
		return begin(o, sealer, err);
	o->fd = STDOUT_FILENO;
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
	size_t done = sf_file_write(o->fd, p, n);
	int rc;

	if (done == n) {
		o->stored += n;
		return 0;
	}
	rc = error_sys(err, errno, "cannot write '%s' at byte %llu", o->path,
		       (unsigned long long)(o->stored + done));
	take_back(o, p, done);
	return rc;
}

/* Before the seal says that the bytes are there, they are. */
static int sync_bytes(const struct sf_output *o, struct error *err)
{
	if (fdatasync(o->fd) == 0 || errno == EINVAL)
		return 0;
	return error_sys(err, errno, "cannot write '%s'", o->path);
}

static int seal_frame(struct sf_output *o, const uint8_t *p, size_t n, size_t size,
		      const struct sf_note *note, struct error *err)
{
	bool due = sf_seal_sync_due(&o->seal);
	int rc = due ? sync_bytes(o, err) : 0;

	if (rc >= 0)
		rc = sf_seal_frame(&o->seal, p, n, size, note, err);
	return rc < 0 || !due ? rc : sf_seal_sync(&o->seal, err);
}

/* Of a frame that did not fit, blocks were kept: nobody has counted what is in them. */
static void seal_rest(struct sf_output *o, const uint8_t *p, size_t n)
{
	static const struct sf_note unknown;

	o->seal.ending = SF_SEAL_CUT;
	if (n)
		(void)!sf_seal_frame(&o->seal, p, n, n, &unknown, NULL);
}

int sf_output_write(struct sf_output *o, const uint8_t *p, size_t n, size_t size,
		    const struct sf_note *note, struct error *err)
{
	uint64_t before = o->stored;
	int rc = write_whole(o, p, n, err);

	if (rc < 0) {
		seal_rest(o, p, (size_t)(o->stored - before));
		return rc;
	}
	rc = seal_frame(o, p, n, size, note, err);
	if (rc < 0 || o->compression != SF_ZSTD)
		return rc;
	return sf_seek_add(&o->table, n, size, err);
}

int sf_output_clock(struct sf_output *o, enum sf_clock_why why, struct error *err)
{
	struct sf_clock clock;

	sf_clock_read(&clock, why);
	return sf_seal_clock(&o->seal, &clock, err);
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
	if (rc >= 0)
		rc = sf_seal_table(&o->seal, trailer.p, trailer.len, err);
	sf_frame_done(&trailer);
	return rc;
}

static void forget_partial(struct sf_output *o)
{
	free(o->partial);
	o->partial = NULL;
}

int sf_output_place(struct sf_output *o, const char *path, struct error *err)
{
	int rc = sf_seal_place(&o->seal, path, err);

	if (rc < 0)
		return rc;
	if (sf_file_rename_to_new(o->partial, path) < 0) {
		rc = error_sys(err, errno, "cannot create '%s'", path);
		sf_seal_unplace(&o->seal, path);
		return rc;
	}
	forget_partial(o);
	return 0;
}

/* At no moment is there a capture beside a seal that is not its own. */
static int take_place(struct sf_output *o, struct error *err)
{
	int rc = sf_seal_forget(o->path, err);

	if (rc < 0)
		return rc;
	if (rename(o->partial, o->path) < 0)
		return error_sys(err, errno, "cannot replace '%s'", o->path);
	forget_partial(o);
	return sf_seal_place(&o->seal, o->path, err);
}

/* No name, and above all not that of an older file, before the bytes are safe. */
static int sync_end(struct sf_output *o, struct error *err)
{
	if (o->partial && fsync(o->fd) < 0)
		return error_sys(err, errno, "cannot write '%s'", o->path);
	return !o->partial && o->seal.sealer ? sync_bytes(o, err) : 0;
}

int sf_output_finish(struct sf_output *o, struct error *err)
{
	int rc = write_trailer(o, err), closed;

	if (rc >= 0)
		rc = sync_end(o, err);
	if (rc >= 0)
		rc = sf_seal_end(&o->seal, err);
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
	sf_seal_done(&o->seal);
	*o = (struct sf_output){.fd = -1, .seal = {.fd = -1}};
}

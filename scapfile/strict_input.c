/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check of how a capture is stored: plain, gzip members, or zstd frames and seek table.
 */
#define ZLIB_CONST /* zlib's input pointer is one to const */
#include "scapfile/strict_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define WINDOW_BYTES	 (256u << 10)
#define OUTPUT_BYTES	 (256u << 10)
#define GZIP_WINDOW_BITS (15 + 16)
#define SKIPPABLE_HEAD	 8u
#define TABLE_TYPE	 0x184d2a5eu /* the skippable frame that seek tables are in */
#define TABLE_MAGIC	 0x8f92eab1u
#define TABLE_FOOT	 9u
#define TABLE_CHECKSUMS	 0x80u /* in the descriptor: entries have 4 bytes more */
#define TABLE_RESERVED	 0x7cu

struct frame {
	uint32_t stored, content; /* bytes */
};

struct input {
	struct strict *s;
	int fd; /* -1: all of it is in the window */
	const char *name;
	uint8_t *buf, *out;
	const uint8_t *at, *end; /* the window */
	uint64_t offset;	 /* of @end in the file */
	bool at_end;
	struct frame *frames;
	size_t nframes, cap;
	uint64_t frames_end; /* of the file, behind the last frame of data */
	bool has_split;	     /* a frame begins inside a block: the first that does */
	uint64_t split_at;
};

static size_t left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

static uint64_t here(const struct input *in)
{
	return in->offset - left(in);
}

/* Have @n bytes, less than a window, unless the file ends before. */
static int need(struct input *in, size_t n, struct error *err)
{
	while (left(in) < n && !in->at_end) {
		size_t have = left(in);
		ssize_t got;

		memmove(in->buf, in->at, have);
		do {
			got = read(in->fd, in->buf + have, WINDOW_BYTES - have);
		} while (got < 0 && errno == EINTR);
		if (got < 0)
			return error_sys(err, errno, "cannot read '%s' at byte %llu", in->name,
					 (unsigned long long)in->offset);
		in->at = in->buf;
		in->end = in->buf + have + got;
		in->offset += (uint64_t)got;
		in->at_end = got == 0;
	}
	return 0;
}

/* ---- plain ---- */

static int read_plain(struct input *in, struct error *err)
{
	int rc;

	while ((rc = need(in, 1, err)) >= 0 && left(in)) {
		strict_feed(in->s, in->at, left(in));
		in->at = in->end;
	}
	return rc;
}

/* ---- gzip ---- */

/* One member, which begins here. Return: 1 when it is complete, 0 when it is not, or ERR_*. */
static int read_member(struct input *in, z_stream *z, struct error *err)
{
	uint64_t start = here(in);

	for (;;) {
		int status, rc = need(in, 1, err);

		if (rc < 0)
			return rc;
		if (!left(in)) {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_CUT, here(in),
					   "expected the end of the gzip member that begins at "
					   "byte %llu, found the end of the file",
					   (unsigned long long)start);
			return 0;
		}
		z->next_in = in->at;
		z->avail_in = (uInt)left(in);
		z->next_out = in->out;
		z->avail_out = OUTPUT_BYTES;
		status = inflate(z, Z_NO_FLUSH);
		in->at = z->next_in;
		strict_feed(in->s, in->out, OUTPUT_BYTES - z->avail_out);
		if (status == Z_STREAM_END)
			return 1;
		if (status == Z_MEM_ERROR)
			return error_nomem(err);
		if (status != Z_OK && status != Z_BUF_ERROR) {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_CORRUPT, here(in),
					   "the gzip member that begins at byte %llu: %s",
					   (unsigned long long)start, z->msg ? z->msg : "corrupt");
			return 0;
		}
	}
}

static int read_gzip(struct input *in, struct error *err)
{
	z_stream z = {0};
	int rc;

	if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
		return error_nomem(err);
	do {
		rc = need(in, 2, err);
		if (rc < 0 || !left(in))
			break;
		if (left(in) < 2 || in->at[0] != 0x1f || in->at[1] != 0x8b) {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_TAIL, here(in),
					   "expected another gzip member or the end of the file, "
					   "found 0x%02x",
					   in->at[0]);
			break;
		}
		inflateReset(&z);
		rc = read_member(in, &z, err);
	} while (rc > 0);
	inflateEnd(&z);
	return rc < 0 ? rc : 0;
}

/* ---- zstd ---- */

static int add_frame(struct input *in, uint64_t stored, uint64_t content, struct error *err)
{
	if (in->nframes == in->cap) {
		size_t cap = in->cap ? in->cap * 2 : 64;
		struct frame *frames = realloc(in->frames, cap * sizeof(*frames));

		if (!frames)
			return error_nomem(err);
		in->frames = frames;
		in->cap = cap;
	}
	in->frames[in->nframes++] = (struct frame){(uint32_t)stored, (uint32_t)content};
	in->frames_end = here(in);
	return 1;
}

/* One frame of data, which begins here. Return: 1 when it is complete, 0 when it is not, or ERR_*.
 */
static int read_frame(struct input *in, ZSTD_DStream *d, struct error *err)
{
	uint64_t start = here(in), content = 0;
	size_t status;

	if (!strict_between(in->s) && !in->has_split) {
		in->has_split = true;
		in->split_at = start;
	}
	ZSTD_DCtx_reset(d, ZSTD_reset_session_only);
	do {
		ZSTD_outBuffer out = {in->out, OUTPUT_BYTES, 0};
		ZSTD_inBuffer src = {NULL, 0, 0};
		int rc = need(in, 1, err);

		if (rc < 0)
			return rc;
		src.src = in->at;
		src.size = left(in);
		status = ZSTD_decompressStream(d, &out, &src);
		if (ZSTD_isError(status)) {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_CORRUPT, start,
					   "the zstd frame that begins here: %s",
					   ZSTD_getErrorName(status));
			return 0;
		}
		in->at += src.pos;
		content += out.pos;
		strict_feed(in->s, in->out, out.pos);
		if (status && !src.size && !out.pos) {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_CUT, here(in),
					   "expected the end of the zstd frame that begins at byte "
					   "%llu, found the end of the file",
					   (unsigned long long)start);
			return 0;
		}
	} while (status);
	return add_frame(in, here(in) - start, content, err);
}

/* The table's entries, @width bytes each, against the frames that were read. */
static int check_entries(struct input *in, uint32_t n, unsigned width, struct error *err)
{
	bool told = false;
	int rc = 0;

	for (uint32_t i = 0; i < n && (rc = need(in, width, err)) >= 0 && left(in) >= width; i++) {
		uint32_t stored = load_u32(in->at), content = load_u32(in->at + 4);

		if (!told && i < in->nframes &&
		    (stored != in->frames[i].stored || content != in->frames[i].content)) {
			strict_find_stored(in->s, SF_STRICT_SEEK_TABLE, here(in),
					   "frame %u: expected %u bytes that unpack to %u, found "
					   "%u and %u",
					   i, in->frames[i].stored, in->frames[i].content, stored,
					   content);
			told = true;
		}
		in->at += width;
	}
	return rc;
}

/*
 * The skippable frame of a seek table begins here; @size: of its contents. What is wrong with it as
 * a whole is told once.
 */
static int read_table(struct input *in, uint32_t size, struct error *err)
{
	uint64_t start = here(in), end = start + SKIPPABLE_HEAD + size;
	unsigned width = 8;
	const char *wrong = NULL;
	uint32_t n;
	int rc;

	in->at += SKIPPABLE_HEAD;
	n = (uint32_t)in->nframes;
	if (size >= TABLE_FOOT && n && (size - TABLE_FOOT) / n == 12 &&
	    (size - TABLE_FOOT) % n == 0)
		width = 12;
	if (size < TABLE_FOOT || size - TABLE_FOOT != (uint64_t)n * width) {
		strict_find_stored(in->s, SF_STRICT_SEEK_TABLE, start + 4,
				   "expected a table of %u frames, %llu bytes; found %u bytes", n,
				   (unsigned long long)n * 8 + TABLE_FOOT, size);
		return 0;
	}
	rc = check_entries(in, n, width, err);
	if (rc >= 0)
		rc = need(in, TABLE_FOOT + 1, err);
	if (rc < 0)
		return rc;
	if (left(in) < TABLE_FOOT)
		wrong = "the end of the file";
	else if (load_u32(in->at + 5) != TABLE_MAGIC)
		wrong = "another magic number";
	else if (in->at[4] & TABLE_RESERVED ||
		 (in->at[4] & TABLE_CHECKSUMS) != (width == 12 ? TABLE_CHECKSUMS : 0))
		wrong = "another descriptor";
	else if (load_u32(in->at) != n)
		wrong = "another number of frames";
	else if (left(in) > TABLE_FOOT)
		wrong = "more bytes behind it";
	if (wrong)
		strict_find_stored(in->s, SF_STRICT_SEEK_TABLE, end - TABLE_FOOT,
				   "expected the footer of a seek table of %u frames at the end "
				   "of the file, found %s",
				   n, wrong);
	if (in->has_split)
		strict_find_stored(in->s, SF_STRICT_FRAME_START, in->split_at,
				   "expected a block to begin with the frame, found one that began "
				   "before it");
	return 0;
}

/* Skip @n bytes. Return: 1, 0 when the file ends before, or ERR_*. */
static int skip(struct input *in, uint64_t n, struct error *err)
{
	int rc = 0;

	while (n && (rc = need(in, 1, err)) >= 0 && left(in)) {
		size_t step = left(in) < n ? left(in) : (size_t)n;

		in->at += step;
		n -= step;
	}
	return rc < 0 ? rc : n == 0;
}

/* A skippable frame begins here. Return: as read_frame(). */
static int read_skippable(struct input *in, uint32_t magic, struct error *err)
{
	uint64_t start = here(in);
	int rc = need(in, SKIPPABLE_HEAD, err);
	uint32_t size;

	if (rc < 0)
		return rc;
	if (left(in) >= SKIPPABLE_HEAD) {
		size = load_u32(in->at + 4);
		if (magic == TABLE_TYPE)
			return read_table(in, size, err);
		rc = skip(in, (uint64_t)SKIPPABLE_HEAD + size, err);
	}
	if (rc == 0)
		strict_find_stored(in->s, SF_STRICT_CONTAINER_CUT, here(in),
				   "expected the end of the skippable frame that begins at byte "
				   "%llu, found the end of the file",
				   (unsigned long long)start);
	return rc;
}

static int read_zstd(struct input *in, struct error *err)
{
	ZSTD_DStream *d = ZSTD_createDStream();
	int rc;

	if (!d)
		return error_nomem(err);
	do {
		uint32_t magic = 0;

		rc = need(in, 4, err);
		if (rc < 0 || !left(in))
			break;
		if (left(in) >= 4)
			magic = load_u32(in->at);
		if (magic == ZSTD_MAGICNUMBER) {
			rc = read_frame(in, d, err);
		} else if ((magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START) {
			rc = read_skippable(in, magic, err);
		} else {
			strict_find_stored(in->s, SF_STRICT_CONTAINER_TAIL, here(in),
					   "expected another zstd frame or the end of the file, "
					   "found 0x%02x",
					   in->at[0]);
			rc = 0;
		}
	} while (rc > 0);
	ZSTD_freeDStream(d);
	return rc < 0 ? rc : 0;
}

/* ---- any ---- */

static bool begins_like_zstd(uint32_t magic)
{
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static int read_any(struct input *in, struct error *err)
{
	struct sf_strict_report *r = in->s->report;
	int rc = need(in, 4, err);

	if (rc < 0)
		return rc;
	if (left(in) >= 2 && in->at[0] == 0x1f && in->at[1] == 0x8b) {
		r->compression = SF_GZIP;
		rc = read_gzip(in, err);
	} else if (left(in) >= 4 && begins_like_zstd(load_u32(in->at))) {
		r->compression = SF_ZSTD;
		rc = read_zstd(in, err);
	} else {
		r->compression = SF_PLAIN;
		rc = read_plain(in, err);
	}
	r->file_size = in->offset;
	return rc;
}

int strict_input(struct strict *s, int fd, const char *name, const void *p, size_t n,
		 struct error *err)
{
	struct input in = {.s = s, .fd = fd, .name = name, .at_end = fd < 0};
	int rc;

	in.out = malloc(OUTPUT_BYTES);
	in.buf = fd < 0 ? NULL : malloc(WINDOW_BYTES);
	if (fd < 0) {
		in.at = p;
		in.end = in.at + n;
		in.offset = n;
	} else {
		in.at = in.end = in.buf;
	}
	if (!in.out || (fd >= 0 && !in.buf))
		rc = error_nomem(err);
	else
		rc = read_any(&in, err);
	free(in.buf);
	free(in.out);
	free(in.frames);
	return rc;
}

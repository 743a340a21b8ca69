/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression of frames, each by itself, and the seek table of zstd files: a skippable frame with
 * the sizes of all frames before it (zstd, "Zstandard Seekable Format").
 */
#include "scapfile/output.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/cursor.h"

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window, gzip framing */
#define ZSTD_LEVEL	 6
#define ZSTD_LEVEL_BUSY	 3
#define PACKING_SHARE	 10 /* of the time; see sf_writer_options.paced */
#define SEEK_SKIPPABLE	 0x184d2a5eu
#define SEEK_MAGIC	 0x8f92eab1u
#define SEEK_FOOTER	 9u
#define SEEK_ENTRY	 8u
#define SEEK_FRAMES_MAX	 0x8000000u /* limit of the format; further frames stay out of the table */

int sf_frame_grow(struct sf_frame *f, size_t n, struct error *err)
{
	size_t cap = f->cap ? f->cap : 4096;
	uint8_t *p;

	if (n <= f->cap - f->len)
		return 0;
	if (n > SIZE_MAX / 4 - f->len)
		return error_nomem(err);
	while (cap - f->len < n)
		cap *= 2;
	p = realloc(f->p, cap);
	if (!p)
		return error_nomem(err);
	f->p = p;
	f->cap = cap;
	return 0;
}

void sf_frame_done(struct sf_frame *f)
{
	free(f->p);
	*f = (struct sf_frame){0};
}

static int init_gzip(struct sf_packer *k, struct error *err)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z)
		return error_nomem(err);
	if (deflateInit2(z, k->level ? k->level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
			 GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return error_set(err, ERR_USAGE, "compression level %d is none of gzip's",
				 k->level);
	}
	k->gzip = z;
	return 0;
}

static int init_zstd(struct sf_packer *k, struct error *err)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (!z)
		return error_nomem(err);
	k->zstd = z;
	if (k->level > ZSTD_maxCLevel() || k->level < ZSTD_minCLevel())
		return error_set(err, ERR_USAGE, "compression level %d is none of zstd's",
				 k->level);
	ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, k->level ? k->level : ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	return 0;
}

int sf_packer_init(struct sf_packer *k, enum sf_compression c, int level, struct error *err)
{
	*k = (struct sf_packer){.compression = c, .level = level};
	switch (c) {
	case SF_GZIP:
		return init_gzip(k, err);
	case SF_ZSTD:
		return init_zstd(k, err);
	case SF_PLAIN:
		break;
	}
	return 0;
}

void sf_packer_done(struct sf_packer *k)
{
	if (k->gzip)
		deflateEnd(k->gzip);
	free(k->gzip);
	ZSTD_freeCCtx(k->zstd);
	sf_frame_done(&k->packed);
	*k = (struct sf_packer){0};
}

static int pack_gzip(struct sf_packer *k, const struct sf_frame *f, struct error *err)
{
	z_stream *z = k->gzip;
	int rc;

	if (f->len > UINT32_MAX / 2)
		return error_set(err, ERR_LIMIT, "frame of %zu bytes is too large for gzip",
				 f->len);
	if (deflateReset(z) != Z_OK)
		return error_nomem(err);
	rc = sf_frame_grow(&k->packed, deflateBound(z, f->len), err);
	if (rc < 0)
		return rc;
	z->next_in = f->p;
	z->avail_in = (uInt)f->len;
	z->next_out = k->packed.p;
	z->avail_out = (uInt)(k->packed.cap < UINT32_MAX ? k->packed.cap : UINT32_MAX);
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return error_nomem(err); /* nothing else can stop it with room enough */
	k->packed.len = z->total_out;
	return 0;
}

static int pack_zstd(struct sf_packer *k, const struct sf_frame *f, struct error *err)
{
	int rc = sf_frame_grow(&k->packed, ZSTD_compressBound(f->len), err);
	size_t n;

	if (rc < 0)
		return rc;
	n = ZSTD_compress2(k->zstd, k->packed.p, k->packed.cap, f->p, f->len);
	if (ZSTD_isError(n))
		return error_nomem(err);
	k->packed.len = n;
	return 0;
}

/* Since the last frame, has there been time enough to compress this one well? */
static bool has_time(const struct sf_packer *k, const struct sf_frame *f)
{
	uint64_t idle = clock_ns(CLOCK_MONOTONIC) - k->ended;

	return idle >= (PACKING_SHARE - 1) * k->cost * (f->len / 1024);
}

static int pack_paced(struct sf_packer *k, const struct sf_frame *f, struct error *err)
{
	bool well = has_time(k, f);
	uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int rc;

	ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_compressionLevel,
			       well ? ZSTD_LEVEL : ZSTD_LEVEL_BUSY);
	rc = pack_zstd(k, f, err);
	if (well && f->len >= 1024)
		k->cost = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - began) / (f->len / 1024);
	k->ended = clock_ns(CLOCK_MONOTONIC);
	return rc;
}

int sf_pack(struct sf_packer *k, const struct sf_frame *f, const uint8_t **stored, size_t *n,
	    struct error *err)
{
	int rc;

	*stored = f->p;
	*n = f->len;
	if (k->compression == SF_PLAIN)
		return 0;
	k->packed.len = 0;
	if (k->compression == SF_GZIP)
		rc = pack_gzip(k, f, err);
	else
		rc = k->paced && !k->level ? pack_paced(k, f, err) : pack_zstd(k, f, err);
	*stored = k->packed.p;
	*n = k->packed.len;
	return rc;
}

int sf_packed_new(struct sf_packer *k, const struct sf_frame *f, struct sf_packed **out,
		  struct error *err)
{
	struct sf_packed *packed;
	const uint8_t *p = NULL;
	size_t n = 0;
	int rc = f->len ? sf_pack(k, f, &p, &n, err) : 0;

	if (rc < 0)
		return rc;
	packed = malloc(sizeof(*packed) + n);
	if (!packed)
		return error_nomem(err);
	packed->next = NULL;
	packed->note = f->note;
	packed->size = f->len;
	packed->n = n;
	put_bytes(packed->bytes, p, n);
	*out = packed;
	return 0;
}

int sf_seek_add(struct sf_seek_table *t, size_t stored, size_t size, struct error *err)
{
	int rc;

	if (t->frames == SEEK_FRAMES_MAX)
		return 0;
	rc = sf_frame_grow(&t->sizes, SEEK_ENTRY, err);
	if (rc < 0)
		return rc;
	put_u32(put_u32(t->sizes.p + t->sizes.len, (uint32_t)stored), (uint32_t)size);
	t->sizes.len += SEEK_ENTRY;
	t->frames++;
	return 0;
}

int sf_seek_trailer(const struct sf_seek_table *t, struct sf_frame *out, struct error *err)
{
	uint8_t *to;
	int rc = sf_frame_grow(out, 8 + t->sizes.len + SEEK_FOOTER, err);

	if (rc < 0)
		return rc;
	to = put_u32(out->p + out->len, SEEK_SKIPPABLE);
	to = put_u32(to, (uint32_t)(t->sizes.len + SEEK_FOOTER));
	to = put_bytes(to, t->sizes.p, t->sizes.len);
	to = put_u32(to, t->frames);
	to = put_u8(to, 0); /* no checksums here: each frame has its own */
	to = put_u32(to, SEEK_MAGIC);
	out->len = (size_t)(to - out->p);
	return 0;
}

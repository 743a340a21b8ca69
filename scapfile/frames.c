/* SPDX-License-Identifier: Apache-2.0 */
#include "scapfile/frames.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/cursor.h"

#define ZSTD_MAGIC	  0xfd2fb528u
#define SKIPPABLE_MAGIC	  0x184d2a50u
#define SKIPPABLE_MASK	  0xfffffff0u
#define GZIP_WINDOW_BITS  (15 + 16)
#define SCRATCH		  (64u << 10)
#define BLOCK_HEADER	  3u
#define BLOCK_RLE	  1u /* one byte that is repeated */
#define DESCRIPTOR_SINGLE 0x20u
#define DESCRIPTOR_SUM	  0x04u

/* ---- zstd: header by header ---- */

enum part { /* whose bytes are gathered, or skipped */
	    PART_MAGIC,
	    PART_DESCRIPTOR,
	    PART_HEADER, /* of the frame, with the descriptor */
	    PART_BLOCK,	 /* header of a block */
	    PART_SIZE,	 /* of a skippable frame */
	    PART_END,	 /* once what is skipped is over */
};

static void gather(struct sf_frames *f, enum part part, size_t want)
{
	f->part = (int)part;
	f->have = 0;
	f->want = want;
}

static void note_made(struct sf_frames *f, uint64_t n)
{
	f->made = f->made > UINT64_MAX - 1 - n ? UINT64_MAX : f->made + n;
}

static void take_magic(struct sf_frames *f)
{
	uint32_t magic = load_u32(f->head);

	f->skippable = (magic & SKIPPABLE_MASK) == SKIPPABLE_MAGIC;
	if (f->skippable)
		gather(f, PART_SIZE, 4);
	else if (magic == ZSTD_MAGIC)
		gather(f, PART_DESCRIPTOR, 1);
	else
		f->lost = true;
}

static unsigned size_bytes(uint8_t descriptor)
{
	static const uint8_t sizes[] = {0, 2, 4, 8};
	unsigned n = sizes[descriptor >> 6];

	return n ? n : (descriptor & DESCRIPTOR_SINGLE) != 0;
}

static unsigned before_size(uint8_t descriptor)
{
	static const uint8_t dictionary[] = {0, 1, 2, 4};

	return 1 + !(descriptor & DESCRIPTOR_SINGLE) + dictionary[descriptor & 3];
}

static void take_descriptor(struct sf_frames *f)
{
	f->checksum = f->head[0] & DESCRIPTOR_SUM;
	f->part = PART_HEADER;
	f->want = before_size(f->head[0]) + size_bytes(f->head[0]);
}

static void take_header(struct sf_frames *f)
{
	const uint8_t *p = f->head + before_size(f->head[0]);

	switch (size_bytes(f->head[0])) {
	case 0:
		f->made = UINT64_MAX;
		break;
	case 1:
		note_made(f, *p);
		break;
	case 2:
		note_made(f, load_u16(p) + 256u);
		break;
	case 4:
		note_made(f, load_u32(p));
		break;
	default:
		note_made(f, load_u64(p));
	}
	gather(f, PART_BLOCK, BLOCK_HEADER);
}

static void take_block(struct sf_frames *f)
{
	uint32_t h = f->head[0] | (uint32_t)f->head[1] << 8 | (uint32_t)f->head[2] << 16;
	bool last = h & 1;

	f->skip = (h >> 1 & 3) == BLOCK_RLE ? 1 : h >> 3;
	if (last) {
		f->skip += f->checksum ? 4 : 0;
		gather(f, PART_END, 0);
	} else {
		gather(f, PART_BLOCK, BLOCK_HEADER);
	}
}

static void take_gathered(struct sf_frames *f)
{
	switch ((enum part)f->part) {
	case PART_MAGIC:
		take_magic(f);
		return;
	case PART_DESCRIPTOR:
		take_descriptor(f);
		return;
	case PART_HEADER:
		take_header(f);
		return;
	case PART_BLOCK:
		take_block(f);
		return;
	case PART_SIZE:
		f->skip = load_u32(f->head);
		gather(f, PART_END, 0);
		return;
	case PART_END:
		return;
	}
}

static size_t least(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

static void step_zstd(struct sf_frames *f, const uint8_t *p, size_t n, struct sf_frames_step *out)
{
	while (out->used < n && !out->ended && !f->lost) {
		if (f->skip) {
			size_t k = least(f->skip, n - out->used);

			out->used += k;
			f->skip -= k;
		} else if (f->have < f->want) {
			f->head[f->have++] = p[out->used++];
			if (f->have == f->want)
				take_gathered(f);
		}
		if (f->part == PART_END && !f->skip) {
			out->ended = true;
			out->skippable = f->skippable;
			gather(f, PART_MAGIC, 4);
		}
	}
}

/* ---- gzip: decoded ---- */

static int step_gzip(struct sf_frames *f, const uint8_t *p, size_t n, struct sf_frames_step *out,
		     struct error *err)
{
	uint8_t scratch[SCRATCH];
	z_stream *z = f->gzip;
	int rc = Z_OK;

	while (out->used < n && rc == Z_OK) {
		z->next_in = (Bytef *)(uintptr_t)(p + out->used);
		z->avail_in = (uInt)least(n - out->used, UINT32_MAX);
		z->next_out = scratch;
		z->avail_out = sizeof(scratch);
		rc = inflate(z, Z_NO_FLUSH);
		note_made(f, sizeof(scratch) - z->avail_out);
		out->used = (size_t)(z->next_in - p);
		if (rc == Z_MEM_ERROR)
			return error_nomem(err);
	}
	out->ended = rc == Z_STREAM_END;
	if (out->ended)
		(void)inflateReset(z);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		f->lost = true;
	return 0;
}

/* ---- all ---- */

int sf_frames_init(struct sf_frames *f, enum sf_compression c, struct error *err)
{
	z_stream *z;

	*f = (struct sf_frames){.compression = c};
	gather(f, PART_MAGIC, 4);
	if (c != SF_GZIP)
		return 0;
	z = calloc(1, sizeof(*z));
	if (!z || inflateInit2(z, GZIP_WINDOW_BITS) != Z_OK) {
		free(z);
		return error_nomem(err);
	}
	f->gzip = z;
	return 0;
}

int sf_frames_step(struct sf_frames *f, const uint8_t *p, size_t n, struct sf_frames_step *out,
		   struct error *err)
{
	int rc = 0;

	*out = (struct sf_frames_step){0};
	if (!f->lost && f->compression == SF_ZSTD)
		step_zstd(f, p, n, out);
	else if (!f->lost && f->compression == SF_GZIP)
		rc = step_gzip(f, p, n, out, err);
	else if (f->compression == SF_PLAIN)
		note_made(f, n);
	if (f->lost)
		f->made = UINT64_MAX;
	if (!out->ended)
		out->used = n;
	return rc;
}

uint64_t sf_frames_made(struct sf_frames *f, bool ended)
{
	/* Of zstd only the size of whole frames is known. */
	uint64_t made = ended || f->compression != SF_ZSTD ? f->made : UINT64_MAX;

	f->made = 0;
	return made;
}

void sf_frames_done(struct sf_frames *f)
{
	if (f->gzip) {
		(void)inflateEnd(f->gzip);
		free(f->gzip);
	}
	*f = (struct sf_frames){0};
}

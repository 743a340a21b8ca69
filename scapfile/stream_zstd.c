/* SPDX-License-Identifier: Apache-2.0 */
/* zstd: frames and skippable frames back to back are one stream. */
#include "scapfile/stream.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_FIRST 5 /* bytes of a frame that the decoder wants to see first */

struct zstd_codec {
	struct sf_codec codec;
	ZSTD_DStream *d;
	bool inside; /* a frame has begun and not ended */
	bool holds;  /* there may be decoded bytes that found no room */
	size_t next; /* bytes up to the end of the block */
};

bool sf_is_zstd(const uint8_t *p, size_t n)
{
	uint32_t magic = n >= 4 ? load_u32(p) : 0;

	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static int zstd_trouble(struct zstd_codec *z, size_t status)
{
	if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
		return ERR_NOMEM;
	z->codec.trouble = ZSTD_getErrorName(status);
	return SF_FLOW_CORRUPT;
}

/*
 * One call of the decoder. When it fails, it says neither what it has consumed nor what it has
 * produced in that call. So it is shown one block at a time, and only when it has passed on all of
 * the one before: then what is in front of damage does not depend on how much room there is.
 */
static int decode_step(struct zstd_codec *z, struct sf_input *in, ZSTD_outBuffer *dst)
{
	ZSTD_inBuffer src = {in->at, (size_t)(in->end - in->at), 0};
	size_t status, before = dst->pos;

	if (src.size > z->next)
		src.size = z->next;
	if (z->holds)
		src.size = 0;
	status = ZSTD_decompressStream(z->d, dst, &src);
	if (ZSTD_isError(status)) {
		/* Whoever looks for the next frame must not find this one again. */
		if (!z->inside && src.size)
			in->at++;
		return zstd_trouble(z, status);
	}
	in->at += src.pos;
	z->inside = status != 0;
	z->next = z->inside ? status : ZSTD_FIRST;
	/* Without input there may still be decoded bytes held back, but nothing else to wait for.
	 */
	if (in->at == in->end && src.size == 0 && z->inside && !z->holds && dst->pos == before)
		return SF_FLOW_CUT;
	z->holds = z->inside && dst->pos == dst->size;
	return SF_FLOW_MORE;
}

/* A frame begins where @in is. */
static void note_frame(struct zstd_codec *z, const struct sf_input *in, uint64_t raw)
{
	const struct sf_access here = {.stored = in->size - (uint64_t)(in->end - in->at),
				       .raw = raw};

	if (sf_access_due(z->codec.log, raw))
		sf_access_add(z->codec.log, &here);
}

static int zstd_decode(struct sf_codec *c, struct sf_input *in, uint8_t *to, size_t room,
		       size_t *made, struct error *err)
{
	struct zstd_codec *z = CONTAINER_OF(c, struct zstd_codec, codec);
	ZSTD_outBuffer dst = {to, room, 0};
	int flow = SF_FLOW_MORE;

	while (flow == SF_FLOW_MORE && dst.pos < dst.size) {
		int rc = sf_input_fill(in, err);

		if (rc < 0)
			return rc;
		if (rc > 0 && !z->inside)
			note_frame(z, in, c->made + dst.pos);
		flow = rc == 0 && !z->inside ? SF_FLOW_END : decode_step(z, in, &dst);
	}
	*made = dst.pos;
	return flow < 0 ? error_nomem(err) : flow;
}

/* Position @in at the next frame's magic number, whose bytes may be split between two reads. */
static int find_frame(struct sf_input *in, struct error *err)
{
	uint32_t last = 0; /* the last four bytes, newest on top */
	int rc;

	while ((rc = sf_input_fill(in, err)) > 0) {
		last = last >> 8 | (uint32_t)*in->at++ << 24;
		if (last == ZSTD_MAGICNUMBER)
			return 1;
	}
	return rc;
}

static void begin_anew(struct zstd_codec *z)
{
	ZSTD_DCtx_reset(z->d, ZSTD_reset_session_only);
	z->inside = z->holds = false;
	z->next = ZSTD_FIRST;
}

static int zstd_resume(struct sf_codec *c, struct sf_input *in, struct error *err)
{
	static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	struct zstd_codec *z = CONTAINER_OF(c, struct zstd_codec, codec);
	ZSTD_inBuffer src = {magic, sizeof(magic), 0};
	ZSTD_outBuffer dst = {NULL, 0, 0};
	int rc = find_frame(in, err);
	size_t status;

	if (rc <= 0)
		return rc;
	begin_anew(z);
	z->inside = true;
	/* The magic number has been consumed: show it to the decoder before the rest of the frame.
	 */
	status = ZSTD_decompressStream(z->d, &dst, &src);
	if (ZSTD_isError(status))
		return 0;
	z->next = status;
	return 1;
}

static int zstd_enter(struct sf_codec *c, struct sf_input *in, const struct sf_access *a,
		      struct error *err)
{
	struct zstd_codec *z = CONTAINER_OF(c, struct zstd_codec, codec);

	(void)in;
	(void)a;
	(void)err;
	begin_anew(z);
	return 0;
}

static void zstd_free(struct sf_codec *c)
{
	struct zstd_codec *z = CONTAINER_OF(c, struct zstd_codec, codec);

	ZSTD_freeDStream(z->d);
	free(z);
}

static const struct sf_codec_ops zstd_ops = {
    .decode = zstd_decode,
    .resume = zstd_resume,
    .enter = zstd_enter,
    .free = zstd_free,
};

int sf_codec_zstd(struct sf_codec **out, struct error *err)
{
	struct zstd_codec *z = calloc(1, sizeof(*z));

	if (!z)
		return error_nomem(err);
	z->codec.ops = &zstd_ops;
	z->next = ZSTD_FIRST;
	z->d = ZSTD_createDStream();
	if (!z->d) {
		free(z);
		return error_nomem(err);
	}
	*out = &z->codec;
	return 0;
}
